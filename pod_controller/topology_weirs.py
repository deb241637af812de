"""What comes over weirs by itself: to the end of every chain of overflows, and by a stuck pump on the way elsewhere.

A vessel at its weir passes on whatever still comes into it: its hold-up, its gas and foam, and what a pressure step
pushes over without ever standing in it. No element stops that. All of it counts where the chain ends (M and Psi of
that vessel). A pump that draws from a vessel on the way can send it to a third one if it sticks open: INTAKE.over_kg.

Neighbours: `topology` and `network` call it once the rest of the table stands. Must not know names or configurations.
"""

from collections.abc import Sequence

from pod_controller.kernels.records import Record
from pod_controller.kernels.terms import closing_tail_kg

NOWHERE = -1  # a vessel without an overflow


def fill_weirs(plant: Record, below: Sequence[int], over_weir_kg: Sequence[float]) -> None:
    """Add to the rows what comes over weirs; their hold_up_kg and psi_kg are still the vessels' own.

    below: for each vessel the one that it overflows into, or NOWHERE. over_weir_kg: what a pressure step pushes over
    its weir.
    """
    end = [_end(below, v) for v in range(len(below))]
    coming_kg = [0.0] * len(below)  # into a vessel at its weir, from above
    for v, row in enumerate(plant.vessels[: len(below)]):
        if below[v] == NOWHERE:
            continue
        plant.vessels[end[v]].hold_up_kg += row.hold_up_kg
        plant.vessels[end[v]].psi_kg += row.psi_kg + over_weir_kg[v]
        u = below[v]
        while u != end[v]:
            coming_kg[u] += row.hold_up_kg + row.psi_kg + over_weir_kg[v]
            u = below[u]
    for i in range(plant.n_intakes):
        intake = plant.intakes[i]
        source = int(plant.flows[intake.flows[0]].source)
        if source != NOWHERE and coming_kg[source] > 0.0:
            drawn_kg = _drawn_kg(plant, i, coming_kg[source])
            for v in range(len(below)):
                counted = 1.0 if v == end[source] else 0.0  # it holds room for all of it already
                intake.over_kg[v] = drawn_kg * max(0.0, intake.reach_ratio[v] - counted)
    for cause in plant.causes[: plant.n_causes]:
        for intake in plant.intakes[: plant.n_intakes]:
            if any(cause.member[plant.flows[f].element] for f in intake.flows[: intake.n_flows]):
                cause.over_kg += intake.over_kg


def _end(below: Sequence[int], v: int) -> int:
    """The vessel without an overflow in which the chain from v ends."""
    while below[v] != NOWHERE:
        v = below[v]
    return v


def _drawn_kg(plant: Record, i: int, coming_kg: float) -> float:
    """How much of what comes into its source by itself one fault lets intake i draw.

    All of it, or what the slowest element in series that this fault does not hold passes until it has closed.
    """
    intake = plant.intakes[i]
    shared = [int(e) for e in intake.shared[: intake.n_shared]]
    own = [int(plant.flows[f].element) for f in intake.flows[: intake.n_flows]]
    causes = [cause.member for cause in plant.causes[: plant.n_causes] if any(cause.member[own])]
    held = [[e for e in shared if member[e]] for member in causes]
    return max(
        min([coming_kg, *(_most_kg(plant, intake.shared_rate_kg_s, e) for e in shared if e not in by_one_fault)])
        for by_one_fault in ([], *held)
    )


def _most_kg(plant: Record, rate_kg_s: float, e: int) -> float:
    """phi(1): one tick fully open, and the closing tail."""
    tail_kg = closing_tail_kg(rate_kg_s, plant.elements[e], 1.0, plant.tick_s)
    return float(plant.tick_s * rate_kg_s + tail_kg)
