"""Modbus TCP, byte for byte: an answer counts by its number, and no fault of the stream makes a wrong value."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from crowded_line import Span, Trial, crowd
from hal_desk import MS, SECOND, TICK_NS, TURNAROUND_NS, Desk, Module, Replies, Slave, module, sealed, words
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU

from hal.description import DeviceConfig, Hardware, LineConfig
from hal.device import Condition
from hal.device_facts import Identity
from hal.modbus import Request, Verdict, coils_request, judge_body, read_request, tcp_frame
from hal.pod_io import PodIO, build
from hal.tcp_line import ModbusTcpLine
from hal.values import Cause, Command, Quality

QUICK_BAUD = 10_000_000_000  # one nanosecond per byte
LATE_NS = 400 * MS  # later than declared
READ = read_request(1, 4, 0, 3)
WRITE = coils_request(1, 0, [True] + [False] * 7)


def adu(transaction: int, body: bytes, protocol: int = 0) -> bytes:
    return words(transaction, protocol, len(body)) + body


class Server(Slave):
    """The desk's slave behind a header."""

    def answer(self, frame: bytes, now_ns: int) -> bytes:
        assert frame[2:6] == words(0, len(frame) - 6), "the master sent a frame with a bad header"
        reply = super().answer(sealed(frame[6:]), now_ns)
        return frame[:2] + words(0, len(reply) - 2) + reply[:-2] if reply else b""


class TcpDesk(Desk):
    """The desk without a wire: no time per byte, no silence to keep."""

    def __init__(
        self, line: ModbusTcpLine, slave: Slave, spoil: Callable[[bytes, bytes], Replies] | None = None
    ) -> None:
        super().__init__(line, QUICK_BAUD, slave, spoil or (lambda q, r: [(TURNAROUND_NS, r)] if r else []))
        self.silence_ns = 0


@given(st.integers(1, 65535), st.integers(1, 247), st.integers(1, 4), st.integers(0, 60000), st.integers(1, 125))
def test_a_request_is_framed_as_pymodbus_frames_it(number: int, unit: int, fc: int, address: int, count: int) -> None:
    frame = tcp_frame(read_request(unit, fc, address, count), number)

    used, device_id, transaction, pdu = FramerSocket(DecodePDU(is_server=True)).decode(frame)
    assert (used, device_id, transaction) == (len(frame), unit, number)
    assert pdu == bytes((fc,)) + words(address, count)


GOOD = bytes((1, 4, 6)) + words(1, 2, 3)
VERDICTS: list[tuple[Request, bytes, Verdict]] = [
    (READ, GOOD, Verdict.ACCEPTED),
    (READ, GOOD[:-1], Verdict.TRUNCATED),
    (READ, GOOD + b"\0", Verdict.TOO_LONG),
    (READ, b"\2" + GOOD[1:], Verdict.WRONG_UNIT),
    (READ, bytes((1, 3, 6)) + words(1, 2, 3), Verdict.WRONG_FUNCTION),
    (READ, bytes((1, 4, 4)) + words(1, 2), Verdict.WRONG_COUNT),
    (READ, READ.frame[:-2], Verdict.OWN_ECHO),
    (READ, b"\1\x84\2", Verdict.EXCEPTION),
    (READ, b"\1\x84\2\0", Verdict.TOO_LONG),
    (READ, b"\1", Verdict.WRONG_FUNCTION),
    (WRITE, WRITE.frame[:6], Verdict.ACCEPTED),
    (WRITE, WRITE.frame[:5] + b"\7", Verdict.WRONG_ECHO),
    (WRITE, WRITE.frame[:-2], Verdict.OWN_ECHO),
    (WRITE, GOOD, Verdict.WRONG_FUNCTION),
]


@pytest.mark.parametrize(("request_", "body", "verdict"), VERDICTS)
def test_a_body_gets_its_verdict(request_: Request, body: bytes, verdict: Verdict) -> None:
    assert judge_body(request_, body) is verdict


@given(st.sampled_from([READ, WRITE]), st.binary(max_size=254))
def test_any_body_gets_a_verdict_and_only_the_wanted_shape_is_accepted(request_: Request, body: bytes) -> None:
    verdict = judge_body(request_, body)

    wanted = body.startswith(request_.head) and len(body) == request_.reply_len - 2
    assert verdict is not Verdict.PARTIAL
    assert wanted or verdict is not Verdict.ACCEPTED


