"""The weather around the digester: a daily swing, and a cold snap.

Neighbours: `tanks` loses heat to it. Must not know what is heated.
"""

import math

from pod_controller.kernels.compile import kernel
from sim_hardware.biology.records import Row

DAY_S = 86400.0


@kernel
def ambient_degc(q: Row, mean_degc: float, now_ns: int) -> float:
    """The weather: a daily swing around the mean, and a cold snap."""
    turns = (now_ns - q.coldest_ns) * 1e-9 / DAY_S
    now_degc = mean_degc - q.swing_k * math.cos(2.0 * math.pi * turns)
    if q.snap_from_ns <= now_ns < q.snap_until_ns:
        now_degc -= q.snap_k
    return float(now_degc)
