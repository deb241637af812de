"""Headspace and gas line: gas comes out of the slurry, and leaves by passive paths alone.

Three paths, each opened by pressure and by nothing else: the burner's spring, which takes at most so much, then the
flare, then the relief valve. No output and no stop of the controller acts on any of them. Gas is conserved: what is in
the headspace after a step is what was in it, plus what came, less what each path has carried.

A step is implicit in the pressure (a headspace empties through the relief valve within a second), and exact for it: the
outflow is piecewise linear in the pressure, so each piece is a quadratic and one of them holds.

Neighbours: `step` calls it every minute. Must not know the digester.
"""

import math

from pod_controller.kernels.compile import kernel
from sim_hardware.adm1_records import GASES
from sim_hardware.biology.records import BURNER, FLARE, PATHS, RELIEF, Row

MBAR = 1000.0  # per bar
PIECES = 5
SUB_STEPS = 6


@kernel
def path_m3_h(q: Row, b: Row, path: int, gauge_mbar: float) -> float:
    """What a path carries at a pressure of the headspace."""
    flow_m3_h = max(0.0, q.m3_h_mbar[path] * (gauge_mbar - q.from_mbar[path]))
    if path == BURNER:
        flow_m3_h = min(flow_m3_h, q.burner_most_m3_h)
    return float(b.open_frac[path] * flow_m3_h)


@kernel
def piece_starts_mbar(q: Row, piece: int) -> float:
    """Pressure from which a piece of the outflow's curve holds; the burner's second begins where it has its fill."""
    if piece == 0:
        return -math.inf
    if piece == 1:
        return float(q.from_mbar[BURNER])
    if piece == 2:
        return float(q.from_mbar[BURNER] + q.burner_most_m3_h / q.m3_h_mbar[BURNER])
    return float(q.from_mbar[FLARE] if piece == 3 else q.from_mbar[RELIEF])


@kernel
def settled_mbar(q: Row, b: Row, dry_mbar: float, h_h: float, volume_m3: float) -> float:
    """The gauge pressure at the end of a step at which, without any outflow, the dry gas would have dry_mbar.

    Solves P_dry (1 + h q(P) / V) = dry_mbar with q the sum of all paths at P itself.
    """
    offset_mbar = (b.model.p_h2o - b.model.P_atm) * MBAR
    gauge_mbar = dry_mbar + offset_mbar
    for piece in range(PIECES):
        slope = 0.0  # m3/h per mbar
        if piece == 1:
            slope += b.open_frac[BURNER] * q.m3_h_mbar[BURNER]
        if piece >= 3:
            slope += b.open_frac[FLARE] * q.m3_h_mbar[FLARE]
        if piece == 4:
            slope += b.open_frac[RELIEF] * q.m3_h_mbar[RELIEF]
        start_mbar = piece_starts_mbar(q, piece)
        base_m3_h = 0.0
        if piece > 0:
            for path in range(PATHS):
                base_m3_h += path_m3_h(q, b, path, start_mbar)
            base_m3_h -= slope * start_mbar
        # x = P_dry: x (1 + h/V (base + slope (x + offset))) = dry_mbar
        square = h_h / volume_m3 * slope
        linear = 1.0 + h_h / volume_m3 * (base_m3_h + slope * offset_mbar)
        if square > 0.0:
            settled = 2.0 * dry_mbar / (linear + math.sqrt(linear * linear + 4.0 * square * dry_mbar))
        else:
            settled = dry_mbar / linear
        gauge_mbar = settled + offset_mbar
        if piece == PIECES - 1 or gauge_mbar <= piece_starts_mbar(q, piece + 1):
            break
    return float(gauge_mbar)


@kernel
def vent(q: Row, b: Row, made: Row, volume_m3: float, period_s: float) -> None:
    """One period of the gas line; made: what came of each gas. Leaves the headspace, its pressure and the accounts."""
    h_h = period_s / 3600.0 / SUB_STEPS
    for path in range(PATHS):
        b.path_m3_h[path] = 0.0
    for _ in range(SUB_STEPS):
        dry_mbar = 0.0
        for gas in range(GASES):
            b.gas[gas] += made[gas] / SUB_STEPS
            dry_mbar += b.gas[gas] * b.model.bar_per[gas] * MBAR / volume_m3
        b.gauge_mbar = settled_mbar(q, b, dry_mbar, h_h, volume_m3)
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
