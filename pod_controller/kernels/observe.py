"""What may be true now: how far each element may be open, how much each vessel and chute may hold.

Upper bounds for the guard, from the frame and from what was commanded; best estimates for the regulator. Whatever is
missing, stale or not a number makes a bound larger, never smaller: evidence lowers a bound, silence does not.

In signatures p, s, f are the records of PLANT, STATE, FRAME, and v, e, c count vessels, elements, chutes.

Neighbours: `frame` fills FRAME before, `guard` reads the bounds after. Must not know wishes, shares or permits.
Source of the rules: the guard's inequality (README, "The guard"), terms a and U.
"""

from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.records import HISTORY, Record

GOOD = 0
BAD = 2


@kernel
def observe(p: Record, s: Record, f: Record) -> None:
    """Bring STATE's bounds up to this frame."""
    slot = s.ticks % HISTORY
    before = (s.ticks - 1) % HISTORY
    elapsed_s = f.elapsed_s
    settled_s = elapsed_s  # for what only gets smaller with time
    lost_track = not (elapsed_s >= 0.0 and elapsed_s <= p.longest_gap_s)
    if lost_track:
        elapsed_s = p.longest_gap_s
        settled_s = 0.0
    s.command_ns[slot] = f.now_ns
    for v in range(p.n_vessels):
        inflow_kg = 0.0
        if s.ticks > 0:
            # What a stuck element finds in its source can all come early in a tick.
            inflow_kg = s.inflow_bound_kg_s[v] * max(elapsed_s, p.tick_s)
            if lost_track:
                inflow_kg += p.vessels[v].capacity_kg
            s.inflow_kg[slot, v] = s.inflow_kg[before, v] + inflow_kg
        bound_vessel(p, s, f, v, inflow_kg, elapsed_s)
    for e in range(p.n_elements):
        bound_element(p, s, f, e, settled_s)
    for c in range(p.n_chutes):
        bound_chute(p, s, f, c)


@small_kernel
def live_frac(p: Record, s: Record, f: Record, e: int, since_ns: int, verified_ns: int) -> float:
    """The largest opening that element e may have been commanded to since then: all after the last verified command.

    verified_ns: when that one was issued; it must have been in force by since_ns.

    A command can outlive its successor by the lease at most: then the device's own watchdog has dropped it. Before
    the first lease has passed nothing is known of what was commanded earlier: 1.
    """
    lease_ns = int(p.elements[e].lease_s * 1e9)
    most_frac = 0.0
    successor_ns = f.now_ns
    for k in range(1, HISTORY):
        if since_ns - successor_ns > lease_ns:
            return most_frac
        if k > s.ticks:
            return 1.0
        slot = (s.ticks - k) % HISTORY
        if s.command_frac[slot, e] > most_frac:
            most_frac = s.command_frac[slot, e]
        if s.command_ns[slot] <= verified_ns:
            return most_frac
        successor_ns = s.command_ns[slot]
    return 1.0


@small_kernel
def bound_element(p: Record, s: Record, f: Record, e: int, elapsed_s: float) -> None:
    """Term a: the larger of the feedback and of every command alive since it was taken; without it, by the stroke."""
    element = p.elements[e]
    seen = f.position_frac[e]
    age_s = (f.now_ns - f.position_ns[e]) * 1e-9
    fresh = age_s >= 0.0 and age_s <= p.fresh_s
    verified_before_ns = s.verified_ns[e]
    s.verified_ns[e] = f.verified_ns[e] if f.verified_ns[e] <= f.now_ns else -1
    s.proved_shut[e] = 0
    closed_frac = s.envelope_frac[e] - elapsed_s / element.stroke_s
    if f.position_quality[e] == GOOD and fresh and seen >= -element.position_error_frac and seen <= 1.5:
        # What is verified only now may have arrived after the position was taken; until then an older command acted.
        known_ns = verified_before_ns if f.position_ns[e] >= s.command_ns[(s.ticks - 1) % HISTORY] else -1
        live = live_frac(p, s, f, e, f.position_ns[e], known_ns)
        # Seen as shut it may still be open by the error, or where an older command has left it, and closing.
        most_frac = seen + element.position_error_frac
        left_frac = max(s.live_frac[e], closed_frac)
        s.live_frac[e] = live
        if seen <= element.position_error_frac:
            s.envelope_frac[e] = max(live, min(most_frac, left_frac))
            s.proved_shut[e] = 1 if s.envelope_frac[e] == 0.0 else 0
        else:
            s.envelope_frac[e] = min(1.0, max(most_frac, live))
        return
    # A command verified only now may have been written late in the tick: until then an older one was in force.
    live = live_frac(p, s, f, e, s.command_ns[(s.ticks - 1) % HISTORY], verified_before_ns)
    s.live_frac[e] = live
    s.envelope_frac[e] = max(live, closed_frac)


@small_kernel
def inflow_since_kg(s: Record, v: int, taken_ns: int) -> float:
    """The most that can have come into vessel v since a sample was taken; negative if history does not reach back."""
    for k in range(HISTORY):
        if k > s.ticks:
            return -1.0
        slot = (s.ticks - k) % HISTORY
        if s.command_ns[slot] <= taken_ns:
            return s.inflow_kg[s.ticks % HISTORY, v] - s.inflow_kg[slot, v]
    return -1.0


