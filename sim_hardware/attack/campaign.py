"""Many seeds of the adversary's game, on several processes, counted: plant-steps, strikes, spills, the worst margin.

A seed is a plant, a world, a group of faults and a strategy; every so-manieth seed searches (`evolve`). The same seed
gives the same run. To go on where a campaign stopped, begin with the `next_seed` that it printed. Neighbours:
`cli_guard` prints. Must not know physics.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from itertools import count
from multiprocessing import get_context
from typing import NamedTuple

from pod_controller.kernels.records import DESK, Record, Table, table
from sim_hardware.attack.evolve import SEARCH, evolve
from sim_hardware.attack.kinds import Group, in_words
from sim_hardware.attack.play import play
from sim_hardware.attack.records import EVOLVED, STRATEGIES
from sim_hardware.attack.world import drawn, first_run

TICKS = 20_000
EVOLVES_EVERY = 20  # seeds; a search costs as much as ten plain games


class Seed(NamedTuple):
    """What became of one seed."""

    seed: int
    group: Group
    strategy: int
    plant_steps: int
    strikes: int
    spilled_kg: float
    chute_over_kg: float
    least_margin_kg: float
    story: str


class Sum(NamedTuple):
    """The sum over the seeds of one group of faults."""

    seeds: int
    plant_steps: int
    strikes: int
    spilled_kg: float
    least_margin_kg: float


class Campaign(NamedTuple):
    """The sum over seeds. spills: the story of each seed that spilled; groups: by their faults."""

    seeds: int
    next_seed: int
    plant_steps: int
    strikes: int
    spilled_kg: float
    spills: tuple[str, ...]
    groups: dict[Group, Sum]
    least_margin_kg: tuple[float, ...]  # by strategy


def play_seed(seed: int, ticks: int = TICKS) -> Seed:
    """One seed to its end, or to its first spill."""
    plant, world = drawn(seed)
    if seed % EVOLVES_EVERY == EVOLVES_EVERY - 1:
        found = evolve(plant, world, SEARCH)
        world[0].strategy = EVOLVED
        return _seed(plant, world, found.run[0], found.plant_steps, found.strikes)
    run = played(plant, world, ticks)
    return _seed(plant, world, run[0], int(run[0].plant_steps), int(run[0].strikes))


def played(plant: Table, world: Table, ticks: int) -> Table:
    """The run that one game leaves."""
    run = first_run(plant, world, ticks)
    play(plant, table(DESK), world, run)
    return run


def _seed(plant: Table, world: Table, r: Record, plant_steps: int, strikes: int) -> Seed:
    w = world[0]
    return Seed(
        int(w.seed),
        group_of(w),
        int(w.strategy),
        plant_steps,
        strikes,
        float(r.spilled_kg),
        float(r.chute_over_kg),
        float(r.least_margin_kg),
        _story(plant[0], w, r),
    )


def group_of(w: Record) -> Group:
    """The faults of a world."""
    return int(w.faults[0]), int(w.faults[1]), int(w.faults[2])


def _story(p: Record, w: Record, r: Record) -> str:
    """One line: what was attacked, with what, and what came of it."""
    what = f"{in_words(group_of(w))} ({STRATEGIES[int(w.strategy)]})"
    where = f"{int(p.n_chutes)} inlets, {int(p.n_vessels)} vessels"
    end = "nothing spilled"
    if r.spilled_kg > 0.0:
        end = f"vessel {int(r.spilled_vessel)} over its lip by {r.spilled_kg:.3g} kg at tick {int(r.spilled_tick)}"
    if r.chute_over_kg > 1e-6:
        end += f"; a chute over its lip by {r.chute_over_kg:.3g} kg"
    return f"seed {int(w.seed)}: {where}: {what}: {end}"


def campaign(
    steps: int, first_seed: int, jobs: int = 1, progress: Callable[[Campaign], None] = lambda sum_: None
) -> Campaign:
    """Seeds from first_seed on until so many plant-steps are done."""
    total = nothing(first_seed)
    for one in in_order(play_seed, first_seed, jobs):
        total = add(total, one)
        if total.seeds % 50 == 0:
            progress(total)
        if total.plant_steps >= steps:
            break
    return total


def nothing(first_seed: int) -> Campaign:
    """A campaign before its first seed."""
    return Campaign(0, first_seed, 0, 0, 0.0, (), {}, (float("inf"),) * len(STRATEGIES))


def in_order(each: Callable[[int], Seed], first_seed: int, jobs: int) -> Iterator[Seed]:
    """Seeds without end, in order."""
    if jobs == 1:
        yield from map(each, count(first_seed))
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for start in count(first_seed, 16 * jobs):
            yield from pool.map(each, range(start, start + 16 * jobs))


def add(total: Campaign, one: Seed) -> Campaign:
    """With one seed more."""
    over_kg = one.spilled_kg + (one.chute_over_kg if one.chute_over_kg > 1e-6 else 0.0)
    so_far = total.groups.get(one.group, Sum(0, 0, 0, 0.0, float("inf")))
    group = Sum(
        so_far.seeds + 1,
        so_far.plant_steps + one.plant_steps,
        so_far.strikes + one.strikes,
        so_far.spilled_kg + over_kg,
        min(so_far.least_margin_kg, one.least_margin_kg),
    )
    margins = list(total.least_margin_kg)
    margins[one.strategy] = min(margins[one.strategy], one.least_margin_kg)
    return Campaign(
        total.seeds + 1,
        one.seed + 1,
        total.plant_steps + one.plant_steps,
        total.strikes + one.strikes,
        total.spilled_kg + over_kg,
        (*total.spills, one.story) if over_kg > 0.0 else total.spills,
        {**total.groups, one.group: group},
        tuple(margins),
    )


def table_of_groups(groups: Mapping[Group, Sum]) -> list[str]:
    """One line per group of faults, the narrowest margin first."""
    rows = sorted(groups.items(), key=lambda row: row[1].least_margin_kg)
    return [
        f"{one.spilled_kg:8.3g} kg  margin {one.least_margin_kg:7.2f} kg  {one.strikes:6d} strikes  {in_words(group)}"
        for group, one in rows
    ]
