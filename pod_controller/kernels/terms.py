"""The terms of the guard's inequality, and their sum Phi for every vessel in its worst scenario.

    Phi = U + M + Psi + what can still arrive through every inlet if all are told to close now

Scenarios: nothing stuck; each single element stuck open; each common cause (a module that holds all its elements).
One function per term, named as in the README, "The guard". What is asked of the elements stands in STATE.asked_frac,
what they may be at in STATE.envelope_frac; nothing here changes either.

In signatures p, s are the records of PLANT and STATE, and v, e, f, i, c count vessels, elements, flows, intakes,
chutes (or causes). Neighbours: `guard` asks, `commit` bounds the coming tick. Must not know wishes or permits.
"""

from pod_controller.kernels.compile import kernel, small_kernel
from pod_controller.kernels.records import Record

ENDLESS_KG = 1e30
EVERY = -1  # element
HEALTHY = 0  # scenario codes: 0, JAMMED + intake, CAUSED + cause
JAMMED = 100
CAUSED = 200


@small_kernel
def closing_tail_kg(rate_kg_s: float, element: Record, open_frac: float, tick_s: float) -> float:
    """B(x): the most that still comes through one element after CLOSE is sent at open_frac.

    element: one record of ELEMENT. NaN counts as fully open. A relay keeps opening while its CLOSE is lost, so it is
    taken as far as the lease lets it. Holds B(x) >= tick * rate * x + B(max(x - tick / stroke, 0)) for a positioner;
    the tick / (2 stroke) is the sampling step, without which that is false.
    """
    if not open_frac <= 1.0:
        open_frac = 1.0
    if open_frac <= 0.0:
        return 0.0
    if element.positioner == 0:
        open_frac = min(1.0, open_frac + element.lease_s / element.fast_stroke_s)
    travel_frac = open_frac + tick_s / (2.0 * element.stroke_s)
    return rate_kg_s * (element.lease_s * open_frac + element.stroke_s / 2.0 * travel_frac * travel_frac)


@small_kernel
def still_to_pass_kg(p: Record, s: Record, rate_kg_s: float, e: int) -> float:
    """phi(x): what element e lets through in the tick to come and while it closes afterwards."""
    x_frac = s.asked_frac[e]
    open_frac = max(s.envelope_frac[e], x_frac)
    return p.tick_s * rate_kg_s * open_frac + closing_tail_kg(rate_kg_s, p.elements[e], x_frac, p.tick_s)


@small_kernel
def stuck_kg(p: Record, s: Record, f: int) -> float:
    """h: what flow f can still deliver if its own element is stuck open: all that its source holds or can get."""
    flow = p.flows[f]
    if flow.chute >= 0:
        return chute_most_kg(p, s, flow.chute)
    if flow.source < 0:
        return ENDLESS_KG
    v = flow.source
    kg = p.vessels[v].hold_up_kg + p.vessels[v].psi_kg
    is_fed = False
    for i in range(p.n_intakes):
        if p.intakes[i].reach_ratio[v] > 0.0:
            is_fed = True
            worst_kg = s.intake_worst_kg[i]
            for c in range(p.n_causes):
                worst_kg = max(worst_kg, s.intake_cause_kg[i, c])
            kg += p.intakes[i].reach_ratio[v] * worst_kg + p.intakes[i].over_kg[v]
    # A vessel that no intake fills is filled by people, at any time.
    held_kg = s.bound_kg[v] if is_fed and s.full[v] == 0 else p.vessels[v].capacity_kg
    return kg + min(held_kg, p.vessels[v].weir_kg)


@small_kernel
def lid_most_kg(p: Record, s: Record, c: int) -> float:
    """The most that can still come in under lid c from the last weighing until it is locked, if told to lock now."""
    chute = p.chutes[c]
    delay_s = s.content_age_s[c] + p.tick_s + p.elements[chute.lid].lease_s + chute.lid_lock_s
    return chute.largest_bag_kg + chute.lid_pass_kg_s * delay_s


@small_kernel
def chute_most_kg(p: Record, s: Record, c: int) -> float:
    """The most chute c can deliver: its weight and error, and what comes in while its lid is not proved locked."""
    kg = s.content_bound_kg[c]
    if s.lid_open[c] != 0 or s.sealed[c] == 0:
        kg += lid_most_kg(p, s, c)
    return min(kg, p.chutes[c].capacity_kg)


