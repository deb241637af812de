"""The compiled loop of tier A: for every tick sample, decide, write, count, trace.

Neighbours: `tier_a` prepares the tables and hashes the trace, `plant` and `field` are the world, `policies` decides.
Must not know scenarios.
"""

from pod_controller.kernels import rules
from pod_controller.kernels.compile import kernel
from sim_hardware.biology.turn import take_turns
from sim_hardware.fast_tier.field import drop_expired, find_expiry, forget_stale, poll, prove, switch, write
from sim_hardware.fast_tier.field_records import Row, Table
from sim_hardware.fast_tier.policies import decide
from sim_hardware.plant import play_record


@kernel
def run_ticks(core: Row, hardware: Row, counts: Table, trace: Row) -> None:
    """Run until until_tick or until the trace is full. core, hardware, trace: the tuples of tables of `tier_a`."""
    r = counts[0]
    while r.tick < r.until_tick and r.traced < len(trace.ticks):
        take_turns(hardware.params[0], hardware.pod[0])
        one_tick(core, hardware, r)
        if r.settling == 0:
            count(core, r)
            note(core, r, trace)
        r.tick += 1


@kernel
def one_tick(core: Row, hardware: Row, r: Row) -> None:
    """Sample on the way to the tick, decide at it, write."""
    b = hardware.field[0]
    f = core.frame[0]
    s = hardware.pod[0]
    now_ns = r.tick * b.tick_ns
    while r.next_edge < len(hardware.edges) and hardware.edges[r.next_edge].at_ns <= now_ns:
        switch(b, hardware.edges[r.next_edge])
        r.next_edge += 1
    sample(b, f, hardware.params[0], s, hardware.events, hardware.faults, r.tick)
    forget_stale(b, f, now_ns)
    prove(b, f, core.plant[0].n_elements)
    f.elapsed_s = (now_ns - f.now_ns) * 1e-9 if r.tick > 0 else 0.0
    f.now_ns = now_ns
    f.execute = 1 if r.tick >= b.arm_ticks and r.settling == 0 else 0
    decide(r.policy, core.plant, core.desk)
    write(b, core.permit[0], s, now_ns)


@kernel
def sample(b: Row, f: Row, p: Row, s: Row, events: Table, faults: Table, tick: int) -> None:
    """Bring the plant to the tick, and on the way ask every device at its line's moment."""
    now_ns = tick * b.tick_ns
    for j in range(b.n_instants):
        if now_ns < b.instant_ns[j]:
            continue
        go_to(b, p, s, events, faults, now_ns - b.instant_ns[j])
        for d in range(b.n_devices):
            if b.instant[d] == j and tick >= b.due_tick[d]:
                b.due_tick[d] = tick + b.period_ticks[d]
                poll(b, f, p, s, d, tick)
    find_expiry(b)
    go_to(b, p, s, events, faults, now_ns)


@kernel
def go_to(b: Row, p: Row, s: Row, events: Table, faults: Table, until_ns: int) -> None:
    """The plant to until_ns, with every watchdog that runs out on the way."""
    while b.expiry_ns <= until_ns:
        expiry_ns = b.expiry_ns
        play_record(p, s, events, faults, expiry_ns)
        drop_expired(b, s, expiry_ns)
    play_record(p, s, events, faults, until_ns)


@kernel
def count(core: Row, r: Row) -> None:
    """Gates kept shut because of a vessel: how often that begins, and how long any of it lasts.

    Waiting for the airlock is the gate's ordinary business and not counted.
    """
    p = core.plant[0]
    g = core.permit[0]
    closed = 0
    for c in range(p.n_chutes):
        rule = g.rule[p.chutes[c].gate]
        refused = 1 if rule >= rules.VESSEL_FULL and rule <= rules.COMMON_CAUSE else 0
        if refused == 1 and r.refused[c] == 0:
            r.closures += 1
        r.refused[c] = refused
        closed = max(closed, refused)
    r.closed_ticks += closed


@kernel
def note(core: Row, r: Row, trace: Row) -> None:
    """Keep the permit if a bit of it differs from the one before."""
    differs = 0
    for w in range(len(core.words)):
        differs |= core.words[w] ^ core.last_words[w]
    if differs == 0:
        return
    trace.ticks[r.traced] = r.tick
    for w in range(len(core.words)):
        core.last_words[w] = core.words[w]
        trace.words[r.traced, w] = core.words[w]
    r.traced += 1
