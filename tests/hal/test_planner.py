"""Wiring to lines: few requests, and a refusal that helps for everything that cannot work."""

from dataclasses import replace

import pytest
from hal_desk import TICK_NS, cells, module, wiring

from hal import budget
from hal.coalesce import WireLimit, coalesce
from hal.description import Description, DeviceConfig, Hardware, LineConfig, load, parse
from hal.errors import PodError
from hal.planner import plan
from hal.pod_io import build
from hal.points import Point

ANY = WireLimit(0, 0)
LINE = LineConfig("A", "modbus_rtu", "/dev/a", 38400)


def device(name: str, device_type: str, unit: int, **tags: str) -> DeviceConfig:
    return DeviceConfig(name, device_type, "A", unit, 0.0, tags)


def test_one_read_shows_positions_switches_and_the_outputs() -> None:
    (line,) = plan(wiring(module()))

    (block,) = line.devices[0].blocks
    assert (block.table, block.first, block.count, block.period_ns) == ("input", 0, 10, TICK_NS)
    assert line.devices[0].outputs is not None
    assert line.devices[0].outputs.image_word == 8


def test_the_output_image_is_read_even_when_no_input_has_a_tag() -> None:
    (line,) = plan(wiring(DeviceConfig("XM", "io_module_8", "A", 1, 2.0, {"output_3": "FV-1"})))

    assert [(b.first, b.count) for b in line.devices[0].blocks] == [(8, 1)]


def test_a_load_cell_read_includes_its_fault_bits() -> None:
    (line,) = plan(wiring(cells(2)))

    assert [(b.first, b.count) for b in line.devices[0].blocks] == [(0, 9)]


def test_slow_groups_are_read_every_two_seconds() -> None:
    (line,) = plan(wiring(device("AM", "analog_8ch", 2, current_0="LT-301")))

    assert line.devices[0].blocks[0].period_ns == 2_000_000_000


def described(most: int) -> Description:
    text = f"""
manufacturer = "m"
model = "x"
source = "s"
tried_on_hardware = false
protocol = "modbus_rtu"
baud = [38400]
turnaround_s = 0.005
late_s = 0.25
max_registers = {most}
read_back = {{ table = "input", address = 8 }}
readable = [
    {{ table = "coil", first = 0, last = 7 }},
    {{ table = "input", first = 0, last = 19 }},
    {{ table = "input", first = 30, last = 39 }},
]
[[point]]
name = "p"
table = "input"
address = 0
type = "u16"
low = 0.0
high = 1.0
unit = "1"
group = "fast"
"""
    return parse(text, "x")


def reads(*addresses: int, period_ns: int = 1) -> list[tuple[int, Point]]:
    return [(period_ns, Point(f"T{at}", "input", at, "u16", "1", 0.0, 1.0)) for at in addresses]


@pytest.mark.parametrize(
    ("most", "addresses", "blocks"),
    [
        (125, (0, 1, 2), [(0, 3)]),
        (125, (0, 19), [(0, 20)]),
        (10, (0, 9, 10, 19), [(0, 10), (10, 10)]),
        (125, (0, 30), [(0, 1), (30, 1)]),
        (1, (0, 1), [(0, 1), (1, 1)]),
    ],
)
def test_points_are_joined_inside_readable_ranges(
    most: int, addresses: tuple[int, ...], blocks: list[tuple[int, int]]
) -> None:
    made = coalesce("D", described(most), reads(*addresses), 0, ANY)

    assert [(b.first, b.count) for b in made] == blocks
    assert sorted(p.address for b in made for p in b.points) == list(addresses)


@pytest.mark.parametrize(("baud", "hole", "blocks"), [(9600, 11, 1), (9600, 16, 2), (115200, 16, 1)])
def test_a_hole_is_read_through_where_that_costs_less_than_asking_again(baud: int, hole: int, blocks: int) -> None:
    made = coalesce("D", described(125), reads(0, hole + 1), 0, WireLimit(baud, 0))

    assert len(made) == blocks  # field notes: it pays up to 11-13 registers at 9600 baud and 5 ms of turnaround


