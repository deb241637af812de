"""The published quorum circuit: its accuracy, its delay, its shape, and the command."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from sim_hardware import cli_science, culture
from sim_hardware.adm1.records import Vector

pytestmark = pytest.mark.timeout(60)  # the first call compiles


def rows(hours: int, steps_per_h: int = culture.STEPS_PER_H) -> Vector:
    return np.asarray(culture.trajectory(culture.circuit()[0], culture.initial(), hours, steps_per_h))


def worst(one: Vector, other: Vector) -> float:
    return float(np.max(np.abs(one / other - 1.0)))


def test_halving_the_step_divides_the_error_by_sixteen() -> None:
    exact = rows(60, 1024)

    errors = [worst(rows(60, steps_per_h), exact) for steps_per_h in (16, 32, 64, 128)]

    assert all(12.0 < coarse / fine < 20.0 for coarse, fine in pairwise(errors))
    assert worst(rows(60), exact) < 1e-12


def test_another_method_gives_the_same() -> None:
    """Method of steps with scipy's order 8: every two hours anew, the delayed complex from the piece before."""
    c, y, before, ends = culture.circuit()[0], culture.initial(), None, [culture.initial()]
    for piece in range(15):
        begin_h = 2.0 * piece

        def derivative(t_h: float, place: Vector, before: Any = before) -> Vector:
            slope = np.empty(5)
            delayed = culture.initial()[culture.C] if before is None else before(t_h - 2.0)[culture.C]
            culture.fill_slope(c, place, delayed, slope)
            return slope

        solved = solve_ivp(derivative, (begin_h, begin_h + 2.0), y, "DOP853", rtol=1e-13, atol=1e-25, dense_output=True)
        before, y = solved.sol, solved.y[:, -1]
        ends.append(y)

    assert worst(rows(30)[::2], np.array(ends)) < 1e-11


def test_cells_settle_and_autoinducer_peaks_between_hours_15_and_25() -> None:
    states = rows(45)

    assert states[-1, culture.N] == pytest.approx(4.56e11, rel=2e-3)
    assert 15 <= np.argmax(states[:, culture.A]) <= 25
    assert states[-1, culture.A] < 0.5 * np.max(states[:, culture.A])


def test_complex_of_the_first_hours_acts_only_after_the_delay() -> None:
    c, start = culture.circuit()[0], culture.initial()
    long = c.copy()
    long.delay = 4.0

    two_h, four_h = (culture.trajectory(circuit, start, 6, 64)[:, culture.L] for circuit in (c, long))

    assert np.array_equal(two_h[:3], four_h[:3])
    assert not np.isclose(two_h[4], four_h[4], rtol=1e-6)


@given(cells=st.floats(1e7, 1e11), more=st.floats(1.1, 3.0))
def test_more_cells_at_the_start_are_never_fewer_later(cells: float, more: float) -> None:
    few, many = culture.initial(), culture.initial()
    few[culture.N], many[culture.N] = cells, cells * more
    c = culture.circuit()[0]

    ahead = culture.trajectory(c, many, 8, 64) - culture.trajectory(c, few, 8, 64)

    assert np.all(ahead[:, culture.N] > 0.0)


def test_command_prints_a_row_an_hour(capsys: pytest.CaptureFixture[str]) -> None:
    code = cli_science.run(culture.command, ["--hours", "3.5", "--json"])

    shown = json.loads(capsys.readouterr().out)["rows"]
    assert code == 0
    assert [row["t_h"] for row in shown] == [0, 1, 2, 3]
    assert list(shown[0]) == ["t_h", *culture.STATES]
    assert shown[0]["N"] == 8.4e8


@pytest.mark.parametrize("hours", ["-1", "nan", "1e9", "soon"])
def test_hours_without_meaning_are_refused_in_one_line(hours: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli_science.run(culture.command, ["--hours", hours])

    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "")
    assert shown.err.count("\n") == 1
