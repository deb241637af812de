"""The Modbus codec: requests built by pymodbus, replies judged strictly by ourselves.

Job: ``read_request``, ``coils_request`` and ``registers_request`` build a Request once (pymodbus is
the codec); ``judge`` says what a string of received bytes is to that Request. It never raises.
For TCP the same Request goes out without its CRC behind a header (``tcp_frame``), and
``judge_body`` judges what stood behind the header of a reply.
Neighbours: ``blocks`` and ``outputs`` keep the Requests, ``line`` and ``tcp_line`` ask for verdicts.
Must not know: time, ports, points, or what the registers mean.

Why not pymodbus' own reply handling: it takes a wrong function, count or echo for success
(its decoder checks what a server may send, not what this request must get back).
"""

import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadDiscreteInputsRequest,
    WriteMultipleCoilsRequest,
)
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadInputRegistersRequest,
    WriteMultipleRegistersRequest,
)

from hal import device_facts

CRC_TABLE: tuple[int, ...] = tuple(FramerRTU.crc16_table)
READ_FUNCTION = device_facts.READ_FUNCTION
EXCEPTION_LEN = 5
_READ_HEAD_LEN = 3  # unit, function, byte count
EXCEPTION_BIT = 0x80
DEVICE_BUSY = frozenset({5, 6})
NO_PATH = frozenset({10, 11})  # a gateway: the device behind it did not answer
HEADER_LEN = 6  # MBAP up to its length field: transaction, protocol, length; the unit is counted as body
_CRC_LEN = 2
_LAST_BIT_FUNCTION = 2
_SHAPES_MOST = 8  # of probes per read
_READS: dict[int, type[ModbusPDU]] = {
    1: ReadCoilsRequest,
    2: ReadDiscreteInputsRequest,
    3: ReadHoldingRegistersRequest,
    4: ReadInputRegistersRequest,
}
_framer = FramerRTU(DecodePDU(is_server=False))


class Verdict(IntEnum):
    """What the bytes received so far are to the request in flight."""

    ACCEPTED = 0
    EXCEPTION = 1  # a sound refusal; its code is the third byte
    PARTIAL = 2  # nothing wrong yet, not complete
    WRONG_UNIT = 3
    WRONG_FUNCTION = 4
    WRONG_COUNT = 5  # byte count of a read
    WRONG_ECHO = 6  # address or count of a write
    OWN_ECHO = 7
    TOO_LONG = 8
    BAD_CRC = 9
    EARLY = 10  # began before the request had ended
    TIMEOUT = 11  # nothing came
    TRUNCATED = 12  # something came, not all of it
    BAD_HEADER = 13  # TCP: no protocol 0, or a length that no answer has
    DISOBEYED = 14  # an output module echoed an image and then showed another one


class Request(NamedTuple):
    """A frame to send, and the only reply that may be taken for its answer."""

    frame: bytes
    head: bytes  # what the reply must begin with
    reply_len: int

    @property
    def is_read(self) -> bool:
        """Whether its reply carries data, and its head their shape."""
        return len(self.head) == _READ_HEAD_LEN


def crc16(data: bytes) -> int:
    """CRC of the RTU frame; over a frame with its own CRC the result is 0."""
    table = CRC_TABLE
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc


def judge(request: Request, reply: bytes) -> Verdict:
    """The verdict on everything received since the request ended. Never raises."""
    if len(reply) == request.reply_len and reply.startswith(request.head) and reply != request.frame:
        return Verdict.ACCEPTED if crc16(reply) == 0 else Verdict.BAD_CRC
    return _explain(request, reply)


def tcp_frame(request: Request, transaction: int) -> bytes:
    """The request as Modbus TCP sends it: header with the transaction's number, unit, PDU, no CRC."""
    body = request.frame[:-_CRC_LEN]
    return struct.pack(">HHH", transaction, 0, len(body)) + body


