"""One intake weighed: does anything pass, as far as the levels on both sides of it can tell?

    source   falls by what passes, less what others bring
    target   rises by what passes times its share, less what others take and what is still held up on the way

Two hypotheses are held against the levels over a window of running: "at least WORN_RATIO of the rate passes" and
"nothing passes". One side alone may refute the first (all of its sensors together: one that stands still proves
nothing); one sensor alone may prove that something moves. A level that neither hypothesis explains (a truck, a hose)
begins the window anew. What is found stands until a run shows otherwise.

Neighbours: `watch` brings the figures. Must not know readings, names of vessels, or what is done about it.
"""

from collections.abc import Sequence
from typing import NamedTuple

NS = 1_000_000_000
WORN_RATIO = 0.5  # of the rate: a pump that moves less than half of what it should is named
LEAST_S = 10.0  # filters inside instruments lag
LONGEST_GAP_S = 5.0  # without a look for longer, anything may have happened
HOPELESS_S = 3600.0  # a side on which it would take longer tells nothing
WINDOWS = 4.0  # a window lasts so many times what the quickest side needs, then it begins anew
# Source of these two: choice, not measured on a plant. An honest error wanders slowly: by half of what is declared at
# once (waves, noise), by twice of it (from one end to the other) within a quarter of an hour.
AT_ONCE_RATIO, PER_S_RATIO, MOST_RATIO = 0.5, 1.0 / 600.0, 2.0

MOVES, NOTHING, ODD, SILENT = "moves", "nothing", "odd", "silent"  # what one side says


class Side(NamedTuple):
    """One place where the effect of an intake can be seen.

    rate_kg_s: its change while the whole rate passes, positive for a source too; hold_up_kg: what may be on its way.
    is_known: what else comes and goes there is known; without that it can show that something moves, never that
    nothing does.
    """

    name: str
    is_source: bool
    rate_kg_s: float
    errors_kg: tuple[float, ...]
    hold_up_kg: float = 0.0
    is_known: bool = True


class Seen(NamedTuple):
    """A side now: its levels by sensor (None: not good); the most that others bring and take (inf: not known)."""

    levels_kg: tuple[float | None, ...]
    gain_kg_s: float
    loss_kg_s: float


class Finding(NamedTuple):
    """Why an intake is said to move nothing."""

    side: str
    is_source: bool
    ran_s: float
    due_kg: float  # what WORN_RATIO of its rate would have come to
    seen_kg: float  # the most that any sensor saw of it


def wander_kg(error_kg: float, ran_s: float) -> float:
    """The most that an honest level with this declared error changes by itself within ran_s."""
    return error_kg * min(MOST_RATIO, AT_ONCE_RATIO + PER_S_RATIO * ran_s)


def visible_s(side: Side) -> float:
    """After how long a run that moves nothing is known, with nothing else going on; inf if never, or too late."""
    if not side.is_known:
        return float("inf")
    error_kg, due_kg_s = max(side.errors_kg, default=float("inf")), WORN_RATIO * side.rate_kg_s
    still_kg = side.hold_up_kg + AT_ONCE_RATIO * error_kg
    steeper_kg_s = due_kg_s - PER_S_RATIO * error_kg
    early_s = still_kg / steeper_kg_s if steeper_kg_s > 0.0 else float("inf")
    late_s = (side.hold_up_kg + MOST_RATIO * error_kg) / due_kg_s
    found_s = max(LEAST_S, min(early_s, late_s) if error_kg < float("inf") else float("inf"))
    return found_s if found_s <= HOPELESS_S else float("inf")


