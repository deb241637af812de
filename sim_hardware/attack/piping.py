"""How the vessels of an attacked plant hang together, and what can come to stand in one of them by a single fault.

Summed from the pipes alone: everything full, one vessel empty and shut, one element or one common cause open for good,
and all that nothing can stop. A plant in which that does not fit cannot be promised, forks and weirs included.

Neighbours: `shapes` draws plants that fit just so, `world` plays in them. Shares no sum with the guard or its checks.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pod_controller.kernels.records import MAX_INTAKES, MAX_VESSELS, Record, Table

Stuck = frozenset[int]


class Piping(NamedTuple):
    """Beside the guard's table, by vessel: what is its own, before the table adds what comes from above.

    share: kg arriving in a vessel per kg that an intake passes, at most and directly (rows are intakes).
    """

    below: tuple[int, ...]  # -1: no weir
    over_weir_kg: tuple[float, ...]
    hold_up_kg: tuple[float, ...]
    psi_kg: tuple[float, ...]
    share: npt.NDArray[np.float64]


def without_weirs(plant: Table) -> Piping:
    """Of a plant in which nothing overflows by itself."""
    p = plant[0]
    rows = [p.vessels[v] for v in range(p.n_vessels)]
    share = np.zeros((MAX_INTAKES, MAX_VESSELS))
    for i in range(p.n_intakes):
        share[i] = p.intakes[i].reach_ratio
    hold_up_kg, psi_kg = tuple(float(row.hold_up_kg) for row in rows), tuple(float(row.psi_kg) for row in rows)
    return Piping((-1,) * len(rows), (0.0,) * len(rows), hold_up_kg, psi_kg, share)


def may_be_promised(plant: Table, piping: Piping) -> bool:
    """True if no vessel, empty and shut, is carried over its lip by a single fault: others are refused.

    As `podctl check-config` does, but summed anew.
    """
    p = plant[0]
    return all(piping.below[v] >= 0 or needed_kg(p, piping, v) <= p.vessels[v].capacity_kg for v in range(p.n_vessels))


class Way(NamedTuple):
    """One flow: where it draws from, what its chute holds at most, where it leads, and what can shut it."""

    source: int
    chute_kg: float
    share: list[float]
    series: Stuck


def needed_kg(p: Record, piping: Piping, v: int) -> float:
    """The least capacity with which vessel v can be promised; what stands above it must have its own already."""
    ways = [way for f in range(p.n_flows) if (way := _way(p, piping, f, v)).source < v]
    open_together = dict.fromkeys(tuple(k for k, way in enumerate(ways) if way.series <= stuck) for stuck in faults(p))
    stands_kg = [_stands_kg(p, piping, u, u == v) for u in range(v + 1)]
    weir_kg = [float(p.vessels[u].weir_kg) for u in range(v)]
    return max(_brought_kg(piping, weir_kg, stands_kg, [ways[k] for k in which]) for which in open_together)


def faults(p: Record) -> Iterator[Stuck]:
    """Nothing, each element that passes mass, each common cause."""
    yield frozenset()
    for f in range(p.n_flows):
        yield frozenset({int(p.flows[f].element)})
    for c in range(p.n_causes):
        yield frozenset(np.flatnonzero(p.causes[c].member).tolist())


def _way(p: Record, piping: Piping, f: int, v: int) -> Way:
    flow = p.flows[f]
    intake = p.intakes[flow.intake]
    chute_kg = float(p.chutes[flow.chute].capacity_kg) if flow.chute >= 0 else 0.0
    series = frozenset({int(flow.element), *(int(e) for e in intake.shared[: intake.n_shared])})
    return Way(int(flow.source), chute_kg, piping.share[flow.intake, : v + 1].tolist(), series)


def _brought_kg(piping: Piping, weir_kg: list[float], stands_kg: list[float], stuck: list[Way]) -> float:
    """What the last vessel comes to hold; what is stuck draws all that comes over weirs to there, but for its own."""
    total_kg = list(stands_kg)
    for way in stuck:
        _pour(total_kg, way.share, way.chute_kg)
    for u in range(len(weir_kg)):
        taken = [way for way in stuck if way.source == u]
        for way in taken:
            _pour(total_kg, way.share, total_kg[u])
        below = piping.below[u]
        if 0 <= below < len(total_kg):
            total_kg[below] += piping.over_weir_kg[u]
            total_kg[below] += 0.0 if taken else max(0.0, total_kg[u] - weir_kg[u])
    return max(total_kg[-1], _brought_kg(piping, weir_kg, stands_kg, []) if stuck else 0.0)


def _stands_kg(p: Record, piping: Piping, u: int, empty: bool) -> float:
    row = p.vessels[u]
    held_kg = 2.0 * max(row.level_error_kg) if empty else min(row.capacity_kg, row.weir_kg)
    return float(held_kg + piping.hold_up_kg[u] + piping.psi_kg[u])


def _pour(total_kg: list[float], share: list[float], kg: float) -> None:
    for u, ratio in enumerate(share):
        total_kg[u] += ratio * kg
