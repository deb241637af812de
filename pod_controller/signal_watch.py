"""How a value moves: too fast to be true, or not at all while something should move it. UNCERTAIN then, never silent.

Job: between the field's scan and the frame, judge the tags that the configuration names in [[signal]]: the rate from
sample to sample, and standing still although an element has been granted open for long enough. What it doubts
becomes UNCERTAIN (SensorNotAccurate): the guard then counts the sample as one that may raise a bound, not lower it.
Neighbours: `loop` calls it every tick, `tag_view` shows its verdicts. Must not know lines, registers or kernels' rules.
Without [[signal]] in the configuration a scan passes untouched.
"""

from collections.abc import Mapping
from typing import NamedTuple

from hal.values import Cause, Quality, Reading, Scan
from pod_controller.config_signals import Signal
from pod_controller.kernels.records import Table
from pod_controller.topology import Topology

HOLD_NS = 5_000_000_000  # how long a jump is doubted; then it is where the signal is
_NS = 1_000_000_000


class Judged(NamedTuple):
    """What is thought of one tag's movement now."""

    too_fast: bool
    stuck: bool
    rate_says: str
    stuck_says: str


class _Tag:
    """One watched tag: its rule, and what has been seen of it."""

    __slots__ = (
        "doubt_ns",
        "elements",
        "expected_ns",
        "fast_value",
        "judged",
        "moved_ns",
        "rule",
        "still_value",
        "taken_ns",
        "value",
    )

    def __init__(self, rule: Signal, elements: tuple[int, ...]) -> None:
        self.rule, self.elements = rule, elements
        self.value, self.taken_ns = 0.0, -1
        self.still_value, self.moved_ns, self.expected_ns = 0.0, -1, -1
        self.doubt_ns, self.fast_value = -1, 0.0
        self.judged = Judged(False, False, "no sample yet", "no sample yet")

    def look(self, reading: Reading, grants: Table | None, now_ns: int) -> Judged:
        """Judge one more scan; only what is not BAD already can be doubted."""
        if reading.quality is Quality.BAD:
            self.moved_ns = -1
            return self.judged
        self._rate(reading, now_ns)
        self._stillness(reading, grants, now_ns)
        self.judged = Judged(
            now_ns < self.doubt_ns, self._is_stuck(now_ns), self._rate_says(now_ns), self._stuck_says(now_ns)
        )
        return self.judged

    def _rate(self, reading: Reading, now_ns: int) -> None:
        limit = self.rule.rate_max_per_s
        if self.taken_ns >= 0 and reading.taken_ns > self.taken_ns and limit > 0.0:
            elapsed_s = (reading.taken_ns - self.taken_ns) / _NS
            rate_per_s = abs(reading.value - self.value) / elapsed_s
            if rate_per_s > limit:
                self.doubt_ns, self.fast_value = now_ns + HOLD_NS, rate_per_s
        if reading.taken_ns > self.taken_ns:
            self.value, self.taken_ns = reading.value, reading.taken_ns

    def _stillness(self, reading: Reading, grants: Table | None, now_ns: int) -> None:
        if self.moved_ns < 0 or abs(reading.value - self.still_value) > self.rule.stuck_band_value:
            self.still_value, self.moved_ns = reading.value, now_ns
        is_expected = grants is not None and any(grants[e] > 0.0 for e in self.elements)
        if not is_expected:
            self.expected_ns = -1
        elif self.expected_ns < 0:
            self.expected_ns = now_ns

    def _still_s(self, now_ns: int) -> float:
        """For how long it has stood still while it was expected to move."""
        return (
            0.0 if self.expected_ns < 0 or self.moved_ns < 0 else (now_ns - max(self.expected_ns, self.moved_ns)) / _NS
        )

    def _is_stuck(self, now_ns: int) -> bool:
        return self.rule.stuck_s > 0.0 and self._still_s(now_ns) > self.rule.stuck_s

    def _rate_says(self, now_ns: int) -> str:
        limit = self.rule.rate_max_per_s
        if not limit:
            return "no limit configured"
        if now_ns >= self.doubt_ns:
            return f"slower than {limit:g} per s"
        left_s = (self.doubt_ns - now_ns) / _NS
        return f"moved {self.fast_value:.4g} per s, limit {limit:g}; doubted for {left_s:.1f} s more"

    def _stuck_says(self, now_ns: int) -> str:
        if not self.rule.stuck_s:
            return "not expected to move by configuration"
        names = ", ".join(self.rule.moves_with)
        if self.expected_ns < 0:
            return f"not expected to move: {names} not granted"
        stood = f"within {self.rule.stuck_band_value:g} for {self._still_s(now_ns):.1f} s"
        return f"{stood} while {names} is granted, limit {self.rule.stuck_s:g} s"


class SignalWatch:
    """Every watched tag of a pod; holds no time."""

    def __init__(self, topology: Topology) -> None:
        rows = {name: e for e, name in enumerate(topology.elements)}
        self._tags = {
            rule.tag: _Tag(rule, tuple(rows[name] for name in rule.moves_with)) for rule in topology.config.signal
        }

    def judge(self, scan: Scan, permit: Table | None, now_ns: int) -> Scan:
        """The scan with doubtful readings marked; permit is the one of the tick before."""
        if not self._tags:
            return scan
        grants = None if permit is None else permit["grant_frac"][0]
        doubted: dict[str, Reading] = {}
        for name, tag in self._tags.items():
            reading = scan.readings.get(name)
            if reading is None:
                continue
            judged = tag.look(reading, grants, now_ns)
            if (judged.too_fast or judged.stuck) and reading.quality is Quality.GOOD:
                doubted[name] = reading._replace(quality=Quality.UNCERTAIN, cause=Cause.SENSOR_NOT_ACCURATE)
        if not doubted:
            return scan
        readings: Mapping[str, Reading] = {**scan.readings, **doubted}
        return Scan(readings, scan.acks)

    def judged(self, name: str) -> Judged | None:
        """The newest verdict on a tag; None when the configuration does not watch it."""
        tag = self._tags.get(name)
        return None if tag is None else tag.judged
