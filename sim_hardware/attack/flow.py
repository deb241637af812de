"""The physics of the game, in steps finer than a tick: elements travel, mass passes, falls, arrives, overflows, drains.

Shares no code and no table with the guard beyond the plant's shape: who leads where, and what is declared. Mass only
comes from outside (bags, supplies, dilution, surprises) and leaves through drains: `came_kg` less `left_kg` is what is
there. Neighbours: `play` calls, `judge` looks for spills after each step. Must not know how the guard decides.
"""

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import OWN, Record
from sim_hardware.attack.judge import judge

NS = 1_000_000_000
TICK_NS = NS // 2
TICK_S = 0.5
REMEMBERED = 16


@kernel
def chance(r: Record) -> float:
    """The next number in 0..1 (a linear congruential generator, so that all backends draw alike)."""
    r.draw = (r.draw * 1103515245 + 12345) % 2147483648
    return float(r.draw // 1024) / 2097152.0


@kernel
def flow(p: Record, w: Record, r: Record) -> None:
    """One tick of physics."""
    step_s = TICK_S / w.steps
    for step in range(w.steps):
        r.now_ns += TICK_NS // w.steps
        for e in range(p.n_elements):
            travel(p, w, r, e, step, step_s)
        for i in range(p.n_intakes):
            pass_intake(p, w, r, i, step_s)
        for c in range(p.n_chutes):
            fill(p, w, r, c, step_s)
        for v in range(p.n_vessels):
            settle(p, w, r, v, step_s)
        judge(p, w, r)
        if step == w.sampled_at:
            sample(p, w, r)
        r.plant_steps += 1


@kernel
def travel(p: Record, w: Record, r: Record, e: int, step: int, step_s: float) -> None:
    """One element towards what its device holds; a device without a command for its lease holds 0."""
    if step == w.write_step[e] and r.lost_ns[e] < 0:
        r.told_frac[e] = r.sent_frac[e]
    since_ns = r.lost_ns[e] if r.lost_ns[e] >= 0 else r.decided_ns + TICK_NS
    if (r.now_ns - since_ns) * 1e-9 >= w.lease_s[e]:
        r.told_frac[e] = 0.0
        r.sent_frac[e] = 0.0
    before_frac = r.shown_frac[e]
    if r.told_frac[e] > r.shown_frac[e]:
        r.shown_frac[e] = min(r.told_frac[e], r.shown_frac[e] + step_s / w.open_s[e])
    else:
        r.shown_frac[e] = max(r.told_frac[e], r.shown_frac[e] - step_s / w.close_s[e])
    if p.elements[e].role == OWN:
        r.strokes += max(r.shown_frac[e] - before_frac, before_frac - r.shown_frac[e])
    r.at_frac[e] = 1.0 if r.stuck[e] != 0 else r.shown_frac[e]


@kernel
def pass_intake(p: Record, w: Record, r: Record, i: int, step_s: float) -> None:
    """What the flows of an intake let through together, no more than each element in series behind them."""
    intake = p.intakes[i]
    total_kg = 0.0
    for k in range(intake.n_flows):
        total_kg += passing_kg(p, w, r, intake.flows[k], step_s)
    if total_kg <= 0.0:
        return
    most_kg = total_kg
    for k in range(intake.n_shared):
        most_kg = min(most_kg, w.rate_ratio * intake.shared_rate_kg_s * r.at_frac[intake.shared[k]] * step_s)
    share = most_kg / total_kg
    for k in range(intake.n_flows):
        f = intake.flows[k]
        kg = share * passing_kg(p, w, r, f, step_s)
        if p.flows[f].chute >= 0:
            r.content_kg[p.flows[f].chute] -= kg
        elif p.flows[f].source >= 0:
            r.held_kg[p.flows[f].source] -= kg
        else:
            r.came_kg += kg
    r.passed_kg += most_kg
    r.came_kg -= most_kg
    for v in range(p.n_vessels):
        kg = w.share[i, v] * most_kg
        r.coming_kg[v] += kg
        r.came_kg += kg  # more than passed: water is added


@kernel
def passing_kg(p: Record, w: Record, r: Record, f: int, step_s: float) -> float:
    """What flow f could pass by itself in one step."""
    flow = p.flows[f]
    kg = w.rate_ratio * flow.rate_kg_s * r.at_frac[flow.element] * step_s
    if flow.chute >= 0:
        return float(min(kg, r.content_kg[flow.chute]))
    if flow.source >= 0:
        return float(min(kg, r.held_kg[flow.source]))
    return float(kg)


@kernel
def fill(p: Record, w: Record, r: Record, c: int, step_s: float) -> None:
    """What falls into a chute while its lid is unlocked: now and then all that is waiting. Over its lip is a fault."""
    chute = p.chutes[c]
    r.waiting_kg[c] = min(chute.largest_bag_kg, r.waiting_kg[c] + chute.lid_pass_kg_s * step_s)
    if r.at_frac[chute.lid] <= 0.0:
        return
    luck = chance(r)
    if luck >= w.bag_chance:
        return
    bag_kg = r.waiting_kg[c]
    if r.stick_tick >= 0 and r.light_chute >= 0:  # all to where it is not seen, and no more than the switch lets pass
        room_kg = chute.capacity_kg if c == r.low_chute else max(0.0, 0.999 * w.high_kg[c] - r.content_kg[c])
        bag_kg = min(bag_kg, room_kg) if c == r.light_chute else 0.0
    r.content_kg[c] += bag_kg
    r.came_kg += bag_kg
    r.waiting_kg[c] -= bag_kg
    if r.content_kg[c] > chute.capacity_kg:
        over_kg = r.content_kg[c] - chute.capacity_kg
        r.chute_over_kg = r.chute_over_kg + over_kg if w.goes_on != 0 else max(r.chute_over_kg, over_kg)
        r.content_kg[c] = chute.capacity_kg
        r.left_kg += over_kg


@kernel
def settle(p: Record, w: Record, r: Record, v: int, step_s: float) -> None:
    """A vessel takes what arrives, passes on what stands over its weir, and drains."""
    row = p.vessels[v]
    below = w.below[v]
    luck = chance(r)
    arrives_kg = r.coming_kg[v] if luck < w.arrive_chance else max(0.0, r.coming_kg[v] - w.hold_up_kg[v])
    r.coming_kg[v] -= arrives_kg
    r.held_kg[v] += arrives_kg
    if r.surging_kg[v] + r.stepping_kg[v] > 0.0:
        surge(w, r, v)
    if below >= 0 and r.held_kg[v] > row.weir_kg and v != r.blocked_vessel:
        r.coming_kg[below] += r.held_kg[v] - row.weir_kg
        r.held_kg[v] = row.weir_kg
    r.highest_kg[v] = max(r.highest_kg[v], r.held_kg[v])
    blocked = w.stops_draining != 0 and r.struck != 0 and v == r.target
    if w.drain_kg_s[v] > 0.0 and r.tick // w.drain_ticks % 3 != 0 and not blocked:
        kg = min(r.held_kg[v], w.drain_kg_s[v] * step_s)
        r.held_kg[v] -= kg
        r.left_kg += kg


@kernel
def surge(w: Record, r: Record, v: int) -> None:
    """One step of a surprise: what swells in vessel v, and what a pressure step pushes over its weir."""
    frac = 1.0 if w.surge_ticks == 0 else 1.0 / (w.surge_ticks * w.steps)
    kg = min(r.surging_kg[v], frac * w.psi_kg[v])
    r.surging_kg[v] -= kg
    r.held_kg[v] += kg
    over_kg = min(r.stepping_kg[v], frac * w.over_weir_kg[v])
    r.stepping_kg[v] -= over_kg
    if w.below[v] >= 0:
        r.coming_kg[w.below[v]] += over_kg
    r.came_kg += kg + over_kg


@kernel
def sample(p: Record, w: Record, r: Record) -> None:
    """What the instruments will show in the next frame."""
    r.sampled_ns = r.now_ns
    for v in range(p.n_vessels):
        r.older_kg[v, r.tick % REMEMBERED] = r.held_kg[v]
        was = max(0, r.tick - w.older_ticks) % REMEMBERED
        for i in range(p.vessels[v].n_levels):
            if r.tick % w.period_ticks[v, i] == 0:
                r.seen_kg[v, i] = r.older_kg[v, was]
                r.seen_ns[v, i] = r.now_ns
    for e in range(p.n_elements):
        r.seen_frac[e] = r.shown_frac[e] if w.pretends != 0 else r.at_frac[e]
    for c in range(p.n_chutes):
        r.seen_content_kg[c] = r.content_kg[c]
        r.seen_high[c] = 1 if r.content_kg[c] >= w.high_kg[c] else 0
