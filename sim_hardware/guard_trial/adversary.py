"""An adversary of the guard: one small vessel, many gates, physics of its own, and the worst moment for two faults.

Every gate is asked to open at every tick. When the guard has just begun to refuse for want of room, the gate with most
behind it sticks open (its feedback may go on pretending) and, in the same tick, writes are lost: each device holds its
old command until its own watchdog has run out. Whatever goes over the lip is spilled.

Parameters are drawn here, inside what the guard's table declares; the table itself is never read while playing, except
by the guard. Neighbours: the kernels decide, campaigns call `play`. Must not know tags, lines or the reference pod.
"""

from typing import Any

import numpy as np

from pod_controller.kernels.commit import commit
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import (
    FRAME,
    MAX_CHUTES,
    MAX_ELEMENTS,
    MAX_LEVELS,
    PERMIT,
    STATE,
    WISH,
    Record,
    Table,
    table,
)

NS = 1_000_000_000
TICK_S = 0.5
STEPS = 10  # of physics per tick
SAMPLED_AT = 8  # the step whose values the next frame shows


def _record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    return np.dtype((np.record, np.dtype(list(fields), align=True)))


# What is true of the plant and when it breaks. Elements in the order of the guard's table.
WORLD = _record(
    ("seed", "i8"),
    ("n_chutes", "i8"),
    ("n_elements", "i8"),
    ("capacity_kg", "f8"),
    ("drain_kg_s", "f8"),
    ("bias_kg", "f8", (MAX_LEVELS,)),
    ("open_s", "f8", (MAX_ELEMENTS,)),
    ("close_s", "f8", (MAX_ELEMENTS,)),
    ("lease_s", "f8", (MAX_ELEMENTS,)),
    ("gate", "i8", (MAX_CHUTES,)),
    ("lid", "i8", (MAX_CHUTES,)),
    ("rate_kg_s", "f8", (MAX_CHUTES,)),
    ("chute_kg", "f8", (MAX_CHUTES,)),
    ("bag_kg", "f8", (MAX_CHUTES,)),
    ("lid_pass_kg_s", "f8", (MAX_CHUTES,)),
    ("jams", "i8"),
    ("pretends", "i8"),
    ("loses_writes", "i8"),
    ("lost_s", "f8"),
    ("stops_draining", "i8"),  # with the strike
    ("earliest_tick", "i8"),
)

RUN = _record(
    ("now_ns", "i8"),
    ("held_kg", "f8"),
    ("seen_kg", "f8"),
    ("highest_kg", "f8"),
    ("spilled_kg", "f8"),
    ("passed_kg", "f8"),
    ("at_frac", "f8", (MAX_ELEMENTS,)),
    ("shown_frac", "f8", (MAX_ELEMENTS,)),  # where a healthy one would be
    ("seen_frac", "f8", (MAX_ELEMENTS,)),
    ("told_frac", "f8", (MAX_ELEMENTS,)),
    ("verified_ns", "i8", (MAX_ELEMENTS,)),
    ("content_kg", "f8", (MAX_CHUTES,)),
    ("emptying", "i1", (MAX_CHUTES,)),
    ("waiting_kg", "f8", (MAX_CHUTES,)),  # what people hold over a lid: never more than a bag, and a rate in between
    ("seen_content_kg", "f8", (MAX_CHUTES,)),
    ("jammed", "i8"),
    ("lost_ns", "i8"),  # when the first write was lost; -1 none is
    ("struck", "i8"),
    ("promised_kg", "f8"),  # the highest that a strike could have brought the vessel to so far
    ("draw", "i8"),
)


def world_of(plant: Table, seed: int, jams: bool = True, loses_writes: bool = True) -> Table:
    """A world inside what the guard's table declares: never faster, never longer alive, never heavier."""
    draw = np.random.default_rng(seed)
    p, worlds = plant[0], np.zeros(1, dtype=WORLD)
    w = worlds[0]
    w.seed, w.n_chutes, w.n_elements = seed, p.n_chutes, p.n_elements
    w.capacity_kg = p.vessels[0].capacity_kg
    w.drain_kg_s = draw.uniform(0.2, 3.0)
    w.bias_kg[:] = p.vessels[0].level_error_kg * (-1.0 if draw.random() < 0.5 else draw.uniform(-1.0, 1.0, MAX_LEVELS))
    for e in range(p.n_elements):
        w.open_s[e] = p.elements[e].fast_stroke_s * draw.uniform(1.0, 1.3)
        w.close_s[e] = p.elements[e].stroke_s * draw.uniform(0.7, 1.0)
        w.lease_s[e] = p.elements[e].lease_s * draw.uniform(0.8, 1.0)
    for f in range(p.n_flows):
        c = p.flows[f].chute
        chute = p.chutes[c]
        w.gate[c], w.lid[c], w.rate_kg_s[c] = chute.gate, chute.lid, p.flows[f].rate_kg_s
        w.chute_kg[c], w.bag_kg[c], w.lid_pass_kg_s[c] = chute.capacity_kg, chute.largest_bag_kg, chute.lid_pass_kg_s
    w.jams, w.pretends, w.loses_writes = int(jams), int(draw.random() < 0.5), int(loses_writes)
    w.stops_draining = int(draw.random() < 0.5)
    w.lost_s = draw.uniform(2.0, 30.0)
    w.earliest_tick = draw.integers(400, 1500)
    return worlds


