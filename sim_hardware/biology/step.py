"""One minute of biology: what was fed is mixed in, what left is taken out, ADM1 runs, gas line and light follow.

Beside the hydraulics, which move slurry at the sub-tick and only count what they fed: mass that left takes the mixture
with it. Within the minute the headspace is closed (its own inventory belongs to the gas line), so that every balance
closes to rounding: ADM1's step conserves what its reactions conserve, mixing and gas line are exact.

Neighbours: `turn` calls `live`; `gas_line`, `foam`, `luminous`, `chemistry` do their part. Must not know what moves
slurry.
"""

import math

from pod_controller.kernels.compile import kernel
from sim_hardware.adm1.records import GASES, HYDROLYSES, LIQUIDS, S_CAT, S_IN, UPTAKES
from sim_hardware.adm1.solver import advance
from sim_hardware.biology.chemistry import ask_laboratory, look, solids_kg_m3
from sim_hardware.biology.foam import note_load, rise, swell
from sim_hardware.biology.gas_line import standing_mbar, vent
from sim_hardware.biology.luminous import breathe, glow, grow, mix_side_stream
from sim_hardware.biology.records import FESTIVAL, ORDINARY, Row
from sim_hardware.plant_records import DIGESTER, REACTOR, STORAGE

KG_M3 = 1000.0
OPTIMUM_DEGC = 35.0
DAY_S = 86400.0


@kernel
def live(p: Row, s: Row) -> None:
    """One period of everything that lives, at the end of it; s.content_kg is what the hydraulics left."""
    q, b = p.biology, s.biology
    period_s = q.period_ns * 1e-9
    left_kg = exchange(q, b, s.content_kg[DIGESTER])
    react(q, b, s.temp_degc, period_s)
    s.content_kg[DIGESTER] -= shrink(q, b, p.weir_kg[DIGESTER], period_s)
    swell(q, b, p.weir_kg[DIGESTER], period_s)
    rise(q, b, period_s)
    look(q, b)
    ask_laboratory(q, b)
    share = left_kg / max(s.content_kg[STORAGE], left_kg, 1.0)
    b.liquor_ammonia_kmol_m3 += share * (b.digestion.y[S_IN] - b.liquor_ammonia_kmol_m3)
    b.liquor_salt_kmol_m3 += share * (b.digestion.y[S_CAT] - b.liquor_salt_kmol_m3)
    grow(q, b, mix_side_stream(b, s.content_kg[REACTOR], p.liquor_ratio), period_s)
    breathe(q, b, s.power_lost, period_s)
    s.light_frac = glow(q, b, period_s)
    b.due_ns += q.period_ns


@kernel
def exchange(q: Row, b: Row, content_kg: float) -> float:
    """Mix in what was fed since the last step, take out what has left; returns how much left, in kg."""
    kind = FESTIVAL if q.festival_from_ns <= b.due_ns < q.festival_until_ns else ORDINARY
    y = b.digestion.y
    fed_kg = b.waste_kg + b.water_kg
    mixed_m3 = b.volume_m3 + fed_kg / KG_M3
    left_m3 = mixed_m3 - content_kg / KG_M3
    for i in range(LIQUIDS):
        fed = b.waste_kg * q.content[kind, i]
        y[i] = (y[i] * b.volume_m3 + fed) / mixed_m3
        b.fed[i] += fed
        b.displaced[i] += y[i] * left_m3
    water_kg = b.waste_kg * q.water_kg_kg + b.water_kg
    b.water_fed_kg += water_kg
    over_kg = (b.water_held_kg + water_kg) * left_m3 / mixed_m3
    b.water_held_kg += water_kg - over_kg
    b.water_over_kg += over_kg
    b.fed_kg += fed_kg
    note_load(q, b, b.waste_kg * q.solids_kg_kg[kind])
    b.volume_m3 = content_kg / KG_M3
    b.solids_kg = solids_kg_m3(q, b) * b.volume_m3
    b.waste_kg = b.water_kg = 0.0
    return float(left_m3 * KG_M3)


@kernel
def react(q: Row, b: Row, temp_degc: float, period_s: float) -> None:
    """ADM1 for a period in a closed vessel, its rates at this temperature; what came of each gas into b.made."""
    m, d = b.model, b.digestion
    warmth = math.exp(q.warmth_per_k * (temp_degc - OPTIMUM_DEGC))
    for uptake in range(UPTAKES):
        m.k_m[uptake] = warmth * q.k_m[uptake]
    for first in range(HYDROLYSES):
        m.k_first[first] = warmth * q.k_first[first]
    m.k_dec = warmth * q.k_dec
    m.V_liq, m.V_gas = b.volume_m3, q.closed_m3 - b.volume_m3
    for gas in range(GASES):
        d.y[LIQUIDS + gas] = b.gas[gas] / m.V_gas
    if not advance(m, d, b.workspace, period_s / DAY_S, q.rtol):
        b.stuck += 1
    for gas in range(GASES):
        b.made[gas] = d.y[LIQUIDS + gas] * m.V_gas - b.gas[gas]


@kernel
def shrink(q: Row, b: Row, weir_kg: float, period_s: float) -> float:
    """Gas leaves the slurry and the headspace; returns the kg the slurry has lost, dry gas and vapour.

    What the solids lose to the gas and more is water that reactions took up.
    """
    dry_kg = 0.0
    made_m3 = 0.0
    for gas in range(GASES):
        dry_kg += b.made[gas] * q.gas_kg_per[gas]
        made_m3 += b.made[gas] * b.model.bar_per[gas] / (b.model.P_atm - b.model.p_h2o)
    b.made_m3_h = made_m3 * 3600.0 / period_s
    vapour_kg = -b.vapour_kg
    vent(q, b, b.made, standing_mbar(q, b, b.volume_m3 * KG_M3 - dry_kg, weir_kg), period_s)
    vapour_kg += b.vapour_kg
    b.latent_due_j += vapour_kg * q.latent_j_kg
    b.made_kg += dry_kg
    bound_kg = dry_kg + solids_kg_m3(q, b) * b.volume_m3 - b.solids_kg
    b.water_bound_kg += bound_kg
    b.water_held_kg -= bound_kg + vapour_kg
    after_m3 = b.volume_m3 - (dry_kg + vapour_kg) / KG_M3
    for i in range(LIQUIDS):
        b.digestion.y[i] *= b.volume_m3 / after_m3
    b.volume_m3 = after_m3
    return float(dry_kg + vapour_kg)
