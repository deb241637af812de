"""Weighted max-min sharing: the axioms of fair shedding, on any demands, weights and capacities."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pod_controller.kernels.records import CHUTE, table
from pod_controller.kernels.shed import water_fill

TOLERANCE = 1e-9
demands = st.lists(st.sampled_from([0.0, 0.1, 1.0]) | st.floats(0.0, 2.0), min_size=1, max_size=8)
capacities = st.floats(0.0, 5.0)
weights = st.lists(st.sampled_from([0.5, 1.0, 2.0]) | st.floats(0.1, 10.0), min_size=8, max_size=8)


def shares(demand: list[float], weight: list[float], capacity_kg_s: float) -> list[float]:
    chutes = table(CHUTE, len(demand))
    chutes["weight_ratio"] = weight[: len(demand)]
    share = np.zeros(len(demand))
    water_fill(len(demand), np.array(demand), chutes, capacity_kg_s, share)
    return [float(x) for x in share]


def near(one: list[float], other: list[float]) -> bool:
    return bool(np.allclose(one, other, rtol=1e-9, atol=TOLERANCE))


@given(demands, weights, capacities)
def test_a_share_is_feasible_and_never_above_its_demand(d: list[float], w: list[float], capacity_kg_s: float) -> None:
    x = shares(d, w, capacity_kg_s)

    assert sum(x) <= capacity_kg_s + TOLERANCE
    assert all(0.0 <= xi <= di + TOLERANCE for xi, di in zip(x, d, strict=True))


@given(demands, weights, capacities)
def test_nothing_is_left_over_while_somebody_wants_more(d: list[float], w: list[float], capacity_kg_s: float) -> None:
    assert sum(shares(d, w, capacity_kg_s)) >= min(sum(d), capacity_kg_s) - TOLERANCE


@given(demands, weights, capacities)
def test_whoever_is_not_satisfied_has_the_largest_share_per_weight(
    d: list[float], w: list[float], capacity_kg_s: float
) -> None:
    x = shares(d, w, capacity_kg_s)

    per_weight = [xi / wi for xi, wi in zip(x, w, strict=False)]
    for i in range(len(d)):
        if x[i] < d[i] - TOLERANCE:
            assert per_weight[i] >= max(per_weight) - 1e-7


@settings(max_examples=30)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=4),
    st.integers(0, 12),
    st.lists(st.integers(1, 3), min_size=4, max_size=4),
)
def test_no_division_of_the_capacity_is_better_for_the_worst_off(d: list[int], capacity: int, w: list[int]) -> None:
    """Leximin by brute force over all divisions into halves."""
    mine = sorted(
        x / wi for x, wi in zip(shares([float(di) for di in d], [float(wi) for wi in w], capacity), w, strict=False)
    )
    best: list[float] = []
    for parts in itertools.product(*(range(2 * di + 1) for di in d)):
        if sum(parts) <= 2 * capacity:
            best = max(best, sorted(part / 2.0 / wi for part, wi in zip(parts, w, strict=False)))

    for x, y in zip(mine, best, strict=True):
        assert x >= y - 1e-9
        if x > y + 1e-9:
            break


@given(demands, weights, capacities, st.randoms(use_true_random=False))
def test_the_order_of_chutes_does_not_matter(
    d: list[float], w: list[float], capacity_kg_s: float, random: object
) -> None:
    order = list(range(len(d)))
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis types it as an object

    turned = shares([d[i] for i in order], [w[i] for i in order], capacity_kg_s)

    assert near(turned, [shares(d, w, capacity_kg_s)[i] for i in order])


@given(demands, weights, capacities, st.floats(0.1, 10.0))
def test_shares_scale_with_demand_and_capacity(d: list[float], w: list[float], capacity_kg_s: float, k: float) -> None:
    scaled = shares([k * di for di in d], w, k * capacity_kg_s)

    assert near(scaled, [k * x for x in shares(d, w, capacity_kg_s)])


@given(demands, weights, capacities, st.floats(0.0, 3.0))
def test_more_capacity_takes_from_nobody(
    d: list[float], w: list[float], capacity_kg_s: float, more_kg_s: float
) -> None:
    less, more = shares(d, w, capacity_kg_s), shares(d, w, capacity_kg_s + more_kg_s)

    assert all(x <= y + TOLERANCE for x, y in zip(less, more, strict=True))


@given(demands, weights, capacities)
def test_who_is_served_and_leaves_with_his_share_changes_nothing(
    d: list[float], w: list[float], capacity_kg_s: float
) -> None:
    x = shares(d, w, capacity_kg_s)
    rest = shares(d[1:], w[1:], capacity_kg_s - x[0])

    assert near(rest, x[1:])


@given(demands, weights, capacities, st.floats(0.0, 4.0))
def test_claiming_more_than_one_needs_never_helps(
    d: list[float], w: list[float], capacity_kg_s: float, claim_kg_s: float
) -> None:
    honest = shares(d, w, capacity_kg_s)[0]
    claimed = shares([claim_kg_s, *d[1:]], w, capacity_kg_s)[0]

    assert min(claimed, d[0]) <= honest + TOLERANCE


@given(demands, weights, capacities, st.floats(-1e-6, 1e-6))
def test_a_small_change_of_demand_changes_shares_little(
    d: list[float], w: list[float], capacity_kg_s: float, change_kg_s: float
) -> None:
    assume(d[0] + change_kg_s >= 0.0)
    before, after = shares(d, w, capacity_kg_s), shares([d[0] + change_kg_s, *d[1:]], w, capacity_kg_s)

    assert max(abs(x - y) for x, y in zip(before, after, strict=True)) <= 1e-6 + TOLERANCE


@given(st.floats(0.1, 10.0), st.floats(0.1, 10.0))
def test_of_two_who_want_everything_each_gets_by_weight(one: float, other: float) -> None:
    x = shares([9.0, 9.0], [one, other], 1.0)

    assert x[0] * other == pytest.approx(x[1] * one)


@given(st.lists(st.sampled_from([float("nan"), float("inf"), -1.0, 1e308, 0.5]), min_size=1, max_size=8), weights)
def test_demands_that_are_no_numbers_get_nothing_and_take_nothing(d: list[float], w: list[float]) -> None:
    x = shares(d, w, 1.0)

    assert all(np.isfinite(x))
    assert sum(x) <= 1.0 + TOLERANCE
