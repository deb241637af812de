"""`podctl bus scan | identify | read`: questions on a line that is free, one at a time.

Neighbours: `options`, `place` (which line, may we), `survey`, `values` (what to make of it). Must not know protocols.
"""

import json
import math
import sys
from collections.abc import Sequence
from typing import Any

import click

from pod_controller.bus.options import SHORT_TIMEOUT_S, TIMEOUT_S, with_place
from pod_controller.bus.place import (
    CLOCK,
    EXIT_FAILED,
    EXIT_FINE,
    EXIT_INTERRUPTED,
    EXIT_UNWELL,
    Place,
    Wanted,
    core_status,
    is_number,
    place_of,
    refuse_if_owned,
)

TABLES = ("coil", "discrete", "input", "holding")
ORDERS = ("high_first", "low_first")
TYPES = ("bit", "u16", "s16", "u32", "s32", "f32")


@click.command()
@click.option("--all-bauds", is_flag=True, help="Every usual baud rate, not only the line's.")
@click.option("--units", default="1-247", show_default=True, help="Addresses, as 1-32 or 3,5,7-9.")
@click.option("--function", type=click.IntRange(1, 4), default=3, show_default=True, help="The read that is tried.")
@click.option("--address", type=click.IntRange(0, 65535), default=0, show_default=True, help="Where it reads.")
@with_place(SHORT_TIMEOUT_S)
def scan(wanted: Wanted, all_bauds: bool, units: str, function: int, address: int) -> int:
    """Find every device on a line by reading one register of each address. Never writes.

    A refusal proves a device as well as a value does. Exit 0: all as configured (without --config: somebody is
    there); 3: somebody is missing, unknown or spoilt; 1: nobody answers; 4: the line has another owner or master.
    """
    from hal.bus.scan import BAUDS, Asked
    from pod_controller.bus import survey

    place = place_of(wanted)
    refuse_if_owned(place)
    numbers = _units(units)
    bauds = BAUDS if all_bauds and place.line.protocol == "modbus_rtu" else (place.line.baud,)
    asked = Asked(function, address, wanted.timeout_ns)
    so_far, began_ns, interrupted = survey.Collected([], {}, {}), CLOCK.now_ns(), False
    progress = _Progress(place.at, len(numbers), bauds, wanted)
    overheard = survey.SILENCE
    try:
        overheard = survey.run(place, bauds, numbers, asked, wanted.listen_ns, progress.show, so_far)
    except KeyboardInterrupt:
        interrupted = True
    finally:
        progress.end()
    result = survey.conclude(place, so_far, overheard, [] if interrupted else numbers)
    wall_s = (CLOCK.now_ns() - began_ns) * 1e-9
    _show_scan(place, result, wanted.as_json, bauds, wall_s, interrupted)
    if interrupted:
        return EXIT_INTERRUPTED
    if result.missing or result.unknown or result.advice:
        return EXIT_UNWELL
    return EXIT_FINE if result.found or overheard.is_indicator else EXIT_FAILED


def _show_scan(
    place: Place, result: Any, as_json: bool, bauds: Sequence[int], wall_s: float, interrupted: bool
) -> None:
    if as_json:
        row = result._asdict() | {"overheard": result.overheard._asdict()}
        head = {"port": place.at, "bauds": list(bauds), "interrupted": interrupted, "wall_s": round(wall_s, 3)}
        click.echo(json.dumps(head | row))
        return
    if result.overheard.is_indicator:
        click.echo(f"{place.at}: {result.overheard.text}")
        return
    for row in result.found:
        named = row["device"] or (f"looks like {row['looks_like']}" if row["looks_like"] else "")
        speed = f"{row['baud']:>6} baud  " if row["baud"] else ""
        latency = f"{row['latency_ms']:.1f} ms" if row["latency_ms"] >= 0.0 else ""
        sound = f"{row['sound_count']} of {row['asked_count']} sound {latency:>9}"
        click.echo(f"unit {row['unit']:>3}  {speed}{sound}  {named:<12}  {row['text']}")
    for text in result.advice:
        click.echo(f"! {text}")
    end = " (interrupted)" if interrupted else ""
    click.echo(f"{len(result.found)} found, {len(result.missing)} missing on {place.at} in {wall_s:.1f} s{end}")


