"""The filter on a grid of boundary-dense states, each permit checked against the inequality written a second time.

Neighbours: `grid_states` makes the states, `check` judges, `cli_guard` prints. Must not know how permits
are made.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from multiprocessing import get_context
from typing import NamedTuple

import numpy as np

from pod_controller.kernels.compile import kernel
from pod_controller.kernels.guard import guard
from pod_controller.kernels.records import FRAME, PERMIT, PLANT, STATE, WISH, Table, table
from sim_hardware.guard_trial.check import STATEMENTS, check
from sim_hardware.guard_trial.grid_states import begin_cell, next_state

CHUNK = 20  # cells that one process takes at a time
COUNT = np.dtype(
    (np.record, np.dtype([("states", "i8"), ("granted", "i8"), ("refused", "i8"), ("first", "i8"), ("kind", "i8")]))
)


class Grid(NamedTuple):
    """What was checked. violation: of the first state that broke a statement, else "none"."""

    states: int
    granted: int
    refused: int
    violations: int
    violation: str
    first_cell: int


def run_cells(cells: range, states_per_cell: int) -> Grid:
    """A cell is a small plant; of each so many states."""
    counts = np.zeros(1, dtype=COUNT)
    plant, state, frame, wish, permit = (table(kind) for kind in (PLANT, STATE, FRAME, WISH, PERMIT))
    violations, first_cell, kind = 0, -1, 0
    for cell in cells:
        begin_cell(plant, cell)
        counts[0].kind = 0
        sweep(plant, state, frame, wish, permit, counts, cell, states_per_cell)
        if counts[0].kind:
            violations += 1
            first_cell, kind = (first_cell, kind) if first_cell >= 0 else (cell, int(counts[0].kind))
    c = counts[0]
    return Grid(int(c.states), int(c.granted), int(c.refused), violations, STATEMENTS[kind], first_cell)


def sweep_cells(cells: range, states: int, jobs: int, progress: Callable[[int], None] = lambda done: None) -> Grid:
    """The same on several processes."""
    total = Grid(0, 0, 0, 0, STATEMENTS[0], -1)
    parts = [cells[at : at + CHUNK] for at in range(0, len(cells), CHUNK)]
    if jobs == 1:
        return reduce(add, (run_cells(part, states) for part in parts), total)
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for part in pool.map(run_cells, parts, [states] * len(parts)):
            total = add(total, part)
            progress(total.states)
    return total


def add(one: Grid, other: Grid) -> Grid:
    """Both together; the first violation stands."""
    first = one if one.violations else other
    return Grid(
        one.states + other.states,
        one.granted + other.granted,
        one.refused + other.refused,
        one.violations + other.violations,
        first.violation,
        first.first_cell,
    )


@kernel
def sweep(  # noqa: PLR0913, PLR0917  # the five tables of the guard, and what is counted
    plant: Table, state: Table, frame: Table, wish: Table, permit: Table, counts: Table, cell: int, states: int
) -> None:
    """So many states of one plant, or up to the first violation."""
    draw = (cell * 7919 + 12345) % 2147483648
    for number in range(states):
        draw = next_state(plant[0], state[0], frame[0], wish[0], draw)
        guard(plant[0], state[0], frame[0], wish[0], permit[0])
        kind = check(plant[0], state[0], frame[0], wish[0], permit[0])
        counts[0].states += 1
        for e in range(plant[0].n_elements):
            if permit[0].grant_frac[e] > 0.0:
                counts[0].granted += 1
            elif wish[0].open_frac[e] > 0.0:
                counts[0].refused += 1
        if kind != 0:
            counts[0].kind = kind
            counts[0].first = number
            return
