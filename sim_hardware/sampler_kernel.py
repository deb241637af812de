"""What a report keeps of every tick, compiled: extremes, openings and rules by interval, and what happened when.

One `look` serves every tier: it reads the controller's records and the plant's, and writes only SAMPLES, so that a run
that is looked at takes the same decisions as one that is not. Extremes are taken over every look, whatever the length
of an interval; the fast tier looks every few ticks, and a vessel's new record, which the plant keeps itself, is taken
in from between two looks: no spike is lost.

Neighbours: `sampler` makes the tables and reads them, `tier_a` runs `run_ticks_seen` in the place of `run_ticks`. Must
not know pages. In signatures t is the tuple of tables of `sampler.Samples`.
"""

import numpy as np

from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.records import MAX_ELEMENTS, MAX_VESSELS
from pod_controller.kernels.rules import FEED_FREE, NOT_WISHED
from sim_hardware.fast_tier.loop import run_ticks
from sim_hardware.plant_records import GAS_FLOW, MAX_CHUTES, SIGNALS, VESSELS, Row, Table
from sim_hardware.signals import true_value

# Channels: quantities of which each interval keeps the least and the greatest.
CONTENT = 0  # + vessel of the plant: what is really in it
CHUTE_BOUND = CONTENT + VESSELS  # + chute: the most the guard reckons it may hold
BOUND = CHUTE_BOUND + MAX_CHUTES  # + vessel of the controller
OTHERS = BOUND + MAX_VESSELS  # + signal - GAS_FLOW: gas, light, oxygen, temperatures
DIGESTER = OTHERS + SIGNALS - GAS_FLOW  # what the controller believes of it and allows, and the truth
FOS_TAC, RISK, FEED_CAP, FEED_RULE, TRUE_FOS_TAC = range(DIGESTER, DIGESTER + 5)  # the cap in kg/s, if any
CHANNELS = DIGESTER + 5

# Accounts: running sums at the beginning of each interval, and at the end of the run.
ARRIVED = 0  # + chute
REFUSED = ARRIVED + MAX_CHUTES
SPILLED = REFUSED + MAX_CHUTES  # + vessel of the plant
PROCESSED = SPILLED + VESSELS
ACCOUNTS = PROCESSED + 1

# Kinds of what happened; index is a vessel of the controller, of the plant for SPILL, the rule for FEED.
MODE, FLOAT, FULL, SPILL, FEED = 0, 1, 2, 3, 4
STOPPED, EXECUTE, SUSPENDED = 0, 2, 3  # in the order of modes.State
SPILL_GAP_NS = 600 * 1_000_000_000  # a spill that goes on after less than this is the same one
SHUT, OPEN, UNSEEN = 0, 1, 2
BAD = 2

# How far a sampler has come, what it saw last, and the interval being filled.
HEAD = np.dtype(
    (
        np.record,
        np.dtype(
            [
                ("interval_ns", "i8"),
                ("intervals", "i8"),
                ("interval", "i8"),  # the one being filled, -1 before the first
                ("tick_ns", "i8"),
                ("every", "i8"),  # the fast tier looks at every so many ticks
                ("ticks", "i8"),  # passed in it at the last look
                ("happened", "i8"),  # rows of HAPPENING in use
                ("lost", "i8"),  # and those for which there was no room
                ("mode", "i8"),
                ("feed_rule", "i8"),
                ("float_on", "i8", (MAX_VESSELS,)),
                ("full", "i8", (MAX_VESSELS,)),
                ("most_kg", "f8", (VESSELS,)),  # records before it
                ("spilled_kg", "f8", (VESSELS,)),
                ("spilled_ns", "i8", (VESSELS,)),
                ("low", "f8", (CHANNELS,)),
                ("high", "f8", (CHANNELS,)),
                ("shown", "i8", (MAX_ELEMENTS,)),  # SHUT, OPEN or UNSEEN
                ("shown_tick", "i8", (MAX_ELEMENTS,)),  # since this look of the interval
                ("rule", "i8", (MAX_ELEMENTS,)),
                ("rule_tick", "i8", (MAX_ELEMENTS,)),
            ],
            align=True,
        ),
    )
)
HAPPENING = np.dtype(
    (np.record, np.dtype([("at_ns", "i8"), ("kind", "i8"), ("index", "i8"), ("on", "i8")], align=True))
)


