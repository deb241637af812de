"""Fills the biology's tables: figures of reference/biology.toml and a scenario's settings, a pod in its steady state.

The digester starts as it stands after 300 d of the nominal feed with the same condition of its methanogens, the
luminous reactor with its culture at rest.

Neighbours: `settings`, `digester` (the steady state), `tier_a` and `hardware` call `equip`. Must not know what happens
in the run.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from sim_hardware import culture, digester
from sim_hardware.adm1 import records as r
from sim_hardware.adm1.records import Table, Vector
from sim_hardware.biology import records as bio
from sim_hardware.biology.chemistry import look, solids_kg_m3
from sim_hardware.biology.luminous import aeration_at_rest, begin_culture
from sim_hardware.biology.settings import Settings, content, solids_kg_kg
from sim_hardware.plant_records import DIGESTER

NS = 1_000_000_000
H_NS = 3600 * NS
KG_M3 = 1000.0
REST_H = 600  # the circuit is at rest long before
VAPOUR_KG_KMOL = 18.02
WATER_AND_SOLIDS_FRAC = 0.988  # of the slurry; the rest is ash: 330 kg/d of waste with 2.2 % in 585 kg/d of digestate
# Dry mass of what ADM1 counts: kg per kg COD, kg per kmol. The polymers as in biology.toml, acids as themselves.
KG_PER = {
    **{"S_su": 1 / 1.07, "S_aa": 1 / 1.42, "S_fa": 1 / 2.88, "S_va": 1 / 2.04, "S_bu": 1 / 1.82, "S_pro": 1 / 1.51},
    **{"S_ac": 1 / 1.07, "S_h2": 1 / 8.0, "S_ch4": 1 / 4.0, "S_IC": 44.0, "S_IN": 17.0, "S_I": 1 / 1.42},
    **{"X_xc": 1 / 1.42, "X_ch": 1 / 1.19, "X_pr": 1 / 1.42, "X_li": 1 / 2.88, "X_I": 1 / 1.42},
    **{"S_cat": 39.1, "S_an": 35.5},
}
GAS_KG_PER = (1 / 8.0, 1 / 4.0, 44.0)


def equip(params: Table, pod: Table, settings: Settings, day_starts_h: float, data: Mapping[str, Any]) -> None:
    """Give a fresh pod its biology. params and pod: one record each, as `params` makes them; data: biology.toml."""
    q, s = params[0].biology, pod[0]
    made = digester.parameters(digester.own_feed(), settings.methanogen_frac)
    _fill(q, data, settings)
    _fill_rates(q, made[0])
    _fill_gas(q, data, made[0])
    _fill_luminous(q, data["luminous"])
    _fill_weather(q, settings, day_starts_h)
    b = s.biology
    b.due_ns = q.period_ns
    b.model = made[0]
    b.model.k_p = 0.0  # the gas line is ours
    b.digestion = nominal(settings.methanogen_frac)[0]
    b.digestion.Q = 0.0
    b.open_frac[:] = 1.0
    b.air_frac = 1.0
    _begin_digester(params[0], s)
    begin_culture(q, b)
    b.liquor_ammonia_kmol_m3, b.liquor_salt_kmol_m3 = b.digestion.y[r.S_IN], b.digestion.y[r.S_CAT]
    b.reactor_ammonia_kmol_m3 = params[0].liquor_ratio * b.liquor_ammonia_kmol_m3
    b.reactor_salt_kmol_m3 = params[0].liquor_ratio * b.liquor_salt_kmol_m3
    look(q, b)
    b.lab_shown_ratio = b.lab_taken_ratio = b.fos_tac_ratio
    b.lab_ready_ns = q.lab_delay_ns


@cache
def nominal(methanogen_frac: float) -> Table:
    """DIGESTION in the steady state of the pod's own feed; not to be changed."""
    feed = digester.own_feed()
    return digester.nominal(feed, digester.parameters(feed, methanogen_frac))


@cache
def culture_at_rest() -> Vector:
    """The published circuit after long dilution at its published rate."""
    return np.array(culture.trajectory(culture.circuit()[0], culture.initial(), REST_H, 64)[-1])


