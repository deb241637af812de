"""The last word: which of the wished openings may be commanded so that no vessel can go over its lip.

For every vessel and every scenario (nothing stuck, each single element stuck open, each common cause) the sum

    Phi = U + M + Psi + what can still arrive through every inlet if all are told to close now

(`terms`) must stay at or below the vessel's capacity C. Everything starts from the closing move, then room is given
away in the order asked, never more than wished. What cannot be shown to fit stays closed.

Neighbours: `observe` supplied the bounds U and a, `terms` sums, `ways` tells what leads where. Must not know the
regulator, the shedding, or what any vessel is for. In signatures p, s, w, g are the records of PLANT, STATE, WISH,
PERMIT (in `guard` f is FRAME's), and v, e, f, i, c count vessels, elements, flows, intakes, chutes. Source of the
rules: README, "The guard".
"""

from pod_controller.kernels import rules
from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.records import FREE, Record
from pod_controller.kernels.terms import CAUSED, EVERY, JAMMED, lid_most_kg, measure, weigh
from pod_controller.kernels.ways import full_below, leads_to

BISECTIONS = 10  # a positioner's grant is found to a thousandth of its stroke


@kernel
def guard(p: Record, s: Record, f: Record, w: Record, g: Record) -> None:
    """Turn a wish of any bits into a permit: the permit and STATE's sums are written."""
    close_everything(p, s, g)
    if f.execute != 1:
        measure(p, s, EVERY)
        weigh(p, s)
        accept(p, s)
        for e in range(p.n_elements):
            g.rule[e] = rules.NOT_EXECUTE
        return
    # Phi rises with every opening: if all that is asked fits together, each of it would have been granted in its turn.
    s.together = 1
    raise_everything(p, s, w, g)
    measure(p, s, EVERY)
    weigh(p, s)
    if everything_fits(p, s):
        accept(p, s)
    else:
        s.together = 0
        close_everything(p, s, g)
        measure(p, s, EVERY)
        weigh(p, s)
        accept(p, s)
        raise_everything(p, s, w, g)
    for e in range(p.n_elements):
        if p.elements[e].role == FREE and w.open_frac[e] >= 1.0:
            g.grant_frac[e] = 1.0
            g.rule[e] = rules.GRANTED


@kernel
def raise_everything(p: Record, s: Record, w: Record, g: Record) -> None:
    """Ask for all that is wished: flows in the order asked, what they share, then lids."""
    for k in range(min(max(w.n_order, 0), p.n_flows)):
        f = w.order[k]
        if f >= 0 and f < p.n_flows:
            raise_flow(p, s, w, g, f)
    for i in range(p.n_intakes):
        raise_shared(p, s, w, g, i)
    for c in range(p.n_chutes):
        raise_lid(p, s, w, g, c)


@kernel
def close_everything(p: Record, s: Record, g: Record) -> None:
    """The closing move: no grant, and each element as far open as one tick of closing leaves it (z)."""
    for e in range(p.n_elements):
        s.asked_frac[e] = opened_frac(p, s, e, 0.0)
        g.grant_frac[e] = 0.0
        g.rule[e] = rules.NOT_WISHED
        g.vessel[e] = -1
        g.scenario[e] = -1
    for c in range(p.n_chutes):
        s.lid_open[c] = 1 if s.locked_ns[c] < 0 else 0


@small_kernel
def opened_frac(p: Record, s: Record, e: int, grant_frac: float) -> float:
    """How far element e is taken to be open if it is commanded to grant_frac (x): never less than closing leaves it.

    It closes only once no older command can be in force: the one to close may be lost.

    A relay that is granted counts as fully open at once: at the next tick nothing speaks against it any more, and what
    fits now must still fit then, or gates near the lip would open and close every other tick.
    """
    closing_frac = max(s.live_frac[e], s.envelope_frac[e] - p.tick_s / p.elements[e].stroke_s)
    return max(closing_frac, grant_frac)


@small_kernel
def refuse(s: Record, g: Record, e: int, rule: int, vessel: int) -> None:
    """Write down why element e, not granted yet, stays shut, and the scenario that binds."""
    g.vessel[e] = vessel
    if rule == rules.LEVEL:
        scenario = s.trial_scenario[vessel]
        g.scenario[e] = scenario
        if scenario >= CAUSED:
            rule = rules.COMMON_CAUSE
        elif scenario >= JAMMED:
            rule = rules.JAM
    g.rule[e] = rule


@small_kernel
def raise_element(p: Record, s: Record, g: Record, e: int, wish_frac: float) -> bool:
    """Give element e the largest opening up to wish_frac that offends no vessel; True if it got any.

    While everything is asked for together it gets its wish, and whoever asked weighs the whole.
    """
    grant_frac = wish_frac
    if s.together != 1:
        grant_frac = fitting_frac(p, s, g, e, wish_frac)
        if grant_frac == 0.0:
            return False
        accept(p, s)
    else:
        s.asked_frac[e] = opened_frac(p, s, e, wish_frac)
    g.grant_frac[e] = grant_frac
    g.rule[e] = rules.GRANTED
    return True