@kernel
def run_ticks_seen(core: Row, hardware: Row, counts: Table, trace: Row, t: Row) -> None:
    """`fast_tier.loop.run_ticks` to until_tick, or until the trace is full, with a look every few ticks."""
    r = counts[0]
    end_tick = r.until_tick
    every = t.head[0].every
    while r.tick < end_tick and r.traced < len(trace.ticks):
        r.until_tick = min(end_tick, r.tick + every)
        run_ticks(core, hardware, counts, trace)
        mode = mode_of(core.plant[0], core.state[0], core.frame[0])
        look(t, core, hardware.params, hardware.pod, core.frame[0].now_ns, mode)
    r.until_tick = end_tick


@kernel
def mode_of(p: Row, s: Row, f: Row) -> int:
    """The pod's state as the loop of the fast tier has it: no person holds it, nothing aborts it."""
    if f.execute == 0:
        return STOPPED
    for v in range(p.n_vessels):
        if s.blind_s[v] > p.vessels[v].stale_s:
            return SUSPENDED
    return EXECUTE


@kernel
def look(t: Row, core: Row, params: Table, pod: Table, now_ns: int, mode: int) -> None:
    """One tick. core: a tuple with the tables plant, state, frame, permit; now_ns since the start of the run.

    Tuples of tables are handed on only when something changed: counting references to them is dear.
    """
    h = t.head[0]
    p = core.plant[0]
    s = pod[0]
    interval = max(0, min(now_ns // h.interval_ns, h.intervals - 1))
    if interval != h.interval:
        turn(t, p, s, interval)
    h.ticks = min(now_ns - interval * h.interval_ns, h.interval_ns) // h.tick_ns
    widen_all(h, p, core.state[0], params[0], s)
    changed = h.mode != mode
    changed |= elements_changed(h, p, core.frame[0], core.permit[0])
    changed |= vessels_changed(h, p, core.state[0], core.frame[0], s)
    if changed:
        look_at_elements(t, p, core.frame[0], core.permit[0])
        look_for_changes(t, p, core.state[0], core.frame[0], now_ns, mode)
        look_for_spills(t, s, now_ns)


@small_kernel
def widen_all(h: Row, p: Row, state: Row, params: Row, s: Row) -> None:
    """The extremes of every channel take in this tick."""
    for v in range(MAX_CHUTES, VESSELS):
        widen(h, CONTENT + v, s.content_kg[v])
    for c in range(p.n_chutes):
        widen(h, CONTENT + c, s.content_kg[c])
        widen(h, CHUTE_BOUND + c, state.content_bound_kg[c])
    for v in range(p.n_vessels):
        widen(h, BOUND + v, state.bound_kg[v])
    for k in range(SIGNALS - GAS_FLOW):
        widen(h, OTHERS + k, true_value(params, s, GAS_FLOW + k))
    if p.digestion.present != 0 and state.feed_rule != NOT_WISHED:
        if state.unseen_s < p.digestion.carried_s:
            widen(h, FOS_TAC, state.fos_tac_ratio)
            widen(h, RISK, state.risk_ratio)
        if state.feed_rule != FEED_FREE:
            widen(h, FEED_CAP, state.feed_cap_kg_s)
        widen(h, FEED_RULE, float(state.feed_rule))
    if params.biology.period_ns > 0:
        widen(h, TRUE_FOS_TAC, s.biology.fos_tac_ratio)


@small_kernel
def widen(h: Row, channel: int, value: float) -> None:
    """The extremes of one channel take in what was found."""
    h.low[channel] = min(h.low[channel], value)
    h.high[channel] = max(h.high[channel], value)


@small_kernel
def shown_of(f: Row, e: int) -> int:
    """Element e by feedback."""
    return UNSEEN if f.position_quality[e] == BAD else OPEN if f.position_frac[e] > 0.0 else SHUT


@small_kernel
def elements_changed(h: Row, p: Row, f: Row, g: Row) -> bool:
    """True if a feedback or a rule is not what it was."""
    changed = False
    for e in range(p.n_elements):
        changed |= shown_of(f, e) != h.shown[e]
        changed |= g.rule[e] != h.rule[e]
    return changed


@small_kernel
def vessels_changed(h: Row, p: Row, state: Row, f: Row, s: Row) -> bool:
    """True if a float, a vessel that counts as full, or a spill is not what it was."""
    changed = False
    if state.feed_rule != h.feed_rule:
        changed = True
    for v in range(p.n_vessels):
        changed |= f.float_on[v] != h.float_on[v]
        changed |= state.full[v] != h.full[v]
    for v in range(MAX_CHUTES, VESSELS):
        changed |= s.spilled_kg[v] != h.spilled_kg[v]
    for c in range(p.n_chutes):
        changed |= s.spilled_kg[c] != h.spilled_kg[c]
    return changed


@kernel
def turn(t: Row, p: Row, s: Row, interval: int) -> None:
    """Put the interval away and begin another; p and s are the controller's plant and the hardware's POD."""
    h = t.head[0]
    if h.interval >= 0:
        put_away(t, p, s, h.interval_ns // h.tick_ns)
    h.interval = interval
    for k in range(CHANNELS):
        h.low[k] = np.inf
        h.high[k] = -np.inf
    for e in range(p.n_elements):
        h.shown_tick[e] = 0
        h.rule_tick[e] = 0
    book(t.accounts[interval], s)


@kernel
def put_away(t: Row, p: Row, s: Row, ticks: int) -> None:
    """The interval being filled, which was that many ticks long, into its rows."""
    h = t.head[0]
    i = h.interval
    t.ticks[i] = ticks
    for v in range(VESSELS):
        if s.most_kg[v] > h.most_kg[v]:
            h.most_kg[v] = s.most_kg[v]
            h.high[CONTENT + v] = max(h.high[CONTENT + v], s.most_kg[v])
    for k in range(CHANNELS):
        t.low[i, k] = h.low[k]
        t.high[i, k] = h.high[k]
    for e in range(p.n_elements):
        t.shown_ticks[i, e, h.shown[e]] += ticks - h.shown_tick[e]
        t.rule_ticks[i, e, t.rule_slot[h.rule[e]]] += ticks - h.rule_tick[e]


@kernel
def look_at_elements(t: Row, p: Row, f: Row, g: Row) -> None:
    """How long each element was shown shut, open or not at all until now, and under which rule."""
    h = t.head[0]
    for e in range(p.n_elements):
        shown = shown_of(f, e)
        if shown != h.shown[e]:
            t.shown_ticks[h.interval, e, h.shown[e]] += h.ticks - h.shown_tick[e]
            h.shown[e] = shown
            h.shown_tick[e] = h.ticks
        if g.rule[e] != h.rule[e]:
            t.rule_ticks[h.interval, e, t.rule_slot[h.rule[e]]] += h.ticks - h.rule_tick[e]
            h.rule[e] = g.rule[e]
            h.rule_tick[e] = h.ticks


@kernel
def look_for_changes(t: Row, p: Row, state: Row, f: Row, now_ns: int, mode: int) -> None:
    """State of the pod, rule of the feed, floats, vessels that count as full."""
    h = t.head[0]
    if mode != h.mode:
        h.mode = mode
        happen(t, now_ns, MODE, 0, mode)
    if state.feed_rule != h.feed_rule:
        if h.feed_rule != NOT_WISHED or state.feed_rule != FEED_FREE:
            happen(t, now_ns, FEED, state.feed_rule, 0 if state.feed_rule == FEED_FREE else 1)
        h.feed_rule = state.feed_rule
    for v in range(p.n_vessels):
        if f.float_on[v] != h.float_on[v]:
            h.float_on[v] = f.float_on[v]
            if p.vessels[v].has_float != 0:
                happen(t, now_ns, FLOAT, v, f.float_on[v])
        if state.full[v] != h.full[v]:
            h.full[v] = state.full[v]
            happen(t, now_ns, FULL, v, state.full[v])


@kernel
def look_for_spills(t: Row, s: Row, now_ns: int) -> None:
    """Vessels that begin to spill."""
    h = t.head[0]
    for v in range(VESSELS):
        if s.spilled_kg[v] != h.spilled_kg[v]:
            if now_ns - h.spilled_ns[v] > SPILL_GAP_NS:
                happen(t, now_ns, SPILL, v, 1)
            h.spilled_kg[v] = s.spilled_kg[v]
            h.spilled_ns[v] = now_ns


@kernel
def happen(t: Row, now_ns: int, kind: int, index: int, on: int) -> None:
    """Note it, if there is room."""
    h = t.head[0]
    if h.happened >= len(t.happenings):
        h.lost += 1
        return
    row = t.happenings[h.happened]
    row.at_ns = now_ns
    row.kind = kind
    row.index = index
    row.on = on
    h.happened += 1


@kernel
def book(account: Table, s: Row) -> None:
    """The running sums as they are now."""
    for c in range(MAX_CHUTES):
        account[ARRIVED + c] = s.arrived_kg[c]
        account[REFUSED + c] = s.refused_kg[c]
    for v in range(VESSELS):
        account[SPILLED + v] = s.spilled_kg[v]
    account[PROCESSED] = s.processed_kg
