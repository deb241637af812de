"""A plant of any shape and what is true of it, drawn by seed, with the group of faults that the seed stands for.

Everything is drawn inside what the guard's table declares: never faster, never longer alive, never heavier, never more
wrong; every other world stands exactly at all those limits. Neighbours: `play` plays, `evolve` changes what is drawn
here. Must not know the kernels' state.
"""

from collections.abc import Sequence

import numpy as np

from pod_controller.kernels.records import MAX_LEVELS, Record, Table
from sim_hardware.attack.kinds import FROZEN, PROMISED, SWITCH, WEIGHT, Group
from sim_hardware.attack.piping import Piping, may_be_promised
from sim_hardware.attack.records import BY_CHANCE, NS, RUN, WORLD
from sim_hardware.attack.shapes import ANY_SHAPE, Ranges, drawn_plant
from sim_hardware.guard_trial.plant_builder import ROUNDING_KG, Draw

MODULES = 3
NO_SWITCH_KG = 1e30


def drawn(seed: int, groups: Sequence[Group] = PROMISED, within: Ranges = ANY_SHAPE) -> tuple[Table, Table]:
    """The plant and the world of this seed; consecutive seeds go through the groups of faults."""
    draw = np.random.default_rng(seed)
    group = groups[seed % len(groups)]
    # A common cause is a reserve that a single stuck element never uses up: mostly without where none is struck.
    causes = (1, 3) if FROZEN in group else (0, int(draw.choice([0, 0, 3])))
    # So is the level of a switch to a weight that tells the truth.
    ranges = within._replace(causes=causes, switches=bool({WEIGHT, SWITCH} & set(group)) or draw.random() < 0.5)
    plant, piping = drawn_plant(draw, ranges)
    while not may_be_promised(plant, piping):
        plant, piping = drawn_plant(draw, ranges)
    world = world_of(plant, piping, draw, seed)
    world[0].faults[:] = group
    if WEIGHT in group:  # what nobody suspects has to fill up first
        world[0].lead_ticks = draw.integers(60, 400)
    return plant, world


def world_of(plant: Table, piping: Piping, draw: Draw, seed: int) -> Table:
    """A world inside what the guard's table declares."""
    p, worlds = plant[0], np.zeros(1, dtype=WORLD)
    w = worlds[0]
    w.seed, w.steps = seed, draw.choice([5, 10, 20])
    w.sampled_at = draw.integers(w.steps // 2, w.steps)
    _draw_vessels(w, p, piping, draw)
    at_limits = draw.random() < 0.5
    _draw_shares(w, p, piping, draw)
    _draw_chutes(w, p, draw, at_limits)
    for e in range(p.n_elements):
        row = p.elements[e]
        w.open_s[e] = row.fast_stroke_s * (1.0 if at_limits else draw.uniform(1.0, 1.3))
        w.close_s[e] = row.stroke_s * (1.0 if at_limits else draw.uniform(0.7, 1.0))
        w.lease_s[e] = row.lease_s * (1.0 if at_limits else draw.uniform(0.7, 1.0))
        w.module[e], w.write_step[e] = draw.integers(MODULES), draw.integers(0, w.steps)
    w.strategy, w.pretends, w.surprises, w.stops_draining = draw.integers(2, size=4)
    w.episode_ticks, w.rest_ticks, w.gap_ticks = draw.integers(60, 400), draw.integers(20, 600), draw.integers(2, 90)
    w.target = draw.choice([-1, int(draw.integers(p.n_vessels)), int(p.n_vessels) - 1])
    w.lead_ticks = draw.choice([0, int(draw.integers(1, 300))])
    w.surge_ticks = draw.choice([0, int(draw.integers(10, 400))])
    w.drain_ticks, w.pump_ticks, w.rate_ratio = draw.integers(50, 800), draw.integers(50, 800), 1.0
    w.filled_frac = draw.uniform(0.0, 0.8)
    w.fill_from_frac, w.fill_to_frac, w.bag_chance, w.arrive_chance = 0.5, 0.1, 0.02, 0.05
    w.threshold, w.delay_ticks, w.aim, w.lie, w.reach = 0.97, 0, BY_CHANCE, BY_CHANCE, BY_CHANCE
    return worlds


def _draw_vessels(w: Record, p: Record, piping: Piping, draw: Draw) -> None:
    """Weirs, drains where nothing else empties a vessel, errors, float switches, what comes by itself."""
    sources = {int(p.flows[f].source) for f in range(p.n_flows)}
    w.below[:] = -1
    for v in range(p.n_vessels):
        row = p.vessels[v]
        w.below[v], w.over_weir_kg[v] = piping.below[v], piping.over_weir_kg[v]
        w.hold_up_kg[v], w.psi_kg[v] = piping.hold_up_kg[v], piping.psi_kg[v]
        w.drain_kg_s[v] = 0.0 if v in sources or piping.below[v] >= 0 else 10.0 ** draw.uniform(-1.5, 0.3)
        low = draw.random() < 0.5
        w.bias_kg[v] = row.level_error_kg * (-1.0 if low else draw.uniform(-1.0, 1.0, MAX_LEVELS))
        w.period_ticks[v] = draw.choice([1, 1, 2, 4], MAX_LEVELS)
        w.float_kg[v] = row.capacity_kg * draw.uniform(0.9, 1.0)


def _draw_shares(w: Record, p: Record, piping: Piping, draw: Draw) -> None:
    """What a pump sends where is one whole, within the most that is declared for each of the two ways of a fork."""
    w.share[:] = piping.share
    for f in range(p.n_flows):
        i = int(p.flows[f].intake)
        ways = np.flatnonzero(piping.share[i])
        if p.flows[f].source >= 0 and len(ways) > 1:
            favoured, other = (int(v) for v in draw.permutation(ways))
            w.share[i, favoured] = min(1.0, piping.share[i, favoured])
            w.share[i, other] = 1.0 - w.share[i, favoured]


def _draw_chutes(w: Record, p: Record, draw: Draw, at_limits: bool) -> None:
    """Errors of weights, and where high-level switches come on: at what is declared at the latest."""
    for c in range(p.n_chutes):
        chute = p.chutes[c]
        w.content_bias_kg[c] = chute.content_error_kg * draw.uniform(-1.0, 1.0)
        w.high_kg[c] = chute.high_kg * (1.0 if at_limits else draw.uniform(0.7, 1.0)) if chute.high_kg else NO_SWITCH_KG


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
        # Less a millionth, as capacities are: else a world filled whole begins over its lip by rounding.
        r.held_kg[v] = min(row.weir_kg, w.filled_frac * (row.capacity_kg - row.hold_up_kg - row.psi_kg - ROUNDING_KG))
        r.seen_kg[v] = r.older_kg[v] = r.at_strike_kg[v] = r.held_kg[v]
    r.verified_ns[:], r.lost_ns[:], r.lying_element, r.lost_module, r.wait_ticks = -1, -1, -1, -1, -1
    r.liar_vessel, r.blind_vessel, r.dead_vessel, r.light_chute, r.blocked_vessel = -1, -1, -1, -1, -1
    r.low_chute, r.stick_tick, r.target = -1, -1, 0
    r.spilled_tick, r.spilled_vessel = -1, -1
    r.seen_ns[:], r.sampled_ns, r.decided_ns = NS - 1, NS - 1, NS // 2
    r.least_margin_kg = 1e30
    return runs
