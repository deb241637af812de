"""Where a tag's value comes from, as the line holds it now: registers or the text of an instrument, and their point.

Job: find the place of a tag among the lines and copy what was last believed there, so that somebody may look at it.
Neighbours: ``pod_io`` asks, ``signal_chain`` walks the steps. Must not know: who asks, time, what a tag means.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hal import signal_chain
from hal.line import Line, ModbusLine
from hal.points import Point
from hal.probe_line import ProbeLine, parse_reading
from hal.serial_instruments import SerialLine, weigh
from hal.signal_chain import Stage
from hal.values import Cause, Quality, Reading

_NOTHING_YET = "nothing has been heard of it yet"


class Source(NamedTuple):
    """What a tag was last made of. words from address first of the point's table, or the text of an instrument."""

    line: str
    device: str
    unit: int
    point: Point
    first: int
    words: tuple[int, ...]
    text: bytes
    reading: Reading
    stages: tuple[Stage, ...]


def find(lines: Iterable[Line], tag: str) -> Source | None:
    """The source of an input; None when no point has this tag."""
    for line in lines:
        if isinstance(line, ModbusLine):
            found = _in_registers(line, tag)
        elif isinstance(line, SerialLine | ProbeLine):
            found = _in_text(line, tag)
        else:
            found = None
        if found is not None:
            return found
    return None


def _in_registers(line: ModbusLine, tag: str) -> Source | None:
    for block in line.blocks:
        for point in block.plan.points:
            if point.tag != tag:
                continue
            words, first = tuple(block.words), block.plan.first
            steps = signal_chain.stages(point, words, first) if words else _nothing()
            device = block.device
            return Source(line.name, device.name, device.unit, point, first, words, b"", line.readings[tag], steps)
    return None


def _in_text(line: SerialLine | ProbeLine, tag: str) -> Source | None:
    points: Sequence[Point] = (line.point,) if isinstance(line, SerialLine) else line.points
    for point in points:
        if point.tag == tag:
            text = line.decoder.frame if isinstance(line, SerialLine) else line.frame
            steps = _steps_of_text(line, point, text) if text else _nothing()
            return Source(line.name, "", 0, point, 0, (), text, line.readings[tag], steps)
    return None


def _steps_of_text(line: SerialLine | ProbeLine, point: Point, text: bytes) -> tuple[Stage, ...]:
    if isinstance(line, SerialLine):
        weight = weigh(line.form, text, 0)
        return signal_chain.number_stages(point, weight.gross_kg, weight.quality, weight.cause, "gross, of the frame")
    numbers = parse_reading([text.decode("ascii")], len(text.split(b",")))
    raw = numbers[point.place] if numbers is not None else float("nan")
    now = line.readings[point.tag]  # what the probe says of its supply is not in the line of numbers
    is_doubted = now.quality is Quality.UNCERTAIN
    quality, cause = (now.quality, now.cause) if is_doubted else (Quality.GOOD, Cause.NONE)
    return signal_chain.number_stages(point, raw, quality, cause, f"number {point.place + 1} of the line")


def _nothing() -> tuple[Stage, ...]:
    return (Stage("decode", float("nan"), Quality.BAD, Cause.INITIAL_VALUE, _NOTHING_YET),)
