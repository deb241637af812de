"""`podctl status | why | tag | start | stop | hold | reset | bypass`: ask a running core, or have it do something.

Neighbours: `control_client` carries, `cli_views` shows to people; here are options and exit codes. Must not know rules.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from hal.clock import SystemClock
from hal.errors import PodError
from pod_controller.control_client import DEFAULT_SOCKET, NOBODY, Connection, socket_of

EXIT_FINE, EXIT_FAILED, EXIT_USAGE, EXIT_UNWELL, EXIT_REFUSED = 0, 1, 2, 3, 4
EXIT_UNREACHABLE, EXIT_TRY_AGAIN, EXIT_CONFIGURATION = 69, 75, 78
EXIT_OF_CODE = {
    **{432: EXIT_REFUSED, 433: EXIT_TRY_AGAIN, 436: EXIT_TRY_AGAIN, 437: EXIT_USAGE, 473: EXIT_USAGE},
    **{450: EXIT_REFUSED, 451: EXIT_USAGE, 452: EXIT_USAGE},
}
WATCH_NS = 1_000_000_000
REASON_MOST = 200


def _with_core(command: Callable[..., int]) -> Callable[..., int]:
    """The options that every verb here has."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout."),
        click.option("--socket", "socket_path", type=click.Path(path_type=Path), help="The core's socket."),
        click.option("--config", "config_path", type=click.Path(path_type=Path), help="The pod's TOML names it."),
    ):
        command = option(command)
    return command


def _with_reason(command: Callable[..., int]) -> Callable[..., int]:
    """The options of a verb that asks for a change of state."""
    return click.option("--reason", default="", help="For the journal: why, in a few words.")(_with_core(command))


@click.command()
@click.option("--watch", is_flag=True, help="Again every second, until Ctrl-C.")
@_with_core
def status(config_path: Path | None, socket_path: Path | None, as_json: bool, watch: bool) -> int:
    """Ask how the pod is: state, punctuality, lines, vessels, chutes."""
    from pod_controller import cli_views

    def show(answer: Mapping[str, Any]) -> int:
        click.echo(json.dumps(answer)) if as_json else cli_views.show_status(answer)
        return EXIT_FINE if answer["well"] else EXIT_UNWELL

    def watch_it(path: Path) -> int:
        cli_views.watch(lambda: _ask(path, {"do": "status"}), SystemClock(), WATCH_NS, as_json)
        return EXIT_FINE

    return _answered(config_path, socket_path, as_json, {"do": "status"}, show, watch_it if watch else None)


@click.command()
@click.argument("inlet", required=False)
@_with_core
def why(config_path: Path | None, socket_path: Path | None, as_json: bool, inlet: str | None) -> int:
    """Tell why inlets are shut, with the guard's terms in kg, and what would open them.

    INLET: a gate, lid or pump, a chute, or an intake; all when left out.
    """
    from pod_controller import cli_views

    def show(answer: Mapping[str, Any]) -> int:
        click.echo(json.dumps(answer)) if as_json else cli_views.show_why(answer, with_terms=inlet is not None)
        return EXIT_FINE

    return _answered(config_path, socket_path, as_json, {"do": "why", **({"inlet": inlet} if inlet else {})}, show)


@click.command()
@click.argument("name", metavar="TAG")
@_with_core
def tag(config_path: Path | None, socket_path: Path | None, as_json: bool, name: str) -> int:
    """Show a tag step by step: raw words, decode, marks, scale, calibration, range, rate, stuck, age, vote, substitute.

    Exit code 3 when its reading is not GOOD.
    """
    from pod_controller import cli_tag

    def show(answer: Mapping[str, Any]) -> int:
        click.echo(json.dumps(answer) if as_json else "\n".join(cli_tag.lines_of(answer)))
        return EXIT_FINE if answer["kind"] == "output" or answer["reading"]["quality"] == "GOOD" else EXIT_UNWELL

    return _answered(config_path, socket_path, as_json, {"do": "tag", "tag": name}, show)


