"""One intake weighed: no false alarm whatever others do within their rates, and found within the time it states."""

import math
from collections.abc import Sequence
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from pod_controller.effects.balance import (
    AT_ONCE_RATIO,
    HOPELESS_S,
    LEAST_S,
    NS,
    WORN_RATIO,
    Balance,
    Seen,
    Side,
    visible_s,
    wander_kg,
)

TICK_S = 0.5
SHARES = st.floats(0.0, 1.0)
SIDES = st.builds(
    Side,
    st.just("vessel"),
    st.booleans(),
    st.floats(0.01, 5.0),
    st.lists(st.floats(0.1, 50.0), min_size=1, max_size=3).map(tuple),
    st.floats(0.0, 20.0),
)


def at_ns(tick: int) -> int:
    return round(tick * TICK_S * NS)


def steady(side: Side, levels_kg: float | None, gain_kg_s: float = 0.0, loss_kg_s: float = 0.0) -> Seen:
    """All sensors agree."""
    return Seen((levels_kg,) * len(side.errors_kg), gain_kg_s, loss_kg_s)


class Course:
    """A level that a share of the rate moves, while others bring and take and every sensor wanders as it may."""

    def __init__(self, side: Side, passes_ratio: float, others_kg_s: tuple[float, float]) -> None:
        self.balance, self.side, self.others_kg_s = Balance([side]), side, others_kg_s
        self._passed_kg_s = passes_ratio * side.rate_kg_s
        self._level_kg, self._ticks = 1000.0, count(1)
        self._held_kg = 0.0 if side.is_source else side.hold_up_kg  # fills before anything arrives

    def go_on(self, brings_ratio: float, takes_ratio: float, wander_ratios: Sequence[float]) -> None:
        """One tick; ratios of what others are known to bring and take at most, and of half of what may wander."""
        passed_kg = self._passed_kg_s * TICK_S
        waits_kg = min(self._held_kg, passed_kg)
        self._held_kg -= waits_kg
        self._level_kg += -passed_kg if self.side.is_source else passed_kg - waits_kg
        self._level_kg += (brings_ratio * self.others_kg_s[0] - takes_ratio * self.others_kg_s[1]) * TICK_S
        wanders_kg = (0.5 * AT_ONCE_RATIO * e * w for e, w in zip(self.side.errors_kg, wander_ratios, strict=False))
        shown = tuple(self._level_kg + kg for kg in wanders_kg)
        self.balance.look(at_ns(next(self._ticks)), 1, [Seen(shown, *self.others_kg_s)])


OTHERS_KG_S = st.tuples(st.floats(0.0, 3.0), st.floats(0.0, 3.0))
WANDERS = st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3)


@given(
    SIDES,
    st.floats(WORN_RATIO, 1.0),
    OTHERS_KG_S,
    st.lists(st.tuples(SHARES, SHARES, WANDERS), min_size=1, max_size=40),
)
def test_what_passes_at_least_half_of_its_rate_is_never_said_to_move_nothing(
    side: Side, passes_ratio: float, others_kg_s: tuple[float, float], course: list[tuple[float, float, list[float]]]
) -> None:
    pod = Course(side, passes_ratio, others_kg_s)

    for tick in range(600):
        pod.go_on(*course[tick % len(course)])

        assert pod.balance.findings.get(1) is None


@given(SIDES, OTHERS_KG_S)
def test_not_even_where_everything_works_together_to_hide_it(side: Side, others_kg_s: tuple[float, float]) -> None:
    pod, against = Course(side, WORN_RATIO * 1.000001, others_kg_s), (1.0, 0.0) if side.is_source else (0.0, 1.0)
    worst = 1.0 if side.is_source else -1.0

    for tick in range(600):
        pod.go_on(*against, [worst if tick else -worst] * 3)

        assert pod.balance.findings.get(1) is None


@given(SIDES, OTHERS_KG_S)
def test_nor_is_what_others_do_taken_for_its_effect(side: Side, others_kg_s: tuple[float, float]) -> None:
    pod, along = Course(side, 0.0, others_kg_s), (0.0, 0.999999) if side.is_source else (0.999999, 0.0)
    best = -0.999999 if side.is_source else 0.999999

    for tick in range(600):
        pod.go_on(*along, [best if tick else -best] * 3)

        assert pod.balance.findings.get(1, "not known") is not None


@given(SIDES)
def test_a_run_that_moves_nothing_is_found_within_the_time_it_states(side: Side) -> None:
    balance = Balance([side])
    if balance.visible_s > HOPELESS_S:
        return

    told = [
        balance.look(at_ns(tick + 1), 1, [steady(side, 100.0)]) for tick in range(int(balance.visible_s / TICK_S) + 3)
    ]

    finding = balance.findings[1]
    assert finding is not None and finding.seen_kg == 0.0
    assert LEAST_S <= finding.ran_s <= balance.visible_s + 2.0 * TICK_S
    assert told.count(True) == 1


