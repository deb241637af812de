"""When and what an adversary breaks: it sees everything, strikes, waits until it is mended, and strikes again.

A random one strikes as soon as it may; a greedy one when what could still arrive in some vessel is near the most that
it has ever seen; an evolved one is a greedy one whose patience, aim, delay and world have been searched for.
Neighbours: `play` calls. Must not know how the guard decides.
"""

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import LID as LID_ROLE
from pod_controller.kernels.records import Record
from sim_hardware.attack.kinds import (
    BLIND,
    DEAD,
    FROZEN,
    GAP,
    JAM,
    LIAR,
    LID,
    LOST_WRITES,
    LYING_POSITION,
    MUTE,
    RESTART,
    SECOND_JAM,
    SECOND_LIAR,
    WEIGHT,
    WEIGHTLESS,
    WEIR,
)
from sim_hardware.attack.records import RANDOM


@kernel
def chance(r: Record) -> float:
    """The next number in 0..1 (a linear congruential generator, so that all backends draw alike)."""
    r.draw = (r.draw * 1103515245 + 12345) % 2147483648
    return float(r.draw // 1024) / 2097152.0


@kernel
def chosen(r: Record, wanted_frac: float) -> float:
    """What the world has settled, or a chance if it has not."""
    luck = chance(r)
    return wanted_frac if wanted_frac >= 0.0 else luck


@kernel
def may_still_come_kg(w: Record, r: Record, v: int) -> float:
    """What vessel v holds, with its hold-up on the way and its Psi if that has not come yet."""
    return float(r.held_kg[v] + r.coming_kg[v] + (0.0 if r.surprised[v] != 0 else w.psi_kg[v]))


@kernel
def strike_or_mend(p: Record, w: Record, r: Record, permit: Record) -> None:
    """Break what the world says, or mend what is broken when its time is over."""
    if r.struck != 0:
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
    """The vessel that would get fullest."""
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
    """All faults of the world at once, aimed at this vessel."""
    r.wait_ticks = -1
    r.struck = 1
    r.strikes += 1
    r.until_tick = r.tick + w.episode_ticks
    for v in range(p.n_vessels):
        r.at_strike_kg[v] = may_still_come_kg(w, r, v)
        r.recovered[v] = 0
    for k in range(3):
        strike(p, w, r, permit, w.faults[k], vessel)
    if w.surprises != 0 and r.surprised[vessel] == 0:
        r.surprised[vessel] = 1
        r.held_kg[vessel] += w.psi_kg[vessel]


@kernel
def recovered(p: Record, w: Record, r: Record, permit: Record) -> bool:
    """True once every vessel has been seen well below where it stood at the last strike, or is being filled again.

    The promise is about one open part: a second one before what the first let through has been drawn off is two. A
    grant says that the guard has its reserve back; if it has not, that is the adversary's chance.
    """
    all_well = True
    for v in range(p.n_vessels):
        if may_still_come_kg(w, r, v) <= 0.7 * r.at_strike_kg[v] or fed(p, permit, v):
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
    """How full vessel v would get if everything that is open stayed so for its lease, and the worst source emptied."""
    kg = may_still_come_kg(w, r, v)
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
def worst_element(p: Record, w: Record, r: Record, permit: Record, v: int) -> int:
    """The element to stick: behind the most that leads to v and is open now; sometimes one in series, or any."""
    aim = chosen(r, w.aim)
    worst = p.flows[int(0.999 * aim * p.n_flows)].element
    if aim > 0.8:
        return int(worst)
    most_kg = 0.0
    for f in range(p.n_flows):
        flow = p.flows[f]
        intake = p.intakes[flow.intake]
        open_frac = max(r.at_frac[flow.element], permit.grant_frac[flow.element])
        if intake.reach_ratio[v] > 0.0 and open_frac > 0.0 and source_kg(p, r, f) > most_kg:
            most_kg = source_kg(p, r, f)
            worst = flow.element
            if intake.n_shared > 0 and aim < 0.25:
                worst = intake.shared[int(aim * 4.0 * intake.n_shared)]
    return int(worst)


@kernel
def strike(p: Record, w: Record, r: Record, permit: Record, kind: int, v: int) -> None:
    """One fault of this kind, aimed at vessel v."""
    if kind == JAM:
        stick(p, w, r, permit, v)
    if kind == SECOND_JAM:
        stick(p, w, r, permit, v)
    elif kind == FROZEN:
        freeze(p, w, r)
    elif kind == LYING_POSITION:
        r.lying_element = worst_element(p, w, r, permit, v)
    elif kind == LOST_WRITES:
        reach = chosen(r, w.reach)
        r.lost_module = 99 if reach >= 0.4 else int(reach / 0.4 * 3.0)
    elif kind == GAP:
        r.gap_left = w.gap_ticks
    elif kind == RESTART:
        r.restart = 1
    else:
        confuse(p, w, r, kind, v)


@kernel
def stick(p: Record, w: Record, r: Record, permit: Record, v: int) -> None:
    """The worst element, or if that is stuck already the next one that is open."""
    e = worst_element(p, w, r, permit, v)
    if r.stuck[e] != 0:
        for f in range(p.n_flows):
            other = p.flows[f].element
            if r.stuck[other] == 0 and max(r.at_frac[other], permit.grant_frac[other]) > 0.0:
                e = other
    r.stuck[e] = 1


@kernel
def freeze(p: Record, w: Record, r: Record) -> None:
    """All elements of one common cause, but for lids."""
    if p.n_causes == 0:
        return
    aim = chosen(r, w.aim)
    c = int(0.999 * aim * p.n_causes)
    for e in range(p.n_elements):
        if p.causes[c].member[e] != 0 and p.elements[e].role != LID_ROLE:
            r.stuck[e] = 1


@kernel
def confuse(p: Record, w: Record, r: Record, kind: int, v: int) -> None:
    """Faults of what is seen; and of a lid and a weir, which are beyond the promise."""
    aim = chosen(r, w.aim)
    lie = chosen(r, w.lie)
    if kind == LIAR:
        r.liar_vessel = v
        r.liars = 1
        r.liar_level = int(0.999 * aim * p.vessels[v].n_levels)
        r.lie_kg = (2.0 * lie - 1.0) * p.vessels[v].capacity_kg
    elif kind == SECOND_LIAR:
        r.liars = 2
    elif kind == BLIND:
        r.blind_vessel = v
    elif kind == DEAD:
        r.dead_vessel = v
        r.dead_level = int(0.999 * lie * p.vessels[v].n_levels)
    elif kind == MUTE:
        r.mute = 1
    elif kind == WEIGHTLESS:
        r.weightless = 1
    elif kind == WEIGHT:
        r.light_chute = int(0.999 * aim * p.n_chutes)
    elif kind == LID:
        r.stuck[p.chutes[int(0.999 * aim * p.n_chutes)].lid] = 1
    elif kind == WEIR:
        r.blocked_vessel = v if p.vessels[v].weir_kg < 1e29 else max(0, v - 1)


@kernel
def mend(p: Record, w: Record, r: Record) -> None:
    """All is well again, for a while."""
    for e in range(p.n_elements):
        r.stuck[e] = 0
    r.lying_element = -1
    r.lost_module = -1
    r.liar_vessel = -1
    r.liars = 0
    r.blind_vessel = -1
    r.dead_vessel = -1
    r.mute = 0
    r.weightless = 0
    r.light_chute = -1
    r.blocked_vessel = -1
    r.struck = 0
    r.until_tick = r.tick + w.rest_ticks
