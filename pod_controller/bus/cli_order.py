"""`podctl bus order`: have a device carry out a command that its description tells, step by step, with a yes.

Neighbours: `hal.commands` plays the steps, `hal.bus.asking` has the port. Must not know what a command does.
"""

import json
from typing import Any

import click

from pod_controller.bus.options import TIMEOUT_S, ask_person, with_place
from pod_controller.bus.place import CLOCK, EXIT_FAILED, EXIT_FINE, Place, Wanted, place_of, refuse_if_owned

POLL_NS = 100_000_000


@click.command()
@click.argument("device_type", metavar="TYPE")
@click.argument("name", required=False, metavar="[COMMAND]")
@click.argument("number", required=False, type=click.IntRange(0, 65535), metavar="[NUMBER]")
@click.option("--unit", type=click.IntRange(1, 255), help="The device's address.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_place(TIMEOUT_S)
def order(wanted: Wanted, device_type: str, name: str | None, number: int | None, unit: int | None, yes: bool) -> int:
    """Have the device of TYPE at --unit carry out COMMAND; without COMMAND, list what TYPE can be told.

    Each write is sent once: when its answer is lost, look at the device before you order again.
    """
    from hal.description import load

    description = load(device_type)
    if name is None:
        return _list(description, wanted.as_json)
    if unit is None:
        raise click.UsageError("which device? Give --unit")
    from hal.commands import CommandRun

    run = CommandRun(description, name, unit, number)
    place = place_of(wanted)
    _refuse_other(place, description, unit)
    refuse_if_owned(place)
    _confirm(place, description, name, unit, yes)
    steps = _play(run, place, unit, wanted)
    done = not run.why
    if wanted.as_json:
        click.echo(json.dumps({"command": name, "done": done, "why": run.why, "exchanges": steps}))
    else:
        click.echo(f"{name}: done" if done else f"! {run.why}")
        settles_s = run.command.settles_s
        if done and settles_s:
            click.echo(f"its points say nothing sound for {settles_s:g} s")
    return EXIT_FINE if done else EXIT_FAILED


def _refuse_other(place: Place, description: Any, unit: int) -> None:
    """click.UsageError when the configuration has a device of another type at this unit of this line."""
    from hal.description import load

    for device in place.config.device if place.config is not None else ():
        if (device.line, device.unit) == (place.line.name, unit) and load(device.type) != description:
            raise click.UsageError(
                f"unit {unit} on line {place.line.name} is {device.name}, a {device.type}, no {description.model}:"
                " check --line and --unit"
            )


def _list(description: Any, as_json: bool) -> int:
    rows = [{"command": c.name, "does": c.does, "wears": c.wears} for c in description.command]
    if as_json:
        click.echo(json.dumps({"model": description.model, "commands": rows}))
        return EXIT_FINE
    for row in rows or [{"command": "none", "does": f"{description.model} has no commands described", "wears": False}]:
        click.echo(f"{row['command']:<20}{row['does']}{' (wears its memory)' if row['wears'] else ''}")
    return EXIT_FINE


def _confirm(place: Place, description: Any, name: str, unit: int, yes: bool) -> None:
    """Ask a person; without one, --yes has to be there."""
    if yes:
        return
    command = next(c for c in description.command if c.name == name)
    wears = " It writes a memory that wears out." if command.wears else ""
    ask_person(f"{description.model} at unit {unit} on {place.at}: {command.does}.{wears} Go on?")


def _play(run: Any, place: Place, unit: int, wanted: Wanted) -> int:
    """Exchange frames until the command has ended; how many it took."""
    from hal.bus.asking import BusPort, known
    from hal.bus.scan import listen_first
    from hal.commands import Progress
    from pod_controller.bus.meeting import refuse_stranger

    count = 0
    with BusPort(place.line, CLOCK) as port:
        listen_first(port, wanted.listen_ns)
        refuse_stranger(port, place, unit, wanted.timeout_ns)
        while run.progress is Progress.RUNNING:
            request = run.next_request()
            answer = port.ask(known(request), wanted.timeout_ns)
            run.answered(answer.verdict, request.frame[:1] + answer.pdu, CLOCK.now_ns())
            count += 1
            CLOCK.sleep_until_ns(CLOCK.now_ns() + POLL_NS)
    return count
