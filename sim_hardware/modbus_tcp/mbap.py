"""Modbus TCP seen from the server: the header before each request, and the stream cut into frames.

Job: bytes -> Adu and answer -> bytes, written apart from the controller's codec so that each checks the
other. Neighbours: gateway.py (answers), server.py (connections). Must not know: hal.modbus, pymodbus,
devices. Source: Modbus messaging on TCP/IP implementation guide V1.0b, 3.1.3.
"""

import struct
from typing import NamedTuple

HEADER_LEN = 7  # transaction, protocol, length, unit
ADU_LONGEST = 260
FUNCTION_AT = 7
_HEADER = struct.Struct(">HHHB")


class Adu(NamedTuple):
    """One request or answer: number of the transaction, unit, function and data."""

    transaction: int
    unit: int
    pdu: bytes


def wrap(adu: Adu) -> bytes:
    """The bytes of one frame."""
    return _HEADER.pack(adu.transaction, 0, len(adu.pdu) + 1, adu.unit) + adu.pdu


def unwrap(frame: bytes) -> Adu:
    """The inverse of wrap for a whole frame as AduFramer cuts them."""
    transaction, _, _, unit = _HEADER.unpack_from(frame)
    return Adu(transaction, unit, frame[HEADER_LEN:])


class AduFramer:
    """Cuts one connection's stream into frames; broken tells that it cannot be cut any more."""

    def __init__(self) -> None:
        """Start with nothing received."""
        self._pending = b""
        self.broken = False

    def feed(self, data: bytes) -> list[bytes]:
        """Whole frames that data completes. A protocol other than 0 or an impossible length breaks the stream."""
        self._pending += data
        frames = []
        while len(self._pending) >= HEADER_LEN and not self.broken:
            _, protocol, length, _ = _HEADER.unpack_from(self._pending)
            size = HEADER_LEN - 1 + length
            if protocol != 0 or not HEADER_LEN < size <= ADU_LONGEST:
                self.broken = True
            elif len(self._pending) < size:
                break
            else:
                frames.append(self._pending[:size])
                self._pending = self._pending[size:]
        return frames
