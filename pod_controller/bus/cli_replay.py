"""`podctl bus replay`: a capture decoded again, as this pod's wiring would have understood it. No port, no core.

Neighbours: `looking` (frames of a file), `hal.bus.replay` (verdicts and readings). Must not know protocols.
"""

import json
import math
from collections import Counter
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
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
def replay(file: Path, config_path: Path, line: str | None, tags: tuple[str, ...], bad: bool, as_json: bool) -> int:
    """Judge and decode FILE, which `bus capture` wrote, with the codec and the wiring of --config.

    Times are the recording's, and not judged: an answer that came too late or too early counts as sound here. Values
    are those of the instruments, without the pod's calibration.
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
        tape = Replay(build(config.hardware()).lines)
        for batch in looking.from_file(file):
            for seen in batch:
                if line in (None, seen.line):
                    came = tape.take(seen.line, seen.protocol, seen.epoch_ns, seen.sent, seen.data)
                    story.tell(seen, came)
        story.end(str(file), cut_count(file))
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


class _Story:
    """What is shown while it goes on, and what it came to."""

    def __init__(self, tags: tuple[str, ...], bad: bool, as_json: bool) -> None:
        self._tags, self._bad, self._as_json = tags, bad, as_json
        self._frames = 0
        self._verdicts: Counter[str] = Counter()
        self._counts: Counter[str] = Counter()
        self._last: dict[str, Any] = {}

    def tell(self, seen: Any, came: Any) -> None:
        """One frame and what it came to."""
        from pod_controller.bus.cli_look import label

        self._frames += 1
        if came.verdict:
            self._verdicts[came.verdict] += 1
        at = label(seen.epoch_ns)
        for reading in came.readings:
            self._counts[reading.tag] += 1
            value = None if math.isnan(reading.value) else reading.value
            about = {"quality": reading.quality.name, "cause": reading.cause.name, "utc": at}
            self._last[reading.tag] = {"value": value} | about
        if self._as_json:
            return
        if came.verdict not in _BELIEVED:
            click.echo(f"{at[11:23]} {seen.line:<4} ! {came.verdict}: {seen.frame.text}")
        for reading in () if self._bad else came.readings:
            if not self._tags or reading.tag in self._tags:
                why = "" if reading.quality.name == "GOOD" else f" ({reading.cause.name})"
                shown = f"{reading.tag:<10} {reading.value:>10.6g}"
                click.echo(f"{at[11:23]} {seen.line:<4}   {shown}  {reading.quality.name}{why}")

    def end(self, file: str, cut_count: int) -> None:
        """The sums; cut_count: bytes at the end of the file that are no whole frame."""
        if self._as_json:
            tags = {tag: last | {"count": self._counts[tag]} for tag, last in self._last.items()}
            sums = {"frames": self._frames, "verdicts": self._verdicts, "tags": tags, "cut_bytes": cut_count}
            click.echo(json.dumps({"file": file} | sums))
            return
        judged = ", ".join(f"{count} {name}" for name, count in self._verdicts.most_common()) or "none"
        click.echo(f"{self._frames} frames; answers: {judged}; {len(self._last)} tags read")
        if cut_count:
            click.echo(f"! {file} is cut: its last {cut_count} bytes are no whole frame")
