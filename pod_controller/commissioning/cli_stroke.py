"""`podctl stroke`: open and shut one element of a pod that does not run, and keep how long it took.

Neighbours: the core does it (`workshop`), `judge` compares with the configuration. Must not know how it is done.
"""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from hal.calibration_file import Stroke, update
from hal.clock import SystemClock
from hal.errors import PodError
from pod_controller.commissioning import judge
from pod_controller.commissioning.book import book_path
from pod_controller.commissioning.live import Live
from pod_controller.commissioning.stroking import Way
from pod_controller.config import PodConfig
from pod_controller.config_faults import name_of
from pod_controller.control_client import NOBODY
from pod_controller.person import login_name

EXIT_FINE, EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_UNREACHABLE, EXIT_TRY_AGAIN = 0, 1, 2, 4, 69, 75
EXIT_INTERRUPTED = 130
NOTHING_STROKED = 432
EXIT_OF_CODE = {432: EXIT_REFUSED, 433: EXIT_TRY_AGAIN, 436: EXIT_TRY_AGAIN, 437: EXIT_USAGE, NOBODY: EXIT_UNREACHABLE}
POLL_NS = 500_000_000


@click.command()
@click.argument("element")
@click.option("--config", "path", required=True, type=click.Path(path_type=Path), help="The pod's TOML.")
@click.option("--person", default="", help="Who strokes it; else who is logged in.")
@click.option("--reason", default="stroke", help="For the journal.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def stroke(element: str, path: Path, person: str, reason: str, as_json: bool) -> int:
    """Stroke ELEMENT (gate_1, or its output FV-101) once, open and shut, and compare with stroke_s.

    A lid is unlocked and locked, over a gate proved shut and with room for one more bag; its times are compared with
    lid_lock_s too: have somebody stand beside it. Only on a pod that is IDLE or HELD, and only as far as the guard
    grants it. Ctrl-C ends it: the element goes to its fail state. The times go to the book beside the configuration;
    longer than stroke_s, or quicker than fast_stroke_s, is exit 4, and the core will not start with that configuration.
    """
    from pod_controller.config import load as load_config

    config = load_config(path)
    live = Live(config.control.socket)
    try:
        live.ask({"do": "stroke", "thing": element, "reason": reason})
        told = _wait(live, as_json)
    except KeyboardInterrupt:
        return ended(live, element)
    except PodError as error:
        if error.code not in EXIT_OF_CODE:
            raise
        click.echo(str(error), err=True)
        return EXIT_OF_CODE[error.code]
    if told["phase"] != "DONE":
        click.echo(
            json.dumps(told) if as_json else f"{told['element']} was not stroked: {told['why']}", err=not as_json
        )
        return EXIT_REFUSED if told["why"].startswith("refused") else EXIT_FAILED
    return _keep(path, config, told, person or login_name(), as_json)


def ended(live: Live, element: str) -> int:
    """Ctrl-C: whoever pressed it wants it to stop moving, and the core strokes on by itself unless it is told."""
    try:
        live.ask({"do": "stroke", "reason": "interrupted"})
        text = f"interrupted: {element} is told to go to its fail state; keep clear until podctl outputs shows it there"
    except PodError as error:
        if error.code == NOTHING_STROKED:
            click.echo("\ninterrupted: nothing is being stroked", err=True)
            return EXIT_INTERRUPTED
        text = f"interrupted, but the core did not take it ({error}): {element} may go on moving; podctl stop"
    click.echo(f"\n{text}", err=True)
    return EXIT_INTERRUPTED


def _wait(live: Live, as_json: bool) -> dict[str, Any]:
    """Follow it to its end; on a terminal with where it is."""
    clock, shown, rewrites = SystemClock(), "", sys.stderr.isatty()
    while True:
        told: dict[str, Any] = live.ask({"do": "stroked"})["stroke"]
        if not told:
            raise PodError(NOTHING_STROKED, "the core has started anew: it knows of no stroke, its outputs are off")
        is_over = told["phase"] in ("DONE", "FAILED")
        at = "" if told["position_frac"] is None else f" {told['position_frac']:.0%}"
        text = f"{told['element']} {told['phase']}{at}"
        if not as_json and text != shown:
            shown = text
            click.echo(f"\r{text:<40}" if rewrites else text, nl=is_over or not rewrites, err=True)
        if is_over:
            return told
        clock.sleep_until_ns(clock.now_ns() + POLL_NS)


def _keep(path: Path, config: PodConfig, told: Mapping[str, Any], person: str, as_json: bool) -> int:
    """Into the book; what the configuration does not allow for is told."""
    made = Stroke(
        element=told["element"],
        tag=told["tag"],
        open_s=round(told["open"]["travel_s"], 3),
        close_s=round(told["shut"]["travel_s"], 3),
        open_at_most_s=round(told["open"]["at_most_s"], 3),
        close_at_most_s=round(told["shut"]["at_most_s"], 3),
        made_utc=datetime.fromisoformat(SystemClock().utc_label()),
        person=person,
    )
    update(book_path(path, config), lambda book: book.with_stroke(made))
    e = next(k for k, element in enumerate(config.element) if element.name == made.element)
    fault = judge.stroke_fault(made, e, config)
    text = "" if fault is None else f"E{fault.code} {name_of(fault.path)} {fault.text}"
    if as_json:
        click.echo(json.dumps({**made.model_dump(mode="json"), "refused": text or None}))
    else:
        opens, shuts = (Way(**told[way]).in_words() for way in ("open", "shut"))
        words = ("leaves its lock", "locks") if config.element[e].locked_tag is not None else ("opens", "shuts")
        click.echo(f"{made.element}: {words[0]} in {opens}, {words[1]} in {shuts} ({_limits(config, e)})")
        if text:
            click.echo(f"{text}. podctl run refuses this configuration from now on", err=True)
    return EXIT_FINE if fault is None else EXIT_REFUSED


def _limits(config: PodConfig, e: int) -> str:
    """What the guard reckons with."""
    element = config.element[e]
    locks = [f", lid_lock_s {chute.lid_lock_s:g}" for chute in config.chute if chute.lid == element.name]
    return f"stroke_s {element.stroke_s:g}, fast_stroke_s {element.fast_stroke_s:g}{''.join(locks)}"
