"""Behind the buffer: feed, digester at its weir, sump and separator, storage, bin, luminous reactor, by-product.

Same conventions as `vessels`: one record of PARAMS (p) and POD (s), h_s seconds without a change of command. The
digester's gas, heat and light move on a slow clock of their own, so that they do not depend on how time was cut up.
A pod without biology has stand-ins for gas and light, first order after feed and dosing.

Neighbours: `vessels`, `plant`, `biology.turn`, which takes over once a minute. Must not know the controller.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.biology.weather import ambient_degc
from sim_hardware.plant_records import (
    BIN,
    BUFFER,
    BYPRODUCT,
    DIGESTER,
    DOSING_PUMP,
    DOSING_VALVE,
    FEED_PUMP,
    FEED_VALVE,
    REACTOR,
    STORAGE,
    SUMP,
    SUMP_PUMP,
    SUMP_VALVE,
    Row,
)
from sim_hardware.vessels import settle_buffer, spill, stays_shut


@kernel
def pour(p: Row, s: Row, v: int, kg: float) -> float:
    """Kg into vessel v; returns what runs over its weir. What is over the lip is spilled and gone."""
    weir_kg = p.weir_kg[v]
    if v == DIGESTER:
        weir_kg += s.biology.weir_shift_kg
    before_kg = s.content_kg[v]
    s.content_kg[v] += kg
    over_kg = 0.0
    if s.content_kg[v] > weir_kg:
        # A vessel that stood at its weir passes on exactly what came: no rounding of 40 t in every step.
        over_kg = kg if before_kg >= weir_kg else s.content_kg[v] - weir_kg
        s.content_kg[v] = weir_kg if before_kg < weir_kg else before_kg
    spill(p, s, v)
    return over_kg


@kernel
def run_feed(p: Row, s: Row, h_s: float) -> None:
    """Buffer to digester."""
    kg = min(s.content_kg[BUFFER], p.feed_kg_s * min(s.mean_frac[FEED_PUMP], s.mean_frac[FEED_VALVE]) * h_s)
    if kg <= 0.0:
        return
    waste_kg = min(s.buffer_waste_kg, kg * s.buffer_waste_kg / s.content_kg[BUFFER])
    water_kg = min(s.buffer_water_kg, kg - waste_kg)
    s.buffer_waste_kg -= waste_kg
    s.buffer_water_kg -= water_kg
    settle_buffer(p, s)
    feed_digester(p, s, waste_kg, water_kg)


@kernel
def feed_digester(p: Row, s: Row, waste_kg: float, water_kg: float) -> None:
    """Waste and its water arrive in the digester; over the weir the same mass leaves."""
    fed_kg = waste_kg + water_kg
    s.processed_kg += waste_kg
    s.fed_kg += fed_kg
    s.slow_fed_kg += fed_kg
    s.substrate_kg += waste_kg
    s.biology.waste_kg += waste_kg
    s.biology.water_kg += water_kg
    over_kg = pour(p, s, DIGESTER, fed_kg)
    if over_kg > 0.0:
        drain(p, s, over_kg)


@kernel
def drain(p: Row, s: Row, over_kg: float) -> None:
    """What leaves the digester over its weir: to the sump, and from a full sump to storage."""
    s.biology.over_kg += over_kg
    over_kg = pour(p, s, SUMP, over_kg)
    if over_kg > 0.0:
        pour(p, s, STORAGE, over_kg)


@kernel
def sump_rests(s: Row) -> bool:
    """True if the sump's pump moves nothing."""
    return bool(s.content_kg[SUMP] <= 0.0 or stays_shut(s, SUMP_PUMP) or stays_shut(s, SUMP_VALVE))


@kernel
def run_sump(p: Row, s: Row, h_s: float) -> None:
    """Sump through the separator: solids to the bin, liquor to storage."""
    kg = min(s.content_kg[SUMP], p.sump_pump_kg_s * min(s.mean_frac[SUMP_PUMP], s.mean_frac[SUMP_VALVE]) * h_s)
    if kg <= 0.0:
        return
    solids_kg = p.solids_ratio * kg
    s.content_kg[SUMP] -= kg
    pour(p, s, BIN, solids_kg)
    pour(p, s, STORAGE, kg - solids_kg)


