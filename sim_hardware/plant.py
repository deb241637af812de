"""The plant in time: steps strung together, what happens at set times, and the accounts.

`play` is the whole plant as one compiled function, the same in every tier: it brings a POD to a given time under the
outputs in `drive`, delivers bags, draws and plant faults at their exact times, and steps finely only while mass flows.

Neighbours: `vessels` and `tanks` are the equations, `signals` what instruments show, `pod_plant` the Python face.
Must not know lines, devices or the controller.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.plant_records import (
    BAG,
    BIASED,
    DEAD,
    DRAW,
    DRIFTING,
    FAULT_END,
    FAULT_ON,
    FIELD_POWER_LOST,
    FROZEN,
    GAS_BLOCKED,
    GATE_JAM,
    HEATER,
    HONEST,
    NEVER_NS,
    RELEASE,
    SENSOR_BIAS,
    SENSOR_DEAD,
    SENSOR_DRIFT,
    SENSOR_FROZEN,
    SENSOR_GAIN,
    SOUND,
    STANDARD,
    VESSELS,
    Row,
    Table,
)
from sim_hardware.signals import shown_value
from sim_hardware.tanks import (
    dosing_rests,
    draw_byproduct,
    run_dosing,
    run_feed,
    run_slow,
    run_sump,
    sump_rests,
)
from sim_hardware.vessels import (
    aim,
    chutes_hold_kg,
    drop_bag,
    feed_rests,
    front_rests,
    run_front,
    steady,
    travel,
    wanted_frac,
)


@kernel
def play(params: Table, state: Table, events: Table, faults: Table, until_ns: int) -> None:
    """Bring the plant to until_ns, delivering the events due on the way (sorted by time; those at until_ns too).

    params, state: one record of PARAMS and POD; events, faults: EVENT and FAULT rows. A time before the plant's own
    changes nothing.
    """
    play_record(params[0], state[0], events, faults, until_ns)


@kernel
def play_record(p: Row, s: Row, events: Table, faults: Table, until_ns: int) -> None:
    """`play` on the records themselves, for compiled callers."""
    if s.calm != 0 and until_ns < s.next_event_ns and until_ns < s.slow_at_ns:
        rest(s, until_ns)
        return
    while s.next_event < len(events) and events[s.next_event].at_ns <= until_ns:
        event = events[s.next_event]
        s.next_event += 1
        advance(p, s, event.at_ns)
        deliver(p, s, event, faults)
    s.next_event_ns = events[s.next_event].at_ns if s.next_event < len(events) else NEVER_NS
    advance(p, s, until_ns)


@kernel
def rest(s: Row, until_ns: int) -> None:
    """Nothing happens until until_ns but the heater's time."""
    if until_ns > s.now_ns:
        s.heat_on_s += (until_ns - s.now_ns) * 1e-9 * wanted_frac(s, HEATER)
        s.now_ns = until_ns


@kernel
def advance(p: Row, s: Row, until_ns: int) -> None:
    """Step to until_ns: finely while openings change or the front flows unsteadily, else in one step.

    A steady flow and a travel that moves nothing are exact in a step of any length, so one step gives the same result.
    """
    while s.now_ns < until_ns:
        if s.calm != 0 and until_ns < s.slow_at_ns:
            rest(s, until_ns)
            return
        aim(p, s)
        front = not front_rests(p, s)
        rear = not (feed_rests(s) and sump_rests(s) and dosing_rests(s))
        step_ns = until_ns - s.now_ns
        if (front or rear) and (s.moving > 0 or (front and not steady(p, s, step_ns * 1e-9))):
            step_ns = step_ns // ((step_ns + p.step_ns - 1) // p.step_ns)
        s.calm = 0 if front or rear or s.moving > 0 else 1
        step_ns = min(step_ns, s.slow_at_ns - s.now_ns)
        h_s = step_ns * 1e-9
        travel(p, s, h_s)
        if front:
            run_front(p, s, h_s)
        if rear:
            run_feed(p, s, h_s)
            run_sump(p, s, h_s)
            run_dosing(p, s, h_s)
        s.heat_on_s += h_s * wanted_frac(s, HEATER)
        s.now_ns += step_ns
        if s.now_ns >= s.slow_at_ns:
            run_slow(p, s)


