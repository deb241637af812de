"""Plants of any shape, drawn: one to sixteen inlets, up to six vessels, weirs in chains, forks, steps of pressure.

Relays and positioners, elements in series, pumps from any vessel to later ones, common causes. Each vessel is as large
as its worst single fault asks, and a little more: with less it could not be promised, with much more nothing is tight.
Every third large plant has a separator: one pump out of a chain of weirs, over which much may come by itself.

Neighbours: `piping` sums what is needed, `world` draws what is true. Must not know what is decided.
"""

from typing import NamedTuple

import numpy as np

from pod_controller.kernels.records import FREE, MAX_INTAKES, MAX_VESSELS, OWN, SHARED, Record, Table
from pod_controller.topology_weirs import fill_weirs
from sim_hardware.attack.piping import Piping, needed_kg
from sim_hardware.guard_trial.plant_builder import (
    ROUNDING_KG,
    Draw,
    Moves,
    add_chute,
    add_element,
    add_flow,
    add_intake,
    add_vessel,
    drawn_element,
    empty_plant,
)


class Ranges(NamedTuple):
    """Within what a plant is drawn."""

    inlets: tuple[int, int] = (1, 16)
    vessels: tuple[int, int] = (1, 6)
    first_kg: tuple[float, float] = (150.0, 600.0)
    room_kg: tuple[float, float] = (15.0, 200.0)  # of every vessel, beyond what it needs
    series: tuple[int, int] = (0, 2)  # elements behind all gates
    causes: tuple[int, int] = (0, 3)
    switches: bool = True  # every chute has a high-level switch


ANY_SHAPE = Ranges()


def drawn_plant(draw: Draw, ranges: Ranges = ANY_SHAPE) -> tuple[Table, Piping]:
    """A plant by chance: chutes into the first vessel, weirs, and pumps from each vessel to one or two later ones."""
    plant = empty_plant()
    p = plant[0]
    vessels = int(draw.integers(ranges.vessels[0], ranges.vessels[1] + 1))
    separator = vessels >= 4 and draw.random() < 0.35
    piping = _drawn_piping(draw, vessels, separator)
    for v in range(vessels):
        add_vessel(p, 0.0)
        p.vessels[v].has_float = int(draw.random() < 0.5)
    few, many = ranges.inlets
    inlets = few + int((many + 1 - few) * draw.random() ** 2)
    _add_inlets(p, piping, draw, inlets, int(draw.integers(ranges.series[0], ranges.series[1] + 1)))
    if ranges.switches:
        _add_switches(p, draw)
    if separator:
        _add_separator(p, piping, draw)
    else:
        _add_pumps(p, piping, draw)
    _add_causes(p, draw, int(draw.integers(ranges.causes[0], ranges.causes[1] + 1)))
    add_element(p, FREE, Moves(1.0, 1.0, 2.0))
    for v in range(vessels):
        _give_room(p, piping, draw, v, ranges)
        p.vessels[v].hold_up_kg, p.vessels[v].psi_kg = piping.hold_up_kg[v], piping.psi_kg[v]
    fill_weirs(p, piping.below, piping.over_weir_kg)
    return plant, piping


def _drawn_piping(draw: Draw, vessels: int, separator: bool) -> Piping:
    """Weirs that lead to the next vessel, or a later one; what comes by itself, the more where a weir takes it."""
    weir_chance, skips = float(draw.choice([0.0, 0.4, 0.8])), 0.3
    if separator:
        weir_chance, skips = 1.0, 0.0
    below, over_kg, hold_up_kg, psi_kg = [], [], [], []
    for v in range(vessels):
        weir = v + 1 + int(separator) < vessels and draw.random() < weir_chance
        below.append((v + 1 if draw.random() >= skips else int(draw.integers(v + 1, vessels))) if weir else -1)
        over_kg.append(draw.uniform(0.0, 150.0) * (draw.random() < 0.4) if weir else 0.0)
        hold_up_kg.append(draw.uniform(0.0, 8.0) * (draw.random() < 0.5))
        psi_kg.append(draw.uniform(0.0, draw.choice([8.0, 60.0, 200.0]) if weir else 8.0) * (draw.random() < 0.5))
    if separator and draw.random() < 0.5:  # a buffer before the chain, emptied into it by a pump
        below[0], over_kg[0] = -1, 0.0
    share = np.zeros((MAX_INTAKES, MAX_VESSELS))
    return Piping(tuple(below), tuple(over_kg), tuple(hold_up_kg), tuple(psi_kg), share)


