"""What an adversary breaks, and how it is mended: elements that stick, sensors that lie or fall silent, lost writes.

Each kind of fault once, aimed at a vessel. Neighbours: `strikes` says when. Must not know how the guard decides.
"""

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import LID as LID_ROLE
from pod_controller.kernels.records import Record
from sim_hardware.attack.flow import chance
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
    SWITCH,
    WEIGHT,
    WEIGHTLESS,
    WEIR,
)


@kernel
def chosen(r: Record, wanted_frac: float) -> float:
    """What the world has settled, or a chance if it has not."""
    luck = chance(r)
    return wanted_frac if wanted_frac >= 0.0 else luck


@kernel
def surprise(w: Record, r: Record, v: int) -> None:
    """What nothing can stop begins to come, in this vessel and from above it, whatever else is stuck."""
    if r.surprised[v] == 0:
        r.surprised[v] = 1
        r.surging_kg[v] = w.psi_kg[v]
        r.stepping_kg[v] = w.over_weir_kg[v]


@kernel
def find_pours(p: Record, r: Record) -> None:
    """The flows in whose way nothing healthy stands now."""
    r.n_pours = 0
    for f in range(p.n_flows):
        intake = p.intakes[p.flows[f].intake]
        pours = r.stuck[p.flows[f].element]
        for k in range(intake.n_shared):
            pours = min(pours, r.stuck[intake.shared[k]])
        r.pours[f] = pours
        r.n_pours += pours


@kernel
def source_kg(p: Record, r: Record, f: int) -> float:
    """What stands behind flow f, and may still come there by itself."""
    if p.flows[f].chute >= 0:
        return float(r.content_kg[p.flows[f].chute])
    return float(r.total_kg[p.flows[f].source]) if p.flows[f].source >= 0 else 1e30


@kernel
def worst_element(p: Record, w: Record, r: Record, permit: Record, v: int) -> int:
    """The element to stick: behind the most that leads to v and is open now; sometimes one in series, or any."""
    aim = chosen(r, w.aim)
    if r.light_chute >= 0 and aim < 0.7:
        return int(p.chutes[r.light_chute].gate)
    worst = p.flows[int(0.999 * aim * p.n_flows)].element
    if aim > 0.8:
        return int(worst)
    most_kg = 0.0
    for f in range(p.n_flows):
        flow = p.flows[f]
        intake = p.intakes[flow.intake]
        open_frac = max(r.at_frac[flow.element], permit.grant_frac[flow.element])
        behind_kg = intake.reach_ratio[v] * source_kg(p, r, f)
        if open_frac > 0.0 and behind_kg > most_kg:
            most_kg = behind_kg
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
    else:
        confuse_chute(p, w, r, kind, aim, lie)
    if kind == WEIR:
        r.blocked_vessel = v if w.below[v] >= 0 else above(p, w, v)


@kernel
def confuse_chute(p: Record, w: Record, r: Record, kind: int, aim_frac: float, lie_frac: float) -> None:
    """Faults of what is seen of chutes; and of a lid, which is beyond the promise."""
    if kind == WEIGHTLESS:
        r.weightless = 1
    elif kind == WEIGHT:
        r.light_chute = gate_at_fault(p, r, int(0.999 * aim_frac * p.n_chutes))
        r.light_kg = 0.0 if lie_frac < 0.7 else (lie_frac - 0.7) * r.content_kg[r.light_chute]
    elif kind == SWITCH:
        r.low_chute = r.light_chute if r.light_chute >= 0 else int(0.999 * aim_frac * p.n_chutes)
    elif kind == LID:
        r.stuck[p.chutes[int(0.999 * aim_frac * p.n_chutes)].lid] = 1


@kernel
def gate_at_fault(p: Record, r: Record, c: int) -> int:
    """A chute whose gate lies or is the fullest that is open, else c: there a weight matters most."""
    most_kg = 0.0
    for k in range(p.n_chutes):
        gate = p.chutes[k].gate
        if gate == r.lying_element:
            return int(k)
        if r.at_frac[gate] > 0.0 and r.content_kg[k] > most_kg:
            most_kg = r.content_kg[k]
            c = k
    return int(c)


@kernel
def above(p: Record, w: Record, v: int) -> int:
    """A vessel that overflows into v; -1 if none does."""
    for u in range(p.n_vessels):
        if w.below[u] == v:
            return int(u)
    return -1


@kernel
def mend(p: Record, w: Record, r: Record) -> None:
    """All is well again, for a while."""
    for e in range(p.n_elements):
        r.stuck[e] = 0
    find_pours(p, r)
    r.lying_element = -1
    r.lost_module = -1
    r.liar_vessel = -1
    r.liars = 0
    r.blind_vessel = -1
    r.dead_vessel = -1
    r.mute = 0
    r.weightless = 0
    r.light_chute = -1
    r.low_chute = -1
    r.blocked_vessel = -1
    r.struck = 0
    r.until_tick = r.tick + w.rest_ticks
