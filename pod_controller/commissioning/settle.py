"""When a reading stands still: all of the last seconds within a band.

Neighbours: `cli_calibrate` feeds it with what the core reads. Must not know where samples come from, or the time.
"""

from collections import deque
from typing import NamedTuple

LEAST_SAMPLES = 5


class Settled(NamedTuple):
    """What a reading stood at: its mean, half of what it wandered, and how many samples that rests on."""

    raw_value: float
    spread_value: float
    samples: int


class Settling:
    """Takes samples with their times; says when they have settled."""

    def __init__(self, band_value: float, hold_s: float) -> None:
        """Settled: the samples of hold_s lie within band_value of each other, at least LEAST_SAMPLES of them."""
        self._band, self._hold_s = band_value, hold_s
        self._samples: deque[tuple[float, float]] = deque()

    def take(self, sampled_s: float, raw_value: float | None) -> Settled | None:
        """One sample; None for one that is BAD, which begins anew. A sample seen before counts once."""
        samples = self._samples
        if raw_value is None:
            samples.clear()
            return None
        if samples and sampled_s <= samples[-1][0]:
            return None
        samples.append((sampled_s, raw_value))
        while sampled_s - samples[1 if len(samples) > 1 else 0][0] >= self._hold_s:
            samples.popleft()  # the oldest that is still needed to span hold_s stays
        values = [value for _, value in samples]
        spans = sampled_s - samples[0][0] >= self._hold_s
        if not spans or len(values) < LEAST_SAMPLES or max(values) - min(values) > self._band:
            return None
        return Settled(sum(values) / len(values), (max(values) - min(values)) / 2.0, len(values))

    @property
    def wander(self) -> float:
        """How far the samples in hand lie apart."""
        values = [value for _, value in self._samples]
        return max(values) - min(values) if values else 0.0