@kernel
def change(s: Row, actuator: int, on_frac: float) -> None:
    """Energise (1) or release (0) an output: the only way to change drive, for a plant at rest must wake up."""
    if s.drive[actuator] != on_frac:
        s.drive[actuator] = on_frac
        s.calm = 0


@kernel
def deliver(p: Row, s: Row, event: Row, faults: Table) -> None:
    """One event: a bag at a chute, a person at the by-product's valve, a fault that begins or ends."""
    s.calm = 0
    if event.kind == BAG:
        drop_bag(p, s, event.index, event.kg)
    elif event.kind == DRAW:
        draw_byproduct(s, event.kg)
    else:
        switch_fault(p, s, faults[event.index], event.kind)


@kernel
def switch_fault(p: Row, s: Row, fault: Row, phase: int) -> None:
    """Begin (FAULT_ON), end (FAULT_OFF) or finally clear (FAULT_END) one FAULT row of the plant's kinds."""
    on = phase == FAULT_ON
    s.calm = 0
    if fault.kind == GATE_JAM:
        jam(s, fault.target, fault.k, fault.feedback, on)
    elif fault.kind == RELEASE:
        # Bridged first, then everything at once at rate k, then an ordinary outlet again.
        s.outlet_kg_s[fault.target] = 0.0 if on else p.gate_kg_s if phase == FAULT_END else fault.k
    elif fault.kind == FIELD_POWER_LOST:
        s.power_lost = 1 if on else 0
    elif fault.kind == GAS_BLOCKED:
        s.biology.open_frac[fault.target] = 0.0 if on else 1.0
    else:
        spoil(p, s, fault, on)


@kernel
def jam(s: Row, a: int, open_frac: float, feedback: int, on: bool) -> None:
    """Actuator a sticks where it is (open_frac below 0) or at open_frac; freed, it goes on from there."""
    if on:
        s.stuck_frac[a] = open_frac if open_frac >= 0.0 else s.travel_frac[a]
        s.feedback[a] = feedback
    elif s.stuck_frac[a] >= 0.0:
        s.travel_frac[a] = s.stuck_frac[a]
        s.stuck_frac[a] = -1.0
        s.feedback[a] = HONEST


@kernel
def spoil(p: Row, s: Row, fault: Row, on: bool) -> None:
    """The instrument on a signal fails, or is sound again; or a technician holds it at a standard."""
    signal = fault.target
    if fault.kind == SENSOR_GAIN:
        s.signal_gain_ratio[signal] = fault.k if on else 1.0
        return
    if fault.kind == STANDARD:
        s.at_standard[signal] = 1 if on else 0
        s.standard_k[signal] = fault.k
        return
    if not on:
        s.signal_fault[signal] = SOUND
        return
    s.signal_at_ns[signal] = s.now_ns
    s.signal_k[signal] = fault.k
    if fault.kind == SENSOR_FROZEN:
        s.signal_fault[signal] = SOUND
        s.signal_k[signal] = shown_value(p, s, signal)
        s.signal_fault[signal] = FROZEN
    elif fault.kind == SENSOR_BIAS:
        s.signal_fault[signal] = BIASED
    elif fault.kind == SENSOR_DRIFT:
        s.signal_fault[signal] = DRIFTING
    elif fault.kind == SENSOR_DEAD:
        s.signal_fault[signal] = DEAD


@kernel
def begin(params: Table, state: Table) -> None:
    """Open the accounts: what is held now is what was held at the start."""
    p = params[0]
    s = state[0]
    s.held_start_kg = chutes_hold_kg(p, s)
    s.total_start_kg = total_kg(p, s)
    for v in range(VESSELS):
        s.most_kg[v] = s.content_kg[v]


@kernel
def total_kg(p: Row, s: Row) -> float:
    """Mass of everything in every vessel."""
    sum_kg = 0.0
    for v in range(VESSELS):
        sum_kg += s.content_kg[v]
    return sum_kg