@click.command()
@_with_reason
def start(**options: Any) -> int:
    """Start an armed pod (IDLE or HELD)."""
    return _request("start", **options)


@click.command()
@_with_reason
def stop(**options: Any) -> int:
    """Stop the pod: every output to its fail state, then armed anew."""
    return _request("stop", **options)


@click.command()
@_with_reason
def hold(**options: Any) -> int:
    """Hold a running pod: every output at its fail state until start."""
    return _request("hold", **options)


@click.command()
@_with_reason
def reset(**options: Any) -> int:
    """Reset latched trips whose cause has gone, and an aborted pod."""
    return _request("reset", **options)


@click.command()
@click.argument("thing", required=False)
@click.option("--for", "lasts_min", type=click.IntRange(1, 480), default=30, show_default=True, help="Minutes.")
@click.option("--end", "ends", is_flag=True, help="End the bypass that is in force.")
@_with_reason
def bypass(
    thing: str | None,
    lasts_min: int,
    ends: bool,
    config_path: Path | None,
    socket_path: Path | None,
    as_json: bool,
    reason: str,
) -> int:
    """Take one sensor or element out for maintenance: it counts as lost, lids stay locked, it expires.

    THING: a sensor's tag (its rows of podctl cause-effect are suspended) or an element's name (it counts as open).
    """
    if ends and thing is not None:
        raise click.UsageError("--end takes no THING: there is one bypass at most; podctl bypass --end")
    if not ends and thing is None:
        raise click.UsageError("name one THING, or --end the bypass that is in force")
    what = {"thing": thing, "for_s": lasts_min * 60} if thing else {}

    def show(answer: Mapping[str, Any]) -> int:
        text = f"{thing} is bypassed for {lasts_min} min" if thing else "no bypass any more"
        click.echo(json.dumps(answer) if as_json else f"{text}; the pod is {answer['state']}")
        return EXIT_FINE

    request = {"do": "bypass", "reason": reason[:REASON_MOST], **what}
    return _answered(config_path, socket_path, as_json, request, show)


def _request(what: str, config_path: Path | None, socket_path: Path | None, as_json: bool, reason: str) -> int:
    def show(answer: Mapping[str, Any]) -> int:
        click.echo(json.dumps(answer) if as_json else f"{what}: the pod is {answer['state']}")
        return EXIT_FINE

    return _answered(config_path, socket_path, as_json, {"do": what, "reason": reason[:REASON_MOST]}, show)


def _answered(
    config_path: Path | None,
    socket_path: Path | None,
    as_json: bool,
    request: Mapping[str, Any],
    show: Callable[[Mapping[str, Any]], int],
    instead: Callable[[Path], int] | None = None,
) -> int:
    """Ask, show, and turn what went wrong into an exit code."""
    from pod_controller.config import ConfigFaults

    if config_path is not None and socket_path is not None:
        raise click.UsageError("--config and --socket both name the core: give one")
    try:
        path = socket_path or (socket_of(config_path) if config_path else DEFAULT_SOCKET)
        answer = _ask(path, request)
        if not answer["ok"]:
            if as_json:
                click.echo(json.dumps(answer))
            click.echo(str(answer.get("text")), err=True)
            return EXIT_OF_CODE.get(int(answer.get("code", 0)), EXIT_FAILED)
        return show(answer) if instead is None else instead(path)
    except ConfigFaults as faults:
        for line in faults.lines:
            click.echo(line, err=True)
        return EXIT_CONFIGURATION
    except PodError as error:
        if error.code != NOBODY:
            raise
        if as_json:
            click.echo(json.dumps({"ok": False, "code": error.code, "text": str(error)}))
        click.echo(str(error), err=True)
        return EXIT_UNREACHABLE


def _ask(path: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    with Connection(path) as connection:
        return connection.ask(request)
