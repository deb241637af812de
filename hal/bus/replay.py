"""A recording given to the codec once more: what each answer was worth to the question before it, and what it said.

Job: frames of any number of lines in, as they passed; out come the master's own verdict on every answer and the
Readings that this pod's wiring makes of it. Time is the recording's; nothing waits. Neighbours: `frame_file` reads
recordings, `modbus` judges, `blocks` and `serial_instruments` decode. Must not know: ports, files, how it is shown.

What is not of the wiring (a read of other addresses, a write, an identity) is judged and shows no Reading. Probes that
are asked in text are not decoded. Of the line's rules the codec's and the ages are applied, these once a tick of
recorded time; that an answer comes once, in time and behind silence was the recorded line's to judge.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hal.blocks import Block
from hal.line import NEVER, ModbusLine, PortLine
from hal.modbus import HEADER_LEN, Request, Verdict, crc16, judge, judge_body, read_request
from hal.serial_instruments import SerialLine
from hal.values import Reading

_READS, _ECHOED = (1, 2, 3, 4), (5, 6, 15, 16)
_READ_LEN, _ECHO_LEN = 8, 8
_UNASKED = "unasked"
_LONGEST_HOLE_NS = 86_400_000_000_000  # of a hole in the recording only its last day is gone through


class Replayed(NamedTuple):
    """What one frame came to. verdict: "" for a question and for text, else the master's, or "unasked"."""

    verdict: str
    readings: tuple[Reading, ...]


_NOTHING = Replayed("", ())


class Aged(NamedTuple):
    """A Reading that went BAD because nothing new had come: of which line, and when a pod would have told it."""

    line: str
    at_ns: int
    reading: Reading


class Replay:
    """Recorded frames against the lines of one pod, which are read into and never asked for anything."""

    def __init__(self, lines: Iterable[PortLine], tick_ns: int = NEVER) -> None:
        """Lines as wired; tick_ns: how often a pod looks how old its readings are, by default never."""
        self._tick_ns, self._looked_ns = tick_ns, NEVER
        self._lines = {line.name: line for line in lines}
        self._blocks: dict[tuple[str, bytes], tuple[Block, dict[str, Reading]]] = {}
        for line in self._lines.values():
            if isinstance(line, ModbusLine):
                self._blocks |= {(line.name, block.request.frame): (block, line.readings) for block in line.blocks}
        self._asked: dict[str, tuple[int, Request | None]] = {}  # line -> number (TCP), what is open

    def take(self, line: str, protocol: str, at_ns: int, sent: bool, data: bytes) -> Replayed:
        """One frame as it passed. Never raises, whatever it is."""
        if protocol == "ascii":
            return self._heard(line, at_ns, data)
        is_tcp = protocol == "modbus_tcp"
        number = int.from_bytes(data[:2], "big") if is_tcp else 0
        body = data[HEADER_LEN:] if is_tcp else data
        if sent:
            self._asked[line] = number, request_of(body + crc16(body).to_bytes(2, "little") if is_tcp else body)
            return _NOTHING
        open_number, request = self._asked.pop(line, (-1, None))
        if request is None or open_number != number:
            return Replayed(_UNASKED, ())
        verdict = judge_body(request, body) if is_tcp else judge(request, body)
        known = self._blocks.get((line, request.frame))
        if verdict is not Verdict.ACCEPTED or known is None:
            return Replayed(verdict.name.lower(), ())
        block, readings = known
        block.accept(body, at_ns)
        return Replayed(verdict.name.lower(), tuple(readings[point.tag] for point in block.plan.points))

    def until(self, at_ns: int) -> list[Aged]:
        """What went out of date between the frame before and one that passed at at_ns; to be asked before it is taken.

        A recording whose clock was set back begins anew from there.
        """
        found: list[Aged] = []
        self._looked_ns = at_ns if at_ns < self._looked_ns else max(self._looked_ns, at_ns - _LONGEST_HOLE_NS)
        while at_ns - self._looked_ns >= self._tick_ns:
            self._looked_ns += self._tick_ns
            for line in self._lines.values():
                if isinstance(line, ModbusLine | SerialLine):
                    before = dict(line.readings)
                    line.collect(self._looked_ns)
                    gone = [x for tag, x in line.readings.items() if x is not before[tag]]
                    found += [Aged(line.name, self._looked_ns, x) for x in gone]
        return found

    def _heard(self, name: str, at_ns: int, data: bytes) -> Replayed:
        """Bytes of an instrument that speaks by itself."""
        line = self._lines.get(name)
        if not isinstance(line, SerialLine):
            return _NOTHING
        before = dict(line.readings)
        line.receive(data, at_ns)
        return Replayed("", tuple(x for tag, x in line.readings.items() if x is not before[tag]))


def request_of(frame: bytes) -> Request | None:
    """The request that a recorded question was; None for what our master never asks."""
    if len(frame) < _READ_LEN or crc16(frame) != 0:
        return None
    unit, function, count = frame[0], frame[1], int.from_bytes(frame[4:6], "big")
    if function in _READS and len(frame) == _READ_LEN and 1 <= count <= (2000 if function <= 2 else 125):
        return read_request(unit, function, int.from_bytes(frame[2:4], "big"), count)
    return Request(frame, frame[:6], _ECHO_LEN) if function in _ECHOED else None
