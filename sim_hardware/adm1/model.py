"""ADM1's right-hand side: hydrogen ions from the charge balance, process rates, gas transfer, balances.

The ODE form of Rosen & Jeppsson (2006) with acid and base in balance at every moment (their DAE form) and hydrogen kept
as a state: the solver is implicit, so it needs no algebraic hydrogen. As in their code a state below zero counts as
zero in the rates, and no gas flows backwards into the headspace.

Neighbours: `records` (tables), `jacobian` (its derivatives), `solver`. Must not know the solver.
"""

import math

import numpy as np

from pod_controller.kernels.compile import kernel
from sim_hardware.adm1.records import (
    ACID,
    ACIDS,
    BIOMASS,
    CO2,
    COD_PER_KMOL,
    DECAYS,
    FIRST_DECAY,
    FIRST_UPTAKE,
    GASES,
    LIQUIDS,
    PH_ACETATE,
    PH_COMMON,
    PH_HYDROGEN,
    PROCESSES,
    S_AN,
    S_BU,
    S_CAT,
    S_H2,
    S_IC,
    S_IN,
    S_VA,
    SUBSTRATE,
    UPTAKE_AC,
    UPTAKE_BU,
    UPTAKE_VA,
    UPTAKES,
    X_SU,
    X_XC,
    Row,
    Vector,
)

MOST_ITERATIONS = 80
LEAST_S_H, MOST_S_H = 1e-20, 1e4  # kmol/m3, wider than water allows: only the search's fence
SHARE_EPSILON = 1e-6  # kg COD/m3, as in the BSM2 code: keeps valerate's share of C4 uptake defined at zero


@kernel
def hydrogen_ions(p: Row, y: Vector, guess: float) -> float:
    """Kmol/m3 of hydrogen ions at which the charges balance, to rounding; guess decides only the time it takes.

    The surplus of charge rises with S_H, so there is one root; Newton inside a shrinking fence cannot miss it.
    """
    ic, nitrogen = max(y[S_IC], 0.0), max(y[S_IN], 0.0)
    low, high = LEAST_S_H, MOST_S_H
    S_H = min(max(guess, low), high)
    for _ in range(MOST_ITERATIONS):
        surplus = y[S_CAT] - y[S_AN] + S_H - p.K_w / S_H
        slope = 1.0 + p.K_w / (S_H * S_H)
        part = 1.0 / (p.K_a_IN + S_H)
        surplus += nitrogen * S_H * part
        slope += nitrogen * p.K_a_IN * part * part
        part = 1.0 / (p.K_a_co2 + S_H)
        surplus -= ic * p.K_a_co2 * part
        slope += ic * p.K_a_co2 * part * part
        for acid in range(ACIDS):
            part = 1.0 / (p.K_a[acid] + S_H)
            ions = max(y[ACID[acid]], 0.0) / COD_PER_KMOL[acid] * p.K_a[acid] * part
            surplus -= ions
            slope += ions * part
        if surplus > 0.0:
            high = S_H
        else:
            low = S_H
        step = surplus / slope
        to = S_H - step
        if not low <= to <= high:
            to = math.sqrt(low) * math.sqrt(high)
        done = abs(to - S_H) <= 1e-8 * S_H  # Newton squares what is left
        S_H = to
        if done:
            break
    return S_H


@kernel
def ph_factor(p: Row, row: int, S_H: float) -> float:
    """The Hill form of BSM2: K^n / (S_H^n + K^n)."""
    return 1.0 / (1.0 + math.pow(S_H / p.K_pH[row], p.n_pH[row]))


@kernel
def fill_rates(p: Row, y: Vector, S_H: float, rate: Vector) -> None:
    """Kg COD/m3/d of the 19 processes."""
    for first in range(FIRST_UPTAKE):
        rate[first] = p.k_first[first] * max(y[X_XC + first], 0.0)
    hydrogen, nitrogen = max(y[S_H2], 0.0), max(y[S_IN], 0.0)
    ammonia = nitrogen * p.K_a_IN / (p.K_a_IN + S_H)
    by_nitrogen = nitrogen / (p.K_S_IN + nitrogen)
    common = ph_factor(p, PH_COMMON, S_H)
    for uptake in range(UPTAKES):
        substrate = max(y[SUBSTRATE[uptake]], 0.0)
        limit = by_nitrogen / (1.0 + hydrogen * p.per_K_I_h2[uptake])
        if uptake < UPTAKE_AC:
            limit *= common
        elif uptake == UPTAKE_AC:
            limit *= ph_factor(p, PH_ACETATE, S_H) / (1.0 + ammonia * p.per_K_I_nh3)
        else:
            limit *= ph_factor(p, PH_HYDROGEN, S_H)
        monod = substrate / (p.K_S[uptake] + substrate)
        rate[FIRST_UPTAKE + uptake] = p.k_m[uptake] * monod * max(y[BIOMASS[uptake]], 0.0) * limit
    valerate, butyrate = max(y[S_VA], 0.0), max(y[S_BU], 0.0)
    c4 = valerate + butyrate + SHARE_EPSILON
    rate[FIRST_UPTAKE + UPTAKE_VA] *= valerate / c4
    rate[FIRST_UPTAKE + UPTAKE_BU] *= butyrate / c4
    for decay in range(DECAYS):
        rate[FIRST_DECAY + decay] = p.k_dec * max(y[X_SU + decay], 0.0)


@kernel
def gas_outflow_m3_d(p: Row, y: Vector) -> float:
    """m3/d that leave the headspace at its own pressure: k_p (P - P_atm), never inwards."""
    pressure = p.p_h2o
    for gas in range(GASES):
        pressure += y[LIQUIDS + gas] * p.bar_per[gas]
    outflow: float = p.k_p * (pressure - p.P_atm)
    return max(0.0, outflow)


@kernel
def fill_slope(p: Row, s: Row, y: Vector, S_H: float, rate: Vector, slope: Vector) -> None:
    """d/dt of all 29 states at y, per day, with the feed and flow of s; rate is scratch."""
    fill_rates(p, y, S_H, rate)
    dilution = s.Q / p.V_liq
    for liquid in range(LIQUIDS):
        slope[liquid] = dilution * (s.feed[liquid] - y[liquid])
    for process in range(PROCESSES):
        for at in range(p.first_entry[process], p.first_entry[process + 1]):
            slope[p.entry_state[at]] += p.entry[at] * rate[process]
    co2 = y[S_IC] * S_H / (p.K_a_co2 + S_H)
    outflow = gas_outflow_m3_d(p, y) / p.V_gas
    for gas in range(GASES):
        dissolved = co2 if gas == CO2 else y[S_H2 + gas]
        leaves = p.k_La * (dissolved - p.dissolved[gas] * y[LIQUIDS + gas] * p.bar_per[gas])
        slope[S_H2 + gas] -= leaves
        slope[LIQUIDS + gas] = leaves * p.V_liq / p.V_gas - y[LIQUIDS + gas] * outflow


@kernel
def right_hand_side(p: Row, s: Row, y: Vector, slope: Vector) -> None:
    """`fill_slope` for somebody else's solver: finds the hydrogen ions itself, keeps nothing."""
    rate = np.empty(PROCESSES)
    fill_slope(p, s, y, hydrogen_ions(p, y, s.S_H), rate, slope)
