"""Curves through standards: what is refused, with which figure, and when a curve is out of date."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.calibration import Applied, Curve, Place, Standard, drift, fit
from hal.errors import PodError

NO_LIMIT = math.inf
FIGURES = st.floats(-1e3, 1e3, allow_nan=False)


@pytest.mark.parametrize("method", ["line", "piecewise"])
def test_two_points_take_offset_and_gain_away(method: str) -> None:
    # A cell that shows 1.5 kg when empty and 4 % too much on top.
    curve = fit(method, [Standard(1.5, 0.0), Standard(22.3, 20.0)], 0.01)  # type: ignore[arg-type]  # both are methods

    assert curve.true_at(1.5) == pytest.approx(0.0, abs=1e-12)
    assert curve.true_at(1.5 + 1.04 * 13.0) == pytest.approx(13.0)
    assert curve.residual_value == pytest.approx(0.0, abs=1e-12)


@given(FIGURES, st.floats(0.1, 10.0), st.lists(FIGURES, min_size=2, max_size=6, unique_by=lambda x: round(x, 2)))
def test_a_linear_instrument_is_made_true_everywhere(offset: float, scale: float, masses: list[float]) -> None:
    curve = fit("line", [Standard(offset + scale * mass, mass) for mass in masses], 1e-6)

    assert curve.true_at(offset + scale * 12.5) == pytest.approx(12.5, abs=1e-5)
    assert curve.raw_at(12.5) == pytest.approx(offset + scale * 12.5, abs=1e-4)


@given(st.lists(st.tuples(FIGURES, FIGURES), min_size=2, max_size=8), FIGURES, FIGURES)
def test_whatever_is_accepted_rises(points: list[tuple[float, float]], one: float, other: float) -> None:
    try:
        curve = fit("piecewise", [Standard(raw, true) for raw, true in points], NO_LIMIT)
    except PodError as error:
        assert error.code in (330, 331)
        return
    low, high = sorted((one, other))
    assert curve.true_at(low) <= curve.true_at(high) + 1e-6


def test_falling_points_are_refused() -> None:
    with pytest.raises(PodError, match="E331 the curve does not rise: 10 is 20, but 12 is 0"):
        fit("piecewise", [Standard(10.0, 20.0), Standard(12.0, 0.0)], 1.0)


def test_a_residual_above_its_limit_is_refused_with_both_figures() -> None:
    bent = [Standard(0.0, 0.0), Standard(10.0, 11.0), Standard(20.0, 20.0)]

    with pytest.raises(PodError, match=r"E332 the curve misses its points by 0\.6667, limit 0\.5"):
        fit("line", bent, 0.5)


def test_wandering_readings_and_doubtful_standards_are_part_of_the_residual() -> None:
    points = [Standard(0.0, 0.0, 0.02, 0.0), Standard(20.0, 20.0, 0.05, 0.1)]

    assert fit("line", points, 1.0).residual_value == pytest.approx(0.15)


def test_an_inner_point_of_a_piecewise_curve_is_judged_without_itself() -> None:
    points = [Standard(0.0, 0.0), Standard(10.0, 11.0), Standard(20.0, 20.0)]

    assert fit("piecewise", points, 2.0).residual_value == pytest.approx(1.0)


def test_a_check_point_bends_nothing_and_is_counted() -> None:
    corner = Standard(10.4, 10.0, is_check=True)

    curve = fit("line", [Standard(0.0, 0.0), Standard(20.0, 20.0), corner], 1.0)

    assert curve.true_at(10.0) == pytest.approx(10.0)
    assert curve.residual_value == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("method", "points"),
    [
        ("line", [Standard(1.0, 0.0)]),
        ("line", [Standard(1.0, 0.0), Standard(1.0, 5.0)]),
        ("piecewise", [Standard(1.0, 0.0), Standard(1.0, 5.0)]),
        ("offset", []),
        ("offset", [Standard(math.nan, 0.0)]),
        ("line", [Standard(0.0, 0.0), Standard(1.0, 1.0, -0.1)]),
    ],
)
def test_points_that_say_nothing_are_refused(method: str, points: list[Standard]) -> None:
    with pytest.raises(PodError, match="E330"):
        fit(method, points, NO_LIMIT)  # type: ignore[arg-type]  # all are methods


def test_beyond_its_standards_a_curve_promises_less() -> None:
    curve = fit("line", [Standard(0.0, 0.0), Standard(20.0, 20.0)], 1.0)._replace(residual_value=0.1)

    assert curve.error_at(10.0) == pytest.approx(0.1)
    assert curve.error_at(40.0) == pytest.approx(0.3)


def test_drift_is_the_most_that_the_curve_before_was_off() -> None:
    old = fit("line", [Standard(0.0, 0.0), Standard(20.0, 20.0)], 1.0)
    new = fit("line", [Standard(0.5, 0.0), Standard(20.1, 20.0)], 1.0)

    assert drift(new, old, 0.0, 20.0) == pytest.approx(0.5)
    assert drift(new, new, 0.0, 40.0) == pytest.approx(0.0)


def test_out_of_date_is_overdue_from_its_very_nanosecond() -> None:
    place = Place()
    place.put(Applied("first", Curve("offset", ((0.0, 1.0), (1.0, 2.0)), 0.0), due_ns=100))

    place.look(99)
    before = place.overdue
    place.look(100)

    assert (before, place.overdue) == (False, True)
    assert place(5.0) == 6.0


def test_required_and_not_there_is_overdue_and_changes_nothing() -> None:
    place = Place()
    place.put(Applied("one", None))

    assert place.overdue
    assert place(5.0) == 5.0


def test_an_empty_place_doubts_nothing() -> None:
    place = Place()
    place.look(2**62)

    assert not place.overdue
    assert place(5.0) == 5.0


def test_a_new_curve_ends_the_doubt_about_the_old_one_and_the_raw_value_is_kept() -> None:
    place = Place()
    place.put(Applied("one", None))

    place.put(Applied("two", Curve("offset", ((0.0, 1.0), (1.0, 2.0)), 0.0)))

    assert (place.overdue, place(3.0), place.raw_value, place.label) == (False, 4.0, 3.0, "two")