def test_a_block_is_no_longer_than_a_shed_write_may_wait() -> None:
    made = coalesce("D", described(125), reads(*range(20)), 0, WireLimit(9600, 50_000_000))

    assert [(b.first, b.count) for b in made] == [(0, 11), (11, 9)]
    assert max(budget.read_ns(9600, block, 0.005) for block in made) <= 50_000_000


def test_only_a_line_with_outputs_keeps_its_blocks_short() -> None:
    (with_outputs,) = plan(wiring(module(), cells(2), baud=9600))
    alone = plan(wiring(device("T", "temp_pt100_4ch", 2, temp_0="T"), baud=9600))

    assert max(budget.read_ns(9600, b, 0.005) for d in with_outputs.devices for b in d.blocks) <= 50_000_000
    assert alone


def test_an_overloaded_line_names_the_group_what_it_misses_and_the_device_to_move() -> None:
    crowd = [cells(unit, f"U{unit}-") for unit in range(2, 9)]

    with pytest.raises(PodError) as caught:
        plan(wiring(module(), *crowd, baud=9600, tick_s=0.4))

    said = str(caught.value)
    assert (
        "line A at 9600 baud carries 99%, limit 80% of the tick of 0.4 s; group fast misses its 400 ms by 76 ms" in said
    )
    assert (
        "raise its baud rate to 19200, or move XM-A (FV-101, FV-103, ZT-101, ZT-103, ZSC-111) to another line" in said
    )


def test_a_slow_point_inside_a_quick_block_comes_with_it() -> None:
    made = coalesce("D", described(125), reads(0, 5) + reads(3, 9, period_ns=4), 0, ANY)

    assert [(b.first, b.count, b.period_ns, len(b.points)) for b in made] == [(0, 6, 1, 3), (9, 1, 4, 1)]


def test_the_block_with_the_output_image_comes_first() -> None:
    coil = Point("C", "coil", 0, "bit", "1", 0.0, 1.0)

    made = coalesce("D", described(125), [(1, coil), *reads(2)], 1, ANY)

    assert [(b.table, b.first, b.count) for b in made] == [("input", 2, 7), ("coil", 0, 1)]


def test_an_address_outside_every_readable_range_is_refused() -> None:
    with pytest.raises(PodError, match=r"E307 device D: input 25..25 .*correct the description"):
        coalesce("D", described(125), reads(25), 0, ANY)


def test_an_overloaded_line_is_refused_with_its_name_its_load_and_the_remedy() -> None:
    crowd = [cells(unit, f"U{unit}-") for unit in range(2, 14)]

    with pytest.raises(PodError) as caught:
        plan(wiring(module(), *crowd, baud=9600))

    for part in ("E202", "line A", "9600 baud", "carries 125%", "limit 80%", "raise its baud rate to 19200"):
        assert part in str(caught.value)
    assert plan(wiring(module(), *crowd, baud=115200))[0].load_frac < 0.5


def test_a_tick_too_short_for_the_line_is_refused() -> None:
    with pytest.raises(PodError, match=r"E202 .*tick of 0.03 s"):
        plan(wiring(module(), cells(2), tick_s=0.03))


def test_the_load_counts_the_longest_slow_read_in_the_busiest_tick() -> None:
    assert budget.load_frac([10, 20], [(50, 1000), (40, 1000)], 100) == pytest.approx(0.8)
    assert budget.load_frac([10, 20], [(50, 100), (40, 100)], 100) == pytest.approx(1.2)


def test_wire_time_of_a_read_is_that_of_the_field_notes() -> None:
    # 20 registers at 19200 baud: (8 + 45) characters of 10 bits, turnaround 5 ms, t3.5 twice = 36.6 ms
    assert budget.transaction_ns(19200, 8, 45, 0.005) == pytest.approx(36.6e6, rel=0.01)


