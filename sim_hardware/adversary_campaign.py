"""Many seeds of the adversary's game, on several processes, counted: plant-steps, strikes, spills, the worst margin.

A seed is a plant, a world and a strategy; the same seed gives the same run. To go on where a campaign stopped, begin
with the `next_seed` that it printed. Neighbours: `cli_guard` prints. Must not know physics.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from typing import NamedTuple

from pod_controller.kernels.records import FRAME, PERMIT, STATE, WISH, Record, table
from sim_hardware.adversary_play import play
from sim_hardware.adversary_world import FAULTS, RANDOM, drawn, first_run

TICKS = 20_000


class Seed(NamedTuple):
    """What became of one seed."""

    seed: int
    ticks: int
    plant_steps: int
    strikes: int
    spilled_kg: float
    chute_over_kg: float
    least_margin_kg: float
    passed_kg: float
    story: str


class Campaign(NamedTuple):
    """The sum over seeds. spills: the story of each seed that spilled."""

    seeds: int
    next_seed: int
    ticks: int
    plant_steps: int
    strikes: int
    spilled_kg: float
    spills: tuple[str, ...]
    least_margin_kg: float
    passed_kg: float


def play_seed(seed: int, ticks: int = TICKS) -> Seed:
    """One seed to its end, or to its first spill."""
    plant, world = drawn(seed)
    run = first_run(plant, world)
    state, frame, wish, permit = (table(kind) for kind in (STATE, FRAME, WISH, PERMIT))
    play(plant, state, frame, wish, permit, world, run, ticks)
    r = run[0]
    return Seed(
        seed,
        int(r.ticks),
        int(r.plant_steps),
        int(r.strikes),
        float(r.spilled_kg),
        float(r.chute_over_kg),
        float(r.least_margin_kg),
        float(r.passed_kg),
        _story(plant[0], world[0], r),
    )


def _story(p: Record, w: Record, r: Record) -> str:
    """One line: what was attacked, with what, and what came of it."""
    how = "at random" if w.strategy == RANDOM else "greedily"
    what = f"{FAULTS[int(w.one)]} and {FAULTS[int(w.other)]}, {how}"
    where = f"{int(p.n_chutes)} inlets, {int(p.n_vessels)} vessels"
    end = f"vessel {int(r.spilled_vessel)} over its lip by {r.spilled_kg:.3g} kg at tick {int(r.spilled_tick)}"
    return f"seed {int(w.seed)}: {where}: {what}: {end if r.spilled_kg > 0.0 else 'nothing spilled'}"


def campaign(
    steps: int, first_seed: int, jobs: int = 1, progress: Callable[[Campaign], None] = lambda sum_: None
) -> Campaign:
    """Seeds from first_seed on until so many plant-steps are done."""
    total = Campaign(0, first_seed, 0, 0, 0, 0.0, (), float("inf"), 0.0)
    for one in _played(first_seed, jobs):
        total = _add(total, one)
        if total.seeds % 50 == 0:
            progress(total)
        if total.plant_steps >= steps:
            break
    return total


def _played(first_seed: int, jobs: int) -> Iterator[Seed]:
    """Seeds without end, in order."""
    if jobs == 1:
        yield from map(play_seed, count(first_seed))
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for start in count(first_seed, 16 * jobs):
            yield from pool.map(play_seed, range(start, start + 16 * jobs))


def _add(total: Campaign, one: Seed) -> Campaign:
    spilled = one.spilled_kg > 0.0 or one.chute_over_kg > 1e-6
    story = one.story + (f"; a chute over its lip by {one.chute_over_kg:.3g} kg" if one.chute_over_kg > 1e-6 else "")
    return Campaign(
        total.seeds + 1,
        one.seed + 1,
        total.ticks + one.ticks,
        total.plant_steps + one.plant_steps,
        total.strikes + one.strikes,
        total.spilled_kg + one.spilled_kg + max(0.0, one.chute_over_kg),
        (*total.spills, story) if spilled else total.spills,
        min(total.least_margin_kg, one.least_margin_kg),
        total.passed_kg + one.passed_kg,
    )
