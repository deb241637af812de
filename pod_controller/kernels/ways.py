"""Where mass that passes an element can get to: by weirs, and on through what may pass something now.

In signatures p, s are the records of PLANT and STATE, and v, e, f, i, c count vessels, elements, flows, intakes,
causes.
Neighbours: `guard` asks before it grants, `terms` has weighed the openings under test. Must not know wishes or permits.
"""

from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.records import Record


@small_kernel
def full_below(p: Record, s: Record, i: int) -> int:
    """A vessel that intake i reaches and that counts as full; -1 if none."""
    for v in range(p.n_vessels):
        if p.intakes[i].reach_ratio[v] > 0.0 and s.full[v] != 0:
            return v
    return -1


@kernel
def leads_to(p: Record, s: Record, e: int, v: int) -> bool:
    """True if mass that element e lets through can reach vessel v: it stands in, or admits to, an intake that does.

    By weirs, or on through an intake that may pass something now: an element may be stuck, another still closing.
    """
    for u in range(p.n_vessels):
        s.reached[u] = 0
    for f in range(p.n_flows):
        flow = p.flows[f]
        if flow.element == e or (flow.chute >= 0 and p.chutes[flow.chute].lid == e):
            reach(p, s, flow.intake)
    for i in range(p.n_intakes):
        for k in range(p.intakes[i].n_shared):
            if p.intakes[i].shared[k] == e:
                reach(p, s, i)
    for _ in range(p.n_vessels):
        for f in range(p.n_flows):
            source = p.flows[f].source
            if source >= 0 and s.reached[source] != 0 and may_pass(p, s, p.flows[f].intake):
                reach(p, s, p.flows[f].intake)
    return not s.reached[v] < 1


@small_kernel
def reach(p: Record, s: Record, i: int) -> None:
    """Mark what intake i brings mass to."""
    for v in range(p.n_vessels):
        if p.intakes[i].reach_ratio[v] > 0.0:
            s.reached[v] = 1


@small_kernel
def may_pass(p: Record, s: Record, i: int) -> bool:
    """True if in some scenario something passes intake i at the openings under test."""
    most_kg = s.intake_worst_kg[i]
    for c in range(p.n_causes):
        most_kg = max(most_kg, s.intake_cause_kg[i, c])
    return not most_kg <= 0.0
