"""`podctl calibrate`: take points at standards, guided or from a file, and put the curve in force.

Neighbours: `protocols` has the steps, `live` the readings, `making` the figures, `hal.calibration_file` the book. Must
not know how a curve is fitted or judged.
"""

import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
from pydantic import ValidationError

from hal.calibration_file import Book, Calibration, Taken, load, update
from hal.clock import SystemClock
from hal.errors import PodError
from pod_controller.commissioning import judge, making, points_file, protocols
from pod_controller.commissioning.book import book_path
from pod_controller.commissioning.live import RUNNING, Live
from pod_controller.commissioning.numbers import Number
from pod_controller.commissioning.settle import Settled, Settling
from pod_controller.config import PodConfig
from pod_controller.control_client import NOBODY
from pod_controller.person import forget_what_was_typed, login_name, says_yes

EXIT_FINE, EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED, EXIT_UNREACHABLE = 0, 1, 2, 4, 69
EXIT_OF_CODE = {making.BEYOND_GUARD: EXIT_REFUSED, NOBODY: EXIT_UNREACHABLE}
BAND_OF_LIMIT = 0.25  # settled readings may wander by a quarter of what may be wrong at all
POLL_NS = 250_000_000
PATIENCE_S = 300.0
VALID_DAYS = 365


FAR_LIMITS = 10.0  # a reading this many limits from its standard may be of another one


class Asked(NamedTuple):
    """The options."""

    tag: str
    points: Path | None
    method: str | None
    name: str
    person: str
    valid_days: int | None
    limit_value: float | None
    replaced: str
    corners: bool
    settle_s: float
    band_value: float | None
    yes: bool
    as_json: bool


