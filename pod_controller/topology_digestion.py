"""[digestion] of a configuration as the kernels' DIGESTION record.

Neighbours: `topology` calls it, `kernels.digestion` reads the record. Must not know readings or vessels.
"""

import math

from pod_controller.config import PodConfig
from pod_controller.config_digestion import Digestion
from pod_controller.kernels.records import Record

DAY_S = 86400.0
GAS_J_MOL_K = 8.314462618
KELVIN = 273.15
PA_PER_BAR = 1e5
_ALIKE = ("step_s", "fresh_s", "carried_s", "liquid_kg", "gas_most_m3_h", "stop_ph")


def fill_digestion(plant: Record, config: PodConfig) -> None:
    """Fill PLANT's digestion; it stays zero, `present` too, without the table."""
    if config.digestion is None:
        return
    row, told = plant.digestion, config.digestion
    row.present = 1
    for key in _ALIKE:
        row[key] = getattr(told, key)
    for key, value in told.model.model_dump().items():
        row[key] = value
    kelvin = told.model.temp_degc + KELVIN
    row.gas_mmol_m3 = 1000.0 * told.model.gas_bar * PA_PER_BAR / (GAS_J_MOL_K * kelvin)
    row.peak_mmol_l = math.sqrt(told.model.ks2_mmol_l * told.model.ki2_mmol_l)
    row.limit_ratio[:] = told.fos_tac_slow_ratio, told.fos_tac_hold_ratio, told.fos_tac_stop_ratio
    row.band_ratio = told.fos_tac_band_ratio
    row.error_ratio = told.fos_tac_error_ratio
    row.full_kg_s = told.full_kg_24h / DAY_S
    row.held_kg_s = told.held_kg_24h / DAY_S
    _fill_blind(row, told)


def _fill_blind(row: Record, told: Digestion) -> None:
    row.n_blind = len(told.blind)
    for k, blind in enumerate(told.blind):
        row.blind_degc[k] = blind.temp_degc
        row.blind_kg_s[k, :] = [feed_kg / DAY_S for feed_kg in blind.feed_kg_24h]
