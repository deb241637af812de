"""`podctl bus monitor | capture | stats`: look on, send nothing.

Neighbours: `looking` (where frames come from), `hal.bus.frame_file` (files for Wireshark). Must not know protocols.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pod_controller.bus.options import ended
from pod_controller.bus.place import (
    EXIT_FINE,
    EXIT_INTERRUPTED,
    EXIT_UNWELL,
    Place,
    Wanted,
    core_status,
    place_of,
)
from pod_controller.control_client import DEFAULT_SOCKET

_PATH = click.Path(path_type=Path)


def _with_source(command: Callable[..., int]) -> Callable[..., int]:
    """The options that say whose frames."""
    for option in reversed((
        click.option("--config", "config_path", type=_PATH, help="The pod's TOML: ask its core, or listen on --line."),
        click.option("--line", help="Only this line."),
        click.option("--port", metavar="PATH", help="Listen on a serial port that nobody holds."),
        click.option("--baud", type=click.IntRange(300, 1_000_000), help="Its speed; default 9600."),
        click.option("--duration", "duration_s", type=click.FloatRange(min=0.1), help="End after so many seconds."),
        click.option("--count", type=click.IntRange(min=1), help="End after so many frames."),
    )):  # fmt: skip
        command = option(command)
    return command


def _source(config_path: Path | None, line: str | None, port: str | None, baud: int | None) -> "tuple[Any, list[Any]]":
    """Where frames come from, and the lines they are of: a core that answers, else a port to listen on."""
    from pod_controller.bus import looking

    socket = DEFAULT_SOCKET
    if config_path is not None:
        from pod_controller.control_client import socket_of

        socket = socket_of(config_path)
    if port is None and (config_path is None or core_status(socket) is not None):
        lines = looking.lines_of_core(socket, line)
        if not lines:
            raise click.UsageError(f"the core has no line {line}: podctl bus stats shows its lines")
        return looking.from_core(socket, lines), lines
    try:
        place: Place = place_of(Wanted(config_path, line, port, baud, None, 0.0, 0.2, False))
    except click.UsageError as error:
        if port is None:
            raise click.UsageError(f"no core answers at {socket}, so one line is to be listened to: {error}") from None
        raise
    if place.line.protocol == "modbus_tcp":
        raise click.UsageError(f"{place.at} is a connection: only its core sees what passes there")
    return looking.from_port(place), [place.line]


@click.command()
@click.option("--from", "file", type=_PATH, help="Frames of a file that capture wrote.")
@click.option("--unit", type=click.IntRange(0, 255), help="Only what is to or from this unit.")
@click.option("--bad", is_flag=True, help="Only what is no sound frame, and refusals.")
@_with_source
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def monitor(
    file: Path | None, unit: int | None, bad: bool, duration_s: float | None, count: int | None, as_json: bool,
    **source: Any,
) -> int:  # fmt: skip
    """Show what passes, decoded: > is from the master, < from a device, ! is no sound frame.

    Of a running core everything with its time; on a free port (--port) what is heard there, without a word of ours.
    """

    def work() -> int:
        from pod_controller.bus import looking

        frames = looking.from_file(file) if file is not None else _source(**source)[0]
        view = _View(as_json)
        try:
            for seen in looking.until(frames, duration_s, count):
                view.show(seen, unit, bad)
        except KeyboardInterrupt:
            return EXIT_INTERRUPTED
        return EXIT_FINE

    return ended(work, as_json=False)


class _View:
    """Frames as lines; an answer tells how long after its question it began to be there."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._asked_ns: dict[str, int] = {}

    def show(self, seen: Any, unit: int | None, bad: bool) -> None:
        """One frame, if it is wanted."""
        from hal.bus.frames import GARBAGE, REFUSAL

        after_ms = None
        if seen.sent:
            self._asked_ns[seen.line] = seen.epoch_ns
        elif seen.line in self._asked_ns:
            after_ms = round((seen.epoch_ns - self._asked_ns[seen.line]) * 1e-6, 1)
        if seen.lost:
            click.echo(f"({seen.lost} pieces of line {seen.line} were lost: looking on too slowly)", err=True)
        if (unit is not None and seen.frame.unit != unit) or (bad and seen.frame.kind not in (GARBAGE, REFUSAL)):
            return
        if self._as_json:
            row = {"utc": label(seen.epoch_ns), "line": seen.line, "sent": seen.sent, "after_ms": after_ms}
            about = {"kind": seen.frame.kind, "unit": seen.frame.unit, "text": seen.frame.text}
            click.echo(json.dumps(row | about | {"hex": seen.data.hex()}))
            return
        mark = "!" if seen.frame.kind == GARBAGE else ">" if seen.sent else "<"
        who = "" if seen.frame.unit is None else f"u{seen.frame.unit}"
        after = "" if after_ms is None else f"  +{after_ms:g} ms"
        click.echo(f"{label(seen.epoch_ns)[11:23]} {seen.line:<4} {mark} {who:<4} {seen.frame.text}{after}")