@kernel
def measure(p: Record, s: Record, e: int) -> None:
    """Work out anew what still passes element e, wherever it stands; or of EVERY one."""
    for f in range(p.n_flows):
        if e == EVERY or p.flows[f].element == e:
            s.flow_kg[f] = still_to_pass_kg(p, s, p.flows[f].rate_kg_s, p.flows[f].element)
    for i in range(p.n_intakes):
        intake = p.intakes[i]
        for k in range(intake.n_shared):
            if e == EVERY or intake.shared[k] == e:
                s.shared_kg[i, k] = still_to_pass_kg(p, s, intake.shared_rate_kg_s, intake.shared[k])


@small_kernel
def weigh_intake(p: Record, s: Record, i: int) -> None:
    """Sum one intake in every scenario: its flows together, capped by what stands in series behind all of them."""
    intake = p.intakes[i]
    sum_kg = 0.0
    extra_kg = 0.0
    for c in range(p.n_causes):
        s.intake_cause_kg[i, c] = 0.0
    for k in range(intake.n_flows):
        f = intake.flows[k]
        kg = s.flow_kg[f]
        most_kg = max(kg, stuck_kg(p, s, f))
        sum_kg += kg
        extra_kg = max(extra_kg, most_kg - kg)
        for c in range(p.n_causes):
            s.intake_cause_kg[i, c] += most_kg if p.causes[c].member[p.flows[f].element] != 0 else kg
    least_kg = ENDLESS_KG
    second_kg = ENDLESS_KG
    for k in range(intake.n_shared):
        kg = s.shared_kg[i, k]
        second_kg = min(second_kg, max(least_kg, kg))
        least_kg = min(least_kg, kg)
        for c in range(p.n_causes):
            if p.causes[c].member[intake.shared[k]] == 0:
                s.intake_cause_kg[i, c] = min(s.intake_cause_kg[i, c], kg)
    s.intake_kg[i] = min(sum_kg, least_kg)
    own_stuck_kg = min(sum_kg + extra_kg, least_kg)
    s.intake_worst_kg[i] = max(own_stuck_kg, min(sum_kg, second_kg))


@kernel
def weigh(p: Record, s: Record) -> None:
    """Phi of every vessel in its worst scenario, at the openings measured, into trial_kg and trial_scenario.

    Intakes stand in the order of the flow; what is not weighed yet may pass without end. A circle is cut at an intake
    with elements in series: they bound it whatever its source gets.
    """
    for i in range(p.n_intakes):
        s.intake_worst_kg[i] = ENDLESS_KG
    for i in range(p.n_intakes):
        weigh_intake(p, s, i)
    for v in range(p.n_vessels):
        weigh_vessel(p, s, v)


@small_kernel
def weigh_vessel(p: Record, s: Record, v: int) -> None:
    """Phi of one vessel from the sums of its intakes."""
    vessel = p.vessels[v]
    held_kg = s.bound_kg[v] + vessel.hold_up_kg + vessel.psi_kg
    healthy_kg = held_kg
    jam_kg = 0.0
    scenario = HEALTHY
    for c in range(p.n_causes):
        s.caused_kg[c] = held_kg + p.causes[c].over_kg[v]
    for i in range(p.n_intakes):
        reach = p.intakes[i].reach_ratio[v]
        if reach > 0.0:
            healthy_kg += reach * s.intake_kg[i]
            more_kg = reach * (s.intake_worst_kg[i] - s.intake_kg[i]) + p.intakes[i].over_kg[v]
            if more_kg > jam_kg:
                jam_kg = more_kg
                scenario = JAMMED + i
            for c in range(p.n_causes):
                s.caused_kg[c] += reach * s.intake_cause_kg[i, c]
    worst_kg = healthy_kg + jam_kg
    for c in range(p.n_causes):
        if s.caused_kg[c] > worst_kg:
            worst_kg = s.caused_kg[c]
            scenario = CAUSED + c
    s.trial_kg[v] = worst_kg
    s.trial_scenario[v] = HEALTHY if healthy_kg > vessel.capacity_kg else scenario
