"""Pieces as they passed on a port, joined to frames again: a port gives an answer in as many pieces as it likes.

Job: pieces of one line in, whole frames with their times and words out. Neighbours: `tap` (pieces), `frames` (words),
the monitor and the frame files. Must not know: where pieces come from, how frames are shown.
"""

from typing import NamedTuple

from hal.bus import frames
from hal.bus.frames import Frame, tell
from hal.device_facts import ContinuousFormat
from hal.modbus import HEADER_LEN, crc16
from hal.serial_instruments import WeightDecoder

_ASCII_END = 0x0D


class Told(NamedTuple):
    """One frame: when its first byte was there, in which direction, its bytes as they passed, and in words.

    sent: from the master. frame.data of a TCP line is unit and PDU with a check sequence, as on a serial line.
    """

    at_ns: int
    sent: bool
    data: bytes
    frame: Frame


class Joiner:
    """Frames of one line. What is left over when the direction changes is told as it is."""

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._pending, self._at_ns = b"", 0

    def feed(self, at_ns: int, sent: bool, data: bytes) -> list[Told]:
        """Frames that this piece completes."""
        if sent:
            return [*self.flush(), self._one(at_ns, True, data)]  # a master writes whole frames
        if not self._pending:
            self._at_ns = at_ns
        self._pending += data
        found = []
        while length := self._length():
            found.append(self._one(self._at_ns, False, self._pending[:length]))
            self._pending, self._at_ns = self._pending[length:], at_ns
        return found

    def flush(self) -> list[Told]:
        """What is pending will not be completed any more."""
        rest, self._pending = self._pending, b""
        return [self._one(self._at_ns, False, rest)] if rest else []

    def _length(self) -> int:
        """Length of the whole frame at the beginning; 0 = not there yet."""
        data = self._pending
        if self._protocol == "ascii":
            return data.find(_ASCII_END) + 1
        if self._protocol == "modbus_tcp":
            size = HEADER_LEN + int.from_bytes(data[4:HEADER_LEN], "big")
            return size if HEADER_LEN < size <= len(data) else 0
        length = frames.answer_len(data)
        return length if 0 < length <= len(data) and crc16(data[:length]) == 0 else 0

    def _one(self, at_ns: int, sent: bool, data: bytes) -> Told:
        if self._protocol == "ascii":
            return Told(at_ns, sent, data, Frame(data, frames.ANSWER, None, _weight(data)))
        if self._protocol != "modbus_tcp":
            return Told(at_ns, sent, data, tell(data, sent))
        body = data[HEADER_LEN:]
        return Told(at_ns, sent, data, tell(body + crc16(body).to_bytes(2, "little"), sent))


def _weight(data: bytes) -> str:
    """An indicator's frame in words. Its checksum byte, where it has one, comes in front of the next frame."""
    weight = WeightDecoder(ContinuousFormat(checksum=False)).feed(data[data.find(0x02) :])
    return f"weight {weight.gross_kg:g} kg, {weight.quality.name}" if weight is not None else f"{data!r}"
