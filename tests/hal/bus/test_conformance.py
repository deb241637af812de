"""The conformance list of Modbus, one table per role: what our slave answers, what our master sends and takes.

Sources: Modbus application protocol V1.1b3 (section 6, 7), Modbus over serial line V1.02 (2.2 to 2.5), Modbus messaging
on TCP/IP V1.0b (3.1, 4.4). Silence is "". X of a slave row stands for as many zero bytes as needed.
"""

from typing import NamedTuple

import pytest
from pymodbus.pdu.register_message import ReadWriteMultipleRegistersRequest, ReadWriteMultipleRegistersResponse

from hal import device
from hal.blocks import Block, BlockPlan
from hal.errors import PodError
from hal.line import Send
from hal.modbus import Request, Verdict, coils_request, judge, judge_body, read_request, registers_request, tcp_frame
from hal.points import Point
from hal.tcp_line import ModbusTcpLine
from hal.wire_time import silence_ns
from sim_hardware.instruments import Device
from sim_hardware.modbus_tcp.gateway import Gateway
from sim_hardware.modbus_tcp.mbap import Adu, AduFramer, unwrap, wrap
from sim_hardware.rtu_codec import RequestFramer, seal
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.troubles.wire_faults import make

SECOND = 1_000_000_000


class Everything(Device):
    """A unit with every table as large as Modbus allows, all of it zero."""

    coils_size = discretes_size = holdings_size = inputs_size = 65536
    writes_and_reads = True

    def coils(self) -> int:
        return 0

    def discretes(self) -> int:
        return 0

    def holdings(self) -> bytes:
        return bytes(2 * 65536)

    def inputs(self) -> bytes:
        return bytes(2 * 65536)

    def write_coils(self, address: int, count: int, image: int) -> None:
        """Taken and forgotten."""

    def write_holdings(self, address: int, values: bytes) -> None:
        """Taken and forgotten."""


class Row(NamedTuple):
    """One claim about the slave: a PDU in hex to a unit, and the PDU that is answered."""

    claim: str
    pdu: str
    answer: str
    unit: int = 1


def _zeros(count: int) -> str:
    return "00" * count


SLAVE = [
    Row("reads 1 register", "0300000001", "0302" + _zeros(2)),
    Row("reads 125 registers", "030000007D", "03FA" + _zeros(250)),
    Row("reads 125 input registers", "040000007D", "04FA" + _zeros(250)),
    Row("refuses 0 registers", "0300000000", "8303"),
    Row("refuses 126 registers", "030000007E", "8303"),
    Row("reads 2000 coils", "01000007D0", "01FA" + _zeros(250)),
    Row("reads 2000 discrete inputs", "02000007D0", "02FA" + _zeros(250)),
    Row("refuses 0 bits", "0100000000", "8103"),
    Row("refuses 2001 bits", "01000007D1", "8103"),
    Row("reads the last register", "03FFFF0001", "0302" + _zeros(2)),
    Row("refuses a span past 65536", "03FFFF0002", "8302"),
    Row("refuses a write past 65536", "10FFFF00020400000000", "9002"),
    Row("writes 123 registers", "100000007BF6" + _zeros(246), "100000007B"),
    Row("writes 1968 coils", "0F000007B0F6" + _zeros(246), "0F000007B0"),
    Row("refuses 1969 coils", "0F000007B1F7" + _zeros(247), "8F03"),
    Row("refuses a write of nothing", "100000000000", "9003"),
    Row("refuses a byte count that does not fit", "1000000002021234", "9003"),
    Row("takes a coil on as FF00", "050007FF00", "050007FF00"),
    Row("takes a coil off as 0000", "0500070000", "0500070000"),
    Row("refuses any other coil value", "0500071234", "8503"),
    Row("refuses the toggle of some boards", "0500075500", "8503"),
    Row("writes one register with its echo", "0600071234", "0600071234"),
    Row("writes 121 registers and reads 125", "170000007D00000079F2" + _zeros(242), "17FA" + _zeros(250)),
    Row("refuses to read 126 with fc 23", "170000007E00000001020000", "9703"),
    Row("is silent to 122 written with fc 23, which no frame holds", "17000000010000007AF4" + _zeros(244), ""),
    Row("refuses fc 23 without a write", "1700000001000000000000", "9703"),
    Row("refuses fc 23 whose bytes do not fit", "1700000001000000010200", "9703"),
    Row("refuses a write of fc 23 past 65536", "1700000001FFFF00020400000000", "9702"),
    Row("refuses a read of fc 23 past 65536", "17FFFF0002000000010200" + "00", "9702"),
    Row("refuses an unknown function", "6400000001", "E401"),
    Row("refuses fc 43", "2B0E0100", "AB01"),
    Row("is silent to another unit", "0300000001", "", 2),
    Row("is silent to a broadcast write", "0600071234", "", 0),
    Row("is silent to a broadcast read", "0300000001", "", 0),
]