def spoil_one(kind: str, request: bytes, reply: bytes, random: Random) -> Replies:
    soon, number = TURNAROUND_NS, int.from_bytes(request[:2], "big")
    body = reply[6:]
    wrong = {
        "late": [(LATE_NS, reply)],
        "late_twice": [(LATE_NS, reply), (LATE_NS + MS, reply)],
        "duplicate": [(soon, reply + reply)],
        "duplicate_later": [(soon, reply), (soon + 30 * MS, reply)],
        "number_before": [(soon, adu(number - 1, body))],
        "number_after": [(soon, adu(number + 1, body))],
        "other_then_good": [(soon, adu(number ^ 1, b"\1\x84\4")), (soon + MS, reply)],
        "wrong_unit": [(soon, adu(number, bytes((body[0] % 247 + 1,)) + body[1:]))],
        "wrong_function": [(soon, adu(number, bytes((body[0], 3 if body[1] != 3 else 4)) + body[2:]))],
        "short": [(soon, adu(number, body[:-2]))],
        "long": [(soon, adu(number, body + b"\0\0"))],
        "own_echo": [(soon, request)],
        "wrong_protocol": [(soon, adu(number, body, protocol=1))],
        "length_too_small": [(soon, reply[:5] + bytes((len(body) - 1,)) + body)],
        "length_too_large": [(soon, reply[:5] + bytes((len(body) + 1,)) + body)],
        "length_impossible": [(soon, reply[:4] + b"\xff\xff" + body)],
        "noise_before": [(soon, random.randbytes(random.randint(1, 9)) + reply)],
        "noise_only": [(soon, random.randbytes(40))],
        "truncated": [(soon, reply[: random.randint(1, len(reply) - 1)])],
        "drip": [(soon + k * MS, reply[k : k + 1]) for k in range(len(reply))],
        "silent": [],
        "no_path": [(soon, adu(number, bytes((body[0], body[1] | 0x80, random.choice([10, 11])))))],
        "exception": [(soon, adu(number, bytes((body[0], body[1] | 0x80, random.choice([1, 2, 3, 4, 5, 6])))))],
    }
    return wrong[kind]


# fmt: off
KINDS = [
    "late", "late_twice", "duplicate", "duplicate_later", "number_before", "number_after", "other_then_good",
    "wrong_unit", "wrong_function", "short", "long", "own_echo", "wrong_protocol", "length_too_small",
    "length_too_large", "length_impossible", "noise_before", "noise_only", "truncated", "drip", "silent", "no_path",
    "exception",
]
# fmt: on
SPANS: list[Span] = [
    *((1, "input", first, 4) for first in (8, 20, 30)),
    *((3, "input", first, 4) for first in (20, 30)),
    (3, "input", 50, 7),
]


def crowded_line() -> ModbusTcpLine:
    return crowd(ModbusTcpLine("C", TICK_NS), SPANS)


