"""A plant of any shape and what is true of it, drawn by seed, with the group of faults that the seed stands for.

Everything is drawn inside what the guard's table declares: never faster, never longer alive, never heavier, never more
wrong; every other world stands exactly at all those limits. Neighbours: `play` plays, `evolve` changes what is drawn
here. Must not know the kernels' state.
"""

from collections.abc import Sequence

import numpy as np

from pod_controller.kernels.records import MAX_LEVELS, Record, Table
from sim_hardware.attack.kinds import FROZEN, PROMISED, Group
from sim_hardware.attack.records import BY_CHANCE, NS, RUN, WORLD
from sim_hardware.guard_trial.plant_builder import Draw, Ranges, drawn_plant

MODULES = 3
NO_WEIR_KG = 1e29


def drawn(seed: int, groups: Sequence[Group] = PROMISED) -> tuple[Table, Table]:
    """The plant and the world of this seed; consecutive seeds go through the groups of faults."""
    draw = np.random.default_rng(seed)
    group = groups[seed % len(groups)]
    # A common cause is a reserve that a single stuck element never uses up: mostly without where none is struck.
    causes = (1, 3) if FROZEN in group else (0, int(draw.choice([0, 0, 3])))
    plant = drawn_plant(draw, Ranges(causes=causes))
    while not may_be_promised(plant):
        plant = drawn_plant(draw, Ranges(causes=causes))
    world = world_of(plant, draw, seed)
    world[0].faults[:] = group
    return plant, world


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
    _draw_vessels(w, p, draw)
    for c in range(p.n_chutes):
        w.content_bias_kg[c] = p.chutes[c].content_error_kg * draw.uniform(-1.0, 1.0)
    at_limits = draw.random() < 0.5
    for e in range(p.n_elements):
        row = p.elements[e]
        w.open_s[e] = row.fast_stroke_s * (1.0 if at_limits else draw.uniform(1.0, 1.3))
        w.close_s[e] = row.stroke_s * (1.0 if at_limits else draw.uniform(0.7, 1.0))
        w.lease_s[e] = row.lease_s * (1.0 if at_limits else draw.uniform(0.7, 1.0))
        w.module[e], w.write_step[e] = draw.integers(MODULES), draw.integers(0, w.steps)
    w.strategy, w.pretends, w.surprises = draw.integers(2), draw.integers(2), draw.integers(2)
    w.episode_ticks, w.rest_ticks, w.gap_ticks = draw.integers(60, 400), draw.integers(20, 600), draw.integers(2, 90)
    w.drain_ticks, w.pump_ticks, w.rate_ratio = draw.integers(50, 800), draw.integers(50, 800), 1.0
    w.filled_frac = draw.uniform(0.0, 0.8)
    w.fill_from_frac, w.fill_to_frac, w.bag_chance, w.arrive_chance = 0.5, 0.1, 0.02, 0.05
    w.threshold, w.delay_ticks, w.aim, w.lie, w.reach = 0.97, 0, BY_CHANCE, BY_CHANCE, BY_CHANCE
    return worlds


def _draw_vessels(w: Record, p: Record, draw: Draw) -> None:
    """Drains, errors, float switches; hold-up and Psi without what the table adds for the vessel above."""
    for v in range(p.n_vessels):
        row = p.vessels[v]
        w.drain_kg_s[v] = 10.0 ** draw.uniform(-1.5, 0.3) if v + 1 == p.n_vessels else 0.0
        low = draw.random() < 0.5
        w.bias_kg[v] = row.level_error_kg * (-1.0 if low else draw.uniform(-1.0, 1.0, MAX_LEVELS))
        w.period_ticks[v] = draw.choice([1, 1, 2, 4], MAX_LEVELS)
        w.float_kg[v] = row.capacity_kg * draw.uniform(0.9, 1.0)
        above = p.vessels[v - 1] if v and p.vessels[v - 1].weir_kg < NO_WEIR_KG else None
        w.hold_up_kg[v] = row.hold_up_kg - (above.hold_up_kg if above is not None else 0.0)
        w.psi_kg[v] = row.psi_kg - (above.psi_kg if above is not None else 0.0)


def first_run(plant: Table, world: Table, ticks: int) -> Table:
    """The run before its first tick, to end after so many: vessels filled to anywhere, everything shut.

    Nothing breaks before the guard has granted something into each vessel: until then it may stand anywhere.
    """
    runs = np.zeros(1, dtype=RUN)
    p, r, w = plant[0], runs[0], world[0]
    r.now_ns, r.draw, r.until_tick, r.until = NS, int(w.seed) % 2**31, 400, ticks
    for c in range(p.n_chutes):
        r.content_kg[c] = r.seen_content_kg[c] = 0.6 * p.chutes[c].capacity_kg
    for v in range(p.n_vessels):
        row = p.vessels[v]
        r.held_kg[v] = min(row.weir_kg, w.filled_frac * (row.capacity_kg - row.hold_up_kg - row.psi_kg))
        r.seen_kg[v] = r.older_kg[v] = r.at_strike_kg[v] = r.held_kg[v]
    r.verified_ns[:], r.lost_ns[:], r.lying_element, r.lost_module, r.wait_ticks = -1, -1, -1, -1, -1
    r.liar_vessel, r.blind_vessel, r.dead_vessel, r.light_chute, r.blocked_vessel = -1, -1, -1, -1, -1
    r.spilled_tick, r.spilled_vessel = -1, -1
    r.seen_ns[:], r.sampled_ns, r.decided_ns = NS - 1, NS - 1, NS // 2
    r.least_margin_kg = 1e30
    return runs