def line() -> LineOfSlaves:
    return LineOfSlaves("A", {"X": Slave(1, Everything())})


@pytest.mark.parametrize("row", SLAVE, ids=lambda row: row.claim)
def test_the_slave(row: Row) -> None:
    replies = line().receive(seal(row.unit, bytes.fromhex(row.pdu)), 0)

    assert [frame for _, frame in replies] == ([seal(1, bytes.fromhex(row.answer))] if row.answer else [])
    assert all(len(frame) <= 256 for _, frame in replies)


class Memory(Device):
    """Eight holding registers that keep what is written."""

    holdings_size = 8
    writes_and_reads = True

    def __init__(self) -> None:
        self.words = bytearray(16)

    def holdings(self) -> bytes:
        return bytes(self.words)

    def write_holdings(self, address: int, values: bytes) -> None:
        self.words[2 * address : 2 * address + len(values)] = values


def test_fc_23_writes_before_it_reads_as_pymodbus_asks_it() -> None:
    asked = ReadWriteMultipleRegistersRequest(
        read_address=2, read_count=3, write_address=3, write_registers=[0x1234, 0x5678], dev_id=1
    )
    pdu = bytes((asked.function_code,)) + asked.encode()
    framer = RequestFramer()

    (frame,) = framer.feed(seal(1, pdu)[:9]) + framer.feed(seal(1, pdu)[9:])
    ((_, answer),) = LineOfSlaves("A", {"X": Slave(1, Memory())}).receive(frame, 0)

    told = ReadWriteMultipleRegistersResponse()
    told.decode(answer[2:-2])
    assert told.registers == [0, 0x1234, 0x5678]


def test_fc_23_is_unknown_to_a_device_that_does_not_have_it() -> None:
    class Plain(Memory):
        writes_and_reads = False

    frame = seal(1, bytes.fromhex("170000000100000001021234"))
    ((_, answer),) = LineOfSlaves("A", {"X": Slave(1, Plain())}).receive(frame, 0)

    assert answer == seal(1, b"\x97\x01")


def test_the_master_takes_no_answer_of_fc_23_which_it_never_asks() -> None:
    assert judge(READ, seal(1, b"\x17\x02\x12\x34")) is Verdict.WRONG_FUNCTION


@pytest.mark.parametrize(("trouble", "code"), [("device_busy", 6), ("device_failure", 4)])
def test_the_slave_that_cannot_says_which(trouble: str, code: int) -> None:
    troubled = line()
    troubled.inject(make(trouble), "X")

    ((_, frame),) = troubled.receive(seal(1, bytes.fromhex("0300000001")), 0)

    assert frame == seal(1, bytes((0x83, code)))


@pytest.mark.parametrize("hurt", [0, 1, 4, 7])
def test_the_slave_is_silent_to_a_bad_check_sequence(hurt: int) -> None:
    frame = bytearray(seal(1, bytes.fromhex("0300000001")))
    frame[hurt] ^= 0x40

    assert line().receive(bytes(frame), 0) == []


@pytest.mark.parametrize("unit", [0, 248, 255])
def test_the_slave_has_an_address_of_1_to_247(unit: int) -> None:
    with pytest.raises(PodError, match="E382"):
        Slave(unit, Everything())


TCP = [
    ("echoes the transaction number", "1234 0000 0006 01 0300000001", "1234 0000 0005 01 03020000"),
    ("answers as unit 0", "0001 0000 0006 00 0300000001", "0001 0000 0005 00 03020000"),
    ("answers as unit 255", "0001 0000 0006 FF 0300000001", "0001 0000 0005 FF 03020000"),
    ("says that a unit behind it is not there", "0001 0000 0006 09 0300000001", "0001 0000 0003 09 830B"),
]


@pytest.mark.parametrize(("asked", "answer"), [row[1:] for row in TCP], ids=[row[0] for row in TCP])
def test_the_server(asked: str, answer: str) -> None:
    ((_, adu),) = Gateway(line()).receive(bytes.fromhex(asked), 0)

    assert adu == bytes.fromhex(answer)
    assert unwrap(adu).transaction == int(asked[:4], 16)


READ = read_request(1, 3, 0, 1)


def test_the_server_answers_what_came_in_one_piece_in_order() -> None:
    behind = LineOfSlaves("A", {"X": Slave(1, Everything(), 0.1), "Y": Slave(2, Everything(), 0.001)})
    numbers = [7, 65535, 0, 7, 300]  # a number may come again
    stream = b"".join(wrap(Adu(number, 1 + k % 2, b"\x03\x00\x00\x00\x01")) for k, number in enumerate(numbers))
    gateway, adus = Gateway(behind), AduFramer()

    answers = []
    for k in range(len(stream)):
        for adu in adus.feed(stream[k : k + 1]):
            answers += gateway.receive(adu, 0)

    assert [unwrap(adu).transaction for _, adu in answers] == numbers