def first_run(world: Table) -> Table:
    """The run before its first tick: vessel a third full, chutes full, everything shut."""
    runs = np.zeros(1, dtype=RUN)
    r, w = runs[0], world[0]
    r.now_ns, r.jammed, r.lost_ns, r.draw = NS, -1, -1, int(w.seed) % 2**31
    r.held_kg = r.seen_kg = w.capacity_kg / 3.0
    r.content_kg[:], r.seen_content_kg[:] = w.chute_kg * 0.6, w.chute_kg * 0.6
    r.verified_ns[:] = -1
    return runs


def campaign_run(plant: Table, world: Table, ticks: int) -> Record:
    """Play one world to its end; the RUN it left."""
    run = first_run(world)
    state, frame, wish, permit = (table(kind) for kind in (STATE, FRAME, WISH, PERMIT))
    play(plant, state, frame, wish, permit, world, run, ticks)
    return run[0]


@kernel
def play(  # noqa: PLR0913, PLR0917  # the five tables of a tick, and the world around them
    plant: Table, state: Table, frame: Table, wish: Table, permit: Table, world: Table, run: Table, ticks: int
) -> None:
    """So many ticks: look, wish for everything, let the guard decide, write, strike once, flow."""
    w = world[0]
    r = run[0]
    for _ in range(ticks):
        tick = (r.now_ns - NS) // (NS // 2)
        show(w, r, frame[0])
        observe(plant[0], state[0], frame[0])
        want(w, r, wish[0])
        guard(plant[0], state[0], frame[0], wish[0], permit[0])
        commit(plant[0], state[0], permit[0])
        if r.lost_ns >= 0 and (r.now_ns - r.lost_ns) * 1e-9 > w.lost_s:
            r.lost_ns = -1
        for e in range(w.n_elements):
            if r.lost_ns < 0:
                r.told_frac[e] = permit[0].grant_frac[e]
                r.verified_ns[e] = r.now_ns
        strike(w, r, permit[0], tick)
        flow(w, r, tick)


