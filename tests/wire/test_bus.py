"""`podctl bus` in a technician's hands: on free lines of a served pod, and beside a core that owns them."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_pod import Served
from tshark_rows import by_tshark
from wire_pod import WirePod, read_image, wait_until

from pod_controller.cli import main

pytestmark = pytest.mark.wire
RUNBOOK = Path(__file__).parents[2] / "deploy" / "RUNBOOK.md"
FAULTS = ("wrong_address@LM-202:unit=9", "wrong_address@TM-1:unit=3", "crc_errors@WM-A:p=0.9")
QUICK = ("--listen", "0.05", "--timeout", "0.04")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    words = [word for fault in FAULTS for word in ("--fault", fault)]
    with Served(tmp_path_factory.mktemp("served") / "pod", *words) as made:
        yield made


class Desk:
    """Verbs typed one after the other; what they gave."""

    def __init__(self, served: Served, capsys: pytest.CaptureFixture[str]) -> None:
        self.config, self._capsys = str(served.folder / "pod.toml"), capsys
        self.errors = ""

    def type(self, *words: str) -> tuple[int, str]:
        """Exit code and stdout."""
        self._capsys.readouterr()
        code = main(["bus", *words])
        out, self.errors = self._capsys.readouterr()
        return code, out

    def ask(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Exit code and the JSON object."""
        code, out = self.type(*words, "--json")
        return code, json.loads(out)


@pytest.fixture
def desk(served: Served, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(served, capsys)


def test_a_device_at_a_wrong_address_is_found_and_named(desk: Desk) -> None:
    code, survey = desk.ask("scan", "--config", desk.config, "--line", "B", "--units", "1-10", *QUICK)

    assert code == 3
    assert {row["unit"]: row["device"] for row in survey["found"]} == {1: "XM-B", 2: "WM-B", 3: "LM-201", 9: None}
    assert survey["missing"] == [{"device": "LM-202", "type": "level_radar", "unit": 4}]
    assert survey["unknown"] == [9]
    (advice,) = survey["advice"]
    assert "unit 9 answers" in advice
    assert "LM-202 (unit 4) does not answer: a wrong address? Set the device to 4" in advice


def test_of_two_devices_with_one_address_behind_a_gateway_neither_is_believed(desk: Desk) -> None:
    code, survey = desk.ask("scan", "--config", desk.config, "--line", "C", "--units", "1-6", *QUICK)

    assert code == 3
    assert [row["device"] for row in survey["missing"]] == ["AM-2", "TM-1"]  # TM-1 answers for AM-2's unit too


def test_a_line_as_configured_is_well_and_an_indicator_is_not_asked(desk: Desk) -> None:
    code, survey = desk.ask("scan", "--config", desk.config, "--line", "A", "--units", "1,3-5", *QUICK)
    spoken, indicator = desk.ask("scan", "--config", desk.config, "--line", "W", "--units", "1-4", "--listen", "0.6")

    assert (code, survey["missing"], survey["unknown"], survey["advice"]) == (0, [], [], [])
    assert (spoken, indicator["overheard"]["is_indicator"], indicator["found"]) == (0, True, [])


def test_tags_and_registers_read_as_the_map_says(desk: Desk, served: Served) -> None:
    (level,) = [x.point for x in served.points("modbus_rtu") if x.tag == "LT-201"]

    by_tag, tagged = desk.ask("read", "--config", desk.config, "LT-201", *QUICK)
    link, address = str(served.folder / "B"), str(level["address"])
    how = ("--table", "input", "--type", level["type"], "--scale", str(level["scale"]), "--unit", "3")
    by_hand, bare = desk.ask("read", "--port", link, "--baud", "38400", "--address", address, *how, *QUICK)

    assert by_tag == by_hand == 0
    assert tagged["readings"][0]["value"] == bare["readings"][0]["value"] == pytest.approx(level["value"])


def test_an_output_is_written_only_with_a_yes_and_read_back(desk: Desk) -> None:
    refused, _ = desk.type("write", "--config", desk.config, "FV-101", "1", *QUICK)
    why = desk.errors
    code, done = desk.ask("write", "--config", desk.config, "FV-101", "1", "--yes", *QUICK)
    single, again = desk.ask("write", "--config", desk.config, "FV-101", "0", "--single", "--yes", *QUICK)

    assert (refused, "add --yes" in why) == (2, True)
    assert (code, done["acknowledged"], done["reads_back"]) == (0, True, True)
    assert (single, again["readings"][0]["value"]) == (0, 0.0)


def test_one_bit_of_a_register_leaves_the_others_alone(desk: Desk, served: Served) -> None:
    where = ("--port", str(served.folder / "B"), "--baud", "38400", "--unit", "1", "--address", "0", *QUICK)
    before = desk.ask("read", *where)[1]["readings"][0]["value"]
    is_set = int(before) >> 3 & 1

    code, done = desk.ask("write", *where, "--bit", "3", str(1 - is_set), "--yes")
    after = desk.ask("read", *where)[1]["readings"][0]["value"]
    desk.ask("write", *where, "--bit", "3", str(is_set), "--yes")

    assert (code, done["reads_back"], after) == (0, True, int(before) ^ 8)
    assert desk.ask("read", *where)[1]["readings"][0]["value"] == before


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("read", "--config", "CONFIG", "LT-999"), 2, "no device has the tag LT-999"),
        (("read", "--config", "CONFIG", "LT-202"), 1, "E223 read input"),
        (("write", "--config", "CONFIG", "LT-201", "1", "--yes"), 2, "can only be read"),
        (("write", "--port", "B", "--unit", "1", "--address", "0", "70000", "--yes"), 2, "70000 cannot be written"),
        (("write", "--port", "B", "--baud", "38400", "--unit", "1", "--address", "1", "9", "--yes"), 1, "E223 write"),
        (("read", "--port", "/dev/none", "--unit", "1", "--address", "0"), 1, "E206 port /dev/none: No such file"),
        (("read", "--tcp", "127.0.0.1:9", "--unit", "1", "--address", "0"), 1, "Connection refused: check its address"),
        (("scan", "--config", "CONFIG"), 2, "its lines are A, B, C, W"),
        (("scan", "--port", "B", "--units", "0-3"), 2, "0 is everybody's"),
        (("scan",), 2, "which line?"),
    ],
)
def test_a_mistake_is_one_clear_line(desk: Desk, served: Served, words: tuple[str, ...], code: int, says: str) -> None:
    places = {"CONFIG": desk.config, "B": str(served.folder / "B")}

    got, out = desk.type(*(places.get(word, word) for word in words), *QUICK)

    assert (got, out) == (code, "")
    assert says in desk.errors
    assert "Traceback" not in desk.errors


