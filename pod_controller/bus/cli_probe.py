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
    place = place_of(wanted)
    refuse_if_owned(place)
    order = None if text is None else Order(text, proof)
    if order is not None and not yes:
        ask_person(f"Send {text!r} to {description.model} on {place.at}. Go on?")
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
