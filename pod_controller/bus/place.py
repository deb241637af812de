"""Which line a bus tool works on, and whether it may: a port has one owner, and a running core is it.

Job: options or a configuration become a LineConfig; whoever owns it already is asked for and respected.
Neighbours: `cli` has the options, `hal.bus` does the work. Must not know what is asked of the line.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import click

from hal.clock import SystemClock
from hal.description import Framing, LineConfig
from hal.errors import Code, PodError
from pod_controller.config import PodConfig, load
from pod_controller.config_line import MODBUS_PORT
from pod_controller.control_client import DEFAULT_SOCKET, Connection

NS = 1_000_000_000
MOST_PORT = 65535
FIRST_BAUD = 9600  # where no one says: what most instruments come with


class Place(NamedTuple):
    """One line, the configuration it comes from (if any), and where its core would answer."""

    line: LineConfig
    config: PodConfig | None
    socket: Path

    @property
    def at(self) -> str:
        """Path of the port, or host:port."""
        return self.line.port or f"{self.line.host}:{self.line.tcp_port}"


class Wanted(NamedTuple):
    """The options that every tool has that works on a line."""

    config_path: Path | None
    line: str | None
    port: str | None
    baud: int | None
    tcp: str | None
    listen_s: float
    timeout_s: float
    as_json: bool
    framing: Framing | None = None

    @property
    def timeout_ns(self) -> int:
        """How long an answer may take to begin."""
        return round(self.timeout_s * NS)

    @property
    def listen_ns(self) -> int:
        """How long to listen before the first question."""
        return round(self.listen_s * NS)


def place_of(wanted: Wanted, tags: tuple[str, ...] = ()) -> Place:
    """The line that the options name; with tags, the line on which they are. click.UsageError when they name none."""
    ways = [way for way in (wanted.config_path, wanted.port, wanted.tcp) if way is not None]
    if len(ways) != 1:
        raise click.UsageError("which line? Give one of --config FILE [--line NAME], --port PATH, --tcp HOST:PORT")
    if wanted.port is not None:
        line = LineConfig("port", "modbus_rtu", wanted.port, wanted.baud or FIRST_BAUD)
        line = replace(line, framing=wanted.framing or line.framing)
        return Place(line, None, DEFAULT_SOCKET)
    if wanted.tcp is not None:
        host, _, number = wanted.tcp.rpartition(":") if ":" in wanted.tcp else (wanted.tcp, "", str(MODBUS_PORT))
        if not host or not is_number(number) or not 1 <= int(number) <= MOST_PORT:
            raise click.UsageError(
                f"--tcp {wanted.tcp}: write HOST:PORT with a numeric address and a port from 1 to {MOST_PORT},"
                " as 10.0.0.7:502"
            )
        return Place(LineConfig("server", "modbus_tcp", "", 0, False, host, int(number)), None, DEFAULT_SOCKET)
    assert wanted.config_path is not None
    config = load(wanted.config_path)
    line = _named(config, wanted.line or _line_with(config, tags))
    if wanted.baud is not None and line.protocol != "modbus_tcp":
        line = replace(line, baud=wanted.baud)
    if wanted.framing is not None and line.protocol != "modbus_tcp":
        line = replace(line, framing=wanted.framing)
    return Place(line, config, config.control.socket)


def is_number(text: str) -> bool:
    """Whether it is digits only, those of ASCII, and few enough for a number of any bus."""
    return text.isascii() and text.isdigit() and len(text) <= 9


def _named(config: PodConfig, name: str | None) -> LineConfig:
    lines = {line.name: line for line in config.hardware().lines}
    if name is None and len(lines) == 1:
        return next(iter(lines.values()))
    if name is None or name not in lines:
        asked = "no --line is given" if name is None else f"--line {name} is not in the configuration"
        raise click.UsageError(f"{asked}: its lines are {', '.join(lines)}")
    return lines[name]


def _line_with(config: PodConfig, tags: tuple[str, ...]) -> str | None:
    """The line of the device that has the first tag. click.UsageError when no device has it."""
    for device in config.device:
        if tags and tags[0] in device.tags.values():
            return device.line
    if tags:
        known = sorted(tag for device in config.device for tag in device.tags.values())
        raise click.UsageError(f"no device has the tag {tags[0]}: there are {', '.join(known)}")
    return None


def core_status(socket: Path) -> dict[str, Any] | None:
    """What the core at a socket says; None when nobody is there.

    PodError 441 when somebody is there whom we may not ask, or who does not answer: the lines may well be theirs.
    """
    try:
        with Connection(socket) as connection:
            answer = connection.ask({"do": "status"})
    except PodError as error:
        if isinstance(error.__context__, PermissionError | TimeoutError):
            raise
        return None
    return answer if answer.get("ok") else None


def refuse_if_owned(place: Place) -> None:
    """PodError 221 when a running core owns the port. A port that anybody else holds refuses to open by itself."""
    for socket in dict.fromkeys((place.socket, DEFAULT_SOCKET)):
        status = core_status(socket)
        for line in status["lines"] if status is not None else ():
            if _same_port(str(line["port"]), place.at):
                raise PodError(
                    Code.PORT_HELD,
                    f"line {line['line']} ({place.at}) belongs to the core that answers at {socket}: one port has one"
                    " owner; podctl bus stats, monitor, capture and read TAG ask the core; for anything else end the"
                    " core first (systemctl stop pod-core)",
                )


def _same_port(one: str, other: str) -> bool:
    """Whether two paths, or two host:port, are one place."""
    return one == other or os.path.realpath(one) == os.path.realpath(other)


def exit_code_of(error: PodError) -> int | None:
    """Exit codes of CONTRACTS for what a bus tool may meet; None for everything else."""
    return EXIT_OF_CODE.get(error.code)


EXIT_FINE, EXIT_FAILED, EXIT_USAGE, EXIT_UNWELL, EXIT_REFUSED = 0, 1, 2, 3, 4
EXIT_UNREACHABLE, EXIT_INTERRUPTED = 69, 130
EXIT_OF_CODE: Mapping[int, int] = {
    Code.PORT_HELD: EXIT_REFUSED,
    Code.LINE_BUSY: EXIT_REFUSED,
    Code.BUS_STRANGER: EXIT_REFUSED,
    441: EXIT_UNREACHABLE,
    437: EXIT_USAGE,
    436: 75,
}
CLOCK = SystemClock()


def epoch_ns() -> int:
    """Civil time in ns since 1970, to the millisecond: a label for people."""
    return round(datetime.fromisoformat(CLOCK.utc_label()).timestamp() * 1e6) * 1000
