"""`podctl bench guard`: the guard mutated, swept over a grid, attacked and measured; figures beside their goals.

Exit code 3 if something spilled or a permit broke a statement, else 0; a missed goal is printed as missed. Neighbour:
`bench.guard_parts` measures. Must not know how anything is judged.
"""

import json
import os

import click

from sim_hardware.bench.guard_parts import PARTS, Asked, Figures

FAILED = 3


@click.command()
@click.option("--mutants", "part", flag_value="mutants", help="Change the guard's source, one place at a time.")
@click.option("--grid", "part", flag_value="grid", help="Sweep boundary-dense states; check every permit anew.")
@click.option("--adversary", "part", flag_value="adversary", help="Attack plants of many shapes; search for the worst.")
@click.option("--beyond", "part", flag_value="beyond", help="What faults outside the promise cost, in kg.")
@click.option("--terms", "part", flag_value="terms", help="Delete each term; the proof or the adversary must fail.")
@click.option("--cost", "part", flag_value="cost", help="Room in the buffer: measured content against fixed content.")
@click.option("--steps", type=click.IntRange(min=1), default=None, help="Plant-steps, states of the grid, or games.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="First; to go on, the next.")
@click.option("--every", type=click.IntRange(min=1), default=1, help="Only each so-manieth mutant or term.")
@click.option("--jobs", type=click.IntRange(min=1), default=None, help="Processes; default: one per core.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def guard(part: str | None, steps: int | None, seed: int, every: int, jobs: int | None, as_json: bool) -> int:
    """The guard mutated, swept or attacked: say which."""
    if part is None:
        raise click.UsageError(f"say which: {', '.join('--' + name for name in PARTS)}")
    found = PARTS[part](Asked(steps, seed, every, jobs or os.cpu_count() or 1), _say)
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
        if not isinstance(value, list | dict)
    )
    told = f"{found.name}: {figures}" if figures else found.name
    return f"{told}; goal {found.goal}: {'met' if found.met else 'MISSED'}"


def _say(text: str) -> None:
    click.echo(f"bench guard: {text}", err=True)