@small_kernel
def bound_vessel(p: Record, s: Record, f: Record, v: int, inflow_kg: float, elapsed_s: float) -> None:
    """Term U: the smaller of dead reckoning and the vote. Three good samples: the median; two: the larger.

    One sample may raise the bound and never lowers it. No vote for longer than stale_s, or the float: full.
    """
    vessel = p.vessels[v]
    if s.ticks == 0:
        s.bound_kg[v] = vessel.capacity_kg
        s.blind_s[v] = 1e30
    s.bound_kg[v] += inflow_kg
    votes = 0
    low = 0.0
    mid = 0.0
    high = 0.0
    estimate_kg = 0.0
    raised_kg = 0.0
    for i in range(vessel.n_levels):
        most_kg = sample_most_kg(p, s, f, v, i)
        if most_kg < 0.0:
            continue
        raised_kg = max(raised_kg, most_kg)
        if f.level_quality[v, i] != GOOD:
            continue
        votes += 1
        estimate_kg += f.level_kg[v, i]
        if votes == 1:
            low = most_kg
            high = most_kg
        elif votes == 2:
            low = min(low, most_kg)
            high = max(high, most_kg)
        else:
            mid = max(low, min(high, most_kg))
    if votes >= 2:
        s.bound_kg[v] = believed_kg(vessel, s.bound_kg[v], mid if votes == 3 else high)
        s.blind_s[v] = 0.0
    else:
        s.bound_kg[v] = max(s.bound_kg[v], raised_kg)
        s.blind_s[v] += elapsed_s
    if votes > 0:
        s.level_kg[v] = estimate_kg / votes
    s.bound_kg[v] = min(s.bound_kg[v], vessel.weir_kg)
    blind = not s.blind_s[v] <= vessel.stale_s
    s.full[v] = 1 if blind or (vessel.has_float == 1 and f.float_on[v] != 0) else 0


@small_kernel
def believed_kg(vessel: Record, bound_kg: float, vote_kg: float) -> float:
    """The smaller of what was reckoned and the vote, unless no honest error explains a vote so far above.

    Then something came in by itself that nobody reckoned, and the vote has seen it.
    """
    error_kg = 0.0
    for i in range(vessel.n_levels):
        error_kg = max(error_kg, vessel.level_error_kg[i])
    return vote_kg if vote_kg - 2.0 * error_kg > bound_kg else min(bound_kg, vote_kg)


@small_kernel
def sample_most_kg(p: Record, s: Record, f: Record, v: int, i: int) -> float:
    """The most vessel v can hold now by its sensor i: reading, error, and the inflow bound since; -1 if unusable."""
    vessel = p.vessels[v]
    kg = f.level_kg[v, i]
    taken_ns = f.level_ns[v, i]
    if f.level_quality[v, i] >= BAD or taken_ns > f.now_ns:
        return -1.0
    if not (f.now_ns - taken_ns) * 1e-9 <= vessel.stale_s:
        return -1.0
    if not kg >= -vessel.capacity_kg:
        return -1.0
    since_kg = inflow_since_kg(s, v, taken_ns)
    if since_kg < 0.0:
        return -1.0
    return max(0.0, min(kg, 2.0 * vessel.capacity_kg) + vessel.level_error_kg[i] + since_kg)


@small_kernel
def bound_chute(p: Record, s: Record, f: Record, c: int) -> None:
    """What chute c held at most when last weighed, how long ago, and whether its lid was locked even then.

    Its high-level switch says full whatever the weight says, and off it says no more than that the content is below
    high_kg: of weight and switch one may lie, so the larger counts, at the older of their two moments.
    """
    chute = p.chutes[c]
    lid = chute.lid
    if s.proved_shut[lid] == 0:
        s.locked_ns[c] = -1
    elif s.locked_ns[c] < 0:
        s.locked_ns[c] = f.position_ns[lid]
    kg = f.content_kg[c]
    taken_ns = f.content_ns[c]
    age_s = (f.now_ns - taken_ns) * 1e-9
    known = f.content_quality[c] < BAD and taken_ns >= 0 and age_s >= 0.0 and age_s <= 4.0 * p.fresh_s
    s.sealed[c] = 0
    s.content_kg[c] = chute.capacity_kg
    known = known and kg >= -chute.capacity_kg and kg <= 2.0 * chute.capacity_kg
    if known:
        s.content_kg[c] = min(chute.capacity_kg, max(0.0, kg))
    below = f.high_on[c] == 0
    if chute.high_kg > 0.0:
        switch_s = (f.now_ns - f.high_ns[c]) * 1e-9
        below = below and switch_s >= 0.0
        age_s = max(age_s, switch_s)
        taken_ns = min(taken_ns, f.high_ns[c])
    if known and below:
        s.content_bound_kg[c] = min(chute.capacity_kg, max(chute.high_kg, max(0.0, kg) + chute.content_error_kg))
        s.content_age_s[c] = age_s
        s.sealed[c] = 1 if s.locked_ns[c] >= 0 and taken_ns >= s.locked_ns[c] else 0
        return
    s.content_bound_kg[c] = chute.capacity_kg
    s.content_age_s[c] = 0.0
