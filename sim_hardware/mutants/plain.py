"""Records as plain Python objects, cut to the rows in use: kernels run on them ten times as fast as on numpy records.

Neighbours: `cases` makes them, `engine` runs the kernels' source on them. Must not compute anything.
"""

import marshal
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from pod_controller.kernels import records
from pod_controller.kernels.records import Record

Fields = dict[str, Any]


class Grid(list[list[Any]]):
    """A two-dimensional array: indexed by a pair, as the kernels do."""

    def __getitem__(self, at: Any) -> Any:
        """The cell at (row, column)."""
        row, column = at
        return list.__getitem__(self, row)[column]

    def __setitem__(self, at: Any, value: Any) -> None:
        """Write the cell at (row, column)."""
        row, column = at
        list.__getitem__(self, row)[column] = value


def rows_in_use(p: Record) -> Mapping[int, int]:
    """For each size of the tables how many rows this plant needs, and one to spare; none of chutes: 16 may be all."""
    most_flows = max([int(p.intakes[i].n_flows) for i in range(p.n_intakes)], default=0)
    return {
        records.MAX_VESSELS: int(p.n_vessels) + 1,
        records.MAX_ELEMENTS: int(p.n_elements) + 1,
        records.MAX_FLOWS: max(int(p.n_flows), int(p.n_intakes)) + 1,
        records.MAX_CHUTES: max(int(p.n_chutes), most_flows),
        records.MAX_CAUSES: int(p.n_causes) + 1,
    }


def fields_of(record: Record, rows: Mapping[int, int]) -> Fields:
    """A record as a dictionary of lists and numbers."""
    return {name: _cut(record[name], rows) for name in record.dtype.names or ()}


def _cut(value: Any, rows: Mapping[int, int]) -> Any:
    if isinstance(value, np.void):
        return SimpleNamespace(**fields_of(value, rows))
    if isinstance(value, np.ndarray):
        cut = value[tuple(slice(rows.get(size)) for size in value.shape)]
        return [_cut(row, rows) for row in cut] if value.dtype.names else cut.tolist()
    return value.item()


def packed(fields: Fields) -> bytes:
    """Fields without records inside, to be brought to life as often as needed."""
    return marshal.dumps(fields)


def alive(blob: bytes) -> Any:
    """A fresh object of packed fields; lists of lists become grids."""
    fields = marshal.loads(blob)  # packed by this process
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], list):
            fields[name] = Grid(value)
    return SimpleNamespace(**fields)
