"""What a permit must satisfy, stated and summed a second time: wish, airlock, room, and the inequality by enumeration.

Shares nothing with the guard but the tables: Phi is summed scenario by scenario (nothing stuck, each element, each
common cause), tails from their definition. Covers plants in which vessels that feed others are fed by chutes only.
All compiled. Neighbours: `grid` sweeps states through it. Must not call anything of the guard.
"""

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import LID, Record
from pod_controller.kernels.rules import COMMON_CAUSE, LEVEL

ROUNDING_KG = 1e-6
STATEMENTS = (
    "none",
    "nothing unless the pod executes",
    "never more than wished, a relay all or nothing",
    "a gate only behind a locked lid",
    "a lid only over a shut gate",
    "a lid only over room for one more bag",
    "nothing into a vessel that counts as full",
    "Phi at or below the capacity in every scenario",
    "nothing is refused that would have fitted",
)


@kernel
def check(p: Record, s: Record, f: Record, w: Record, g: Record) -> int:
    """The number of the statement that this permit breaks; 0 if none."""
    broken = wish_kept(p, f, w, g)
    for c in range(p.n_chutes):
        if broken == 0:
            broken = airlock(p, s, g, c)
    for v in range(p.n_vessels):
        if broken == 0 and granted_to(p, g, v):
            broken = room_kept(p, s, g, v)
    for e in range(p.n_elements):
        for_room = g.rule[e] >= LEVEL and g.rule[e] <= COMMON_CAUSE and p.elements[e].positioner == 0
        if broken == 0 and for_room and p.elements[e].role != LID and fits_after_all(p, s, g, e):
            broken = 8
    return broken


@kernel
def room_kept(p: Record, s: Record, g: Record, v: int) -> int:
    """Nothing into a full vessel; what is granted fits in every scenario."""
    if s.full[v] != 0 and not only_lids(p, g, v):
        return 6
    return 7 if worst_kg(p, s, g, v) > p.vessels[v].capacity_kg + ROUNDING_KG else 0


@kernel
def wish_kept(p: Record, f: Record, w: Record, g: Record) -> int:
    """Nothing unless the pod executes, never more than wished, a relay all or nothing."""
    for e in range(p.n_elements):
        grant_frac = g.grant_frac[e]
        if grant_frac > 0.0 and f.execute != 1:
            return 1
        relay_part = p.elements[e].positioner == 0 and grant_frac > 0.0 and grant_frac < 1.0
        if not (grant_frac >= 0.0 and grant_frac <= 1.0) or relay_part:
            return 2
        if grant_frac > 0.0 and not w.open_frac[e] >= grant_frac:
            return 2
    return 0


@kernel
def fits_after_all(p: Record, s: Record, g: Record, e: int) -> bool:
    """True if a relay refused for want of room could be opened beside all that was granted: refused without need."""
    g.grant_frac[e] = 1.0
    fits = True
    for v in range(p.n_vessels):
        if worst_kg(p, s, g, v) > p.vessels[v].capacity_kg - ROUNDING_KG:
            fits = False
    g.grant_frac[e] = 0.0
    return fits


@kernel
def airlock(p: Record, s: Record, g: Record, c: int) -> int:
    """A gate only behind a locked lid; a lid only over a shut gate, with room for a bag and what passes meanwhile."""
    chute = p.chutes[c]
    if g.grant_frac[chute.gate] > 0.0 and s.locked_ns[c] < 0:
        return 3
    if g.grant_frac[chute.lid] <= 0.0:
        return 0
    if s.proved_shut[chute.gate] != 1 or g.grant_frac[chute.gate] > 0.0:
        return 4
    seconds = s.content_age_s[c] + p.tick_s + p.elements[chute.lid].lease_s + chute.lid_lock_s
    full_kg = s.content_bound_kg[c] + chute.largest_bag_kg + seconds * chute.lid_pass_kg_s
    return 0 if full_kg <= chute.capacity_kg + ROUNDING_KG else 5


@kernel
def granted_to(p: Record, g: Record, v: int) -> bool:
    """True if something granted leads to vessel v."""
    for k in range(p.n_flows):
        flow = p.flows[k]
        intake = p.intakes[flow.intake]
        if intake.reach_ratio[v] <= 0.0:
            continue
        if g.grant_frac[flow.element] > 0.0 or (flow.chute >= 0 and g.grant_frac[p.chutes[flow.chute].lid] > 0.0):
            return True
        for j in range(intake.n_shared):
            if g.grant_frac[intake.shared[j]] > 0.0:
                return True
    return False


@kernel
def only_lids(p: Record, g: Record, v: int) -> bool:
    """True if of what leads to vessel v nothing but lids is granted: they pour into chutes."""
    for k in range(p.n_flows):
        intake = p.intakes[p.flows[k].intake]
        if intake.reach_ratio[v] > 0.0:
            if g.grant_frac[p.flows[k].element] > 0.0:
                return False
            for j in range(intake.n_shared):
                if g.grant_frac[intake.shared[j]] > 0.0:
                    return False
    return True


@kernel
def worst_kg(p: Record, s: Record, g: Record, v: int) -> float:
    """Phi of vessel v in its worst scenario, by going through all of them."""
    worst = 0.0
    for scenario in range(-1, p.n_elements + p.n_causes):
        held_kg = s.bound_kg[v] + p.vessels[v].hold_up_kg + p.vessels[v].psi_kg
        if scenario >= p.n_elements:
            held_kg += p.causes[scenario - p.n_elements].over_kg[v]
        for i in range(p.n_intakes):
            if p.intakes[i].reach_ratio[v] > 0.0:
                held_kg += p.intakes[i].reach_ratio[v] * intake_kg(p, s, g, i, scenario)
                if scenario < p.n_elements and stands_in(p, i, scenario):
                    held_kg += p.intakes[i].over_kg[v]
        worst = max(worst, held_kg)
    return float(worst)


