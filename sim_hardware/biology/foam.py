"""Bubbles and foam: how far gas swells the slurry, and what stands on it.

Nothing quantitative is published for foam against gas. The model choice: h' = k u sigma (1 - h/most) - h/lag, with u
the gas velocity and sigma rising with a load above 2.5 kg VS/m3/d, with uneven feeding (the load of two hours over that
of a day) and with acids. It is monotone in each, never above `most`, and never rises faster than k u sigma_most.

Neighbours: `step`; `tanks` pushes the swollen slurry over the weir. Must not know the controller's bounds.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.biology.records import Row

BASE_RATIO = 0.1  # of sigma: some foam there always is
DAY_S = 86400.0


@kernel
def note_load(q: Row, b: Row, solids_kg: float) -> None:
    """Running loads in kg VS/m3/d, over two hours and over a day, from what one step fed."""
    period_s = q.period_ns * 1e-9
    load_kg_m3 = solids_kg / b.volume_m3 * DAY_S / period_s
    b.load_fast_kg_m3 += (load_kg_m3 - b.load_fast_kg_m3) * period_s / (q.load_fast_s + period_s)
    b.load_slow_kg_m3 += (load_kg_m3 - b.load_slow_kg_m3) * period_s / (q.load_slow_s + period_s)


@kernel
def sigma(q: Row, b: Row) -> float:
    """Readiness to foam, bounded."""
    over = max(0.0, b.load_slow_kg_m3 - q.foam_load_kg_m3)
    uneven = max(0.0, b.load_fast_kg_m3 - b.load_slow_kg_m3)
    ready = BASE_RATIO + (over + 0.5 * uneven) / q.foam_load_kg_m3 + b.acid_kg_m3 / q.foam_acid_kg_m3
    return float(min(q.foam_most_ratio, q.foam_prone_ratio * ready))


@kernel
def rise(q: Row, b: Row, period_s: float) -> None:
    """One step of the foam's height, implicit: it stays between nothing and its most."""
    b.sigma_ratio = sigma(q, b)
    gain_m = q.foam_per_m * max(0.0, b.made_m3_h) / q.surface_m2 * b.sigma_ratio * period_s / 3600.0
    b.foam_m = (b.foam_m + gain_m) / (1.0 + gain_m / q.foam_most_m + period_s / q.foam_s)


@kernel
def swell(q: Row, b: Row, weir_kg: float, period_s: float) -> None:
    """Share of bubbles, and how much more or less slurry than nominally stands at the weir with them and the pressure.

    Gas pressure pushes the surface down behind the sealed leg: leg_kg_mbar for every mbar.
    """
    spread_frac = q.holdup_most_frac - q.holdup_least_frac
    wanted_frac = q.holdup_least_frac + spread_frac * max(0.0, b.made_m3_h) / q.holdup_full_m3_h
    wanted_frac = min(q.holdup_most_frac, wanted_frac)
    b.holdup_frac += (wanted_frac - b.holdup_frac) * period_s / (q.holdup_s + period_s)
    bubbles_kg = (q.holdup_nominal_frac - b.holdup_frac) * weir_kg
    b.weir_shift_kg = bubbles_kg - q.leg_kg_mbar * (b.gauge_mbar - q.weir_mbar)


@kernel
def swollen_kg(q: Row, b: Row, content_kg: float) -> float:
    """Where the surface stands, foam included, in kg of slurry without bubbles beyond the nominal share."""
    return float(content_kg * (1.0 + b.holdup_frac - q.holdup_nominal_frac) + b.foam_m * q.surface_m2 * 1000.0)
