"""What a scan concludes beside a configuration: missing, unknown, doubtful; and nothing from what was not asked."""

from importlib.resources import files
from pathlib import Path

import pytest
from looped_port import FAST, LoopedPort

from hal.bus.asking import BusPort
from hal.bus.scan import Found
from hal.clock import SystemClock
from pod_controller.bus.place import Place
from pod_controller.bus.survey import SILENCE, Collected, _doubt, conclude
from pod_controller.config import load
from sim_hardware.instruments import LevelHydrostatic, LevelRadar
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.troubles.wire_faults import make

MS = 1_000_000


@pytest.fixture(scope="module")
def line_b() -> Place:
    config = load(Path(str(files("sim_hardware").joinpath("reference/pod.toml"))))
    return Place(next(line for line in config.hardware().lines if line.name == "B"), config, Path("none"))


def there(unit: int, how: str = "answers", sound_count: int = 5) -> Found:
    return Found(unit, 38400, how, "text", 4.0, sound_count, 5)


def test_a_scan_that_was_interrupted_misses_nobody_and_knows_whom_it_found(line_b: Place) -> None:
    result = conclude(line_b, Collected([there(1), there(2)], {}, {}), SILENCE, [])

    assert [row["device"] for row in result.found] == ["XM-B", "WM-B"]
    assert (result.missing, result.unknown, result.advice) == ([], [], [])


def test_a_stranger_that_looks_like_the_missing_one_has_a_wrong_address(line_b: Place) -> None:
    so_far = Collected([there(1), there(2), there(3), there(9)], {(38400, 9): "level_radar"}, {})

    result = conclude(line_b, so_far, SILENCE, range(1, 16))

    assert [row["device"] for row in result.missing] == ["LM-202"]
    assert result.unknown == [9]
    (advice,) = result.advice
    assert advice.endswith("a wrong address? Set the device to 4")


def test_a_device_at_another_baud_rate_and_one_that_is_spoilt_are_named(line_b: Place) -> None:
    slow = there(1)._replace(baud=9600)

    result = conclude(line_b, Collected([slow, there(2, sound_count=3)], {}, {(9600, 1): "a doubt"}), SILENCE, [1, 2])

    assert result.advice == [
        "unit 1 answers at 9600 baud, the line is configured for 38400",
        "unit 1 (XM-B): a doubt",
        "unit 2: text",
    ]


def test_two_devices_that_refuse_alike_are_told_by_their_own_registers() -> None:
    line = LineOfSlaves("B", {"LH": Slave(3, LevelHydrostatic(lambda: 1.2)), "LR": Slave(4, LevelRadar(lambda: 0.4))})
    port = LoopedPort(line)
    with BusPort(FAST, SystemClock(), port.make) as bus:
        alone = _doubt(bus, 3, "level_hydrostatic", 20 * MS)
        other = _doubt(bus, 3, "io_module_8", 20 * MS)
        line.inject(make("wrong_address", unit=3), "LR")
        both = _doubt(bus, 3, "level_hydrostatic", 20 * MS)

    assert alone == ""
    assert "is it really of type io_module_8?" in other
    assert "3 of 3 reads of its input 0 x2 are spoilt" in both
