"""What else a pod could be run by: the same signature as the controller's own decision, to be measured against it.

`open_policy` is the pod as it was at the festival: pumps as ever, gates open, lids unlocked, macerator always running,
no guard. `float_policy` is the float switch of the surge suite: gates shut above 0.90 of the buffer, free again below
0.30, lids by the airlock on the measured content, every other tank without an overflow has a switch near its top, and
nobody does sums.

Neighbours: `tier_a` and `pod` pick one by name. They judge nothing; the plant does.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pod_controller.kernels import rules
from pod_controller.kernels.commit import commit
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.cycle import cycle
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import bound_chute, observe
from pod_controller.kernels.records import Record, Table
from pod_controller.kernels.regulate import regulate
from pod_controller.kernels.shed import shed
from pod_controller.kernels.terms import lid_most_kg

Policy = Callable[[Table, Table], None]

OPEN_BELOW_FRAC = 0.30  # surge suite, [baseline.float_switch]; a test holds them together
SHUT_ABOVE_FRAC = 0.90
TANK_SHUT_FRAC = 0.95  # choice: a level switch near the top of the other tanks
NO_WEIR_KG = 1e29

GUARDED, OPEN, FLOAT, FIXED = 0, 1, 2, 3


@kernel
def open_policy(plant: Table, desk: Table) -> None:
    """Everything that could be open is, every pump runs as wished; called as `cycle`."""
    p = plant[0]
    s = desk[0].state
    w = desk[0].wish
    wish_all(p, s, desk[0].frame, w)
    for c in range(p.n_chutes):
        w.open_frac[p.chutes[c].gate] = 1.0
        w.open_frac[p.chutes[c].lid] = 1.0
    if p.n_chutes > 0:
        intake = p.intakes[p.shedding.intake]
        for k in range(intake.n_shared):
            w.open_frac[intake.shared[k]] = 1.0
    give_all(p, desk[0].frame, w, desk[0].permit)
    commit(p, s, desk[0].permit)


@kernel
def float_policy(plant: Table, desk: Table) -> None:
    """Two switches in the buffer and the airlock; called as `cycle`."""
    p = plant[0]
    s = desk[0].state
    g = desk[0].permit
    wish_all(p, s, desk[0].frame, desk[0].wish)
    shut = buffer_shuts(p, s)
    give_all(p, desk[0].frame, desk[0].wish, g)
    for i in range(p.n_intakes):
        if p.n_chutes > 0 and i == p.shedding.intake:
            continue
        if tank_full(p, s, i):
            for k in range(p.intakes[i].n_flows):
                refuse(g, p.flows[p.intakes[i].flows[k]].element, rules.VESSEL_FULL)
    for c in range(p.n_chutes):
        airlock(p, s, g, c, shut)
    commit(p, s, g)


@kernel
def fixed_policy(plant: Table, desk: Table) -> None:
    """The controller with a guard that takes every chute for full: a jam reserve without load cells, as `cycle`.

    Lids go by the airlock on the weight, as ever: a chute taken for full could never be opened.
    """
    p = plant[0]
    s = desk[0].state
    f = desk[0].frame
    g = desk[0].permit
    wish_all(p, s, f, desk[0].wish)
    for c in range(p.n_chutes):
        s.content_bound_kg[c] = p.chutes[c].capacity_kg
        s.sealed[c] = 0
    guard(p, s, f, desk[0].wish, g)
    for c in range(p.n_chutes):
        bound_chute(p, s, f, c)
        if f.execute == 1 and desk[0].wish.open_frac[p.chutes[c].lid] >= 1.0:
            g.grant_frac[p.chutes[c].lid] = 1.0
            g.rule[p.chutes[c].lid] = rules.GRANTED
        airlock(p, s, g, c, False)
    commit(p, s, g)


@kernel
def wish_all(p: Record, s: Record, f: Record, w: Record) -> None:
    """What the controller itself would wish."""
    observe(p, s, f)
    shed(p, s, f, w)
    regulate(p, s, f, w)


@kernel
def give_all(p: Record, f: Record, w: Record, g: Record) -> None:
    """Every wish is a grant, once a person has started the pod."""
    for e in range(p.n_elements):
        run = f.execute == 1 and w.open_frac[e] >= 1.0
        g.grant_frac[e] = 1.0 if run else 0.0
        g.rule[e] = rules.NOT_EXECUTE if f.execute != 1 else rules.GRANTED if run else rules.NOT_WISHED
        g.vessel[e] = -1
        g.scenario[e] = -1


@kernel
def refuse(g: Record, e: int, rule: int) -> None:
    """Keep element e shut."""
    if g.grant_frac[e] > 0.0:
        g.grant_frac[e] = 0.0
        g.rule[e] = rule


@kernel
def buffer_shuts(p: Record, s: Record) -> bool:
    """The float switch with its hysteresis; what it said a tick ago stands in the gates' rules."""
    if p.regulator.feed_flow < 0:
        return False
    v = p.regulator.vessel
    level_frac = s.level_kg[v] / p.vessels[v].capacity_kg
    if level_frac > SHUT_ABOVE_FRAC:
        return True
    if level_frac < OPEN_BELOW_FRAC:
        return False
    shut = 0
    for c in range(p.n_chutes):
        shut += 1 if s.rule[p.chutes[c].gate] == rules.VESSEL_FULL else 0
    return shut > 0


@kernel
def tank_full(p: Record, s: Record, i: int) -> bool:
    """True if a tank without an overflow below intake i stands near its top."""
    full = 0
    for v in range(p.n_vessels):
        vessel = p.vessels[v]
        if p.intakes[i].reach_ratio[v] > 0.0 and vessel.weir_kg > NO_WEIR_KG:
            full += 0 if s.level_kg[v] < TANK_SHUT_FRAC * vessel.capacity_kg else 1
    return full > 0


@kernel
def airlock(p: Record, s: Record, g: Record, c: int, shut: bool) -> None:
    """Chute c: the gate only behind a lid proved locked, the lid only over a gate proved shut and with room."""
    chute = p.chutes[c]
    gate = chute.gate
    if shut:
        g.grant_frac[gate] = 0.0
        g.rule[gate] = rules.VESSEL_FULL
    elif s.locked_ns[c] < 0:
        refuse(g, gate, rules.GATE_NEEDS_LOCKED_LID)
    if s.proved_shut[gate] == 0 or g.grant_frac[gate] > 0.0:
        refuse(g, chute.lid, rules.LID_NEEDS_SHUT_GATE)
    elif not s.content_bound_kg[c] + lid_most_kg(p, s, c) <= chute.capacity_kg:
        refuse(g, chute.lid, rules.CHUTE_ROOM)


POLICIES: Mapping[str, Policy] = MappingProxyType(
    {"guarded": cycle, "open": open_policy, "float": float_policy, "fixed": fixed_policy}
)
CODES: Mapping[str, int] = MappingProxyType({"guarded": GUARDED, "open": OPEN, "float": FLOAT, "fixed": FIXED})


@kernel
def decide(policy: int, plant: Table, desk: Table) -> None:
    """One tick of the policy with this code."""
    if policy == GUARDED:
        cycle(plant, desk)
    elif policy == OPEN:
        open_policy(plant, desk)
    elif policy == FLOAT:
        float_policy(plant, desk)
    else:
        fixed_policy(plant, desk)
