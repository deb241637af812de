"""The parts of `podctl bench guard`: each measures one thing and returns its figures beside its goal.

Neighbours: `cli_guard` prints; `mutants`, `guard_trial.grid` and `attack` do the work. Must not know how anything
is judged.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hal.clock import SystemClock

STATES_GOAL = 100_000_000
STEPS_GOAL = 1_000_000_000
BEYOND_GAMES = 24
CELL_STATES = 50_000
Say = Callable[[str], None]


@dataclass(frozen=True)
class Figures:
    """One part's figures, ready to print. fine: False is exit code 3."""

    name: str
    goal: str
    met: bool
    fine: bool
    figures: dict[str, Any]
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Asked:
    """What the command was told."""

    steps: int | None
    seed: int
    every: int
    jobs: int


def mutants(asked: Asked, say: Say) -> Figures:
    """The guard's source changed one place at a time."""
    from sim_hardware.mutants.run import run

    report = run(asked.every, progress=say)
    missed = report.branches.missed
    figures = {
        "mutants": report.mutants,
        "killed": report.killed,
        "same_by_rule": report.same_text,
        "same_by_z3": len(report.same_by_z3),
        "survived": len(report.survivors),
        "branches": report.branches.branches,
        "branches_reached": report.branches.reached,
        "conditions": len(report.conditions),
        "act_alone": report.acting_alone(),
        "cases": report.cases,
        "survivors": list(report.survivors),
        "proved_same": list(report.same_by_z3),
    }
    table = [f"{where}: true {true}, false {false}" for where, (true, false) in report.conditions.items()]
    lines = (
        *(f"survives: {text}" for text in report.survivors),
        *(f"never reached: {text}" for text in missed),
        *(f"the same over all values that can occur (z3): {text}" for text in report.same_by_z3),
        "each condition forced to true and to false:",
        *table,
    )
    met = not report.survivors and not missed
    return Figures("mutants", "0 survive, every branch reached", met, True, figures, lines)


def grid(asked: Asked, say: Say) -> Figures:
    """Boundary-dense states, each permit checked by the inequality written a second time."""
    from sim_hardware.guard_trial.grid import sweep_cells

    states, clock = asked.steps or STATES_GOAL, SystemClock()
    begun_ns = clock.now_ns()
    cells = range(asked.seed, asked.seed + -(-states // CELL_STATES))
    found = sweep_cells(cells, min(states, CELL_STATES), asked.jobs, lambda done: say(f"{done:,} states"))
    spent_s = (clock.now_ns() - begun_ns) * 1e-9
    figures = {**found._asdict(), "wall_s": spent_s, "states_per_s": found.states / spent_s}
    fine = found.violations == 0
    met = fine and found.states >= STATES_GOAL
    return Figures("grid", f"at least {STATES_GOAL:,} states, 0 violations", met, fine, figures)


def adversary(asked: Asked, say: Say) -> Figures:
    """Plants of many shapes under single faults, all pairs, and those with a stuck element."""
    from sim_hardware.attack.campaign import Campaign, campaign, table_of_groups
    from sim_hardware.attack.records import STRATEGIES

    clock = SystemClock()
    begun_ns = clock.now_ns()

    def progress(sum_: Campaign) -> None:
        rate = sum_.plant_steps / ((clock.now_ns() - begun_ns) * 1e-9)
        say(f"{sum_.plant_steps:,} plant-steps, {len(sum_.spills)} spills, {rate:,.0f}/s, next seed {sum_.next_seed}")

    found = campaign(asked.steps or STEPS_GOAL, asked.seed, asked.jobs, progress)
    spent_s = (clock.now_ns() - begun_ns) * 1e-9
    figures = {
        "seeds": found.seeds,
        "next_seed": found.next_seed,
        "plant_steps": found.plant_steps,
        "strikes": found.strikes,
        "groups_of_faults": len(found.groups),
        "spilled_kg": found.spilled_kg,
        "spills": len(found.spills),
        **{f"least_margin_{name}_kg": kg for name, kg in zip(STRATEGIES, found.least_margin_kg, strict=True)},
        "wall_s": spent_s,
        "plant_steps_per_s": found.plant_steps / spent_s,
        "stories": list(found.spills),
    }
    fine = not found.spills
    met = fine and found.plant_steps >= STEPS_GOAL
    lines = (*found.spills, *table_of_groups(found.groups))
    return Figures("adversary", f"at least {STEPS_GOAL:,} plant-steps, 0 kg", met, fine, figures, lines)


def beyond(asked: Asked, say: Say) -> Figures:
    """What faults outside the promise cost: measured, and neither good nor bad."""
    from sim_hardware.attack.beyond import costs, table_of_costs
    from sim_hardware.attack.kinds import in_words

    games = asked.steps or BEYOND_GAMES
    say(f"{games} games of each group of faults beyond the promise ...")
    found = costs(games, asked.seed)
    worst_kg = {in_words(group): one.worst_kg for group, one in found.items()}
    figures = {"groups_of_faults": len(found), "games_of_each": games, "worst_kg": worst_kg}
    return Figures("beyond", "every group measured", True, True, figures, tuple(table_of_costs(found)))


def terms(asked: Asked, say: Say) -> Figures:
    """Each term of the inequality deleted: the proof or the adversary must fail."""
    from sim_hardware.attack.necessity import GAMES, necessity
    from sim_hardware.proof.breakages import TERMS

    found = list(necessity(TERMS[:: asked.every], asked.steps or GAMES, say))
    unnoticed = [one.term for one in found if one.obligation is None and one.spill is None]
    figures = {
        "terms": len(found),
        "noticed_by_the_proof": sum(one.obligation is not None for one in found),
        "noticed_by_an_adversary": sum(one.spill is not None for one in found),
        "unnoticed": unnoticed,
        "needed": [one.line() for one in found],
    }
    lines = tuple(one.line() for one in found)
    return Figures("terms", "each deletion noticed by the proof or an adversary", not unnoticed, True, figures, lines)


def cost(asked: Asked, say: Say) -> Figures:
    """Throughput cost: measured content against fixed content."""
    from sim_hardware.bench.guard_cost import PODS, SEEDS, SKETCH_KG, reference_pod, small_plant

    say("a surge without end on a buffer of 300 kg behind 16 gates ...")
    small = small_plant(min(asked.steps or SEEDS, SEEDS))
    say("the reference pod at the festival, without its float chain ...")
    pod = reference_pod(min(asked.steps or PODS, PODS))
    figures: dict[str, Any] = {}
    lines = []
    for name, sides in (("buffer of 300 kg", small), ("reference pod", pod)):
        for way, side in zip(("measured", "fixed"), sides, strict=True):
            figures |= {f"{name}, {way}": side._asdict()}
            lines.append(f"{name}, {way:8} content: {side.line()}")
    lines.append(f"the first sketch, other arrivals: {SKETCH_KG[0]:.0f} against {SKETCH_KG[1]:.0f} kg, travel halved")
    lines.append("at the reference pod the elements in series behind all gates bound what a stuck one can deliver")
    fine = all(side.spilled_kg == 0.0 for side in (*small, *pod))
    met = fine and small[0].highest_kg > small[1].highest_kg and pod[0].closure_count <= pod[1].closure_count
    goal = "with measured content 300 kg hold more, the reference pod closes no more often, 0 kg spilled"
    return Figures("cost", goal, met, fine, figures, tuple(lines))


PARTS: dict[str, Callable[[Asked, Say], Figures]] = {
    "mutants": mutants,
    "grid": grid,
    "adversary": adversary,
    "beyond": beyond,
    "terms": terms,
    "cost": cost,
}
