"""`podctl proof`: the guard's inequality proved by z3 from its own source, and every term shown to be needed.

Neighbours: `proof.report` does it. Must not know any obligation.
"""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def proof(as_json: bool) -> int:
    """Prove the guard from its own source; break it on purpose and see each break refuted."""
    from sim_hardware.proof.report import report  # z3 takes its time

    found = report(lambda line: click.echo(f"proof: {line}", err=True))
    if as_json:
        click.echo(json.dumps(found))
    else:
        _show(found)
    return 0 if found["held"] else 1


def _show(found: dict[str, object]) -> None:
    rows = found["obligations"]
    assert isinstance(rows, list)
    for row in rows:
        click.echo(f"{row['result']:<10} {row['ms']:>6} ms  {row['name']}: {row['says']}")
    click.echo(f"\ndeliberate faults refuted: {found['mutants_refuted']} of {found['mutants']} (goal: all)")
    for key, title in (("unnoticed", "not noticed by any obligation"), ("no_margin_after_all", "noticed after all")):
        names = found[key]
        assert isinstance(names, list)
        for name in names:
            click.echo(f"  {title}: {name}")
    margins, assumptions = found["margins"], found["assumptions"]
    assert isinstance(margins, dict) and isinstance(assumptions, list)
    for name, why in margins.items():
        click.echo(f"  kept as margin, needed by no obligation: {name} ({why})")
    click.echo("\ntaken as given:")
    for line in assumptions:
        click.echo(f"- {line}")
