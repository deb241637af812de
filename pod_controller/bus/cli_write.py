"""`podctl bus write`: one value to one device, with a yes, and read back.

Neighbours: `cli_ask` (how a register is named), `values`. Must not know protocols.
"""

import json
from collections.abc import Sequence
from typing import Any

import click

from pod_controller.bus.cli_ask import form_options, targets_of
from pod_controller.bus.options import TIMEOUT_S, ask_person, with_place
from pod_controller.bus.place import CLOCK, EXIT_FAILED, EXIT_FINE, Place, Wanted, place_of, refuse_if_owned


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[TAG] VALUE...")
@click.option("--single", is_flag=True, help="Functions 5 and 6 (one coil, one register) instead of 15 and 16.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@form_options
@with_place(TIMEOUT_S)
def write(wanted: Wanted, words: tuple[str, ...], single: bool, yes: bool, **form: Any) -> int:
    """Write VALUE to an output TAG of a configuration, or VALUES to --unit, --table and --address on; read it back.

    With --bit only that bit changes: the register is read first, and refused when it cannot be.
    Nobody guards what is written here: only with the core ended, and somebody beside what moves.
    """
    from hal.bus.asking import BusPort
    from hal.bus.scan import listen_first
    from pod_controller.bus import values
    from pod_controller.bus.meeting import refuse_stranger

    tags, wished = _split(words)
    place = place_of(wanted, tags)
    refuse_if_owned(place)
    targets = targets_of(place, tags, form, len(wished))
    if not targets[0].writable or targets[0].point.table not in ("coil", "holding"):
        raise click.UsageError(f"{targets[0].words} can only be read")
    registers = values.encoded(targets, wished, single)
    _confirm(place, targets[0], wished, yes)
    with BusPort(place.line, CLOCK) as port:
        listen_first(port, wanted.listen_ns)
        refuse_stranger(port, place, targets[0].unit, wanted.timeout_ns)
        registers = values.beside(port, targets, registers, wanted.timeout_ns)
        acknowledged = values.write(port, targets[0], registers, single, wanted.timeout_ns)
        rows = [values.read(port, target, wanted.timeout_ns) for target in targets]
    firsts = registers[:: targets[0].point.width]
    as_told = all(map(values.reads_back, targets, rows, wished, firsts))
    if wanted.as_json:
        click.echo(json.dumps({"acknowledged": acknowledged, "reads_back": as_told, "readings": rows}))
    else:
        click.echo("\n".join(map(values.in_words, rows)))
        click.echo("written and read back" if as_told else "! reads back as something else: look at the device")
    return EXIT_FINE if as_told else EXIT_FAILED


def _split(words: tuple[str, ...]) -> tuple[tuple[str, ...], list[float]]:
    """A tag, if the first word is no number, and the numbers."""
    tags: tuple[str, ...] = ()
    numbers: list[float] = []
    for k, word in enumerate(words):
        try:
            numbers.append(float(word))
        except ValueError:
            if k:
                raise click.UsageError(f"{word!r} is no number") from None
            tags = (word,)
    if not numbers or (tags and len(numbers) > 1):
        raise click.UsageError("write takes one TAG and one VALUE, or values only")
    return tags, numbers


def _confirm(place: Place, target: Any, wished: Sequence[float], yes: bool) -> None:
    """Ask a person; without one, --yes has to be there."""
    if yes:
        return
    shown = " ".join(f"{value:g}" for value in wished)
    moves = f" It moves {target.element}; nothing guards it now." if target.element else ""
    ask_person(f"Write {shown} to {target.words} on {place.at}.{moves} Go on?")
