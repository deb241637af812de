"""What an adversary plays with: a plant of any shape, what is true of it, and what breaks in it, drawn by seed.

Everything is drawn inside what the guard's table declares: never faster, never longer alive, never heavier, never more
wrong. Faults are drawn alone and in pairs as the promise allows them: at most one part that stands open (an element, or
one module with all of its elements), beside it anything that lies, is silent or loses commands.

Neighbours: `adversary_play` plays, `adversary_campaign` counts. Must not know the kernels' state.
"""

from typing import Any

import numpy as np

from pod_controller.kernels.records import (
    MAX_CHUTES,
    MAX_ELEMENTS,
    MAX_LEVELS,
    MAX_VESSELS,
    OWN,
    SHARED,
    Record,
    Table,
)
from sim_hardware.plant_builder import Draw, drawn_plant

NS = 1_000_000_000
NONE, JAM, FROZEN, LYING_POSITION, LOST_WRITES, LIAR, BLIND, GAP = range(8)
OPEN_PARTS = (JAM, FROZEN, LYING_POSITION)  # at most one of these at a time
OTHERS = (LOST_WRITES, LIAR, BLIND, GAP)
FAULTS = {
    NONE: "nothing",
    JAM: "an element sticks open",
    FROZEN: "a module holds its elements open",
    LYING_POSITION: "a feedback always says shut",
    LOST_WRITES: "writes are lost",
    LIAR: "a level sensor lies",
    BLIND: "a vessel's levels are lost",
    GAP: "the controller misses ticks",
}
RANDOM, GREEDY = 0, 1
MODULES = 3


def _record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    return np.dtype((np.record, np.dtype(list(fields), align=True)))


# What is true of the plant and how it is attacked.
WORLD = _record(
    ("seed", "i8"),
    ("steps", "i8"),  # of physics per tick
    ("sampled_at", "i8"),  # the step whose values the next frame shows
    ("drain_kg_s", "f8", (MAX_VESSELS,)),
    ("bias_kg", "f8", (MAX_VESSELS, MAX_LEVELS)),
    ("period_ticks", "i8", (MAX_VESSELS, MAX_LEVELS)),  # how often a level is sampled
    ("float_kg", "f8", (MAX_VESSELS,)),
    ("content_bias_kg", "f8", (MAX_CHUTES,)),
    ("open_s", "f8", (MAX_ELEMENTS,)),
    ("close_s", "f8", (MAX_ELEMENTS,)),
    ("lease_s", "f8", (MAX_ELEMENTS,)),
    ("module", "i8", (MAX_ELEMENTS,)),
    ("write_step", "i8", (MAX_ELEMENTS,)),  # the step at which a command arrives
    ("strategy", "i8"),
    ("one", "i8"),  # the two faults of every strike
    ("other", "i8"),
    ("pretends", "i8"),  # a stuck element's feedback shows where a healthy one would be
    ("episode_ticks", "i8"),  # how long a strike lasts until it is mended
    ("rest_ticks", "i8"),  # and how long nothing breaks afterwards
    ("gap_ticks", "i8"),
)

RUN = _record(
    ("now_ns", "i8"),
    ("decided_ns", "i8"),
    ("tick", "i8"),
    ("held_kg", "f8", (MAX_VESSELS,)),
    ("coming_kg", "f8", (MAX_VESSELS,)),  # past the last element, not yet arrived: never more than the hold-up
    ("seen_kg", "f8", (MAX_VESSELS, MAX_LEVELS)),
    ("seen_ns", "i8", (MAX_VESSELS, MAX_LEVELS)),
    ("content_kg", "f8", (MAX_CHUTES,)),
    ("waiting_kg", "f8", (MAX_CHUTES,)),  # what people hold over a lid
    ("emptying", "i1", (MAX_CHUTES,)),
    ("seen_content_kg", "f8", (MAX_CHUTES,)),
    ("sampled_ns", "i8"),
    ("at_frac", "f8", (MAX_ELEMENTS,)),
    ("shown_frac", "f8", (MAX_ELEMENTS,)),  # where a healthy one would be
    ("seen_frac", "f8", (MAX_ELEMENTS,)),
    ("sent_frac", "f8", (MAX_ELEMENTS,)),
    ("told_frac", "f8", (MAX_ELEMENTS,)),
    ("lost_ns", "i8", (MAX_ELEMENTS,)),  # when the first write was lost; -1 none is
    ("verified_ns", "i8", (MAX_ELEMENTS,)),
    ("stuck", "i1", (MAX_ELEMENTS,)),
    ("lying_element", "i8"),
    ("lost_module", "i8"),
    ("liar_vessel", "i8"),
    ("liar_level", "i8"),
    ("lie_kg", "f8"),
    ("blind_vessel", "i8"),
    ("gap_left", "i8"),
    ("struck", "i1"),
    ("until_tick", "i8"),  # of the strike, or of the rest
    ("promised", "f8"),  # the best moment to strike so far, as share of a capacity
    ("at_strike_kg", "f8", (MAX_VESSELS,)),
    ("recovered", "i1", (MAX_VESSELS,)),  # drawn down since the last strike: its reserve stands again
    ("surprised", "i1", (MAX_VESSELS,)),  # its Psi has come already
    ("draw", "i8"),
    # what is counted
    ("ticks", "i8"),
    ("plant_steps", "i8"),
    ("strikes", "i8"),
    ("spilled_kg", "f8"),
    ("spilled_tick", "i8"),
    ("spilled_vessel", "i8"),
    ("least_margin_kg", "f8"),
    ("chute_over_kg", "f8"),
    ("passed_kg", "f8"),
)


