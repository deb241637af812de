"""Tables of the guard's plant made by hand or by chance, for attacks and proofs on plants that are not the pod.

`topology` makes the same tables from a configuration; here they come row by row, or drawn: two to sixteen inlets, one
to five vessels, relays and positioners, elements in series, pumps, weirs, common causes.

Neighbours: `attack.world`, `grid` and `mutants` attack what is built here. Must not know what is decided.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from pod_controller.kernels import records
from pod_controller.kernels.records import FREE, LID, OWN, SHARED, Record, Table
from pod_controller.topology import lead_on
from pod_controller.topology_weirs import NOWHERE, fill_weirs

NO_WEIR_KG = 1e30
ROUNDING_KG = 1e-6
Draw = np.random.Generator


class Moves(NamedTuple):
    """How an element moves: slowest stroke to shut, fastest to open, life of an old command, positioner or relay."""

    stroke_s: float
    fast_stroke_s: float
    lease_s: float
    positioner: bool = False


class Ranges(NamedTuple):
    """Within what a plant is drawn."""

    inlets: tuple[int, int] = (2, 16)
    vessels: tuple[int, int] = (1, 5)
    capacity_kg: tuple[float, float] = (150.0, 600.0)
    causes: tuple[int, int] = (0, 3)


ANY_SHAPE = Ranges()


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


def drawn_plant(draw: Draw, ranges: Ranges = ANY_SHAPE) -> Table:
    """A plant by chance: chutes into the first vessel, pumps from each vessel to the next, some with a weir beside."""
    plant = empty_plant()
    p = plant[0]
    vessels = int(draw.integers(ranges.vessels[0], ranges.vessels[1] + 1))
    weirs = [v + 1 < vessels and draw.random() < 0.4 for v in range(vessels)]
    capacity_kg = 0.0
    for v in range(vessels):
        # Each holds a little more than the one above it: behind a single element less could not be promised.
        capacity_kg = capacity_kg + draw.uniform(25.0, 200.0) if v else draw.uniform(*ranges.capacity_kg)
        add_vessel(p, capacity_kg, capacity_kg * draw.uniform(0.6, 0.9) if weirs[v] else NO_WEIR_KG)
        row = p.vessels[v]
        row.hold_up_kg, row.psi_kg = draw.uniform(0.0, 8.0, 2) * (draw.random(2) < 0.5)
        row.has_float = int(draw.random() < 0.5)
    shared = tuple(drawn_element(p, draw, SHARED) for _ in range(int(draw.integers(0, 3))))
    top = add_intake(p, reach_through(weirs, 0, draw.uniform(0.8, 1.6)), draw.uniform(0.5, 2.0), shared)
    for _ in range(int(draw.integers(ranges.inlets[0], ranges.inlets[1] + 1))):
        gate = drawn_element(p, draw, OWN)
        add_chute(p, top, gate, draw.uniform(0.1, 0.8), draw.uniform(30.0, 50.0))
    if draw.random() < 0.4:  # water without end, behind two valves of different modules
        water = add_intake(p, reach_through(weirs, 0, 1.0), 0.5, (drawn_element(p, draw, SHARED),))
        add_flow(p, water, drawn_element(p, draw, OWN), draw.uniform(0.1, 0.5))
    for v in range(1, vessels):
        valve = tuple(drawn_element(p, draw, SHARED) for _ in range(int(draw.integers(0, 2))))
        rate_kg_s = draw.uniform(0.1, 1.5)
        i = add_intake(p, reach_through(weirs, v, 1.0), rate_kg_s, valve)
        add_flow(p, i, drawn_element(p, draw, OWN), rate_kg_s, source=v - 1)
    _add_causes(p, draw, int(draw.integers(ranges.causes[0], ranges.causes[1] + 1)))
    add_element(p, FREE, Moves(1.0, 1.0, 2.0))
    lead_on(p)
    fill_weirs(p, [v + 1 if weirs[v] else NOWHERE for v in range(vessels)], [0.0] * vessels)
    return plant


def _add_causes(p: Record, draw: Draw, count: int) -> None:
    """Common causes over gates, valves and pumps; not lids and not water, where that could not be promised."""
    water = {int(p.flows[f].element) for f in range(p.n_flows) if p.flows[f].chute < 0 and p.flows[f].source < 0}
    for c in range(count):
        for e in range(p.n_elements):
            movable = p.elements[e].role in {OWN, SHARED} and e not in water
            p.causes[c].member[e] = int(movable and draw.random() < 0.3)
        p.n_causes += 1


def drawn_element(p: Record, draw: Draw, role: int) -> int:
    """An element by chance: stroke, lease, relay or positioner."""
    stroke_s = draw.uniform(0.6, 20.0)
    moves = Moves(stroke_s, stroke_s * draw.uniform(0.3, 1.0), draw.uniform(0.5, 4.0), draw.random() < 0.3)
    return add_element(p, role, moves)


def reach_through(weirs: list[bool], v: int, ratio: float) -> dict[int, float]:
    """A vessel and, through weirs, those below it."""
    reach = {v: ratio}
    while weirs[v]:
        v += 1
        reach[v] = ratio
    return reach
