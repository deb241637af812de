"""From reference/plant.toml to the plant's tables: parameters with this seed's draws, and a pod at the start of a run.

Neighbours: `plant_records` has the tables, `scenarios` says how full a run starts, `streams` draws. Must not know the
controller's configuration: the plant is what it is, whatever the controller believes.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from sim_hardware import plant_records as rec
from sim_hardware.plant_records import Table, table
from sim_hardware.streams import uniform

FAMILY = "plant"
NS = 1_000_000_000
ENDLESS_KG = 1e30
AT_ONCE_PER_S = 1e9

Section = Mapping[str, Any]


class Start(NamedTuple):
    """How a run begins."""

    buffer_frac: float = 0.3
    byproduct_frac: float = 0.5
    float_chain: bool = True  # the pod as it was at the festival had none


@cache
def reference(name: str) -> Section:
    """One TOML file of the reference pod, parsed."""
    return tomllib.loads(files("sim_hardware").joinpath("reference", name).read_text("utf-8"))


def plant_params(seed: int, plant: Section | None = None) -> Table:
    """PARAMS (one record) with the draws of one seed; `plant` replaces keys of the reference pod's tables."""
    data = _merged(plant)
    params = table(rec.PARAMS)
    p = params[0]
    p.n_chutes = data["chute"]["count"]
    used = [*range(rec.GATE, rec.GATE + p.n_chutes), *range(rec.LID, rec.LID + p.n_chutes)]
    used += range(rec.MACERATOR, rec.MOVING)
    p.n_used = len(used)
    p.used[: len(used)] = used
    p.step_ns = round(data["step_s"] * NS)
    p.slow_ns = round(data["slow_s"] * NS)
    _strokes(p, data, seed)
    _vessels(p, data)
    _front(p, data)
    _rear(p, data)
    _digester(p, data)
    _instruments(p, data, seed)
    return params


def fresh_pod(params: Table, start: Start, plant: Section | None = None) -> Table:
    """POD (one record) at time 0: everything at its fail state, levels as the scenario starts."""
    data = _merged(plant)
    pod = table(rec.POD)
    s, p = pod[0], params[0]
    s.stuck_frac[:] = -1.0
    s.signal_gain_ratio[:] = 1.0
    s.outlet_kg_s[:] = p.gate_kg_s
    s.has_float = 1 if start.float_chain else 0
    slurry_kg = start.buffer_frac * p.lip_kg[rec.BUFFER]
    s.buffer_waste_kg = slurry_kg / (1.0 + p.water_ratio)
    s.buffer_water_kg = slurry_kg - s.buffer_waste_kg
    s.content_kg[rec.BUFFER] = s.buffer_waste_kg + s.buffer_water_kg
    s.content_kg[rec.DIGESTER] = p.weir_kg[rec.DIGESTER]
    s.content_kg[rec.SUMP] = data["sump"]["start_kg"]
    s.content_kg[rec.STORAGE] = data["storage"]["start_kg"]
    s.content_kg[rec.BIN] = data["bin"]["start_kg"]
    s.content_kg[rec.REACTOR] = p.weir_kg[rec.REACTOR]
    s.content_kg[rec.BYPRODUCT] = start.byproduct_frac * p.lip_kg[rec.BYPRODUCT]
    s.substrate_kg = data["digester"]["start_waste_kg"]
    s.temp_degc = s.jacket_degc = data["digester"]["temp_degc"]
    s.light_frac = 1.0
    s.slow_at_ns, s.truck_at_ns, s.bin_at_ns = p.slow_ns, p.truck_ns, p.bin_ns
    return pod


def _merged(plant: Section | None) -> Section:
    """The reference pod with some keys of its tables replaced."""
    data = reference("plant.toml")
    changed = plant or {}
    return {key: {**value, **changed.get(key, {})} if isinstance(value, dict) else value for key, value in data.items()}


def _strokes(p: rec.Row, data: Section, seed: int) -> None:
    chute, mac, feed, sump, dose = (data[k] for k in ("chute", "macerator", "feed", "sump", "luminous"))
    for c in range(p.n_chutes):
        stroke_s = uniform(FAMILY, f"gate_stroke_s/{c}", seed, *chute["gate_stroke_s"])
        _stroke(p, rec.GATE + c, stroke_s, stroke_s)
        _stroke(p, rec.LID + c, chute["lid_unlock_s"], chute["lid_lock_s"])
    _stroke(p, rec.MACERATOR, mac["run_up_s"], mac["run_down_s"])
    _stroke(p, rec.MACERATOR_VALVE, mac["valve_stroke_s"], mac["valve_stroke_s"])
    for valve in (rec.WATER_1, rec.WATER_2):
        _stroke(p, valve, mac["water_valve_stroke_s"], mac["water_valve_stroke_s"])
    _stroke(p, rec.FEED_PUMP, feed["run_up_s"], feed["run_down_s"])
    _stroke(p, rec.FEED_VALVE, feed["valve_stroke_s"], feed["valve_stroke_s"])
    _stroke(p, rec.SUMP_PUMP, sump["run_up_s"], sump["run_down_s"])
    _stroke(p, rec.SUMP_VALVE, sump["valve_stroke_s"], sump["valve_stroke_s"])
    _stroke(p, rec.DOSING_PUMP, dose["run_up_s"], dose["run_down_s"])
    _stroke(p, rec.DOSING_VALVE, dose["valve_stroke_s"], dose["valve_stroke_s"])


