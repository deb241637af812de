"""From points taken to a calibration worth keeping: fitted, compared with the one before, judged, refused with figures.

Neighbours: `cli_calibrate` brings the points, `judge` knows what the guard was told. Must not know a terminal or files.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from hal.calibration import Method, drift, fit
from hal.calibration_file import Book, Calibration, Taken
from hal.errors import PodError
from pod_controller.commissioning.judge import FREE_LIMIT_FRAC, Instrument, excess, odd_gain

BEYOND_GUARD = 470


class Wanted(NamedTuple):
    """What a technician says of a calibration. replaced: why the history begins anew; limit_value None: the usual."""

    method: Method
    person: str
    name: str
    valid_days: int
    replaced: str = ""
    limit_value: float | None = None


def usual_limit(instrument: Instrument, points: Sequence[Taken]) -> float:
    """The largest residual: what is declared to the guard, else two hundredths of the standards' span."""
    if instrument.declared is not None:
        return instrument.declared.limit_value
    values = [point.true_value for point in points]
    return FREE_LIMIT_FRAC * (max(values) - min(values))


def make(instrument: Instrument, points: Sequence[Taken], wanted: Wanted, book: Book, now_utc: datetime) -> Calibration:
    """The calibration. PodError E330 to E332 from the fit; E470 when the guard was promised better."""
    limit_value = wanted.limit_value if wanted.limit_value is not None else usual_limit(instrument, points)
    try:
        curve = fit(wanted.method, [point.point() for point in points], limit_value)
    except PodError as error:
        raise PodError(error.code, f"{instrument.tag}: {error.message}") from None
    before = None if wanted.replaced else book.active(instrument.tag)
    wandered = None
    if before is not None:
        ends = [true for _, true in curve.knots]
        declared = instrument.declared
        low, high = (declared.low, declared.high) if declared is not None else (min(ends), max(ends))
        wandered = drift(curve, before.curve(), low, high)
    made = Calibration(
        tag=instrument.tag,
        name=wanted.name or _free_name(book, instrument.tag, now_utc),
        unit=instrument.unit,
        method=wanted.method,
        points=tuple(points),
        made_utc=now_utc,
        due_utc=now_utc + timedelta(days=wanted.valid_days),
        person=wanted.person,
        residual_value=curve.residual_value,
        drift_value=wandered,
        replaced=wanted.replaced,
    )
    text = excess(made, instrument.declared) if instrument.declared is not None else ""
    if text:
        is_drift = bool(wandered) and not odd_gain(made)
        again = "; if the instrument was exchanged or repaired, say so with --replaced" if is_drift else ""
        raise PodError(BEYOND_GUARD, f"{text}{again}")
    return made


def _free_name(book: Book, tag: str, now_utc: datetime) -> str:
    """The day, with a letter if there is one of that day."""
    day = f"{now_utc:%Y-%m-%d}"
    taken = [x.name for x in book.calibrations if x.tag == tag]
    names = [day, *(f"{day}{letter}" for letter in "bcdefghijklmnopqrstuvwxyz")]
    return next((name for name in names if name not in taken), f"{now_utc:%Y-%m-%dT%H%M%S}")
