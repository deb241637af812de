"""One device on a line: is it well, and when may it be spoken to again.

Job: count misses and refusals, hold the state OK, SUSPECT or DEAD, the back-off of a dead device
and the enforced silence of an output module that must fall to its fail state.
Neighbours: ``line`` reports every outcome here and asks whom it may poll; ``pod_io`` shows Health.
Must not know: bytes, registers, or when the line itself is free.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from hal.modbus import Verdict

DEAD_AFTER = 3  # misses in a row
FIRST_BACKOFF_NS = 1_000_000_000
LONGEST_BACKOFF_NS = 16_000_000_000


class Condition(IntEnum):
    """How a device answers."""

    OK = 0
    SUSPECT = 1
    DEAD = 2


class Health(NamedTuple):
    """What a technician wants to know of one device: counts since start, by verdict."""

    device: str
    line: str
    unit: int
    condition: Condition
    answered: int
    faults: Mapping[str, int]


class Device:
    """Mutable state of one device; times in monotonic nanoseconds.

    While ``doubtful`` the device is asked only after all healthy ones, one transaction at a time,
    and not before retry_ns.
    """

    __slots__ = (
        "answered", "backoff_ns", "cost_ns", "doubtful", "faults", "late_ns", "line", "misses", "name", "retry_ns",
        "turnaround_ns", "unit", "urgent",
    )  # fmt: skip

    def __init__(self, name: str, line: str, unit: int, turnaround_ns: int, late_ns: int) -> None:
        self.name, self.line, self.unit = name, line, unit
        self.turnaround_ns, self.late_ns = turnaround_ns, late_ns
        self.cost_ns = 0  # how long the line is lost when the longest request of this device fails
        self.misses = 0
        self.doubtful = False
        self.urgent = False  # asked again whatever room the tick has left
        self.retry_ns = 0
        self.backoff_ns = FIRST_BACKOFF_NS
        self.answered = 0
        self.faults = [0] * len(Verdict)

    @property
    def condition(self) -> Condition:
        """OK, SUSPECT after one miss, DEAD after DEAD_AFTER in a row."""
        if self.misses == 0:
            return Condition.OK
        return Condition.DEAD if self.misses >= DEAD_AFTER else Condition.SUSPECT

    @property
    def dead(self) -> bool:
        """Whether its values count as lost whatever their age."""
        return self.misses >= DEAD_AFTER

    def missed(self, verdict: Verdict, now_ns: int, next_tick_ns: int) -> None:
        """No answer, or one that must not be believed: once more in the next tick, then ever more seldom."""
        self.faults[verdict] += 1
        self.misses += 1
        self.doubtful, self.urgent = True, False
        self.retry_ns = max(now_ns, next_tick_ns)
        if self.misses >= DEAD_AFTER:
            self.retry_ns = now_ns + self.backoff_ns
            self.backoff_ns = min(2 * self.backoff_ns, LONGEST_BACKOFF_NS)

    def hurry(self, now_ns: int) -> None:
        """Ask it again at once, after the healthy ones."""
        self.urgent = True
        self.retry_ns = now_ns

    def silence(self, until_ns: int) -> None:
        """Do not poll it before until_ns, so that its own watchdog releases its outputs."""
        self.doubtful, self.urgent = True, False
        self.retry_ns = until_ns

    def well(self) -> None:
        """A sound answer ends every doubt."""
        self.answered += 1
        if self.doubtful:
            self.doubtful = self.urgent = False
            self.misses = 0
            self.backoff_ns = FIRST_BACKOFF_NS

    def health(self) -> Health:
        """The state for people and alarms."""
        faults = {verdict.name.lower(): self.faults[verdict] for verdict in Verdict if self.faults[verdict]}
        return Health(self.name, self.line, self.unit, self.condition, self.answered, faults)