class _Progress:
    """One line on a terminal, rewritten; a line per baud rate elsewhere."""

    def __init__(self, at: str, unit_count: int, bauds: Sequence[int], wanted: Wanted) -> None:
        self._unit_count, self._live = unit_count, sys.stderr.isatty()
        silent_s = len(bauds) * (wanted.listen_s + unit_count * (wanted.timeout_s + 0.03))
        text = f"{unit_count} addresses, {silent_s:.0f} s and a little for each device found"
        click.echo(f"scanning {at}: {text}; Ctrl-C keeps what is found", err=True)

    def show(self, baud: int, count: int, found_count: int) -> None:
        """After each address."""
        if self._live:
            click.echo(f"\r{_speed(baud)}  {count}/{self._unit_count}  found {found_count} ", nl=False, err=True)
        elif count == self._unit_count:
            click.echo(f"{_speed(baud)}: {count} asked, {found_count} found", err=True)

    def end(self) -> None:
        """Leave the line."""
        if self._live:
            click.echo("", err=True)


def _speed(baud: int) -> str:
    return f"{baud} baud" if baud else "tcp"


def _units(text: str) -> list[int]:
    """Addresses of "1-32" or "3,5,7-9"."""
    from hal.bus.scan import UNITS

    found: list[int] = []
    for part in text.split(","):
        low, dash, high = part.strip().partition("-")
        if not is_number(low) or (dash and not is_number(high)):
            raise click.UsageError(f"--units {text}: write 1-32 or 3,5,7-9")
        first, last = int(low), int(high or low)
        if not UNITS[0] <= first <= last <= UNITS[1]:
            raise click.UsageError(f"--units {text}: addresses are {UNITS[0]} to {UNITS[1]}; 0 is everybody's")
        found += [unit for unit in range(first, last + 1) if unit not in found]
    return found


@click.command()
@click.option("--unit", type=click.IntRange(1, 255), required=True)
@click.option("--type", "types", multiple=True, help="Compare with this type of the library only.")
@with_place(TIMEOUT_S)
def identify(wanted: Wanted, unit: int, types: tuple[str, ...]) -> int:
    """Ask one device who it is (functions 43/14 and 17) and compare its registers with the library. Only reads."""
    from hal.bus.asking import BusPort
    from hal.bus.identify import identify as ask
    from hal.bus.scan import Asked, listen_first
    from hal.bus.scan import scan as look

    place = place_of(wanted)
    refuse_if_owned(place)
    with BusPort(place.line, CLOCK) as port:
        listen_first(port, wanted.listen_ns)
        ((_, there),) = look(port, (unit,), Asked(3, 0, wanted.timeout_ns))
        found = ask(port, unit, wanted.timeout_ns, types) if there is not None else None
    if found is None:
        text = f"unit {unit} on {place.at} does not answer: {port.silent_advice}"
        click.echo(json.dumps({"unit": unit, "answers": False, "text": text}) if wanted.as_json else text)
        return EXIT_FAILED
    if wanted.as_json:
        fits = [fit._asdict() for fit in found.fits]
        click.echo(json.dumps({"unit": unit, "answers": True, "says": found.says, "guess": found.guess, "fits": fits}))
        return EXIT_FINE
    for what, said in found.says.items():
        click.echo(f"{what}: {said}")
    for fit in (fit for fit in found.fits if fit.fits):
        exact = "exactly" if fit.exact else "as far as described"
        click.echo(f"fits {fit.type} {exact}: {fit.good_count} of {fit.point_count} points inside their limits")
    click.echo(f"most likely: {found.guess}" if found.guess else "no single description of the library fits best")
    return EXIT_FINE


