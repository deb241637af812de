"""The game: look, wish, let the guard decide, write, strike at the worst moment, flow in finer steps, and spill if so.

The physics shares no code and no table with the guard beyond the plant's shape: who leads where. All compiled.

Neighbours: `adversary_world` draws, `adversary_strikes` breaks things, `adversary_campaign` counts. Must not know how
the guard decides.
"""

from pod_controller.kernels.commit import commit
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import SHARED, Record, Table
from sim_hardware.adversary_strikes import chance, strike_or_mend

NS = 1_000_000_000
TICK_NS = NS // 2
TICK_S = 0.5
BAD = 2


@kernel
def play(  # noqa: PLR0913, PLR0917  # the five tables of a tick, and the world around them
    plant: Table, state: Table, frame: Table, wish: Table, permit: Table, world: Table, run: Table, ticks: int
) -> None:
    """So many ticks; ends early with the first spill."""
    p = plant[0]
    w = world[0]
    r = run[0]
    for _ in range(ticks):
        if r.gap_left > 0:
            r.gap_left -= 1
        else:
            show(p, w, r, frame[0])
            observe(p, state[0], frame[0])
            want(p, r, wish[0])
            guard(p, state[0], frame[0], wish[0], permit[0])
            commit(p, state[0], permit[0])
            send(p, w, r, permit[0])
        strike_or_mend(p, w, r, permit[0])
        flow(p, w, r)
        r.tick += 1
        r.ticks += 1
        if r.spilled_kg > 0.0:
            return


@kernel
def show(p: Record, w: Record, r: Record, f: Record) -> None:
    """The frame: what was last sampled, with its error, its age and its lies."""
    f.now_ns = r.now_ns
    f.elapsed_s = (r.now_ns - r.decided_ns) * 1e-9
    r.decided_ns = r.now_ns
    f.execute = 1
    for v in range(p.n_vessels):
        for i in range(p.vessels[v].n_levels):
            f.level_kg[v, i] = r.seen_kg[v, i] + w.bias_kg[v, i]
            f.level_ns[v, i] = r.seen_ns[v, i]
            f.level_quality[v, i] = BAD if v == r.blind_vessel else 0
        if v == r.liar_vessel:
            f.level_kg[v, r.liar_level] = r.lie_kg
        f.float_on[v] = 1 if r.held_kg[v] >= w.float_kg[v] else 0
    for e in range(p.n_elements):
        f.position_frac[e] = 0.0 if e == r.lying_element else r.seen_frac[e]
        f.position_ns[e] = r.sampled_ns
        f.verified_ns[e] = r.verified_ns[e]
    for c in range(p.n_chutes):
        f.content_kg[c] = r.seen_content_kg[c] + w.content_bias_kg[c]
        f.content_ns[c] = r.sampled_ns


@kernel
def want(p: Record, r: Record, wish: Record) -> None:
    """Every chute that has filled to be emptied, in an order that turns; lids unlocked; now and then a pump rests."""
    for e in range(p.n_elements):
        wish.open_frac[e] = 1.0 if p.elements[e].role == SHARED else 0.0
    wish.n_order = p.n_flows
    first = int(chance(r) * p.n_flows)
    for k in range(p.n_flows):
        f = (first + k) % p.n_flows
        wish.order[k] = f
        c = p.flows[f].chute
        if c < 0:
            wish.open_frac[p.flows[f].element] = 1.0 if r.tick // 240 % 3 != 0 or p.flows[f].source < 0 else 0.0
            continue
        if r.content_kg[c] >= 0.5 * p.chutes[c].capacity_kg:
            r.emptying[c] = 1
        elif r.content_kg[c] <= 0.1 * p.chutes[c].capacity_kg:
            r.emptying[c] = 0
        wish.open_frac[p.chutes[c].gate] = 1.0 if r.emptying[c] != 0 else 0.0
        wish.open_frac[p.chutes[c].lid] = 0.0 if r.emptying[c] != 0 else 1.0


@kernel
def send(p: Record, w: Record, r: Record, permit: Record) -> None:
    """Commands on their way; a lost one leaves its device with what it held."""
    for e in range(p.n_elements):
        if r.lost_module >= 0 and (w.module[e] == r.lost_module or r.lost_module == 99):
            if r.lost_ns[e] < 0:
                r.lost_ns[e] = r.now_ns
            continue
        r.lost_ns[e] = -1
        r.sent_frac[e] = permit.grant_frac[e]
        r.verified_ns[e] = r.now_ns


@kernel
def flow(p: Record, w: Record, r: Record) -> None:
    """One tick of physics."""
    step_s = TICK_S / w.steps
    for step in range(w.steps):
        r.now_ns += TICK_NS // w.steps
        for e in range(p.n_elements):
            travel(w, r, e, step, step_s)
        for i in range(p.n_intakes):
            pass_intake(p, r, i, step_s)
        for c in range(p.n_chutes):
            fill(p, r, c, step_s)
        for v in range(p.n_vessels):
            settle(p, w, r, v, step_s)
        if step == w.sampled_at:
            sample(p, w, r)
        r.plant_steps += 1


