"""The steps between registers and a Reading, each for people to see: what `podctl tag` shows.

Job: walk one point through the chain in its fixed order (decode, bad values and fault bits, scale, calibration, range)
and tell value, verdict and reason after every step. Worked out only when somebody asks; the hot path is
``points.decoder``, and tests hold the two to the same answer for any words.
Neighbours: ``points`` (the same parts), ``pod_io`` finds the words, the controller adds what needs time and other tags
(rate, stuck, age, vote, substitute). Must not know: lines, time, how a step is shown.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from hal.points import MISSING, NAN, UNSCALED, WORST_FIRST, Judged, Point, flags, number_reader, scale_reader
from hal.values import Cause, Quality


class Stage(NamedTuple):
    """One step: the value after it, its own verdict (not the chain's), and why, in words."""

    name: str
    value: float
    quality: Quality
    cause: Cause
    says: str


def good(name: str, value: float, says: str) -> Stage:
    """A step that finds nothing to complain of."""
    return Stage(name, value, Quality.GOOD, Cause.NONE, says)


def doubt(name: str, value: float, cause: Cause, says: str) -> Stage:
    """A step that finds something: its cause says whether the value is BAD or UNCERTAIN."""
    is_bad = cause >= WORST_FIRST
    return Stage(name, NAN if is_bad else value, Quality.BAD if is_bad else Quality.UNCERTAIN, cause, says)


def verdict(stages: Sequence[Stage]) -> Judged:
    """What the steps come to: the worst quality wins, of equals the earliest; a BAD value is NaN."""
    worst = max(stages, key=lambda stage: stage.quality)
    value = NAN if worst.quality is Quality.BAD else stages[-1].value
    return (value, worst.quality, worst.cause)


def stages(point: Point, words: Sequence[int], first: int) -> tuple[Stage, ...]:
    """The steps of one point from a block whose first address is ``first``; they end where the value becomes BAD."""
    if any(not 0 <= address - first < len(words) for address in point.addresses()):
        return (Stage("decode", *MISSING, "the reply does not hold every register of this point"),)
    raw = number_reader(point, first)(words)
    found = [_decoded(point, raw), *_marked(point, raw, words, first)]
    if found[-1].quality is Quality.BAD:
        return tuple(found)
    scale = scale_reader(point, first)(words)
    if scale is None:
        return (*found, Stage("scale", *UNSCALED, "a register tells a scale that the description does not know"))
    value = raw * scale + point.offset
    found.append(good("scale", value, f"{raw:g} x {scale:g} + {point.offset:g}{_unit(point)}"))
    value, calibrated = _calibrated(point, value)
    return (*found, calibrated, _ranged(point, value))


def number_stages(point: Point, raw: float, quality: Quality, cause: Cause, says: str) -> tuple[Stage, ...]:
    """The steps of a number that an instrument sent in text, with the verdict that it sent along."""
    if quality is Quality.BAD:
        return (good("decode", raw, says), doubt("marks", raw, cause, "the instrument says so in its status"))
    marks = good("marks", raw, "nothing marked") if quality is Quality.GOOD else doubt("marks", raw, cause, "marked so")
    value = raw * point.scale + point.offset
    found = [good("decode", raw, says), marks]
    found.append(good("scale", value, f"{raw:g} x {point.scale:g} + {point.offset:g}{_unit(point)}"))
    value, calibrated = _calibrated(point, value)
    return (*found, calibrated, _ranged(point, value))


def _decoded(point: Point, raw: float) -> Stage:
    if point.type == "bit":
        return good("decode", raw, f"bit {max(point.bit, 0)}")
    order = "" if point.width < 2 else ", high word first" if point.high_first else ", low word first"
    return good("decode", raw, f"{point.type}{order}{', bytes swapped' if point.swapped_bytes else ''}")


def _marked(point: Point, raw: float, words: Sequence[int], first: int) -> list[Stage]:
    """Bad values and fault bits: the first that makes it BAD ends the chain."""
    name, low, high = "marks", point.raw_low, point.raw_high
    if not (-math.inf if low is None else low) <= raw <= (math.inf if high is None else high):
        limits = f"raw limits {'-' if low is None else low} .. {'-' if high is None else high}"
        return [doubt(name, raw, Cause.SENSOR_FAILURE, f"{raw:g} is no number of this device ({limits})")]
    if raw in point.bad_values:
        return [doubt(name, raw, Cause.SENSOR_FAILURE, f"{raw:g} is how this device shows a failure")]
    found = []
    for flag in flags(point):
        word = words[flag.address - first]
        if (flag.least <= word & flag.mask <= flag.most) is flag.inside:
            told = f"{flag.says} (register {flag.address} = 0x{word:04X})"
            found.append(doubt(name, raw, flag.cause, told))
            if flag.cause >= WORST_FIRST:
                return found
    return found or [good(name, raw, "no bad value, no fault bit")]


def _calibrated(point: Point, value: float) -> tuple[float, Stage]:
    if point.curve is None:
        return value, good("calibration", value, "none stored: as the device gives it")
    corrected = point.curve(value)
    if point.curve.overdue:
        return corrected, doubt(
            "calibration", corrected, Cause.SENSOR_NOT_ACCURATE, f"{point.curve.label}, which has expired"
        )
    return corrected, good("calibration", corrected, point.curve.label)


def _ranged(point: Point, value: float) -> Stage:
    limits = f"{point.low:g} .. {point.high:g}{_unit(point)}"
    if not point.low <= value <= point.high or not math.isfinite(value):
        return doubt("range", value, Cause.SENSOR_FAILURE, f"outside {limits}")
    if not point.good_low <= value <= point.good_high:
        span = f"{point.good_low:g} .. {point.good_high:g}{_unit(point)}"
        return doubt("range", value, Cause.EU_EXCEEDED, f"outside its span {span}")
    if math.isfinite(point.good_low):
        limits = f"its span {point.good_low:g} .. {point.good_high:g}{_unit(point)}"
    return good("range", value, f"within {limits}")


def _unit(point: Point) -> str:
    """The unit behind a figure; a pure number has none."""
    return "" if point.unit == "1" else f" {point.unit}"
