"""What a laboratory would find in the digester now: pH, acids, bicarbonate, ammonia, methane share, FOS/TAC, solids.

FOS/TAC as in `digester`: acids as mg acetic acid over bicarbonate as mg CaCO3. The methane share is of the wet gas.

Neighbours: `step` looks every minute, `start` once. Must not know the plant.
"""

import math

from pod_controller.kernels.compile import kernel
from sim_hardware.adm1.records import ACID, ACIDS, COD_PER_KMOL, GASES, LIQUIDS, S_IC, S_IN
from sim_hardware.biology.records import Row

ACETIC_KG_KMOL, CALCITE_KG_KMOL = 60.0, 50.0  # per charge
METHANE = 1


@kernel
def look(q: Row, b: Row) -> None:
    """Write the findings of this moment into b."""
    y, ions_kmol_m3 = b.digestion.y, b.digestion.S_H
    acid_kmol_m3 = 0.0
    for acid in range(ACIDS):
        acid_kmol_m3 += max(0.0, y[ACID[acid]]) / COD_PER_KMOL[acid]
    b.ph = -math.log10(ions_kmol_m3)
    b.acid_kg_m3 = acid_kmol_m3 * ACETIC_KG_KMOL
    b.bicarbonate_kmol_m3 = b.model.K_a_co2 * y[S_IC] / (b.model.K_a_co2 + ions_kmol_m3)
    b.ammonia_kmol_m3 = y[S_IN]
    b.fos_tac_ratio = b.acid_kg_m3 / max(CALCITE_KG_KMOL * b.bicarbonate_kmol_m3, 1e-9)
    volume_m3 = q.closed_m3 - b.volume_m3
    pressure_bar = b.model.p_h2o
    for gas in range(GASES):
        pressure_bar += b.gas[gas] * b.model.bar_per[gas] / volume_m3
    b.ch4_frac = b.gas[METHANE] * b.model.bar_per[METHANE] / volume_m3 / pressure_bar


@kernel
def solids_kg_m3(q: Row, b: Row) -> float:
    """Dry mass of everything that ADM1 counts in the slurry."""
    sum_kg_m3 = 0.0
    for i in range(LIQUIDS):
        sum_kg_m3 += q.kg_per[i] * b.digestion.y[i]
    return float(sum_kg_m3)


@kernel
def ask_laboratory(q: Row, b: Row) -> None:
    """A sample when one is due, and its result some hours later."""
    now_ns = b.due_ns
    if now_ns >= b.lab_at_ns:
        b.lab_taken_ratio = b.fos_tac_ratio
        b.lab_ready_ns = now_ns + q.lab_delay_ns
        b.lab_at_ns += q.lab_every_ns
    if now_ns >= b.lab_ready_ns:
        b.lab_shown_ratio = b.lab_taken_ratio