def _begin_digester(p: bio.Row, s: bio.Row) -> None:
    q, b = p.biology, s.biology
    b.volume_m3 = s.content_kg[DIGESTER] / KG_M3
    b.model.V_liq, b.model.V_gas = b.volume_m3, q.closed_m3 - b.volume_m3
    b.gas = b.digestion.y[r.LIQUIDS :] * b.model.V_gas
    b.start, b.start_gas = b.digestion.y[: r.LIQUIDS] * b.volume_m3, b.gas
    b.gauge_mbar = q.weir_mbar
    b.holdup_frac = q.holdup_nominal_frac
    load_kg_m3 = digester.own_feed().flow_m3_d * 0.5 * KG_M3 * q.solids_kg_kg[bio.ORDINARY] / b.volume_m3
    b.load_fast_kg_m3 = b.load_slow_kg_m3 = load_kg_m3
    b.start_kg = b.slow_content_kg = s.content_kg[DIGESTER]
    ash_kg = (1.0 - WATER_AND_SOLIDS_FRAC) * s.content_kg[DIGESTER]
    b.start_water_kg = b.water_held_kg = s.content_kg[DIGESTER] - ash_kg - solids_kg_m3(q, b) * b.volume_m3
    b.start_j = s.content_kg[DIGESTER] * p.heat_j_kg_k * s.temp_degc


def _fill(q: bio.Row, data: Mapping[str, Any], settings: Settings) -> None:
    waste, foam, lab = data["waste"], data["foam"], data["laboratory"]
    q.period_ns = round(data["period_s"] * NS)
    q.rtol = data["rtol"]
    q.content[bio.ORDINARY], q.content[bio.FESTIVAL] = content(waste, settings.waste), content(waste, "festival")
    q.solids_kg_kg[:] = solids_kg_kg(waste)
    q.festival_from_ns = round(settings.festival_from_h * H_NS)
    q.festival_until_ns = q.festival_from_ns + round(settings.festival_for_h * H_NS)
    q.water_kg_kg = 1.0 - waste["solids_frac"]
    q.kg_per = [KG_PER.get(name, KG_PER["X_xc"]) for name in r.LIQUID]  # the biomass like its composite
    q.gas_kg_per = GAS_KG_PER
    q.warmth_per_k = data["warmth_per_k"]
    q.foam_prone_ratio = settings.foam_prone_ratio
    q.foam_per_m, q.foam_s, q.foam_most_m = foam["per_m"], foam["lag_s"], foam["most_m"]
    q.foam_most_ratio, q.foam_load_kg_m3 = foam["sigma_most_ratio"], foam["load_kg_m3"]
    q.foam_acid_kg_m3, q.load_fast_s, q.load_slow_s = foam["acid_kg_m3"], foam["load_fast_s"], foam["load_slow_s"]
    q.lab_every_ns, q.lab_delay_ns = round(lab["every_h"] * H_NS), round(lab["delay_h"] * H_NS)


def _fill_rates(q: bio.Row, made: bio.Row) -> None:
    q.k_m, q.k_first, q.k_dec = made.k_m, made.k_first, made.k_dec


def _fill_gas(q: bio.Row, data: Mapping[str, Any], made: bio.Row) -> None:
    gas, holdup = data["gas"], data["holdup"]
    for key in ("closed_m3", "surface_m2", "burner_most_m3_h", "weir_mbar", "leg_kg_mbar", "latent_j_kg"):
        q[key] = gas[key]
    for path, name in enumerate(("burner", "flare", "relief")):
        q.from_mbar[path], q.m3_h_mbar[path] = gas[f"{name}_from_mbar"], gas[f"{name}_m3_h_mbar"]
    q.vapour_kg_m3 = VAPOUR_KG_KMOL * made.p_h2o / made.RT
    q.holdup_least_frac, q.holdup_most_frac = holdup["least_frac"], holdup["most_frac"]
    q.holdup_full_m3_h, q.holdup_s = holdup["full_m3_h"], holdup["lag_s"]
    made_m3_h = digester.seen(made, nominal(1.0)[0]).gas_m3_d / 24.0
    spread_frac = q.holdup_most_frac - q.holdup_least_frac
    q.holdup_nominal_frac = q.holdup_least_frac + spread_frac * made_m3_h / q.holdup_full_m3_h


def _fill_luminous(q: bio.Row, luminous: Mapping[str, float]) -> None:
    for key, value in luminous.items():
        q[key] = value
    circuit = culture.circuit()[0]
    q.a_1_h, q.gamma_S = circuit.a, circuit.gamma_S
    q.nominal = culture_at_rest()
    aeration_at_rest(q)


def _fill_weather(q: bio.Row, settings: Settings, day_starts_h: float) -> None:
    weather = settings.weather
    q.swing_k, q.snap_k = weather.swing_k, weather.snap_k
    q.coldest_ns = round((weather.coldest_h - day_starts_h) * H_NS)
    q.snap_from_ns = round(weather.snap_from_h * H_NS)
    q.snap_until_ns = q.snap_from_ns + round(weather.snap_for_h * H_NS)
