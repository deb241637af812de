"""Overloads of the digester, drawn by seed: what its instruments show each quarter of an hour, and the truth.

The digester stands at its steady state under the design feed when more comes than it was designed for, and of another
make: starchy, rich in protein, fatty, at the same volatile solids. Some overloads last, some end after a day to four.

The figures of the controller's model (`reference/pod.toml`, [digestion.model]) were fitted to nine other runs: design
feed, constant loads of 2, 3.5 and 5, f of 0.5, 0.75 and 1. None of the drawn runs is among them.

Neighbours: `digester` is the plant, `scoring` watches. Must not know the controller.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hal.errors import PodError
from sim_hardware import digester
from sim_hardware.adm1 import records as r
from sim_hardware.adm1 import simulation as adm1
from sim_hardware.adm1.solver import advance
from sim_hardware.digester import Feed
from sim_hardware.streams import stream

FAMILY = "sourness"
ROW_D = 1.0 / 96.0
CALM_D = 1.0
DAYS = 11.0
RTOL = 1e-5
DEAD_PH = 5.5  # nothing is left to learn below
KINDS = {  # factors on carbohydrate, protein and lipid
    "design": (1.0, 1.0, 1.0),
    "starchy": (1.5, 0.8, 0.7),
    "protein": (0.8, 1.5, 0.8),
    "fatty": (0.8, 0.8, 1.4),
}
_GROUPS = (("S_su", "X_ch"), ("S_aa", "X_pr"), ("X_li",))
_COD_KG = (1.19, 1.42, 2.88)  # per kg of volatile solids

Readings = NDArray[np.float64]  # rows of a quarter of an hour: fed m3/d, gas m3/d, methane share, pH, FOS/TAC


class Overload(NamedTuple):
    """One run: condition of the methanogens, make of the feed, the flow over the design's, how long."""

    methanogen_frac: float
    kind: str
    load_ratio: float
    surge_d: float


def drawn(count: int, seed: int) -> list[Overload]:
    """Overloads of 1.5 to 6 times the load, f from 0.45 to 1; every second one lasts, the others end after 1 to 4 d."""
    names = list(KINDS)
    found = []
    for k in range(count):
        draw = stream(FAMILY, f"overload/{k}", seed)
        surge_d = DAYS if k % 2 else float(draw.uniform(1.0, 4.0))
        found.append(Overload(float(draw.uniform(0.45, 1.0)), names[k % 4], float(draw.uniform(1.5, 6.0)), surge_d))
    return found


def of_kind(feed: Feed, kind: str) -> Feed:
    """The feed with its volatile solids made up otherwise; their mass stays."""
    content = feed.content.copy()
    at = {name: k for k, name in enumerate(r.LIQUID)}
    before_kg = after_kg = 0.0
    for factor, cod_kg, names in zip(KINDS[kind], _COD_KG, _GROUPS, strict=True):
        for name in names:
            before_kg += content[at[name]] / cod_kg
            content[at[name]] *= factor
            after_kg += content[at[name]] / cod_kg
    for names in _GROUPS:
        for name in names:
            content[at[name]] *= before_kg / after_kg
    return feed._replace(content=content)


def readings(run: Overload, days_d: float = DAYS) -> Readings:
    """A calm day, then the overload; ends early in a digester that is dead."""
    feed = digester.own_feed()
    made = digester.parameters(feed, run.methanogen_frac)
    digestion = digester.nominal(feed, made)
    p, s, w = made[0], digestion[0], r.table(r.WORKSPACE)[0]
    other = of_kind(feed, run.kind)
    rows = []
    for row in range(round(days_d / ROW_D)):
        surging = CALM_D <= row * ROW_D < CALM_D + run.surge_d
        s.feed, ratio = (other.content, run.load_ratio) if surging else (feed.content, 1.0)
        s.Q = ratio * feed.flow_m3_d
        seen = digester.seen(p, s)
        rows.append((s.Q, seen.gas_m3_d, seen.ch4_frac, seen.ph, seen.fos_tac_ratio))
        if seen.ph < DEAD_PH:
            break
        if not advance(p, s, w, ROW_D, RTOL):
            raise PodError(adm1.E_STUCK, f"the digester's model stopped in row {row} of an overload")
    return np.array(rows)
