"""The terms of the inequality: the tail outlives its own recursion, the sums equal exact arithmetic."""

import numpy as np
import pytest
from any_bits import seeds
from exact_phi import worst_phi_kg
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_bench import adversarial_plant, arrange, bench, empty_plant, random_plant

from pod_controller.kernels.records import OWN, Record
from pod_controller.kernels.terms import EVERY, closing_tail_kg, measure, weigh
from sim_hardware.guard_trial.plant_builder import Moves, add_element

ROUNDING_KG = 1e-6
opening_frac = st.floats(0.0, 1.0)
span_s = st.floats(0.1, 60.0)


def element(stroke_s: float, lease_s: float, positioner: bool) -> Record:
    p = empty_plant()[0]
    return p.elements[add_element(p, OWN, Moves(stroke_s, stroke_s, lease_s, positioner))]


@settings(max_examples=200)
@given(open_frac=opening_frac, stroke_s=span_s, lease_s=st.floats(0.0, 10.0), tick_s=st.floats(0.1, 5.0))
def test_a_positioners_tail_covers_a_tick_and_the_tail_that_is_left(
    open_frac: float, stroke_s: float, lease_s: float, tick_s: float
) -> None:
    row = element(stroke_s, lease_s, positioner=True)

    now_kg = closing_tail_kg(1.0, row, open_frac, tick_s)
    left_kg = closing_tail_kg(1.0, row, max(0.0, open_frac - tick_s / stroke_s), tick_s)

    assert now_kg >= tick_s * open_frac + left_kg - 1e-9


@given(open_frac=opening_frac, more_frac=opening_frac, positioner=st.booleans(), stroke_s=span_s)
def test_the_tail_rises_with_the_opening(open_frac: float, more_frac: float, positioner: bool, stroke_s: float) -> None:
    row = element(stroke_s, 2.0, positioner)
    less_frac, more_frac = sorted((open_frac, more_frac))

    assert closing_tail_kg(0.5, row, less_frac, 0.5) <= closing_tail_kg(0.5, row, more_frac, 0.5)


@given(open_frac=opening_frac, stroke_s=span_s, lease_s=st.floats(0.0, 10.0))
def test_a_relays_tail_covers_a_relay_that_opens_through_the_lease(
    open_frac: float, stroke_s: float, lease_s: float
) -> None:
    """Integrated in small steps: opening at the fastest stroke for the lease, then closing at the slowest."""
    row = element(stroke_s, lease_s, positioner=False)
    top_frac = min(1.0, open_frac + lease_s / stroke_s)
    opening_s = (top_frac - open_frac) * stroke_s
    rise_kg = opening_s * (open_frac + top_frac) / 2.0 + (lease_s - opening_s) * top_frac

    truth_kg = rise_kg + stroke_s / 2.0 * top_frac * top_frac

    assert open_frac == 0.0 or closing_tail_kg(1.0, row, open_frac, 0.5) >= truth_kg - 1e-9


@pytest.mark.parametrize("open_frac", [float("nan"), float("inf"), 1.0, 2.0])
def test_a_tail_of_no_number_is_that_of_full_opening(open_frac: float) -> None:
    row = element(8.0, 2.0, positioner=True)

    assert closing_tail_kg(0.5, row, open_frac, 0.5) == closing_tail_kg(0.5, row, 1.0, 0.5)


@settings(max_examples=25)
@given(seed=seeds)
def test_phi_is_that_of_exact_arithmetic_within_the_rounding_margin(seed: int) -> None:
    draw = np.random.default_rng(seed)
    b = bench(random_plant(draw) if seed % 2 else adversarial_plant(draw, 6, positioner=seed % 4 == 0))
    arrange(b, draw)
    p, s = b.plant[0], b.state[0]
    s.asked_frac[: p.n_elements] = draw.random(int(p.n_elements))
    s.lid_open[: p.n_chutes] = draw.integers(0, 2, int(p.n_chutes))

    measure(p, s, EVERY)
    weigh(p, s)

    for v, exact in enumerate(worst_phi_kg(p, s)):
        assert abs(float(exact - type(exact)(float(s.trial_kg[v])))) < ROUNDING_KG
