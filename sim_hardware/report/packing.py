"""Series of numbers as short lists of whole numbers, and back: what the page carries and report.js unpacks.

A value is kept in steps of its channel's resolution; the least of each interval as the difference to the one before,
the greatest as what it is above the least. Most of both is 0. Neighbours: `contents` packs. Must not know channels.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypedDict

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class PackedRange(TypedDict):
    """Extremes by interval: value of one step, differences of the least (null: nothing seen), greatest less least."""

    scale: float
    low: list[int | None]
    span: list[int]


class Extremes(NamedTuple):
    """Least and greatest by interval; NaN where nothing was seen."""

    low: Floats
    high: Floats


def pack_range(low: Floats, high: Floats, scale: float) -> PackedRange:
    """Extremes by interval, each to the nearest step; intervals in which nothing was seen are infinite or NaN."""
    seen = np.isfinite(low) & np.isfinite(high)
    least = np.rint(np.where(seen, low, 0.0) / scale).astype(np.int64)
    most = np.rint(np.where(seen, high, 0.0) / scale).astype(np.int64)
    differences: list[int | None] = [None] * len(low)
    before = 0
    for i in np.flatnonzero(seen):
        differences[i] = int(least[i]) - before
        before = int(least[i])
    return {"scale": scale, "low": differences, "span": (most - least).tolist()}


def unpack_range(packed: PackedRange) -> Extremes:
    """The same again, as report.js does it."""
    low = np.full(len(packed["low"]), np.nan)
    now = 0
    for i, difference in enumerate(packed["low"]):
        if difference is not None:
            now += difference
            low[i] = now * packed["scale"]
    return Extremes(low, low + np.array(packed["span"]) * packed["scale"])


def pack_runs(values: Sequence[int] | npt.NDArray[Any]) -> list[int]:
    """Whole numbers that seldom change, as value, length, value, length, ..."""
    found = np.asarray(values, np.int64)
    if len(found) == 0:
        return []
    starts = np.concatenate([[0], np.flatnonzero(np.diff(found)) + 1])
    lengths = np.diff(np.append(starts, len(found)))
    return np.column_stack([found[starts], lengths]).ravel().tolist()


def unpack_runs(packed: Sequence[int]) -> list[int]:
    """The same again."""
    return [value for value, n in zip(packed[::2], packed[1::2], strict=True) for _ in range(n)]