def drawn(seed: int) -> tuple[Table, Table]:
    """The plant and the world of this seed."""
    draw = np.random.default_rng(seed)
    plant = drawn_plant(draw)
    while not may_be_promised(plant):
        plant = drawn_plant(draw)
    return plant, world_of(plant, draw, seed)


def may_be_promised(plant: Table) -> bool:
    """True if no vessel, empty and shut, is carried over its lip by all that stands above: others are refused.

    As `podctl check-config` does, but summed anew: behind a single element everything above counts.
    """
    p = plant[0]
    most_kg = [0.0] * int(p.n_vessels)
    for v in range(p.n_vessels):
        row = p.vessels[v]
        above_kg = max(_above_kg(p, i, most_kg) * p.intakes[i].reach_ratio[v] for i in range(p.n_intakes))
        if above_kg + row.hold_up_kg + row.psi_kg + 2.0 * max(row.level_error_kg) > row.capacity_kg:
            return False
        most_kg[v] = min(row.capacity_kg, row.weir_kg)
    return True


def _above_kg(p: Record, i: int, most_kg: list[float]) -> float:
    """What stands behind the elements that one fault can open: the fullest source, or all of a common cause."""
    intake = p.intakes[i]
    sources = []
    for k in range(intake.n_flows):
        flow = p.flows[intake.flows[k]]
        if flow.chute < 0 and flow.source < 0:
            return 0.0  # a supply without end, behind two elements
        kg = p.chutes[flow.chute].capacity_kg if flow.chute >= 0 else most_kg[flow.source]
        sources.append((int(flow.element), float(kg)))
    groups = [{e for e in range(p.n_elements) if p.causes[c].member[e]} for c in range(p.n_causes)]
    return max(*(kg for _, kg in sources), *(sum(kg for e, kg in sources if e in group) for group in groups), 0.0)


def world_of(plant: Table, draw: Draw, seed: int) -> Table:
    """A world inside what the guard's table declares."""
    p, worlds = plant[0], np.zeros(1, dtype=WORLD)
    w = worlds[0]
    w.seed, w.steps = seed, draw.choice([5, 10, 20])
    w.sampled_at = draw.integers(w.steps // 2, w.steps)
    for v in range(p.n_vessels):
        w.drain_kg_s[v] = draw.uniform(0.2, 3.0) if v + 1 == p.n_vessels else 0.0
        low = draw.random() < 0.5
        w.bias_kg[v] = p.vessels[v].level_error_kg * (-1.0 if low else draw.uniform(-1.0, 1.0, MAX_LEVELS))
        w.period_ticks[v] = draw.choice([1, 1, 2, 4], MAX_LEVELS)
        w.float_kg[v] = p.vessels[v].capacity_kg * draw.uniform(0.9, 1.0)
    for c in range(p.n_chutes):
        w.content_bias_kg[c] = p.chutes[c].content_error_kg * draw.uniform(-1.0, 1.0)
    for e in range(p.n_elements):
        row = p.elements[e]
        w.open_s[e] = row.fast_stroke_s * draw.uniform(1.0, 1.3)
        w.close_s[e] = row.stroke_s * draw.uniform(0.7, 1.0)
        w.lease_s[e] = row.lease_s * draw.uniform(0.7, 1.0)
        w.module[e], w.write_step[e] = draw.integers(MODULES), draw.integers(0, w.steps)
    w.strategy, w.pretends = draw.integers(2), draw.integers(2)
    w.episode_ticks, w.rest_ticks, w.gap_ticks = draw.integers(60, 400), draw.integers(200, 1500), draw.integers(2, 20)
    _choose_faults(w, p, draw)
    return worlds


def _choose_faults(w: Record, p: Record, draw: Draw) -> None:
    """One fault or a pair within the promise."""
    opens = [kind for kind in OPEN_PARTS if kind != FROZEN or p.n_causes > 0]
    w.one = draw.choice([*opens, JAM, NONE])
    w.other = draw.choice([NONE, *OTHERS, LOST_WRITES])


def first_run(plant: Table, world: Table) -> Table:
    """The run before its first tick: vessels empty, chutes half full, everything shut."""
    runs = np.zeros(1, dtype=RUN)
    p, r, w = plant[0], runs[0], world[0]
    r.now_ns, r.draw, r.until_tick = NS, int(w.seed) % 2**31, 400
    for c in range(p.n_chutes):
        r.content_kg[c] = r.seen_content_kg[c] = 0.6 * p.chutes[c].capacity_kg
    r.verified_ns[:], r.lost_ns[:], r.lying_element, r.lost_module = -1, -1, -1, -1
    r.liar_vessel, r.blind_vessel, r.spilled_tick, r.spilled_vessel = -1, -1, -1, -1
    r.seen_ns[:], r.sampled_ns, r.decided_ns = NS - 1, NS - 1, NS // 2
    r.least_margin_kg, r.recovered[:] = 1e30, 1
    return runs


def may_stick(p: Record) -> list[int]:
    """Elements whose sticking the promise covers."""
    return [e for e in range(p.n_elements) if p.elements[e].role in {OWN, SHARED}]
