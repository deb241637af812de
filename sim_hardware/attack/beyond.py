"""Beyond the promise: what each group of faults outside it costs, in kilograms over a lip, so that limits have numbers.

The same game, but it goes on after a spill. A group that needs a weir or a common cause gets a plant that has one.
Neighbours: `kinds` draws the line, `cli_guard` prints. Must not know how the guard decides.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from pod_controller.kernels.records import Record, Table
from sim_hardware.attack.campaign import group_of, played
from sim_hardware.attack.kinds import BEYOND, FASTER, MORE_PSI, OLDER, SLOWER, WEIR, Group, in_words
from sim_hardware.attack.world import drawn

TICKS = 6_000
OLDER_TICKS = 10
HALF_AGAIN = 1.5
MORE_PSI_KG = 10.0
NEXT_TRY = 100_003  # seeds apart, and no multiple of the number of groups is met twice


class Cost(NamedTuple):
    """What one group of faults cost in so many games."""

    games: int
    spilled_games: int
    strikes: int
    lip_kg: float  # over the lips of vessels, all games together
    chute_kg: float  # and of chutes
    worst_kg: float  # in one game


def costs(games: int, first_seed: int = 0, ticks: int = TICKS) -> dict[Group, Cost]:
    """So many games of each group."""
    found: dict[Group, Cost] = {}
    for plant, world in _worlds(range(first_seed, first_seed + games * len(BEYOND))):
        r = played(plant, world, ticks)[0]
        group, kg = group_of(world[0]), float(r.spilled_kg) + float(r.chute_over_kg)
        so_far = found.get(group, Cost(0, 0, 0, 0.0, 0.0, 0.0))
        found[group] = Cost(
            so_far.games + 1,
            so_far.spilled_games + (kg > 1e-6),
            so_far.strikes + int(r.strikes),
            so_far.lip_kg + float(r.spilled_kg),
            so_far.chute_kg + float(r.chute_over_kg),
            max(so_far.worst_kg, kg),
        )
    return found


def _worlds(seeds: Iterable[int]) -> Iterator[tuple[Table, Table]]:
    """Plants and worlds that can show what their group does."""
    for seed in seeds:
        plant, world = drawn(seed, BEYOND)
        at = seed
        while WEIR in world[0].faults and max(world[0].below) < 0:
            at += NEXT_TRY * len(BEYOND)
            plant, world = drawn(at, BEYOND)
        _exceed(world[0], plant[0])
        yield plant, world


def _exceed(w: Record, p: Record) -> None:
    """Make true what the plant's table does not declare."""
    w.goes_on = 1
    if FASTER in w.faults:
        w.rate_ratio = HALF_AGAIN
    if SLOWER in w.faults:
        w.close_s *= HALF_AGAIN
    if OLDER in w.faults:
        w.older_ticks = OLDER_TICKS
    if MORE_PSI in w.faults:
        w.psi_kg[p.n_vessels - 1] += MORE_PSI_KG


def table_of_costs(found: Mapping[Group, Cost]) -> list[str]:
    """One line per group, the dearest first."""
    rows = sorted(found.items(), key=lambda row: -row[1].worst_kg)
    return [f"{_in_figures(one)}: {in_words(group)}" for group, one in rows]


def _in_figures(one: Cost) -> str:
    strikes = max(1, one.strikes)
    return (
        f"{one.worst_kg:8.1f} kg in the worst game, {(one.lip_kg + one.chute_kg) / strikes:7.2f} kg a strike "
        f"({one.chute_kg / strikes:.2f} of it over chutes), {one.spilled_games} of {one.games} games spill"
    )
