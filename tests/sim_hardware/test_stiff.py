"""The linear algebra of the stiff solver and the coefficients of its method."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim_hardware.adm1 import stiff


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 29), filled_frac=st.floats(0.1, 1.0))
def test_solution_satisfies_its_equations(seed: int, size: int, filled_frac: float) -> None:
    draw = np.random.default_rng(seed)
    matrix = draw.normal(size=(size, size)) * (draw.random((size, size)) < filled_frac)
    matrix += 3.0 * np.eye(size)[draw.permutation(size)]
    wanted = draw.normal(size=size)
    columns, pivot, x = matrix.T.copy(), np.zeros(size, np.int64), matrix @ wanted

    regular = stiff.factorise(columns, pivot)

    if regular:
        stiff.solve(columns, pivot, x)
        assert np.max(np.abs(x - wanted)) <= 1e-13 * np.linalg.cond(matrix) * np.max(np.abs(wanted))
    else:
        assert np.linalg.matrix_rank(matrix) < size


def test_singular_matrix_is_refused() -> None:
    assert not stiff.factorise(np.array([[1.0, 2.0], [2.0, 4.0]]), np.zeros(2, np.int64))


def test_matrix_with_nan_is_refused() -> None:
    assert not stiff.factorise(np.full((2, 2), np.nan), np.zeros(2, np.int64))


def pendulum_error(steps: int) -> float:
    """Distance from y = (sin 1, cos 1) after `steps` steps of the method on a circle walked at unit speed."""
    y, h = np.array([0.0, 1.0]), 1.0 / steps
    for _ in range(steps):
        # Nonlinear on purpose: the speed is the radius squared, which stays 1.
        k = np.zeros((stiff.STAGES, 2))
        jacobian = np.array(
            [[2 * y[0] * y[1], y[0] ** 2 + 3 * y[1] ** 2], [-(3 * y[0] ** 2 + y[1] ** 2), -2 * y[0] * y[1]]]
        )
        for i in range(stiff.STAGES):
            at = y + stiff.A[i] @ k
            right = (at @ at) * np.array([at[1], -at[0]]) + stiff.C[i] @ k / h
            k[i] = np.linalg.solve(np.eye(2) / (h * stiff.GAMMA) - jacobian, right)
        y = y + stiff.A[-1] @ k + k[-1]
    return float(np.max(np.abs(y - [np.sin(1.0), np.cos(1.0)])))


def test_method_has_order_four() -> None:
    ratio = pendulum_error(20) / pendulum_error(40)

    assert 14.0 < ratio < 19.0


def test_method_is_stiffly_accurate() -> None:
    assert np.array_equal(stiff.A[-1, :4], stiff.A[-2, :4])
    assert stiff.A[-1, -2] == 1.0
