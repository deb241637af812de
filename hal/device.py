"""One device on a line: is it well, who is it, and when may it be spoken to again.

Job: count misses and refusals, hold the state OK, SUSPECT or DEAD, the back-off of a dead device, which replies it
still owes, whether it has shown who it is, and the enforced silence of an output module that must fall to its fail
state. Neighbours: ``line`` reports every outcome here, ``lanes`` asks whom it may poll; ``pod_io`` shows Health.
Must not know: what registers mean, or when the line itself is free.

A device answers in order. So a sound reply of a shape (unit, function, byte count) that nothing owed has proves that
nothing older can come any more; a reply of the same shape would prove nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from hal.modbus import Request, Verdict, crc16, shorter_reads

DEAD_AFTER = 3  # misses in a row, and
DEAD_AFTER_NS = 750_000_000  # so long since the first of them
FIRST_BACKOFF_NS = 1_000_000_000
LONGEST_BACKOFF_NS = 16_000_000_000
STRANGER_RETRY_NS = 10_000_000_000
STRANGER_GONE_NS = 10_000_000_000  # silent for so long it is gone; a dip of its supply is shorter
_JITTER_STEPS, _JITTER_LEAST = 64, 512  # up to an eighth more: what died together is not probed together
_WHO, _OUTPUTS = "who it is", "its outputs"
_COUNT_AT, _WORDS_AT = 2, 3  # of a reply to a read of registers; over TCP no check sequence follows them


class Condition(IntEnum):
    """How a device answers."""

    OK = 0
    SUSPECT = 1
    DEAD = 2


class Health(NamedTuple):
    """What a technician wants to know of one device: counts since start, by verdict; notes are sentences."""

    device: str
    line: str
    unit: int
    condition: Condition
    answered: int
    faults: Mapping[str, int]
    late: int = 0  # replies that came after their request had been given up
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """What must be read from a device before it is believed to be the one that is meant."""

    request: Request
    words: tuple[int, ...]


class Device:
    """Mutable state of one device; times in monotonic nanoseconds.

    While ``doubtful`` the device is asked only after all healthy ones, one transaction at a time,
    and not before retry_ns. ``owed``: the heads of replies to reads that were given up.
    """

    __slots__ = (
        "_first_miss_ns", "_jitter_steps", "_probes", "answered", "backoff_ns", "cost_ns", "dead", "doubtful",
        "faults", "gap_ns", "identity", "late_count", "late_ns", "line", "misses", "name", "notes", "owed", "proved",
        "retry_ns", "stranger", "turnaround_ns", "unit", "unknown", "urgent",
    )  # fmt: skip

    def __init__(
        self, name: str, line: str, unit: int, turnaround_ns: int, late_ns: int, identity: Identity | None = None
    ) -> None:
        self.name, self.line, self.unit = name, line, unit
        self.turnaround_ns, self.late_ns = turnaround_ns, late_ns
        self.gap_ns = 0  # silence it wants before a request, if that is more than t3.5
        self.cost_ns = 0  # how long the line is lost when the longest request of this device fails
        self.misses = self._first_miss_ns = 0
        self.dead = False  # its values count as lost whatever their age
        self.identity = identity
        self.unknown = self.doubtful = identity is not None
        self.stranger = False
        self.proved = identity is None  # it has shown who it is since the port was opened
        self.urgent = False  # asked again whatever room the tick has left
        self.retry_ns = 0
        self.backoff_ns = FIRST_BACKOFF_NS
        self.answered = self.late_count = 0
        self.faults = [0] * len(Verdict)
        self.notes: dict[str, str] = {}  # what it is about -> sentence
        self.owed: list[bytes] = []
        self._probes: tuple[Request, ...] = ()
        self._jitter_steps = crc16(name.encode()) % 251 % _JITTER_STEPS

    @property
    def condition(self) -> Condition:
        """OK, SUSPECT after one miss, DEAD after DEAD_AFTER in a row within no less than DEAD_AFTER_NS."""
        if self.misses == 0:
            return Condition.OK
        return Condition.DEAD if self.dead else Condition.SUSPECT

    def asks_with(self, requests: Sequence[Request]) -> None:
        """The reads from which short probes of many shapes are made; none where replies carry numbers (TCP)."""
        self._probes = shorter_reads(requests)

    def probe(self) -> Request:
        """A short read of a shape that is not owed; when all are, of the one owed longest, which is given up."""
        for request in self._probes:
            if request.head not in self.owed:
                return request
        oldest = next(head for head in self.owed if any(head == request.head for request in self._probes))
        self.owed.remove(oldest)
        return next(request for request in self._probes if request.head == oldest)

    def missed(self, verdict: Verdict, request: Request, now_ns: int, next_tick_ns: int) -> None:
        """No answer, or one that must not be believed: once more in the next tick, then ever more seldom."""
        self.faults[verdict] += 1
        if request.is_read and self._probes and request.head not in self.owed:
            self.owed.append(request.head)
        self.misses += 1
        if self.misses == 1:
            self._first_miss_ns = now_ns
        self.doubtful, self.urgent = True, False
        self.retry_ns = max(now_ns, next_tick_ns)
        if self.misses < DEAD_AFTER or now_ns - self._first_miss_ns < DEAD_AFTER_NS:
            return
        self.dead = True
        self.unknown = self.identity is not None
        if self.stranger and now_ns - self._first_miss_ns >= STRANGER_GONE_NS:
            self.stranger = False  # whoever answers next is asked who it is first
            self.notes.pop(_WHO, None)
        self.retry_ns = now_ns + self.backoff_ns + self.backoff_ns * self._jitter_steps // _JITTER_LEAST
        self.backoff_ns = min(2 * self.backoff_ns, LONGEST_BACKOFF_NS)

    def hurry(self, now_ns: int) -> None:
        """Ask it again at once, after the healthy ones."""
        self.urgent = True
        self.retry_ns = now_ns

    def silence(self, until_ns: int) -> None:
        """Do not poll it before until_ns, so that its own watchdog releases its outputs."""
        self.doubtful, self.urgent = True, False
        self.retry_ns = until_ns

    def well(self, request: Request, accepted: bool, now_ns: int) -> None:
        """A sound answer ends every doubt but who it is. A refusal says nothing of what it refuses."""
        self.answered += 1
        if self.owed:
            if not accepted:
                self.owed.pop(0)
            elif request.is_read and request.head not in self.owed:
                self.owed.clear()
        if self.doubtful:
            self.doubtful, self.urgent, self.dead = self.unknown, False, False
            self.misses = 0
            self.retry_ns = now_ns
            self.backoff_ns = FIRST_BACKOFF_NS

    def doubt_identity(self, now_ns: int) -> None:
        """It may have been exchanged: nothing but who it is may be asked before it has shown that."""
        if self.identity is not None:
            self.unknown = self.doubtful = True
            self.proved = False
            is_awaited = not self.dead and not self.stranger  # an enforced silence goes on
            self.retry_ns = max(self.retry_ns, now_ns) if is_awaited else now_ns

    def shows(self, reply: bytes, now_ns: int) -> None:
        """Its reply to the question who it is; b"" when it refused it."""
        identity = self.identity
        if identity is None:
            return
        data = reply[_WORDS_AT : _WORDS_AT + reply[_COUNT_AT]] if reply else b""
        words = tuple(int.from_bytes(data[k : k + 2], "big") for k in range(0, len(data), 2))
        self.stranger = self.unknown = self.doubtful = words != identity.words
        self.proved = not self.stranger
        self.notes.pop(_WHO, None)
        if self.stranger:
            self.retry_ns = now_ns + STRANGER_RETRY_NS
            shown = " ".join(f"{word:04X}" for word in words) or "nothing"
            wanted = " ".join(f"{word:04X}" for word in identity.words)
            self.note(
                _WHO,
                f"unit {self.unit} shows {shown}, not {wanted}: are two adapters swapped, or is it another module?",
            )

    def disobeyed(self, sent: int, shown: int) -> None:
        """It echoed an image and showed another one; the newest such is told."""
        self.faults[Verdict.DISOBEYED] += 1
        seen = f"0x{shown:02X}" if shown >= 0 else "neither off nor on"
        self.note(
            _OUTPUTS,
            f"unit {self.unit} took image 0x{sent:02X} and showed {seen}: does it obey, and is its supply there?",
        )

    def note(self, about: str, sentence: str) -> None:
        """Something for people, in place of what was told about the same before."""
        self.notes[about] = sentence

    def health(self) -> Health:
        """The state for people and alarms."""
        faults = {verdict.name.lower(): self.faults[verdict] for verdict in Verdict if self.faults[verdict]}
        notes = tuple(self.notes.values())
        return Health(self.name, self.line, self.unit, self.condition, self.answered, faults, self.late_count, notes)
