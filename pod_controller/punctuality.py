"""How punctual the tick is: lateness after each deadline, and deadlines that passed while nothing could be decided.

Deadlines lie at the first tick plus whole periods, for ever; a late tick does not move them. Neighbours: the core
notes every tick, `telling` asks. Must not know what a tick does.
"""

from typing import NamedTuple

import numpy as np

REMEMBERED = 4096


class Lateness(NamedTuple):
    """Of the newest ticks, in ms."""

    of_ticks: int
    p50_ms: float
    p99_ms: float
    p99_9_ms: float
    max_ms: float


class Punctuality:
    """Counts one period's ticks. May be asked from another thread."""

    def __init__(self, period_ns: int) -> None:
        self.ticks = 0
        self.overruns = 0
        self.worst_ns = 0
        self._period_ns = period_ns
        self._first_ns = -1
        self._period = 0
        self._late_ns = np.zeros(REMEMBERED, dtype=np.int64)

    def note(self, now_ns: int) -> None:
        """A tick begins."""
        if self._first_ns < 0:
            self._first_ns = now_ns
        period, late_ns = divmod(now_ns - self._first_ns, self._period_ns)
        self.overruns += max(0, period - self._period - 1)
        self._period = period
        self._late_ns[self.ticks % REMEMBERED] = late_ns
        self.worst_ns = max(self.worst_ns, late_ns)
        self.ticks += 1

    def lateness(self, of_ticks: int = REMEMBERED) -> Lateness:
        """Of at most so many of the newest ticks."""
        ticks = self.ticks
        count = min(ticks, of_ticks, REMEMBERED)
        if count <= 0:
            return Lateness(0, 0.0, 0.0, 0.0, 0.0)
        newest = np.sort(self._late_ns[np.arange(ticks - count, ticks) % REMEMBERED]) * 1e-6
        ranks = [newest[min(count - 1, int(frac * count))] for frac in (0.5, 0.99, 0.999)]
        return Lateness(count, *(round(float(late_ms), 3) for late_ms in (*ranks, newest[-1])))
