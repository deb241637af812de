"""A recording given to the codec once more: the same Readings, the master's verdict on every answer, never an error."""

import io
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from calibrated import MADE, book, calibration
from hal_desk import cells, wiring
from hypothesis import given
from hypothesis import strategies as st

from hal.blocks import Block
from hal.bus.frame_file import FrameFile, frames_in
from hal.bus.replay import Replay, request_of
from hal.calibration_file import Calibration, save
from hal.description import LineConfig
from hal.line import ModbusLine, Send
from hal.modbus import read_request, tcp_frame
from hal.pod_io import build
from hal.tcp_line import ModbusTcpLine
from pod_controller.cli import main
from pod_controller.config import load
from sim_hardware.line_campaign.desk import Desk
from sim_hardware.line_campaign.faults import Frames
from sim_hardware.line_scan.far_end import UNITS, line
from sim_hardware.line_scan.master import line_of_ten
from sim_hardware.rtu_codec import seal

SECOND, BAUD = 1_000_000_000, 19200
POD = Path(__file__).parents[3] / "sim_hardware" / "reference" / "pod.toml"
RTU = LineConfig("S", "modbus_rtu", "/dev/desk", BAUD)


class Recorded:
    """The devices of `bench scan` on a desk, and everything that passes in a frame file."""

    def __init__(self) -> None:
        self.bytes = io.BytesIO()
        self._far, self._file = line("S", UNITS), FrameFile(self.bytes, [RTU])

    def answer(self, request: bytes, now_ns: int) -> Frames:
        answers = [(round(delay_s * SECOND), data) for delay_s, data in self._far.receive(request, now_ns)]
        self._file.add("S", now_ns, True, request, request[0])
        for delay_ns, data in answers:
            self._file.add("S", now_ns + delay_ns, False, data, data[0])
        return answers


def ten() -> ModbusLine:
    return line_of_ten(BAUD, SECOND)[0]


def test_a_recording_says_again_what_the_line_said() -> None:
    live, recorded = ten(), Recorded()
    desk = Desk(live, recorded, BAUD)
    for _ in range(3):
        live.begin_tick(desk.now_ns)
        desk.run(desk.now_ns + SECOND)
    later = ten()
    tape = Replay([later])

    came = [
        tape.take("S", x.protocol, x.epoch_ns, x.sent, x.data) for x in frames_in(recorded.bytes.getvalue(), "desk")
    ]

    assert len(came) > 60
    assert {each.verdict for each in came} == {"", "accepted"}
    read = {tag: (x.value, x.quality) for tag, x in live.readings.items()}
    assert {tag: (x.value, x.quality) for tag, x in later.readings.items()} == read
    assert {x.tag for each in came for x in each.readings} == set(read)


def first_read(tape_line: ModbusLine) -> bytes:
    return tape_line.blocks[0].request.frame


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        (lambda answer: answer[:-1] + b"\0", "bad_crc"),
        (lambda answer: answer[:-3], "partial"),
        (lambda answer: seal(9, answer[1:-2]), "wrong_unit"),
        (lambda answer: seal(answer[0], b"\x84\x02"), "exception"),
        (lambda answer: answer + answer, "too_long"),
    ],
)
def test_an_answer_that_the_master_would_not_have_believed_gives_no_reading(spoil: object, verdict: str) -> None:
    assert callable(spoil)
    pod = ten()
    question = first_read(pod)
    tape, before = Replay([pod]), dict(pod.readings)
    answer = seal(question[0], bytes((4, 12, *range(12))))

    tape.take("S", "modbus_rtu", 1, True, question)
    came = tape.take("S", "modbus_rtu", 2, False, spoil(answer))

    assert (came.verdict, came.readings, pod.readings) == (verdict, (), before)


def test_an_answer_counts_once_and_only_after_its_question() -> None:
    pod = ten()
    question = first_read(pod)
    tape, answer = Replay([pod]), seal(question[0], bytes((4, 12, *range(12))))
    steps = [False, True, False, False]

    came = [tape.take("S", "modbus_rtu", k, sent, question if sent else answer) for k, sent in enumerate(steps)]

    assert [each.verdict for each in came] == ["unasked", "", "accepted", "unasked"]


