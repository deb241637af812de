"""`podctl faults`: what can be made to go wrong in the simulated pod, where it is tested, which scenarios use it.

Neighbours: `troubles.register` knows. Must not know what a fault does.
"""

import json

import click


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def faults(as_json: bool) -> int:
    """List every fault of --fault KIND@TARGET:from=..,for=..,k=v."""
    from sim_hardware.troubles.register import document

    found = document()
    if as_json:
        click.echo(json.dumps(found))
        return 0
    for row in found["kinds"]:
        parameters = ",".join(f"{key}={value}" for key, value in row["parameters"].items())
        form = f"{row['kind']}@{row['target'].upper()}" + (f":{parameters}" if parameters else "")
        click.echo(f"{row['group']:4} {form}  ({row['says']}; tier {' and '.join(row['tiers'])})")
        for test in row["tested"]:
            click.echo(f"       tested: {test}")
        if not row["tested"]:
            click.echo("       UNTESTED")
        if row["scenarios"]:
            click.echo(f"       scenarios: {', '.join(row['scenarios'])}")
    catalogue = found["catalogue"]
    click.echo("\nThe catalogue, id by id (where each is tested: --json):")
    for row in catalogue["rows"]:
        lacks = f"; lacks: {row['lacks']}" if row["lacks"] else ""
        how = f"NOT COVERED: {row['not_covered']}" if row["not_covered"] else f"{row['by']}{lacks}"
        click.echo(f"{row['id']:4} {row['says']}  ({how})")
    text = f"{catalogue['covered']} of the catalogue's {catalogue['faults']} faults are tested, {catalogue['by_name']}"
    click.echo(f"\n{text} can be made by name; kinds untested: {', '.join(found['untested']) or 'none'}")
    return 0
