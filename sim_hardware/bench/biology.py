"""The figures of `podctl bench biology`: a digester's day under a feed that is drawn anew every quarter of an hour.

The median CPU time of such a day at rtol 1e-4, and how many times longer scipy's LSODA takes for the same feed,
tolerance and compiled right-hand side, restarted at every change (a multistep method loses its history there).

Neighbours: `adm1.solver`; `cli_bench` shows the rows. Needs the extra `lab`. Must not know the pod.
"""

import json
import time
from collections.abc import Callable
from importlib.resources import files
from statistics import median
from typing import NamedTuple

import numpy as np

from hal.errors import PodError
from sim_hardware.adm1 import parameters as adm1_parameters
from sim_hardware.adm1 import records as r
from sim_hardware.adm1 import simulation as adm1
from sim_hardware.adm1.model import right_hand_side
from sim_hardware.adm1.records import Table, Vector
from sim_hardware.adm1.solver import advance_rows
from sim_hardware.bench.core import LIVING_GOAL, Row
from sim_hardware.biology.alone import Alone

REFERENCE = "reference/adm1_reference_A_rosen_jeppsson_2006.json"
CHANGES = 96
NOMINAL_KG = 330.0 / 1440.0  # of wet waste in a minute
RTOL = 1e-4
MOST_MS, AIM_MS, LEAST_RATIO = 15.0, 3.0, 30.0
DAYS, LSODA_DAYS = 21, 3
SPREAD = 0.5  # every concentration and the flow, +- this share


class Day(NamedTuple):
    """Feeds (96, 26) and flows (96,) of one day."""

    feed: Vector
    flow_m3_d: Vector


def rows(days: int = DAYS, lsoda_days: int = LSODA_DAYS, seed: int = 1) -> list[Row]:
    """Measure; our days and LSODA's are interleaved, so that both see the same load of the machine."""
    made, steady = _steady_state()
    drawn = _draw(days, seed)
    run_day(made, steady, drawn[0])  # compiles
    ours_ms, theirs_ms = [], []
    for at, day in enumerate(drawn):
        ours_ms.append(_cpu_ms(run_day, made, steady, day))
        if at < lsoda_days:
            theirs_ms.append(_cpu_ms(run_day_lsoda, made, steady, day))
    day_ms, lsoda_ms = median(ours_ms), median(theirs_ms)
    ratio = lsoda_ms / day_ms
    detail = {"days": days, "changes": CHANGES, "rtol": RTOL, "least_ms": min(ours_ms), "most_ms": max(ours_ms)}
    return [
        Row("adm1_day", day_ms, "ms", MOST_MS, day_ms <= MOST_MS, detail),
        Row("adm1_day_aim", day_ms, "ms", AIM_MS, day_ms <= AIM_MS, detail),
        Row("adm1_against_lsoda", ratio, "times faster", LEAST_RATIO, ratio >= LEAST_RATIO, {"lsoda_ms": lsoda_ms}),
        _living(days),
    ]


def _living(days: int) -> Row:
    """All of the pod's biology alone, a turn a minute at the design load; the turns are called from Python."""
    alone = Alone()
    alone.minute(0.0)  # compiles
    minutes = days * 1440
    spent_ns = 0
    for _ in range(minutes):
        alone.prepare(NOMINAL_KG)
        begun_ns = time.thread_time_ns()
        alone.turn()
        spent_ns += time.thread_time_ns() - begun_ns
    figure = minutes * 60.0 / (spent_ns * 1e-9)
    detail = {"minutes": minutes, "us_per_minute": spent_ns * 1e-3 / minutes}
    return Row("biology_alone", figure, "simulated s per CPU s", LIVING_GOAL, figure >= LIVING_GOAL, detail)


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


def _cpu_ms(run: Callable[[Table, Vector, Day], Vector], made: Table, steady: Vector, day: Day) -> float:
    begun_ns = time.thread_time_ns()
    run(made, steady, day)
    return (time.thread_time_ns() - begun_ns) * 1e-6
