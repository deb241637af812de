"""Influents and initial states from files, checked: every complaint is one PodError that names file, line and value.

Neighbours: `adm1` (the command), `digester` (feed files). Must not know the solver.
"""

import csv
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hal.errors import PodError
from sim_hardware.adm1.records import LIQUID, STATES, Vector

E_UNREADABLE, E_INFLUENT, E_STATE = 141, 142, 143
TIME, FLOW = "t_d", "Q"
FOLLOWS = "S_H"  # in published initial states; it follows from the others
ANY_SIGN = ("S_cat", "S_an")  # what other ions amount to, net
ROUNDING = -1e-9  # published states carry the noise of other solvers: this far below zero is zero


class Influent(NamedTuple):
    """Rows of a feed: from start_d[i] on, feed[i] flows with Q[i]; feed has the columns of LIQUID."""

    start_d: Vector
    feed: Vector
    Q: Vector
    is_constant: bool


def read_text(path: Path) -> str:
    """The text of a file a person named; PodError E141 when there is none."""
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise PodError(E_UNREADABLE, f"{path}: cannot be read: {why}") from error


def read_influent(path: Path) -> Influent:
    """A feed from CSV: names in the first line, a missing column is zero, lines that start with # are comments."""
    lines = [(at, line) for at, line in enumerate(read_text(path).splitlines(), 1) if line.strip()]
    lines = [(at, line) for at, line in lines if not line.lstrip().startswith("#")]
    if len(lines) < 2:
        raise PodError(E_INFLUENT, f"{path}: needs a line of names and at least one row, has {len(lines)} lines")
    names = _cells(lines[0][1])
    _check_names(names, f"{path}:{lines[0][0]}")
    rows = [_row(names, line, f"{path}:{at}") for at, line in lines[1:]]
    places = [f"{path}:{at}" for at, _ in lines[1:]]
    if TIME in names:
        _check_times([row[TIME] for row in rows], places)
    elif len(rows) > 1:
        raise PodError(E_INFLUENT, f"{path}: {len(rows)} rows but no column {TIME}: add it, in days, or keep one row")
    return Influent(
        np.array([row.get(TIME, 0.0) for row in rows]),
        np.array([[row.get(name, 0.0) for name in LIQUID] for row in rows]),
        np.array([row[FLOW] for row in rows]),
        len(rows) == 1,
    )


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; PodError E141 for anything else."""
    try:
        found = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise PodError(E_UNREADABLE, f"{path}: is not JSON: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise PodError(E_UNREADABLE, f"{path}: holds no JSON object but {type(found).__name__}")
    return found


def read_initial(path: Path) -> Vector:
    """The 29 states at the start, in the order of STATES; S_H may stand there and is ignored."""
    found = read_object(path)
    found.pop(FOLLOWS, None)
    missing = [name for name in STATES if name not in found]
    values = numbers(found, STATES, str(path))
    if missing:
        raise PodError(E_STATE, f"{path}: lacks {', '.join(missing)}: an initial state names all {len(STATES)} states")
    return np.array([values[name] for name in STATES])


def numbers(found: Mapping[str, Any], known: Sequence[str], place: str) -> dict[str, float]:
    """The values of a JSON object as floats, all of them known names and meaningful amounts."""
    values = {}
    for name, value in found.items():
        if name not in known:
            raise PodError(E_STATE, f"{place}: {name} is not a name of ADM1 here; known are {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise PodError(E_STATE, f"{place}: {name} = {json.dumps(value)[:40]} is not a number")
        values[name] = _amount(name, float(value) if abs(value) < 1e300 else math.inf, place, E_STATE)
    return values


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line]))]


def _check_names(names: list[str], place: str) -> None:
    for name in names:
        if name not in (*LIQUID, FLOW, TIME):
            raise PodError(E_INFLUENT, f"{place}: {name or 'an empty name'} is not a column of an influent: {_known()}")
        if names.count(name) > 1:
            raise PodError(E_INFLUENT, f"{place}: {name} stands {names.count(name)} times: keep one")
    if FLOW not in names:
        raise PodError(E_INFLUENT, f"{place}: no column {FLOW}: add the flow in m3/d")


def _known() -> str:
    return f"known are {TIME}, {FLOW}, {', '.join(LIQUID)}"


def _row(names: list[str], line: str, place: str) -> dict[str, float]:
    cells = _cells(line)
    if len(cells) != len(names):
        raise PodError(E_INFLUENT, f"{place}: {len(cells)} values for {len(names)} names")
    row = {}
    for name, cell in zip(names, cells, strict=True):
        try:
            value = float(cell)
        except ValueError as error:
            raise PodError(E_INFLUENT, f"{place}: {name} = '{cell[:40]}' is not a number") from error
        row[name] = _amount(name, value, place, E_INFLUENT)
    return row


def _amount(name: str, value: float, place: str, code: int) -> float:
    """A finite amount, not below zero but for rounding."""
    if not math.isfinite(value):
        raise PodError(code, f"{place}: {name} = {value} is not a finite number")
    if value < 0.0 and name not in ANY_SIGN:
        if value < ROUNDING:
            raise PodError(code, f"{place}: {name} = {value:g} is below zero")
        return 0.0
    return value


def _check_times(times_d: list[float], places: list[str]) -> None:
    if times_d[0] != 0.0:
        raise PodError(E_INFLUENT, f"{places[0]}: {TIME} starts at {times_d[0]:g}: count days from 0")
    for at in range(1, len(times_d)):
        if not times_d[at] > times_d[at - 1]:
            values = f"{TIME} = {times_d[at]:g} after {times_d[at - 1]:g}"
            raise PodError(E_INFLUENT, f"{places[at]}: {values}: times must rise")
