"""The codec: requests are pymodbus' own, replies are judged by every check the protocol has."""

import struct

import pytest
from hal_desk import crc, sealed, words
from hypothesis import assume, given
from hypothesis import strategies as st
from pymodbus.framer.rtu import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import ReadInputRegistersResponse

from hal.blocks import Block, BlockPlan
from hal.device import Device
from hal.modbus import Request, Verdict, coils_request, crc16, judge, read_request, registers_request
from hal.points import Point
from hal.values import Reading

SERVER = DecodePDU(is_server=True)
CLIENT = FramerRTU(DecodePDU(is_server=False))
UNIT = st.integers(1, 247)
ADDRESS = st.integers(0, 60000)
READ = read_request(1, 4, 0, 3)
WRITE = coils_request(1, 0, [True] + [False] * 7)


def good_reply(unit: int, registers: list[int]) -> bytes:
    return sealed(unit, 4, 2 * len(registers), words(*registers))


@given(st.binary(max_size=260))
def test_our_crc_is_that_of_the_specification_and_of_pymodbus(data: bytes) -> None:
    ours = crc16(data)

    assert ours.to_bytes(2, "little") == crc(data) == FramerRTU.compute_CRC(data).to_bytes(2, "big")
    assert crc16(data + crc(data)) == 0


@given(UNIT, st.integers(1, 4), ADDRESS, st.integers(1, 125))
def test_a_read_request_is_understood_by_pymodbus(unit: int, function: int, address: int, count: int) -> None:
    request = read_request(unit, function, address, count)

    assert request.frame == sealed(unit, function, struct.pack(">HH", address, count))
    pdu = SERVER.decode(request.frame[1:-2])
    assert pdu is not None
    assert (pdu.function_code, pdu.address, pdu.count) == (function, address, count)


@given(UNIT, ADDRESS, st.lists(st.booleans(), min_size=1, max_size=64))
def test_a_write_of_coils_is_understood_by_pymodbus(unit: int, address: int, bits: list[bool]) -> None:
    frame = coils_request(unit, address, bits).frame

    pdu = SERVER.decode(frame[1:-2])
    assert pdu is not None
    assert (pdu.function_code, pdu.address, pdu.bits[: len(bits)]) == (15, address, bits)
    assert frame[0] == unit
    assert frame[-2:] == crc(frame[:-2])


def test_the_first_coil_is_the_lowest_bit() -> None:
    assert coils_request(1, 0, [True] + [False] * 7).frame == sealed(1, 15, 0, 0, 0, 8, 1, 1)


def test_a_register_is_written_by_function_16_whose_echo_differs() -> None:
    assert registers_request(1, 0, [20]).frame == sealed(1, 16, 0, 0, 0, 1, 2, 0, 20)


@given(UNIT, st.lists(st.integers(0, 65535), min_size=1, max_size=125))
def test_our_decoding_of_a_good_reply_equals_that_of_pymodbus(unit: int, registers: list[int]) -> None:
    reply = good_reply(unit, registers)
    count = len(registers)
    points = tuple(Point(f"T{k}", "input", k, "u16", "1", 0.0, 65535.0) for k in range(count))
    readings: dict[str, Reading] = {}
    block = Block(BlockPlan("input", 0, count, 1, points), Device("D", "A", unit, 0, 0), 1, readings)

    used, device_id, _, pdu_bytes = CLIENT.decode(reply)
    theirs = CLIENT.decoder.decode(pdu_bytes)

    assert judge(read_request(unit, 4, 0, count), reply) is Verdict.ACCEPTED
    assert isinstance(theirs, ReadInputRegistersResponse)
    assert (used, device_id) == (len(reply), unit)
    assert list(block.accept(reply, 0)) == theirs.registers
    assert [readings[f"T{k}"].value for k in range(count)] == [float(value) for value in theirs.registers]