def judge_body(request: Request, body: bytes) -> Verdict:
    """The verdict on unit and PDU of a reply whose header named this request. Never raises, never PARTIAL.

    The head of a Request is the head of its TCP reply too; the length and the order of bytes are TCP's to keep.
    """
    if body == request.frame[:-_CRC_LEN]:
        return Verdict.OWN_ECHO
    wanted_len, verdict = request.reply_len - _CRC_LEN, Verdict.ACCEPTED
    if body[:1] != request.head[:1]:
        return Verdict.WRONG_UNIT
    if len(body) > 1 and body[1] == request.head[1] | EXCEPTION_BIT:
        wanted_len, verdict = EXCEPTION_LEN - _CRC_LEN, Verdict.EXCEPTION
    elif body[1:2] != request.head[1:2]:
        return Verdict.WRONG_FUNCTION
    elif not body.startswith(request.head):
        return Verdict.WRONG_COUNT if len(request.head) == _READ_HEAD_LEN else Verdict.WRONG_ECHO
    if len(body) != wanted_len:
        return Verdict.TRUNCATED if len(body) < wanted_len else Verdict.TOO_LONG
    return verdict


def _explain(request: Request, reply: bytes) -> Verdict:
    """Everything that is not the wanted reply, by the first check it fails."""
    size, head = len(reply), request.head
    if reply.startswith(request.frame):
        return Verdict.OWN_ECHO
    if not head.startswith(reply[:1]):
        return Verdict.WRONG_UNIT
    if size > 1 and reply[1] == head[1] | EXCEPTION_BIT:
        return _complete(reply, EXCEPTION_LEN, Verdict.EXCEPTION)
    if not head.startswith(reply[:2]):
        return Verdict.WRONG_FUNCTION
    if not head.startswith(reply[: len(head)]):
        return Verdict.WRONG_COUNT if len(head) == _READ_HEAD_LEN else Verdict.WRONG_ECHO
    return _complete(reply, request.reply_len, Verdict.ACCEPTED)


def _complete(reply: bytes, wanted_len: int, verdict: Verdict) -> Verdict:
    """The verdict, if the reply has its length and a good CRC."""
    if len(reply) != wanted_len:
        return Verdict.PARTIAL if len(reply) < wanted_len else Verdict.TOO_LONG
    return verdict if crc16(reply) == 0 else Verdict.BAD_CRC


def read_request(unit: int, function: int, address: int, count: int) -> Request:
    """Read ``count`` bits (functions 1, 2) or registers (3, 4) from ``address``."""
    pdu = _READS[function](address=address, count=count, dev_id=unit)
    size = (count + 7) // 8 if function <= _LAST_BIT_FUNCTION else 2 * count
    return Request(_frame(pdu, unit), bytes((unit, function, size)), 5 + size)


def shorter_reads(requests: Iterable[Request]) -> tuple[Request, ...]:
    """The first registers (or bytes of bits) of these reads, some shapes of reply each, shortest first."""
    found: dict[bytes, Request] = {}
    for request in requests:
        unit, function = request.frame[0], request.frame[1]
        address, count = int.from_bytes(request.frame[2:4], "big"), int.from_bytes(request.frame[4:6], "big")
        step = 8 if function <= _LAST_BIT_FUNCTION else 1
        for some in range(min(step, count), min(count, _SHAPES_MOST * step) + 1, step):
            shorter = read_request(unit, function, address, some)
            found.setdefault(shorter.head, shorter)
    return tuple(sorted(found.values(), key=lambda each: each.reply_len))


def coils_request(unit: int, address: int, bits: Sequence[bool]) -> Request:
    """Write all bits in one go (function 15); an absolute image, so it may be repeated."""
    pdu = WriteMultipleCoilsRequest(address=address, bits=list(bits), dev_id=unit)
    frame = _frame(pdu, unit)
    return Request(frame, frame[:6], 8)


def registers_request(unit: int, address: int, words: Sequence[int]) -> Request:
    """Write registers (function 16).

    Never function 6: its echo equals the request, so an adapter that repeats our own bytes would
    look like a device that obeyed.
    """
    pdu = WriteMultipleRegistersRequest(address=address, registers=list(words), dev_id=unit)
    frame = _frame(pdu, unit)
    return Request(frame, frame[:6], 8)


def _frame(pdu: ModbusPDU, unit: int) -> bytes:
    """The RTU frame of a request: unit, function, data, CRC."""
    return _framer.encode(bytes((pdu.function_code,)) + pdu.encode(), unit, 0)
