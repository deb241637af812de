"""What a lost, late or unseen command can still do is in the sums: found by `podctl proof`, kept here as examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plant_bench import (
    NS,
    TICK_NS,
    Bench,
    adversarial_plant,
    bench,
    empty_plant,
    healthy_frame,
    warmed,
)

from pod_controller.kernels.records import OWN
from pod_controller.kernels.terms import stuck_kg
from sim_hardware.guard_trial.plant_builder import Moves, add_element, add_flow, add_intake, add_vessel


def granted_then_closed(stroke_s: float, lease_s: float, positioner: bool) -> Bench:
    """A gate granted for one tick, told to close at the next, which nobody has seen arrive."""
    plant = adversarial_plant(np.random.default_rng(5), 1, positioner)
    row = plant[0].elements[0]
    row.stroke_s, row.fast_stroke_s, row.lease_s = stroke_s, stroke_s / 2.0, lease_s
    b = bench(plant)
    now_ns = warmed(b)
    b.wish_everything()
    b.tick()
    assert b.grants()[0] == 1.0
    b.wish["open_frac"][0] = 0.0
    healthy_frame(b, now_ns + TICK_NS)
    b.frame["verified_ns"][0] = now_ns
    b.tick()
    return b


@given(stroke_s=st.floats(0.2, 20.0), lease_s=st.floats(0.5, 6.0), positioner=st.booleans())
def test_a_close_that_may_be_lost_is_counted_as_lost(stroke_s: float, lease_s: float, positioner: bool) -> None:
    b = granted_then_closed(stroke_s, lease_s, positioner)
    rate_kg_s = float(b.plant[0].flows[0].rate_kg_s)

    still_comes_kg = rate_kg_s * (lease_s + stroke_s / 2.0)  # open for the lease, then its slowest way shut

    assert b.grants()[0] == 0.0
    assert b.state[0].flow_kg[0] >= still_comes_kg


def test_a_close_verified_only_now_may_have_been_late_and_the_gate_is_not_taken_to_have_moved() -> None:
    b = granted_then_closed(4.0, 2.0, positioner=False)
    now_ns = int(b.frame[0].now_ns)
    healthy_frame(b, now_ns + TICK_NS)
    b.frame["position_quality"][0] = 2
    b.frame["verified_ns"][0] = now_ns
    b.observe()

    assert b.state[0].envelope_frac[0] == 1.0


@pytest.mark.parametrize("elapsed_s", [float("nan"), -1.0, 100.0])
def test_after_an_unknown_time_anything_may_have_come(elapsed_s: float) -> None:
    b = bench(adversarial_plant(np.random.default_rng(5), 2))
    now_ns = warmed(b)
    b.frame[0].now_ns, b.frame[0].elapsed_s = now_ns + 100 * NS, elapsed_s
    b.frame["level_quality"][0] = 2
    b.observe()

    assert b.state[0].bound_kg[0] >= b.plant[0].vessels[0].capacity_kg


def test_an_early_frame_counts_as_a_whole_tick() -> None:
    b = bench(adversarial_plant(np.random.default_rng(5), 2))
    warmed(b)
    b.frame[0].elapsed_s = 0.1
    b.frame["level_quality"][0] = 2
    before_kg, rate_kg_s = float(b.state[0].bound_kg[0]), float(b.state[0].inflow_bound_kg_s[0])
    b.observe()

    assert b.state[0].bound_kg[0] >= before_kg + 0.5 * rate_kg_s


def test_a_stuck_pump_delivers_also_what_is_still_on_its_way_to_its_source() -> None:
    plant = empty_plant()
    p = plant[0]
    above, source, below = (add_vessel(p, 100.0) for _ in range(3))
    p.vessels[source].hold_up_kg, p.vessels[source].psi_kg = 6.0, 2.0
    add_flow(p, add_intake(p, {source: 1.0}, 0.5), add_element(p, OWN, Moves(2.0, 1.0, 3.0)), 0.5, source=above)
    add_flow(p, add_intake(p, {below: 1.0}, 0.5), add_element(p, OWN, Moves(2.0, 1.0, 3.0)), 0.5, source=source)
    b = bench(plant)
    b.state[0].bound_kg[above], b.state[0].bound_kg[source] = 30.0, 30.0

    assert stuck_kg(p, b.state[0], 1) == 38.0
    assert stuck_kg(p, b.state[0], 0) == p.vessels[above].capacity_kg  # no intake fills it: people do, at any time
