"""What the biology of a pod shows at a moment, as one tuple: for tests, reports and whoever estimates it.

These are true values of the simulated plant, not what instruments show. Neighbours: `chemistry` finds most of them;
`alone` and both tiers have the records. Must not know who asks.
"""

from typing import NamedTuple

from sim_hardware.biology.records import BURNER, FLARE, RELIEF
from sim_hardware.plant_records import Table


class Reading(NamedTuple):
    """One moment. Gas is wet, at P_atm and 35 degC; acids count as acetic acid; loads are kg VS/m3/d over a day."""

    at_s: float
    gas_made_m3_h: float
    burner_m3_h: float
    flare_m3_h: float
    relief_m3_h: float
    pressure_mbar: float
    ch4_frac: float
    ph: float
    acid_kg_m3: float
    bicarbonate_kmol_m3: float
    ammonia_kmol_m3: float
    fos_tac_ratio: float
    laboratory_fos_tac_ratio: float
    load_kg_m3: float
    foam_m: float
    holdup_frac: float
    temp_degc: float
    light_frac: float
    density_ratio: float
    oxygen_mg_l: float


def read(pod: Table) -> Reading:
    """The reading of a POD record (one row) with biology."""
    s = pod[0]
    b = s.biology
    flows_m3_h = b.path_m3_h
    return Reading(
        at_s=float(s.now_ns * 1e-9),
        gas_made_m3_h=float(b.made_m3_h),
        burner_m3_h=float(flows_m3_h[BURNER]),
        flare_m3_h=float(flows_m3_h[FLARE]),
        relief_m3_h=float(flows_m3_h[RELIEF]),
        pressure_mbar=float(b.gauge_mbar),
        ch4_frac=float(b.ch4_frac),
        ph=float(b.ph),
        acid_kg_m3=float(b.acid_kg_m3),
        bicarbonate_kmol_m3=float(b.bicarbonate_kmol_m3),
        ammonia_kmol_m3=float(b.ammonia_kmol_m3),
        fos_tac_ratio=float(b.fos_tac_ratio),
        laboratory_fos_tac_ratio=float(b.lab_shown_ratio),
        load_kg_m3=float(b.load_slow_kg_m3),
        foam_m=float(b.foam_m),
        holdup_frac=float(b.holdup_frac),
        temp_degc=float(s.temp_degc),
        light_frac=float(s.light_frac),
        density_ratio=float(b.density_ratio),
        oxygen_mg_l=float(b.oxygen_mg_l),
    )
