"""Modbus RTU seen from the slave: frame check sequence, request parsing, framing of a byte stream.

Job: bytes -> Request and answer -> bytes, written apart from the controller's codec so that each
checks the other. Neighbours: slave.py, wire.py. Must not know: hal.modbus, pymodbus, devices, time
sources. Source: Modbus over serial line specification V1.02 (2.5.1, 6.2.2), Modbus application
protocol V1.1b3 (section 6, limits of each function).
"""

import struct
from typing import NamedTuple

import numpy as np

READ_COILS, READ_DISCRETES, READ_HOLDINGS, READ_INPUTS = 1, 2, 3, 4
WRITE_COIL, WRITE_HOLDING, WRITE_COILS, WRITE_HOLDINGS = 5, 6, 15, 16
WRITE_READ_HOLDINGS = 23  # the write comes first
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE, DEVICE_FAILURE, DEVICE_BUSY = 1, 2, 3, 4, 6
ADU_LONGEST = 256
_READ_LIMIT = {READ_COILS: 2000, READ_DISCRETES: 2000, READ_HOLDINGS: 125, READ_INPUTS: 125}


class Request(NamedTuple):
    """One request with a good check sequence; fault is the exception its form deserves (0 = none).

    write_at: of function 23, where its values go; address and quantity are those of its read.
    """

    unit: int
    function: int
    address: int
    quantity: int
    values: bytes
    fault: int
    write_at: int = 0

    @property
    def is_write(self) -> bool:
        """True for the functions that change something in a device."""
        return self.function in (WRITE_COIL, WRITE_HOLDING, WRITE_COILS, WRITE_HOLDINGS, WRITE_READ_HOLDINGS)


def _remainder_table() -> list[int]:
    """Remainder of every 16-bit state after 16 shifts (reflected polynomial 0xA001)."""
    state = np.arange(65536, dtype=np.uint32)
    for _ in range(16):
        state = np.where(state & 1, (state >> 1) ^ 0xA001, state >> 1)
    return [int(word) for word in state]


_TABLE = _remainder_table()
_WORDS = [struct.Struct(f"<{words}H") for words in range(ADU_LONGEST // 2 + 1)]


def crc16(body: bytes) -> int:
    """Check sequence of body, two bytes per step: the state is as wide as a word."""
    state = 0xFFFF
    table = _TABLE
    for word in _WORDS[len(body) >> 1].unpack_from(body):
        state = table[state ^ word]
    if len(body) & 1:
        state ^= body[-1]
        for _ in range(8):
            state = (state >> 1) ^ 0xA001 if state & 1 else state >> 1
    return state


def seal(unit: int, pdu: bytes) -> bytes:
    """A whole frame: unit, PDU, check sequence with its low byte first."""
    body = bytes((unit,)) + pdu
    return body + crc16(body).to_bytes(2, "little")


def exception_pdu(function: int, code: int) -> bytes:
    """The answer that refuses a request."""
    return bytes((function | 0x80, code))


def parse(frame: bytes) -> Request | None:
    """The request in one frame; None when its length or check sequence is wrong."""
    if not 4 <= len(frame) <= ADU_LONGEST:
        return None
    if crc16(frame[:-2]) != frame[-2] | frame[-1] << 8:
        return None
    unit, function, body = frame[0], frame[1], frame[2:-2]
    if function in _READ_LIMIT:
        return _parse_read(unit, function, body)
    if function in (WRITE_COIL, WRITE_HOLDING):
        return _parse_single(unit, function, body)
    if function in (WRITE_COILS, WRITE_HOLDINGS):
        return _parse_multiple(unit, function, body)
    if function == WRITE_READ_HOLDINGS:
        return _parse_both(unit, function, body)
    return Request(unit, function, 0, 0, b"", ILLEGAL_FUNCTION)


def _parse_read(unit: int, function: int, body: bytes) -> Request:
    if len(body) != 4:
        return Request(unit, function, 0, 0, b"", ILLEGAL_VALUE)
    address, count = struct.unpack(">HH", body)
    fault = 0 if 1 <= count <= _READ_LIMIT[function] else ILLEGAL_VALUE
    return Request(unit, function, address, count, b"", fault)


def _parse_single(unit: int, function: int, body: bytes) -> Request:
    if len(body) != 4:
        return Request(unit, function, 0, 0, b"", ILLEGAL_VALUE)
    address, value = struct.unpack(">HH", body)
    if function == WRITE_HOLDING:
        return Request(unit, function, address, 1, body[2:], 0)
    fault = 0 if value in (0x0000, 0xFF00) else ILLEGAL_VALUE
    return Request(unit, function, address, 1, b"\x01" if value else b"\x00", fault)


def _parse_multiple(unit: int, function: int, body: bytes) -> Request:
    if len(body) < 5:
        return Request(unit, function, 0, 0, b"", ILLEGAL_VALUE)
    address, count, byte_count = struct.unpack(">HHB", body[:5])
    values = body[5:]
    limit, needed = (1968, (count + 7) // 8) if function == WRITE_COILS else (123, 2 * count)
    good = 1 <= count <= limit and byte_count == needed == len(values)
    return Request(unit, function, address, count, values, 0 if good else ILLEGAL_VALUE)


def _parse_both(unit: int, function: int, body: bytes) -> Request:
    """Function 23: up to 125 registers read after up to 121 were written."""
    if len(body) < 9:
        return Request(unit, function, 0, 0, b"", ILLEGAL_VALUE)
    read_at, read_count, write_at, write_count, byte_count = struct.unpack(">HHHHB", body[:9])
    values = body[9:]
    good = 1 <= read_count <= 125 and 1 <= write_count <= 121 and byte_count == 2 * write_count == len(values)
    return Request(unit, function, read_at, read_count, values, 0 if good else ILLEGAL_VALUE, write_at)


class RequestFramer:
    """Cuts the byte stream of a pseudo-terminal or socket into request frames.

    Frames are cut by the length their function tells (a stream keeps no 1.5 character gaps);
    what has an unknown function, or a bad check sequence, is cut by silence only.
    """

    def __init__(self) -> None:
        """Start with nothing received."""
        self._pending = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Frames that data completes."""
        self._pending += data
        frames = []
        while (length := self._expected()) and len(self._pending) >= length:
            if parse(self._pending[:length]) is None:
                break
            frames.append(self._pending[:length])
            self._pending = self._pending[length:]
        return frames

    def silence(self) -> bytes:
        """The line was silent: what is pending is one frame, good or not."""
        frame, self._pending = self._pending, b""
        return frame

    @property
    def pending(self) -> bool:
        """True while part of a frame waits for more bytes or for silence."""
        return bool(self._pending)

    def _expected(self) -> int:
        if len(self._pending) < 2:
            return 0
        function = self._pending[1]
        if 1 <= function <= WRITE_HOLDING:
            return 8
        if function in (WRITE_COILS, WRITE_HOLDINGS) and len(self._pending) >= 7:
            return 9 + self._pending[6]
        if function == WRITE_READ_HOLDINGS and len(self._pending) >= 11:
            return 13 + self._pending[10]
        return 0
