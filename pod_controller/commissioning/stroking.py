"""One stroke of one element, tick by tick: open it, let it rest, shut it, and tell how long both ways took.

    OPENING -> RESTING -> SHUTTING -> DONE        FAILED from anywhere, and by anything that is not as it should be

The stroke only wishes (the guard has the last word at every tick) and only looks at the position feedback. A lid has
a switch that knows two places: its times run from the tick that told it, and lie between two samples. Neighbours:
`core` runs it, `live` asks about it. Must not know kernels, sockets or files.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hal.values import Quality, Reading

NS = 1_000_000_000
REST_S = 1.0
REFUSED_TICKS = 6  # the guard may need some ticks until the lid is proved locked, and no more
LATE_FACTOR, LATE_S = 2.5, 10.0
SHUT, OPENING, RESTING, SHUTTING, DONE, FAILED = "SHUT", "OPENING", "RESTING", "SHUTTING", "DONE", "FAILED"


class Way(NamedTuple):
    """One direction: the travel (of a lid: the least of it), and the time between samples that it cannot exceed."""

    travel_s: float
    at_most_s: float
    is_between: bool = False  # known only to lie between the two

    def in_words(self) -> str:
        """As a technician reads it."""
        return f"{self.travel_s:.2f} to {self.at_most_s:.2f} s" if self.is_between else f"{self.travel_s:.2f} s"


class Stroking:
    """A stroke that is under way, or over."""

    def __init__(
        self, element: str, tag: str, stroke_s: float, end_frac: float, now_ns: int, is_lid: bool = False
    ) -> None:
        """end_frac: how near to an end of its travel its feedback counts as being there; a lid's says 1 for locked."""
        self.element, self.tag, self._is_lid = element, tag, is_lid
        self._told_ns = -1  # the tick that told it to go where it is going
        self.phase, self.why = OPENING, ""
        self.open: Way | None = None
        self.shut: Way | None = None
        self._end_frac = end_frac
        self._most_ns = round((LATE_FACTOR * stroke_s + LATE_S) * NS)
        self._since_ns = now_ns
        self._refused = 0
        self._samples: list[tuple[int, float]] = []

    @property
    def wishes(self) -> bool:
        """Whether the element shall be open."""
        return self.phase in (OPENING, RESTING)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.phase in (DONE, FAILED)

    def fail(self, why: str) -> None:
        """End it; the element goes to its fail state."""
        if not self.over:
            self.phase, self.why = FAILED, why

    def tick(self, now_ns: int, position: Reading | None, granted: bool, rule_text: str) -> bool:
        """After a tick: what the feedback says, and what the guard made of the wish. True once it is over."""
        if not self.over:
            self._look(now_ns, position, granted, rule_text)
        return self.over

    def _look(self, now_ns: int, position: Reading | None, granted: bool, rule_text: str) -> None:
        if position is None or position.quality is not Quality.GOOD:
            self.fail(f"the position of {self.tag} cannot be read any more")
            return
        self._refused = 0 if granted or not self.wishes else self._refused + 1
        if self._refused >= REFUSED_TICKS:
            self.fail(f"refused: {rule_text}")
            return
        if self._is_lid:
            position = position._replace(value=1.0 - position.value)
        if self._told_ns < 0 and granted is self.wishes:
            self._told_ns = now_ns
        if not self._samples or position.taken_ns > self._samples[-1][0]:
            self._samples.append((position.taken_ns, position.value))
        self._go_on(now_ns, position.value)

    def _go_on(self, now_ns: int, open_frac: float) -> None:
        if self.phase == OPENING and open_frac >= 1.0 - self._end_frac:
            self.open = self._measured([*self._samples])
            self._enter(RESTING, now_ns)
        elif self.phase == RESTING and now_ns - self._since_ns >= REST_S * NS:
            self._enter(SHUTTING, now_ns)
        elif self.phase == SHUTTING and open_frac <= self._end_frac:
            self.shut = self._measured([(at_ns, 1.0 - frac) for at_ns, frac in self._samples])
            self.phase = DONE
        elif now_ns - self._since_ns > self._most_ns:
            limit_s = self._most_ns / NS
            self.fail(
                f"{self.tag} is at {open_frac:.0%} after {limit_s:.0f} s of {self.phase}: air, power, or it is stuck"
            )

    def _measured(self, samples: Sequence[tuple[int, float]]) -> Way:
        if self._is_lid:
            return measure_switch(samples, self._told_ns, self._end_frac)
        return measure(samples, self._end_frac)

    def _enter(self, phase: str, now_ns: int) -> None:
        self.phase, self._since_ns = phase, now_ns
        if phase == SHUTTING:
            self._told_ns = -1
        self._samples = self._samples[-1:]

    def told(self) -> dict[str, Any]:
        """For whoever asks."""
        return {
            "element": self.element,
            "tag": self.tag,
            "phase": self.phase,
            "why": self.why,
            "position_frac": self._samples[-1][1] if self._samples else None,
            "open": None if self.open is None else self.open._asdict(),
            "shut": None if self.shut is None else self.shut._asdict(),
        }


def measure(samples: Sequence[tuple[int, float]], end_frac: float) -> Way:
    """The travel from 0 to 1 in samples (time in ns, fraction) whose last one is at the end.

    Two samples or more under way give the speed, and that gives the moments at both ends, between the samples around
    them. With fewer the ends are taken in the middle of the gaps.
    """
    before = [at_ns for at_ns, frac in samples if frac <= end_frac]
    left_ns = max(before) if before else samples[0][0]
    moving = [(at_ns, frac) for at_ns, frac in samples if at_ns > left_ns and end_frac < frac < 1.0 - end_frac]
    arrived_ns = samples[-1][0]
    at_most_s = (arrived_ns - left_ns) / NS
    if not moving:
        return Way(at_most_s / 2.0, at_most_s)
    (first_ns, first_frac), (last_ns, last_frac) = moving[0], moving[-1]
    if last_ns <= first_ns or last_frac <= first_frac:
        gaps_s = (first_ns - left_ns + arrived_ns - last_ns) / NS
        return Way(at_most_s - gaps_s / 2.0, at_most_s)
    per_ns = (last_frac - first_frac) / (last_ns - first_ns)
    slack_ns = end_frac / per_ns  # a sample that counts as at an end may have left it by so much
    began_ns = max(left_ns - slack_ns, first_ns - first_frac / per_ns)
    ended_ns = min(arrived_ns + slack_ns, last_ns + (1.0 - last_frac) / per_ns)
    travel_s = (ended_ns - began_ns) / NS
    return Way(travel_s, max(travel_s, at_most_s))


def measure_switch(samples: Sequence[tuple[int, float]], told_ns: int, end_frac: float) -> Way:
    """From the tick that told it until a switch showed the other place, as the last of its samples does."""
    before = [at_ns for at_ns, frac in samples if frac < 1.0 - end_frac]
    arrived_s = max(0.0, (samples[-1][0] - told_ns) / NS)
    least_s = max(0, *[at_ns - told_ns for at_ns in before], 0) / NS
    return Way(min(arrived_s, least_s), arrived_s, True)