def _add_inlets(p: Record, piping: Piping, draw: Draw, inlets: int, series: int) -> None:
    """Chutes behind some elements in series; water without end behind two valves of different modules."""
    shared = tuple(drawn_element(p, draw, SHARED) for _ in range(series))
    top = _add_shares(p, piping, {0: draw.uniform(0.8, 1.6)}, draw.uniform(0.5, 2.0), shared)
    for _ in range(inlets):
        gate = drawn_element(p, draw, OWN)
        add_chute(p, top, gate, draw.uniform(0.1, 0.8), draw.uniform(30.0, 50.0))
    if draw.random() < 0.4:
        water = _add_shares(p, piping, {0: 1.0}, 0.5, (drawn_element(p, draw, SHARED),))
        add_flow(p, water, drawn_element(p, draw, OWN), draw.uniform(0.1, 0.5))


def _add_switches(p: Record, draw: Draw) -> None:
    """High-level switches: never so high that one more bag has no room until the lid is locked."""
    for c in range(p.n_chutes):
        chute = p.chutes[c]
        late_s = p.fresh_s + p.tick_s + p.elements[chute.lid].lease_s + chute.lid_lock_s
        latest_kg = chute.capacity_kg - chute.largest_bag_kg - chute.lid_pass_kg_s * late_s
        chute.high_kg = latest_kg * draw.choice([1.0, draw.uniform(0.5, 1.0)])


def _add_pumps(p: Record, piping: Piping, draw: Draw) -> None:
    """A pump into every vessel that no weir feeds, and into some that one does; upstream pumps stand first."""
    pumps = []
    for v in range(1, int(p.n_vessels)):
        if v not in piping.below or draw.random() < 0.5:
            pumps.append((v - 1 if draw.random() < 0.5 else int(draw.integers(0, v)), v))
    for source, v in sorted(pumps):
        others = [u for u in range(source + 1, int(p.n_vessels)) if u != v]
        shares = _fork(draw, v, int(draw.choice(others))) if others and draw.random() < 0.4 else {v: 1.0}
        _add_pump(p, piping, draw, source, shares, int(draw.integers(0, 2)))


def _add_separator(p: Record, piping: Piping, draw: Draw) -> None:
    """From the last vessel that has a weir into the last of all, which no weir reaches; and to where the weir goes."""
    last = int(p.n_vessels) - 1
    if piping.below[0] < 0:
        _add_pump(p, piping, draw, 0, {1: 1.0}, int(draw.integers(0, 2)))
    shares = _fork(draw, last, last - 1) if draw.random() < 0.7 else {last: 1.0}
    _add_pump(p, piping, draw, last - 2, shares, 0)


def _fork(draw: Draw, v: int, other: int) -> dict[int, float]:
    """Shares of two vessels: together more than all, in the worst case for each of the two."""
    share = draw.uniform(0.1, 1.0)
    return {v: share, other: draw.uniform(1.0 - share, 1.0)}


def _add_pump(p: Record, piping: Piping, draw: Draw, source: int, shares: dict[int, float], valves: int) -> None:
    """One pump, with or without a valve in series."""
    series = tuple(drawn_element(p, draw, SHARED) for _ in range(valves))
    rate_kg_s = draw.uniform(0.1, 1.5)
    i = _add_shares(p, piping, shares, rate_kg_s, series)
    add_flow(p, i, drawn_element(p, draw, OWN), rate_kg_s, source=source)


def _add_shares(
    p: Record, piping: Piping, shares: dict[int, float], rate_kg_s: float, series: tuple[int, ...] = ()
) -> int:
    """An intake, with what it reaches: the vessels named, and all that they overflow into by themselves."""
    reach = [0.0] * int(p.n_vessels)
    for v in range(int(p.n_vessels)):
        reach[v] += shares.get(v, 0.0)
        if piping.below[v] >= 0:
            reach[piping.below[v]] += reach[v]
    i = add_intake(p, dict(enumerate(reach)), rate_kg_s, series)
    for v, share in shares.items():
        piping.share[i, v] = share
    return i


def _add_causes(p: Record, draw: Draw, count: int) -> None:
    """Common causes over gates, valves and pumps; not lids and not water, where that could not be promised."""
    water = {int(p.flows[f].element) for f in range(p.n_flows) if p.flows[f].chute < 0 and p.flows[f].source < 0}
    for c in range(count):
        for e in range(p.n_elements):
            movable = p.elements[e].role in {OWN, SHARED} and e not in water
            p.causes[c].member[e] = int(movable and draw.random() < 0.3)
        p.n_causes += 1


def _give_room(p: Record, piping: Piping, draw: Draw, v: int, ranges: Ranges) -> None:
    """As much as vessel v needs, and room; a weir below what the vessel can be filled to beside its reserve."""
    row = p.vessels[v]
    needed = needed_kg(p, piping, v)
    room_kg = draw.uniform(*(ranges.room_kg if v else ranges.first_kg)) + draw.choice([0.0, 0.5]) * needed
    row.capacity_kg = needed + room_kg - ROUNDING_KG
    if piping.below[v] >= 0:
        room_kg = max(room_kg, 40.0)
        row.capacity_kg = needed + room_kg - ROUNDING_KG
        row.weir_kg = draw.uniform(0.3, 1.0) * room_kg
