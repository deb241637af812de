"""ADM1's Jacobian, by hand: one evaluation of the model instead of thirty.

Every rate depends directly on a few states and, through the pH, on eight more; the second part is a product of one
column (slope by S_H) and one row (S_H by state, from the charge balance). A state below zero counts as zero, so
nothing changes with it; at zero itself the derivative upwards is used. A test compares it with differences of the
right-hand side.

Neighbours: `model` (the functions derived here), `solver`. Must not know the solver.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.adm1 import records as r
from sim_hardware.adm1.model import SHARE_EPSILON, gas_outflow_m3_d, ph_factor
from sim_hardware.adm1.records import Row, Vector
from sim_hardware.adm1.stiff import Matrix


@kernel
def fill_jacobian(p: Row, s: Row, y: Vector, w: Row) -> None:
    """w.jacobian[j, i] = d slope_i / d y_j at y; w.rate must hold the rates at y, s.S_H its hydrogen ions."""
    w.jacobian[:] = 0.0
    w.by_S_H[:] = 0.0
    for liquid in range(r.LIQUIDS):
        w.jacobian[liquid, liquid] = -s.Q / p.V_liq
    for first in range(r.FIRST_UPTAKE):
        _add(p, w.jacobian, first, r.X_XC + first, counts(y[r.X_XC + first]) * p.k_first[first])
    for decay in range(r.DECAYS):
        _add(p, w.jacobian, r.FIRST_DECAY + decay, r.X_SU + decay, counts(y[r.X_SU + decay]) * p.k_dec)
    for uptake in range(r.UPTAKES):
        _add_uptake(p, s.S_H, y, w, uptake)
    _add_gas(p, s.S_H, y, w)
    _add_ph(p, s.S_H, y, w)


@kernel
def counts(state: float) -> float:
    """Slope of max(state, 0): one from zero on, nothing below."""
    return 1.0 if state >= 0.0 else 0.0


@kernel
def _add(p: Row, jacobian: Matrix, process: int, state: int, by_state: float) -> None:
    """A process whose rate changes by by_state with a state."""
    for at in range(p.first_entry[process], p.first_entry[process + 1]):
        jacobian[state, p.entry_state[at]] += p.entry[at] * by_state


@kernel
def _add_uptake(p: Row, S_H: float, y: Vector, w: Row, uptake: int) -> None:
    process = r.FIRST_UPTAKE + uptake
    rate = w.rate[process]
    substrate, biomass = max(y[r.SUBSTRATE[uptake]], 0.0), max(y[r.BIOMASS[uptake]], 0.0)
    hydrogen, nitrogen = max(y[r.S_H2], 0.0), max(y[r.S_IN], 0.0)
    row = r.PH_COMMON
    if uptake >= r.UPTAKE_AC:
        row += uptake - r.UPTAKE_AC + 1
    by_ph = ph_factor(p, row, S_H)
    by_hydrogen = 1.0 / (1.0 + hydrogen * p.per_K_I_h2[uptake])
    limit = p.k_m[uptake] * by_ph * by_hydrogen  # all but Monod, nitrogen, share and biomass
    by_S_H = -rate * (1.0 - by_ph) * p.n_pH[row] / S_H
    by_nitrogen = 0.0
    if uptake == r.UPTAKE_AC:
        part = 1.0 / (p.K_a_IN + S_H)
        by_ammonia = 1.0 / (1.0 + nitrogen * p.K_a_IN * part * p.per_K_I_nh3)
        limit *= by_ammonia
        change = rate * by_ammonia * p.per_K_I_nh3 * p.K_a_IN * part
        by_nitrogen -= change
        by_S_H += change * nitrogen * part
    share = 1.0
    if uptake in (r.UPTAKE_VA, r.UPTAKE_BU):
        c4 = max(y[r.S_VA], 0.0) + max(y[r.S_BU], 0.0) + SHARE_EPSILON
        share = substrate / c4
    part = 1.0 / (p.K_S[uptake] + substrate)
    monod = substrate * part
    supply = nitrogen / (p.K_S_IN + nitrogen)
    by_nitrogen += limit * share * monod * biomass * p.K_S_IN / ((p.K_S_IN + nitrogen) * (p.K_S_IN + nitrogen))
    by_substrate = limit * share * supply * biomass * p.K_S[uptake] * part * part
    if uptake in (r.UPTAKE_VA, r.UPTAKE_BU):
        by_share = limit * supply * monod * biomass / c4
        by_substrate += by_share * (1.0 - share)
        other = r.S_BU if uptake == r.UPTAKE_VA else r.S_VA
        _add(p, w.jacobian, process, other, -counts(y[other]) * by_share * share)
    _add(p, w.jacobian, process, r.SUBSTRATE[uptake], counts(y[r.SUBSTRATE[uptake]]) * by_substrate)
    _add(p, w.jacobian, process, r.BIOMASS[uptake], counts(y[r.BIOMASS[uptake]]) * limit * share * supply * monod)
    _add(p, w.jacobian, process, r.S_IN, counts(y[r.S_IN]) * by_nitrogen)
    if y[r.S_H2] >= 0.0 and p.per_K_I_h2[uptake] > 0.0:
        _add(p, w.jacobian, process, r.S_H2, -rate * by_hydrogen * p.per_K_I_h2[uptake])
    for at in range(p.first_entry[process], p.first_entry[process + 1]):
        w.by_S_H[p.entry_state[at]] += p.entry[at] * by_S_H


@kernel
def _add_gas(p: Row, S_H: float, y: Vector, w: Row) -> None:
    """Transfer into the headspace and the outflow from it."""
    to_gas = p.V_liq / p.V_gas
    outflow = gas_outflow_m3_d(p, y) / p.V_gas
    for gas in range(r.GASES):
        liquid, head = r.S_H2 + gas, r.LIQUIDS + gas
        free = 1.0
        if gas == r.CO2:
            part = 1.0 / (p.K_a_co2 + S_H)
            free = S_H * part
            by_S_H = p.k_La * y[r.S_IC] * p.K_a_co2 * part * part
            w.by_S_H[liquid] -= by_S_H
            w.by_S_H[head] += by_S_H * to_gas
        back = p.k_La * p.dissolved[gas] * p.bar_per[gas]
        w.jacobian[liquid, liquid] -= p.k_La * free
        w.jacobian[head, liquid] += back
        w.jacobian[liquid, head] += p.k_La * free * to_gas
        w.jacobian[head, head] -= back * to_gas + outflow
        if outflow > 0.0:
            for other in range(r.GASES):
                w.jacobian[r.LIQUIDS + other, head] -= y[head] * p.k_p * p.bar_per[other] / p.V_gas


@kernel
def _add_ph(p: Row, S_H: float, y: Vector, w: Row) -> None:
    """What reaches the slopes through the pH: S_H by state is minus the surplus of charge by state over that by S_H."""
    nitrogen, carbon = 1.0 / (p.K_a_IN + S_H), 1.0 / (p.K_a_co2 + S_H)
    by_S_H = 1.0 + p.K_w / (S_H * S_H)
    by_S_H += max(y[r.S_IN], 0.0) * p.K_a_IN * nitrogen * nitrogen
    by_S_H += max(y[r.S_IC], 0.0) * p.K_a_co2 * carbon * carbon
    for acid in range(r.ACIDS):
        part = 1.0 / (p.K_a[acid] + S_H)
        by_S_H += max(y[r.ACID[acid]], 0.0) / r.COD_PER_KMOL[acid] * p.K_a[acid] * part * part
    for acid in range(r.ACIDS):
        ions = p.K_a[acid] / (p.K_a[acid] + S_H) / r.COD_PER_KMOL[acid]
        _add_column(w, r.ACID[acid], counts(y[r.ACID[acid]]) * ions / by_S_H)
    _add_column(w, r.S_IC, counts(y[r.S_IC]) * p.K_a_co2 * carbon / by_S_H)
    _add_column(w, r.S_IN, -counts(y[r.S_IN]) * S_H * nitrogen / by_S_H)
    _add_column(w, r.S_CAT, -1.0 / by_S_H)
    _add_column(w, r.S_AN, 1.0 / by_S_H)


@kernel
def _add_column(w: Row, state: int, S_H_by_state: float) -> None:
    for row in range(r.SIZE):
        w.jacobian[state, row] += w.by_S_H[row] * S_H_by_state