def test_the_lease_is_watchdog_and_waiting() -> None:
    io = build(wiring(module(), cells(2)))

    assert (
        2.5 < io.lease_s("FV-101") < 2.6
    )  # the watchdog, a failure in flight, a first try without its echo, a tick's load
    assert build(wiring(module(watchdog_s=0.0))).lease_s("FV-101") == float("inf")


RADAR = device("X", "level_radar", 2, level="L")
SPANNED = {"level": (0.0, 1.0)}
SERVER = LineConfig("A", "modbus_tcp", "", 0, False, "10.0.0.7", 502)
WRONG: list[tuple[str, Hardware]] = [
    (
        "E204 device W .* speaks ascii, line A modbus_tcp",
        Hardware((SERVER,), (device("W", "weigh_indicator", 1, weight="L"),), 0.5),
    ),
    ("E203 device X has unit 248", Hardware((SERVER,), (replace(RADAR, unit=248),), 0.5)),
    (
        "E202 line A carries .* of the tick of 0.005 s; group fast misses its 5 ms by",
        Hardware((SERVER,), (RADAR,), 0.005),
    ),
    (
        "E201 device X hangs on line 'A': use one of B",
        Hardware((LineConfig("B", "modbus_rtu", "", 9600),), (RADAR,), 0.5),
    ),
    ("E203 line A: WM-2 and X both have unit 2", wiring(cells(2), RADAR)),
    ("E203 device X has unit 248: Modbus allows 1 to 247", wiring(replace(RADAR, unit=248))),
    ("E204 device W .* speaks ascii, line A modbus_rtu", wiring(device("W", "weigh_indicator", 1, weight="L"))),
    ("E205 line A runs at 57600 baud", wiring(cells(2), baud=57600)),
    ("E303 device X: .* no point 'levle': use one of level", wiring(replace(RADAR, tags={"levle": "L"}))),
    ("E304 tag WT-101 is given twice", wiring(cells(2), cells(3))),
    ("E308 device X: span of 'level'", wiring(replace(RADAR, tags={}, spans=SPANNED))),
    ("E308 span .* of L .level. cannot be used", wiring(replace(RADAR, spans=SPANNED))),
    (
        "E308 span .* of I",
        wiring(replace(device("X", "analog_8ch", 2, current_0="I"), spans={"current_0": (1.0, 1.0)})),
    ),
]


@pytest.mark.parametrize(("message", "hardware"), WRONG)
def test_a_wiring_that_cannot_work_is_refused_with_the_remedy(message: str, hardware: Hardware) -> None:
    with pytest.raises(PodError, match=message):
        plan(hardware)


def test_a_watchdog_longer_than_the_module_knows_is_refused() -> None:
    with pytest.raises(PodError, match=r"E305 device X: watchdog_s = 900.0 is outside 0.1 to 60.0 s"):
        plan(wiring(DeviceConfig("X", "io_module_8", "A", 1, 900.0, {"output_0": "F"})))


def test_two_indicators_on_one_line_are_refused() -> None:
    lines = (LineConfig("W", "ascii", "", 9600),)
    two = tuple(DeviceConfig(n, "weigh_indicator", "W", k, 0.0, {"weight": n}) for k, n in enumerate("ab"))

    with pytest.raises(PodError, match="E204 line W listens to one indicator, 2"):
        plan(Hardware(lines, two, 0.5))


def test_a_server_carries_modbus_devices_whatever_their_baud_and_may_be_unit_255() -> None:
    (line,) = plan(Hardware((SERVER,), (replace(RADAR, unit=255), cells(2)), 0.5))

    assert line.load_frac == pytest.approx(2 * (0.005 + 0.002) / 0.5)  # turnaround and round trip of each


def test_the_library_types_all_build() -> None:
    for device_type in ("level_hydrostatic", "level_radar", "temp_pt100_4ch", "analog_8ch"):
        name = load(device_type).point[0].name
        assert build(Hardware((LINE,), (device("X", device_type, 2, **{name: "T"}),), 0.5)).lines
