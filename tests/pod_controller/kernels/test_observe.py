"""Evidence into bounds: a vote, dead reckoning, what commands may be alive; silence never lowers anything."""

import numpy as np
import pytest
from any_bits import floats, numbers, scatter, seeds
from hypothesis import given
from hypothesis import strategies as st
from plant_bench import (
    NS,
    TICK_NS,
    Bench,
    adversarial_plant,
    bench,
    healthy_frame,
    random_plant,
    reference_plant,
    warmed,
)

masses_kg = st.floats(20.0, 250.0)


def buffer_bench(levels: int = 3) -> Bench:
    """The adversarial plant after quiet ticks at 90 kg."""
    plant = adversarial_plant(np.random.default_rng(5), 4)
    plant[0].vessels[0].n_levels = levels
    b = bench(plant)
    warmed(b)
    return b


def bound_after(b: Bench) -> float:
    b.observe()
    return float(b.state[0].bound_kg[0])


@given(honest_kg=masses_kg, lie_kg=st.floats(-300.0, 600.0), liar=st.integers(0, 2))
def test_the_median_of_three_tolerates_any_one_liar(honest_kg: float, lie_kg: float, liar: int) -> None:
    b = buffer_bench()
    b.state[0].bound_kg[0] = 299.0
    b.frame[0].level_kg[0] = [honest_kg - 1.0, honest_kg, honest_kg + 1.0]
    b.frame[0].level_kg[0, liar] = lie_kg

    assert bound_after(b) >= honest_kg - 1.0 + 2.0


@given(honest_kg=masses_kg, lie_kg=st.floats(-300.0, 600.0), liar=st.integers(0, 1))
def test_of_two_sensors_the_larger_counts(honest_kg: float, lie_kg: float, liar: int) -> None:
    b = buffer_bench(levels=2)
    b.state[0].bound_kg[0] = 299.0
    b.frame[0].level_kg[0, :2] = honest_kg
    b.frame[0].level_kg[0, liar] = lie_kg

    assert bound_after(b) >= min(299.0, honest_kg + 2.0)


@given(lone_kg=st.floats(-300.0, 600.0), sensor=st.integers(0, 2))
def test_one_good_sensor_never_lowers_the_bound(lone_kg: float, sensor: int) -> None:
    b = buffer_bench()
    others = [i for i in range(3) if i != sensor]
    b.frame["level_quality"][0, 0, others] = 2
    before_kg = float(b.state[0].bound_kg[0])
    b.frame[0].level_kg[0, sensor] = lone_kg

    assert bound_after(b) >= before_kg


def test_one_good_sensor_raises_the_bound() -> None:
    b = buffer_bench()
    b.frame["level_quality"][0, 0, 1:] = 2
    b.frame[0].level_kg[0, 0] = 200.0

    assert bound_after(b) >= 202.0


@given(good=st.integers(0, 1), floats_drawn=floats, seed=seeds)
def test_without_a_vote_the_bound_only_rises(good: int, floats_drawn: list[float], seed: int) -> None:
    b = buffer_bench()
    for tick in range(5):
        scatter(b.frame, seed + tick, floats_drawn, [0], 0.0)
        b.frame[0].level_kg[0] = np.resize(np.array(floats_drawn), 3)
        b.frame["level_quality"][0, 0] = 1
        b.frame["level_quality"][0, 0, :good] = 0
        before_kg = float(b.state[0].bound_kg[0])

        assert bound_after(b) >= before_kg


def test_a_vessel_without_a_vote_counts_as_full_after_its_stale_time() -> None:
    b = buffer_bench()
    b.frame["level_quality"][0, 0] = 2
    full_after_s = []
    for tick in range(30):
        b.frame[0].now_ns += TICK_NS
        b.tick()
        if b.state[0].full[0]:
            full_after_s.append((tick + 1) * 0.5)

    assert full_after_s[0] == b.plant[0].vessels[0].stale_s + 0.5


@pytest.mark.parametrize("tripped", [1, 2, -1, 2**62])
def test_a_float_that_is_not_known_to_be_off_makes_its_vessel_full(tripped: int) -> None:
    b = buffer_bench()
    b.plant[0].vessels[0].has_float = 1
    b.frame["float_on"][0, 0] = tripped

    b.observe()

    assert b.state[0].full[0] == 1