def label(epoch_ns: int) -> str:
    """Civil time in UTC with milliseconds."""
    return datetime.fromtimestamp(epoch_ns * 1e-9, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@click.command()
@click.argument("file", type=_PATH)
@_with_source
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def capture(file: Path, duration_s: float | None, count: int | None, as_json: bool, **source: Any) -> int:
    """Record what passes to FILE (pcapng) for Wireshark, which decodes it without settings.

    With check sequences, and functions 5, 6 and 43 told in both directions:
    tshark -r FILE -o mbrtu.crc_verification:TRUE -o mbrtu.tcp.port:503
    """

    def work() -> int:
        from hal.bus.frame_file import FrameFile
        from hal.bus.frames import GARBAGE
        from hal.errors import Code, PodError
        from pod_controller.bus import looking

        frames, lines = _source(**source)
        kept, lost, code = 0, 0, EXIT_FINE
        try:
            with file.open("wb") as target:
                record = FrameFile(target, lines)
                for seen in looking.until(frames, duration_s, count):
                    comment = seen.frame.text[:200] if seen.frame.kind == GARBAGE else ""
                    record.add(seen.line, seen.epoch_ns, seen.sent, seen.data, seen.frame.unit, comment)
                    kept, lost = kept + 1, lost + seen.lost
        except KeyboardInterrupt:
            code = EXIT_INTERRUPTED
        except OSError as error:
            raise PodError(Code.BUS_FILE, f"{file}: {error.strerror}: name a file that can be written") from None
        row = {"file": str(file), "frames": kept, "lost": lost, "lines": [line.name for line in lines]}
        click.echo(json.dumps(row) if as_json else f"{kept} frames in {file}, {lost} pieces lost")
        return code

    return ended(work, as_json=as_json)


@click.command()
@click.option("--config", "config_path", type=_PATH, help="The pod's TOML names the core's socket.")
@click.option("--line", help="Only this line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def stats(config_path: Path | None, line: str | None, as_json: bool) -> int:
    """Per device of a running core: answers, faults by kind, late answers, latencies. Exit 3: a device is not well."""

    def work() -> int:
        from pod_controller.bus.from_core import ask
        from pod_controller.control_client import Connection, socket_of

        with Connection(socket_of(config_path) if config_path is not None else DEFAULT_SOCKET) as connection:
            answer = ask(connection, {"what": "stats"})
        rows = [row for row in answer["lines"] if line in (None, row["line"])]
        if not rows:
            raise click.UsageError(
                f"the core has no line {line}: it has {', '.join(x['line'] for x in answer['lines'])}"
            )
        if as_json:
            click.echo(json.dumps({"uptime_s": answer["uptime_s"], "lines": rows}))
        else:
            click.echo("\n".join(_stat_lines(rows, answer["uptime_s"])))
        conditions = [device["condition"] for row in rows for device in row["devices"]]
        return EXIT_UNWELL if "DEAD" in conditions else EXIT_FINE

    return ended(work, as_json)


def _stat_lines(rows: list[dict[str, Any]], uptime_s: float) -> Iterator[str]:
    """A table for people."""
    yield f"since {uptime_s:.0f} s"
    for row in rows:
        speed = f"{row['baud']} baud" if row["baud"] else "tcp"
        stray = f", {row['stray_bytes']} bytes that nothing waited for" if row["stray_bytes"] else ""
        yield f"line {row['line']}  {row['port']}  {speed}{stray}"
        for device in row["devices"]:
            yield _stat_line(device)


def _stat_line(device: dict[str, Any]) -> str:
    head = f"  u{device['unit']:<3} {device['device']:<10}"
    if device["asked"] is None:
        return f"{head} speaks by itself, or has not been asked"
    faults = ", ".join(f"{count} {name}" for name, count in device["faults"].items()) or "no faults"
    latency = device["latency"]
    bounds = [*(f"<={bound}" for bound in latency["bounds_ms"]), f">{latency['bounds_ms'][-1]}"]
    shown = "  ".join(f"{bound}:{count}" for bound, count in zip(bounds, latency["counts"], strict=True) if count)
    late = f", {device['late']} late" if device["late"] else ""
    head += f" {device['condition'] or '':<8}"
    return f"{head} {device['answered']} of {device['asked']} answered, {faults}{late}; ms {shown}"
