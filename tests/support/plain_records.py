"""Records as plain Python objects: kernels with compilation off run some ten times faster than on numpy records.

The same floats, the same bits: fields become attributes, arrays lists, and `pour_back` writes them into a record again.
Neighbour: `replay_bits`. It must not compute anything.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from pod_controller.kernels.records import Table
from sim_hardware.mutants.plain import Grid


def plain(table: Table) -> list[Any]:
    """A 1-element record array as a list of one object."""
    return [_plain(table[0])]


def _plain(value: Any) -> Any:
    if isinstance(value, np.void):
        return SimpleNamespace(**{name: _plain(value[name]) for name in value.dtype.names or ()})
    if isinstance(value, np.ndarray):
        if value.ndim > 1:
            return Grid(value.tolist())
        return [_plain(row) for row in value] if value.dtype.names else value.tolist()
    return value.item()


def pour_back(source: list[Any], table: Table) -> None:
    """Write an object made by `plain` into a record; for records of plain arrays only."""
    for name in table.dtype.names or ():
        value = getattr(source[0], name)
        table[name][0] = (
            [list.__getitem__(value, row) for row in range(len(value))] if isinstance(value, Grid) else value
        )