@kernel
def stands_in(p: Record, i: int, e: int) -> bool:
    """True if element e is one of intake i's own or shared elements."""
    intake = p.intakes[i]
    for k in range(intake.n_flows):
        if p.flows[intake.flows[k]].element == e:
            return True
    for k in range(intake.n_shared):  # noqa: SIM110  # kernels have no generators
        if intake.shared[k] == e:
            return True
    return False


@kernel
def is_stuck(p: Record, e: int, scenario: int) -> bool:
    """True if element e stands open in this scenario: -1 none, then elements, then causes."""
    if scenario < p.n_elements:
        return bool(e == scenario)
    return bool(p.causes[scenario - p.n_elements].member[e] != 0)


@kernel
def intake_kg(p: Record, s: Record, g: Record, i: int, scenario: int) -> float:
    """What still passes an intake in one scenario."""
    intake = p.intakes[i]
    kg = 0.0
    for k in range(intake.n_flows):
        f = intake.flows[k]
        stuck_kg = source_kg(p, s, g, f) if is_stuck(p, p.flows[f].element, scenario) else 0.0
        kg += flow_kg(p, s, g, f, stuck_kg)
    return behind_kg(p, s, g, i, scenario, kg)


@kernel
def flow_kg(p: Record, s: Record, g: Record, f: int, stuck_kg: float) -> float:
    """What its own element lets through, or all that stands behind it where it is stuck."""
    return max(element_kg(p, s, g, p.flows[f].element, p.flows[f].rate_kg_s), stuck_kg)


@kernel
def behind_kg(p: Record, s: Record, g: Record, i: int, scenario: int, kg: float) -> float:
    """What of kg the shared elements of an intake let through, those that are not stuck."""
    intake = p.intakes[i]
    for k in range(intake.n_shared):
        if not is_stuck(p, intake.shared[k], scenario):
            kg = min(kg, element_kg(p, s, g, intake.shared[k], intake.shared_rate_kg_s))
    return float(kg)


@kernel
def element_kg(p: Record, s: Record, g: Record, e: int, rate_kg_s: float) -> float:
    """One tick at the most it may be open, then the lease and the stroke."""
    row = p.elements[e]
    asked = max(g.grant_frac[e], s.live_frac[e])
    asked = max(asked, s.envelope_frac[e] - p.tick_s / row.stroke_s)
    tick_kg = rate_kg_s * p.tick_s * max(asked, s.envelope_frac[e])
    if asked <= 0.0:
        return float(tick_kg)
    if row.positioner == 0:
        asked = min(1.0, asked + row.lease_s / row.fast_stroke_s)
    # The stroke's triangle, from half a sampling step further open.
    closing_s = 0.5 * row.stroke_s * (asked + 0.5 * p.tick_s / row.stroke_s) ** 2
    return float(tick_kg + rate_kg_s * (row.lease_s * asked + closing_s))


@kernel
def source_kg(p: Record, s: Record, g: Record, f: int) -> float:
    """All that stands, or can come to stand, behind a flow."""
    flow = p.flows[f]
    if flow.source < 0:
        return outside_kg(p, s, g, f)
    u = flow.source
    held_kg = p.vessels[u].capacity_kg if s.full[u] != 0 else s.bound_kg[u]
    kg = min(held_kg, p.vessels[u].weir_kg) + p.vessels[u].hold_up_kg + p.vessels[u].psi_kg
    for i in range(flow.intake):
        if p.intakes[i].reach_ratio[u] > 0.0:
            most_kg = 0.0
            for scenario in range(-1, p.n_elements + p.n_causes):
                most_kg = max(most_kg, chutes_kg(p, s, g, i, scenario))
            kg += p.intakes[i].reach_ratio[u] * most_kg + p.intakes[i].over_kg[u]
    return float(kg)


@kernel
def chute_kg(p: Record, s: Record, g: Record, c: int) -> float:
    """The weight and its error; a bag and what passes as well, unless nothing has come in and nothing can."""
    chute = p.chutes[c]
    kg = s.content_bound_kg[c]
    if g.grant_frac[chute.lid] > 0.0 or s.locked_ns[c] < 0 or s.sealed[c] == 0:
        lid_s = s.content_age_s[c] + p.tick_s + p.elements[chute.lid].lease_s + chute.lid_lock_s
        kg += chute.largest_bag_kg + chute.lid_pass_kg_s * lid_s
    return float(min(kg, chute.capacity_kg))


@kernel
def outside_kg(p: Record, s: Record, g: Record, f: int) -> float:
    """What stands behind a flow that no vessel feeds: its chute, or a supply without end."""
    return chute_kg(p, s, g, p.flows[f].chute) if p.flows[f].chute >= 0 else 1e30


@kernel
def chutes_kg(p: Record, s: Record, g: Record, i: int, scenario: int) -> float:
    """`intake_kg` for an intake that no vessel feeds (kernels do not call themselves)."""
    intake = p.intakes[i]
    kg = 0.0
    for k in range(intake.n_flows):
        f = intake.flows[k]
        stuck_kg = outside_kg(p, s, g, f) if is_stuck(p, p.flows[f].element, scenario) else 0.0
        kg += flow_kg(p, s, g, f, stuck_kg)
    return behind_kg(p, s, g, i, scenario, kg)
