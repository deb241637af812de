"""Calibration curves: from what an instrument says to what is really there, with how far that may be trusted.

Job: fit a curve through points taken at standards, refuse one that does not rise or misses its points, and stand in
the signal chain as the curve of a tag; out of date, or missing where one is required, the Reading is UNCERTAIN.
Neighbours: ``calibration_file`` stores curves, ``points`` asks a Place, the commissioning verbs make curves.
Must not know: registers, time other than the stamp it is given, or what a tag means to the process.

Every figure is in the unit of the point, as the field's description gives it.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from hal.errors import Code, PodError

Method = Literal["offset", "line", "piecewise"]
NEVER_NS = 2**63 - 1
_LEAST_STEP = 1e-9  # standards closer than that are one standard


class Standard(NamedTuple):
    """One point of a calibration: what the instrument said (raw_value) while the truth was true_value.

    spread_value: half of what the settled readings wandered; doubt_value: how far the standard itself may be off.
    is_check: not used for the curve, only to find how far it misses.
    """

    raw_value: float
    true_value: float
    spread_value: float = 0.0
    doubt_value: float = 0.0
    is_check: bool = False


class Curve(NamedTuple):
    """Straight pieces through (raw, true) knots, prolonged at both ends. residual_value: see ``residual``."""

    method: Method
    knots: tuple[tuple[float, float], ...]
    residual_value: float

    def true_at(self, raw_value: float) -> float:
        """The calibrated value; NaN stays NaN."""
        knots = self.knots
        k = 1
        while k < len(knots) - 1 and raw_value > knots[k][0]:
            k += 1
        (raw_0, true_0), (raw_1, true_1) = knots[k - 1], knots[k]
        return true_0 + (raw_value - raw_0) * (true_1 - true_0) / (raw_1 - raw_0)

    def raw_at(self, true_value: float) -> float:
        """What the instrument says there: the inverse."""
        turned = Curve(self.method, tuple((true, raw) for raw, true in self.knots), 0.0)
        return turned.true_at(true_value)

    @property
    def slope_ratio(self) -> float:
        """Rise of the calibrated value per rise of the raw one, end to end; 1 is an instrument that needs none."""
        (raw_0, true_0), (raw_1, true_1) = self.knots[0], self.knots[-1]
        return (true_1 - true_0) / (raw_1 - raw_0)

    def error_at(self, true_value: float) -> float:
        """How far the curve may be off at true_value: the residual, and more of it the farther beyond its standards.

        A line through two points, each off by e, is off by e (|x - a| + |x - b|) / |b - a| outside of them.
        """
        if self.method == "offset":
            return self.residual_value
        ends = self.knots if len(self.knots) == 2 or true_value > self.knots[-1][1] else self.knots[:2]
        low, high = ends[-2][1], ends[-1][1]
        reach = (abs(true_value - low) + abs(true_value - high)) / (high - low)
        return self.residual_value * max(1.0, reach)


def fit(method: Method, standards: Sequence[Standard], limit_value: float) -> Curve:
    """The curve through the standards. PodError E330 (points), E331 (does not rise), E332 (residual above the limit).

    offset: the mean difference, gain 1. line: least squares (two points: through both). piecewise: through every point.
    """
    points = sorted((s for s in standards if not s.is_check), key=lambda s: s.raw_value)
    _refuse_points(method, points, standards)
    knots = tuple((s.raw_value, s.true_value) for s in points) if method == "piecewise" else _line(method, points)
    _refuse_falling(knots)
    curve = Curve(method, knots, 0.0)
    found = residual(curve, points, [s for s in standards if s.is_check])
    if found > limit_value:
        raise PodError(
            Code.RESIDUAL_TOO_LARGE,
            f"the curve misses its points by {found:.4g}, limit {limit_value:.4g}: take the points again, let each"
            " settle longer, or look for what binds the instrument",
        )
    return curve._replace(residual_value=found)


def residual(curve: Curve, points: Sequence[Standard], checks: Sequence[Standard]) -> float:
    """The largest miss of any point, with how far its readings wandered and how far its standard may be off.

    A piecewise curve meets its own points: an inner one is judged by the curve without it, which overstates the miss.
    """
    found = 0.0
    for k, s in enumerate(points):
        judged = curve
        if curve.method == "piecewise":
            if k in (0, len(points) - 1):
                found = max(found, s.spread_value + s.doubt_value)
                continue
            judged = Curve("piecewise", curve.knots[:k] + curve.knots[k + 1 :], 0.0)
        found = max(found, _miss(judged, s))
    return max([found, *(_miss(curve, s) for s in checks)])


def _miss(curve: Curve, s: Standard) -> float:
    return abs(curve.true_at(s.raw_value) - s.true_value) + s.spread_value + s.doubt_value


def _refuse_points(method: Method, points: Sequence[Standard], standards: Sequence[Standard]) -> None:
    least = 1 if method == "offset" else 2
    if len(points) < least:
        text = f"a curve of method {method} needs {least} points, {len(points)} given: take the others too"
        raise PodError(Code.POINTS_UNFIT, text)
    for s in standards:
        if not all(map(math.isfinite, s[:4])) or s.spread_value < 0.0 or s.doubt_value < 0.0:
            raise PodError(Code.POINTS_UNFIT, f"point {s[:4]} is not four finite numbers, the last two not negative")
    if method == "offset":
        return
    for before, after in pairwise(points):
        if after.raw_value - before.raw_value < _LEAST_STEP and method == "piecewise":
            text = f"two standards ({before.true_value:g} and {after.true_value:g}) give the same {after.raw_value:g}"
            raise PodError(Code.POINTS_UNFIT, f"{text}: the instrument does not tell them apart; look at it")


def _line(method: Method, points: Sequence[Standard]) -> tuple[tuple[float, float], ...]:
    """Least squares as two knots at the outermost raw values (an offset: one unit apart)."""
    count = len(points)
    mean_raw = sum(s.raw_value for s in points) / count
    mean_true = sum(s.true_value for s in points) / count
    if method == "offset":
        return ((mean_raw, mean_true), (mean_raw + 1.0, mean_true + 1.0))
    spread = sum((s.raw_value - mean_raw) ** 2 for s in points)
    first, last = points[0].raw_value, points[-1].raw_value
    if last - first < _LEAST_STEP:
        text = f"all standards give {first:g}: the instrument does not tell them apart; look at it"
        raise PodError(Code.POINTS_UNFIT, text)
    slope = sum((s.raw_value - mean_raw) * (s.true_value - mean_true) for s in points) / spread
    return tuple((raw, mean_true + slope * (raw - mean_raw)) for raw in (first, last))


def _refuse_falling(knots: Sequence[tuple[float, float]]) -> None:
    for (raw_0, true_0), (raw_1, true_1) in pairwise(knots):
        if true_1 - true_0 < _LEAST_STEP:
            raise PodError(
                Code.CURVE_FALLS,
                f"the curve does not rise: {raw_0:.6g} is {true_0:.6g}, but {raw_1:.6g} is {true_1:.6g}:"
                " are two standards mixed up, or two wires?",
            )


def drift(new: Curve, old: Curve, low: float, high: float) -> float:
    """The most by which both curves differ for any value low..high: what the instrument has wandered since."""
    kinks = [true for _, true in new.knots] + [new.true_at(raw) for raw, _ in old.knots]
    corners = [low, high, *(true for true in kinks if low < true < high)]
    return max(abs(old.true_at(new.raw_at(true)) - true) for true in corners)


class Applied(NamedTuple):
    """A curve to be in force on a tag. due_ns: from then on it is out of date; curve None: required, but not there."""

    label: str
    curve: Curve | None
    due_ns: int = NEVER_NS


class Place:
    """Where the signal chain asks for the curve of one tag (values.Curve); what stands there may be exchanged.

    raw_value: what the chain asked with last, NaN before. Out of date, or required and empty, it says ``overdue``.
    """

    __slots__ = ("_applied", "label", "overdue", "raw_value")

    def __init__(self) -> None:
        self.raw_value = math.nan
        self.put(None)

    def put(self, applied: Applied | None) -> None:
        """From the next sample on this one; None: nothing is in force, and nothing is required."""
        self._applied = applied or _NOTHING
        self.label = self._applied.label
        self.overdue = applied is not None and applied.curve is None

    def look(self, now_ns: int) -> None:
        """Once a tick: whether it is out of date."""
        applied = self._applied
        if now_ns >= applied.due_ns:
            self.overdue = True

    def __call__(self, value: float, /) -> float:
        """The calibrated value; as it came where no curve is in force."""
        self.raw_value = value
        curve = self._applied.curve
        return value if curve is None else curve.true_at(value)


_NOTHING = Applied("none stored: as the device gives it", None)