@given(seed=seeds, floats_drawn=floats, numbers_drawn=numbers)
def test_bounds_are_numbers_whatever_the_frames_hold(
    seed: int, floats_drawn: list[float], numbers_drawn: list[int]
) -> None:
    draw = np.random.default_rng(seed)
    b = bench(random_plant(draw))
    b.wish_everything()
    for tick in range(4):
        scatter(b.frame, seed + tick, floats_drawn, numbers_drawn, draw.random())
        b.tick()
        p, s = b.plant[0], b.state[0]

        assert np.isfinite(s.bound_kg[: p.n_vessels]).all()
        assert ((s.envelope_frac >= 0.0) & (s.envelope_frac <= 1.0)).all()
        assert (s.content_bound_kg[: p.n_chutes] <= b.plant["chutes"]["capacity_kg"][0, : p.n_chutes]).all()


def test_after_a_start_everything_may_be_open_until_feedback_says_shut() -> None:
    b = bench(reference_plant())
    healthy_frame(b, 1000 * NS)
    b.frame["position_quality"][0] = 2
    b.observe()

    assert (b.state[0].envelope_frac[: b.plant[0].n_elements] == 1.0).all()


def test_after_a_start_shut_is_believed_only_when_older_commands_are_dead() -> None:
    b = bench(reference_plant())
    shut_after = [run_blind(b, tick, good=True) for tick in range(20)]

    lease_ticks = int(b.plant[0].elements[0].lease_s / 0.5)
    assert 0 < shut_after.index(True) - lease_ticks <= 2


def test_without_any_feedback_shut_takes_the_lease_and_the_stroke() -> None:
    b = bench(reference_plant())
    shut_after = [run_blind(b, tick, good=False) for tick in range(80)]

    least_s = b.plant[0].elements[0].lease_s + b.plant[0].elements[0].stroke_s
    assert 0.0 < shut_after.index(True) * 0.5 - least_s <= 1.0


def run_blind(b: Bench, tick: int, good: bool) -> bool:
    """One tick of a core that has just started and verified nothing; True once its first gate cannot be open."""
    healthy_frame(b, 1000 * NS + tick * TICK_NS)
    b.frame["verified_ns"][0] = -1
    b.frame["position_quality"][0] = 0 if good else 2
    b.tick()
    return bool(b.state[0].envelope_frac[0] == 0.0)


def opened_and_closed(verified: bool, ticks: int) -> Bench:
    """A gate granted for one tick, then closed; its feedback always says shut."""
    b = bench(adversarial_plant(np.random.default_rng(5), 2))
    now_ns = warmed(b)
    b.wish_everything()
    b.tick()
    b.wish["open_frac"][0] = 0.0
    granted_ns = now_ns
    for _ in range(ticks):
        now_ns += TICK_NS
        healthy_frame(b, now_ns)
        b.frame["verified_ns"][0] = b.frame["verified_ns"][0] if verified else granted_ns
        b.tick()
    return b


def test_a_command_to_open_lives_until_a_later_one_is_verified() -> None:
    assert opened_and_closed(verified=False, ticks=1).state[0].envelope_frac[0] == 1.0
    assert opened_and_closed(verified=True, ticks=2).state[0].envelope_frac[0] == 1.0  # it may have arrived since
    closing = opened_and_closed(verified=True, ticks=3)
    assert 0.0 < closing.state[0].envelope_frac[0] <= closing.plant[0].elements[0].position_error_frac
    assert opened_and_closed(verified=True, ticks=5).state[0].envelope_frac[0] == 0.0


def test_what_is_seen_as_shut_may_be_open_by_its_error_until_it_has_had_the_time_to_close() -> None:
    b = bench(adversarial_plant(np.random.default_rng(5), 2))
    row = b.plant[0].elements[0]
    row.position_error_frac, row.stroke_s = 0.2, 60.0
    now_ns = warmed(b)
    b.state[0].envelope_frac[0], b.state[0].live_frac[0] = 0.5, 0.0
    shut_after = []
    for _ in range(40):
        now_ns += TICK_NS
        healthy_frame(b, now_ns)
        b.tick()
        shut_after.append(bool(b.state[0].proved_shut[0]))

    assert 0.0 <= shut_after.index(True) * 0.5 - 0.2 * 60.0 <= 1.0


def test_a_command_to_open_dies_with_its_lease() -> None:
    lease_ticks = int(opened_and_closed(True, 1).plant[0].elements[0].lease_s / 0.5)

    assert opened_and_closed(verified=False, ticks=lease_ticks).state[0].envelope_frac[0] == 1.0
    assert opened_and_closed(verified=False, ticks=lease_ticks + 3).state[0].envelope_frac[0] == 0.0
