"""The judge of the game: the least room left at any lip if all that nothing can stop any more came this instant.

That is what is held, on its way, or a surprise still to come; and, while something is stuck, what stands behind it and
what comes over weirs to there on its way to somewhere else: a stuck pump may take all of it, or none.

Neighbours: `flow` asks after each step. Must not know how the guard decides.
"""

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import Record


@kernel
def judge(p: Record, w: Record, r: Record) -> None:
    """Look at every lip with what is stuck taking all that it can, then with what is stuck taking nothing."""
    if r.n_pours > 0:
        count_up(p, w, r, 1)
        look(p, w, r, 1)
    count_up(p, w, r, 0)
    look(p, w, r, 0)


@kernel
def still_to_come_kg(w: Record, r: Record, v: int) -> float:
    """What vessel v holds, with its hold-up on the way and what is left of its Psi."""
    return float(r.held_kg[v] + r.coming_kg[v] + (r.surging_kg[v] if r.surprised[v] != 0 else w.psi_kg[v]))


@kernel
def count_up(p: Record, w: Record, r: Record, poured: int) -> None:
    """Into total_kg what each vessel would come to hold, weir or none; poured: what is stuck takes all it can."""
    for v in range(p.n_vessels):
        r.total_kg[v] = still_to_come_kg(w, r, v)
    if poured != 0:
        for f in range(p.n_flows):
            if r.pours[f] != 0 and p.flows[f].chute >= 0:
                pour(p, w, r, p.flows[f].intake, r.content_kg[p.flows[f].chute])
    for v in range(p.n_vessels):
        f = taker(p, r, v) if poured != 0 else -1
        if f >= 0:
            pour(p, w, r, p.flows[f].intake, r.total_kg[v])
        below = w.below[v]
        if below >= 0:
            step_kg = r.stepping_kg[v] if r.surprised[v] != 0 else w.over_weir_kg[v]
            over_kg = max(0.0, r.total_kg[v] - p.vessels[v].weir_kg)
            r.total_kg[below] += step_kg + (0.0 if f >= 0 or v == r.blocked_vessel else over_kg)


@kernel
def pour(p: Record, w: Record, r: Record, i: int, kg: float) -> None:
    """So much through intake i."""
    for v in range(p.n_vessels):
        r.total_kg[v] += w.share[i, v] * kg


@kernel
def taker(p: Record, r: Record, v: int) -> int:
    """A flow that cannot be stopped and draws from vessel v, if any; of several each strike another one first."""
    for k in range(p.n_flows):
        f = (k + r.strikes) % p.n_flows
        if r.pours[f] != 0 and p.flows[f].source == v:
            return int(f)
    return -1


@kernel
def look(p: Record, w: Record, r: Record, poured: int) -> None:
    """What has no room is spilled."""
    for v in range(p.n_vessels):
        row = p.vessels[v]
        most_kg = r.total_kg[v]
        if w.below[v] >= 0 and v != r.blocked_vessel:
            most_kg = min(most_kg, row.weir_kg)
        margin_kg = row.capacity_kg - most_kg
        r.least_margin_kg = min(r.least_margin_kg, margin_kg)
        if margin_kg < 0.0:
            if r.spilled_tick < 0:
                r.spilled_tick = r.tick
                r.spilled_vessel = v
            r.spilled_kg -= margin_kg
            arrive(p, w, r, v, poured)


@kernel
def arrive(p: Record, w: Record, r: Record, v: int, poured: int) -> None:
    """All that was still to come into vessel v has come, and it stands at its lip."""
    for u in range(v + 1):
        r.held_kg[u] = min(p.vessels[u].weir_kg, r.held_kg[u] + r.coming_kg[u])
        r.coming_kg[u] = 0.0
        r.surging_kg[u] = 0.0
        r.stepping_kg[u] = 0.0
        r.surprised[u] = 1
        if poured != 0 and taker(p, r, u) >= 0:
            r.held_kg[u] = 0.0
    if poured != 0:
        for f in range(p.n_flows):
            if r.pours[f] != 0 and p.flows[f].chute >= 0:
                r.content_kg[p.flows[f].chute] = 0.0
    r.held_kg[v] = p.vessels[v].capacity_kg