def form_options(command: Any) -> Any:
    """The options that say what registers mean."""
    for option in reversed((
        click.option("--unit", type=click.IntRange(1, 255)),
        click.option("--table", type=click.Choice(TABLES), default="holding", show_default=True),
        click.option("--address", type=click.IntRange(0, 65535), help="As in the frame: 40001 is holding 0."),
        click.option("--type", "kind", type=click.Choice(TYPES), help="Default u16, bit for coil and discrete."),
        click.option("--word-order", type=click.Choice(ORDERS), default=ORDERS[0], show_default=True),
        click.option("--scale", type=float, default=1.0, show_default=True, help="Units of one count."),
        click.option("--offset", type=float, default=0.0, show_default=True),
        click.option("--bit", type=click.IntRange(-1, 15), default=-1, help="One bit of a register."),
    )):  # fmt: skip
        command = option(command)
    return command


@click.command()
@click.argument("tags", nargs=-1)
@click.option("--count", type=click.IntRange(1, 125), default=1, show_default=True)
@form_options
@with_place(TIMEOUT_S)
def read(wanted: Wanted, tags: tuple[str, ...], count: int, **form: Any) -> int:
    """Read TAGS of a configuration, or registers by --unit, --table and --address.

    While the core runs, tags are asked of the core: its own reading, with quality and age.
    """
    from hal.bus.asking import BusPort
    from hal.bus.scan import listen_first
    from pod_controller.bus import values

    place = place_of(wanted, tags)
    if tags and place.config is not None and core_status(place.socket) is not None:
        from pod_controller.bus.from_core import read_tags

        return read_tags(place, tags, wanted.as_json)
    targets = targets_of(place, tags, form, count)
    refuse_if_owned(place)
    with BusPort(place.line, CLOCK) as port:
        listen_first(port, wanted.listen_ns)
        rows = [values.read(port, target, wanted.timeout_ns) for target in targets]
    click.echo(json.dumps({"readings": rows}) if wanted.as_json else "\n".join(map(values.in_words, rows)))
    return EXIT_UNWELL if any(row["quality"] == "BAD" for row in rows) else EXIT_FINE


def targets_of(place: Place, tags: tuple[str, ...], form: dict[str, Any], count: int) -> Any:
    """What is meant: tags, or --unit and --address."""
    from pod_controller.bus import values

    if tags:
        if place.config is None:
            raise click.UsageError("tags need --config: without one give --unit, --table and --address")
        if form["unit"] is not None or form["address"] is not None:
            raise click.UsageError(f"{tags[0]} has a unit and an address: give tags, or --unit and --address")
        return [values.tagged(place.config, tag, place.line.name) for tag in tags]
    if form["unit"] is None or form["address"] is None:
        raise click.UsageError("which register? Give a tag of --config, or --unit and --address")
    kind: Any = form["kind"] or ("bit" if form["table"] in values.BIT_TABLES or form["bit"] >= 0 else "u16")
    if form["table"] in values.BIT_TABLES and kind != "bit":
        raise click.UsageError(f"--type {kind}: a {form['table']} is a bit")
    if form["bit"] >= 0 and (form["table"] in values.BIT_TABLES or kind != "bit"):
        what = f"a {form['table']} is a bit" if form["table"] in values.BIT_TABLES else f"--type {kind} is no bit"
        raise click.UsageError(f"--bit {form['bit']}: {what}: leave one of them out")
    if not math.isfinite(form["offset"]) or not math.isfinite(form["scale"]) or form["scale"] == 0.0:
        raise click.UsageError(f"--scale {form['scale']:g} --offset {form['offset']:g}: give numbers, the scale not 0")
    shape = values.Form(form["table"], kind, form["word_order"], form["scale"], form["offset"], form["bit"])
    return values.bare(form["unit"], form["address"], count, shape)