def test_the_master_takes_only_the_answer_of_its_number_in_whatever_order_they_come() -> None:
    line = ModbusTcpLine("C", SECOND)
    asking = device.Device("D", "C", 1, 5_000_000, 250_000_000)
    points = (Point("T", "holding", 0, "u16", "1", 0.0, 65535.0),)
    line.add(asking, [Block(BlockPlan("holding", 0, 1, SECOND, points), asking, SECOND, line.readings)], None)
    asked = line.next_action(0)
    assert isinstance(asked, Send)
    own = unwrap(asked.data).transaction
    others = [wrap(Adu(own + k, 1, bytes((3, 2, 0, k)))) for k in (2, 1, 3)]

    line.receive(b"".join([others[0], others[1], wrap(Adu(own, 1, b"\x03\x02\x12\x34")), others[2]]), 1)
    line.next_action(2)

    assert line.readings["T"].value == 0x1234
    assert line.late_replies == 3


SENT: list[tuple[str, Request, str]] = [
    ("a read as the specification shows it", read_request(0x11, 3, 0x6B, 3), "03006B0003"),
    ("up to 125 registers", read_request(1, 4, 0, 125), "040000007D"),
    ("up to 2000 bits", read_request(1, 1, 0, 2000), "01000007D0"),
    ("the first coil in the lowest bit", coils_request(1, 0, [True] + [False] * 7), "0F000000080101"),
    ("the high byte of a register first", registers_request(1, 0, [0x1234]), "1000000001021234"),
]


@pytest.mark.parametrize(("request_", "frame"), [row[1:] for row in SENT], ids=[row[0] for row in SENT])
def test_the_master_sends(request_: Request, frame: str) -> None:
    assert request_.frame == seal(request_.frame[0], bytes.fromhex(frame))


def test_the_master_sends_the_low_byte_of_the_check_sequence_first() -> None:
    assert read_request(0x11, 3, 0x6B, 3).frame == bytes.fromhex("1103006B00037687")


def test_the_longest_frames_of_the_master_fit() -> None:
    registers, coils = registers_request(1, 0, [0] * 123), coils_request(1, 0, [False] * 1968)

    assert max(len(registers.frame), len(coils.frame)) <= 256
    assert max(len(tcp_frame(registers, 1)), len(tcp_frame(coils, 1))) <= 260
    for request in (registers, coils):
        ((_, echo),) = line().receive(request.frame, 0)
        assert judge(request, echo) is Verdict.ACCEPTED


TAKEN: list[tuple[str, bytes, Verdict]] = [
    ("the answer", seal(1, b"\x03\x02\x12\x34"), Verdict.ACCEPTED),
    ("a refusal", seal(1, b"\x83\x02"), Verdict.EXCEPTION),
    ("not another unit's", seal(2, b"\x03\x02\x12\x34"), Verdict.WRONG_UNIT),
    ("not another function's", seal(1, b"\x04\x02\x12\x34"), Verdict.WRONG_FUNCTION),
    ("not another function's refusal", seal(1, b"\x84\x02"), Verdict.WRONG_FUNCTION),
    ("not another count", seal(1, b"\x03\x04\x12\x34\x56\x78"), Verdict.WRONG_COUNT),
    ("not a bad check sequence", seal(1, b"\x03\x02\x12\x34")[:-1] + b"\0", Verdict.BAD_CRC),
    ("not its own echo", READ.frame, Verdict.OWN_ECHO),
    ("not two answers", seal(1, b"\x03\x02\x12\x34") * 2, Verdict.TOO_LONG),
    ("no part of an answer", seal(1, b"\x03\x02\x12\x34")[:-1], Verdict.PARTIAL),
]


@pytest.mark.parametrize(("reply", "verdict"), [row[1:] for row in TAKEN], ids=[row[0] for row in TAKEN])
def test_the_master_takes(reply: bytes, verdict: Verdict) -> None:
    assert judge(READ, reply) is verdict


@pytest.mark.parametrize(("reply", "verdict"), [row[1:] for row in TAKEN if row[2] is not Verdict.BAD_CRC])
def test_the_master_takes_the_same_over_tcp(reply: bytes, verdict: Verdict) -> None:
    of_tcp = {Verdict.PARTIAL: Verdict.TRUNCATED}.get(verdict, verdict)

    assert judge_body(READ, reply[:-2]) is of_tcp


@pytest.mark.parametrize(
    ("baud", "least_ns"), [(9600, 3_500_000), (19200, 1_900_000), (38400, 1_750_000), (115200, 1_750_000)]
)
def test_the_master_keeps_three_and_a_half_characters_of_silence(baud: int, least_ns: int) -> None:
    assert silence_ns(baud) >= least_ns
