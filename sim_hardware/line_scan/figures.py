"""Rows of `podctl bench scan`: a scan beside the wire, a shed write beside a block, a period beside a dead device.

Goals (issue 6): a scan of ten devices with sixty tags takes at most 1.05 x (characters of 10 bits + t3.5 + turnaround);
a shed write waits no longer than one block; beside a dead device the others lose at most one time-out.
Neighbours: `master`, `peers` measure, `cli_bench` prints. Must not know frames.
"""

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hal.description import LineConfig
from hal.errors import PodError
from hal.runner import precise_loop
from hal.wire_time import char_ns, silence_ns
from sim_hardware.bench.core import Row
from sim_hardware.bench.line_cycle import GOAL_RATIO, NOT_READY, TURNAROUND_NS, Cycle, measure_pymodbus
from sim_hardware.line_scan import master, peers
from sim_hardware.line_scan.far_end import BAUDS

CYCLES, ORDERS, TICKS = 20, 12, 16
_LATE_NS = 100_000_000  # how late this line's devices are declared to be
_BLOCK_BYTES = 8 + 5 + 12
_TICK_SCANS = 1.6  # a tick is so many scans long


def rows(bauds: Sequence[int] = BAUDS, cycles: int = CYCLES, orders: int = ORDERS, ticks: int = TICKS) -> list[Row]:
    """Three rows per speed; PodError 184 when the devices do not start."""
    found = []
    with _far_end() as places:
        for baud in bauds:
            config = LineConfig("S", "modbus_rtu", places[str(baud)], baud)
            dead = LineConfig("S", "modbus_rtu", places[f"{baud}-dead"], baud)
            with asyncio.Runner(loop_factory=precise_loop) as loop:
                ours = loop.run(master.scan(config, cycles, orders, baud))
                tick_ns = round(_TICK_SCANS * ours.cycles[-1].ideal_ns(baud, True)) + _LATE_NS
                beside = loop.run(master.beside_a_dead_one(dead, tick_ns, ticks))
            exchanges = ours.cycles[-1].exchanges
            others = {"pymodbus": asyncio.run(measure_pymodbus(config, exchanges, cycles))}
            others |= peers.measured(config, exchanges, cycles)
            found += [_scan(baud, ours.cycles, others), _shed(baud, ours), _dead(baud, tick_ns, beside)]
    return found


def _scan(baud: int, ours: list[Cycle], others: dict[str, list[Cycle]]) -> Row:
    ratios = [cycle.took_ns / cycle.ideal_ns(baud, True) for cycle in ours]
    ratio = statistics.median(ratios)
    detail = {
        "scans": len(ours),
        "transactions": len(ours[-1].exchanges),
        "scan_ms": statistics.median(cycle.took_ns for cycle in ours) * 1e-6,
        "ideal_ms": ours[-1].ideal_ns(baud, True) * 1e-6,
        "p90_ratio": sorted(ratios)[int(0.9 * len(ratios))],
        "ideal_without_silence_ms": ours[-1].ideal_ns(baud, False) * 1e-6,
    }
    for name, cycles in others.items():
        detail[f"{name}_ms"] = statistics.median(cycle.took_ns for cycle in cycles) * 1e-6
        detail[f"{name}_ratio"] = statistics.median(c.took_ns / c.ideal_ns(baud, False) for c in cycles)
    return Row(f"scan at {baud}", ratio, "x ideal", GOAL_RATIO, ratio <= GOAL_RATIO, detail)


def _shed(baud: int, ours: master.Scans) -> Row:
    """The longest wait of a write that was ordered in the middle of a scan, beside the time of one block."""
    block_ms = (_BLOCK_BYTES * char_ns(baud) + TURNAROUND_NS + silence_ns(baud)) * 1e-6
    waits_ns = ours.waits_ns
    worst_ms = max(waits_ns, default=0) * 1e-6
    goal_ms = GOAL_RATIO * block_ms
    detail = {"orders": len(waits_ns), "median_ms": statistics.median(waits_ns) * 1e-6, "block_ms": block_ms}
    detail["failed"] = ours.failed_count  # of all exchanges: a machine that is busy elsewhere makes time-outs
    return Row(f"shed write at {baud}", worst_ms, "ms", goal_ms, worst_ms <= goal_ms, detail)


def _dead(baud: int, tick_ns: int, beside: master.Periods) -> Row:
    """The longest time between two reads of a living device beyond the tick, beside one time-out."""
    timeout_ms = (_LATE_NS + _BLOCK_BYTES * char_ns(baud) + 2 * silence_ns(baud)) * 1e-6
    over_ms = [(period_ns - tick_ns) * 1e-6 for period_ns in beside.periods_ns]
    worst_ms = max(over_ms)
    detail = {
        "tick_ms": tick_ns * 1e-6,
        "periods": len(over_ms),
        "failed_living": beside.failed_count,
        "median_ms": statistics.median(over_ms),
        "p90_ms": sorted(over_ms)[int(0.9 * len(over_ms))],
    }
    return Row(f"beside a dead device at {baud}", worst_ms, "ms late", timeout_ms, worst_ms <= timeout_ms, detail)


@contextmanager
def _far_end() -> Iterator[dict[str, str]]:
    """The devices in another process; their terminals by name."""
    command = [sys.executable, "-m", "sim_hardware.line_scan.far_end"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise PodError(
                NOT_READY, "bench scan: the devices did not start: try python -m sim_hardware.line_scan.far_end"
            )
        yield json.loads(first)
    finally:
        process.terminate()
        process.communicate()
