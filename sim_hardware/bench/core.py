"""The figures of `podctl bench core`: how fast the core and its simulation are, each beside its goal.

Each function measures one thing and gives its rows; nothing here judges beyond `met`. Goals are those of the project's
first milestone. Neighbours: `cli_bench` shows the rows, `ratio` times pairs, `child` is a fresh process,
`frames` drives the kernel without a plant. Must not know how rows are shown.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from ctypes import memmove
from dataclasses import replace
from functools import partial
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from hal.errors import PodError
from pod_controller import topology
from pod_controller.config import PodConfig, load
from pod_controller.kernels import compile as compiler
from pod_controller.kernels import records
from pod_controller.kernels.cycle import cycle
from pod_controller.kernels.records import Table
from sim_hardware.bench.frames import EchoPod, widened
from sim_hardware.bench.ratio import Work, ratio
from sim_hardware.fast_tier import tier_a
from sim_hardware.pod import SimulatedPod
from sim_hardware.scenarios import draw
from sim_hardware.to_c.twin import CTwin, address

SCENARIOS = ("quiet_day", "festival")
TIER_A_GOAL = 1_000_000.0  # simulated seconds per CPU second, the hydraulic pod
LIVING_GOAL = 300_000.0  # the same with all of the biology
LIVING = "clean_month"
TIER_B_GOAL = 1_000.0  # simulated seconds per second of wall time, with all bytes
TWIN_RATIO, TWIN_OVER_US = 1.10, 0.3  # the kernel against the same C at -O2
ARMED_S = 2.0 + 5 * 0.5  # the process, and five ticks of the reference pod
VERSION_S = 0.3
MEMORY_MB = 200.0
CHILD_FAILED = 943
LIVING_RATIO = 6  # times as long as the hydraulics alone: two days
TABLES = (records.PLANT, records.DESK)


class Row(NamedTuple):
    """One figure. detail: what it was computed from, and on what; keys carry their units."""

    name: str
    figure: float
    unit: str
    goal: float
    met: bool
    detail: dict[str, Any]


class Sizes(NamedTuple):
    """How much is run: simulated seconds, repeats, frames per block."""

    tier_a_s: float = 28_800.0
    tier_b_s: float = 3_600.0
    child_s: float = 600.0
    repeats: int = 25
    frames_count: int = 400
    processes: int = 5


TINY = Sizes(tier_a_s=60.0, tier_b_s=10.0, child_s=10.0, repeats=1, frames_count=20, processes=1)


def steps(sizes: Sizes) -> Iterator[tuple[str, Callable[[], list[Row]]]]:
    """What to measure, in order: a name for the progress line, and the measurement."""
    config = load(Path(str(files("sim_hardware").joinpath("reference/pod.toml"))))
    plant = topology.build(config).table
    for scenario in SCENARIOS:
        yield f"tier A, {scenario}", partial(tier_a_rows, config, scenario, sizes)
    yield "tier A with biology", partial(living_rows, config, sizes)
    for scenario in SCENARIOS:
        yield f"tier B, {scenario}", partial(tier_b_rows, config, scenario, sizes)
    for chutes in (len(config.chute), 8):
        yield f"kernel tick, {chutes} chutes, and the same in C", partial(kernel_rows, widened(plant, chutes), sizes)
    yield "fresh processes until armed, and their memory", partial(child_rows, sizes)
    yield "podctl --version", partial(version_rows, sizes)


def tier_a_rows(config: PodConfig, scenario: str, sizes: Sizes) -> list[Row]:
    """Simulated seconds per CPU second of this process; everything is compiled before."""
    built = topology.build(config)
    tier_a.run(built, scenario, 0, duration_s=10.0)
    begun_s = time.process_time()
    result = tier_a.run(built, scenario, 0, duration_s=sizes.tier_a_s)
    spent_s = time.process_time() - begun_s
    figure = result.simulated_s / spent_s
    detail = {"simulated_s": result.simulated_s, "cpu_s": spent_s, "us_per_tick": spent_s / result.ticks * 1e6}
    return [Row(f"tier_a_{scenario}", figure, "simulated s per CPU s", TIER_A_GOAL, figure >= TIER_A_GOAL, detail)]


def living_rows(config: PodConfig, sizes: Sizes) -> list[Row]:
    """The same with the digester, the gas line and the culture living once a minute; and what they take of it."""
    built = topology.build(config)
    spent_s = {}
    for biology in (True, False):
        drawn = draw(LIVING, 0, len(config.chute), LIVING_RATIO * sizes.tier_a_s, biology)
        tier_a.run(built, replace(drawn, duration_s=60.0), 0)
        begun_s = time.process_time()
        result = tier_a.run(built, drawn, 0)
        spent_s[biology] = time.process_time() - begun_s
    figure = result.simulated_s / spent_s[True]
    detail = {
        "scenario": LIVING,
        "simulated_s": result.simulated_s,
        "cpu_s": spent_s[True],
        "cpu_s_without": spent_s[False],
        "biology_us_per_minute": (spent_s[True] - spent_s[False]) / (result.simulated_s / 60.0) * 1e6,
    }
    name = "tier_a_with_biology"
    return [Row(name, figure, "simulated s per CPU s", LIVING_GOAL, figure >= LIVING_GOAL, detail)]


def tier_b_rows(config: PodConfig, scenario: str, sizes: Sizes) -> list[Row]:
    """Simulated seconds per second of wall time, every byte on virtual lines; the pod is built before."""
    pod = SimulatedPod(config, draw(scenario, 0, len(config.chute), sizes.tier_b_s))
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    pod.run()
    spent_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    simulated_s = pod.result().simulated_s
    figure = simulated_s / spent_s
    detail = {
        "simulated_s": simulated_s,
        "wall_s": spent_s,
        "cpu_s": cpu_s,
        "simulated_s_per_cpu_s": simulated_s / cpu_s,
    }
    return [Row(f"tier_b_{scenario}", figure, "simulated s per s", TIER_B_GOAL, figure >= TIER_B_GOAL, detail)]


def kernel_rows(plant: Table, sizes: Sizes) -> list[Row]:
    """CPU microseconds of one whole tick called from Python, beside the same algorithm in C called by ctypes."""
    twin = CTwin(cycle, TABLES)
    works = _tick_works(plant, twin, sizes.frames_count)
    found = ratio(works.kernel, works.twin, sizes.repeats)
    copy_us = ratio(works.copy, works.copy, sizes.repeats).one_us  # laying the frame on the desk is in both
    one_us, c_us = found.one_us - copy_us, found.other_us - copy_us
    goal_us = TWIN_RATIO * c_us + TWIN_OVER_US
    detail = {"c_us": c_us, "ratio": one_us / c_us, "spread_ratio": found.spread_ratio}
    name = f"kernel_tick_{int(plant[0].n_chutes)}_chutes"
    return [Row(name, one_us, "us", goal_us, one_us <= goal_us, detail)]


class _TickWorks(NamedTuple):
    """The kernel, its twin, and what both do besides."""

    kernel: Work
    twin: Work
    copy: Work


def _tick_works(plant: Table, twin: CTwin, frames_count: int) -> _TickWorks:
    """The same frames from the same state for both, recorded from a pod that answers its permits."""
    pod, desk = EchoPod(plant, seed=0), records.table(records.DESK)
    frames = []
    for tick in range(2 * frames_count):
        frames.append(pod.frame(desk["permit"] if tick else None))
        if tick == frames_count:
            start = desk.copy()
        desk["frame"] = frames[-1]
        cycle(plant, desk)
    places = [address(frame) for frame in frames[frames_count:]]
    frame_at, size = address(desk["frame"]), records.FRAME.itemsize

    def again() -> None:
        desk[:] = start

    def run_kernel() -> None:
        for place in places:
            memmove(frame_at, place, size)
            cycle(plant, desk)

    def run_twin(call: Callable[..., None] = twin.call) -> None:
        plant_at, desk_at = address(plant), address(desk)
        for place in places:
            memmove(frame_at, place, size)
            call(plant_at, desk_at)

    def run_copy() -> None:
        for place in places:
            memmove(frame_at, place, size)

    runs = (Work(again, run, frames_count) for run in (run_kernel, run_twin, run_copy))
    return _TickWorks(*runs)


def child_rows(sizes: Sizes) -> list[Row]:
    """From the start of a process until its pod is armed, with a warm cache; and what it holds after a while."""
    compiler.seal()  # what this process has compiled may be loaded by the next
    runs = [_child(sizes.child_s) for _ in range(sizes.processes + 1)][1:]  # the first may still compile
    armed = {key: median(run[key] for run in runs) for key in ("wall_s", "cpu_s", "armed_at_s")}
    figure = armed["wall_s"] + armed["armed_at_s"]
    resident_mb = median(run["resident_mb"] for run in runs)
    held = {"peak_mb": median(run["peak_mb"] for run in runs), "simulated_s": sizes.child_s}
    return [
        Row("warm_start_to_armed", figure, "s", ARMED_S, figure <= ARMED_S, armed),
        Row("resident_memory", resident_mb, "MB", MEMORY_MB, resident_mb <= MEMORY_MB, held),
    ]


def _child(duration_s: float) -> dict[str, float]:
    """One `bench.child`: what it tells, and the wall time until it told that it was armed."""
    begun_s = time.perf_counter()
    command = [sys.executable, "-m", "sim_hardware.bench.child", str(duration_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        wall_s = time.perf_counter() - begun_s
        rest, complaint = process.communicate()
    if process.returncode != 0 or not first or not rest:
        last = (complaint.strip().splitlines() or ["no message"])[-1]
        raise PodError(
            CHILD_FAILED, f"bench.child {duration_s} ended with {process.returncode}: {last}; run it by hand"
        )
    return {**json.loads(first), **json.loads(rest), "wall_s": wall_s}


def version_rows(sizes: Sizes) -> list[Row]:
    """Wall time of `podctl --version`, median of several."""
    script = Path(sys.executable).with_name("podctl")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "pod_controller"]
    spent_s = []
    for _ in range(2 * sizes.processes + 1):
        begun_s = time.perf_counter()
        subprocess.run([*command, "--version"], capture_output=True, check=True)
        spent_s.append(time.perf_counter() - begun_s)
    figure = median(spent_s)
    detail = {"runs": len(spent_s), "fastest_s": min(spent_s), "slowest_s": max(spent_s)}
    return [Row("podctl_version", figure, "s", VERSION_S, figure <= VERSION_S, detail)]
