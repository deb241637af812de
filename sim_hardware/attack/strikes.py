"""When an adversary strikes: it sees everything, breaks something, waits until it is mended, and strikes again.

A random one strikes as soon as it may; a greedy one when what could still arrive in some vessel is near the most that
it has ever seen; an evolved one is a greedy one whose patience, aim, delay and world have been searched for. What lies
or is silent may do so for a while before something sticks open.
Neighbours: `play` calls, `breaks` does it. Must not know how the guard decides.
"""

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import Record
from sim_hardware.attack.breaks import find_pours, mend, source_kg, strike, surprise
from sim_hardware.attack.flow import chance
from sim_hardware.attack.judge import still_to_come_kg
from sim_hardware.attack.kinds import FROZEN, JAM, SECOND_JAM
from sim_hardware.attack.records import RANDOM

PATIENCE_TICKS = 200


@kernel
def strike_or_mend(p: Record, w: Record, r: Record, permit: Record) -> None:
    """Break what the world says, or mend what is broken when its time is over."""
    if r.struck != 0:
        if r.stick_tick >= 0 and r.tick >= r.stick_tick and ripe(p, r, permit) != 0:
            stand_open(p, w, r, permit)
        if r.tick >= r.until_tick:
            mend(p, w, r)
        return
    vessel = most_threatened(p, w, r, permit)
    best = threat_share(p, w, r, permit, vessel)
    if not recovered(p, w, r, permit):
        return
    promising = best >= w.threshold * min(r.promised, 1.0)
    r.promised = max(0.9999 * r.promised, best)
    if r.tick < r.until_tick:
        return
    luck = chance(r)
    if w.strategy == RANDOM:
        promising = luck <= 0.02
    if r.wait_ticks < 0 and not promising:
        return
    if r.wait_ticks < 0:
        r.wait_ticks = w.delay_ticks
    if r.wait_ticks > 0:
        r.wait_ticks -= 1
        return
    strike_now(p, w, r, permit, vessel)


@kernel
def most_threatened(p: Record, w: Record, r: Record, permit: Record) -> int:
    """The vessel that would get fullest, or the one that the world has settled."""
    if w.target >= 0:
        return int(w.target % p.n_vessels)
    vessel = 0
    best = 0.0
    for v in range(p.n_vessels):
        threat = threat_share(p, w, r, permit, v)
        if threat > best:
            best = threat
            vessel = v
    return vessel


@kernel
def strike_now(p: Record, w: Record, r: Record, permit: Record, vessel: int) -> None:
    """All faults of the world, aimed at this vessel: what lies or is silent at once, what stands open then or later."""
    r.wait_ticks = -1
    r.struck = 1
    r.strikes += 1
    r.target = vessel
    r.stick_tick = r.tick + w.lead_ticks
    r.until_tick = r.stick_tick + w.episode_ticks
    if w.lead_ticks > 0:
        r.until_tick += PATIENCE_TICKS
    note_strike(p, w, r)
    for k in range(3):
        if w.faults[k] != JAM and w.faults[k] != FROZEN and w.faults[k] != SECOND_JAM:
            strike(p, w, r, permit, w.faults[k], vessel)
    if w.lead_ticks == 0:
        stand_open(p, w, r, permit)


@kernel
def note_strike(p: Record, w: Record, r: Record) -> None:
    """Remember what each vessel held when it was struck."""
    for v in range(p.n_vessels):
        r.at_strike_kg[v] = still_to_come_kg(w, r, v)
        r.recovered[v] = 0


@kernel
def ripe(p: Record, r: Record, permit: Record) -> int:
    """0 while the gate under a weight that lies is still to be granted; not for ever."""
    if r.light_chute < 0 or r.tick >= r.stick_tick + PATIENCE_TICKS:
        return 1
    return 1 if permit.grant_frac[p.chutes[r.light_chute].gate] > 0.0 else 0


@kernel
def stand_open(p: Record, w: Record, r: Record, permit: Record) -> None:
    """What sticks open does so now, and what nothing can stop comes beside it."""
    r.stick_tick = -1
    r.until_tick = r.tick + w.episode_ticks
    note_strike(p, w, r)
    for k in range(3):
        if w.faults[k] == JAM or w.faults[k] == FROZEN or w.faults[k] == SECOND_JAM:
            strike(p, w, r, permit, w.faults[k], r.target)
    find_pours(p, r)
    if w.surprises != 0:
        for v in range(r.target + 1):
            surprise(w, r, v)


@kernel
def recovered(p: Record, w: Record, r: Record, permit: Record) -> bool:
    """True once every vessel has been seen well below where it stood at the last strike, or is being filled again.

    The promise is about one open part: a second one before what the first let through has been drawn off is two. A
    grant says that the guard has its reserve back; if it has not, that is the adversary's chance.
    """
    all_well = True
    for v in range(p.n_vessels):
        if still_to_come_kg(w, r, v) <= 0.7 * r.at_strike_kg[v] or fed(p, permit, v):
            r.recovered[v] = 1
        if r.recovered[v] == 0:
            all_well = False
    return all_well


@kernel
def fed(p: Record, permit: Record, v: int) -> bool:
    """True if something that leads to vessel v is granted now."""
    for f in range(p.n_flows):
        if p.intakes[p.flows[f].intake].reach_ratio[v] > 0.0 and permit.grant_frac[p.flows[f].element] > 0.0:
            return True
    return False


@kernel
def threat_share(p: Record, w: Record, r: Record, permit: Record, v: int) -> float:
    """How full vessel v would get if everything that is open stayed so for its lease, and one source emptied."""
    kg = r.total_kg[v]
    worst_kg = 0.0
    for f in range(p.n_flows):
        flow = p.flows[f]
        intake = p.intakes[flow.intake]
        reach = intake.reach_ratio[v]
        if reach > 0.0 and (r.at_frac[flow.element] > 0.0 or permit.grant_frac[flow.element] > 0.0):
            behind_kg = source_kg(p, r, f)
            tail_kg = min(behind_kg, passes_kg(w, r, permit, flow.element, flow.rate_kg_s))
            most_kg = behind_kg
            for k in range(intake.n_shared):
                most_kg = min(most_kg, passes_kg(w, r, permit, intake.shared[k], intake.shared_rate_kg_s))
            kg += reach * min(tail_kg, most_kg)
            worst_kg = max(worst_kg, reach * (most_kg - tail_kg))
    kg += worst_kg
    if w.below[v] >= 0:
        kg = min(kg, p.vessels[v].weir_kg)
    return float(kg / p.vessels[v].capacity_kg)


@kernel
def passes_kg(w: Record, r: Record, permit: Record, e: int, rate_kg_s: float) -> float:
    """What element e still lets through if its command is lost now: its lease long as open as it is, and its stroke."""
    open_frac = max(r.at_frac[e], permit.grant_frac[e])
    return float(rate_kg_s * open_frac * (w.lease_s[e] + w.close_s[e] / 2.0))
