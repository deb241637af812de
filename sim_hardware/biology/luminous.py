"""The luminous reactor: the published circuit under the pod's own dilution, with what makes it fail, and its light.

The circuit is `culture`'s, one step of its Runge-Kutta per period, with its 2 h delay. Model choices beside it, each
equal to one at the nominal point, so that the nominal pod runs the published circuit:
- growth falls with oxygen (Monod) and, beyond a harmless level, linearly with ammonia and salts of the side stream;
- oxygen comes with the air and goes with growth: a dense culture without air has used it up within minutes;
- light = cells x luciferase x oxygen x nutrient; luciferase follows the complex and decays with 0.35 1/h.

Light tells oxygen from wash-out: dark and dense = no oxygen, dark and thin = washed out; `diagnosis` says it in a word.

Neighbours: `culture`; `step` calls it. Must not know the tanks.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.biology.records import CULTURE, PAST, Row
from sim_hardware.culture import A, C, N, S, circuit, fill_slope, hill

GLOWING, NO_OXYGEN, WASHED_OUT, STARVED, DIM = "glowing", "no oxygen", "washed out", "starved", "dim"
DARK_FRAC, THIN_RATIO, DIM_FRAC = 0.2, 0.3, 0.7
UNUSED_OXYGEN_MG_L = 7.0  # a dense culture that leaves this much does not breathe
H_S = 3600.0


def diagnosis(light_frac: float, density_ratio: float, oxygen_mg_l: float) -> str:
    """What the light says: glowing, dim, no oxygen (dark and dense), washed out (dark and thin).

    light_frac and density_ratio: over those of the nominal culture. Dark and dense with oxygen left over is starved:
    nothing was dosed. Light that cannot be read is dim: somebody has to look.
    """
    if light_frac >= DIM_FRAC:
        return GLOWING
    if not light_frac < DARK_FRAC:
        return DIM
    if density_ratio < THIN_RATIO:
        return WASHED_OUT
    return STARVED if oxygen_mg_l > UNUSED_OXYGEN_MG_L else NO_OXYGEN


def begin_culture(q: Row, b: Row) -> None:
    """The nominal culture at rest, its past like its present."""
    made = circuit()[0]
    for name in made.dtype.names or ():
        b.circuit[name] = made[name]
    b.culture = q.nominal
    b.past_C[:] = q.nominal[C]
    b.oxygen_mg_l = q.oxygen_mg_l
    b.enzyme_ratio = b.density_ratio = b.growth_frac = 1.0


def aeration_at_rest(q: Row) -> None:
    """Oxygen the nominal culture takes is what the air brings at its nominal oxygen."""
    q.demand_mg_l_h = q.air_per_h * (q.air_mg_l - q.oxygen_mg_l)


@kernel
def limit(free_kmol_m3: float, stop_kmol_m3: float, level_kmol_m3: float) -> float:
    """1 up to free, 0 from stop on, a straight line between."""
    return min(1.0, max(0.0, (stop_kmol_m3 - level_kmol_m3) / (stop_kmol_m3 - free_kmol_m3)))


@kernel
def over_nominal(half_ratio: float, level_ratio: float) -> float:
    """Monod as a share of what it is at the nominal level, of which both are multiples; at most 1."""
    return min(1.0, level_ratio * (half_ratio + 1.0) / (half_ratio + level_ratio))


@kernel
def mix_side_stream(b: Row, reactor_kg: float, liquor_frac: float) -> float:
    """Dilution by what was dosed since the last step, as a share of the reactor; carries ammonia and salts in."""
    share_frac = b.dosed_kg / reactor_kg
    b.dosed_kg = 0.0
    b.reactor_ammonia_kmol_m3 += share_frac * (liquor_frac * b.liquor_ammonia_kmol_m3 - b.reactor_ammonia_kmol_m3)
    b.reactor_salt_kmol_m3 += share_frac * (liquor_frac * b.liquor_salt_kmol_m3 - b.reactor_salt_kmol_m3)
    return float(share_frac)


@kernel
def grow(q: Row, b: Row, share_frac: float, period_s: float) -> None:
    """One step of the circuit under the dilution and the limits of this moment."""
    h = period_s / H_S
    by_oxygen = over_nominal(q.half_growth_mg_l / q.oxygen_mg_l, b.oxygen_mg_l / q.oxygen_mg_l)
    by_ammonia = limit(q.ammonia_free_kmol_m3, q.ammonia_stop_kmol_m3, b.reactor_ammonia_kmol_m3)
    by_salt = limit(q.salt_free_kmol_m3, q.salt_stop_kmol_m3, b.reactor_salt_kmol_m3)
    b.growth_frac = by_oxygen * by_ammonia * by_salt
    c, y, k = b.circuit, b.culture, b.slope
    c.D = share_frac / h
    c.a, c.gamma_S = q.a_1_h * b.growth_frac, q.gamma_S * b.growth_frac
    delay = int(c.delay / h + 0.5)
    now = b.past % PAST
    b.past_C[now] = y[C]
    b.past_slope[now] = c.alpha_C * (c.R - y[C]) * y[A] - c.gamma_C * y[C]
    begin = middle = end = q.nominal[C]
    if b.past >= delay:
        first, then = (b.past - delay) % PAST, (b.past - delay + 1) % PAST
        begin, end = b.past_C[first], b.past_C[then]
        middle = 0.5 * (begin + end) + 0.125 * h * (b.past_slope[first] - b.past_slope[then])
    b.past += 1
    fill_slope(c, y, begin, k[0])
    for stage in range(1, 4):
        reach = h if stage == 3 else 0.5 * h
        for i in range(CULTURE):
            b.place[i] = y[i] + reach * k[stage - 1, i]
        fill_slope(c, b.place, end if stage == 3 else middle, k[stage])
    for i in range(CULTURE):
        y[i] += h / 6.0 * (k[0, i] + 2.0 * k[1, i] + 2.0 * k[2, i] + k[3, i])


@kernel
def breathe(q: Row, b: Row, power_lost: int, period_s: float) -> None:
    """Oxygen: air in while there is power, growth out; implicit, so that it stays between nothing and saturation."""
    h = period_s / H_S
    c = b.circuit
    nominal_growth = hill(q.nominal[S], c.K_m, c.n_S) * q.nominal[N]
    growth = b.growth_frac * hill(b.culture[S], c.K_m, c.n_S) * b.culture[N] / nominal_growth
    air_frac = 0.0 if power_lost != 0 else b.air_frac
    transfer_per_h = q.still_per_h + air_frac * (q.air_per_h - q.still_per_h)
    # Per oxygen there was, so that a want of it cannot become a debt.
    taken_per_h = q.demand_mg_l_h * growth / max(b.oxygen_mg_l, 1e-9)
    b.oxygen_mg_l = (b.oxygen_mg_l + h * transfer_per_h * q.air_mg_l) / (1.0 + h * (transfer_per_h + taken_per_h))


@kernel
def glow(q: Row, b: Row, period_s: float) -> float:
    """Luciferase, and the light there is of it: 1 = the nominal culture's."""
    c = b.circuit
    made_ratio = hill(b.culture[C], c.C1, c.n1) / hill(q.nominal[C], c.C1, c.n1)
    rate = q.enzyme_per_h * period_s / H_S
    b.enzyme_ratio = (b.enzyme_ratio + rate * made_ratio) / (1.0 + rate)
    b.density_ratio = b.culture[N] / q.nominal[N]
    by_oxygen = over_nominal(q.half_light_mg_l / q.oxygen_mg_l, b.oxygen_mg_l / q.oxygen_mg_l)
    by_nutrient = over_nominal(q.half_substrate_ratio / q.nominal[S], max(0.0, b.culture[S]) / q.nominal[S])
    return float(min(1.0, b.density_ratio * b.enzyme_ratio * by_oxygen * by_nutrient))