@kernel
def dosing_rests(s: Row) -> bool:
    """True if the side stream stands still."""
    return bool(stays_shut(s, DOSING_PUMP) or stays_shut(s, DOSING_VALVE))


@kernel
def run_dosing(p: Row, s: Row, h_s: float) -> None:
    """Liquor and filtered water into the luminous reactor; over its weir into the by-product tank."""
    kg = p.dosing_kg_s * min(s.mean_frac[DOSING_PUMP], s.mean_frac[DOSING_VALVE]) * h_s
    if kg <= 0.0:
        return
    liquor_kg = min(s.content_kg[STORAGE], p.liquor_ratio * kg)
    water_kg = (1.0 - p.liquor_ratio) * kg
    s.content_kg[STORAGE] -= liquor_kg
    s.supplied_kg += water_kg
    s.slow_dosed_kg += liquor_kg + water_kg
    s.biology.dosed_kg += liquor_kg + water_kg
    over_kg = pour(p, s, REACTOR, liquor_kg + water_kg)
    if over_kg > 0.0:
        pour(p, s, BYPRODUCT, over_kg)


@kernel
def draw_byproduct(s: Row, kg: float) -> None:
    """A person draws kg, or what is there; the valve shuts by itself."""
    drawn_kg = min(kg, s.content_kg[BYPRODUCT])
    s.content_kg[BYPRODUCT] -= drawn_kg
    s.drawn_kg += drawn_kg


@kernel
def run_slow(p: Row, s: Row) -> None:
    """One period of the slow clock: gas released, heat balance, light, and whoever comes to empty a tank."""
    period_s = p.slow_ns * 1e-9
    released_kg = s.substrate_kg * p.release_per_s * period_s
    s.substrate_kg -= released_kg
    s.gas_m3 += released_kg * p.gas_m3_kg
    run_heat(p, s, period_s)
    dosed_frac = s.slow_dosed_kg / (p.dosing_kg_s * period_s)
    if p.biology.period_ns == 0:
        s.light_frac += (dosed_frac - s.light_frac) * min(1.0, period_s / p.light_s)
    s.heat_on_s = 0.0
    s.slow_fed_kg = 0.0
    s.slow_dosed_kg = 0.0
    if s.slow_at_ns >= s.truck_at_ns:
        s.truck_at_ns += p.truck_ns
        s.hauled_kg += s.content_kg[STORAGE]
        s.content_kg[STORAGE] = 0.0
    if s.slow_at_ns >= s.bin_at_ns:
        s.bin_at_ns += p.bin_ns
        s.hauled_kg += s.content_kg[BIN]
        s.content_kg[BIN] = 0.0
    s.slow_at_ns += p.slow_ns


@kernel
def run_heat(p: Row, s: Row, period_s: float) -> None:
    """Heat balance of the digester over one slow period: heater, walls, cold feed; with biology, weather and vapour."""
    biology = p.biology.period_ns > 0
    ambient_now_degc = ambient_degc(p.biology, p.ambient_degc, s.now_ns) if biology else p.ambient_degc
    lost_j = p.loss_w_k * (s.temp_degc - ambient_now_degc) * period_s
    gain_j = p.heater_w * s.heat_on_s - lost_j
    gain_j -= s.slow_fed_kg * p.heat_j_kg_k * (s.temp_degc - ambient_now_degc)
    if biology:
        b = s.biology
        gain_j -= b.latent_due_j
        left_kg = b.slow_content_kg + s.slow_fed_kg - s.content_kg[DIGESTER]
        b.slow_content_kg = s.content_kg[DIGESTER]
        b.heater_j += p.heater_w * s.heat_on_s
        b.lost_j += lost_j
        b.fed_j += s.slow_fed_kg * p.heat_j_kg_k * ambient_now_degc
        b.over_j += left_kg * p.heat_j_kg_k * s.temp_degc
        b.latent_j += b.latent_due_j
        b.latent_due_j = 0.0
    s.temp_degc += gain_j / (s.content_kg[DIGESTER] * p.heat_j_kg_k)
    on_frac = s.heat_on_s / period_s
    s.jacket_degc += (s.temp_degc + p.jacket_k * on_frac - s.jacket_degc) * min(1.0, period_s / p.jacket_s)
