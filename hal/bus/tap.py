"""What passed on a line, remembered for people: the newest frames, and how long each unit takes to answer.

Job: a Transport that passes everything on and keeps a bounded ring of what was sent and what came, with times, and
counts per unit. Neighbours: `transport` behind, `port_watch` and `runner` before; the core's socket reads `since` and
`timings` from another thread (a slot is written before its number is published, so a reader sees whole entries).
Must not know: protocols beyond where the unit stands, verdicts, who looks on.

Costs the control thread one reading of the clock and one slot per call, nothing else; no disk, no lock.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple

from hal.clock import Clock
from hal.description import LineConfig
from hal.modbus import HEADER_LEN
from hal.transport import Transport
from hal.wire_time import char_ns

KEPT = 4096  # of each line: some 20 s of a busy one
BOUNDS_MS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # of the histogram; what is slower comes last
_BOUNDS_NS = tuple(bound * 1_000_000 for bound in BOUNDS_MS)
_LATE_NS = 100_000_000


class Passed(NamedTuple):
    """Bytes in one direction, in one piece: when, and how many pieces of this line went before."""

    number: int
    at_ns: int
    sent: bool
    data: bytes


class Timing:
    """How one unit answers. counts: per bound of BOUNDS_MS, and one more for what is slower."""

    __slots__ = ("asked", "counts", "late", "late_ns", "worst_ns")

    def __init__(self, late_ns: int) -> None:
        self.asked = self.late = self.worst_ns = 0
        self.late_ns = late_ns
        self.counts = [0] * (len(BOUNDS_MS) + 1)

    def answered(self, latency_ns: int) -> None:
        """The first bytes of an answer have come."""
        self.counts[bisect_left(_BOUNDS_NS, latency_ns)] += 1
        self.late += latency_ns > self.late_ns
        self.worst_ns = max(self.worst_ns, latency_ns)

    def share_ms(self, share_frac: float) -> float | None:
        """Upper bound of the latency of that share of the answers; None before the first, inf beyond the last bound."""
        wanted, seen = share_frac * sum(self.counts), 0
        for bound_ms, count in zip((*BOUNDS_MS, float("inf")), self.counts, strict=True):
            seen += count
            if seen and seen >= wanted:
                return bound_ms
        return None


class LineTap:
    """A Transport with its last pieces and its latencies remembered."""

    def __init__(
        self, line: LineConfig, transport: Transport, clock: Clock, late_ns: Mapping[int, int] | None = None
    ) -> None:
        """late_ns: per unit, the latency from which an answer counts as late."""
        self.line = line
        self.timings: dict[int, Timing] = {}
        self.next_number = 0
        self._transport, self._clock = transport, clock
        self._late_ns = dict(late_ns or {})
        self._char_ns = char_ns(line.pace_baud)
        self._unit_at = HEADER_LEN if line.protocol == "modbus_tcp" else 0
        self._slots: list[tuple[int, int, bool, bytes] | None] = [None] * KEPT
        self._open: tuple[Timing, int] | None = None  # who was asked, and when the question had ended

    def open(self) -> int:
        """As the port."""
        return self._transport.open()

    def close(self) -> None:
        """As the port."""
        self._transport.close()

    def write(self, data: bytes) -> None:
        """Hand all bytes over; a question to a unit begins its time."""
        self._transport.write(data)
        now_ns = self._clock.now_ns()
        self._keep(now_ns, True, data)
        if len(data) > self._unit_at:
            timing = self._timing(data[self._unit_at])
            timing.asked += 1
            self._open = timing, now_ns + len(data) * self._char_ns

    def read(self) -> bytes:
        """What has arrived; the first bytes after a question end its time."""
        data = self._transport.read()
        if data:
            now_ns = self._clock.now_ns()
            self._keep(now_ns, False, data)
            if self._open is not None:
                timing, end_ns = self._open
                self._open = None
                timing.answered(max(0, now_ns - len(data) * self._char_ns - end_ns))
        return data

    def since(self, number: int, most: int) -> tuple[list[Passed], int]:
        """Pieces from number on, oldest first, and how many of them are lost already. From any thread."""
        end = self.next_number
        begin = min(max(number, end - KEPT), end)
        found = [self._slots[k % KEPT] for k in range(begin, min(end, begin + most))]
        kept = [Passed._make(slot) for slot in found if slot is not None and slot[0] >= begin]
        first = kept[0].number if kept else begin
        return kept, max(0, first - number)

    def _keep(self, now_ns: int, sent: bool, data: bytes) -> None:
        number = self.next_number
        self._slots[number % KEPT] = number, now_ns, sent, data  # a Passed is made for whoever looks
        self.next_number = number + 1

    def _timing(self, unit: int) -> Timing:
        timing = self.timings.get(unit)
        if timing is None:
            timing = self.timings[unit] = Timing(self._late_ns.get(unit, _LATE_NS))
        return timing
