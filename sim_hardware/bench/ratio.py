"""Two pieces of work side by side: alternating blocks, thread CPU time, the median of paired ratios.

A, B, B, A in every repeat, so that whatever drifts (clock, neighbours, caches) meets both alike; thread time, so that
being pre-empted costs neither. Neighbour: `core`. Must not know what the work is.
"""

import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

REPEATS = 25
BLOCK_NS = 1_000_000  # a block is at least this long: the clock's own grain and the cost of asking it do not show


class Work(NamedTuple):
    """Something to be timed: `again` sets it up (not timed), `run` does it `calls` times."""

    again: Callable[[], None]
    run: Callable[[], None]
    calls: int


class Ratio(NamedTuple):
    """Microseconds per call of each (medians), the median of paired ratios, and how far those spread (p90 / p10)."""

    one_us: float
    other_us: float
    ratio: float
    spread_ratio: float


def ratio(one: Work, other: Work, repeats: int = REPEATS) -> Ratio:
    """Time one against the other."""
    rounds = max(_rounds(one), _rounds(other))
    pairs: list[tuple[float, float]] = []
    for _ in range(repeats):
        first, second, third, fourth = (_block_us(work, rounds) for work in (one, other, other, one))
        pairs.append(((first + fourth) / 2.0, (second + third) / 2.0))
    ratios = sorted(a / b for a, b in pairs)
    tenth = len(ratios) // 10
    spread_ratio = ratios[-1 - tenth] / ratios[tenth]
    return Ratio(median(a for a, _ in pairs), median(b for _, b in pairs), median(ratios), spread_ratio)


def _rounds(work: Work) -> int:
    """How often the work must run for a block to be long enough; its second run is taken, the first may be cold."""
    _block_us(work, 1)
    once_ns = max(1.0, _block_us(work, 1) * work.calls * 1e3)
    return max(1, -int(-BLOCK_NS // once_ns))


def _block_us(work: Work, rounds: int) -> float:
    """CPU microseconds per call over some rounds."""
    spent_ns = 0
    for _ in range(rounds):
        work.again()
        begun_ns = time.thread_time_ns()
        work.run()
        spent_ns += time.thread_time_ns() - begun_ns
    return spent_ns / (rounds * work.calls) / 1e3
