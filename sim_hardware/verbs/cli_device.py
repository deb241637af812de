"""`podctl check-device FILE ...`: try a device description before its device is there.

Neighbours: `described.battery` does the trying. Here are options, lines and exit codes.
"""

import json
from pathlib import Path

import click

from hal.errors import PodError

EXIT_FINE, EXIT_FAILED, EXIT_CONFIGURATION = 0, 1, 78


@click.command(name="check-device")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def check_device(files: tuple[Path, ...], as_json: bool) -> int:
    """Check device descriptions: schema, golden words, and the whole battery over bytes.

    Each FILE stands for a device made from it alone: the real master reads it, orders it, loses it.
    """
    rows, code = [], EXIT_FINE
    for file in files:
        faults, found = _tried(file)
        code = max(code, found)
        rows.append({"file": str(file), "faults": faults})
        if not as_json:
            for fault in faults or ["passes"]:
                click.echo(f"{file}: {fault}")
    if as_json:
        click.echo(json.dumps({"devices": rows, "ok": code == EXIT_FINE}))
    return code


def _tried(file: Path) -> tuple[list[str], int]:
    """What is wrong with one file, and the exit code that says so."""
    from hal.description import parse
    from sim_hardware.described import battery

    try:
        description = parse(file.read_text(encoding="utf-8"), str(file))
        faults = battery.check(description)
    except UnicodeDecodeError as error:
        return [f"not UTF-8 text ({error.reason} at byte {error.start}): save it as UTF-8"], EXIT_CONFIGURATION
    except PodError as error:
        return [str(error)], EXIT_CONFIGURATION
    return faults, EXIT_FAILED if faults else EXIT_FINE
