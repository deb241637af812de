"""Runs the decision table on plain kernels and tells the first case in which a mutant decides otherwise.

What counts is what leaves the tick: the permit, everything of STATE that a later tick or a person reads, and how often
the guard's dear functions were called. Scratch sums do not count. Neighbours: `cases`, `engine`; `checks` judges
without any stored answer. Must not know mutants.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sim_hardware.mutants.cases import Case
from sim_hardware.mutants.engine import Names
from sim_hardware.mutants.plain import alive

BOUNDS = (
    *("ticks", "envelope_frac", "live_frac", "verified_ns", "proved_shut", "bound_kg", "level_kg", "blind_s", "full"),
    *("content_bound_kg", "content_age_s", "content_kg", "sealed", "locked_ns", "command_ns"),
    "inflow_kg",
)
DECIDED = (
    "phi_kg",
    "phi_scenario",
    "inflow_bound_kg_s",
    "rule",
    "command_frac",
    "ticks",
    "lid_open",
    "together",
    "reached",
)
PERMITTED = ("grant_frac", "rule", "vessel", "scenario")
CONCERNED = {
    "observe": "observe",
    "terms": "guard",
    "ways": "guard",
    "guard": "guard",
    "commit": "guard",
    "trips": "trips",
}


WORK = ("still_to_pass_kg", "weigh", "leads_to")  # dear: a condition that only saves such calls is seen by their number


class Counted:
    """A with-block in which calls of the dear functions are counted."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.calls = 0

    def __enter__(self) -> "Counted":
        self._kept = {name: self._names[name] for name in WORK}
        self._names.update({name: self._counting(self._names[name]) for name in WORK})
        return self

    def __exit__(self, *_: object) -> None:
        self._names.update(self._kept)

    def _counting(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any) -> Any:
            self.calls += 1
            return function(*arguments)

        return counting


def outcome(names: Names, case: Case) -> list[Any]:
    """Run one case; everything that counts."""
    state, frame = alive(case.state), alive(case.frame)
    if case.kind == "observe":
        names["observe"](case.plant, state, frame)
        return [getattr(state, name) for name in BOUNDS]
    permit, wish = alive(case.permit), alive(case.wish)
    if case.kind == "trips":
        names["withhold"](case.plant, frame, wish)
        names["name_trips"](case.plant, frame, permit)
        return [wish.open_frac, *(getattr(permit, name) for name in PERMITTED)]
    with Counted(names) as work:
        names["guard"](case.plant, state, frame, wish, permit)
    names["commit"](case.plant, state, permit)
    decided = [getattr(state, name) for name in DECIDED] + [getattr(permit, name) for name in PERMITTED]
    return [*decided, work.calls]


def tails(names: Names) -> list[float]:
    """`closing_tail_kg` by itself: openings on and beyond its limits, which no asked opening reaches."""
    tail = names["closing_tail_kg"]
    elements = [
        SimpleNamespace(stroke_s=stroke_s, fast_stroke_s=1.5, lease_s=lease_s, positioner=positioner)
        for stroke_s in (0.5, 4.0)
        for lease_s in (0.0, 2.0)
        for positioner in (0, 1)
    ]
    openings = (float("nan"), float("inf"), -float("inf"), -1.0, -0.5, 0.0, 0.2, 0.5, 0.999, 1.0, 1.5, 2.0, 3.0)
    return [tail(0.7, element, open_frac, 0.5) for element in elements for open_frac in openings]


def expected(names: Names, cases: list[Case]) -> list[list[Any]]:
    """The answers of the source as it is."""
    return [outcome(names, case) for case in cases]


def put_on_the_lip(names: Names, cases: list[Case]) -> None:
    """Set capacities of every third guard case to exactly what Phi came to, so that equality is met."""
    for number, case in enumerate(cases):
        if case.kind != "guard" or number % 3:
            continue
        state, permit = alive(case.state), alive(case.permit)
        names["guard"](case.plant, state, alive(case.frame), alive(case.wish), permit)
        v = number % case.plant.n_vessels
        if 0.0 < state.phi_kg[v] < 1e6:
            case.plant.vessels[v].capacity_kg = state.phi_kg[v]


def first_difference(names: Names, cases: list[Case], answers: list[list[Any]], kind: str) -> int:
    """The number of the first case of that kind with another outcome, an exception included; -1 if none has."""
    for number, case in enumerate(cases):
        if case.kind != kind:
            continue
        try:
            if outcome(names, case) != answers[number]:
                return number
        except (ArithmeticError, LookupError, NameError, TypeError, ValueError):
            return number
    return -1