@click.command()
@click.argument("tag", required=False)
@click.option("--config", "path", required=True, type=click.Path(path_type=Path), help="The pod's TOML.")
@click.option("--points", type=click.Path(path_type=Path), help="Points from a TOML or JSON file instead of live.")
@click.option(
    "--method", type=click.Choice(["offset", "line", "piecewise"]), help="How to fit; else by the instrument."
)
@click.option("--name", default="", help="Of the curve; else the day.")
@click.option("--person", default="", help="Who calibrates; else who is logged in.")
@click.option("--valid-days", type=click.IntRange(1, 3660), help=f"Until it is out of date (default {VALID_DAYS}).")
@click.option(
    "--limit", "limit_value", type=Number(is_positive=True), help="The largest residual; else what the guard was told."
)
@click.option("--replaced", default="", help="Why its history begins anew: exchanged, repaired.")
@click.option("--corners", is_flag=True, help="A scale's corners too: the span weight on each, as a check.")
@click.option(
    "--settle-s",
    type=Number(is_positive=True),
    default=5.0,
    show_default=True,
    help="For how long a reading must stand still.",
)
@click.option(
    "--band", "band_value", type=Number(is_positive=True), help="How still: within this, in the point's unit."
)
@click.option("--activate", metavar="NAME", help="Put an older curve of TAG in force again.")
@click.option("--list", "lists", is_flag=True, help="Show the curves there are.")
@click.option("--yes", is_flag=True, help="Do not ask before it is put in force.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def calibrate(path: Path, activate: str | None, lists: bool, **options: Any) -> int:
    """Calibrate the instrument TAG: guided against a running core, or headless with --points FILE.

    Scales: zero and span (--corners). Levels: empty and full. pH: buffers 7, 4, 10. Others: two points or more.
    A file of points has person, valid_days and [[point]] tables with true, raw and perhaps standard, spread, doubt,
    check. What the guard was promised (error_kg, content_error_kg) is the limit of residual plus drift.
    """
    from pod_controller.config import load as load_config

    asked = Asked(**{**options, "tag": options["tag"] or ""})
    config = load_config(path)
    book = load(book_path(path, config))
    if lists:
        return _show_list(book, asked)
    instrument = judge.instruments(config).get(asked.tag)
    if instrument is None:
        known = ", ".join(sorted(judge.instruments(config)))
        wrong = f"TAG {asked.tag!r} is no analogue input of this pod" if asked.tag else "no TAG is given"
        raise click.UsageError(f"{wrong}: choose from {known}")
    try:
        if activate is not None:
            return _put_in_force(path, config, lambda newest: newest.with_active(asked.tag, activate), asked)
        made = _made(config, instrument, book, asked)
        if not asked.yes and asked.points is None and not says_yes("Put it in force?"):
            click.echo("nothing was changed", err=True)
            return EXIT_FAILED
        return _put_in_force(path, config, lambda newest: newest.with_calibration(made), asked)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise click.UsageError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
    except PodError as error:
        if error.code not in EXIT_OF_CODE:
            raise
        click.echo(str(error), err=True)
        return EXIT_OF_CODE[error.code]


def _made(config: PodConfig, instrument: judge.Instrument, book: Book, asked: Asked) -> Calibration:
    """Points taken, and what they come to."""
    kind = protocols.kind_of(instrument)
    told = points_file.load(asked.points) if asked.points is not None else None
    taken = told.taken() if told is not None else _take_points(config, instrument, kind, asked)
    fitted = sum(not point.is_check for point in taken)
    method = asked.method or (told.method if told else None) or protocols.method_of(kind, fitted)
    wanted = making.Wanted(
        method,  # type: ignore[arg-type]  # click's choice holds the same words
        asked.person or (told.person if told else "") or login_name(),
        asked.name or (told.name if told else ""),
        asked.valid_days or (told.valid_days if told else None) or VALID_DAYS,
        asked.replaced or (told.replaced if told else ""),
        asked.limit_value or (told.limit_value if told else None),
    )
    now_utc = datetime.fromisoformat(SystemClock().utc_label())
    made = making.make(instrument, taken, wanted, book, now_utc)
    _show_made(made, instrument, kind)
    return made


def _take_points(config: PodConfig, instrument: judge.Instrument, kind: protocols.Kind, asked: Asked) -> list[Taken]:
    """Guided: each standard is put on, and its reading has settled before it counts."""
    live = Live(config.control.socket)
    state = live.state()
    if state in RUNNING:
        text = f"the pod is {state}: a standard on {instrument.tag} would mislead it; podctl hold or stop it first"
        raise PodError(making.BEYOND_GUARD, text)
    click.echo(f"{instrument.tag} on {instrument.device}, pod {state}. Ctrl-C leaves everything as it was.", err=True)
    taken: list[Taken] = []
    steps = protocols.steps(kind, asked.corners)
    for step in steps:
        one = _take_point(live, instrument, step, taken, asked)
        if one is not None:
            taken.append(one)
    while kind == "points" and says_yes("Another point?"):
        more = protocols.Step(f"point {len(taken) + 1}", steps[0].says, None)
        one = _take_point(live, instrument, more, taken, asked)
        taken += [one] if one is not None else []
    return taken


def _take_point(
    live: Live, instrument: judge.Instrument, step: protocols.Step, taken: list[Taken], asked: Asked
) -> Taken | None:
    click.echo(f"\n{step.name}: {step.says}", err=True)
    if step.may_be_left_out and not says_yes("Take it?", default=True):
        return None
    default = step.true_value if not step.is_check else taken[-1].true_value
    unit = "" if instrument.unit == "1" else f" {instrument.unit}"
    forget_what_was_typed()
    true_value = click.prompt(f"Its value{' in' if unit else ''}{unit}", default=default, type=Number(), err=True)
    standard = click.prompt("The standard (what, number)", default=step.name, err=True)
    forget_what_was_typed()
    click.prompt("Enter when it is there", default="", show_default=False, err=True)
    settled = _wait_settled(live.sample, instrument, true_value, asked)
    text = f"reads {settled.raw_value:.6g} within {settled.spread_value:.2g} ({settled.samples} samples)"
    click.echo(f"{step.name}: {text}", err=True)
    far = abs(settled.raw_value - true_value)
    if far > FAR_LIMITS * _limit(instrument, true_value):
        click.echo(f"! that is {far:.4g}{unit} from its value: is it the right standard? Ctrl-C ends this", err=True)
    return Taken(
        raw_value=settled.raw_value,
        true_value=true_value,
        spread_value=max(settled.spread_value, instrument.spread_value),
        is_check=step.is_check,
        standard=standard,
    )


def _limit(instrument: judge.Instrument, true_value: float) -> float:
    """What it may be wrong by: as declared, or by the size of the standard."""
    if instrument.declared is not None:
        return instrument.declared.limit_value
    return max(abs(true_value), 1.0) * judge.FREE_LIMIT_FRAC


def _wait_settled(
    sample: Callable[[str], Any], instrument: judge.Instrument, true_value: float, asked: Asked
) -> Settled:
    """Poll until the reading stands still. PodError E476 when it does not within PATIENCE_S."""
    clock, live = SystemClock(), sys.stderr.isatty()
    band = asked.band_value if asked.band_value is not None else BAND_OF_LIMIT * _limit(instrument, true_value)
    settling = Settling(band, asked.settle_s)
    end_ns = clock.now_ns() + round(PATIENCE_S * 1e9)
    cause, reads = "", False
    while clock.now_ns() < end_ns:
        newest = sample(instrument.tag)
        settled = settling.take(newest.sampled_s, newest.raw_value)
        if live:
            click.echo(
                _progress(newest.raw_value, settling.wander, band, asked.settle_s, newest.cause), nl=False, err=True
            )
        if settled is not None:
            click.echo("", nl=live, err=True)
            return settled
        cause, reads = newest.cause, newest.raw_value is not None
        clock.sleep_until_ns(clock.now_ns() + POLL_NS)
    if not reads:
        raise PodError(476, f"{instrument.tag} reads BAD ({cause}): podctl tag {instrument.tag} tells where it fails")
    wander = f"it wanders by {settling.wander:.4g}, band {band:.4g} for {asked.settle_s:g} s"
    raise PodError(476, f"{instrument.tag} does not settle: {wander} (cause {cause}): what moves it? Or widen --band")


def _progress(raw_value: float | None, spread_value: float, band_value: float, settle_s: float, cause: str) -> str:
    """One line on a terminal, written over the one before."""
    shown = f"BAD ({cause})" if raw_value is None else f"{raw_value:.6g}"
    text = f"  reads {shown}, wanders by {spread_value:.3g} of {band_value:.3g} in the last {settle_s:g} s"
    return f"\r{text:<78}"


def _show_made(made: Calibration, instrument: judge.Instrument, kind: protocols.Kind) -> None:
    curve = made.curve()
    click.echo("", err=True)
    for point in made.points:
        off = curve.true_at(point.raw_value) - point.true_value
        check = " (check)" if point.is_check else ""
        click.echo(
            f"  {point.true_value:>10.4g} read {point.raw_value:>10.4g}, curve off by {off:+.4g}{check}", err=True
        )
    if kind == "ph":
        click.echo(f"  {protocols.electrode_text([p.point() for p in made.points])}", err=True)
    drifted = (
        "first of its history" if made.drift_value is None else f"drift since the one before {made.drift_value:.4g}"
    )
    click.echo(
        f"  gain {curve.slope_ratio:.5f}, residual {made.residual_value:.4g}{made.unit_behind}, {drifted}", err=True
    )
    if instrument.declared is not None:
        most = judge.most_error(curve, instrument.declared) + (made.drift_value or 0.0)
        click.echo(
            f"  off by at most {most:.4g}; the guard was promised {instrument.declared.limit_value:.4g}", err=True
        )


def _put_in_force(path: Path, config: PodConfig, change: Callable[[Book], Book], asked: Asked) -> int:
    """Write the book as it is by now, with this change, and have a running core take it."""
    book = update(book_path(path, config), change)
    made = book.active(asked.tag)
    assert made is not None
    try:
        state = Live(config.control.socket).recalibrate(f"calibrate {asked.tag} {made.name}")
        taken = f"in force now (pod {state})"
    except PodError as error:
        waits = "at the core's next start" if error.code == NOBODY else "not yet"
        taken = f"in force {waits}: {error.message}"
    if asked.as_json:
        click.echo(json.dumps({"book": str(book_path(path, config)), "taken": taken, **made.model_dump(mode="json")}))
    else:
        click.echo(f"{asked.tag} {made.name}: residual {made.residual_value:.4g}{made.unit_behind}, {taken}")
    return EXIT_FINE


def _show_list(book: Book, asked: Asked) -> int:
    shown = [x for x in book.calibrations if asked.tag in ("", x.tag)]
    if asked.as_json:
        rows = [{**x.model_dump(mode="json"), "in_force": book.in_force.get(x.tag) == x.name} for x in shown]
        click.echo(json.dumps({"calibrations": rows}))
        return EXIT_FINE
    for x in shown:
        mark = "*" if book.in_force.get(x.tag) == x.name else " "
        drifted = "-" if x.drift_value is None else f"{x.drift_value:.4g}{x.unit_behind}"
        figures = f"residual {x.residual_value:.4g}{x.unit_behind}  drift {drifted}"
        click.echo(f"{mark} {x.tag}  {x.name}  {figures}  due {x.due_utc:%Y-%m-%d}  {x.person}")
    if not shown:
        click.echo("no calibration is stored", err=True)
    return EXIT_FINE