@kernel
def travel(w: Record, r: Record, e: int, step: int, step_s: float) -> None:
    """One element towards what its device holds; a device without a command for its lease holds 0."""
    if step == w.write_step[e] and r.lost_ns[e] < 0:
        r.told_frac[e] = r.sent_frac[e]
    since_ns = r.lost_ns[e] if r.lost_ns[e] >= 0 else r.decided_ns + TICK_NS
    if (r.now_ns - since_ns) * 1e-9 >= w.lease_s[e]:
        r.told_frac[e] = 0.0
        r.sent_frac[e] = 0.0
    if r.told_frac[e] > r.shown_frac[e]:
        r.shown_frac[e] = min(r.told_frac[e], r.shown_frac[e] + step_s / w.open_s[e])
    else:
        r.shown_frac[e] = max(r.told_frac[e], r.shown_frac[e] - step_s / w.close_s[e])
    r.at_frac[e] = 1.0 if r.stuck[e] != 0 else r.shown_frac[e]


@kernel
def pass_intake(p: Record, r: Record, i: int, step_s: float) -> None:
    """What the flows of an intake let through together, no more than each element in series behind them."""
    intake = p.intakes[i]
    total_kg = 0.0
    for k in range(intake.n_flows):
        f = intake.flows[k]
        total_kg += passing_kg(p, r, f, step_s)
    if total_kg <= 0.0:
        return
    most_kg = total_kg
    for k in range(intake.n_shared):
        most_kg = min(most_kg, intake.shared_rate_kg_s * r.at_frac[intake.shared[k]] * step_s)
    share = most_kg / total_kg
    for k in range(intake.n_flows):
        f = intake.flows[k]
        kg = share * passing_kg(p, r, f, step_s)
        if p.flows[f].chute >= 0:
            r.content_kg[p.flows[f].chute] -= kg
        elif p.flows[f].source >= 0:
            r.held_kg[p.flows[f].source] -= kg
    r.passed_kg += most_kg
    for v in range(p.n_vessels):
        if intake.reach_ratio[v] > 0.0:
            r.coming_kg[v] += intake.reach_ratio[v] * most_kg
            return  # further down it comes by way of the weir


@kernel
def passing_kg(p: Record, r: Record, f: int, step_s: float) -> float:
    """What flow f could pass by itself in one step."""
    flow = p.flows[f]
    kg = flow.rate_kg_s * r.at_frac[flow.element] * step_s
    if flow.chute >= 0:
        return float(min(kg, r.content_kg[flow.chute]))
    if flow.source >= 0:
        return float(min(kg, r.held_kg[flow.source]))
    return float(kg)


@kernel
def fill(p: Record, r: Record, c: int, step_s: float) -> None:
    """What falls into a chute while its lid is unlocked: now and then all that is waiting. Over its lip is a fault."""
    chute = p.chutes[c]
    r.waiting_kg[c] = min(chute.largest_bag_kg, r.waiting_kg[c] + chute.lid_pass_kg_s * step_s)
    if r.at_frac[chute.lid] > 0.0 and chance(r) < 0.02:
        r.content_kg[c] += r.waiting_kg[c]
        r.waiting_kg[c] = 0.0
        r.chute_over_kg = max(r.chute_over_kg, r.content_kg[c] - chute.capacity_kg)
        r.content_kg[c] = min(r.content_kg[c], chute.capacity_kg)


@kernel
def settle(p: Record, w: Record, r: Record, v: int, step_s: float) -> None:
    """A vessel takes what arrives, passes on what stands over its weir, drains, and spills what is over its lip."""
    row = p.vessels[v]
    arrives_kg = r.coming_kg[v] if chance(r) < 0.05 else max(0.0, r.coming_kg[v] - row.hold_up_kg)
    r.coming_kg[v] -= arrives_kg
    r.held_kg[v] += arrives_kg
    if row.weir_kg < 1e29 and r.held_kg[v] > row.weir_kg:
        r.coming_kg[v + 1] += r.held_kg[v] - row.weir_kg
        r.held_kg[v] = row.weir_kg
    if r.tick // 150 % 3 != 0:
        r.held_kg[v] = max(0.0, r.held_kg[v] - w.drain_kg_s[v] * step_s)
    margin_kg = row.capacity_kg - r.held_kg[v]
    r.least_margin_kg = min(r.least_margin_kg, margin_kg)
    if margin_kg < 0.0:
        if r.spilled_tick < 0:
            r.spilled_tick, r.spilled_vessel = r.tick, v
        r.spilled_kg -= margin_kg
        r.held_kg[v] = row.capacity_kg


@kernel
def sample(p: Record, w: Record, r: Record) -> None:
    """What the instruments will show in the next frame."""
    r.sampled_ns = r.now_ns
    for v in range(p.n_vessels):
        for i in range(p.vessels[v].n_levels):
            if r.tick % w.period_ticks[v, i] == 0:
                r.seen_kg[v, i] = r.held_kg[v]
                r.seen_ns[v, i] = r.now_ns
    for e in range(p.n_elements):
        r.seen_frac[e] = r.shown_frac[e] if w.pretends != 0 else r.at_frac[e]
    for c in range(p.n_chutes):
        r.seen_content_kg[c] = r.content_kg[c]
