"""The middle of three: what is believed of an instrument whose frames carry no check sequence.

Job: a digit changed on the wire cannot be told from a change of what is measured, but it stands alone: of the last
three numbers the middle one is none of the two extremes. It is trusted no further than its own frame allowed, and no
further than the newest does. Neighbours: `serial_instruments` and `probe_line` ask it for instruments without a check
sequence. Must not know: frames, ranges.

Price: what changes is seen one frame later. Of two numbers, or one, the newest is given: a start, or the first frames
after a gap, are not covered.
"""

from typing import NamedTuple

from hal.values import Cause, Quality

KEEP_PERIODS = 12  # three numbers with some lost between them; each says its own age
_WINDOW = 3


class Heard(NamedTuple):
    """One number as it was sent, when it was taken, and how far it may be trusted."""

    raw: float
    taken_ns: int
    quality: Quality
    cause: Cause


class Middle:
    """The last three numbers; those from before KEEP_PERIODS of the instrument, or a silence, do not count."""

    __slots__ = ("_keep_ns", "_seen")

    def __init__(self, period_ns: int) -> None:
        self._keep_ns = KEEP_PERIODS * period_ns
        self._seen: list[Heard] = []

    def of(self, newest: Heard) -> Heard:
        """Take a number; the middle of the last three, with the worse of its own quality and the newest's."""
        recent = [each for each in self._seen if newest.taken_ns - each.taken_ns <= self._keep_ns]
        self._seen = [*recent, newest][-_WINDOW:]
        if len(self._seen) < _WINDOW:
            return newest
        middle = sorted(self._seen)[_WINDOW // 2]
        if middle.quality > newest.quality:
            return middle
        return middle._replace(quality=newest.quality, cause=newest.cause)

    def forget(self) -> None:
        """The instrument was lost: nothing from before counts any more."""
        self._seen = []
