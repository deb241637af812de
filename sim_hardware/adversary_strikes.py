"""When and what an adversary breaks: it sees everything, strikes, waits until it is mended, and strikes again.

A random one strikes as soon as it may; a greedy one when what could still arrive in some vessel is near the most that
it has ever seen. Neighbours: `adversary_play` calls. Must not know how the guard decides.
"""

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import LID, Record
from sim_hardware.adversary_world import BLIND, FROZEN, GAP, GREEDY, JAM, LIAR, LOST_WRITES, LYING_POSITION


@kernel
def chance(r: Record) -> float:
    """The next number in 0..1 (a linear congruential generator, so that both backends draw alike)."""
    r.draw = (r.draw * 1103515245 + 12345) % 2147483648
    return float(r.draw // 1024) / 2097152.0


@kernel
def strike_or_mend(p: Record, w: Record, r: Record, permit: Record) -> None:
    """Break two things, or mend what is broken when its time is over."""
    if r.struck != 0:
        if r.tick >= r.until_tick:
            mend(p, w, r)
        return
    vessel = -1
    best = 0.0
    for v in range(p.n_vessels):
        threat = threat_share(p, w, r, permit, v)
        if threat > best:
            best = threat
            vessel = v
    if not recovered(p, r):
        return
    promising = best >= 0.97 * min(r.promised, 1.0)
    r.promised = max(0.9999 * r.promised, best)
    if r.tick < r.until_tick or vessel < 0:
        return
    if w.strategy == GREEDY and not promising:
        return
    if w.strategy != GREEDY and chance(r) > 0.02:
        return
    r.struck = 1
    r.strikes += 1
    r.until_tick = r.tick + w.episode_ticks
    for v in range(p.n_vessels):
        r.at_strike_kg[v] = r.held_kg[v] + r.coming_kg[v]
        r.recovered[v] = 0
    strike(p, w, r, permit, w.one, vessel)
    strike(p, w, r, permit, w.other, vessel)
    surprise(p, r, vessel)


@kernel
def recovered(p: Record, r: Record) -> bool:
    """True once every vessel has been seen well below where it stood at the last strike.

    The promise is about one open part: a second one before what the first let through has been drawn off is two.
    """
    all_well = True
    for v in range(p.n_vessels):
        if r.held_kg[v] + r.coming_kg[v] <= 0.7 * r.at_strike_kg[v]:
            r.recovered[v] = 1
        if r.recovered[v] == 0:
            all_well = False
    return all_well


@kernel
def threat_share(p: Record, w: Record, r: Record, permit: Record, v: int) -> float:
    """How full vessel v would get if everything that is open stayed so for its lease, and the worst source emptied."""
    kg = r.held_kg[v] + r.coming_kg[v]
    worst_kg = 0.0
    for f in range(p.n_flows):
        flow = p.flows[f]
        reach = p.intakes[flow.intake].reach_ratio[v]
        open_frac = max(r.at_frac[flow.element], permit.grant_frac[flow.element])
        if reach > 0.0 and open_frac > 0.0:
            e = flow.element
            kg += reach * flow.rate_kg_s * open_frac * (w.lease_s[e] + w.close_s[e] / 2.0)
            worst_kg = max(worst_kg, source_kg(p, r, f))
    return float((kg + worst_kg) / p.vessels[v].capacity_kg)


@kernel
def source_kg(p: Record, r: Record, f: int) -> float:
    """What stands behind flow f."""
    if p.flows[f].chute >= 0:
        return float(r.content_kg[p.flows[f].chute])
    return float(r.held_kg[p.flows[f].source]) if p.flows[f].source >= 0 else 1e30


@kernel
def worst_element(p: Record, r: Record, permit: Record, v: int) -> int:
    """The element to stick: behind the most that leads to v and is open now; sometimes one in series, or any."""
    worst = p.flows[int(chance(r) * p.n_flows)].element
    most_kg = 0.0
    for f in range(p.n_flows):
        flow = p.flows[f]
        intake = p.intakes[flow.intake]
        open_frac = max(r.at_frac[flow.element], permit.grant_frac[flow.element])
        if intake.reach_ratio[v] > 0.0 and open_frac > 0.0 and source_kg(p, r, f) > most_kg:
            most_kg = source_kg(p, r, f)
            worst = flow.element
            if intake.n_shared > 0 and chance(r) < 0.3:
                worst = intake.shared[int(chance(r) * intake.n_shared)]
    return int(worst)


@kernel
def strike(p: Record, w: Record, r: Record, permit: Record, kind: int, v: int) -> None:
    """One fault of this kind, aimed at vessel v."""
    if kind == JAM:
        r.stuck[worst_element(p, r, permit, v)] = 1
    elif kind == FROZEN:
        c = int(chance(r) * p.n_causes)
        for e in range(p.n_elements):
            if p.causes[c].member[e] != 0 and p.elements[e].role != LID:
                r.stuck[e] = 1
    elif kind == LYING_POSITION:
        r.lying_element = worst_element(p, r, permit, v)
    elif kind == LOST_WRITES:
        r.lost_module = 99 if chance(r) < 0.6 else int(chance(r) * 3.0)
    elif kind == LIAR:
        r.liar_vessel = v
        r.liar_level = int(chance(r) * p.vessels[v].n_levels)
        r.lie_kg = (2.0 * chance(r) - 1.0) * p.vessels[v].capacity_kg
    elif kind == BLIND:
        r.blind_vessel = v
    elif kind == GAP:
        r.gap_left = w.gap_ticks


@kernel
def surprise(p: Record, r: Record, v: int) -> None:
    """What no inlet can stop (Psi) comes with the strike, once in a run: a vessel without a weir rises at once."""
    if r.surprised[v] == 0 and p.vessels[v].weir_kg > 1e29:
        r.surprised[v] = 1
        r.held_kg[v] += p.vessels[v].psi_kg


@kernel
def mend(p: Record, w: Record, r: Record) -> None:
    """All is well again, for a while."""
    for e in range(p.n_elements):
        r.stuck[e] = 0
    r.lying_element = -1
    r.lost_module = -1
    r.liar_vessel = -1
    r.blind_vessel = -1
    r.struck = 0
    r.until_tick = r.tick + w.rest_ticks
