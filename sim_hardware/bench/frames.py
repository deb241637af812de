"""Frames without a plant, to drive the decision by itself: plausible ones that answer its permits, and rough ones.

`EchoPod` is no physics: positions follow what was granted, chutes fill and drain, levels move by what passes. `roughen`
overwrites a frame with bits that no healthy pod shows. `widened` gives the reference plant more chutes.

Neighbours: `core` and the tests of the C twin. Must not know devices, lines or the real plant.
"""

import math
import random
from typing import Any

from pod_controller.kernels import records
from pod_controller.kernels.records import Record, Table

NS = 1_000_000_000
START_NS = 1_000_000_000_000
WILD = (math.nan, math.inf, -math.inf, -1e300, 1e300, -0.0, 0.0, 1e-300, 0.5, 1.0, 1.0000001, -0.02, 40.0, 600.0)
WILD_NS = (-1, 0, 2**62, -(2**62), START_NS)
WILD_CODES = (0, 1, 2, 3, -1, 2**40)
ROUGH_FLOATS = ("level_kg", "position_frac", "content_kg", "elapsed_s", "temp_degc", "gas_m3_h", "ch4_frac", "ph")
ROUGH_TIMES = ("level_ns", "position_ns", "content_ns", "high_ns", "verified_ns", "gas_ns", "ch4_ns", "ph_ns")
ROUGH_CODES = (
    *("level_quality", "position_quality", "content_quality", "float_on", "high_on"),
    *("temp_quality", "ph_quality"),
)


class EchoPod:
    """Contents and positions that follow the permits, as masses and openings; every sensor is good and fresh."""

    def __init__(self, plant: Table, seed: int) -> None:
        self._plant: Record = plant[0]
        self._draw = random.Random(seed)
        self._now_ns = START_NS
        p = self._plant
        self._level_kg = [0.3 * min(v.capacity_kg, v.weir_kg) for v in p.vessels[: p.n_vessels]]
        self._chute_kg = [self._draw.uniform(0.0, 20.0) for _ in range(p.n_chutes)]
        self._position_frac = [0.0] * int(p.n_elements)

    def frame(self, permit: Table | None) -> Table:
        """The next frame, one tick after the one before; permit: what was granted since, None at the start."""
        if permit is not None:
            self._move(permit[0].grant_frac.tolist())
            self._flow()
            self._drop_bags(permit[0].grant_frac)
        table = records.table(records.FRAME)
        self._show(table[0])
        self._now_ns += int(self._plant.tick_s * NS)
        return table

    def _move(self, grant_frac: list[float]) -> None:
        for e, at_frac in enumerate(self._position_frac):
            step_frac = float(self._plant.tick_s / self._plant.elements[e].stroke_s)
            to_frac = grant_frac[e]
            self._position_frac[e] = (
                max(to_frac, at_frac - step_frac) if to_frac < at_frac else min(to_frac, at_frac + step_frac)
            )

    def _flow(self) -> None:
        p = self._plant
        for f in p.flows[: p.n_flows]:
            intake = p.intakes[f.intake]
            open_frac = min([self._position_frac[e] for e in (f.element, *intake.shared[: intake.n_shared])])
            source, at = (self._chute_kg, f.chute) if f.chute >= 0 else (self._level_kg, f.source)
            passed_kg = min(source[at], float(f.rate_kg_s * open_frac * p.tick_s))
            source[at] -= passed_kg
            for v, vessel in enumerate(p.vessels[: p.n_vessels]):
                arrived_kg = self._level_kg[v] + float(intake.reach_ratio[v]) * passed_kg
                self._level_kg[v] = min(arrived_kg, float(vessel.weir_kg), float(vessel.capacity_kg))

    def _drop_bags(self, grant_frac: Any) -> None:
        for c, chute in enumerate(self._plant.chutes[: self._plant.n_chutes]):
            if grant_frac[chute.lid] > 0.0 and self._draw.random() < 0.01:
                bag_kg = self._draw.uniform(1.0, float(chute.largest_bag_kg))
                self._chute_kg[c] = min(self._chute_kg[c] + bag_kg, float(chute.capacity_kg))

    def _show(self, frame: Record) -> None:
        p, now_ns, tick_ns = self._plant, self._now_ns, int(self._plant.tick_s * NS)
        frame.now_ns = now_ns
        frame.elapsed_s = p.tick_s
        frame.execute = 1
        for v, vessel in enumerate(p.vessels[: p.n_vessels]):
            for i in range(vessel.n_levels):
                error_kg = float(vessel.level_error_kg[i])
                frame.level_kg[v, i] = self._level_kg[v] + self._draw.uniform(-error_kg, error_kg)
                frame.level_ns[v, i] = now_ns - self._draw.randrange(tick_ns if v == 0 else 4 * tick_ns)
        for e, at_frac in enumerate(self._position_frac):
            frame.position_frac[e] = at_frac
            frame.position_ns[e] = now_ns - self._draw.randrange(tick_ns)
            frame.verified_ns[e] = now_ns - tick_ns
        for c, content_kg in enumerate(self._chute_kg):
            frame.content_kg[c] = content_kg
            frame.content_ns[c] = frame.high_ns[c] = now_ns - self._draw.randrange(tick_ns)
            frame.high_on[c] = int(0.0 < p.chutes[c].high_kg <= content_kg)
        frame.temp_degc = 35.0 + self._draw.uniform(-1.0, 1.0)
        frame.gas_m3_h, frame.ch4_frac = self._draw.uniform(0.0, 8.0), self._draw.uniform(0.4, 0.7)
        frame.ph = self._draw.uniform(6.7, 7.8)
        frame.gas_ns = frame.ch4_ns = frame.ph_ns = now_ns - self._draw.randrange(4 * tick_ns)


def roughen(table: Table, draw: random.Random) -> None:
    """Overwrite some fields of a FRAME in place with what no healthy pod shows: NaN, far times, unknown codes."""
    for names, values in ((ROUGH_FLOATS, WILD), (ROUGH_TIMES, WILD_NS), (ROUGH_CODES, WILD_CODES)):
        for name in names:
            flat = table[name].reshape(-1)
            for _ in range(draw.randrange(4)):
                flat[draw.randrange(len(flat))] = draw.choice(values)
    if draw.random() < 0.05:
        table[0].execute = draw.choice(WILD_CODES)


def widened(plant: Table, chutes: int) -> Table:
    """The plant with further chutes of the first kind at the same intake, up to as many as the tables hold."""
    wide = plant.copy()
    p = wide[0]
    intake = p.intakes[p.shedding.intake]
    for c in range(int(p.n_chutes), chutes):
        gate, flow = int(p.n_elements), int(p.n_flows)
        p.elements[gate] = p.elements[p.chutes[0].gate]
        p.elements[gate + 1] = p.elements[p.chutes[0].lid]
        p.chutes[c] = p.chutes[0]
        p.chutes[c].gate, p.chutes[c].lid = gate, gate + 1
        p.flows[flow] = p.flows[intake.flows[0]]
        p.flows[flow].element, p.flows[flow].chute = gate, c
        intake.flows[intake.n_flows] = flow
        intake.n_flows += 1
        p.n_elements, p.n_flows, p.n_chutes = gate + 2, flow + 1, c + 1
    return wide
