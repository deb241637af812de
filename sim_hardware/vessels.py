"""The front of the pod: actuators on their way, chutes under their lids, gates, macerator and buffer.

Every function works on one record of PARAMS (p) and POD (s) for a step of h_s seconds in which no command changes.
Openings are the exact means over the step; what flows never exceeds what is there, so mass is kept whatever the step.

Neighbours: `tanks` is everything behind the buffer, `plant` strings the steps together. Must not know the controller.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.plant_records import (
    BUFFER,
    FEED_PUMP,
    FEED_VALVE,
    GATE,
    LID,
    MACERATOR,
    MACERATOR_VALVE,
    THROAT,
    WATER_1,
    WATER_2,
    Row,
)


@kernel
def wanted_frac(s: Row, a: int) -> float:
    """Where actuator a is being driven to: its output, unless the power or the float chain takes it away."""
    if s.drive[a] <= 0.5 or s.power_lost != 0:
        return 0.0
    if s.float_on != 0 and a >= MACERATOR and a <= WATER_2:
        return 0.0
    return 1.0


@kernel
def aim(p: Row, s: Row) -> None:
    """Note every moving actuator's target, and how many are not there yet."""
    s.moving = 0
    for k in range(p.n_used):
        a = p.used[k]
        s.target_frac[a] = wanted_frac(s, a)
        if s.travel_frac[a] != s.target_frac[a]:
            s.moving += 1


@kernel
def travel(p: Row, s: Row, h_s: float) -> None:
    """Move every actuator for h_s seconds and leave its mean real opening in mean_frac."""
    for k in range(p.n_used):
        a = p.used[k]
        start_frac = s.travel_frac[a]
        end_frac = s.target_frac[a]
        mean_frac = end_frac
        if start_frac != end_frac:
            speed_per_s = p.open_per_s[a] if end_frac > start_frac else -p.close_per_s[a]
            needed_s = (end_frac - start_frac) / speed_per_s
            if needed_s > h_s:
                end_frac = start_frac + speed_per_s * h_s
                mean_frac = (start_frac + end_frac) / 2.0
            else:
                mean_frac = end_frac + (start_frac - end_frac) / 2.0 * (needed_s / h_s)
            s.travel_frac[a] = end_frac
        s.mean_frac[a] = mean_frac if s.stuck_frac[a] < 0.0 else s.stuck_frac[a]


@kernel
def stays_shut(s: Row, a: int) -> bool:
    """True if actuator a is shut and nobody drives it."""
    if s.stuck_frac[a] >= 0.0:
        return bool(s.stuck_frac[a] == 0.0)
    return bool(s.travel_frac[a] == 0.0 and s.target_frac[a] == 0.0)


@kernel
def chute_rests(s: Row, c: int) -> bool:
    """True if nothing can leave chute c: empty, bridged, or behind a gate that stays shut."""
    return bool(s.content_kg[c] <= 0.0 or s.outlet_kg_s[c] <= 0.0 or stays_shut(s, GATE + c))


@kernel
def front_rests(p: Row, s: Row) -> bool:
    """True if no waste moves between chutes and buffer, whatever travels meanwhile."""
    blocked = stays_shut(s, MACERATOR) or stays_shut(s, MACERATOR_VALVE)
    if s.content_kg[THROAT] > 0.0 and not blocked:
        return False
    if blocked and s.content_kg[THROAT] >= p.holdup_kg:
        return True
    flowing = 0
    for c in range(p.n_chutes):
        flowing += 0 if chute_rests(s, c) else 1
    return flowing == 0


@kernel
def steady(p: Row, s: Row, h_s: float) -> bool:
    """True if what flows in front goes on evenly for h_s: no chute runs empty, no float or lip comes near.

    Only asked while nothing travels. Two throats' worth is a safe margin for what can come in with its water.
    """
    most_kg = p.throat_kg_s * h_s
    rising_kg = s.content_kg[BUFFER] + 2.0 * (1.0 + p.water_ratio) * most_kg
    if rising_kg > p.lip_kg[BUFFER]:
        return False
    if s.has_float != 0 and rising_kg > p.float_on_kg:
        return False
    for c in range(p.n_chutes):
        if not chute_rests(s, c) and s.content_kg[c] < s.outlet_kg_s[c] * h_s:
            return False
    return bool(s.content_kg[THROAT] <= 0.0 or s.content_kg[THROAT] + most_kg < p.holdup_kg)


@kernel
def feed_rests(s: Row) -> bool:
    """True if nothing can leave the buffer."""
    return bool(s.content_kg[BUFFER] <= 0.0 or stays_shut(s, FEED_PUMP) or stays_shut(s, FEED_VALVE))