def test_a_port_that_another_program_holds_is_left_alone(desk: Desk, served: Served) -> None:
    import fcntl

    descriptor = os.open(served.folder / "B", os.O_RDWR | os.O_NOCTTY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        code, _ = desk.type("scan", "--config", desk.config, "--line", "B", *QUICK)
    finally:
        os.close(descriptor)

    assert code == 4
    assert "E221" in desk.errors and "one port has one owner" in desk.errors


@pytest.fixture
def swapped(desk: Desk, served: Served, tmp_path: Path) -> str:
    """A configuration whose lines A and B each lead to the other's devices."""
    text, folder = Path(desk.config).read_text("utf-8"), str(served.folder)
    text = text.replace(f'"{folder}/A"', '"B"').replace(f'"{folder}/B"', f'"{folder}/A"')
    moved = tmp_path / "swapped.toml"
    moved.write_text(text.replace('port = "B"', f'port = "{folder}/B"'))
    return str(moved)


def test_a_hand_writes_nothing_to_a_device_that_is_another_one(desk: Desk, served: Served, swapped: str) -> None:
    code, out = desk.type("write", "--config", swapped, "FV-101", "1", "--yes", *QUICK)
    why, held = desk.errors, read_image(served.lines("modbus_rtu")[1])
    told, survey = desk.ask("scan", "--config", swapped, "--line", "A", "--units", "1-2", *QUICK)

    assert (code, out, held) == (4, "", 0)
    assert "E225 unit 1 on" in why and "is not XM-A: it shows 0811 0102, not 0811 0101" in why
    assert told == 3
    assert [text[:26] for text in survey["advice"]] == ["unit 1 (XM-A): is not XM-A", "unit 2 (WM-A): is not WM-A"]


def commands_of_the_day(block: int) -> list[tuple[str, int]]:
    """Commands of a console block of the runbook's chapter, with the exit code that it promises."""
    chapter = RUNBOOK.read_text("utf-8").split("A technician's day on the bus", 1)[1].split("\n## ", 1)[0]
    typed = re.findall(r"```console\n(.*?)```", chapter, re.DOTALL)[block]
    rows = [line.removeprefix("$ podctl ").partition("#") for line in typed.splitlines()]
    codes = [re.search(r"exit (\d+)", comment) for _, _, comment in rows]
    return [(words.strip(), int(code[1]) if code else 0) for (words, _, _), code in zip(rows, codes, strict=True)]


def test_the_runbooks_day_before_the_core_runs(desk: Desk, served: Served) -> None:
    ((serve, _),) = commands_of_the_day(0)
    assert all(fault in serve for fault in FAULTS)

    for words, code in commands_of_the_day(1):
        got, out = desk.type(*words.replace("DIR", str(served.folder)).split()[1:])
        assert (got, bool(out)) == (code, True), (words, out, desk.errors)


@pytest.fixture(scope="module")
def owned(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WirePod]:
    """The same lines with a core that owns them."""
    pod = WirePod(served.folder, tmp_path_factory.mktemp("owned"))
    with pod.core() as core:
        wait_until(lambda: bool(pod.status()), "the core answers")
        wait_until(lambda: pod.status()["tick"] > 4, "it has ticked")
        yield pod
        assert core.end(signal.SIGTERM) == 0


def test_a_line_that_a_core_owns_is_refused_and_the_core_asked_instead(owned: WirePod, desk: Desk) -> None:
    desk.config = str(owned.config)
    value = ("--config", desk.config, "FV-101", "1", "--yes", *QUICK)

    for words in (
        ("scan", "--config", desk.config, "--line", "A"),
        ("write", *value),
        ("write", *value, "--line", "C"),
    ):
        code, _ = desk.type(*words)
        assert (code, desk.errors.count("E221 line")) == (4, 1)
    code, read = desk.ask("read", "--config", desk.config, "LT-201", "ZT-101")

    assert code == 0
    assert [row["quality"] for row in read["readings"]] == ["GOOD", "GOOD"]
    assert all(row["reading_age_s"] < 2.0 for row in read["readings"])


def test_a_core_tells_how_each_device_answers(owned: WirePod, desk: Desk) -> None:
    code, told = desk.ask("stats", "--config", str(owned.config))

    devices = {device["device"]: device for line in told["lines"] for device in line["devices"]}
    assert code == 3
    assert devices["LM-202"]["condition"] == "DEAD"
    assert devices["LM-202"]["faults"].keys() == {"timeout"}
    well = devices["XM-A"]
    assert well["answered"] == well["asked"] or well["answered"] == well["asked"] - 1  # one may be on its way
    assert sum(well["latency"]["counts"]) >= well["answered"]
    assert 1 <= well["latency"]["within_p50_ms"] <= 200


def test_what_passes_is_shown_and_recorded_so_that_tshark_finds_no_fault_of_ours(
    owned: WirePod, desk: Desk, tmp_path: Path
) -> None:
    config, file = str(owned.config), tmp_path / "frames.pcapng"

    seen, lines = desk.type("monitor", "--config", config, "--line", "B", "--count", "8", "--json")
    kept, made = desk.ask("capture", str(file), "--config", config, "--duration", "2.5")
    again, frames = desk.type("monitor", "--from", str(file), "--json")
    offline, story = desk.ask("replay", str(file), "--config", config)

    assert (seen, kept, again, offline) == (0, 0, 0, 0)
    assert set(story["verdicts"]) >= {"accepted"}
    assert story["tags"]["LT-201"]["quality"] == "GOOD"
    shown = [json.loads(line) for line in lines.splitlines()]
    assert {row["text"] for row in shown} >= {"read input 0 x10", "write coil 0 x8 = 00000000", "write coil 0 x8: done"}
    told = [json.loads(line) for line in frames.splitlines()]
    assert len(told) == made["frames"] > 60
    assert {row["line"] for row in told} == {"A", "B", "C", "W"}
    spoilt = [row for row in told if row["kind"] == "garbage"]
    assert {row["line"] for row in spoilt} <= {"A"}
    rows = by_tshark(file)
    assert len(rows) == len(told)
    assert not [row for row in rows if row.malformed]
    assert sum(row.crc_status == "0" for row in rows) == len(spoilt)
    assert sum(row.function != "" for row in rows) == sum(row["line"] != "W" for row in told)


def test_the_runbooks_day_while_the_core_runs(owned: WirePod, desk: Desk, tmp_path: Path) -> None:
    for words, code in commands_of_the_day(2):
        told = words.replace("DIR/pod.toml", str(owned.config)).replace("DIR", str(tmp_path))
        got, out = desk.type(*told.split()[1:])
        assert got == code, (words, out, desk.errors)
    assert (tmp_path / "day.pcapng").stat().st_size > 1000
