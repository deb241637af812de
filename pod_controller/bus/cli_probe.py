"""`podctl bus probe`: a probe that is asked in text, on a free line: a reading, or one command with its proof.

Neighbours: `hal.probe_line` has the dialogue, `hal.runner` drives it on the port. Must not know what a command does.
"""

import json
from typing import Any

import click

from pod_controller.bus.options import TIMEOUT_S, ask_person, with_place
from pod_controller.bus.place import CLOCK, EXIT_FAILED, EXIT_FINE, Place, Wanted, place_of, refuse_if_owned

TICK_NS, LONGEST_NS = 100_000_000, 30_000_000_000


@click.command()
@click.argument("device_type", metavar="TYPE")
@click.argument("text", required=False, metavar="[COMMAND]")
@click.option("--proof", default="", help='A question asked twice afterwards; both answers must agree: "Cal,?".')
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_place(TIMEOUT_S)
def probe(wanted: Wanted, device_type: str, text: str | None, proof: str, yes: bool) -> int:
    """Set up the probe of TYPE, then read it once, or have it carry out COMMAND (as "Cal,mid,7.00", "Sleep").

    A command is sent once: when its answer is lost, ask the probe before you send it again.
    """
    from hal.description import load
    from hal.probe_line import Order

    description = load(device_type)
    if description.probe is None:
        raise click.UsageError(f"{device_type} is not asked in text: see podctl bus order and read")
    for each in (text, proof or None):
        if each is not None and not (each.strip() and each.isascii() and each.isprintable()):
            raise click.UsageError(f"{each!r} is no command of a probe: one line of printable ASCII, as Cal,mid,7.00")
    place = place_of(wanted)
    _refuse_elsewhere(place, description)
    refuse_if_owned(place)
    order = None if text is None else Order(text, proof)
    if order is not None and not yes:
        ask_person(f"Send {text!r} to {description.model} on {place.at}. Go on?")
    _listen_first(place, wanted.listen_ns)
    readings = _talk(place, description, order)
    told: dict[str, Any] = {"model": description.model, "readings": readings}
    why = ""
    if order is not None:
        why = order.failed or ("" if order.ended else "no answer in time: look whether it took")
        told |= {"command": text, "done": not why, "why": why, "answers": [list(lines) for lines in order.answers]}
    elif not readings:
        why = "no reading in time: check power, line and baud rate"
    if wanted.as_json:
        click.echo(json.dumps(told | {"ok": not why}))
    else:
        click.echo(f"! {why}" if why else _in_words(told))
    return EXIT_FAILED if why else EXIT_FINE


def _refuse_elsewhere(place: Place, description: Any) -> None:
    """click.UsageError for a connection, and for a line on which the configuration has no such probe."""
    from hal.description import load

    if place.line.protocol == "modbus_tcp":
        raise click.UsageError(f"{place.at} is a connection: a probe that is asked in text is on a serial port")
    if place.config is None:
        return
    there = [device for device in place.config.device if device.line == place.line.name]
    if not any(load(device.type) == description for device in there):
        named = ", ".join(f"{device.name} ({device.type})" for device in there)
        raise click.UsageError(f"line {place.line.name} has no {description.model}: it has {named or 'no device'}")


def _listen_first(place: Place, listen_ns: int) -> None:
    """PodError 206 or 221 when the port cannot be had, 222 when a master speaks there.

    Lines of text may come unasked: most probes come set to send by themselves.
    """
    from hal.bus.asking import BusPort
    from hal.bus.scan import overhear
    from hal.errors import Code, PodError

    with BusPort(place.line, CLOCK) as port:
        found = overhear(port.listen(listen_ns))
    if found.frame_count:
        text = f"line {place.at} is in use: {found.text}: a probe that is asked in text has a line of its own"
        raise PodError(Code.LINE_BUSY, text)


def _in_words(told: dict[str, Any]) -> str:
    if "command" in told:
        answers = "; ".join(", ".join(lines) for lines in told["answers"] if lines)
        return f"{told['command']}: done{f' ({answers})' if answers else ''}"
    return "\n".join(f"{name}  {value:g}" for name, value in told["readings"].items())


def _talk(place: Place, description: Any, order: Any) -> dict[str, float]:
    """Drive the dialogue until the order has ended, or a reading has come; what it last read, by point."""
    import asyncio

    from hal.points import resolve
    from hal.probe_line import ProbeLine
    from hal.runner import precise_loop, run
    from hal.transport import transport_of
    from hal.values import Quality

    points = [resolve(spec, spec.name, None) for spec in description.point]
    line = ProbeLine(place.line.name, place.line.pace_baud, points, description.probe, 1_000_000_000)
    if order is not None:
        line.order(order)
    stop, until_ns = asyncio.Event(), CLOCK.now_ns() + LONGEST_NS

    def good() -> dict[str, float]:
        return {tag: x.value for tag, x in line.readings.items() if x.quality is not Quality.BAD}

    def tick(now_ns: int) -> None:
        if now_ns > until_ns or (order.ended if order is not None else good()):
            stop.set()

    async def drive() -> None:
        await run([(line, place.line.pace_baud)], [transport_of(place.line)], tick, TICK_NS, CLOCK, stop)

    with asyncio.Runner(loop_factory=precise_loop) as runner:
        runner.run(drive())
    return good()