@kernel
def offered_kg(p: Row, s: Row, c: int, h_s: float) -> float:
    """What chute c would let through its gate in h_s if nothing held it back below."""
    return float(min(s.content_kg[c], s.outlet_kg_s[c] * s.mean_frac[GATE + c] * h_s))


@kernel
def run_front(p: Row, s: Row, h_s: float) -> None:
    """Chutes to macerator to buffer for h_s: the throat caps the sum, room in the hold-up caps the throat."""
    speed_frac = min(s.mean_frac[MACERATOR], s.mean_frac[MACERATOR_VALVE])
    most_kg = p.throat_kg_s * speed_frac * h_s
    offered_sum_kg = 0.0
    for c in range(p.n_chutes):
        offered_sum_kg += offered_kg(p, s, c, h_s)
    holdup_kg = s.content_kg[THROAT]
    taken_kg = 0.0
    if offered_sum_kg > 0.0:
        room_kg = p.holdup_kg - holdup_kg + min(holdup_kg, most_kg)
        share = min(1.0, min(p.throat_kg_s * h_s, max(0.0, room_kg)) / offered_sum_kg)
        for c in range(p.n_chutes):
            kg = min(s.content_kg[c], share * offered_kg(p, s, c, h_s))
            s.content_kg[c] -= kg
            taken_kg += kg
    passed_kg = min(holdup_kg + taken_kg, most_kg)
    s.content_kg[THROAT] = holdup_kg + taken_kg - passed_kg
    s.most_kg[THROAT] = max(s.most_kg[THROAT], s.content_kg[THROAT])
    if passed_kg > 0.0:
        water_kg = p.water_ratio * passed_kg * min(s.mean_frac[WATER_1], s.mean_frac[WATER_2])
        s.supplied_kg += water_kg
        fill_buffer(p, s, passed_kg, water_kg)


@kernel
def fill_buffer(p: Row, s: Row, waste_kg: float, water_kg: float) -> None:
    """Slurry into the buffer; what is over the lip spills as mixed. Then the float."""
    s.buffer_waste_kg += waste_kg
    s.buffer_water_kg += water_kg
    held_kg = s.buffer_waste_kg + s.buffer_water_kg
    over_kg = held_kg - p.lip_kg[BUFFER]
    s.most_kg[BUFFER] = max(s.most_kg[BUFFER], min(held_kg, p.lip_kg[BUFFER]))
    if over_kg > 0.0:
        over_waste_kg = over_kg * s.buffer_waste_kg / held_kg
        s.buffer_waste_kg -= over_waste_kg
        s.buffer_water_kg -= over_kg - over_waste_kg
        s.spilled_waste_kg[BUFFER] += over_waste_kg
        s.spilled_kg[BUFFER] += over_kg
    settle_buffer(p, s)


@kernel
def settle_buffer(p: Row, s: Row) -> None:
    """Sum the buffer, and let the float chain follow it."""
    s.content_kg[BUFFER] = s.buffer_waste_kg + s.buffer_water_kg
    if s.has_float != 0:
        if s.content_kg[BUFFER] > p.float_on_kg:
            s.float_on = 1
        elif s.content_kg[BUFFER] < p.float_off_kg:
            s.float_on = 0


@kernel
def drop_bag(p: Row, s: Row, c: int, bag_kg: float) -> None:
    """A bag at chute c: refused by a locked lid, else in; what is over the chute's lip falls beside it."""
    s.arrived_kg[c] += bag_kg
    lid = LID + c
    opening_frac = s.travel_frac[lid] if s.stuck_frac[lid] < 0.0 else s.stuck_frac[lid]
    if opening_frac <= 0.0:
        s.refused_kg[c] += bag_kg
        return
    s.content_kg[c] += bag_kg
    spill(p, s, c)


@kernel
def spill(p: Row, s: Row, v: int) -> None:
    """What stands over the lip of chute or vessel v is gone; the most that it held is noted."""
    over_kg = s.content_kg[v] - p.lip_kg[v]
    if over_kg > 0.0:
        s.content_kg[v] = p.lip_kg[v]
        s.spilled_kg[v] += over_kg
        s.spilled_waste_kg[v] += over_kg
    s.most_kg[v] = max(s.most_kg[v], s.content_kg[v])


@kernel
def chutes_hold_kg(p: Row, s: Row) -> float:
    """Waste in chutes, macerator and buffer together."""
    held_kg = s.content_kg[THROAT] + s.buffer_waste_kg
    for c in range(p.n_chutes):
        held_kg += s.content_kg[c]
    return float(held_kg)
