"""Who is emptied next: weighted max-min sharing of the intake among chutes, and the airlock's two movements.

Writes wishes only; the guard has the last word. A chute collects waste behind a shut gate until it holds enough or has
waited long enough, then asks to be emptied: lid locked, gate open. What can be taken in is shared by water-filling;
who got less than its share is served first.

Neighbours: `observe` gives contents, `guard` decides. Must not know levels or the inequality.
"""

from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.records import HISTORY, Record, Table


@kernel
def shed(p: Record, s: Record, f: Record, w: Record) -> None:
    """Wish gates, lids and shared elements of the shedding intake, and the order of service."""
    w.n_order = 0
    if p.n_chutes == 0:
        return
    for c in range(p.n_chutes):
        note_content(p, s, f, c)
    water_fill(p.n_chutes, s.demand_kg_s, p.chutes, p.intakes[p.shedding.intake].shared_rate_kg_s, s.share_kg_s)
    for c in range(p.n_chutes):
        limit_kg = p.shedding.deficit_limit_kg
        deficit_kg = s.deficit_kg[c] + s.share_kg_s[c] * p.tick_s
        s.deficit_kg[c] = min(limit_kg, max(-limit_kg, deficit_kg))
    choose(p, s)
    wish_chutes(p, s, w)


@small_kernel
def water_fill(n: int, demand_kg_s: Table, chutes: Table, capacity_kg_s: float, share_kg_s: Table) -> None:
    """Weighted max-min: raise everybody's share per weight together, until satisfied or the capacity is used.

    demand_kg_s, share_kg_s: n values; share is written. Never above demand, never above capacity in sum, and whoever
    is not satisfied has the largest share per weight. Source: progressive filling (Bertsekas and Gallager 1992, 6.5.2).
    """
    left_kg_s = capacity_kg_s
    open_weight = 0.0
    for c in range(n):
        share_kg_s[c] = 0.0
        if not demand_kg_s[c] > 0.0:
            demand_kg_s[c] = 0.0
        else:
            open_weight += chutes[c].weight_ratio
    for _ in range(n):
        if open_weight <= 0.0 or left_kg_s <= 0.0:
            return
        level = left_kg_s / open_weight
        satisfied = 0
        for c in range(n):
            if share_kg_s[c] < demand_kg_s[c] and demand_kg_s[c] <= level * chutes[c].weight_ratio:
                share_kg_s[c] = demand_kg_s[c]
                left_kg_s -= demand_kg_s[c]
                open_weight -= chutes[c].weight_ratio
                satisfied += 1
        if satisfied == 0:
            for c in range(n):
                if share_kg_s[c] < demand_kg_s[c]:
                    share_kg_s[c] = level * chutes[c].weight_ratio
            return


@small_kernel
def note_content(p: Record, s: Record, f: Record, c: int) -> None:
    """Follow chute c's content: what drained since the last scan was served; decide whether it asks to be emptied."""
    content_kg = s.content_kg[c]
    drained_kg = s.last_content_kg[c] - content_kg
    if drained_kg > 0.0 and s.serving[c] != 0:
        s.deficit_kg[c] -= drained_kg
    s.last_content_kg[c] = content_kg
    has_waste = content_kg > p.shedding.stop_kg
    s.waiting_s[c] = s.waiting_s[c] + p.tick_s if has_waste and s.emptying[c] == 0 else 0.0
    full = s.content_bound_kg[c] >= p.chutes[c].capacity_kg  # by its switch, or out of sight
    if full or content_kg >= p.shedding.start_kg or (has_waste and s.waiting_s[c] >= p.shedding.wait_s):
        s.emptying[c] = 1
    elif not has_waste:
        s.emptying[c] = 0
    if f.trip[p.chutes[c].gate] != 0:
        s.emptying[c] = 0  # a tripped gate takes no turn from the others
    s.demand_kg_s[c] = content_kg / p.shedding.horizon_s if s.emptying[c] != 0 else 0.0


@small_kernel
def choose(p: Record, s: Record) -> None:
    """Keep whoever is served for at most a turn; fill free places by largest deficit, then fullest."""
    busy = 0
    for c in range(p.n_chutes):
        if s.serving[c] != 0 and (s.emptying[c] == 0 or s.served_s[c] >= p.shedding.turn_s):
            s.serving[c] = 0
        s.served_s[c] = s.served_s[c] + p.tick_s if s.serving[c] != 0 else 0.0
        busy += s.serving[c]
    while busy < p.shedding.open_at_once:
        best = -1
        for c in range(p.n_chutes):
            if s.emptying[c] == 0 or s.serving[c] != 0:
                continue
            if best < 0 or s.deficit_kg[c] > s.deficit_kg[best]:
                best = c
            elif s.deficit_kg[c] == s.deficit_kg[best] and s.last_content_kg[c] > s.last_content_kg[best]:
                best = c
        if best < 0:
            return
        s.serving[best] = 1
        s.served_s[best] = 0.0
        busy += 1


@small_kernel
def wish_chutes(p: Record, s: Record, w: Record) -> None:
    """Gates of the chutes served, lids of the chutes not asking, and the shared elements until they have run on."""
    previous = (s.ticks - 1) % HISTORY
    any_gate = False
    for c in range(p.n_chutes):
        gate = p.chutes[c].gate
        w.open_frac[gate] = 1.0 if s.serving[c] != 0 else 0.0
        w.open_frac[p.chutes[c].lid] = 0.0 if s.emptying[c] != 0 else 1.0
        if s.command_frac[previous, gate] > 0.0 or s.envelope_frac[gate] > 0.0:
            any_gate = True
    for turn in range(2):  # those already open first, so that room is not taken from under a stroke half made
        for f in range(p.n_flows):
            c = p.flows[f].chute
            if c < 0 or s.serving[c] == 0:
                continue
            is_open = s.command_frac[previous, p.flows[f].element] > 0.0
            if is_open == (turn == 0):
                w.order[w.n_order] = f
                w.n_order += 1
    s.run_on_s = p.shedding.run_on_s if any_gate or w.n_order > 0 else max(0.0, s.run_on_s - p.tick_s)
    intake = p.intakes[p.shedding.intake]
    for k in range(intake.n_shared):
        w.open_frac[intake.shared[k]] = 1.0 if s.run_on_s > 0.0 else 0.0