def test_over_tcp_the_number_tells_which_answer_is_meant() -> None:
    source = ten()
    pod = ModbusTcpLine("S", SECOND)
    for block in source.blocks:
        pod.add(block.device, [Block(block.plan, block.device, SECOND, pod.readings)], None)
    asked = pod.next_action(0)
    assert isinstance(asked, Send)
    request = request_of(asked.data[6:] + seal(asked.data[6], asked.data[7:])[-2:])
    assert request is not None
    body = bytes((request.frame[0], 4, 12, *range(12)))
    answer = b"\0\x07\0\0" + len(body).to_bytes(2, "big") + body
    tape = Replay([pod])

    verdicts = []
    for number in (6, 7):
        tape.take("S", "modbus_tcp", 1, True, tcp_frame(request, number))
        verdicts.append(tape.take("S", "modbus_tcp", 2, False, answer).verdict)

    assert verdicts == ["unasked", "accepted"]


FRAMES = st.one_of(
    st.binary(max_size=40),
    st.builds(seal, st.integers(0, 255), st.binary(min_size=1, max_size=12)),
    st.builds(
        lambda unit, at, count: read_request(unit, 4, at, count).frame,
        st.integers(1, 5),
        st.integers(0, 9),
        st.integers(1, 9),
    ),
)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["S", "?"]), st.sampled_from(["modbus_rtu", "modbus_tcp", "ascii"]), st.booleans(), FRAMES
        )
    )
)
def test_nothing_that_a_file_holds_raises(frames: list[tuple[str, str, bool, bytes]]) -> None:
    tape = Replay([ten()])

    for k, (name, protocol, sent, data) in enumerate(frames):
        tape.take(name, protocol, k, sent, data)


def test_the_verb_tells_what_was_read_and_what_was_not_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = Path(__file__).parents[3] / "deploy" / "pod.example.toml"
    lines = [LineConfig("A", "modbus_rtu", "/dev/a", 38400), LineConfig("W", "ascii", "/dev/w", 9600)]
    weight = b"\x02\x2b\x30\x20   123     0\r"
    checksum = bytes((-sum(weight) & 0x7F,))  # capture joins it to the frame behind
    with (tmp_path / "day.pcapng").open("wb") as file:
        record = FrameFile(file, lines)
        for k in range(3):
            record.add("W", k * SECOND, False, checksum * bool(k) + weight, None)
        record.add("A", SECOND, True, read_request(1, 4, 0, 1).frame, 1)
        record.add("A", SECOND + 9, False, seal(1, b"\x04\x02\0\x07")[:-1] + b"\0", 1)

    code = main(["bus", "replay", str(tmp_path / "day.pcapng"), "--config", str(example), "--json"])
    told = json.loads(capsys.readouterr().out)
    main(["bus", "replay", str(tmp_path / "day.pcapng"), "--config", str(example)])
    shown = capsys.readouterr().out

    assert code == 0
    assert (told["frames"], told["verdicts"]) == (5, {"bad_crc": 1})
    ((tag, last),) = told["tags"].items()
    assert (last["value"], last["quality"]) == (12.3, "GOOD")
    assert f"{tag}" in shown
    assert "! bad_crc" in shown


def weighed(folder: Path, raw_g: int, at_s: tuple[float, ...], made: Calibration | None) -> Path:
    """A capture of line A in which the load cells at unit 2 are read at these seconds of a day; WT-101 is a curve's."""
    (folder / "pod.toml").write_text(POD.read_text())
    if made is not None:
        save(folder / "pod.calibration.json", book(made))
    lines = build(load(POD).hardware()).lines
    blocks = [block for line in lines if isinstance(line, ModbusLine) for block in line.blocks]
    block = next(x for x in blocks if "WT-101" in [point.tag for point in x.plan.points])
    words = [0] * block.plan.count
    words[1] = raw_g
    body = bytes((2, 4, 2 * len(words))) + b"".join(word.to_bytes(2, "big") for word in words)
    began_ns = round((MADE + timedelta(days=30)).timestamp()) * SECOND
    with (folder / "day.pcapng").open("wb") as file:
        record = FrameFile(file, [LineConfig("A", "modbus_rtu", "/dev/a", 38400)])
        for second in at_s:
            at_ns = began_ns + round(second * SECOND)
            record.add("A", at_ns, True, block.request.frame, 2)
            record.add("A", at_ns + 9_000_000, False, seal(body[0], body[1:]), 2)
    return folder / "day.pcapng"


