"""`podctl check-config`: every fault of a configuration, one a line, with file and line.

Neighbours: `config.load`. Must not know what a fault means.
"""

from pathlib import Path

import click

from hal.clock import SystemClock

EXIT_CONFIGURATION = 78


@click.command("check-config")
@click.argument("file", type=click.Path(path_type=Path))
def check_config(file: Path) -> int:
    """Check a pod's configuration FILE and print all its faults."""
    from pod_controller.commissioning.book import read as read_book
    from pod_controller.config import ConfigFaults, load  # brings pydantic in

    try:
        config = load(file)
        read_book(file, config, SystemClock())
    except ConfigFaults as faults:
        for line in faults.lines:
            click.echo(line)
        return EXIT_CONFIGURATION
    click.echo(f"{file}: pod {config.pod.name} is fine: the guard's promise can be given", err=True)
    return 0