class Balance:
    """One intake, look after look. findings: by way of running, why nothing moves; None where something does."""

    def __init__(self, sides: Sequence[Side]) -> None:
        self.sides = tuple(sides)
        self._visible_s = tuple(map(visible_s, sides))
        self.visible_s = min(self._visible_s, default=float("inf"))
        self.findings: dict[int, Finding | None] = {}
        self._longest_s = WINDOWS * max(LEAST_S, min(self.visible_s, HOPELESS_S))
        self._key = 0  # 0: no window
        self._ran_s = 0.0
        self._last_ns = 0
        self._first: tuple[Seen, ...] = ()
        self._gained_kg = [0.0] * len(self.sides)
        self._lost_kg = [0.0] * len(self.sides)

    @property
    def is_at_rest(self) -> bool:
        """Whether no window is open."""
        return self._key == 0

    def look(self, now_ns: int, key: int, seen: Sequence[Seen]) -> bool:
        """Once a tick. key: 0 while it does not run whole, else another number for another way of running.

        True when a run with this key is known to move nothing, or something again, and was not before.
        """
        ran_s = (now_ns - self._last_ns) / NS
        self._last_ns = now_ns
        if key == 0 or key != self._key or not 0.0 < ran_s <= LONGEST_GAP_S:
            self._begin(key, seen)
            return False
        self._ran_s += ran_s
        for k, now in enumerate(seen):
            self._gained_kg[k] += now.gain_kg_s * ran_s
            self._lost_kg[k] += now.loss_kg_s * ran_s
        return self._conclude(seen)

    def _begin(self, key: int, seen: Sequence[Seen]) -> None:
        self._key, self._ran_s, self._first = key, 0.0, tuple(seen)
        self._gained_kg, self._lost_kg = [0.0] * len(self.sides), [0.0] * len(self.sides)

    def _conclude(self, seen: Sequence[Seen]) -> bool:
        """One side that shows it moves is enough; else one that neither hypothesis explains; else one that refutes."""
        weighed = [self._weigh(k, now) for k, now in enumerate(seen)]
        said = [what for what, _ in weighed]
        before = self.findings.get(self._key)
        if MOVES in said:
            self._note(None)
        elif NOTHING in said and ODD not in said:
            if before is None:
                k = said.index(NOTHING)
                side, due_kg = self.sides[k], WORN_RATIO * self.sides[k].rate_kg_s * self._ran_s
                self._note(Finding(side.name, side.is_source, self._ran_s, due_kg, weighed[k][1]))
        elif ODD not in said and self._ran_s <= self._longest_s:
            return False
        self._begin(self._key, seen)
        return self.findings.get(self._key) is not before

    def _note(self, finding: Finding | None) -> None:
        """Into a new table: whoever asks is in another thread."""
        self.findings = {**self.findings, self._key: finding}

    def _weigh(self, k: int, now: Seen) -> tuple[str, float]:
        """What one side says, and the most that a sensor of it changed the way it should."""
        side = self.sides[k]
        helped_kg, hindered_kg = self._lost_kg[k], self._gained_kg[k]
        if not side.is_source:
            helped_kg, hindered_kg = hindered_kg, helped_kg + side.hold_up_kg
        due_kg = WORN_RATIO * side.rate_kg_s * self._ran_s
        changes = self._changes(k, now)
        says = NOTHING if changes and self._ran_s >= LEAST_S and self._visible_s[k] < float("inf") else SILENT
        for changed_kg, wanders_kg in changes:
            if changed_kg > helped_kg + wanders_kg:
                return MOVES, changed_kg
            if changed_kg < -hindered_kg - wanders_kg:
                says = ODD
            elif says == NOTHING and not changed_kg < due_kg - hindered_kg - wanders_kg:
                says = SILENT
        return says, max((changed_kg for changed_kg, _ in changes), default=0.0)

    def _changes(self, k: int, now: Seen) -> list[tuple[float, float]]:
        """By sensor: how far it went the way it should, and how far it may have wandered."""
        side, found = self.sides[k], []
        for first_kg, now_kg, error_kg in zip(self._first[k].levels_kg, now.levels_kg, side.errors_kg, strict=True):
            if first_kg is not None and now_kg is not None:
                change_kg = first_kg - now_kg if side.is_source else now_kg - first_kg
                found.append((change_kg, wander_kg(error_kg, self._ran_s)))
        return found
