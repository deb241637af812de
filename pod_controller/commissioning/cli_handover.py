"""`podctl handover`: one page of what was commissioned, to be printed and signed.

Neighbours: `handover` makes the page. Must not know what stands on it.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hal.calibration_file import load
from hal.clock import SystemClock
from hal.errors import PodError
from pod_controller.commissioning import handover as document
from pod_controller.commissioning.book import book_path
from pod_controller.commissioning.live import Live
from pod_controller.config import load as load_config

EXIT_FINE, EXIT_UNWELL = 0, 3
NOT_WRITABLE = 477


@click.command()
@click.option("--config", "path", required=True, type=click.Path(path_type=Path), help="The pod's TOML.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The HTML file to write.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def handover(path: Path, out: Path, as_json: bool) -> int:
    """Write the handover page: devices, calibrations, strokes, what is open, signatures. Exit 3 if any is open."""
    from pod_controller.cli import versions

    config = load_config(path)
    live = Live(config.control.socket)
    pod = document.Pod(
        config,
        path.name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        load(book_path(path, config)),
        datetime.fromisoformat(SystemClock().utc_label()),
        versions(),
        _asked(live, "status"),
        _asked(live, "outputs"),
    )
    try:
        out.write_text(document.page(pod), "utf-8")
    except OSError as error:
        raise PodError(NOT_WRITABLE, f"{out}: {error.strerror}: name a file that can be written") from None
    still = document.open_points(pod)
    if as_json:
        click.echo(json.dumps({"file": str(out), "open": still}))
    else:
        click.echo(f"{out}: {len(still)} point(s) still open" if still else f"{out}: nothing is open; sign it")
        for text in still:
            click.echo(f"- {text}")
    return EXIT_UNWELL if still else EXIT_FINE


def _asked(live: Live, what: str) -> Mapping[str, Any] | None:
    """The core's answer; None when there is none."""
    try:
        return live.ask({"do": what})
    except PodError:
        return None
