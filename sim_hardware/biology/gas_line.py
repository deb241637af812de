"""Headspace and gas line: gas comes out of the slurry, and leaves by passive paths alone.

Three paths, each opened by pressure and by nothing else: the burner's spring, which takes at most so much, then the
flare, then the relief valve. No output and no stop of the controller acts on any of them. Gas is conserved: what is in
the headspace after a step is what was in it, plus what came, less what each path has carried.

A step is implicit in the pressure: a headspace empties through the relief valve within a second, and pressure that
pushes slurry over the weir makes room for itself, 17 times as much per mbar as the gas takes when it is squeezed.

Neighbours: `step` calls it every minute. Must not know the digester.
"""

from pod_controller.kernels.compile import kernel
from sim_hardware.adm1.records import GASES
from sim_hardware.biology.records import BURNER, PATHS, Row

MBAR = 1000.0  # per bar
MOST_ITERATIONS = 100
SUB_STEPS = 6


@kernel
def path_m3_h(q: Row, b: Row, path: int, gauge_mbar: float) -> float:
    """What a path carries at a pressure of the headspace."""
    flow_m3_h = max(0.0, q.m3_h_mbar[path] * (gauge_mbar - q.from_mbar[path]))
    if path == BURNER:
        flow_m3_h = min(flow_m3_h, q.burner_most_m3_h)
    return float(b.open_frac[path] * flow_m3_h)


@kernel
def standing_mbar(q: Row, b: Row, content_kg: float, weir_kg: float) -> float:
    """The pressure above which slurry is pushed over the weir: at it, what is there just stands."""
    bubbles_kg = (q.holdup_nominal_frac - b.holdup_frac) * weir_kg
    return float(q.weir_mbar + (weir_kg + bubbles_kg - content_kg) / q.leg_kg_mbar)


@kernel
def room_m3(q: Row, gauge_mbar: float, stands_mbar: float, volume_m3: float) -> float:
    """What the gas has: the headspace, and what it pushes free above the standing pressure."""
    return float(volume_m3 + max(0.0, gauge_mbar - stands_mbar) * q.leg_kg_mbar / 1000.0)


@kernel
def settled_mbar(q: Row, b: Row, dry_mbar: float, h_h: float, volume_m3: float, stands_mbar: float) -> float:
    """The gauge pressure at the end of a step at which, shut in and unmoved, the dry gas would have dry_mbar.

    Solves P_dry (room(P) + h q(P)) = dry_mbar V: both rise with P, so there is one root; Newton in a shrinking fence.
    """
    offset_mbar = (b.model.p_h2o - b.model.P_atm) * MBAR
    low_mbar, high_mbar = offset_mbar, offset_mbar + dry_mbar
    gauge_mbar = min(max(b.gauge_mbar, low_mbar), high_mbar)
    for _ in range(MOST_ITERATIONS):
        taken_m3 = room_m3(q, gauge_mbar, stands_mbar, volume_m3)
        slope = q.leg_kg_mbar / 1000.0 if gauge_mbar > stands_mbar else 0.0
        for path in range(PATHS):
            flow_m3_h = path_m3_h(q, b, path, gauge_mbar)
            taken_m3 += h_h * flow_m3_h
            if flow_m3_h > 0.0 and (path != BURNER or flow_m3_h < b.open_frac[BURNER] * q.burner_most_m3_h):
                slope += h_h * b.open_frac[path] * q.m3_h_mbar[path]
        surplus = (gauge_mbar - offset_mbar) * taken_m3 - dry_mbar * volume_m3
        if surplus > 0.0:
            high_mbar = gauge_mbar
        else:
            low_mbar = gauge_mbar
        to_mbar = gauge_mbar - surplus / (taken_m3 + (gauge_mbar - offset_mbar) * slope)
        if not low_mbar <= to_mbar <= high_mbar:
            to_mbar = 0.5 * (low_mbar + high_mbar)
        done = abs(to_mbar - gauge_mbar) <= 1e-10 * dry_mbar
        gauge_mbar = to_mbar
        if done:
            break
    return float(gauge_mbar)


@kernel
def vent(q: Row, b: Row, made: Row, stands_mbar: float, period_s: float) -> None:
    """One period of the gas line; made: what came of each gas. Leaves the headspace, its pressure and the accounts."""
    h_h = period_s / 3600.0 / SUB_STEPS
    volume_m3 = q.closed_m3 - b.volume_m3
    for path in range(PATHS):
        b.path_m3_h[path] = 0.0
    for _ in range(SUB_STEPS):
        dry_mbar = 0.0
        for gas in range(GASES):
            b.gas[gas] += made[gas] / SUB_STEPS
            dry_mbar += b.gas[gas] * b.model.bar_per[gas] * MBAR / volume_m3
        b.gauge_mbar = settled_mbar(q, b, dry_mbar, h_h, volume_m3, stands_mbar)
        volume_m3 = room_m3(q, b.gauge_mbar, stands_mbar, volume_m3)
        stands_mbar = max(stands_mbar, b.gauge_mbar)
        out_m3_h = 0.0
        for path in range(PATHS):
            out_m3_h += path_m3_h(q, b, path, b.gauge_mbar)
        left_frac = 1.0 / (1.0 + out_m3_h * h_h / volume_m3)
        for gas in range(GASES):
            stays = b.gas[gas] * left_frac
            if out_m3_h > 0.0:
                share = (b.gas[gas] - stays) / out_m3_h
                for path in range(PATHS):
                    b.gas_out[path, gas] += share * path_m3_h(q, b, path, b.gauge_mbar)
            b.gas[gas] = stays
        book_volume(q, b, h_h)


@kernel
def book_volume(q: Row, b: Row, h_h: float) -> None:
    """Volumes that leave, at P_atm instead of at the headspace's pressure, and their water vapour."""
    expands = (b.gauge_mbar / MBAR + b.model.P_atm) / b.model.P_atm
    for path in range(PATHS):
        flow_m3_h = path_m3_h(q, b, path, b.gauge_mbar)
        b.path_m3_h[path] += flow_m3_h * expands / SUB_STEPS
        b.gas_out_m3[path] += flow_m3_h * expands * h_h
        b.vapour_kg += flow_m3_h * h_h * q.vapour_kg_m3
