"""Frames and wishes of any bits: whatever a float or a 64-bit number can be, drawn as palettes.

Neighbour: property tests. A palette of hostile values is drawn by hypothesis, cells are filled from it by seed: small
to draw, and shrinks to the value that hurts. It must not know which field means what.
"""

import numpy as np
from hypothesis import strategies as st

from pod_controller.kernels.records import Table

HOSTILE = (float("nan"), float("inf"), float("-inf"), 5e-324, -5e-324, -0.0, 1e308, -1e308, 1.0, 0.5, 250.0, -1.0)
EDGES = (0, 1, 2, 3, -1, 2**63 - 1, -(2**63), 2**62, 1000, 10**12, 10**12 - 5 * 10**8)
seeds = st.integers(0, 2**32 - 1)
floats = st.lists(st.sampled_from(HOSTILE) | st.floats() | st.floats(0.0, 1.0), min_size=3, max_size=10)
numbers = st.lists(st.sampled_from(EDGES) | st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=8)


def scatter(table: Table, seed: int, floats_drawn: list[float], numbers_drawn: list[int], share: float = 1.0) -> None:
    """Overwrite that share of a record's cells with values of the palettes, field by field."""
    draw = np.random.default_rng(seed)
    for name in table.dtype.names or ():
        cells = np.atleast_1d(table[name][0:1].reshape(-1))
        drawn = np.array(floats_drawn) if cells.dtype.kind == "f" else np.array(numbers_drawn, dtype=np.int64)
        palette = drawn.astype(cells.dtype)  # a narrow field gets the lowest bits
        hit = draw.random(cells.size) < share
        table[name].reshape(-1)[hit] = draw.choice(palette, size=int(hit.sum()))
