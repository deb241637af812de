"""Lines do not grow: thousands of transactions under faults, and a simulated week (an hour of it in ordinary runs)."""

import tracemalloc
from pathlib import Path
from random import Random

import pytest

from hal.blocks import Block, BlockPlan
from hal.device import Device
from hal.line import ModbusLine
from hal.points import Point
from sim_hardware.line_campaign.campaign import Campaign
from sim_hardware.line_campaign.desk import Desk
from sim_hardware.line_campaign.far_end import FarEnd

MS, SECOND = 1_000_000, 1_000_000_000
TICK_NS = 500 * MS
FLAT_KIB = 64  # what counters and the oracle's own memory may do


def test_six_thousand_transactions_under_faults_leave_memory_flat() -> None:
    campaign = Campaign(seed=3)
    tracemalloc.start()
    try:
        campaign.run(3_000)  # the far end remembers 1,024 exchanges, and no more
        before, _ = tracemalloc.get_traced_memory()
        campaign.run(9_000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (after - before) / 1024 < FLAT_KIB


def resident_kib() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


@pytest.mark.campaign
def test_a_simulated_week_of_one_line_leaves_memory_flat(depth: str) -> None:
    line = ModbusLine("A", 38400, True, TICK_NS)
    device = Device("D", "A", 2, 5 * MS, 250 * MS)
    points = (Point("T", "input", 0, "u16", "1", 0.0, 65535.0),)
    line.add(device, [Block(BlockPlan("input", 0, 4, TICK_NS, points), device, TICK_NS, line.readings)], None)
    far_end = FarEnd(Random(1), 0.02, 10_000_000_000 // 38400)
    desk = Desk(line, far_end, 38400)
    hours = 168 if depth == "full" else 1
    resident = []

    for _ in range(4):
        for _ in range(hours * 1800):
            line.begin_tick(desk.now_ns)
            desk.run(desk.now_ns + TICK_NS)
            line.collect(desk.now_ns)
        resident.append(resident_kib())

    assert far_end.exchanges > hours * 7000
    assert resident[-1] - resident[0] < 2_000
