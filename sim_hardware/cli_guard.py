"""`podctl bench guard`: the guard mutated, swept over a grid, and attacked; figures beside their goals.

Exit code 3 if something spilled or a permit broke a statement, else 0; a missed goal is printed as missed. Neighbours:
`mutants`, `guard_grid` and `adversary_campaign` do the work. Must not know how anything is judged.
"""

import json
import os
import time
from dataclasses import dataclass
from typing import Any

import click

STATES_GOAL = 100_000_000
STEPS_GOAL = 1_000_000_000
CELL_STATES = 50_000
FAILED = 3


@dataclass(frozen=True)
class Figures:
    """One part's figures, ready to print. fine: False is exit code 3."""

    name: str
    goal: str
    met: bool
    fine: bool
    figures: dict[str, Any]
    lines: tuple[str, ...] = ()


@click.command()
@click.option("--mutants", "part", flag_value="mutants", help="Change the guard's source, one place at a time.")
@click.option("--grid", "part", flag_value="grid", help="Sweep boundary-dense states; check every permit anew.")
@click.option("--adversary", "part", flag_value="adversary", help="Attack plants of many shapes with faults and pairs.")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Plant-steps, or states of the grid.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="First; to go on, the next.")
@click.option("--every", type=click.IntRange(min=1), default=1, help="Only each so-manieth mutant.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def guard(part: str | None, steps: int | None, seed: int, every: int, jobs: int | None, as_json: bool) -> int:
    """The guard mutated (--mutants), swept (--grid) or attacked (--adversary)."""
    workers = jobs or os.cpu_count() or 1
    if part == "mutants":
        found = _mutants(every)
    elif part == "grid":
        found = _grid(steps or STATES_GOAL, seed, workers)
    elif part == "adversary":
        found = _adversary(steps or STEPS_GOAL, seed, workers)
    else:
        raise click.UsageError("say which: --mutants, --grid or --adversary")
    if as_json:
        report = {"bench": "guard", "part": found.name, "goal": found.goal, "met": found.met, **found.figures}
        click.echo(json.dumps(report))
    else:
        click.echo("\n".join([_headline(found), *(f"  {line}" for line in found.lines)]))
    return 0 if found.fine else FAILED


def _headline(found: Figures) -> str:
    figures = ", ".join(
        f"{key} {value:,.6g}" if isinstance(value, int | float) else f"{key} {value}"
        for key, value in found.figures.items()
        if not isinstance(value, list)
    )
    return f"{found.name}: {figures}; goal {found.goal}: {'met' if found.met else 'MISSED'}"


def _say(text: str) -> None:
    click.echo(f"bench guard: {text}", err=True)


def _mutants(every: int) -> Figures:
    from sim_hardware.mutants.run import run

    report = run(every, progress=_say)
    figures = {
        "mutants": report.mutants,
        "killed": report.killed,
        "proved_equivalent": report.equivalent,
        "survived": len(report.survivors),
        "killed_ratio": report.killed_ratio,
        "cases": report.cases,
        "survivors": list(report.survivors),
    }
    return Figures("mutants", "0 survive", not report.survivors, True, figures, report.survivors)


def _grid(states: int, seed: int, jobs: int) -> Figures:
    from sim_hardware.guard_grid import sweep_cells

    begun_s = time.perf_counter()
    cells = range(seed, seed + -(-states // CELL_STATES))
    found = sweep_cells(cells, min(states, CELL_STATES), jobs, lambda done: _say(f"{done:,} states"))
    spent_s = time.perf_counter() - begun_s
    figures = {**found._asdict(), "wall_s": spent_s, "states_per_s": found.states / spent_s}
    fine = found.violations == 0
    met = fine and found.states >= STATES_GOAL
    return Figures("grid", f"at least {STATES_GOAL:,} states, 0 violations", met, fine, figures)


def _adversary(steps: int, seed: int, jobs: int) -> Figures:
    from sim_hardware.adversary_campaign import Campaign, campaign

    begun_s = time.perf_counter()

    def progress(sum_: Campaign) -> None:
        rate = sum_.plant_steps / (time.perf_counter() - begun_s)
        _say(f"{sum_.plant_steps:,} plant-steps, {len(sum_.spills)} spills, {rate:,.0f}/s, next seed {sum_.next_seed}")

    found = campaign(steps, seed, jobs, progress)
    spent_s = time.perf_counter() - begun_s
    figures = {**found._asdict(), "spills": len(found.spills), "stories": list(found.spills), "wall_s": spent_s}
    figures["plant_steps_per_s"] = found.plant_steps / spent_s
    fine = not found.spills
    met = fine and found.plant_steps >= STEPS_GOAL
    return Figures("adversary", f"at least {STEPS_GOAL:,} plant-steps, 0 kg", met, fine, figures, found.spills)
