"""The game: look, wish, let the guard decide, write, strike at the worst moment, flow in finer steps, and spill if so.

All compiled, by numba or (`necessity`) by a C compiler from the same text. Neighbours: `world` draws, `strikes` breaks
things, `flow` is the physics, `campaign` counts. Must not know how the guard decides.
"""

from pod_controller.kernels.commit import commit
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import SHARED, Record, Table
from pod_controller.kernels.shed import shed
from sim_hardware.attack.flow import chance, flow
from sim_hardware.attack.strikes import strike_or_mend

BAD = 2
SAVED_UP_TICKS = 30


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
        f.content_kg[c] = r.light_kg if c == r.light_chute else r.seen_content_kg[c] + w.content_bias_kg[c]
        f.content_ns[c] = r.sampled_ns
        f.content_quality[c] = BAD if r.weightless != 0 else 0
        f.high_on[c] = 0 if c == r.low_chute else r.seen_high[c]
        f.high_ns[c] = r.sampled_ns


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
            if w.stops_draining != 0 and r.struck != 0 and p.flows[f].source == r.target:
                runs = False
            wish.open_frac[p.flows[f].element] = 1.0 if runs else 0.0
            continue
        if r.content_kg[c] >= w.fill_from_frac * p.chutes[c].capacity_kg:
            r.emptying[c] = 1
        elif r.content_kg[c] <= w.fill_to_frac * p.chutes[c].capacity_kg:
            r.emptying[c] = 0
        if r.light_chute >= 0 and r.stick_tick >= 0:  # a full one that seems empty beside empty ones
            r.emptying[c] = 1
            if c == r.light_chute and r.stick_tick - r.tick > SAVED_UP_TICKS:
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
