"""What the instruments show: the truth, an honest small error, and whatever fault an instrument has.

An honest error is a slow smooth wave between its limits, drawn per seed; positions, switches and the float are exact.
A dead instrument and an absent feedback show NaN, which a device turns into its own way of saying so. An instrument
that a technician holds at a standard (a test weight, a bottle of buffer) senses that, with its gain and its bias.

Neighbours: `plant_records` fixes the numbering, `plant` switches faults, `pod_plant` and `field` ask. Must not know
registers or quality codes.
"""

from math import nan

from pod_controller.kernels.compile import kernel
from sim_hardware.biology.foam import swollen_kg
from sim_hardware.biology.records import BURNER, FLARE
from sim_hardware.plant_records import (
    ABSENT,
    BIASED,
    BUFFER,
    CONTENT,
    DEAD,
    DIGESTER,
    DRIFTING,
    FLOAT,
    FOAM,
    FOS_TAC,
    FROZEN,
    GAS_FLOW,
    GAS_PRESSURE,
    HIGH_LEVEL,
    HONEST,
    JACKET,
    LEVELS,
    LID,
    LIGHT,
    METHANE,
    OXYGEN,
    PH,
    POSITION,
    PROVED_LOCKED,
    TEMP,
    Row,
    Table,
)

BUFFER_LEVELS = 3
RADAR_301 = LEVELS + BUFFER_LEVELS + 1  # the digester's second level sees the surface, foam included


@kernel
def shown_position_frac(s: Row, a: int) -> float:
    """Feedback of actuator a: a stuck one shows itself, or pretends to follow its command, or shows nothing."""
    if s.stuck_frac[a] < 0.0:
        return float(s.travel_frac[a])
    if s.feedback[a] == ABSENT:
        return nan
    return float(s.stuck_frac[a] if s.feedback[a] == HONEST else s.travel_frac[a])


@kernel
def vessel_of(signal: int) -> int:
    """The vessel behind a level signal: three on the buffer, then two on each of the others in order."""
    k = signal - LEVELS
    if k < BUFFER_LEVELS:
        return BUFFER
    return DIGESTER + (k - BUFFER_LEVELS) // 2


@kernel
def true_value(p: Row, s: Row, signal: int) -> float:
    """The quantity itself, in the signal's base unit: kg for masses."""
    if signal < PROVED_LOCKED:
        return float(shown_position_frac(s, signal - POSITION))
    if signal < CONTENT:
        return 1.0 if shown_position_frac(s, LID + signal - PROVED_LOCKED) == 0.0 else 0.0
    if signal < FLOAT:
        return float(s.content_kg[signal - CONTENT])
    if signal == FLOAT:
        return float(s.float_on)
    if signal == RADAR_301 and p.biology.period_ns > 0:
        return float(swollen_kg(p.biology, s.biology, s.content_kg[DIGESTER]))
    if signal < GAS_FLOW:
        return float(s.content_kg[vessel_of(signal)])
    if signal >= HIGH_LEVEL:
        return 1.0 if s.content_kg[signal - HIGH_LEVEL] >= p.high_level_kg else 0.0
    return process_value(p, s, signal)


@kernel
def process_value(p: Row, s: Row, signal: int) -> float:
    """Temperatures in degC, light as a fraction, and gas and liquor as far as there is biology."""
    if signal == TEMP:
        return float(s.temp_degc)
    if signal == JACKET:
        return float(s.jacket_degc)
    if signal == LIGHT:
        return float(s.light_frac)
    if p.biology.period_ns > 0:
        return living_value(s.biology, signal)
    return other_value(p, s, signal)


@kernel
def other_value(p: Row, s: Row, signal: int) -> float:
    """Stand-ins of a pod without biology: gas in m3/h and mbar, mg/l, methane share, pH; NaN for the rest."""
    if signal == GAS_FLOW:
        return float(s.substrate_kg * p.release_per_s * p.gas_m3_kg * 3600.0)
    if signal == GAS_PRESSURE:
        return float(p.gas_mbar)
    if signal == OXYGEN:
        return float(p.oxygen_mg_l)
    if signal == METHANE:
        return float(p.ch4_frac)
    if signal == PH:
        return float(p.ph)
    return nan


@kernel
def living_value(b: Row, signal: int) -> float:
    """What lives: gas to burner and flare in m3/h, mbar, mg/l, methane share, pH, FOS/TAC, foam in m, density."""
    if signal == GAS_FLOW:
        return float(b.path_m3_h[BURNER] + b.path_m3_h[FLARE])
    if signal == GAS_PRESSURE:
        return float(b.gauge_mbar)
    if signal == OXYGEN:
        return float(b.oxygen_mg_l)
    if signal == METHANE:
        return float(b.ch4_frac)
    if signal == PH:
        return float(b.ph)
    if signal == FOS_TAC:
        return float(b.lab_shown_ratio)
    if signal == FOAM:
        return float(b.foam_m)
    return float(b.density_ratio)


@kernel
def honest_error(p: Row, s: Row, signal: int) -> float:
    """A smooth wave between minus and plus the signal's error: two parabolas per period instead of a sine."""
    turns = s.now_ns * 1e-9 * p.signal_per_s[signal] + p.signal_phase_frac[signal]
    x = 2.0 * (turns - int(turns)) - 1.0
    return float(p.signal_error[signal] * 4.0 * x * (1.0 - abs(x)))


@kernel
def shown_value(p: Row, s: Row, signal: int) -> float:
    """What the instrument shows, in the signal's base unit; NaN if it shows nothing. Masses never show below 0."""
    fault = s.signal_fault[signal]
    if fault == DEAD:
        return nan
    if fault == FROZEN:
        return float(s.signal_k[signal])
    shown = true_value(p, s, signal)
    if s.at_standard[signal] != 0:
        shown = s.standard_k[signal]
    elif p.signal_error[signal] > 0.0:
        shown += honest_error(p, s, signal)
    shown *= s.signal_gain_ratio[signal]
    if fault == BIASED:
        shown += s.signal_k[signal]
    elif fault == DRIFTING:
        shown += s.signal_k[signal] * (s.now_ns - s.signal_at_ns[signal]) * 1e-9
    if signal >= CONTENT and signal < TEMP:
        shown = max(0.0, shown)
    return float(shown)


@kernel
def show_all(params: Table, state: Table, shown: Table) -> None:
    """Every signal in the unit its instrument speaks, into shown (SIGNALS floats)."""
    p = params[0]
    s = state[0]
    for signal in range(len(shown)):
        shown[signal] = shown_value(p, s, signal) * p.signal_per_kg[signal]
