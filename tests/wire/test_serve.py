"""`podctl sim --serve DIR`: foreign masters find what map.json says, and the process ends as it should."""

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_pod import NODE_MODULES, PODCTL, Point, Served, ask_node, mbpoll, read_by_mbpoll

from hal.clock import SystemClock
from hal.pod_io import build
from hal.runner import run
from hal.transport import transport_of
from hal.values import Command, Quality, Scan
from pod_controller.config import load

pytestmark = pytest.mark.wire
needs_mbpoll = pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is missing: deploy/ci-packages.txt")
needs_node = pytest.mark.skipif(not NODE_MODULES.is_dir(), reason="the JavaScript client is missing: deploy/check")
CONTROLLERS_OWN = [
    *("policy", "tick_s", "ticks", "guard_closures", "closed_s", "overruns", "outputs_at_fail", "trace_sha256")
]
MODBUS = ["modbus_rtu", "modbus_tcp"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served") / "pod") as made:
        yield made


def module_on(served: Served, protocol: str) -> Point:
    return next(found for found in served.points(protocol) if "fail_value" in found.point)


def test_the_map_holds_every_protocol_and_every_key_of_the_contract(served: Served) -> None:
    assert served.first_line == f"ready {served.folder}\n"
    assert [line["protocol"] for line in served.map["lines"]] == ["modbus_rtu", "modbus_rtu", "modbus_tcp", "ascii"]
    for line in served.map["lines"]:
        place = {"host", "port"} if line["protocol"] == "modbus_tcp" else {"link"}
        assert {"name", "protocol", "baud", "units", *place} == line.keys()
        assert "link" not in line or line["link"] == str(served.folder / line["name"])
        for unit in line["units"]:
            assert unit.keys() == {"unit", "device", "watchdog_s", "points"}
            for point in unit["points"]:
                assert {"tag", "fc", "address", "type", "word_order", "scale", "value"} <= point.keys()
    outputs = [found.point for kind in MODBUS for found in served.points(kind) if "fail_value" in found.point]
    assert len(outputs) == 21
    assert all(point["value"] == point["fail_value"] == 0 for point in outputs)


@needs_mbpoll
@pytest.mark.parametrize("protocol", MODBUS)
def test_mbpoll_reads_every_point_as_the_map_says(served: Served, protocol: str) -> None:
    points = served.points(protocol)

    read = {found.tag: read_by_mbpoll(found) for found in points}

    assert len(read) == len(points) > 20
    assert read == pytest.approx({found.tag: found.point["value"] for found in points}, rel=1e-5, abs=1e-9)
    assert len(set(read.values())) > 5


@needs_mbpoll
@pytest.mark.parametrize("protocol", MODBUS)
def test_mbpoll_is_refused_with_the_right_exceptions(served: Served, protocol: str) -> None:
    line, unit, _ = module_on(served, protocol)

    beyond = mbpoll(line, unit, "-t", "3", "-r", "5", "-c", "7")
    last = mbpoll(line, unit, "-t", "3", "-r", "5", "-c", "6")
    absent = mbpoll(line, unit + 1, "-t", "0", "-r", "0", "-c", "1")
    wrong_value = mbpoll(line, unit, "-t", "4", "-r", "1", "7")
    nobody = mbpoll(line, 99, "-t", "3", "-r", "0", "-c", "1")

    assert "Illegal data address" in beyond.stderr
    assert last.returncode == 0
    assert "Illegal function" in absent.stderr
    assert "Illegal data value" in wrong_value.stderr
    assert ("timed out" if protocol == "modbus_rtu" else "Target device failed to respond") in nobody.stderr


@needs_mbpoll
@pytest.mark.parametrize("protocol", MODBUS)
def test_an_output_written_by_mbpoll_holds_until_its_watchdog(served: Served, protocol: str) -> None:
    output = module_on(served, protocol)
    address = str(output.point["address"])

    written = mbpoll(output.line, output.unit, "-t", "0", "-r", address, "1")
    held = read_by_mbpoll(output)
    feedback = read_by_mbpoll(next(x for x in served.points(protocol) if x.tag in ("ZT-101", "ST-211")))
    SystemClock().sleep_until_ns(SystemClock().now_ns() + 2_500_000_000)  # watchdog_s + 0.5 s, as promised outside

    assert "Written 1 references" in written.stdout, written.stderr
    assert (held, feedback) == (1.0, 0.0)  # the plant stands
    assert read_by_mbpoll(output) == output.point["fail_value"]


@needs_node
def test_a_javascript_client_reads_the_tcp_side(served: Served) -> None:
    (line,) = served.lines("modbus_tcp")
    points = served.points("modbus_tcp")
    asked = [{"unit": x.unit, "fc": x.point["fc"], "address": x.point["address"], "count": 1} for x in points]
    refused = [
        {"unit": 2, "fc": 4, "address": 5, "count": 4},
        {"unit": 4, "fc": 3, "address": 0, "count": 1},  # of a type without holding registers
        {"unit": 99, "fc": 4, "address": 0, "count": 1},
    ]

    answers = ask_node(line, [*asked, *refused])

    values = [answer[0] * found.point["scale"] for answer, found in zip(answers, points, strict=False)]
    assert values == pytest.approx([found.point["value"] for found in points])
    assert answers[len(points) :] == [{"exception": 2}, {"exception": 1}, {"exception": 11}]


def test_the_configuration_beside_the_map_fits(served: Served) -> None:
    config = load(served.folder / "pod.toml")
    described = config.hardware()
    pod, stop, scans = build(described), asyncio.Event(), list[Scan]()

    def tick(now_ns: int) -> None:
        scans.append(pod.scan(now_ns))
        if len(scans) < 8:
            pod.apply([Command("SC-901", 1.0, now_ns, now_ns + 1_000_000_000)], now_ns)
        elif len(scans) == 8:
            pod.safe_state(now_ns)
        elif pod.outputs_at_fail():
            stop.set()

    lines = [(line, config.baud) for line, config in zip(pod.lines, described.lines, strict=True)]
    transports = [transport_of(line) for line in described.lines]
    asyncio.run(run(lines, transports, tick, 500_000_000, SystemClock(), stop))

    told = {x.tag: x.point["value"] for kind in [*MODBUS, "ascii"] for x in served.points(kind)}
    readings = scans[7].readings
    assert {tag for tag, reading in readings.items() if reading.quality is not Quality.GOOD} == set()
    assert all(readings[tag].value == pytest.approx(told[tag], abs=1e-6) for tag in ("WT-101", "LT-202", "WT-203"))
    assert scans[7].acks["SC-901"].open_frac == 1.0
    assert {str(config.control.socket.parent), str(config.control.journal.parent)} == {str(served.folder)}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0), (None, 0)])
