"""A technician strokes one element while the pod does not run: the wish of such a tick is that element alone.

Neighbours: `cycle` calls it after everything else has wished; the guard has the last word over it as over any wish.
Must not know who asks or why.
"""

from pod_controller.kernels.compile import small_kernel
from pod_controller.kernels.records import Record


@small_kernel
def wish_stroke(p: Record, f: Record, w: Record) -> None:
    """FRAME's stroke = 1 + element: nothing but that element is wished, and all of it; 0 or no element: as it was."""
    if f.stroke < 1 or f.stroke > p.n_elements:
        return
    for e in range(p.n_elements):
        w.open_frac[e] = 0.0
    w.open_frac[f.stroke - 1] = 1.0
    w.n_order = p.n_flows
    for k in range(p.n_flows):
        w.order[k] = k
