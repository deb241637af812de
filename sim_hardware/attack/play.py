"""The game: look, wish, let the guard decide, write, strike at the worst moment, flow in finer steps, and spill if so.

The physics shares no code and no table with the guard beyond the plant's shape: who leads where, and what is declared.
All compiled, by numba or (`necessity`) by a C compiler from the same text.

Neighbours: `world` draws, `strikes` breaks things, `campaign` counts. Must not know how the guard decides.
"""

from pod_controller.kernels.commit import commit
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import OWN, SHARED, Record, Table
from pod_controller.kernels.shed import shed
from sim_hardware.attack.strikes import chance, may_still_come_kg, strike_or_mend

NS = 1_000_000_000
TICK_NS = NS // 2
TICK_S = 0.5
BAD = 2
NO_WEIR_KG = 1e29
REMEMBERED = 16


@kernel
def play(plant: Table, desk: Table, world: Table, run: Table) -> None:
    """On to the run's last tick; ends early with the first spill, unless the world goes on. One record each."""
    p = plant[0]
    w = world[0]
    r = run[0]
    s = desk[0].state
    f = desk[0].frame
    g = desk[0].permit
    for _ in range(r.until - r.tick):
        if r.gap_left > 0:
            r.gap_left -= 1
        else:
            if r.restart != 0:
                s.ticks = 0
                r.restart = 0
            show(p, w, r, f)
            observe(p, s, f)
            if w.steady != 0:
                shed(p, s, f, desk[0].wish)
            else:
                want(p, w, r, desk[0].wish)
            guard(p, s, f, desk[0].wish, g)
            commit(p, s, g)
            send(p, w, r, g)
        strike_or_mend(p, w, r, g)
        flow(p, w, r)
        for v in range(p.n_vessels):
            r.held_sum_kg[v] += r.held_kg[v]
        r.tick += 1
        r.ticks += 1
        if w.goes_on == 0 and r.spilled_kg > 0.0:
            return


@kernel
def show(p: Record, w: Record, r: Record, f: Record) -> None:
    """The frame: what was last sampled, with its error, its age, its gaps and its lies."""
    f.now_ns = r.now_ns
    f.elapsed_s = (r.now_ns - r.decided_ns) * 1e-9
    r.decided_ns = r.now_ns
    f.execute = 1
    for v in range(p.n_vessels):
        for i in range(p.vessels[v].n_levels):
            f.level_kg[v, i] = r.seen_kg[v, i] + w.bias_kg[v, i]
            f.level_ns[v, i] = r.seen_ns[v, i]
            dead = v == r.blind_vessel or (v == r.dead_vessel and i == r.dead_level)
            f.level_quality[v, i] = BAD if dead else 0
        for k in range(r.liars):
            if v == r.liar_vessel:
                f.level_kg[v, (r.liar_level + k) % p.vessels[v].n_levels] = r.lie_kg
        f.float_on[v] = 1 if r.held_kg[v] >= w.float_kg[v] else 0
    for e in range(p.n_elements):
        f.position_frac[e] = 0.0 if e == r.lying_element else r.seen_frac[e]
        f.position_ns[e] = r.sampled_ns
        f.position_quality[e] = BAD if r.mute != 0 else 0
        f.verified_ns[e] = r.verified_ns[e]
    for c in range(p.n_chutes):
        f.content_kg[c] = 0.0 if c == r.light_chute else r.seen_content_kg[c] + w.content_bias_kg[c]
        f.content_ns[c] = r.sampled_ns
        f.content_quality[c] = BAD if r.weightless != 0 else 0


@kernel
def want(p: Record, w: Record, r: Record, wish: Record) -> None:
    """Every chute that has filled to be emptied, in an order that turns; lids unlocked; now and then a pump rests."""
    for e in range(p.n_elements):
        wish.open_frac[e] = 1.0 if p.elements[e].role == SHARED else 0.0
    wish.n_order = p.n_flows
    turn = chance(r)
    first = int(turn * p.n_flows)
    for k in range(p.n_flows):
        f = (first + k) % p.n_flows
        wish.order[k] = f
        c = p.flows[f].chute
        if c < 0:
            runs = r.tick // w.pump_ticks % 3 != 0 or p.flows[f].source < 0
            wish.open_frac[p.flows[f].element] = 1.0 if runs else 0.0
            continue
        content_kg = 0.0 if c == r.light_chute else r.content_kg[c]
        if content_kg >= w.fill_from_frac * p.chutes[c].capacity_kg:
            r.emptying[c] = 1
        elif content_kg <= w.fill_to_frac * p.chutes[c].capacity_kg:
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
    r.passed_kg += most_kg
    for v in range(p.n_vessels):
        if intake.reach_ratio[v] > 0.0:
            r.coming_kg[v] += intake.reach_ratio[v] * most_kg
            return  # further down it comes by way of the weir


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
    luck = chance(r)
    if r.at_frac[chute.lid] > 0.0 and luck < w.bag_chance:
        r.content_kg[c] += r.waiting_kg[c]
        r.waiting_kg[c] = 0.0
        if r.content_kg[c] > chute.capacity_kg:
            over_kg = r.content_kg[c] - chute.capacity_kg
            r.chute_over_kg = r.chute_over_kg + over_kg if w.goes_on != 0 else max(r.chute_over_kg, over_kg)
            r.content_kg[c] = chute.capacity_kg


@kernel
def settle(p: Record, w: Record, r: Record, v: int, step_s: float) -> None:
    """A vessel takes what arrives, passes on what stands over its weir, and drains."""
    row = p.vessels[v]
    luck = chance(r)
    arrives_kg = r.coming_kg[v] if luck < w.arrive_chance else max(0.0, r.coming_kg[v] - w.hold_up_kg[v])
    r.coming_kg[v] -= arrives_kg
    r.held_kg[v] += arrives_kg
    if row.weir_kg < NO_WEIR_KG and r.held_kg[v] > row.weir_kg and v != r.blocked_vessel:
        r.coming_kg[v + 1] += r.held_kg[v] - row.weir_kg
        r.held_kg[v] = row.weir_kg
    r.highest_kg[v] = max(r.highest_kg[v], r.held_kg[v])
    if r.tick // w.drain_ticks % 3 != 0:
        r.held_kg[v] = max(0.0, r.held_kg[v] - w.drain_kg_s[v] * step_s)


@kernel
def judge(p: Record, w: Record, r: Record) -> None:
    """The least room left at any lip if all that nothing can stop came this instant; what has none is spilled."""
    over_kg = 0.0
    for v in range(p.n_vessels):
        row = p.vessels[v]
        most_kg = may_still_come_kg(w, r, v) + over_kg
        over_kg = 0.0
        if row.weir_kg < NO_WEIR_KG and v != r.blocked_vessel:
            over_kg = max(0.0, most_kg - row.weir_kg)
            most_kg = min(most_kg, row.weir_kg)
        margin_kg = row.capacity_kg - most_kg
        r.least_margin_kg = min(r.least_margin_kg, margin_kg)
        if margin_kg < 0.0:
            if r.spilled_tick < 0:
                r.spilled_tick = r.tick
                r.spilled_vessel = v
            r.spilled_kg -= margin_kg
            arrive(p, r, v)


@kernel
def arrive(p: Record, r: Record, v: int) -> None:
    """All that was still to come into vessel v has come, and it stands at its lip."""
    for u in range(v + 1):
        r.held_kg[u] = min(p.vessels[u].weir_kg, r.held_kg[u] + r.coming_kg[u])
        r.coming_kg[u] = 0.0
        r.surprised[u] = 1
    r.held_kg[v] = p.vessels[v].capacity_kg


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