@given(st.lists(st.booleans(), min_size=1, max_size=40))
def test_bits_come_out_in_the_order_of_pymodbus(bits: list[bool]) -> None:
    packed = sum(bit << k for k, bit in enumerate(bits)).to_bytes((len(bits) + 7) // 8, "little")
    reply = sealed(1, 2, len(packed), packed)
    readings: dict[str, Reading] = {}
    block = Block(BlockPlan("discrete", 0, len(bits), 1, ()), Device("D", "A", 1, 0, 0), 1, readings)

    theirs = CLIENT.decoder.decode(CLIENT.decode(reply)[3])

    assert judge(read_request(1, 2, 0, len(bits)), reply) is Verdict.ACCEPTED
    assert theirs is not None
    assert [bool(bit) for bit in block.accept(reply, 0)] == theirs.bits[: len(bits)] == bits


GOOD_READ = good_reply(1, [1, 2, 3])
VERDICTS: list[tuple[Request, bytes, Verdict]] = [
    (READ, GOOD_READ, Verdict.ACCEPTED),
    (READ, b"", Verdict.PARTIAL),
    (READ, GOOD_READ[:-1], Verdict.PARTIAL),
    (READ, GOOD_READ + b"\0", Verdict.TOO_LONG),
    (READ, GOOD_READ + GOOD_READ, Verdict.TOO_LONG),
    (READ, b"\0" + GOOD_READ, Verdict.WRONG_UNIT),
    (READ, good_reply(2, [1, 2, 3]), Verdict.WRONG_UNIT),
    (READ, sealed(1, 3, 6, words(1, 2, 3)), Verdict.WRONG_FUNCTION),
    (READ, good_reply(1, [1, 2]), Verdict.WRONG_COUNT),
    (READ, good_reply(1, [1, 2, 3, 4]), Verdict.WRONG_COUNT),
    (READ, GOOD_READ[:-2] + b"\0\0", Verdict.BAD_CRC),
    (READ, READ.frame, Verdict.OWN_ECHO),
    (READ, READ.frame + GOOD_READ, Verdict.OWN_ECHO),
    (READ, sealed(1, 0x84, 2), Verdict.EXCEPTION),
    (READ, sealed(1, 0x84, 6), Verdict.EXCEPTION),
    (READ, sealed(1, 0x84, 6)[:4], Verdict.PARTIAL),
    (READ, sealed(1, 0x84, 6) + b"\0", Verdict.TOO_LONG),
    (READ, sealed(1, 0x84, 6)[:-1] + b"\0", Verdict.BAD_CRC),
    (READ, sealed(1, 0x83, 2), Verdict.WRONG_FUNCTION),
    (WRITE, sealed(WRITE.frame[:6]), Verdict.ACCEPTED),
    (WRITE, WRITE.frame, Verdict.OWN_ECHO),
    (WRITE, sealed(1, 15, 0, 1, 0, 8), Verdict.WRONG_ECHO),
    (WRITE, sealed(1, 15, 0, 0, 0, 7), Verdict.WRONG_ECHO),
    (WRITE, GOOD_READ, Verdict.WRONG_FUNCTION),
    (WRITE, sealed(1, 0x8F, 4), Verdict.EXCEPTION),
]


@pytest.mark.parametrize(("request_", "reply", "verdict"), VERDICTS)
def test_a_reply_gets_its_verdict(request_: Request, reply: bytes, verdict: Verdict) -> None:
    assert judge(request_, reply) is verdict


def test_the_echo_of_a_read_of_bits_that_looks_like_its_reply_is_refused() -> None:
    # Bits 0x0300 + 0..: the third byte of the request is the byte count of the reply, its CRC is good.
    request = read_request(1, 1, 0x0300, 24)

    assert len(request.frame) == request.reply_len
    assert judge(request, request.frame) is Verdict.OWN_ECHO


@given(st.sampled_from([READ, WRITE]), st.binary(max_size=300))
def test_any_bytes_get_a_verdict_and_only_sound_ones_are_accepted(request_: Request, reply: bytes) -> None:
    verdict = judge(request_, reply)

    sound = len(reply) == request_.reply_len and reply[:2] == request_.frame[:2] and reply[-2:] == crc(reply[:-2])
    assert sound or verdict is not Verdict.ACCEPTED


@given(st.integers(0, 10), st.integers(1, 255))
def test_no_changed_byte_of_a_good_reply_is_accepted(at: int, change: int) -> None:
    spoilt = bytearray(GOOD_READ)
    spoilt[at % len(spoilt)] ^= change

    assert judge(READ, bytes(spoilt)) is not Verdict.ACCEPTED


@given(st.binary(min_size=1, max_size=12))
def test_sound_frames_of_another_shape_are_never_accepted(body: bytes) -> None:
    assume(body[:3] != READ.head or len(body) + 2 != READ.reply_len)

    assert judge(READ, body + crc(body)) is not Verdict.ACCEPTED


def test_pymodbus_takes_a_read_reply_for_the_success_of_a_write() -> None:
    """Why replies are judged here and not by pymodbus: its framer finds a good frame and asks no more."""
    _, _, _, pdu_bytes = CLIENT.decode(GOOD_READ)
    pdu = CLIENT.decoder.decode(pdu_bytes)

    assert pdu is not None
    assert not pdu.isError()
    assert judge(WRITE, GOOD_READ) is Verdict.WRONG_FUNCTION
