"""What passed is remembered whole, in order and bounded; latencies are counted in their place; files give all back."""

import io
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tshark_rows import by_tshark

from hal.bus.frame_file import FrameFile, frames_in
from hal.bus.frames import GARBAGE, tell
from hal.bus.joining import Joiner, Told
from hal.bus.tap import BOUNDS_MS, KEPT, LineTap
from hal.description import LineConfig
from hal.errors import PodError
from hal.modbus import read_request, tcp_frame
from sim_hardware.rtu_codec import seal

MS = 1_000_000
RTU = LineConfig("A", "modbus_rtu", "/dev/desk", 9600)
TCP = LineConfig("C", "modbus_tcp", "", 0, False, "10.0.0.7", 502)
ASCII = LineConfig("W", "ascii", "/dev/weigh", 9600)
QUESTION, ANSWER = seal(3, bytes.fromhex("0400000002")), seal(3, bytes.fromhex("0404000A00FF"))
CHAR_NS = 10_000_000_000 // 9600


class Far:
    """The port behind, and the clock."""

    def __init__(self) -> None:
        self.coming = b""
        self.time_ns = 0

    def open(self) -> int:
        return 7

    def read(self) -> bytes:
        data, self.coming = self.coming, b""
        return data

    def write(self, data: bytes) -> None:
        self.last = data

    def close(self) -> None:
        self.coming = b""

    def now_ns(self) -> int:
        return self.time_ns

    def sleep_until_ns(self, when_ns: int) -> None:
        self.time_ns = when_ns

    def utc_label(self) -> str:
        return "2026-03-01T12:00:00.000+00:00"


def asked(latencies_ms: list[int]) -> LineTap:
    """A tap after as many questions, each answered so late."""
    far = Far()
    tap = LineTap(RTU, far, far, {3: 50 * MS})
    for latency_ms in latencies_ms:
        far.time_ns += 1000 * MS
        tap.write(QUESTION)
        far.time_ns += (len(QUESTION) + len(ANSWER)) * CHAR_NS + latency_ms * MS
        far.coming = ANSWER
        assert tap.read() == ANSWER
        assert tap.read() == b""
    return tap


@given(st.lists(st.integers(0, 3000), max_size=30))
def test_each_latency_is_counted_once_and_in_its_place(latencies_ms: list[int]) -> None:
    tap = asked(latencies_ms)

    timing = tap.timings.get(3)
    if timing is None:
        assert not latencies_ms
        return
    assert timing.asked == sum(timing.counts) == len(latencies_ms)
    assert timing.late == sum(latency_ms > 50 for latency_ms in latencies_ms)
    assert timing.worst_ns == max(latencies_ms) * MS
    assert timing.counts[0] == sum(latency_ms <= 1 for latency_ms in latencies_ms)
    assert timing.counts[-1] == sum(latency_ms > BOUNDS_MS[-1] for latency_ms in latencies_ms)


