"""Tables of the guard's plant made by hand, for attacks and proofs on plants that are not the pod.

`topology` makes the same tables from a configuration; here they come row by row. Neighbours: `attack.shapes` draws
plants of any shape, `grid` and `mutants` build small ones. Must not know what is decided.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pod_controller.kernels import records
from pod_controller.kernels.records import LID, Record, Table

NO_WEIR_KG = 1e30
ROUNDING_KG = 1e-6
Draw = np.random.Generator


class Moves(NamedTuple):
    """How an element moves: slowest stroke to shut, fastest to open, life of an old command, positioner or relay."""

    stroke_s: float
    fast_stroke_s: float
    lease_s: float
    positioner: bool = False


def empty_plant(tick_s: float = 0.5) -> Table:
    """A plant without rows."""
    plant = records.table(records.PLANT)
    p = plant[0]
    p.tick_s, p.fresh_s, p.longest_gap_s = tick_s, 1.6, 32.0
    p.regulator.feed_flow, p.thermostat.element = -1, -1
    return plant


def add_vessel(
    p: Record, capacity_kg: float, weir_kg: float = NO_WEIR_KG, error_kg: float = 2.0, levels: int = 3
) -> int:
    """A vessel with its level sensors."""
    v = int(p.n_vessels)
    p.n_vessels += 1
    row = p.vessels[v]
    row.capacity_kg, row.weir_kg, row.stale_s, row.n_levels = capacity_kg - ROUNDING_KG, weir_kg, 10.0, levels
    row.level_error_kg[:] = error_kg
    return v


def add_element(p: Record, role: int, moves: Moves) -> int:
    """Anything that moves."""
    e = int(p.n_elements)
    p.n_elements += 1
    row = p.elements[e]
    row.stroke_s, row.fast_stroke_s, row.lease_s, row.role = moves.stroke_s, moves.fast_stroke_s, moves.lease_s, role
    row.positioner, row.position_error_frac = int(moves.positioner), 0.02
    return e


def add_intake(p: Record, reach: Mapping[int, float], rate_kg_s: float, shared: tuple[int, ...] = ()) -> int:
    """What flows share; reach: kg arriving per kg passed, for each vessel."""
    i = int(p.n_intakes)
    p.n_intakes += 1
    row = p.intakes[i]
    row.shared_rate_kg_s, row.n_shared = rate_kg_s, len(shared)
    row.shared[: len(shared)] = shared
    for v, ratio in reach.items():
        row.reach_ratio[v] = ratio
    return i


def add_flow(p: Record, i: int, e: int, rate_kg_s: float, chute: int = -1, source: int = -1) -> int:
    """One path into intake i with its own element e."""
    f = int(p.n_flows)
    p.n_flows += 1
    row = p.flows[f]
    row.element, row.intake, row.rate_kg_s, row.chute, row.source = e, i, rate_kg_s, chute, source
    p.intakes[i].flows[p.intakes[i].n_flows] = f
    p.intakes[i].n_flows += 1
    return f


def add_chute(p: Record, i: int, gate: int, rate_kg_s: float, capacity_kg: float = 40.0) -> int:
    """A chute with its lid over gate, feeding intake i."""
    c = int(p.n_chutes)
    p.n_chutes += 1
    row = p.chutes[c]
    row.capacity_kg, row.content_error_kg, row.largest_bag_kg = capacity_kg, 0.5, 10.0
    row.lid_pass_kg_s, row.lid_lock_s, row.weight_ratio, row.gate = 1.0, 1.0, 1.0, gate
    row.lid = add_element(p, LID, Moves(1.0, 0.5, 2.0))
    add_flow(p, i, gate, rate_kg_s, chute=c)
    return c


def drawn_element(p: Record, draw: Draw, role: int) -> int:
    """An element by chance: stroke, lease, relay or positioner."""
    stroke_s = draw.uniform(0.6, 20.0)
    moves = Moves(stroke_s, stroke_s * draw.uniform(0.3, 1.0), draw.uniform(0.5, 4.0), draw.random() < 0.3)
    return add_element(p, role, moves)
