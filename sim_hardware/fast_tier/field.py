"""The fast tier's field: devices that sample, modules that hold, writes that are proved a tick later, and their faults.

A model of `hal` and the wire without bytes: each line reads its devices at its own moment before the tick; an output
module takes a write at once, shows by read-back at its next sampling that it holds it, and drops everything when no
request has reached it for its watchdog; after a missing or wrong read-back it is left alone for longer than that.

Neighbours: `field_tables` fills the tables, `tier_a` runs the loop, `signals` is what instruments show. In signatures
b is the record of FIELD, f of FRAME, p and s of PARAMS and POD; d counts devices, k sources, o outputs.
"""

from math import nan

from pod_controller.kernels.compile import kernel
from sim_hardware.fast_tier.field_records import (
    FLOAT_SWITCH,
    GAS,
    HIGH_SWITCH,
    LEVEL,
    LOCK,
    METHANE,
    NEVER_NS,
    POSITION,
    RING,
    TEMPERATURE,
    WEIGHT,
    Row,
)
from sim_hardware.plant import change
from sim_hardware.plant_records import DEVICE_DEAD, LINE_DEAD, LOST_WRITES, MODULE_FROZEN
from sim_hardware.signals import shown_value

BAD = 2
STALE_PERIODS = 3


@kernel
def switch(b: Row, edge: Row) -> None:
    """Begin or end one fault of a device."""
    d = edge.member
    step = 1 if edge.on != 0 else -1
    if edge.code in (LINE_DEAD, DEVICE_DEAD):
        b.silent[d] += step
    elif edge.code == MODULE_FROZEN:
        b.silent[d] += step
        b.frozen[d] += step
        find_expiry(b)
    elif edge.code == LOST_WRITES:
        b.deaf[d] = 1 + edge.way if edge.on != 0 else 0


@kernel
def find_expiry(b: Row) -> None:
    """When the next watchdog runs out if nobody feeds it."""
    b.expiry_ns = NEVER_NS
    for d in range(b.n_devices):
        if b.watchdog_ns[d] > 0 and b.frozen[d] == 0 and b.fed_ns[d] >= 0:
            b.expiry_ns = min(b.expiry_ns, b.fed_ns[d] + b.watchdog_ns[d])


@kernel
def drop_expired(b: Row, s: Row, now_ns: int) -> None:
    """Modules whose watchdog has run out let go of everything."""
    for d in range(b.n_devices):
        if b.watchdog_ns[d] == 0 or b.frozen[d] > 0 or b.fed_ns[d] < 0 or b.fed_ns[d] + b.watchdog_ns[d] > now_ns:
            continue
        b.fed_ns[d] = -1
        for o in range(b.first_output[d], b.first_output[d + 1]):
            change(s, b.actuator[o], 0.0)
    find_expiry(b)


@kernel
def poll(b: Row, f: Row, p: Row, s: Row, d: int, tick: int) -> None:
    """Ask device d at the plant's present time: samples into the frame, read-back of its outputs."""
    now_ns = s.now_ns
    if now_ns < b.quiet_ns[d]:
        return
    if b.silent[d] > 0:
        if b.watchdog_ns[d] > 0:
            leave_alone(b, d, now_ns)
        return
    b.seen_ns[d] = now_ns
    b.sampled_ns = now_ns
    for k in range(b.first_source[d], b.first_source[d + 1]):
        value = shown_value(p, s, b.signal[k])
        if b.lag_ticks[d] > 0 and (b.kind[k] == LEVEL or b.kind[k] == WEIGHT):
            put_late(b, f, k, value, tick, b.lag_ticks[d])
        else:
            put(b, f, k, value, now_ns)
    if b.watchdog_ns[d] > 0:
        b.fed_ns[d] = now_ns
        read_back(b, s, d)


@kernel
def leave_alone(b: Row, d: int, now_ns: int) -> None:
    """No request to module d until its own watchdog must have dropped it; what it was told before counts no more."""
    b.quiet_ns[d] = now_ns + b.watchdog_ns[d] + b.margin_ns
    b.written_ns[d] = -1


@kernel
def read_back(b: Row, s: Row, d: int) -> None:
    """What the module holds against what was written to it: proved, or left alone until its watchdog has dropped it."""
    for o in range(b.first_output[d], b.first_output[d + 1]):
        if s.drive[b.actuator[o]] == 0.0:
            b.off_ns[o] = s.now_ns
    if b.written_ns[d] < 0:
        return
    for o in range(b.first_output[d], b.first_output[d + 1]):
        if s.drive[b.actuator[o]] != b.wanted_frac[o]:
            leave_alone(b, d, s.now_ns)
            return
    for o in range(b.first_output[d], b.first_output[d + 1]):
        b.acked_ns[o] = b.written_ns[d]


