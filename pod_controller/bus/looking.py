"""Frames to look at, from wherever they come: a running core, a free port that is only listened to, or a file.

Job: three sources, one form. Each yields what is new, again and again, also when nothing is. Neighbours: `cli_look`
shows and records; `hal.bus.joining` makes frames of pieces. Must not know how frames are shown. Nothing here sends.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hal.bus.asking import BusPort
from hal.bus.frame_file import recorded
from hal.bus.frames import QUESTION, Cutter, Frame
from hal.bus.joining import Joiner, Told
from hal.description import LineConfig
from pod_controller.bus.from_core import ask
from pod_controller.bus.place import CLOCK, NS, Place, epoch_ns
from pod_controller.control_client import Connection

STEP_NS = 100_000_000


class Seen(NamedTuple):
    """One frame of one line. lost: pieces that had gone before we could look at them."""

    line: str
    protocol: str
    epoch_ns: int
    sent: bool
    data: bytes
    frame: Frame
    lost: int = 0


def lines_of_core(socket: Path, wanted: str | None) -> list[LineConfig]:
    """The lines that a running core has; only the one wanted, if any is. PodError 441 when nobody answers."""
    with Connection(socket) as connection:
        rows = ask(connection, {"what": "lines"})["lines"]
    chosen = [row for row in rows if wanted in (None, row["line"])]
    return [_config(row) for row in chosen]


def _config(row: dict[str, Any]) -> LineConfig:
    host, _, number = row["port"].rpartition(":")
    if row["protocol"] == "modbus_tcp":
        return LineConfig(row["line"], row["protocol"], "", 0, False, host, int(number))
    return LineConfig(row["line"], row["protocol"], row["port"], row["baud"], framing=row["framing"])


def from_core(socket: Path, lines: Sequence[LineConfig]) -> Iterator[list[Seen]]:
    """What passes on lines of a running core from now on."""
    with Connection(socket) as connection:
        ahead = {row["line"]: row["next"] for row in ask(connection, {"what": "lines"})["lines"]}
        joiners = {line.name: Joiner(line.protocol) for line in lines}
        while True:
            seen: list[Seen] = []
            for line in lines:
                answer = ask(connection, {"what": "frames", "line": line.name, "since": ahead[line.name]})
                ahead[line.name], lost = answer["next"], answer["lost"]
                for _, at_ns, sent, data in answer["frames"]:
                    told = joiners[line.name].feed(at_ns, sent, bytes.fromhex(data))
                    seen += [_seen(line, each, lost) for each in told]
                    lost = 0 if told else lost
            yield sorted(seen, key=lambda each: each.epoch_ns)
            if not seen:
                CLOCK.sleep_until_ns(CLOCK.now_ns() + STEP_NS)


def _seen(line: LineConfig, told: Told, lost: int = 0) -> Seen:
    return Seen(line.name, line.protocol, told.at_ns, told.sent, told.data, told.frame, lost)


def from_port(place: Place) -> Iterator[list[Seen]]:
    """What passes on a port that nobody holds; we only listen. Times are those of the pieces."""
    cutter, joiner, line = Cutter(), Joiner(place.line.protocol), place.line
    with BusPort(line, CLOCK) as port:
        offset_ns = epoch_ns() - CLOCK.now_ns()
        while True:
            heard = port.listen(STEP_NS)
            seen: list[Seen] = []
            for piece in heard:
                at_ns = piece.at_ns + offset_ns
                if line.protocol == "ascii":
                    seen += [_seen(line, told) for told in joiner.feed(at_ns, False, piece.data)]
                else:
                    seen += [_passed(line, at_ns, frame) for frame in cutter.feed(piece.data)]
            if not heard:
                seen += [_passed(line, CLOCK.now_ns() + offset_ns, frame) for frame in cutter.silence()]
            yield seen


def _passed(line: LineConfig, at_ns: int, frame: Frame) -> Seen:
    return Seen(line.name, line.protocol, at_ns, frame.kind == QUESTION, frame.data, frame)


def from_file(path: Path) -> Iterator[list[Seen]]:
    """Everything in a frame file, once."""
    joiners: dict[str, Joiner] = {}
    for each in recorded(path):
        joiner = joiners.setdefault(each.line, Joiner(each.protocol))
        for told in [*joiner.feed(each.epoch_ns, each.sent, each.data), *joiner.flush()]:
            yield [Seen(each.line, each.protocol, told.at_ns, told.sent, told.data, told.frame)]


def until(source: Iterator[list[Seen]], duration_s: float | None, count: int | None) -> Iterator[Seen]:
    """Frames of a source, for so long or so many; for ever when neither is given."""
    end_ns = None if duration_s is None else CLOCK.now_ns() + round(duration_s * NS)
    left = count
    for batch in source:
        for seen in batch:
            if left is not None and left <= 0:
                return
            left = None if left is None else left - 1
            yield seen
        if end_ns is not None and CLOCK.now_ns() >= end_ns:
            return
