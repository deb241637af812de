"""Registers as the data sheets show them, what is shown without a signal, and how the relay module's watchdog runs."""

import math
import struct

import pytest

from hal import description
from hal.errors import PodError
from sim_hardware.indicator import PERIOD_NS, IndicatorLine, WeighIndicator
from sim_hardware.instruments import Analog8, Device, LevelHydrostatic, LevelRadar, LoadCell4, TempPt1004
from sim_hardware.io_module import IoModule8
from sim_hardware.rtu_codec import seal
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.station import NEVER_NS
from sim_hardware.troubles.wire_faults import make
from sim_hardware.wiring import DEVICES, WiredDevice

SECOND_NS = 1_000_000_000
READ = seal(1, bytes.fromhex("040000000B"))
ALL_ON = seal(1, bytes.fromhex("0F0000000801FF"))


@pytest.mark.parametrize(
    ("device", "registers"),
    [
        (LoadCell4({1: lambda: 25.0}), "00000000 000061A8 00000000 00000000 0000"),
        (LoadCell4({0: lambda: -0.001}), "FFFFFFFF 00000000 00000000 00000000 0000"),
        (LoadCell4({2: lambda: math.nan}), "00000000 00000000 7FFFFFFF 00000000 0004"),
        (LevelHydrostatic(lambda: 1.2345), "3039 0000"),
        (LevelHydrostatic(lambda: -0.1), "0000 0000"),
        (LevelHydrostatic(lambda: math.nan), "FFFF 0001"),
        (LevelRadar(lambda: 25.0), "0000 41C8 0050"),
        (LevelRadar(lambda: math.nan), "0000 7FC0 0000"),
        (TempPt1004({0: lambda: 35.04, 1: lambda: -10.0}), "015E FF9C 7FFF 7FFF"),
        (TempPt1004({0: lambda: math.nan, 1: lambda: 900.0}), "7FFF 7FFF 7FFF 7FFF"),
        (
            Analog8({0: lambda: 300.0, 3: lambda: 0.0}, {0: (0.0, 600.0), 3: (0.0, 1.0)}),
            "2EE0" + "0000" * 2 + "0FA0" + "0000" * 4,
        ),
        (
            Analog8({0: lambda: math.nan, 1: lambda: 9.0, 2: lambda: -9.0}, dict.fromkeys(range(3), (0.0, 1.0))),
            "0000 5014 0ED8" + "0000" * 5,
        ),
    ],
)
def test_registers_show(device: Device, registers: str) -> None:
    assert device.inputs() == bytes.fromhex(registers)
    assert len(device.inputs()) == 2 * device.inputs_size


@pytest.mark.parametrize("wired", DEVICES, ids=lambda wired: wired.name)
def test_every_device_serves_what_the_library_reads(wired: WiredDevice) -> None:
    kinds: dict[str, type[Device]] = {
        "io_module_8": IoModule8,
        "load_cell_4ch": LoadCell4,
        "level_hydrostatic": LevelHydrostatic,
        "level_radar": LevelRadar,
        "analog_8ch": Analog8,
        "temp_pt100_4ch": TempPt1004,
    }
    kind = kinds.get(wired.type)
    for readable in description.load(wired.type).readable if kind else ():
        assert getattr(kind, f"{readable.table}s_size") > readable.last


class Module:
    """A relay module alone on a line, with what it drove."""

    def __init__(self, watchdog_s: float = 2.0) -> None:
        self.driven: list[tuple[int, bool]] = []
        positions = {0: lambda: 0.25, 1: lambda: math.nan, 2: lambda: 1.5, 3: lambda: -0.1}
        switches = {1: lambda: 1.0, 2: lambda: math.nan}
        self.device = IoModule8(lambda channel, on: self.driven.append((channel, on)), positions, switches, watchdog_s)
        self.line = LineOfSlaves("A", {"XM": Slave(1, self.device)})

    def registers(self, now_ns: int) -> tuple[int, ...]:
        ((_, frame),) = self.line.receive(READ, now_ns)
        return struct.unpack(">11H", frame[3:-2])


def test_module_shows_feedback_outputs_switches_and_status() -> None:
    module = Module()

    module.line.receive(ALL_ON, SECOND_NS)

    assert module.registers(SECOND_NS) == (2500, 65535, 10000, 0, 65535, 65535, 65535, 65535, 0xFF, 0b10, 0)
    assert module.driven == [(channel, True) for channel in range(8)]