def trial(kinds: list[str], chance: float, seed: int) -> Trial:
    line, server = crowded_line(), Server(modules={1: Module(watchdog_count=20)})
    return Trial(
        line,
        lambda spoil: TcpDesk(line, server, spoil),
        lambda desk: desk.sent[-1][0],  # a request of a stream carries its start
        *(spoil_one, kinds, chance, seed),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_of_the_stream_makes_a_wrong_value_or_a_wrong_ack(kind: str) -> None:
    one = trial([kind], chance=0.2, seed=1)

    one.run(60.0)

    assert one.count[kind] > 10
    assert one.good > 100
    assert one.acks > 5


def test_a_random_campaign_of_all_faults_gives_no_wrong_value() -> None:
    all_of_them = trial(KINDS, chance=0.15, seed=7)

    all_of_them.run(1500.0)

    assert all_of_them.slave.requests > 5000
    assert all_of_them.count.total() > 700
    assert all_of_them.good > 20000


@pytest.mark.parametrize("missing_len", range(1, 9))
def test_a_cut_answer_that_the_next_frame_fills_up_is_not_believed(missing_len: int) -> None:
    stray = adu(1, coils_request(2, 0, [False] * 8).frame[:6])  # an echo: its zeros pass for a header
    io, desk = one_cell(
        lambda q, r: (
            [(TURNAROUND_NS, r[:-missing_len]), (2 * TURNAROUND_NS, stray)]
            if q[:2] == b"\0\2"
            else [(TURNAROUND_NS, r)]
        )
    )

    values = set()
    for k in range(1, 8):
        desk.run(k * TICK_NS, lambda now_ns: io.apply((), now_ns))
        reading = io.scan(desk.now_ns).readings["WT-101"]
        values.add((reading.value, reading.quality))

    assert values == {(25.0, Quality.GOOD)}
    assert io.health()[0].faults == {"bad_header": 1}


def cells() -> DeviceConfig:
    return DeviceConfig("WM", "load_cell_4ch", "C", 2, 0.0, {"weight_0": "WT-101"})


def one_cell(spoil: Callable[[bytes, bytes], Replies] | None = None) -> tuple[PodIO, TcpDesk]:
    io = build(Hardware((LineConfig("C", "modbus_tcp", "", 0, False, "10.0.0.7", 502),), (cells(),), 0.5))
    (line,) = io.lines
    assert isinstance(line, ModbusTcpLine)
    return io, TcpDesk(line, Server(fixed={2: [0, 25000, 0, 0, 0, 0, 0, 0, 0]}), spoil)


def test_a_late_answer_costs_no_quarantine_and_is_counted() -> None:
    io, desk = one_cell(lambda q, r: [(LATE_NS if int.from_bytes(q[:2], "big") == 2 else TURNAROUND_NS, r)])
    desk.run(3 * SECOND, lambda now_ns: io.apply((), now_ns))

    reading = io.scan(desk.now_ns).readings["WT-101"]
    assert (reading.value, reading.quality) == (25.0, Quality.GOOD)
    assert io.health()[0].faults == {"timeout": 1}
    line = io.lines[0]
    assert isinstance(line, ModbusTcpLine)
    assert line.late_replies == 1


def test_a_gateway_that_finds_nobody_counts_as_no_answer() -> None:
    io, desk = one_cell(lambda q, r: [(TURNAROUND_NS, q[:2] + words(0, 3) + b"\2\x84\x0b")])
    desk.run(8 * SECOND, lambda now_ns: io.apply((), now_ns))

    assert io.health()[0].condition is Condition.DEAD
    assert io.scan(desk.now_ns).readings["WT-101"].cause is Cause.NO_COMMUNICATION


@pytest.mark.parametrize("left", [b"", b"\0\x09\0", words(9, 0, 253) + b"\2\4\xfa"])
def test_half_a_frame_does_not_outlive_its_connection(left: bytes) -> None:
    is_there = [True]
    io, desk = one_cell(lambda q, r: [(TURNAROUND_NS, r)] if is_there[0] else [])
    desk.run(2 * SECOND, lambda now_ns: io.apply((), now_ns))
    is_there[0] = False
    desk.inject(left, desk.now_ns + 100 * MS)  # the last one begins an answer of 253 bytes
    desk.run(2600 * MS, lambda now_ns: io.apply((), now_ns))
    answered, is_there[0] = io.health()[0].answered, True

    io.lines[0].reconnected(desk.now_ns)
    desk.run(4 * SECOND, lambda now_ns: io.apply((), now_ns))

    assert io.health()[0].answered > answered
    assert io.scan(desk.now_ns).readings["WT-101"].value == 25.0


@pytest.mark.parametrize(("shown", "held"), [(20, 1), (21, 0)])
def test_over_tcp_too_a_device_shows_who_it_is_before_it_is_written(shown: int, held: int) -> None:
    # Its answer has no check sequence behind the words.
    meant = replace(module(), line="C", identity=Identity(table="holding", address=0, words=(20,)))
    io = build(Hardware((LineConfig("C", "modbus_tcp", "", 0, False, "10.0.0.7", 502),), (meant,), 0.5))
    (line,) = io.lines
    assert isinstance(line, ModbusTcpLine)
    slave = Server(modules={1: Module(watchdog_count=shown)})

    TcpDesk(line, slave).run(
        3 * SECOND, lambda now_ns: io.apply([Command("FV-101", 1.0, now_ns, now_ns + SECOND)], now_ns)
    )

    assert slave.modules[1].held == held
    assert bool(io.health()[0].notes) is not bool(held)


def test_numbers_go_around_without_zero() -> None:
    line = crowded_line()
    line._transaction = 65534
    desk = TcpDesk(line, Server(modules={1: Module(watchdog_count=20)}))
    desk.run(SECOND // 10)

    assert [int.from_bytes(frame[:2], "big") for _, frame in desk.sent[:3]] == [65535, 1, 2]


def test_a_broken_stream_is_quiet_before_it_is_believed_again() -> None:
    io, desk = one_cell(lambda q, r: [(TURNAROUND_NS, b"\0" + r if int.from_bytes(q[:2], "big") == 1 else r)])
    desk.run(2 * SECOND, lambda now_ns: io.apply((), now_ns))

    (first_ns, _), (second_ns, _) = desk.sent[:2]
    assert second_ns - first_ns > 250 * MS
    assert io.health()[0].faults == {"bad_header": 1}
    assert io.scan(desk.now_ns).readings["WT-101"].value == 25.0
