"""`podctl bus replay`: a capture decoded again, as this pod's wiring would have understood it. No port, no core.

Neighbours: `looking` (frames of a file), `hal.bus.replay` (verdicts, readings, their age), `commissioning.book` (the
curves). Must not know protocols.
"""

import json
import math
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pod_controller.bus.options import ended
from pod_controller.bus.place import EXIT_FINE

_PATH = click.Path(path_type=Path)
_BELIEVED = ("", "accepted", "exception")  # a question, an answer, a sound refusal


@click.command()
@click.argument("file", type=_PATH)
@click.option("--config", "config_path", type=_PATH, required=True, help="The pod's TOML: its lines, devices and tags.")
@click.option("--line", help="Only this line.")
@click.option("--tag", "tags", multiple=True, help="Only these tags; may be given again.")
@click.option(
    "--bad", is_flag=True, help="Only answers that no master believes: of late and early ones the line judged."
)
@click.option("--uncalibrated", is_flag=True, help="As the instruments gave it, without the pod's curves.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def replay(
    file: Path, config_path: Path, line: str | None, tags: tuple[str, ...], bad: bool, uncalibrated: bool, as_json: bool
) -> int:
    """Judge and decode FILE, which `bus capture` wrote, with the codec and the wiring of --config.

    Values are read through the curves that are in force now, due by the recording's time, and go BAD
    when nothing new has come for as long as a pod waits. Not judged: an answer that came too late or too
    early counts as sound here; rates, stuck values and votes are the controller's.
    """

    def work() -> int:
        from hal.bus.frame_file import cut_count
        from hal.bus.replay import Replay
        from hal.pod_io import build
        from pod_controller.bus import looking
        from pod_controller.config import load

        config = load(config_path)
        _refuse_unknown(config, line, tags)
        story = _Story(tags, bad, as_json)
        curves = _Curves(config_path, config, uncalibrated)
        tape = Replay(build(config.hardware(curves=curves.places)).lines, round(config.control.tick_s * 1e9))
        for batch in looking.from_file(file):
            for seen in batch:
                if line in (None, seen.line):
                    curves.look(seen.epoch_ns)
                    story.age(tape.until(seen.epoch_ns))
                    came = tape.take(seen.line, seen.protocol, seen.epoch_ns, seen.sent, seen.data)
                    story.tell(seen, came)
        story.end(str(file), cut_count(file), curves.newer)
        return EXIT_FINE

    return ended(work, as_json)


def _refuse_unknown(config: Any, line: str | None, tags: tuple[str, ...]) -> None:
    """click.UsageError for a line or a tag that the configuration does not have: nothing would ever be shown."""
    lines = [each.name for each in config.line]
    if line is not None and line not in lines:
        raise click.UsageError(f"--line {line} is not in the configuration: its lines are {', '.join(lines)}")
    known = sorted(tag for device in config.device for tag in device.tags.values())
    for tag in tags:
        if tag not in known:
            raise click.UsageError(f"no device has the tag {tag}: there are {', '.join(known)}")


class _Curves:
    """The pod's curves in their places, by the recording's time. newer: tags calibrated only after it."""

    def __init__(self, path: Path, config: Any, unused: bool) -> None:
        from pod_controller.commissioning import book

        self.places = {} if unused else book.places(config)
        self.newer: list[str] = []
        self._config, self._in_force = config, book.in_force
        self._book = None if unused else book.judged(path, config)

    def look(self, at_ns: int) -> None:
        """Before each frame: at the first one they are put, from then on they may fall due."""
        if self._book is not None:
            at_utc = datetime.fromtimestamp(at_ns * 1e-9, UTC)
            found, known = self._in_force(self._config, self._book, at_utc, at_ns), self._book
            for tag, place in self.places.items():
                place.put(found.curves.get(tag))
            made = [(tag, known.active(tag)) for tag in found.curves]
            self.newer = [tag for tag, x in made if x is not None and x.made_utc > at_utc]
            self._book = None
        for place in self.places.values():
            place.look(at_ns)


class _Story:
    """What is shown while it goes on, and what it came to."""

    def __init__(self, tags: tuple[str, ...], bad: bool, as_json: bool) -> None:
        self._tags, self._bad, self._as_json = tags, bad, as_json
        self._frames = 0
        self._verdicts: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._aged: Counter[str] = Counter()
        self._last: dict[str, Any] = {}

    def tell(self, seen: Any, came: Any) -> None:
        """One frame and what it came to."""
        from pod_controller.bus.cli_look import label

        self._frames += 1
        if came.verdict:
            self._verdicts[came.verdict] += 1
        at = label(seen.epoch_ns)
        if not self._as_json and came.verdict not in _BELIEVED:
            click.echo(f"{at[11:23]} {seen.line:<4} ! {came.verdict}: {seen.frame.text}")
        for reading in came.readings:
            self._counts[reading.tag] += 1
            self._show(reading, seen.line, at)

    def age(self, gone: Any) -> None:
        """Readings that went out of date before the next frame."""
        from pod_controller.bus.cli_look import label

        for each in gone:
            self._aged[each.reading.tag] += 1
            self._show(each.reading, each.line, label(each.at_ns))

    def _show(self, reading: Any, line: str, at: str) -> None:
        value = None if math.isnan(reading.value) else reading.value
        about = {"quality": reading.quality.name, "cause": reading.cause.name, "utc": at}
        self._last[reading.tag] = {"value": value} | about
        if not self._as_json and not self._bad and (not self._tags or reading.tag in self._tags):
            why = "" if reading.quality.name == "GOOD" else f" ({reading.cause.name})"
            shown = f"{reading.tag:<10} {reading.value:>10.6g}"
            click.echo(f"{at[11:23]} {line:<4}   {shown}  {reading.quality.name}{why}")

    def end(self, file: str, cut_count: int, newer: list[str]) -> None:
        """The sums; cut_count: bytes at the end of the file that are no whole frame; newer: see `_Curves`."""
        if self._as_json:
            counts = {tag: {"count": self._counts[tag], "aged_count": self._aged[tag]} for tag in self._last}
            tags = {tag: last | counts[tag] for tag, last in self._last.items()}
            sums = {"frames": self._frames, "verdicts": self._verdicts, "tags": tags, "cut_bytes": cut_count}
            click.echo(json.dumps({"file": file} | sums | {"calibrated_later": newer}))
            return
        judged = ", ".join(f"{count} {name}" for name, count in self._verdicts.most_common()) or "none"
        click.echo(f"{self._frames} frames; answers: {judged}; {len(self._last)} tags read")
        if self._aged:
            aged = ", ".join(f"{tag} {count}x" for tag, count in self._aged.most_common(5))
            more = " ..." if len(self._aged) > 5 else ""
            click.echo(f"! out of date for a while, nothing new had come: {aged}{more}")
        if newer:
            click.echo(f"! calibrated only after this recording began: {', '.join(newer)}")
        if cut_count:
            click.echo(f"! {file} is cut: its last {cut_count} bytes are no whole frame")
