"""The slave keeps the conformance list: limits, exceptions, silence; frames of the specification as hex."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.errors import PodError
from sim_hardware.instruments import Device
from sim_hardware.io_module import IoModule8
from sim_hardware.rtu_codec import RequestFramer, crc16, parse, seal
from sim_hardware.slave import LineOfSlaves, Slave


class Everything(Device):
    """A unit with every table as large as Modbus allows."""

    coils_size = discretes_size = holdings_size = inputs_size = 65536

    def __init__(self) -> None:
        self.image = 0
        self.words = bytearray(2 * 65536)

    def coils(self) -> int:
        return self.image

    def discretes(self) -> int:
        return self.image

    def holdings(self) -> bytes:
        return bytes(self.words)

    def inputs(self) -> bytes:
        return bytes(self.words)

    def write_coils(self, address: int, count: int, image: int) -> None:
        mask = ((1 << count) - 1) << address
        self.image = self.image & ~mask | image << address & mask

    def write_holdings(self, address: int, values: bytes) -> None:
        self.words[2 * address : 2 * address + len(values)] = values


def ask(line: LineOfSlaves, unit: int, pdu: bytes) -> bytes:
    """PDU of the answer, its frame checked; empty = silence."""
    replies = line.receive(seal(unit, pdu), 0)
    if not replies:
        return b""
    ((delay_s, frame),) = replies
    assert delay_s > 0.0
    assert frame[0] == unit
    assert crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")
    return frame[1:-2]


def everything() -> LineOfSlaves:
    return LineOfSlaves("A", {"X": Slave(1, Everything())})


def test_check_sequence_of_a_published_frame() -> None:
    assert seal(0x11, bytes.fromhex("03006B0003")) == bytes.fromhex("1103006B00037687")
    assert crc16(b"123456789") == 0x4B37
    assert crc16(b"") == 0xFFFF


@pytest.mark.parametrize("function", [3, 4])
@pytest.mark.parametrize(("count", "good"), [(0, False), (1, True), (125, True), (126, False), (65535, False)])
def test_registers_are_read_1_to_125_at_a_time(function: int, count: int, good: bool) -> None:
    answer = ask(everything(), 1, struct.pack(">BHH", function, 0, count))

    assert answer == (bytes((function, 2 * count)) + bytes(2 * count) if good else bytes((function | 0x80, 3)))


@pytest.mark.parametrize("function", [1, 2])
@pytest.mark.parametrize(("count", "good"), [(0, False), (1, True), (9, True), (2000, True), (2001, False)])
def test_bits_are_read_1_to_2000_at_a_time(function: int, count: int, good: bool) -> None:
    answer = ask(everything(), 1, struct.pack(">BHH", function, 0, count))

    length = (count + 7) // 8
    assert answer == (bytes((function, length)) + bytes(length) if good else bytes((function | 0x80, 3)))


@pytest.mark.parametrize("function", [1, 2, 3, 4])
def test_a_span_past_the_last_address_is_exception_2(function: int) -> None:
    line = everything()

    assert ask(line, 1, struct.pack(">BHH", function, 65535, 1))[0] == function
    assert ask(line, 1, struct.pack(">BHH", function, 65535, 2)) == bytes((function | 0x80, 2))


@pytest.mark.parametrize(("value", "image"), [(0xFF00, 1 << 7), (0x0000, 0)])
def test_fc5_sets_one_coil_and_echoes(value: int, image: int) -> None:
    line = everything()
    pdu = struct.pack(">BHH", 5, 7, value)

    assert ask(line, 1, pdu) == pdu
    assert line.slaves["X"].device.coils() == image


@pytest.mark.parametrize("value", [0x0001, 0x1234, 0x00FF, 0xFFFF, 0x5500])
def test_fc5_with_another_value_is_exception_3(value: int) -> None:
    assert ask(everything(), 1, struct.pack(">BHH", 5, 0, value)) == b"\x85\x03"


def test_fc6_writes_and_echoes() -> None:
    line = everything()

    assert ask(line, 1, bytes.fromhex("06000A1234")) == bytes.fromhex("06000A1234")
    assert ask(line, 1, bytes.fromhex("03000A0001")) == bytes.fromhex("03021234")


@pytest.mark.parametrize(("count", "good"), [(1, True), (1968, True), (1969, False), (0, False)])
def test_fc15_writes_1_to_1968_coils(count: int, good: bool) -> None:
    line = everything()
    payload = b"\xff" * ((count + 7) // 8)

    answer = ask(line, 1, struct.pack(">BHHB", 15, 3, count, len(payload) & 0xFF) + payload)

    assert answer == (struct.pack(">BHH", 15, 3, count) if good else b"\x8f\x03")
    assert line.slaves["X"].device.coils() == (((1 << count) - 1) << 3 if good else 0)


@pytest.mark.parametrize(("count", "good"), [(1, True), (123, True), (124, False), (0, False)])
def test_fc16_writes_1_to_123_registers(count: int, good: bool) -> None:
    payload = b"\x12\x34" * min(count, 123)  # one register more would not fit a frame

    answer = ask(everything(), 1, struct.pack(">BHHB", 16, 3, count, len(payload)) + payload)

    assert answer == (struct.pack(">BHH", 16, 3, count) if good else b"\x90\x03")


@pytest.mark.parametrize(
    "pdu",
    ["0F000000080200FF", "1000000002021234", "100000000104123456", "0F0000000901FF", "0F0000000801", "10000000010212"],
)
def test_a_byte_count_that_does_not_fit_is_exception_3(pdu: str) -> None:
    request = bytes.fromhex(pdu)

    assert ask(everything(), 1, request) == bytes((request[0] | 0x80, 3))


@pytest.mark.parametrize("function", [7, 8, 17, 22, 23, 43, 100])
def test_an_unknown_function_is_exception_1(function: int) -> None:
    assert ask(everything(), 1, bytes((function, 0, 0, 0, 1))) == bytes((function | 0x80, 1))


def test_a_function_whose_table_the_device_lacks_is_exception_1() -> None:
    line = LineOfSlaves("A", {"X": Slave(1, Device())})

    assert ask(line, 1, bytes.fromhex("0400000001")) == b"\x84\x01"


def test_coils_go_low_bit_first() -> None:
    line = everything()

    ask(line, 1, bytes.fromhex("0F0013000A02CD01"))

    assert ask(line, 1, bytes.fromhex("010013000A")) == bytes.fromhex("0102CD01")


@pytest.mark.parametrize("unit", [2, 246, 255])
def test_other_units_get_silence(unit: int) -> None:
    assert ask(everything(), unit, bytes.fromhex("0400000001")) == b""


def test_a_broadcast_write_is_done_in_silence_and_a_broadcast_read_is_not() -> None:
    line = everything()

    assert ask(line, 0, bytes.fromhex("06000A1234")) == b""
    assert ask(line, 0, bytes.fromhex("03000A0001")) == b""
    assert ask(line, 1, bytes.fromhex("03000A0001")) == bytes.fromhex("03021234")


@given(st.binary(max_size=300))
def test_any_bytes_without_a_good_check_sequence_get_silence(noise: bytes) -> None:
    good = 4 <= len(noise) <= 256 and crc16(noise[:-2]) == int.from_bytes(noise[-2:], "little")

    assert good or everything().receive(noise, 0) == []


@given(st.binary(min_size=1, max_size=253))
def test_any_pdu_gets_an_answer_of_legal_length(pdu: bytes) -> None:
    answer = ask(everything(), 1, pdu) if len(pdu) > 1 else b"\x00\x00"

    assert 2 <= len(answer) <= 253


def test_every_bit_of_a_request_is_guarded() -> None:
    frame = seal(1, bytes.fromhex("0400000001"))

    for bit in range(8 * len(frame)):
        hurt = bytearray(frame)
        hurt[bit >> 3] ^= 1 << (bit & 7)
        assert parse(bytes(hurt)) is None


def test_units_of_a_line_must_differ_and_lie_in_1_to_247() -> None:
    with pytest.raises(PodError, match="E383 line A unit 1"):
        LineOfSlaves("A", {"X": Slave(1, Device()), "Y": Slave(1, Device())})
    for unit in (0, 248):
        with pytest.raises(PodError, match="E382"):
            Slave(unit, Device())


def test_watchdog_beyond_600_s_is_exception_3() -> None:
    line = LineOfSlaves("A", {"X": Slave(1, IoModule8(lambda channel, on: None, {}, {}))})

    assert ask(line, 1, struct.pack(">BHH", 6, 0, 6000))[0] == 6
    assert ask(line, 1, struct.pack(">BHH", 6, 0, 6001)) == b"\x86\x03"
    assert ask(line, 1, bytes.fromhex("0300000002")) == struct.pack(">BBHH", 3, 4, 6000, 0)


@given(st.lists(st.integers(1, 40), max_size=12))
def test_frames_are_cut_by_length_however_the_stream_is_sliced(cuts: list[int]) -> None:
    frames = [
        seal(1, bytes.fromhex("040000000B")),
        seal(1, bytes.fromhex("0F0000000801AA")),
        seal(9, bytes.fromhex("0600000014")),
    ]
    stream, framer, seen = b"".join(frames), RequestFramer(), []

    for cut in [*cuts, 100]:
        seen += framer.feed(stream[:cut])
        stream = stream[cut:]

    assert seen == frames
    assert not framer.pending


def test_a_damaged_frame_is_cut_by_silence() -> None:
    framer = RequestFramer()
    good = seal(1, bytes.fromhex("040000000B"))

    assert framer.feed(good[:-1] + b"\x00" + good) == []
    assert parse(framer.silence()) is None
    assert framer.feed(good) == [good]