@kernel
def fitting_frac(p: Record, s: Record, g: Record, e: int, wish_frac: float) -> float:
    """The largest opening up to wish_frac that offends no vessel, then under test; 0 and a reason if there is none."""
    over = offended_by(p, s, e, opened_frac(p, s, e, wish_frac))
    if over < 0:
        return wish_frac
    refuse(s, g, e, rules.LEVEL, over)
    grant_frac = 0.0
    if p.elements[e].positioner != 0:
        grant_frac = largest_fitting_frac(p, s, e, wish_frac)
    s.asked_frac[e] = opened_frac(p, s, e, grant_frac)
    measure(p, s, e)
    if grant_frac > 0.0:
        weigh(p, s)
    return grant_frac


@kernel
def largest_fitting_frac(p: Record, s: Record, e: int, wish_frac: float) -> float:
    """By halving: Phi rises with the opening, and what is returned has itself been tested (0 if nothing fits)."""
    fits_frac = 0.0
    fails_frac = wish_frac
    for _ in range(BISECTIONS):
        middle_frac = (fits_frac + fails_frac) / 2.0
        if offended_by(p, s, e, opened_frac(p, s, e, middle_frac)) < 0:
            fits_frac = middle_frac
        else:
            fails_frac = middle_frac
    return fits_frac


@kernel
def offended_by(p: Record, s: Record, e: int, open_frac: float) -> int:
    """Put element e to the test at this opening: the vessel that it offends, -1 if none."""
    s.asked_frac[e] = open_frac
    measure(p, s, e)
    weigh(p, s)
    return offended(p, s, e)


@small_kernel
def holdable_frac(p: Record, g: Record, e: int, wish_frac: float) -> float:
    """What of a wish the actuator can hold: a relay all or nothing, NaN nothing; writes the rule if nothing."""
    if not wish_frac > 0.0:
        return 0.0
    if p.elements[e].positioner != 0:
        return min(wish_frac, 1.0)
    if wish_frac >= 1.0:
        return 1.0
    g.rule[e] = rules.RELAY_PART_OPEN
    return 0.0


@kernel
def raise_flow(p: Record, s: Record, w: Record, g: Record, f: int) -> None:
    """Open flow f's own element as far as wished and safe, the elements it shares first; the airlock before all."""
    flow = p.flows[f]
    e = flow.element
    wish_frac = holdable_frac(p, g, e, w.open_frac[e])
    if wish_frac == 0.0 or g.rule[e] == rules.GRANTED:
        return
    full = full_below(p, s, flow.intake)
    if full >= 0:
        refuse(s, g, e, rules.VESSEL_FULL, full)
        return
    if flow.chute >= 0 and s.locked_ns[flow.chute] < 0:
        refuse(s, g, e, rules.GATE_NEEDS_LOCKED_LID, -1)
        return
    raise_shared(p, s, w, g, flow.intake)
    raise_element(p, s, g, e, wish_frac)


@small_kernel
def raise_shared(p: Record, s: Record, w: Record, g: Record, i: int) -> None:
    """Open what stands in series behind intake i's flows, as wished and safe."""
    full = full_below(p, s, i)
    for k in range(p.intakes[i].n_shared):
        e = p.intakes[i].shared[k]
        wish_frac = holdable_frac(p, g, e, w.open_frac[e])
        if wish_frac == 0.0 or g.rule[e] == rules.GRANTED:
            continue
        if full >= 0:
            refuse(s, g, e, rules.VESSEL_FULL, full)
        else:
            raise_element(p, s, g, e, wish_frac)


@kernel
def raise_lid(p: Record, s: Record, w: Record, g: Record, c: int) -> None:
    """Unlock lid c if wished, its gate is proved shut, the chute has room, and a jammed gate would still be safe."""
    chute = p.chutes[c]
    e = chute.lid
    if holdable_frac(p, g, e, w.open_frac[e]) == 0.0:
        return
    if s.proved_shut[chute.gate] == 0 or g.grant_frac[chute.gate] > 0.0:
        refuse(s, g, e, rules.LID_NEEDS_SHUT_GATE, -1)
        return
    if not s.content_bound_kg[c] + lid_most_kg(p, s, c) <= chute.capacity_kg:
        refuse(s, g, e, rules.CHUTE_ROOM, -1)
        return
    kept = s.lid_open[c]
    s.lid_open[c] = 1
    if not raise_element(p, s, g, e, 1.0):
        s.lid_open[c] = kept


@small_kernel
def everything_fits(p: Record, s: Record) -> bool:
    """True if the openings under test leave every vessel within its capacity."""
    for v in range(p.n_vessels):
        if not s.trial_kg[v] <= p.vessels[v].capacity_kg:
            return False
    return True


@small_kernel
def offended(p: Record, s: Record, e: int) -> int:
    """The vessel most over its capacity because of element e; -1 if none.

    A vessel that e leads to must fit; any other may stand over its capacity already, but not be put further over it.
    """
    worst = -1
    worst_kg = 0.0
    for v in range(p.n_vessels):
        over_kg = s.trial_kg[v] - p.vessels[v].capacity_kg
        if over_kg <= worst_kg:
            continue
        leads = s.trial_kg[v] > s.phi_kg[v]
        if not leads:
            leads = leads_to(p, s, e, v)
        if not leads:
            continue
        worst = v
        worst_kg = over_kg
    return worst


@small_kernel
def accept(p: Record, s: Record) -> None:
    """Make the openings under test the permitted ones."""
    for v in range(p.n_vessels):
        s.phi_kg[v] = s.trial_kg[v]
        s.phi_scenario[v] = s.trial_scenario[v]
