"""How well the controller's digester model names the class of FOS/TAC, and how long before the pH it does.

The model runs as on a pod, a step a minute, after twenty calm days at the digester's own readings. An hour counts as
right when estimate and truth lie in the same class: below 0.3, from 0.3 to 0.4, above. Instruments may be wrong by a
declared error. Neighbours: `overloads` gives readings, the kernel is `pod_controller.kernels.digestion`; `rows` prints.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pod_controller.kernels import records
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.digestion import digest
from pod_controller.kernels.records import Record
from pod_controller.topology import Topology
from sim_hardware.digester import SOUR_PH
from sim_hardware.sourness.overloads import ROW_D, Readings

CALM_D = 20.0
MINUTES = 15
EDGES = (0.3, 0.4)
ROWS_AN_HOUR = 4


class Errors(NamedTuple):
    """How wrong the instruments are: factor on the gas flow, shift of methane share and of pH."""

    gas_ratio: float = 1.0
    ch4_frac: float = 0.0
    ph: float = 0.0


EXACT = Errors()


class Score(NamedTuple):
    """Hours by class, rows true and columns estimated; hours from an estimate of 0.4 to a pH of 6.5 where both came."""

    hours: NDArray[np.int64]
    lead_h: tuple[float, ...]

    @property
    def right_frac(self) -> float:
        """Share of hours in the right class."""
        return float(self.hours.trace() / self.hours.sum())

    @property
    def right_of_class_frac(self) -> list[float]:
        """The same for the hours of each true class."""
        return [float(row[k] / max(1, row.sum())) for k, row in enumerate(self.hours)]


@kernel
def follow(p: Record, s: Record, f: Record, shown: Readings, estimate: NDArray[np.float64]) -> None:
    """One estimate of FOS/TAC per row of readings."""
    f.temp_degc = p.digestion.temp_degc
    for row in range(len(shown)):
        f.gas_m3_h = shown[row, 1] / 24.0
        f.ch4_frac = shown[row, 2]
        f.ph = shown[row, 3]
        for _ in range(MINUTES):
            f.now_ns += 60_000_000_000
            f.gas_ns = f.now_ns
            f.ch4_ns = f.now_ns
            f.ph_ns = f.now_ns
            s.digest_s += 60.0
            s.digest_fed_kg += shown[row, 0] * 1000.0 / 1440.0
            digest(p, s, f)
        estimate[row] = s.fos_tac_ratio


def estimates(pod: Topology, shown: Readings, errors: Errors = EXACT) -> NDArray[np.float64]:
    """What the model says at each row of readings, as the instruments show them."""
    seen = np.array(shown)
    seen[:, 1] *= errors.gas_ratio
    seen[:, 2] += errors.ch4_frac
    seen[:, 3] += errors.ph
    calm = np.repeat(seen[:1], round(CALM_D / ROW_D), axis=0)
    desk = records.table(records.DESK)
    whole = np.vstack([calm, seen])
    found = np.zeros(len(whole))
    follow(pod.table[0], desk[0].state, desk[0].frame, whole, found)
    return found[len(calm) :]


def score(pod: Topology, runs: Sequence[Readings], errors: Errors = EXACT) -> Score:
    """The model against the truth over whole runs."""
    hours = np.zeros((len(EDGES) + 1, len(EDGES) + 1), dtype=np.int64)
    leads = []
    for shown in runs:
        found = estimates(pod, shown, errors)
        true = np.digitize(shown[::ROWS_AN_HOUR, 4], EDGES)
        named = np.digitize(found[::ROWS_AN_HOUR], EDGES)
        np.add.at(hours, (true, named), 1)
        sour = np.flatnonzero(shown[:, 3] < SOUR_PH)
        warned = np.flatnonzero(found >= EDGES[1])
        if len(sour):
            first = warned[0] if len(warned) else len(shown)
            leads.append(float(sour[0] - first) * ROW_D * 24.0)
    return Score(hours, tuple(leads))
