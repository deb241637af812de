"""Options that several bus tools share, and how each of them ends.

Neighbours: `cli_ask`, `cli_look`. Must not know what a tool does.
"""

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hal.errors import PodError
from pod_controller.bus.place import Wanted
from pod_controller.person import forget_what_was_typed

LISTEN_S = 1.2  # more than two ticks of the usual 0.5 s
TIMEOUT_S = 0.2
SHORT_TIMEOUT_S = 0.1  # of a scan: some hundred addresses

Command = Callable[..., int]


def with_place(timeout_s: float) -> Callable[[Command], Command]:
    """The options that name a line; the command gets them as one Wanted."""

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def placed(**options: Any) -> int:
            wanted = Wanted(**{name: options.pop(name) for name in Wanted._fields})
            return ended(lambda: command(wanted, **options), wanted.as_json)

        wrapped: Command = placed
        for option in reversed(_place_options(timeout_s)):
            wrapped = option(wrapped)
        return wrapped

    return decorate


def _place_options(timeout_s: float) -> list[Callable[[Command], Command]]:
    path = click.Path(path_type=Path)
    return [
        click.option("--config", "config_path", type=path, help="The pod's TOML: its lines, devices and tags."),
        click.option("--line", help="A line of the configuration."),
        click.option("--port", metavar="PATH", help="A serial port without a configuration."),
        click.option("--baud", type=click.IntRange(300, 1_000_000), help="Its speed; default 9600, or the line's."),
        click.option("--framing", type=click.Choice(["8N1", "8E1", "8O1", "8N2"]),
                     help="Its characters; default 8N1, or the line's."),
        click.option("--tcp", metavar="HOST:PORT", help="A Modbus TCP server, without a configuration."),
        click.option("--listen", "listen_s", type=click.FloatRange(0.0, 60.0), default=LISTEN_S, show_default=True,
                     help="Seconds to listen before the first question; refused if somebody speaks."),
        click.option("--timeout", "timeout_s", type=click.FloatRange(0.01, 10.0), default=timeout_s, show_default=True,
                     help="Seconds until an answer has to begin."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout."),
    ]  # fmt: skip


def ask_person(question: str) -> None:
    """Have a person say yes, now: what was typed before the question does not count.

    click.UsageError where nobody can be asked (then --yes has to be there), click.Abort at a no.
    """
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: add --yes when whatever moves may move")
    forget_what_was_typed()
    click.confirm(question, abort=True, err=True)


def ended(work: Callable[[], int], as_json: bool) -> int:
    """Do it; what a bus tool may meet becomes its exit code and one line, in JSON as well if that was asked for."""
    from pod_controller.bus.place import exit_code_of
    from pod_controller.config import ConfigFaults

    try:
        return work()
    except ConfigFaults as faults:
        for line in faults.lines:
            click.echo(line, err=True)
        return 78
    except PodError as error:
        code = exit_code_of(error)
        if as_json:
            click.echo(json.dumps({"ok": False, "code": error.code, "text": str(error)}))
        if code is None:
            raise
        click.echo(str(error), err=True)
        return code
