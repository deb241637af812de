"""Whether what went into the digester came out of it or is still there: COD, carbon, nitrogen, slurry, water, heat.

Every flow was counted where it happened (feed, weir, each path of the gas line, walls, heater), the content is the
state itself: nothing here is computed from the balance it is to prove. Water also turns into solids and gas: what
reactions took up is counted from their solids and gas. Heat counts from 0 degC.

Neighbours: the kernels of this package keep the accounts. Must not know what ran.
"""

from typing import NamedTuple

import numpy as np

from sim_hardware.adm1 import parameters as adm1_parameters
from sim_hardware.adm1 import records as r
from sim_hardware.adm1.records import Vector
from sim_hardware.plant_records import DIGESTER, Table

IONS = ("S_IC", "S_IN", "S_cat", "S_an")
WITHOUT_COD = (*IONS, "G_co2")


class Balance(NamedTuple):
    """One quantity over a run, in its own unit (kg COD, kmol C, kmol N, kg, J); error over what came in."""

    quantity: str
    entered: np.float64
    left: np.float64
    start: np.float64
    end: np.float64

    @property
    def error_ratio(self) -> float:
        """What is missing or too much, over all that took part."""
        return float(abs(self.start + self.entered - self.left - self.end) / (self.start + self.entered))


def balances(params: Table, pod: Table) -> list[Balance]:
    """All of them, from one record each of PARAMS and POD."""
    b = pod[0].biology
    liquid = b.digestion.y[: r.LIQUIDS] * b.volume_m3
    rows = []
    for quantity, per in _contents().items():
        dissolved, gaseous = per[: r.LIQUIDS], per[r.LIQUIDS :]
        entered, over, gas_out = b.fed @ dissolved, b.displaced @ dissolved, b.gas_out.sum(axis=0) @ gaseous
        start = b.start @ dissolved + b.start_gas @ gaseous
        rows.append(Balance(quantity, entered, over + gas_out, start, liquid @ dissolved + b.gas @ gaseous))
    return [*rows, _mass(pod), _water(pod), _heat(params, pod)]


def _contents() -> dict[str, Vector]:
    """COD, carbon and nitrogen per unit of each of the 29 states."""
    cod = np.array([0.0 if name in WITHOUT_COD else 1.0 for name in r.STATES])
    by_name = adm1_parameters.contents(adm1_parameters.published())
    carbon, nitrogen = (np.array([element.get(name, 0.0) for name in r.STATES]) for element in by_name)
    carbon[r.S_IC] = carbon[r.G_CO2] = nitrogen[r.S_IN] = 1.0
    carbon[r.G_CH4] = carbon[r.S_CH4]
    return {"COD": cod, "carbon": carbon, "nitrogen": nitrogen}


def _mass(pod: Table) -> Balance:
    """Slurry: what was fed went over weir or lip, into the gas, or is there."""
    s = pod[0]
    b = s.biology
    waiting_kg = b.waste_kg + b.water_kg  # fed since the last step
    left_kg = b.over_kg + s.spilled_kg[DIGESTER] + b.made_kg + b.vapour_kg
    return Balance("slurry", b.fed_kg + waiting_kg, left_kg, b.start_kg, s.content_kg[DIGESTER])


def _water(pod: Table) -> Balance:
    b = pod[0].biology
    left_kg = b.water_over_kg + b.vapour_kg + b.water_bound_kg
    return Balance("water", b.water_fed_kg, left_kg, b.start_water_kg, b.water_held_kg)


def _heat(params: Table, pod: Table) -> Balance:
    s = pod[0]
    b = s.biology
    held_j = b.slow_content_kg * params[0].heat_j_kg_k * s.temp_degc
    return Balance("heat", b.fed_j + b.heater_j, b.lost_j + b.over_j + b.latent_j, b.start_j, held_j)