def test_it_ends_with_its_result_and_takes_the_links_away(
    tmp_path: Path, number: signal.Signals | None, code: int
) -> None:
    words = ("--duration", "1") if number is None else ()
    with Served(tmp_path / "pod", *words) as made:
        assert (tmp_path / "pod" / "A").is_symlink()
        ended, out, err = made.end(number)

    outcome = json.loads(out)
    assert (ended, err) == (code, "")
    assert [outcome[key] for key in ("scenario", *CONTROLLERS_OWN)] == [None] * 9
    assert (outcome["arrived_kg"], outcome["balance_error_kg"]) == (0.0, 0.0)
    assert number is not None or 1.0 <= outcome["simulated_s"] < 1.5
    assert not (tmp_path / "pod" / "A").exists()


def test_a_person_is_told_that_nothing_moves_without_a_scenario(tmp_path: Path) -> None:
    words = [*PODCTL, "sim", "--serve", str(tmp_path / "pod"), "--duration", "1"]

    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stderr.startswith("no scenario: nothing moves")) == (0, True), ended.stderr
    assert ended.stdout.startswith("ready ")


def test_a_scenario_runs_with_its_faults(tmp_path: Path) -> None:
    words = ("festival", "--fault", "device_dead@AM-1:from=0", "--tcp", "A", "--tcp", "B", "--duration", "2")
    with Served(tmp_path / "pod", *words) as made:
        assert [line["protocol"] for line in made.map["lines"]] == ["modbus_tcp", "modbus_tcp", "modbus_rtu", "ascii"]
        code, out, _ = made.end(None)

    assert (code, json.loads(out)["scenario"]) == (0, "festival")


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--serve", "DIR", "--speed", "2"], 2, "--serve runs in real time: --speed"),
        (["--serve", "DIR", "--wire"], 2, "--serve runs the hardware alone"),
        (["--serve", "DIR", "--tier", "a"], 2, "--serve runs the hardware alone"),
        (["--serve", "DIR", "--policy", "open"], 2, "--serve runs the hardware alone"),
        (["festival", "--tcp", "C"], 2, "use it with --serve"),
        (["--serve", "DIR", "--tcp", "W"], 78, "E158 --tcp W: no Modbus line"),
        (["--serve", "DIR", "--config", "no/such.toml"], 78, "E101"),
        (["--serve", "/proc/none"], 1, "E206 folder /proc/none"),
    ],
)
def test_a_mistake_is_one_clear_line(tmp_path: Path, words: list[str], code: int, says: str) -> None:
    command = [*PODCTL, "sim", *(str(tmp_path / "pod") if word == "DIR" else word for word in words)]

    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_in_use_or_with_something_of_that_name_is_refused(tmp_path: Path, served: Served) -> None:
    (tmp_path / "A").write_text("mine")

    for folder, says in ((served.folder, "is being served already"), (tmp_path, "is in the way")):
        command = [*PODCTL, "sim", "--serve", str(folder), "--duration", "1"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (1, "")
        assert says in done.stderr
    assert (tmp_path / "A").read_text() == "mine"
