"""Every description of the library passes the battery, so does a new file; a bad one fails."""

from pathlib import Path

import pytest

from hal.description import known_types, load, parse
from hal.errors import PodError
from sim_hardware.described import battery
from sim_hardware.described.bench import Bench
from sim_hardware.station import Reply

CASES = [(name, check) for name in known_types() for check in battery.checks_of(load(name))]
REAL_TYPES = [name for name in known_types() if load(name).manufacturer != "reference pod"]


@pytest.mark.parametrize(("device_type", "check"), CASES, ids=[f"{name}-{check.__name__}" for name, check in CASES])
def test_every_description_passes(device_type: str, check: battery.Check) -> None:
    assert list(check(load(device_type))) == []


def test_at_least_sixteen_devices_that_one_can_buy() -> None:
    assert len(REAL_TYPES) >= 16
    for name in REAL_TYPES:
        description = load(name)
        assert not description.tried_on_hardware
        assert description.golden or not battery.read_points(description), name


NEW = """
manufacturer = "nobody"
model = "a turbidity probe"
source = "made up for this test, page 1"
tried_on_hardware = false
protocol = "modbus_rtu"
baud = [9600]
turnaround_s = 0.05
late_s = 0.5
functions = [4, 5, 15, 1]
max_registers = 4
readable = [
    { table = "input", first = 2, last = 3 },
    { table = "input", first = 9, last = 12 },
    { table = "coil", first = 4, last = 4 },
]
read_back = { table = "coil", address = 4 }
remark = "its wiper has no watchdog"

[[point]]
name = "turbidity"
table = "input"
address = 9
type = "f32"
word_order = "low_first"
low = 0.0
high = 1000.0
unit = "NTU"
marks = [{ address = 11, mask = 6, cause = "sensor_not_accurate", says = "the window is dirty" }]
group = "normal"

[[point]]
name = "temp"
table = "input"
address = 2
type = "s8"
byte = "high"
low = -20.0
high = 60.0
unit = "degC"
bad_values = [-128]
group = "slow"

[[point]]
name = "wiper"
access = "write"
table = "coil"
address = 4
type = "bit"
low = 0.0
high = 1.0
unit = "1"
group = "fast"

[[golden]]
point = "turbidity"
registers = { 9 = 0x0000, 10 = 0x42C8 }
value = 100.0
origin = "by_hand"

[[golden]]
point = "temp"
registers = { 2 = 0xF600 }
value = -10.0
origin = "by_hand"
"""


def test_a_new_file_needs_no_code(tmp_path: Path) -> None:
    path = tmp_path / "turbidity.toml"
    path.write_text(NEW, encoding="utf-8")

    description = parse(path.read_text(encoding="utf-8"), str(path))

    assert battery.check(description) == []
    assert Bench(description).readings()["turbidity"].value == 0.0


BROKEN = [
    ('word_order = "low_first"', "", "golden: turbidity"),
    ("registers = { 2 = 0xF600 }", "registers = { 2 = 0xF500 }", "golden: temp"),
    ("low = 0.0\nhigh = 1000.0", "low = -1e38\nhigh = 1e38", "swapped_words"),
    ("functions = [4, 5, 15, 1]", "functions = [4, 5, 15]", "read_back needs function 1"),
    ("max_registers = 4", "max_registers = 2", "E307"),
    ("functions = [4, 5, 15, 1]", "functions = [4, 1]", "E302"),
    ('remark = "its wiper has no watchdog"', "", "sources_are_named: it has outputs"),
    ('read_back = { table = "coil", address = 4 }', "", "E306"),
    ('point = "turbidity"', 'point = "temp"', "without golden words"),
]


@pytest.mark.parametrize(("old", "new", "told"), BROKEN)
def test_a_wrong_description_is_caught(old: str, new: str, told: str) -> None:
    assert old in NEW

    try:
        faults = battery.check(parse(NEW.replace(old, new), "new.toml"))
    except PodError as error:
        faults = [str(error)]

    assert any(told in fault for fault in faults), faults


def test_a_description_that_hides_a_hole_is_caught_by_the_device() -> None:
    honest = load("pta8c04")
    bench = Bench(honest)
    lying = honest.model_copy(update={"readable": honest.readable[1:]})

    bench.device.description = lying
    bench.device._readable = {("holding", 32)}
    bench.run(4.0)

    assert bench.device.refused > 0


@pytest.mark.parametrize(("device_type", "least_ns"), [("vacon10", 5_000_000), ("xy_md02", 1_750_000)])
def test_a_device_that_wants_a_longer_silence_gets_it(device_type: str, least_ns: int) -> None:
    description = load(device_type)
    bench = Bench(description)
    line, char_ns = bench.io.lines[0], 10_000_000_000 // max(description.baud)
    sent, free_ns, gaps_ns = bench._station.receive, [0], []

    def watched(data: bytes, now_ns: int) -> list[Reply]:
        gaps_ns.append(now_ns - len(data) * char_ns - free_ns[0])
        replies = sent(data, now_ns)
        free_ns[0] = now_ns + sum(round(delay_s * 1e9) + len(reply) * char_ns for delay_s, reply in replies)
        return replies

    bench._station.receive = watched  # type: ignore[method-assign]  # a tap on the wire
    bench.run(40.0)

    assert line.name == "A"
    assert min(gaps_ns[1:]) >= least_ns - 1000