def test_module_leaves_the_factory_without_watchdog_and_with_outputs_off() -> None:
    module = Module(watchdog_s=0.0)
    module.line.receive(ALL_ON, 0)

    module.line.advance(3600 * SECOND_NS)

    assert module.device.held == 0xFF
    assert module.line.due_ns() == NEVER_NS
    assert module.device.holdings()[:4] == bytes(4)


@pytest.mark.parametrize("feed", [READ, seal(1, bytes.fromhex("0300000001")), seal(1, bytes.fromhex("6300"))])
def test_any_good_request_to_the_unit_feeds_the_watchdog(feed: bytes) -> None:
    module = Module()
    module.line.receive(ALL_ON, 0)

    module.line.receive(feed, 19 * SECOND_NS // 10)

    assert module.line.due_ns() == 39 * SECOND_NS // 10
    module.line.advance(39 * SECOND_NS // 10 - 1)
    assert module.device.held == 0xFF


@pytest.mark.parametrize("noise", [READ[:-1] + b"\x00", seal(2, READ[1:-2]), seal(0, ALL_ON[1:-2])])
def test_bad_frames_other_units_and_broadcasts_do_not_feed_it(noise: bytes) -> None:
    module = Module()
    module.line.receive(ALL_ON, 0)

    module.line.receive(noise, SECOND_NS)

    assert module.line.due_ns() == 2 * SECOND_NS


def test_watchdog_drops_all_outputs_and_says_so_until_the_next_write() -> None:
    module = Module()
    module.line.receive(ALL_ON, 0)
    module.driven.clear()

    module.line.advance(2 * SECOND_NS)

    assert module.driven == [(channel, False) for channel in range(8)]
    assert module.registers(3 * SECOND_NS)[8:] == (0, 0b10, 1)
    module.line.receive(ALL_ON, 4 * SECOND_NS)
    assert module.registers(4 * SECOND_NS)[8:] == (0xFF, 0b10, 0)


def test_expiry_is_seen_by_a_late_request_even_if_nobody_touched_the_module() -> None:
    module = Module()
    module.line.receive(ALL_ON, 0)

    assert module.registers(2 * SECOND_NS)[8] == 0


def test_a_hung_module_keeps_its_outputs_and_drops_them_when_it_recovers() -> None:
    module = Module()
    module.line.receive(ALL_ON, 0)
    module.line.inject(make("module_frozen"), "XM")

    assert module.line.receive(READ, SECOND_NS) == []
    module.line.advance(60 * SECOND_NS)
    assert module.device.held == 0xFF
    module.line.clear("module_frozen", "XM")
    module.line.advance(60 * SECOND_NS)
    assert module.device.held == 0


def test_power_cycle_takes_the_power_on_state() -> None:
    module = Module()
    module.line.receive(ALL_ON, 0)

    module.device.power_cycle(SECOND_NS)

    assert module.device.held == 0


def test_indicator_frame_is_the_continuous_format_with_checksum() -> None:
    frame = WeighIndicator(lambda: 180.04, 1000.0).frame()

    assert frame[:17] == b"\x02\x2b\x30\x20  1800     0\r"
    assert len(frame) == 18
    assert sum(byte & 0x7F for byte in frame) & 0x7F == 0


@pytest.mark.parametrize(
    ("mass_kg", "status", "digits"), [(-0.5, 0x32, b"     5"), (1000.1, 0x34, b" 10001"), (math.nan, 0x34, b"     0")]
)
def test_indicator_marks(mass_kg: float, status: int, digits: bytes) -> None:
    frame = WeighIndicator(lambda: mass_kg, 1000.0).frame()

    assert (frame[2], frame[4:10]) == (status, digits)


def test_indicator_marks_motion_while_the_weight_changes() -> None:
    weights_kg = iter([100.0, 100.2, 101.0, 101.0])
    indicator = WeighIndicator(lambda: next(weights_kg), 1000.0)

    assert [indicator.frame()[2] & 0x08 for _ in range(4)] == [0, 0, 8, 0]


def test_indicator_speaks_seven_times_a_second_and_never_answers() -> None:
    line = IndicatorLine("W", "WI", WeighIndicator(lambda: 1.0, 1000.0))
    frames = 0

    while line.due_ns() <= 10 * SECOND_NS:
        frames += len(line.advance(line.due_ns()))

    assert frames == 70
    assert line.receive(READ, 0) == []
    assert PERIOD_NS > 18 * 10 * SECOND_NS // 9600


def test_an_unknown_fault_is_a_mistake() -> None:
    with pytest.raises(PodError, match="E380"):
        make("gremlin")