@kernel
def chance(r: Record) -> float:
    """The next number in 0..1 (a linear congruential generator, so that both backends draw alike)."""
    r.draw = (r.draw * 1103515245 + 12345) % 2147483648
    return float(r.draw // 1024) / 2097152.0


@kernel
def show(w: Record, r: Record, f: Record) -> None:
    """The frame: levels with their bias, positions as shown, weights, each as old as the last steps of a tick."""
    taken_ns = r.now_ns - (STEPS - 1 - SAMPLED_AT) * NS // 20
    f.now_ns = r.now_ns
    f.elapsed_s = TICK_S
    f.execute = 1
    for i in range(MAX_LEVELS):
        f.level_kg[0, i] = r.seen_kg + w.bias_kg[i]
        f.level_ns[0, i] = taken_ns
    for e in range(w.n_elements):
        f.position_frac[e] = r.seen_frac[e]
        f.position_ns[e] = taken_ns
        f.verified_ns[e] = r.verified_ns[e]
    for c in range(w.n_chutes):
        f.content_kg[c] = r.seen_content_kg[c]
        f.content_ns[c] = taken_ns


@kernel
def want(w: Record, r: Record, wish: Record) -> None:
    """Every chute that has filled to be emptied, in an order that turns; every other lid unlocked."""
    wish.n_order = w.n_chutes
    first = int(chance(r) * w.n_chutes)
    for k in range(w.n_chutes):
        c = (first + k) % w.n_chutes
        wish.order[k] = c
        if r.content_kg[c] >= 0.5 * w.chute_kg[c]:
            r.emptying[c] = 1
        elif r.content_kg[c] <= 0.1 * w.chute_kg[c]:
            r.emptying[c] = 0
        wish.open_frac[w.gate[c]] = 1.0 if r.emptying[c] != 0 else 0.0
        wish.open_frac[w.lid[c]] = 0.0 if r.emptying[c] != 0 else 1.0


@kernel
def still_comes_kg(w: Record, r: Record, permit: Record, c: int) -> float:
    """What chute c pours if writes are lost now: its gate opens on until its watchdog, then closes."""
    e = w.gate[c]
    top_frac = r.at_frac[e]
    kg_per_rate_s = 0.0
    if permit.grant_frac[e] > 0.0:
        top_frac = max(top_frac, min(permit.grant_frac[e], top_frac + w.lease_s[e] / w.open_s[e]))
        opening_s = (top_frac - r.at_frac[e]) * w.open_s[e]
        kg_per_rate_s = opening_s * (r.at_frac[e] + top_frac) / 2.0 + (w.lease_s[e] - opening_s) * top_frac
    kg_per_rate_s += w.close_s[e] / 2.0 * top_frac * top_frac
    return float(min(r.content_kg[c], w.rate_kg_s[c] * kg_per_rate_s))


@kernel
def strike(w: Record, r: Record, permit: Record, tick: int) -> None:
    """Once, when it promises most: jam an opening gate with most behind it, and lose every write from the next on."""
    peak_kg = r.held_kg
    jam_kg = 0.0
    worst = -1
    for c in range(w.n_chutes):
        kg = still_comes_kg(w, r, permit, c) if w.loses_writes != 0 else 0.0
        peak_kg += kg
        if permit.grant_frac[w.gate[c]] > 0.0 and r.content_kg[c] - kg > jam_kg:
            jam_kg = r.content_kg[c] - kg
            worst = c
    peak_kg += jam_kg if w.jams != 0 else 0.0
    promising = peak_kg >= min(r.promised_kg, w.capacity_kg)
    r.promised_kg = max(r.promised_kg, peak_kg)
    if r.struck != 0 or tick < w.earliest_tick or worst < 0 or not promising:
        return
    r.struck = 1
    if w.jams != 0:
        r.jammed = w.gate[worst]
        r.at_frac[r.jammed] = 1.0
    if w.loses_writes != 0:
        r.lost_ns = r.now_ns + NS // 2


@kernel
def flow(w: Record, r: Record, tick: int) -> None:
    """One tick of physics: elements travel, chutes pour, bags fall, the vessel drains by turns and spills."""
    step_s = TICK_S / STEPS
    for step in range(STEPS):
        r.now_ns += NS // 20
        for e in range(w.n_elements):
            travel(w, r, e, step_s)
        for c in range(w.n_chutes):
            pour(w, r, c, step_s)
        if tick // 120 % 3 != 0 and (r.struck == 0 or w.stops_draining == 0):
            r.held_kg = max(0.0, r.held_kg - w.drain_kg_s * step_s)
        r.highest_kg = max(r.highest_kg, r.held_kg)
        if r.held_kg > w.capacity_kg:
            r.spilled_kg += r.held_kg - w.capacity_kg
            r.held_kg = w.capacity_kg
        if step == SAMPLED_AT:
            sample(w, r)


@kernel
def travel(w: Record, r: Record, e: int, step_s: float) -> None:
    """One element towards what its device holds; a device whose watchdog has run out holds 0."""
    if r.lost_ns >= 0 and (r.now_ns - r.lost_ns) * 1e-9 >= w.lease_s[e]:
        r.told_frac[e] = 0.0
    if r.told_frac[e] > r.shown_frac[e]:
        r.shown_frac[e] = min(r.told_frac[e], r.shown_frac[e] + step_s / w.open_s[e])
    else:
        r.shown_frac[e] = max(r.told_frac[e], r.shown_frac[e] - step_s / w.close_s[e])
    if e != r.jammed:
        r.at_frac[e] = r.shown_frac[e]


@kernel
def pour(w: Record, r: Record, c: int, step_s: float) -> None:
    """What one chute lets through, and what falls in while its lid is unlocked: now and then all that is waiting."""
    kg = min(r.content_kg[c], w.rate_kg_s[c] * r.at_frac[w.gate[c]] * step_s)
    r.content_kg[c] -= kg
    r.held_kg += kg
    r.passed_kg += kg
    r.waiting_kg[c] = min(w.bag_kg[c], r.waiting_kg[c] + w.lid_pass_kg_s[c] * step_s)
    if r.at_frac[w.lid[c]] > 0.0 and chance(r) < 0.02:
        r.content_kg[c] = min(w.chute_kg[c], r.content_kg[c] + r.waiting_kg[c])
        r.waiting_kg[c] = 0.0


@kernel
def sample(w: Record, r: Record) -> None:
    """What the instruments will show in the next frame."""
    r.seen_kg = r.held_kg
    for e in range(w.n_elements):
        r.seen_frac[e] = r.shown_frac[e] if w.pretends != 0 else r.at_frac[e]
    for c in range(w.n_chutes):
        r.seen_content_kg[c] = r.content_kg[c]
