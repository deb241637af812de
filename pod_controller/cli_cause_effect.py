"""`podctl cause-effect`: the cause-and-effect table of one pod, for a safety engineer.

Neighbours: `cause_effect.matrix` makes it. Must not know a row.
"""

import json
from pathlib import Path

import click

EXIT_CONFIGURATION = 78


@click.command("cause-effect")
@click.option("--config", "config_path", type=click.Path(path_type=Path), required=True, help="The pod's TOML.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def cause_effect(config_path: Path, as_json: bool) -> int:
    """Print what makes which unit go to its fail state, until when."""
    from pod_controller.cause_effect import matrix
    from pod_controller.config import ConfigFaults, load
    from pod_controller.topology import build

    try:
        topology = build(load(config_path))
    except ConfigFaults as faults:
        for line in faults.lines:
            click.echo(line, err=True)
        return EXIT_CONFIGURATION
    if as_json:
        click.echo(json.dumps(matrix.document(topology)))
    else:
        click.echo("\n".join(matrix.lines(topology)))
    return 0