def test_the_ring_is_bounded_and_says_what_is_lost() -> None:
    tap = asked([1] * (KEPT // 2 + 50))

    kept, lost = tap.since(0, 10)
    newest, none_lost = tap.since(tap.next_number - 3, 10)

    assert (lost, kept[0].number, len(kept)) == (100, 100, 10)
    assert ([piece.number for piece in newest], none_lost) == ([tap.next_number - k for k in (3, 2, 1)], 0)
    assert tap.since(tap.next_number + 99, 10) == ([], 0)
    assert [piece.data for piece in newest] == [ANSWER, QUESTION, ANSWER]


@given(st.lists(st.integers(1, 9), max_size=5))
def test_an_answer_in_pieces_is_one_frame_and_rubbish_is_told_as_such(sizes: list[int]) -> None:
    joiner, rest, told = Joiner("modbus_rtu"), ANSWER, joiner_feed_question()
    for at, size in enumerate(sizes):
        told += joiner.feed(10 + at, False, rest[:size]) if rest else []
        rest = rest[size:]
    told += joiner.feed(99, False, rest) if rest else []

    assert [each.data for each in told[1:]] == [ANSWER]
    assert told[1].frame.text == "read input: 0x000a 0x00ff"
    assert [each.frame.kind for each in [*joiner.feed(100, False, b"\xff\xff"), *joiner.flush()]] == [GARBAGE]


def joiner_feed_question() -> list[Told]:
    return list(Joiner("modbus_rtu").feed(1, True, QUESTION))


def test_tcp_and_ascii_frames_are_joined_by_their_own_rules() -> None:
    request = tcp_frame(read_request(3, 4, 0, 2), 7)
    reply = request[:5] + b"\x07" + ANSWER[:-2]
    tcp, weigh = Joiner("modbus_tcp"), Joiner("ascii")

    told = [*tcp.feed(1, True, request), *tcp.feed(2, False, reply[:4]), *tcp.feed(3, False, reply[4:] + reply)]
    weights = weigh.feed(1, False, b"\x02\x2a\x30\x20   125     0\r\x07\x02\x2a")

    assert [each.frame.text for each in told] == ["read input 0 x2", *["read input: 0x000a 0x00ff"] * 2]
    assert [each.frame.text for each in weights] == ["weight 125 kg, GOOD"]


frames_of = st.lists(
    st.tuples(
        st.sampled_from([RTU, TCP, ASCII]), st.integers(0, 2**62), st.booleans(), st.binary(min_size=1, max_size=260)
    )
)


@given(frames_of)
def test_a_file_gives_back_what_was_written(rows: list[tuple[LineConfig, int, bool, bytes]]) -> None:
    buffer = io.BytesIO()
    file = FrameFile(buffer, [RTU, TCP, ASCII])
    for line, at_ns, sent, data in rows:
        file.add(line.name, at_ns, sent, data, data[0], "a comment")

    found = frames_in(buffer.getvalue(), "a file")
    back = [(each.line, each.protocol, each.epoch_ns, each.sent, each.data) for each in found]

    assert back == [(line.name, line.protocol, at_ns, sent, data) for line, at_ns, sent, data in rows]


@given(st.binary(max_size=200), st.integers(0, 400))
def test_any_damage_is_an_end_or_a_clear_refusal(noise: bytes, at: int) -> None:
    buffer = io.BytesIO()
    FrameFile(buffer, [RTU]).add("A", 5, True, QUESTION, 3)
    whole = buffer.getvalue()

    try:
        assert len(list(frames_in(whole[:at] + noise, "a file"))) <= 20
    except PodError as error:
        assert error.code == 224


@pytest.mark.wire
@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is missing: deploy/ci-packages.txt")
def test_tshark_decodes_our_files_without_settings_and_finds_the_frame_that_was_spoilt(tmp_path: Path) -> None:
    hurt = ANSWER[:-1] + bytes((ANSWER[-1] ^ 1,))
    talk = [
        *[(RTU, True, QUESTION), (RTU, False, ANSWER), (RTU, True, QUESTION), (RTU, False, hurt)],
        *[(RTU, True, seal(3, bytes.fromhex("0F0000000801FF"))), (RTU, False, seal(3, bytes.fromhex("0F00000008")))],
        *[(RTU, True, seal(3, bytes.fromhex("060000002A"))), (RTU, False, seal(3, bytes.fromhex("060000002A")))],
        *[(RTU, True, seal(3, bytes.fromhex("0400630002"))), (RTU, False, seal(3, bytes.fromhex("8402")))],
        (TCP, True, tcp_frame(read_request(3, 4, 0, 2), 7)),
        (TCP, False, bytes.fromhex("000700000007") + ANSWER[:-2]),
    ]
    with (tmp_path / "frames.pcapng").open("wb") as target:
        file = FrameFile(target, [RTU, TCP])
        for k, (line, sent, data) in enumerate(talk):
            file.add(line.name, 10**18 + k * MS, sent, data, 3, tell(data, sent).text if data == hurt else "")

    plain = by_tshark(tmp_path / "frames.pcapng", "-o", "mbrtu.crc_verification:FALSE")
    checked = by_tshark(tmp_path / "frames.pcapng")

    assert [row.function for row in plain] == ["4", "4", "4", "4", "15", "15", "6", "6", "4", "4", "4", "4"]
    assert plain[1].registers == plain[11].registers == "10,255"
    assert [k for k, row in enumerate(checked) if row.crc_status == "0"] == [3]
    assert not [row for row in [*plain, *checked] if row.malformed]
    assert [row.line for row in checked] == ["A"] * 10 + ["C"] * 2
