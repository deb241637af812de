"""What calibrations and strokes must be, so that what the configuration told the guard stays true.

The guard reckons with a level's `error_kg`, a chute's `content_error_kg`, an element's `position_error_frac`,
`stroke_s` and `fast_stroke_s`. A curve whose error, with what the instrument wandered since the last time, is larger
is refused, and so is a configuration that declares less than what was found. Neighbours: `book` and `cli_calibrate`
ask; `config` declares. Must not know files, readings or the guard.
"""

from collections.abc import Iterator
from typing import NamedTuple

from hal.calibration import Curve
from hal.calibration_file import Book, Calibration, Stroke
from hal.description import PointSpec
from hal.description import load as load_description
from pod_controller.config import Fault, PodConfig
from pod_controller.config_faults import name_of

BEYOND_DECLARED, STROKE_BEYOND, UNKNOWN_REQUIRED = 170, 171, 172
FREE_LIMIT_FRAC = 0.02  # of the standards' span, for an instrument that the guard does not reckon with
GAIN_MOST = 2.0  # of an instrument that shows its own unit: more is no error of it, but of who calibrates


class Declared(NamedTuple):
    """What the configuration promises the guard of one instrument, in the instrument's unit, between low and high."""

    path: tuple[str | int, ...]
    limit_value: float
    low: float
    high: float


class Instrument(NamedTuple):
    """A tag that can be calibrated: its device, the point behind it, and what is declared (None: nothing).

    spread_value: half a step of its registers, which no settled reading can be better than.
    """

    tag: str
    device: str
    spec: PointSpec
    unit: str
    declared: Declared | None
    spread_value: float


def instruments(config: PodConfig) -> dict[str, Instrument]:
    """Every analogue input of the pod, by tag."""
    promised = _declared(config)
    found: dict[str, Instrument] = {}
    for device in config.device:
        points = {spec.name: spec for spec in load_description(device.type).point}
        for name, tag in device.tags.items():
            spec = points[name]
            if spec.access == "write" or spec.type == "bit":
                continue
            # A span turns the loop's milliamperes into what the configuration means by the tag, which it names nowhere.
            unit = spec.unit if name not in device.spans else "1"
            spread = _half_step(spec, device.spans.get(name))
            found[tag] = Instrument(tag, device.name, spec, unit, promised.get(tag), spread)
    return found


def _half_step(spec: PointSpec, span: tuple[float, float] | None) -> float:
    if span is not None and spec.span is not None:
        return abs(span[1] - span[0]) / (spec.span.raw_high - spec.span.raw_low) / 2.0
    return 0.0 if spec.type in ("f32", "number") else abs(spec.scale) / 2.0


def _declared(config: PodConfig) -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    for v, vessel in enumerate(config.vessel):
        for k, level in enumerate(vessel.levels):
            per_unit = level.kg_per_unit
            end = vessel.capacity_kg / per_unit
            found[level.tag] = Declared(("vessel", v, "levels", k, "error_kg"), level.error_kg / per_unit, 0.0, end)
    for c, chute in enumerate(config.chute):
        place = ("chute", c, "content_error_kg")
        found[chute.content_tag] = Declared(place, chute.content_error_kg, 0.0, chute.capacity_kg)
    for e, element in enumerate(config.element):
        if element.position_tag is not None:
            place = ("element", e, "position_error_frac")
            found[element.position_tag] = Declared(place, element.position_error_frac, 0.0, 1.0)
    return found


def most_error(curve: Curve, declared: Declared) -> float:
    """How far a curve may be off anywhere between the ends that are declared."""
    return max(curve.error_at(declared.low), curve.error_at(declared.high))


def odd_gain(x: Calibration) -> str:
    """Why a curve is no correction of what the instrument shows in its own unit; empty if it may be one.

    Two points give any line without a residual: a standard that never was on it, or one in grams, shows only here.
    """
    gain = x.curve().slope_ratio
    if 1.0 / GAIN_MOST <= gain <= GAIN_MOST:
        return ""
    return (
        f"{x.tag} {x.name} has a gain of {gain:.4g}, beyond {1.0 / GAIN_MOST:g} to {GAIN_MOST:g}: was each standard on"
        " it, and its value in the unit of the tag? What the instrument shows per unit belongs in the pod's file"
    )


def excess(x: Calibration, declared: Declared) -> str:
    """Why a calibration cannot stand beside what is declared; empty if it can."""
    if text := odd_gain(x):
        return text
    error, drift = most_error(x.curve(), declared), x.drift_value or 0.0
    if error + drift <= declared.limit_value:
        return ""
    return (
        f"{x.tag} {x.name} may be off by {error:.4g} between {declared.low:g} and {declared.high:g} {x.unit}, and"
        f" wandered by {drift:.4g} since the one before: together {error + drift:.4g}, but"
        f" {name_of(declared.path)} promises the guard {declared.limit_value:.4g}: repair the instrument, take more or"
        " wider standards, or declare more"
    )


def stroke_fault(x: Stroke, e: int, config: PodConfig) -> Fault | None:
    """Why a measured stroke contradicts the configuration of element e; None if it does not."""
    element = config.element[e]
    for c, chute in enumerate(config.chute):
        if chute.lid == element.name and x.close_s > chute.lid_lock_s:
            text = f"= {chute.lid_lock_s:g} is what the guard reckons with, but {x.tag} took {x.close_s:.2f} to"
            text += f" {x.close_at_most_s:.2f} s to lock on {x.made_utc:%Y-%m-%d}: set it to at least"
            text += f" {x.close_at_most_s * 1.05:.1f}, or repair what brakes it"
            return Fault(("chute", c, "lid_lock_s"), STROKE_BEYOND, text)
    if x.close_s > element.stroke_s:
        text = f"= {element.stroke_s:g} is what the guard reckons with, but {x.tag} took {x.close_s:.2f} s to shut on"
        text += f" {x.made_utc:%Y-%m-%d}: set it to at least {x.close_at_most_s * 1.05:.1f}, or repair what brakes it"
        return Fault(("element", e, "stroke_s"), STROKE_BEYOND, text)
    # A lid's switch leaves its place as soon as the lock does: how long all of it takes to open, it does not tell.
    if element.locked_tag is None and x.open_at_most_s < element.fast_stroke_s:
        text = f"= {element.fast_stroke_s:g} is what the guard reckons with, but {x.tag} opened in {x.open_s:.2f} s on"
        text += f" {x.made_utc:%Y-%m-%d}: set it to at most {x.open_s * 0.95:.1f}"
        return Fault(("element", e, "fast_stroke_s"), STROKE_BEYOND, text)
    return None


def faults(config: PodConfig, book: Book) -> Iterator[Fault]:
    """Everything in the book, and in what is required, that this configuration cannot stand beside."""
    known = instruments(config)
    for k, tag in enumerate(config.calibration.required):
        if tag not in known:
            text = f"= {tag!r} is no analogue input: choose from {', '.join(sorted(known))}"
            yield Fault(("calibration", "required", k), UNKNOWN_REQUIRED, text)
    for tag in book.in_force:
        x, instrument = book.active(tag), known.get(tag)
        if x is not None and instrument is not None and instrument.declared is not None:
            text = excess(x, instrument.declared)
            if text:
                verdict = "cannot hold" if odd_gain(x) else "is too small"
                yield Fault(instrument.declared.path, BEYOND_DECLARED, f"{verdict}: {text}")
    for e, element in enumerate(config.element):
        stroke = book.stroke(element.name)
        fault = stroke_fault(stroke, e, config) if stroke is not None else None
        if fault is not None:
            yield fault
