"""Ten devices with sixty tags: what the line makes of the wire on virtual time, and that `bench scan` measures it."""

import json
import subprocess
import sys
from random import Random

import pytest

from hal.wire_time import char_ns, silence_ns
from sim_hardware.bench.line_cycle import Watched
from sim_hardware.line_campaign.desk import Desk
from sim_hardware.line_campaign.faults import Frames
from sim_hardware.line_scan.far_end import DEAD_UNIT, UNITS, line
from sim_hardware.line_scan.master import line_of_ten, periods_of_the_living

MS, SECOND = 1_000_000, 1_000_000_000
TIMEOUT_NS = 100 * MS  # how late the devices of this line are declared to be
BAUDS = [9600, 19200, 115200]


class Slaves:
    """The devices of the bench without a terminal."""

    def __init__(self, alive: int) -> None:
        self._line = line("S", alive)

    def answer(self, request: bytes, now_ns: int) -> Frames:
        return [(round(delay_s * SECOND), data) for delay_s, data in self._line.receive(request, now_ns)]


def block_ns(baud: int) -> int:
    """One block of six registers: 8 + 17 characters, turnaround 4 ms, t3.5."""
    return 25 * char_ns(baud) + 4 * MS + silence_ns(baud)


@pytest.mark.parametrize("baud", BAUDS)
def test_a_scan_takes_what_the_wire_takes(baud: int) -> None:
    master, _ = line_of_ten(baud, 3600 * SECOND)
    watched = Watched(master, 4 * MS)
    desk = Desk(watched, Slaves(UNITS), baud)

    master.begin_tick(0)
    desk.run(SECOND)
    watched.sent.clear()

    master.begin_tick(desk.now_ns)
    desk.run(2 * SECOND)

    times = [at_ns for at_ns, _ in watched.sent]
    write_ns = 18 * char_ns(baud) + 4 * MS + silence_ns(baud)
    assert len(times) == 11
    assert times[-1] - times[0] <= 1.05 * (write_ns + 9 * block_ns(baud))


@pytest.mark.parametrize("baud", BAUDS)
def test_a_shed_write_waits_no_longer_than_one_block(baud: int) -> None:
    master, io = line_of_ten(baud, 3600 * SECOND)
    watched = Watched(master, 4 * MS)
    desk, random, waits_ns = Desk(watched, Slaves(UNITS), baud), Random(baud), []
    desk.run(SECOND)

    for _ in range(60):
        master.begin_tick(desk.now_ns)
        desk.run(desk.now_ns + random.randrange(12 * block_ns(baud)))
        ordered_ns = desk.now_ns
        io.safe_state(ordered_ns)
        desk.run(ordered_ns + SECOND)
        waits_ns.append(
            min(at_ns for at_ns, frame in watched.sent if frame[1] == 15 and at_ns >= ordered_ns) - ordered_ns
        )

    assert max(waits_ns) <= 1.05 * block_ns(baud)
    assert max(waits_ns) > 0.5 * block_ns(baud)


def periods_without_one(baud: int, tick_ns: int, ticks: int) -> list[int]:
    """Times between two reads of the living, while one of the ten is dead."""
    master, io = line_of_ten(baud, tick_ns)
    watched = Watched(master, 4 * MS)
    desk = Desk(watched, Slaves(DEAD_UNIT - 1), baud)
    for _ in range(ticks):
        io.apply([], desk.now_ns)
        desk.run(desk.now_ns + tick_ns)
    return periods_of_the_living(watched)


@pytest.mark.parametrize("baud", BAUDS)
def test_one_dead_device_of_ten_costs_the_others_at_most_a_time_out(baud: int) -> None:
    tick_ns = 12 * block_ns(baud) + TIMEOUT_NS

    late_ns = [period_ns - tick_ns for period_ns in periods_without_one(baud, tick_ns, 200)]

    assert len(late_ns) > 9 * 190
    assert max(late_ns) <= TIMEOUT_NS + block_ns(baud)
    assert sum(abs(each) > MS for each in late_ns) <= 2 * 9 * 12  # probes get rarer: 1, 2, 4, 8, 16 s


@pytest.mark.parametrize("baud", BAUDS)
def test_a_dead_device_is_probed_in_what_a_tick_leaves(baud: int) -> None:
    tick_ns = 14 * block_ns(baud) + 2 * TIMEOUT_NS

    assert max(abs(period_ns - tick_ns) for period_ns in periods_without_one(baud, tick_ns, 100)) < MS


@pytest.mark.bench
def test_a_scan_of_ten_devices_stands_beside_the_wire_and_beside_other_clients() -> None:
    command = [sys.executable, "-m", "pod_controller", "bench", "scan", "--tiny", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)

    rows = {row["name"]: row for row in json.loads(done.stdout)["rows"]}
    assert list(rows) == ["scan at 115200", "shed write at 115200", "beside a dead device at 115200"]
    detail = rows["scan at 115200"]["detail"]
    # A write of 10 + 8 bytes and ten reads of 8 + 17, 4 ms turnaround, t3.5 of 1.75 ms.
    assert detail["transactions"] == 11
    assert detail["ideal_ms"] == pytest.approx((18 + 10 * 25) * 10e3 / 115200 + 11 * 5.75, rel=1e-3)
    assert rows["scan at 115200"]["figure"] > 0.98
    assert 0.98 < detail["ratio_without_terminal"] < rows["scan at 115200"]["figure"]
    assert 0.0 < detail["terminal_us_each"] < 1000.0
    for peer in ("pymodbus", "libmodbus", "minimalmodbus"):  # a peer that is not here is red, not skipped
        assert 0.98 < detail[f"{peer}_ratio_without_terminal"] < detail[f"{peer}_ratio"]
    assert 9 * 3 <= rows["beside a dead device at 115200"]["detail"]["periods"] <= 9 * 4
    assert all(row["met"] is (row["figure"] <= row["goal"]) for row in rows.values())
