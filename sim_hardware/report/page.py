"""One HTML file out of a run: data, style, scripts and uPlot inside, nothing fetched from anywhere.

Neighbours: `contents` says what is on it, report.js draws. Must not know the simulator.
"""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import click


class UnwritablePage(click.ClickException):
    """A place where no page can be written: a mistake in the command."""

    exit_code = 2


def refuse_unwritable(path: Path) -> None:
    """Before a run: UnwritablePage if its page could not be written; an existing page is left as it is."""
    existed = path.exists()
    try:
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        advice = "choose a file in a folder that exists and can be written"
        raise UnwritablePage(f"--report {path}: {error.strerror}: {advice}") from None


def write(path: Path, contents: Mapping[str, Any]) -> None:
    """Write the page. click.ClickException if the disk refuses after all."""
    try:
        path.write_text(html(contents), "utf-8")
    except OSError as error:
        text = f"--report {path}: {error.strerror}: the run is over, its page is not kept"
        raise click.ClickException(text) from None


def html(contents: Mapping[str, Any]) -> str:
    """The page as text."""
    page = _asset("page.html")
    filled = {
        "style": _asset("uplot/uPlot.min.css") + _asset("report.css"),
        "uplot": _asset("uplot/uPlot.iife.min.js"),
        "script": _asset("report.js"),
        "data": json.dumps(contents, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
    }
    for name, text in filled.items():
        page = page.replace(f"/*{name}*/", text, 1)
    return page


def _asset(name: str) -> str:
    return files("sim_hardware.report").joinpath(*name.split("/")).read_text("utf-8")
