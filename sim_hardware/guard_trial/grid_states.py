"""The states of the grid: small plants, and states of them that stand on the boundaries on which decisions turn.

Half of the states repeat the one before with its vessels filled until its own Phi stands at the lip, a billionth of a
kilogram below, at, or above it. Neighbours: `grid` sweeps. Must not know any permit.
"""

import numpy as np

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import FREE, OWN, PLANT, SHARED, Record, Table
from sim_hardware.guard_trial import plant_builder as plants
from sim_hardware.guard_trial.plant_builder import NO_WEIR_KG, Draw, Moves


def begin_cell(plant: Table, cell: int) -> None:
    """Write the plant of this cell: one to three chutes, up to two elements in series, perhaps a vessel below."""
    draw = np.random.default_rng(cell)
    made = plants.empty_plant()
    p = made[0]
    vessels = int(draw.integers(1, 3))
    for v in range(vessels):
        capacity_kg = draw.uniform(60.0, 160.0)
        plants.add_vessel(p, capacity_kg, capacity_kg * 0.8 if v + 1 < vessels and draw.random() < 0.4 else NO_WEIR_KG)
        p.vessels[v].hold_up_kg, p.vessels[v].psi_kg = draw.uniform(0.0, 4.0, 2)
    reach = {0: draw.uniform(0.5, 1.5)}
    if vessels > 1 and p.vessels[0].weir_kg < NO_WEIR_KG:
        reach[1] = reach[0]
    shared = tuple(_element(p, draw, SHARED) for _ in range(int(draw.integers(0, 3))))
    top = plants.add_intake(p, reach, draw.uniform(0.3, 1.5), shared)
    for _ in range(int(draw.integers(1, 4))):
        plants.add_chute(p, top, _element(p, draw, OWN), draw.uniform(0.1, 0.8), draw.uniform(20.0, 40.0))
    if vessels > 1:
        valve = (_element(p, draw, SHARED),) if draw.random() < 0.5 else ()
        pumped = plants.add_intake(p, {1: 1.0}, draw.uniform(0.1, 1.0), valve)
        plants.add_flow(p, pumped, _element(p, draw, OWN), draw.uniform(0.1, 1.0), source=0)
    plants.add_element(p, FREE, Moves(1.0, 1.0, 2.0))
    p.n_causes = draw.integers(0, 3)
    for c in range(p.n_causes):
        p.causes[c].member[: p.n_elements] = draw.random(int(p.n_elements)) < 0.4
    for row in (*p.intakes[: p.n_intakes], *p.causes[: p.n_causes]):  # drawn off weirs by one fault
        row.over_kg[: p.n_vessels] = draw.uniform(0.0, 6.0) * (draw.random(vessels) < 0.3)
    plant[:] = made.astype(PLANT)


def _element(p: Record, draw: Draw, role: int) -> int:
    stroke_s = draw.uniform(0.5, 20.0)
    moves = Moves(stroke_s, stroke_s * draw.uniform(0.3, 1.0), draw.uniform(0.5, 4.0), draw.random() < 0.3)
    return plants.add_element(p, role, moves)


@kernel
def pick(draw: int, count: int) -> int:
    """A number below count from the high bits of the draw."""
    return int(draw // 4096 % count)


@kernel
def again(draw: int) -> int:
    """The next draw of a linear congruential generator."""
    return int((draw * 1103515245 + 12345) % 2147483648)


@kernel
def next_state(p: Record, s: Record, f: Record, w: Record, draw: int) -> int:
    """Write a state, an execute flag and a wish; the draw after."""
    draw = again(draw)
    if pick(draw, 2) == 0:
        return to_the_lip(p, s, draw)
    draw = again(draw)
    f.execute = 0 if pick(draw, 50) == 0 else 1
    s.ticks = 100
    for e in range(p.n_elements):
        draw = stand(p, s, w, e, draw)
    for v in range(p.n_vessels):
        draw = again(draw)
        s.bound_kg[v] = min(p.vessels[v].weir_kg, p.vessels[v].capacity_kg * pick(draw, 11) / 10.0)
        draw = again(draw)
        s.full[v] = 1 if pick(draw, 10) == 0 else 0
    for c in range(p.n_chutes):
        draw = load(p, s, c, draw)
    draw = again(draw)
    w.n_order = p.n_flows
    first = pick(draw, p.n_flows)
    for k in range(p.n_flows):
        w.order[k] = (first + k) % p.n_flows
    return draw


@kernel
def stand(p: Record, s: Record, w: Record, e: int, draw: int) -> int:
    """One element: shut, part open or open, commanded or not; wished, half wished or not."""
    draw = again(draw)
    place = pick(draw, 6)
    s.live_frac[e] = 1.0 if place == 5 else 0.3 if place == 4 else 0.0
    draw = again(draw)
    s.envelope_frac[e] = max(s.live_frac[e], 0.0 if place < 2 else pick(draw, 17) / 16.0)
    s.proved_shut[e] = 1 if s.envelope_frac[e] == 0.0 else 0
    draw = again(draw)
    wished = pick(draw, 8)
    w.open_frac[e] = 0.0 if wished == 0 else 0.5 if wished == 1 else 1.0
    return draw


@kernel
def load(p: Record, s: Record, c: int, draw: int) -> int:
    """One chute: empty, at the brim less one bag and what passes, or anything between; sealed, locked or open."""
    chute = p.chutes[c]
    draw = again(draw)
    s.content_age_s[c] = pick(draw, 4) * 0.5
    seconds = s.content_age_s[c] + p.tick_s + p.elements[chute.lid].lease_s + chute.lid_lock_s
    brim_kg = chute.capacity_kg - chute.largest_bag_kg - chute.lid_pass_kg_s * seconds
    draw = again(draw)
    place = pick(draw, 8)
    s.content_bound_kg[c] = max(0.0, brim_kg) if place == 0 else chute.capacity_kg * place / 7.0
    draw = again(draw)
    lock = pick(draw, 4)
    s.locked_ns[c] = -1 if lock == 0 or s.proved_shut[chute.lid] == 0 else 1000
    s.sealed[c] = 1 if lock > 1 and s.locked_ns[c] >= 0 else 0
    return draw


@kernel
def to_the_lip(p: Record, s: Record, draw: int) -> int:
    """The state before, with one vessel filled so that the Phi it was given stands a hair beside its capacity."""
    draw = again(draw)
    v = pick(draw, p.n_vessels)
    draw = again(draw)
    hair_kg = (pick(draw, 3) - 1) * 1e-9
    s.bound_kg[v] = max(0.0, s.bound_kg[v] + p.vessels[v].capacity_kg - s.phi_kg[v] + hair_kg)
    s.bound_kg[v] = min(s.bound_kg[v], p.vessels[v].weir_kg, 1.2 * p.vessels[v].capacity_kg)
    return draw
