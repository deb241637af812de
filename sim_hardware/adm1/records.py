"""The tables of ADM1: names of its states, its parameters with what follows from them, its state, its workspace.

The model is Anaerobic Digestion Model No. 1 as Rosen & Jeppsson (2006) implement it for BSM2. Its published names are
kept: S_ soluble and X_ particulate in kg COD/m3 (S_IC kmol C/m3, S_IN kmol N/m3, S_cat and S_an kmol/m3), G_ in the
headspace per m3 of gas (kg COD; G_co2 kmol C), k_ rates in 1/d, K_ half-saturations in the unit of what they limit.

Neighbours: `parameters` fills PARAMETERS, the kernels of `model`, `jacobian` and `solver` read it
and change DIGESTION. This file must not know files, commands or the pod.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Table = npt.NDArray[Any]
Row = Any  # one record of a Table: fields by name
Vector = npt.NDArray[np.float64]

LIQUID = (
    *("S_su", "S_aa", "S_fa", "S_va", "S_bu", "S_pro", "S_ac", "S_h2", "S_ch4", "S_IC", "S_IN", "S_I"),
    *("X_xc", "X_ch", "X_pr", "X_li", "X_su", "X_aa", "X_fa", "X_c4", "X_pro", "X_ac", "X_h2", "X_I"),
    *("S_cat", "S_an"),
)
GAS = ("G_h2", "G_ch4", "G_co2")
STATES = (*LIQUID, *GAS)
LIQUIDS = len(LIQUID)
GASES = len(GAS)
CO2 = 2  # in the order of GAS; dissolved they are S_h2, S_ch4 and the free part of S_IC, also in this order
SIZE = len(STATES)

S_SU, S_AA, S_FA, S_VA, S_BU, S_PRO, S_AC, S_H2, S_CH4, S_IC, S_IN, S_I = range(12)
X_XC, X_CH, X_PR, X_LI, X_SU, X_AA, X_FA, X_C4, X_PRO, X_AC, X_H2, X_I = range(12, 24)
S_CAT, S_AN, G_H2, G_CH4, G_CO2 = range(24, 29)

# Processes of the Petersen matrix: disintegration, three hydrolyses, eight uptakes, seven decays.
HYDROLYSES, UPTAKES, DECAYS = 4, 8, 7  # the four first-order ones include disintegration
PROCESSES = HYDROLYSES + UPTAKES + DECAYS
FIRST_UPTAKE = HYDROLYSES
FIRST_DECAY = HYDROLYSES + UPTAKES
UPTAKE_VA, UPTAKE_BU, UPTAKE_AC, UPTAKE_H2 = 3, 4, 6, 7
SUBSTRATE = np.array([S_SU, S_AA, S_FA, S_VA, S_BU, S_PRO, S_AC, S_H2])
BIOMASS = np.array([X_SU, X_AA, X_FA, X_C4, X_C4, X_PRO, X_AC, X_H2])
PH_COMMON, PH_ACETATE, PH_HYDROGEN = range(3)  # limits "aa" (all but two), "ac", "h2"
MOST_ENTRIES = 128  # non-zero entries of the Petersen matrix; the standard one has 99

# Acids of the charge balance: state, kg COD per kmol of charge, in the order of K_a (valerate to acetate).
ACIDS = 4
ACID = np.array([S_VA, S_BU, S_PRO, S_AC])
COD_PER_KMOL = np.array([208.0, 160.0, 112.0, 64.0])

# Below this much of a state (its own unit) errors are judged absolutely: 1e-6, for the traces of hydrogen less.
FLOOR = np.full(SIZE, 1e-6)
FLOOR[S_H2] = 1e-10
FLOOR[G_H2] = 1e-8

STAGES = 6


def _record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    """An aligned record type whose rows read by attribute, compiled or not."""
    return np.dtype((np.record, list(fields)), align=True)


PARAMETERS = _record(
    ("V_liq", "f8"),
    ("V_gas", "f8"),
    ("RT", "f8"),  # bar m3/kmol
    ("k_first", "f8", (HYDROLYSES,)),  # k_dis, k_hyd_ch, k_hyd_pr, k_hyd_li
    ("k_m", "f8", (UPTAKES,)),
    ("K_S", "f8", (UPTAKES,)),
    ("per_K_I_h2", "f8", (UPTAKES,)),  # 1/K_I_h2; 0 where hydrogen does not inhibit
    ("per_K_I_nh3", "f8"),
    ("K_pH", "f8", (3,)),  # kmol/m3, rows PH_COMMON to PH_HYDROGEN
    ("n_pH", "f8", (3,)),
    ("K_S_IN", "f8"),
    ("k_dec", "f8"),
    ("K_a", "f8", (4,)),  # of ACID
    ("K_a_co2", "f8"),
    ("K_a_IN", "f8"),
    ("K_w", "f8"),
    ("k_La", "f8"),
    ("k_p", "f8"),
    ("P_atm", "f8"),
    ("p_h2o", "f8"),
    ("dissolved", "f8", (3,)),  # liquid content in balance with 1 bar of H2, CH4, CO2, in the state's unit
    ("bar_per", "f8", (3,)),  # partial pressure per unit of G_h2, G_ch4, G_co2
    ("first_entry", "i8", (PROCESSES + 1,)),  # the Petersen matrix, row after row
    ("entry_state", "i8", (MOST_ENTRIES,)),
    ("entry", "f8", (MOST_ENTRIES,)),
)

DIGESTION = _record(
    ("y", "f8", (SIZE,)),
    ("feed", "f8", (LIQUIDS,)),
    ("Q", "f8"),  # m3/d
    ("S_H", "f8"),  # kmol/m3, follows from y; kept as the next guess
    ("step_d", "f8"),  # the step the solver would take next, kept across changes of the feed
    ("steps", "i8"),
    ("rejected", "i8"),
)

WORKSPACE = _record(
    ("rate", "f8", (PROCESSES,)),
    ("first_slope", "f8", (SIZE,)),
    ("stage_y", "f8", (SIZE,)),
    ("increment", "f8", (STAGES, SIZE)),
    ("jacobian", "f8", (SIZE, SIZE)),
    ("factors", "f8", (SIZE, SIZE)),
    ("pivot", "i8", (SIZE,)),
    ("by_S_H", "f8", (SIZE,)),  # slope per kmol/m3 of hydrogen ions
)


def table(dtype: np.dtype[Any]) -> Table:
    """One row of zeros."""
    return np.zeros(1, dtype)