def replayed(capture: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[dict[str, Any], str]:
    """The JSON of a replay, and what it shows to people."""
    words = ["bus", "replay", str(capture), "--config", str(capture.with_name("pod.toml")), *more]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert main(words) == 0
    return told, capsys.readouterr().out


def test_a_replay_reads_through_the_curve_in_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = weighed(tmp_path, 25000, (0.0,), calibration("WT-101", (0.0, 1.0), (50.0, 52.0)))

    through, shown = replayed(capture, capsys)
    given, _ = replayed(capture, capsys, "--uncalibrated")

    assert (through["tags"]["WT-101"]["value"], through["tags"]["WT-101"]["quality"]) == (26.5, "GOOD")
    assert given["tags"]["WT-101"]["value"] == 25.0
    assert "26.5" in shown and through["calibrated_later"] == []


@pytest.mark.parametrize(
    ("made_d", "due_d", "quality", "later"),
    [(0, 365, "GOOD", []), (0, 29, "UNCERTAIN", []), (60, 400, "GOOD", ["WT-101"])],
)
def test_a_curve_falls_due_by_the_time_of_the_recording(
    made_d: int, due_d: int, quality: str, later: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    times = {"made_utc": MADE + timedelta(days=made_d), "due_utc": MADE + timedelta(days=due_d)}
    capture = weighed(tmp_path, 25000, (0.0,), calibration("WT-101", (0.0, 1.0), (50.0, 52.0), **times))

    told, shown = replayed(capture, capsys)

    assert (told["tags"]["WT-101"]["value"], told["tags"]["WT-101"]["quality"]) == (26.5, quality)
    assert told["calibrated_later"] == later
    assert ("calibrated only after this recording began: WT-101" in shown) is bool(later)


def test_what_was_not_renewed_goes_out_of_date_by_the_recorded_times(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steady, _ = replayed(weighed(tmp_path, 25000, (0.0, 0.5, 1.0, 1.5, 2.0), None), capsys)
    holed, shown = replayed(weighed(tmp_path, 25000, (0.0, 0.5, 9.0, 9.5), None), capsys)

    assert steady["tags"]["WT-101"]["aged_count"] == 0
    assert (holed["tags"]["WT-101"]["count"], holed["tags"]["WT-101"]["aged_count"]) == (4, 1)
    aged = [row for row in shown.splitlines() if "WT-101" in row and "NO_COMMUNICATION" in row]
    assert [row[6:12] for row in aged] == ["02.500"]
    assert "out of date for a while" in shown


def test_a_line_is_built_from_the_wiring_and_asks_nothing() -> None:
    pod = build(wiring(cells(2)))

    assert Replay(pod.lines).take("A", "modbus_rtu", 1, False, b"\0").verdict == "unasked"


def test_a_capture_that_was_cut_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded, capture = Recorded(), tmp_path / "cut.pcapng"
    recorded.answer(first_read(ten()), 0)
    whole = recorded.bytes.getvalue()
    told = []
    for length in (len(whole), len(whole) - 9):
        capture.write_bytes(whole[:length])
        assert main(["bus", "replay", str(capture), "--config", str(POD), "--json"]) == 0
        told.append(json.loads(capsys.readouterr().out)["cut_bytes"])
    assert main(["bus", "replay", str(capture), "--config", str(POD)]) == 0

    assert told[0] == 0 and told[1] > 0
    assert f"is cut: its last {told[1]} bytes" in capsys.readouterr().out


@pytest.mark.parametrize("option", ["--line", "--tag"])
def test_a_replay_of_a_line_or_tag_that_is_not_there_is_a_usage_error(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "whole.pcapng"
    capture.write_bytes(Recorded().bytes.getvalue())

    assert main(["bus", "replay", str(capture), "--config", str(POD), option, "NOPE"]) == 2
    assert "NOPE" in capsys.readouterr().err
