"""Calibrations for tests: a book with one curve, and instruments of the simulated pod that are off or at a standard."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hal.calibration_file import Book, Calibration, Stroke, Taken
from sim_hardware import plant_records as rec
from sim_hardware.layout import signals
from sim_hardware.pod_plant import Plant

MADE = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)


def calibration(tag: str, *pairs: tuple[float, float], **changes: Any) -> Calibration:
    """A line through (raw, true) pairs, made on 1 November 2026 for a year."""
    made = Calibration(
        tag=tag,
        name="first",
        unit="kg",
        method="line",
        points=tuple(Taken(raw_value=raw, true_value=true) for raw, true in pairs),
        made_utc=MADE,
        due_utc=MADE + timedelta(days=365),
        person="R. Okafor",
        residual_value=0.0,
    ).model_copy(update=changes)
    return made.model_copy(update={"residual_value": made.curve().residual_value})


def book(*calibrations: Calibration, strokes: tuple[Stroke, ...] = ()) -> Book:
    """A book with these in force."""
    made = Book(strokes=strokes)
    for each in calibrations:
        made = made.with_calibration(each)
    return made


def stroke(**times: float) -> Stroke:
    """A stroke of gate_1 in twelve seconds, or with other times."""
    usual = {"open_s": 12.0, "close_s": 12.0, "open_at_most_s": 12.5, "close_at_most_s": 12.5}
    return Stroke(element="gate_1", tag="FV-101", made_utc=MADE, person="R. Okafor", **{**usual, **times})


def set_gain(plant: Plant, tag: str, k: float) -> None:
    """The instrument shows k times what it senses."""
    _switch(plant, tag, rec.SENSOR_GAIN, k)


def set_bias(plant: Plant, tag: str, k: float) -> None:
    """The instrument shows k too much."""
    _switch(plant, tag, rec.SENSOR_BIAS, k)


def hold_at(plant: Plant, tag: str, k: float) -> None:
    """A technician holds the instrument at a standard."""
    _switch(plant, tag, rec.STANDARD, k)


def _switch(plant: Plant, tag: str, kind: int, k: Any) -> None:
    row = rec.table(rec.FAULT)
    row[0].kind, row[0].target, row[0].k = kind, signals(plant.chutes)[tag], k
    plant.switch(row, rec.FAULT_ON)
