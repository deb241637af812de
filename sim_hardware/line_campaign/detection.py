"""Whether the master takes note of every fault, and in time.

Job: a fault is noted when the line counts a failure or bytes that nothing waited for; a brown-out when the module has
its watchdog time again. What by chance fits the check sequence nobody can note. In time: before a reply to that
request could still come as late as declared, plus what the fault itself takes to happen; and before the next request,
unless the fault only comes then. Neighbours: `campaign` calls look after everything that happens. Must not know
verdicts.
"""

from collections import Counter
from typing import NamedTuple

from hal.line import ModbusLine
from hal.outputs import VERIFY_EVERY_NS
from sim_hardware.line_campaign.desk import Desk
from sim_hardware.line_campaign.far_end import WATCHDOG_S, FarEnd, Heard
from sim_hardware.line_campaign.faults import BY_CHANCE, BY_ITSELF, DECLARED_LATE_NS, MS, SLOW, SPOILT

_WIRE_NS = 60 * MS  # longest reply at 9600 baud, t3.5, and its place behind other bytes
_LIMIT_NS = dict.fromkeys((*SPOILT, *SLOW), DECLARED_LATE_NS + _WIRE_NS)
_LIMIT_NS |= dict.fromkeys(BY_ITSELF, 1000 * MS + DECLARED_LATE_NS + _WIRE_NS)
_LIMIT_NS["brown_out"] = VERIFY_EVERY_NS + 30_000 * MS  # other faults, with 2.2 s of silence each, may hold it up
_AT_ONCE = frozenset(SPOILT) - {"duplicate_later"}
_SOUND = ("exception",)  # a refusal is no fault of the line


class _Open(NamedTuple):
    """A fault that nobody has noted yet."""

    kind: str
    limit_ns: int
    noted: int
    lost_ns: int


def _cannot_be_noted(heard: Heard) -> bool:
    return heard.kind in _SOUND or bool(heard.reply[1] & 0x80) or (heard.kind in BY_CHANCE and heard.collides)


class Detection:
    """late: faults noted too late or never. lost_ns: line time that each kind cost."""

    def __init__(self, line: ModbusLine, far_end: FarEnd, desk: Desk) -> None:
        self.late: Counter[str] = Counter()
        self.lost_ns: Counter[str] = Counter()
        self._line, self._far_end, self._desk = line, far_end, desk
        self._watchdog = round(WATCHDOG_S * 10).to_bytes(2, "big")
        self._exchanges = self._noted = self._lost_ns = 0
        self._sent_ns, self._before = 0, (0, 0)  # of the last request; what was noted and lost before it
        self._open: list[_Open] = []
        self._reset_ns = -1  # limit of a brown-out that is not mended yet

    def look(self, now_ns: int) -> None:
        """Something has happened."""
        if self._desk.sent_ns != self._sent_ns:  # it may be given up before its end has reached anybody
            self._sent_ns, self._before = self._desk.sent_ns, (self._noted, self._lost_ns)
        asks = self._far_end.exchanges != self._exchanges
        if self._open:
            self._settle(now_ns, asks)
        if asks:
            self._exchanges = self._far_end.exchanges
            self._begin(now_ns)
        if self._reset_ns >= 0:
            self._mend(now_ns)
        self._noted, self._lost_ns = self._total(), self._line.lost_ns

    def _total(self) -> int:
        return self._line.failed_count + self._line.stray_bytes

    def _begin(self, now_ns: int) -> None:
        heard = next(reversed(self._far_end.heard.values()))
        if heard.kind == "brown_out":
            self._reset_ns = now_ns + _LIMIT_NS["brown_out"] if self._reset_ns < 0 else self._reset_ns
        elif heard.kind in _LIMIT_NS and not _cannot_be_noted(heard):
            self._open.append(_Open(heard.kind, now_ns + _LIMIT_NS[heard.kind], *self._before))

    def _settle(self, now_ns: int, asks: bool) -> None:
        total = self._total()
        still = []
        for fault in self._open:
            if total > fault.noted:
                self.lost_ns[fault.kind] += self._line.lost_ns - fault.lost_ns
            elif now_ns > fault.limit_ns or (asks and fault.kind in _AT_ONCE):
                self.late[fault.kind] += 1
            else:
                still.append(fault)
        self._open = still

    def _mend(self, now_ns: int) -> None:
        if self._far_end.module.holdings()[:2] == self._watchdog:
            self._reset_ns = -1
        elif now_ns > self._reset_ns:
            self.late["brown_out"] += 1
            self._reset_ns = -1
