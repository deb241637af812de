"""`podctl outputs`: every output as wished, commanded, acknowledged and verified, with what does not do as it is told.

Neighbours: the core answers (`discrepancy`). Must not know how it is found out.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hal.errors import PodError
from pod_controller.commissioning.live import Live
from pod_controller.control_client import DEFAULT_SOCKET, NOBODY, socket_of

EXIT_FINE, EXIT_UNWELL, EXIT_UNREACHABLE, EXIT_TRY_AGAIN, EXIT_CONFIGURATION = 0, 3, 69, 75, 78
NO_TICK_YET = 436
COLUMNS = ("output", "element", "wished", "commanded", "acknowledged", "feedback", "is", "verified", "effect")


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), help="The pod's TOML names the socket.")
@click.option("--socket", "socket_path", type=click.Path(path_type=Path), help="The core's socket.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def outputs(path: Path | None, socket_path: Path | None, as_json: bool) -> int:
    """Show what every output was told, and what came of it; exit 3 if one does not do as it is told."""
    from pod_controller.config import ConfigFaults

    if path is not None and socket_path is not None:
        raise click.UsageError("--config and --socket both name the core: give one")
    try:
        answer = Live(socket_path or (socket_of(path) if path else DEFAULT_SOCKET)).ask({"do": "outputs"})
    except ConfigFaults as faults:
        for line in faults.lines:
            click.echo(line, err=True)
        return EXIT_CONFIGURATION
    except PodError as error:
        if error.code not in (NOBODY, NO_TICK_YET):
            raise
        click.echo(str(error), err=True)
        return EXIT_UNREACHABLE if error.code == NOBODY else EXIT_TRY_AGAIN
    if as_json:
        click.echo(json.dumps(answer))
    else:
        _show(answer)
    return EXIT_UNWELL if answer["discrepancies"] else EXIT_FINE


def _show(answer: Mapping[str, Any]) -> None:
    rows: list[Sequence[str]] = [COLUMNS, *(_row(x) for x in answer["outputs"])]
    widths = [max(len(row[k]) for row in rows) for k in range(len(COLUMNS))]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for text in answer["discrepancies"]:
        click.echo(f"! {text}")


def _row(x: Mapping[str, Any]) -> tuple[str, ...]:
    waits = f" in {x['settles_in_s']:.0f} s" if x["verified"] is False and x["settles_in_s"] > 0.0 else ""
    return (
        x["output"],
        x["element"],
        _yes(x["wished"]),
        f"{x['commanded']:.0%}",
        _yes(x["acknowledged"]),
        x["feedback"] or "none",
        "-" if x["is_frac"] is None else f"{x['is_frac']:.0%}",
        f"{_yes(x['verified'])}{waits}",
        x["effect"] or "",
    )


def _yes(known: bool | None) -> str:
    return "-" if known is None else "yes" if known else "NO"
