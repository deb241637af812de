"""After the permit: remember what was commanded, and bound what may flow until the next frame.

Neighbours: `guard` before, `observe` reads both at the next tick. Must not decide anything. In signatures p, s, g
are the records of PLANT, STATE and PERMIT, and i counts intakes.
"""

from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.records import HISTORY, Record
from pod_controller.kernels.terms import ENDLESS_KG


@kernel
def commit(p: Record, s: Record, g: Record) -> None:
    """Remember what was commanded, and bound what may flow until the next frame."""
    slot = s.ticks % HISTORY
    for e in range(p.n_elements):
        s.command_frac[slot, e] = g.grant_frac[e]
        s.rule[e] = g.rule[e]
    for v in range(p.n_vessels):
        s.inflow_bound_kg_s[v] = 0.0
    for i in range(p.n_intakes):
        rate_kg_s = passing_kg_s(p, s, i)
        for v in range(p.n_vessels):
            s.inflow_bound_kg_s[v] += p.intakes[i].reach_ratio[v] * rate_kg_s
    s.ticks += 1


@small_kernel
def passing_kg_s(p: Record, s: Record, i: int) -> float:
    """The most that can pass intake i within the coming tick, one element stuck open unnoticed or one common cause."""
    intake = p.intakes[i]
    sum_kg_s = 0.0
    extra_kg_s = 0.0
    for c in range(p.n_causes):
        s.caused_kg_s[c] = 0.0
    for k in range(intake.n_flows):
        f = intake.flows[k]
        e = p.flows[f].element
        rate_kg_s = p.flows[f].rate_kg_s
        kg_s = rate_kg_s * max(s.envelope_frac[e], s.asked_frac[e])
        sum_kg_s += kg_s
        extra_kg_s = max(extra_kg_s, rate_kg_s - kg_s)
        for c in range(p.n_causes):
            s.caused_kg_s[c] += rate_kg_s if p.causes[c].member[e] != 0 else kg_s
    least_kg_s = ENDLESS_KG
    second_kg_s = ENDLESS_KG
    for k in range(intake.n_shared):
        e = intake.shared[k]
        kg_s = intake.shared_rate_kg_s * max(s.envelope_frac[e], s.asked_frac[e])
        second_kg_s = min(second_kg_s, max(least_kg_s, kg_s))
        least_kg_s = min(least_kg_s, kg_s)
        for c in range(p.n_causes):
            if p.causes[c].member[e] == 0:
                s.caused_kg_s[c] = min(s.caused_kg_s[c], kg_s)
    most_kg_s = max(min(sum_kg_s + extra_kg_s, least_kg_s), min(sum_kg_s, second_kg_s))
    for c in range(p.n_causes):
        most_kg_s = max(most_kg_s, s.caused_kg_s[c])
    return most_kg_s
