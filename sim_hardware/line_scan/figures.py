"""Rows of `podctl bench scan`: a scan beside the wire, a shed write beside a block, a period beside a dead device.

Goals (issue 6): a scan of ten devices with sixty tags takes at most 1.05 x (characters of 10 bits + t3.5 + turnaround);
a shed write waits no longer than one block; beside a dead device the others lose at most one time-out.
The figure is what the watch shows. A pseudo-terminal is later than a wire would be: what its far end itself says it
was late is told beside it, for every client alike, and counts for nobody.
Neighbours: `master`, `peers` measure, `cli_bench` prints. Must not know frames.
"""

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from hal.description import LineConfig
from hal.errors import PodError
from hal.runner import precise_loop
from hal.wire_time import char_ns, silence_ns
from pod_controller import scheduling
from sim_hardware.bench.core import Row
from sim_hardware.bench.line_cycle import GOAL_RATIO, NOT_READY, TURNAROUND_NS, Cycle, measure_pymodbus
from sim_hardware.line_scan import master, peers
from sim_hardware.line_scan.far_end import BAUDS

CYCLES, ORDERS, TICKS = 20, 12, 16
_LATE_NS = 100_000_000  # how late this line's devices are declared to be
_BLOCK_BYTES = 8 + 5 + 12
_TICK_SCANS = 1.6  # a tick is so many scans long
Answers = Sequence[Sequence[int]]  # of one terminal: when, and how late


class _Measured(NamedTuple):
    """What was measured at one speed, and the terminal that carried the scans."""

    baud: int
    place: str
    ours: master.Scans
    others: dict[str, list[Cycle]]
    tick_ns: int
    beside: master.Periods


def rows(bauds: Sequence[int] = BAUDS, cycles: int = CYCLES, orders: int = ORDERS, ticks: int = TICKS) -> list[Row]:
    """Three rows per speed; PodError 184 when the devices do not start."""
    answers: dict[str, Answers] = {}
    with _far_end(answers) as places, _as_the_core():
        measured = [_measure(baud, places, cycles, orders, ticks) for baud in bauds]
    return [row for each in measured for row in (_scan(each, answers[each.place]), _shed(each), _dead(each))]


def _measure(baud: int, places: dict[str, str], cycles: int, orders: int, ticks: int) -> _Measured:
    config = LineConfig("S", "modbus_rtu", places[str(baud)], baud)
    dead = LineConfig("S", "modbus_rtu", places[f"{baud}-dead"], baud)
    with asyncio.Runner(loop_factory=precise_loop) as loop:
        ours = loop.run(master.scan(config, cycles, orders, baud))
        tick_ns = round(_TICK_SCANS * ours.cycles[-1].ideal_ns(baud, True)) + _LATE_NS
        beside = loop.run(master.beside_a_dead_one(dead, tick_ns, ticks))
    exchanges = ours.cycles[-1].exchanges
    others = {"pymodbus": asyncio.run(measure_pymodbus(config, exchanges, cycles))}
    others |= peers.measured(config, exchanges, cycles)
    return _Measured(baud, config.port, ours, others, tick_ns, beside)


def _terminal_ns(cycle: Cycle, answers: Answers) -> int:
    """How late the terminal's answers were within a cycle, together."""
    begin = bisect_left(answers, cycle.began_ns, key=lambda each: each[0])
    end = bisect_right(answers, cycle.began_ns + cycle.took_ns, key=lambda each: each[0])
    return sum(late_ns for _, late_ns in answers[begin:end])


def _net_ratio(cycles: Sequence[Cycle], answers: Answers, baud: int, with_silence: bool) -> float:
    """Median of the cycles' ratios without what the terminal was late."""
    return statistics.median((x.took_ns - _terminal_ns(x, answers)) / x.ideal_ns(baud, with_silence) for x in cycles)


def _scan(measured: _Measured, answers: Answers) -> Row:
    baud, ours = measured.baud, measured.ours.cycles
    ratios = [cycle.took_ns / cycle.ideal_ns(baud, True) for cycle in ours]
    ratio = statistics.median(ratios)
    detail = {
        "scans": len(ours),
        "transactions": len(ours[-1].exchanges),
        "scan_ms": statistics.median(cycle.took_ns for cycle in ours) * 1e-6,
        "ideal_ms": ours[-1].ideal_ns(baud, True) * 1e-6,
        "p90_ratio": sorted(ratios)[int(0.9 * len(ratios))],
        "ratio_without_terminal": _net_ratio(ours, answers, baud, True),
        "terminal_us_each": statistics.mean(_terminal_ns(x, answers) / len(x.exchanges) for x in ours) * 1e-3,
        "ideal_without_silence_ms": ours[-1].ideal_ns(baud, False) * 1e-6,
    }
    for name, cycles in measured.others.items():
        detail[f"{name}_ms"] = statistics.median(cycle.took_ns for cycle in cycles) * 1e-6
        detail[f"{name}_ratio"] = statistics.median(c.took_ns / c.ideal_ns(baud, False) for c in cycles)
        detail[f"{name}_ratio_without_terminal"] = _net_ratio(cycles, answers, baud, False)
    return Row(f"scan at {baud}", ratio, "x ideal", GOAL_RATIO, ratio <= GOAL_RATIO, detail)


def _shed(measured: _Measured) -> Row:
    """The longest wait of a write that was ordered in the middle of a scan, beside the time of one block."""
    baud, ours = measured.baud, measured.ours
    block_ms = (_BLOCK_BYTES * char_ns(baud) + TURNAROUND_NS + silence_ns(baud)) * 1e-6
    waits_ns = ours.waits_ns
    worst_ms = max(waits_ns, default=0) * 1e-6
    goal_ms = GOAL_RATIO * block_ms
    detail = {"orders": len(waits_ns), "median_ms": statistics.median(waits_ns) * 1e-6, "block_ms": block_ms}
    detail["failed"] = ours.failed_count  # of all exchanges: a machine that is busy elsewhere makes time-outs
    return Row(f"shed write at {baud}", worst_ms, "ms", goal_ms, worst_ms <= goal_ms, detail)


def _dead(measured: _Measured) -> Row:
    """The longest time between two reads of a living device beyond the tick, beside one time-out."""
    baud, tick_ns, beside = measured.baud, measured.tick_ns, measured.beside
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
def _as_the_core() -> Iterator[None]:
    """Scheduled as the core's control thread is, every client alike; an ordinary thread again afterwards."""
    scheduling.go_first()
    scheduling.settle_memory()
    try:
        yield
    finally:
        scheduling.restore_memory()
        os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, os.sched_param(0))
        gc.collect()


@contextmanager
def _far_end(answers: dict[str, Answers]) -> Iterator[dict[str, str]]:
    """The devices in another process; their terminals by name. answers: what it tells of its terminals at the end."""
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
        answers |= json.loads(process.communicate()[0])
    finally:
        process.terminate()
        process.communicate()