def _stroke(p: rec.Row, actuator: int, open_s: float, close_s: float) -> None:
    p.open_per_s[actuator] = 1.0 / open_s if open_s > 0.0 else AT_ONCE_PER_S
    p.close_per_s[actuator] = 1.0 / close_s if close_s > 0.0 else AT_ONCE_PER_S


def _vessels(p: rec.Row, data: Section) -> None:
    p.lip_kg[:] = ENDLESS_KG
    p.weir_kg[:] = ENDLESS_KG
    p.lip_kg[: rec.MAX_CHUTES] = data["chute"]["lip_kg"]
    named = {
        rec.BUFFER: "buffer",
        rec.DIGESTER: "digester",
        rec.SUMP: "sump",
        rec.STORAGE: "storage",
        rec.BIN: "bin",
        rec.REACTOR: "luminous",
        rec.BYPRODUCT: "byproduct",
    }
    for vessel, name in named.items():
        p.lip_kg[vessel] = data[name]["lip_kg"]
        p.weir_kg[vessel] = data[name].get("weir_kg", ENDLESS_KG)


def _front(p: rec.Row, data: Section) -> None:
    p.gate_kg_s = data["chute"]["gate_kg_s"]
    p.throat_kg_s = data["macerator"]["throat_kg_s"]
    p.holdup_kg = data["macerator"]["holdup_kg"]
    p.water_ratio = data["macerator"]["water_ratio"]
    p.high_level_kg = data["chute"]["high_level_kg"]
    p.float_on_kg = data["buffer"]["float_on_kg"]
    p.float_off_kg = data["buffer"]["float_off_kg"]
    p.feed_kg_s = data["feed"]["rate_kg_s"]


def _rear(p: rec.Row, data: Section) -> None:
    p.sump_pump_kg_s = data["sump"]["pump_kg_s"]
    p.solids_ratio = data["sump"]["solids_ratio"]
    p.dosing_kg_s = data["luminous"]["dosing_kg_h"] / 3600.0
    p.liquor_ratio = data["luminous"]["liquor_ratio"]
    p.truck_ns = round(data["storage"]["truck_every_d"] * 86400 * NS)
    p.bin_ns = round(data["bin"]["emptied_every_d"] * 86400 * NS)
    p.light_s = data["luminous"]["light_s"]
    p.oxygen_mg_l = data["luminous"]["oxygen_mg_l"]


def _digester(p: rec.Row, data: Section) -> None:
    digester = data["digester"]
    p.gas_m3_kg = digester["gas_m3_kg"]
    p.release_per_s = digester["release_per_d"] / 86400.0
    p.gas_mbar = digester["pressure_mbar"]
    p.ch4_frac = digester["ch4_frac"]
    p.ph = digester["ph"]
    p.heater_w = digester["heater_kw"] * 1000.0
    for key in ("loss_w_k", "ambient_degc", "heat_j_kg_k", "jacket_k", "jacket_s"):
        p[key] = digester[key]


def _instruments(p: rec.Row, data: Section, seed: int) -> None:
    """Amplitude, period and phase of each honest error; the two level meters of the buffer speak metres."""
    made = data["instruments"]
    p.signal_per_kg[:] = 1.0
    p.signal_per_kg[rec.LEVELS : rec.LEVELS + 2] = 1.0 / data["buffer"]["kg_per_m"]
    ranges_kg = {rec.CONTENT + c: made["content_kg"] for c in range(p.n_chutes)}
    ranges_kg |= {rec.LEVELS + k: made["buffer_kg"] for k in range(3)}
    for k, vessel in enumerate(v for v in range(rec.DIGESTER, rec.VESSELS) for _ in range(2)):
        full_kg = min(p.lip_kg[vessel], p.weir_kg[vessel])
        ranges_kg[rec.LEVELS + 3 + k] = [share * full_kg for share in made["other_level_frac"]]
    for signal, (low_kg, high_kg) in ranges_kg.items():
        p.signal_error[signal] = uniform(FAMILY, f"signal_error/{signal}", seed, low_kg, high_kg)
        p.signal_per_s[signal] = 1.0 / uniform(FAMILY, f"signal_period/{signal}", seed, *made["period_s"])
        p.signal_phase_frac[signal] = uniform(FAMILY, f"signal_phase/{signal}", seed, 0.0, 1.0)
