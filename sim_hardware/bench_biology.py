"""How fast the digester's model is: a day under a feed that is drawn anew every quarter of an hour.

Two figures: the median time of such a day at rtol 1e-4, and how many times longer scipy's LSODA takes for the same
feed, tolerance and compiled right-hand side, restarted at every change (a multistep method loses its history there).

Neighbours: `adm1_solver`; `podctl bench biology` shows the rows. Needs the extra `lab`. Must not know the pod.
"""

import json
import statistics
import time
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np

from hal.errors import PodError
from sim_hardware import adm1, adm1_parameters
from sim_hardware import adm1_records as r
from sim_hardware.adm1_model import right_hand_side
from sim_hardware.adm1_records import Table, Vector
from sim_hardware.adm1_solver import advance_rows

REFERENCE = "reference/adm1_reference_A_rosen_jeppsson_2006.json"
CHANGES = 96
RTOL = 1e-4
GOAL_MS, LIMIT_MS, LIMIT_RATIO = 3.0, 15.0, 30.0
DAYS, LSODA_DAYS = 21, 3
SPREAD = 0.5  # every concentration and the flow, +- this share


Figure = dict[str, Any]  # figure, value, unit, limit (must), goal (hoped for), met (the limit)


class Day(NamedTuple):
    """Feeds (96, 26) and flows (96,) of one day."""

    feed: Vector
    flow_m3_d: Vector


def figures(days: int = DAYS, lsoda_days: int = LSODA_DAYS, seed: int = 1) -> list[Figure]:
    """Measure; our days and LSODA's are interleaved, so that both see the same load of the machine."""
    made, steady = _steady_state()
    drawn = _draw(days, seed)
    run_day(made, steady, drawn[0])
    ours_ms, theirs_ms = [], []
    for at, day in enumerate(drawn):
        ours_ms.append(_timed_ms(run_day, made, steady, day))
        if at < lsoda_days:
            theirs_ms.append(_timed_ms(run_day_lsoda, made, steady, day))
    day_ms = statistics.median(ours_ms)
    ratio = statistics.median(theirs_ms) / day_ms
    return [
        _figure("adm1_day", day_ms, "ms", (LIMIT_MS, GOAL_MS), met=day_ms <= LIMIT_MS),
        _figure("adm1_lsoda_ratio", ratio, "times", (LIMIT_RATIO, LIMIT_RATIO), met=ratio >= LIMIT_RATIO),
    ]


def as_json(rows: list[Figure]) -> dict[str, Any]:
    """What `podctl bench biology --json` prints."""
    return {"figures": rows, "met": all(row["met"] for row in rows)}


def run_day(made: Table, steady: Vector, day: Day) -> Vector:
    """The state after a day of 96 feeds from the steady state, with our solver."""
    digestion = adm1.start(made, steady)
    p, s, w = made[0], digestion[0], r.table(r.WORKSPACE)[0]
    finished = advance_rows(p, s, w, day.feed, day.flow_m3_d, 1.0 / CHANGES, RTOL)
    if finished < CHANGES:
        raise PodError(adm1.E_STUCK, f"the benchmark's day stopped at change {finished}")
    return np.array(s.y)


def run_day_lsoda(made: Table, steady: Vector, day: Day) -> Vector:
    """The same with scipy's LSODA, begun anew at every change."""
    from scipy.integrate import odeint

    p, s = made[0], adm1.start(made, steady)[0]
    slope, y = np.empty(r.SIZE), steady
    span_d = np.array([0.0, 1.0 / CHANGES])

    def derivative(place: Vector, _t_d: float) -> Vector:
        right_hand_side(p, s, place, slope)
        return slope

    for at in range(CHANGES):
        s.feed, s.Q = day.feed[at], day.flow_m3_d[at]
        y = odeint(derivative, y, span_d, rtol=RTOL, atol=RTOL * r.FLOOR)[-1]
    return np.array(y)


def _steady_state() -> tuple[Table, Vector]:
    stored = json.loads(files("sim_hardware").joinpath(REFERENCE).read_text("utf-8"))["steady_state"]
    return adm1_parameters.build({}), np.array([stored[name] for name in r.STATES])


def _draw(days: int, seed: int) -> list[Day]:
    stored = json.loads(files("sim_hardware").joinpath(REFERENCE).read_text("utf-8"))
    feed = np.array([stored["influent"][name] for name in r.LIQUID])
    draw = np.random.default_rng(seed)
    low, high = 1.0 - SPREAD, 1.0 + SPREAD
    flow_m3_d = stored["conditions"]["Q"]
    return [
        Day(feed * draw.uniform(low, high, (CHANGES, r.LIQUIDS)), flow_m3_d * draw.uniform(low, high, CHANGES))
        for _ in range(days)
    ]


def _timed_ms(run: Any, made: Table, steady: Vector, day: Day) -> float:
    begun_ns = time.perf_counter_ns()
    run(made, steady, day)
    return (time.perf_counter_ns() - begun_ns) * 1e-6


def as_line(row: Figure) -> str:
    """A figure for a person."""
    bars = f"limit {row['limit']:g}, goal {row['goal']:g}"
    return f"{row['figure']}: {row['value']:.3g} {row['unit']} ({bars}), {'met' if row['met'] else 'MISSED'}"


def _figure(name: str, value: float, unit: str, bars: tuple[float, float], *, met: bool) -> Figure:
    return {"figure": name, "value": value, "unit": unit, "limit": bars[0], "goal": bars[1], "met": met}
