"""Our master on a line of ten devices with sixty tags: how long a scan takes, how long a shed write waits.

Job: one line, every device one block of six registers in every tick, and a relay module that is written; note when
each frame leaves. Neighbours: `figures` reckons with what is noted. Must not know the far end.
"""

import asyncio
from itertools import pairwise
from random import Random
from typing import NamedTuple

from hal.blocks import Block, BlockPlan
from hal.bus.tap import LineTap
from hal.clock import SystemClock
from hal.description import LineConfig
from hal.device import Device
from hal.line import ModbusLine
from hal.outputs import OutputModule, OutputPlan
from hal.pod_io import PodIO
from hal.points import Point
from hal.port_watch import WatchedPort
from hal.runner import PortOwner
from hal.transport import SerialTransport, Transport
from hal.values import Command
from sim_hardware.bench.line_cycle import Cycle, Watched
from sim_hardware.line_scan.far_end import REGISTERS, UNITS

OUTPUT = "FV-1"
IMAGE_AT, IMAGE_FIRST = 8, 5
_MS, _NS = 1_000_000, 1_000_000_000
_SETTLE_S, _STEP_S = 1.5, 0.02


class Scans(NamedTuple):
    """Cycles from a rested line, how long writes ordered in the middle of one had to wait, what failed meanwhile."""

    cycles: list[Cycle]
    waits_ns: list[int]
    failed_count: int


class Periods(NamedTuple):
    """Times between two reads of each living device, and how often one of those failed."""

    periods_ns: list[int]
    failed_count: int


def line_of_ten(baud: int, tick_ns: int) -> tuple[ModbusLine, PodIO]:
    """Units 1 to 10, six registers each; unit 1 has outputs."""
    line = ModbusLine("S", baud, True, tick_ns)
    for unit in range(1, UNITS + 1):
        device = Device(f"D-{unit}", "S", unit, 5 * _MS, 100 * _MS)
        first = IMAGE_FIRST if unit == 1 else 0
        points = tuple(
            Point(f"{unit}.{first + k}", "input", first + k, "u16", "1", 0.0, 65535.0) for k in range(REGISTERS)
        )
        block = Block(BlockPlan("input", first, REGISTERS, tick_ns, points), device, tick_ns, line.readings)
        plan = OutputPlan(0, 8, ((OUTPUT, 0),), IMAGE_AT - IMAGE_FIRST, 2 * _NS, 20, 0)
        line.add(device, [block], OutputModule(plan, device, line.acks) if unit == 1 else None)
    return line, PodIO([line], {})


def port(config: LineConfig) -> Transport:
    """The port as the core holds it: watched, and with its frames remembered."""
    return WatchedPort(config.name, config.port, LineTap(config, SerialTransport(config), SystemClock()))


async def scan(config: LineConfig, cycles: int, orders: int, seed: int) -> Scans:
    """Scans one after another, then orders at random moments of some more."""
    clock, random = SystemClock(), Random(seed)
    line, io = line_of_ten(config.baud, 3600 * _NS)
    watched = Watched(line, 4 * _MS)
    owner = PortOwner(watched, port(config), config.baud, clock)
    owner.start()
    await asyncio.sleep(_SETTLE_S)
    watched.cycles.clear()
    waits_ns: list[int] = []
    for number in range(cycles + orders):
        before = len(watched.cycles)
        line.begin_tick(clock.now_ns())
        owner.pump()
        if number >= cycles:
            await asyncio.sleep(random.random() * 0.6 * watched.cycles[0].took_ns / _NS)
            waits_ns.append(await _order(watched, owner, io, clock, float(number % 2)))
        while len(watched.cycles) == before:
            await asyncio.sleep(_STEP_S)
    owner.stop()
    return Scans(watched.cycles[:cycles], waits_ns, line.failed_count)


async def _order(watched: Watched, owner: PortOwner, io: PodIO, clock: SystemClock, open_frac: float) -> int:
    """Order in the middle of a scan; how long until its frame left."""
    now_ns = clock.now_ns()
    io.apply([Command(OUTPUT, open_frac, now_ns, now_ns + _NS)], now_ns)
    owner.pump()
    while watched.written_ns < now_ns:
        await asyncio.sleep(0.001)
    return watched.written_ns - now_ns


async def beside_a_dead_one(config: LineConfig, tick_ns: int, ticks: int) -> Periods:
    """Ticks with unit 10 dead; from tick to tick, the time between two reads of each living device."""
    clock = SystemClock()
    line, io = line_of_ten(config.baud, tick_ns)
    watched = Watched(line, 4 * _MS)
    owner = PortOwner(watched, port(config), config.baud, clock)
    owner.start()
    start_ns = clock.now_ns()
    for number in range(ticks):
        io.apply([], clock.now_ns())
        owner.pump()
        await asyncio.sleep(max(0.0, (start_ns + (number + 1) * tick_ns - clock.now_ns()) / _NS))
    owner.stop()
    failed_count = sum(sum(health.faults.values()) for health in line.health()[: UNITS - 1])
    return Periods(periods_of_the_living(watched), failed_count)


def periods_of_the_living(watched: Watched) -> list[int]:
    """Times between two reads of units 1 to 9, once watchdogs are set."""
    periods: list[int] = []
    for unit in range(1, UNITS):
        times = [at_ns for at_ns, frame in watched.sent if (frame[0], frame[1]) == (unit, 4)]
        periods += [later - earlier for earlier, later in pairwise(times[2:])]
    return periods