@given(SIDES, st.floats(0.0, 1.0))
def test_a_belt_that_breaks_in_the_middle_of_a_run_is_found_and_its_repair_too(side: Side, early_ratio: float) -> None:
    balance = Balance([side])
    if balance.visible_s > 600.0 or side.hold_up_kg:
        return
    level_kg, sign, ticks = 10000.0, -1.0 if side.is_source else 1.0, count(1)
    step_kg = sign * side.rate_kg_s * TICK_S

    for _ in range(int(early_ratio * balance.visible_s / TICK_S)):
        level_kg += step_kg
        balance.look(at_ns(next(ticks)), 1, [steady(side, level_kg)])
    for _ in range(int(6.0 * balance.visible_s / TICK_S)):
        balance.look(at_ns(next(ticks)), 1, [steady(side, level_kg)])
    assert balance.findings[1] is not None

    for _ in range(int(6.0 * balance.visible_s / TICK_S)):
        level_kg += step_kg
        balance.look(at_ns(next(ticks)), 1, [steady(side, level_kg)])
    assert balance.findings[1] is None


LEVELS = st.tuples(*[st.none() | st.floats(-1e4, 1e5)] * 2)
FLOWS = st.floats(0.0, 5.0) | st.just(math.inf)


@given(st.lists(st.tuples(st.integers(-1, 10), st.integers(0, 3), LEVELS, FLOWS, FLOWS), max_size=60))
def test_any_course_of_levels_gives_an_answer_and_no_run_shorter_than_ten_seconds_a_finding(
    course: list[tuple[int, int, tuple[float | None, float | None], float, float]],
) -> None:
    balance, now_ns = Balance([Side("vessel", True, 1.0, (1.0, 2.0)), Side("other", False, 0.5, (1.0, 1.0))]), 0

    for step_s, key, levels_kg, gain_kg_s, loss_kg_s in course:
        now_ns += step_s * NS
        balance.look(now_ns, key, [Seen(levels_kg, gain_kg_s, loss_kg_s)] * 2)

    for finding in balance.findings.values():
        assert finding is None or (finding.ran_s >= LEAST_S and math.isfinite(finding.due_kg + finding.seen_kg))
    assert 0 not in balance.findings


def test_a_sensor_that_stands_still_beside_one_that_falls_accuses_nobody() -> None:
    side = Side("buffer", True, 0.8, (6.0, 6.0, 6.0))
    balance = Balance([side])

    for tick in range(240):
        balance.look(at_ns(tick + 1), 1, [Seen((300.0, 300.0, 300.0 - 0.4 * tick), 0.0, 0.0)])

    assert balance.findings == {1: None}


def test_a_truck_that_empties_the_target_accuses_nobody_and_hides_nothing_for_long() -> None:
    side = Side("storage", False, 0.5, (100.0, 100.0))
    healthy, broken = Balance([side]), Balance([side])

    for tick in range(1500):
        emptied_kg = 40.0 * max(0, min(tick - 200, 70))
        healthy.look(at_ns(tick + 1), 1, [steady(side, 3000.0 + 0.25 * tick - emptied_kg)])
        if tick <= 270 + visible_s(side) / TICK_S + 2:
            broken.look(at_ns(tick + 1), 1, [steady(side, 3000.0 - emptied_kg)])

    assert healthy.findings.get(1) is None
    assert broken.findings[1] is not None


def test_a_level_that_creeps_the_other_way_hides_nothing() -> None:
    for side in (Side("buffer", True, 0.8, (6.0,)), Side("buffer", False, 0.8, (6.0,))):
        balance, creeps_kg = Balance([side]), 0.002 if side.is_source else -0.002
        for tick in range(60):
            balance.look(at_ns(tick + 1), 1, [steady(side, 300.0 + creeps_kg * tick)])

        assert balance.findings[1] is not None


def test_a_level_that_nobody_can_explain_silences_the_others() -> None:
    sides = [Side("bin", False, 0.5, (1.0,)), Side("storage", False, 0.5, (1.0,))]
    balance = Balance(sides)

    for tick in range(200):
        balance.look(at_ns(tick + 1), 1, [steady(sides[0], 50.0), steady(sides[1], 3000.0 - 50.0 * max(0, tick - 19))])

    assert balance.findings == {}


def test_what_happened_while_nobody_looked_counts_for_nothing() -> None:
    side = Side("buffer", True, 0.8, (6.0,))
    balance = Balance([side])

    for minute in range(20):
        balance.look(minute * 60 * NS, 1, [steady(side, 300.0)])

    assert balance.findings == {}


def test_a_side_of_which_not_everything_is_known_shows_that_something_moves_and_never_that_nothing_does() -> None:
    side = Side("sump", True, 0.5, (4.0,), is_known=False)
    still, falls = Balance([side]), Balance([side])

    for tick in range(2000):
        still.look(at_ns(tick + 1), 1, [Seen((200.0,), math.inf, 0.0)])
        falls.look(at_ns(tick + 1), 1, [Seen((300.0 - 0.1 * tick,), math.inf, 0.0)])

    assert (visible_s(side), still.findings, falls.findings) == (math.inf, {}, {1: None})


@given(st.floats(0.1, 100.0), st.floats(0.0, 5000.0), st.floats(0.0, 5000.0))
def test_an_honest_level_never_wanders_less_in_a_longer_time(error_kg: float, one_s: float, other_s: float) -> None:
    short_s, long_s = sorted((one_s, other_s))

    assert AT_ONCE_RATIO * error_kg <= wander_kg(error_kg, short_s) <= wander_kg(error_kg, long_s) <= 2.0 * error_kg