@kernel
def put(b: Row, f: Row, k: int, value: float, taken_ns: int) -> None:
    """One sample into the frame; NaN is BAD."""
    kind = b.kind[k]
    i = b.row[k]
    quality = 0 if value == value else BAD  # noqa: PLR0124  # NaN is the only value unequal to itself
    if kind == LEVEL:
        f.level_kg[i, b.column[k]] = value * b.scale[k]
        f.level_ns[i, b.column[k]] = taken_ns
        f.level_quality[i, b.column[k]] = quality
    elif kind == WEIGHT:
        f.content_kg[i] = value * b.scale[k]
        f.content_ns[i] = taken_ns
        f.content_quality[i] = quality
    elif kind == FLOAT_SWITCH:
        f.float_on[i] = 0 if value < 0.5 else 1
    elif kind == HIGH_SWITCH:
        f.high_on[i] = 0 if value < 0.5 else 1
        f.high_ns[i] = taken_ns
    elif kind in (POSITION, LOCK):
        f.position_frac[i] = value if kind == POSITION else 1.0 - value
        f.position_ns[i] = taken_ns
        f.position_quality[i] = quality
    elif kind == TEMPERATURE:
        f.temp_degc = value
        f.temp_quality = quality
    else:
        put_digester(f, kind, value, taken_ns, quality)


@kernel
def put_digester(f: Row, kind: int, value: float, taken_ns: int, quality: int) -> None:
    """One sample of what the digester's model is fed with."""
    if kind == GAS:
        f.gas_m3_h = value
        f.gas_ns = taken_ns
        f.gas_quality = quality
    elif kind == METHANE:
        f.ch4_frac = value
        f.ch4_ns = taken_ns
        f.ch4_quality = quality
    else:
        f.ph = value
        f.ph_ns = taken_ns
        f.ph_quality = quality


@kernel
def put_late(b: Row, f: Row, k: int, value: float, tick: int, lag_ticks: int) -> None:
    """The same by way of a ring: what enters the frame was sampled lag_ticks ago, a whole number of periods."""
    b.ring_kg[tick % RING, k] = value
    b.ring_ns[tick % RING, k] = b.sampled_ns
    old = (tick - lag_ticks) % RING
    if tick >= lag_ticks and b.ring_ns[old, k] >= 0:
        put(b, f, k, b.ring_kg[old, k], b.ring_ns[old, k])


@kernel
def forget_stale(b: Row, f: Row, now_ns: int) -> None:
    """Devices that have not been seen for three of their periods: all that hangs on them is BAD."""
    for d in range(b.n_devices):
        if now_ns - b.seen_ns[d] <= STALE_PERIODS * b.period_ticks[d] * b.tick_ns:
            continue
        for k in range(b.first_source[d], b.first_source[d + 1]):
            i = b.row[k]
            if b.kind[k] == LEVEL:
                f.level_quality[i, b.column[k]] = BAD
            elif b.kind[k] == WEIGHT:
                f.content_quality[i] = BAD
            elif b.kind[k] == FLOAT_SWITCH:
                f.float_on[i] = 1
            elif b.kind[k] == HIGH_SWITCH:
                f.high_on[i] = 1
            elif b.kind[k] in (POSITION, LOCK):
                f.position_quality[i] = BAD
            elif b.kind[k] == TEMPERATURE:
                f.temp_quality = BAD
            else:  # the model takes an old sample for none
                put_digester(f, b.kind[k], nan, b.seen_ns[d], BAD)


@kernel
def prove(b: Row, f: Row, n_elements: int) -> None:
    """verified_ns of each element: the oldest proof among its outputs."""
    for e in range(n_elements):
        f.verified_ns[e] = NEVER_NS
    for o in range(b.n_outputs):
        e = b.element[o]
        f.verified_ns[e] = min(f.verified_ns[e], b.acked_ns[o])


@kernel
def write(b: Row, g: Row, s: Row, now_ns: int) -> None:
    """The permit to every output module that has answered for this tick, as far as it takes writes."""
    for d in range(b.n_devices):
        if b.watchdog_ns[d] == 0 or now_ns < b.quiet_ns[d] or now_ns - b.seen_ns[d] >= b.tick_ns:
            continue
        for o in range(b.first_output[d], b.first_output[d + 1]):
            b.wanted_frac[o] = 1.0 if g.grant_frac[b.element[o]] > 0.0 else 0.0
        b.written_ns[d] = now_ns
        if b.deaf[d] == 1:
            leave_alone(b, d, now_ns)
            continue
        b.fed_ns[d] = now_ns
        if b.deaf[d] == 0:
            for o in range(b.first_output[d], b.first_output[d + 1]):
                change(s, b.actuator[o], b.wanted_frac[o])
    find_expiry(b)
