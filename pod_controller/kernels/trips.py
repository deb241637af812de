"""What the cause-and-effect table keeps at its fail state: nothing is wished of it, and its permit names the row.

A trip takes a wish away before the guard sees it, so it can never open what the guard closes. Neighbours: the frame
says which elements are tripped, `guard` decides between the two steps. Must not know why anything tripped. In
signatures p, f, w, g are the records of PLANT, FRAME, WISH, PERMIT.
"""

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import Record


@kernel
def withhold(p: Record, f: Record, w: Record) -> None:
    """Take away every wish for a tripped element."""
    for e in range(p.n_elements):
        if f.trip[e] != 0:
            w.open_frac[e] = 0.0


@kernel
def name_trips(p: Record, f: Record, g: Record) -> None:
    """The rule of a tripped element is the row that keeps it."""
    for e in range(p.n_elements):
        if f.trip[e] != 0:
            g.grant_frac[e] = 0.0
            g.rule[e] = f.trip[e]
            g.vessel[e] = -1
            g.scenario[e] = -1
