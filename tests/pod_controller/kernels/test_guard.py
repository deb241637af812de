"""The guard, whatever is wished and whatever is drawn: total, never more than wished, and Phi at or below capacity."""

import numpy as np
import pytest
from any_bits import floats, numbers, scatter, seeds
from exact_phi import worst_phi_kg
from hypothesis import given, settings
from plant_bench import (
    NS,
    START_NS,
    Bench,
    adversarial_plant,
    arrange,
    bench,
    empty_plant,
    healthy_frame,
    random_plant,
    reference_plant,
    warmed,
)

from pod_controller.kernels import rules
from pod_controller.kernels.records import OWN, Record
from pod_controller.kernels.terms import EVERY, measure, weigh
from sim_hardware.guard_trial.plant_builder import Moves, add_element, add_flow, add_intake, add_vessel

ROUNDING_KG = 1e-6


def drawn_bench(seed: int) -> Bench:
    """A random or adversarial plant in a random state, everything wished, somewhere near its lip."""
    draw = np.random.default_rng(seed)
    plant = random_plant(draw) if seed % 3 else adversarial_plant(draw, int(draw.integers(2, 17)), bool(seed % 2))
    b = bench(plant)
    arrange(b, draw, (draw.uniform(0.0, 0.9), 1.0))
    if draw.random() < 0.5:
        b.wish["open_frac"][0] = draw.choice([0.0, 0.3, 0.9, 1.0, 2.0], size=b.wish["open_frac"][0].size)
    return b


def inlets(p: Record, v: int) -> set[int]:
    """Every element through which mass can reach vessel v; lids apart."""
    found = set()
    for f in range(p.n_flows):
        intake = p.intakes[p.flows[f].intake]
        if intake.reach_ratio[v] > 0.0:
            found |= {int(p.flows[f].element), *(int(e) for e in intake.shared[: intake.n_shared])}
    return found


@given(seed=seeds, floats_drawn=floats, numbers_drawn=numbers)
def test_guard_is_total_over_any_bits(seed: int, floats_drawn: list[float], numbers_drawn: list[int]) -> None:
    b = drawn_bench(seed)
    for _ in range(3):
        scatter(b.frame, seed, floats_drawn, numbers_drawn)
        scatter(b.wish, seed + 1, floats_drawn, numbers_drawn)

        grants = b.tick()

        assert np.isfinite(grants).all()
        assert ((grants >= 0.0) & (grants <= 1.0)).all()
        wished = b.wish["open_frac"][0, : grants.size]
        assert (wished[grants > 0.0] >= grants[grants > 0.0]).all()
        assert set(b.permit["rule"][0].tolist()) <= set(rules.TEXT)


@given(seed=seeds)
def test_no_grant_beyond_the_wish_and_a_relay_is_never_part_open(seed: int) -> None:
    b = drawn_bench(seed)

    grants = b.guard()

    assert (grants <= b.wish["open_frac"][0, : grants.size]).all()
    relays = b.plant["elements"]["positioner"][0, : grants.size] == 0
    assert set(grants[relays].tolist()) <= {0.0, 1.0}


@given(seed=seeds)
def test_nothing_is_granted_unless_the_pod_executes(seed: int) -> None:
    b = drawn_bench(seed)
    b.frame[0].execute = seed % 2 * 2

    assert not b.guard().any()


@given(seed=seeds)
def test_no_inlet_of_a_vessel_that_counts_as_full_is_granted(seed: int) -> None:
    b = drawn_bench(seed)
    p = b.plant[0]
    full = seed % int(p.n_vessels)
    b.state[0].full[full] = 1

    grants = b.guard()

    assert not [e for e in inlets(p, full) if grants[e] > 0.0]


@settings(max_examples=20)
@given(seed=seeds)
def test_what_is_granted_fits_in_every_scenario(seed: int) -> None:
    b = drawn_bench(seed)
    p = b.plant[0]

    grants = b.guard()

    exact = worst_phi_kg(p, b.state[0])
    for v in range(p.n_vessels):
        if any(grants[e] > 0.0 for e in inlets(p, v)):
            assert float(exact[v] - float(p.vessels[v].capacity_kg)) <= ROUNDING_KG


@given(seed=seeds)
def test_a_vessel_over_its_capacity_gets_nothing_more(seed: int) -> None:
    b = drawn_bench(seed)
    p = b.plant[0]
    b.state[0].bound_kg[0] = p.vessels[0].capacity_kg + 1.0

    grants = b.guard()

    lids = {int(p.chutes[c].lid) for c in range(p.n_chutes)}
    assert not [e for e in inlets(p, 0) | lids if grants[e] > 0.0]


def test_an_open_relay_gate_closes_before_the_lip() -> None:
    """Fully open and saturated by its lease, opening and closing weigh the same: it must close all the same."""
    plant = empty_plant()
    p = plant[0]
    add_vessel(p, 300.0)
    source = add_vessel(p, 25.0)  # filled by people: it counts as full
    gate = add_element(p, OWN, Moves(20.0, 8.0, 3.3))
    add_flow(p, add_intake(p, {0: 1.0}, 0.5), gate, 0.5, source=source)
    b = bench(plant)
    now_ns, held_kg, at_frac = warmed(b, 0.9), 270.0, 0.0
    b.wish_everything()
    for _ in range(600):
        healthy_frame(b, now_ns)
        b.frame["level_kg"][0, 0], b.frame["level_kg"][0, source], b.frame[0].position_frac[gate] = (
            held_kg,
            20.0,
            at_frac,
        )
        open_asked = b.tick()[gate] > 0.0
        at_frac = min(1.0, at_frac + 0.5 / 8.0) if open_asked else max(0.0, at_frac - 0.5 / 20.0)
        held_kg += 0.25 * at_frac
        now_ns += NS // 2

    assert 270.0 < held_kg < 300.0


@given(seed=seeds)
def test_guarding_a_permit_gives_the_same_permit(seed: int) -> None:
    b = drawn_bench(seed)
    first = b.guard()

    b.wish["open_frac"][0, : first.size] = first
    second = b.guard()

    assert first.tobytes() == second.tobytes()


@settings(max_examples=25)
@given(seed=seeds)
def test_a_positioner_gets_the_largest_opening_that_fits(seed: int) -> None:
    draw = np.random.default_rng(seed)
    b = bench(adversarial_plant(draw, 4, positioner=True))
    arrange(b, draw, (0.3, 1.0))
    p, s = b.plant[0], b.state[0]
    s.full[:], s.locked_ns[:], s.proved_shut[:] = 0, START_NS, 1
    b.wish[0].n_order = 1
    f = int(b.wish[0].order[0])
    e = int(p.flows[f].element)

    granted = b.guard()[e]

    fitting = [x for x in np.linspace(0.0, 1.0, 129) if fits(b, e, float(x))]
    if fitting:
        assert granted >= max(fitting) - 1.0 / 512.0
    assert granted == 0.0 or fits(b, e, granted)


def fits(b: Bench, e: int, open_frac: float) -> bool:
    """Only element e opened so far, everything else on the closing move: Phi at or below every capacity."""
    p, trial = b.plant[0], b.copy()
    s = trial.state[0]
    for k in range(p.n_elements):
        s.asked_frac[k] = max(s.live_frac[k], s.envelope_frac[k] - p.tick_s / p.elements[k].stroke_s)
    s.asked_frac[e] = max(s.asked_frac[e], open_frac)
    s.lid_open[: p.n_chutes] = s.locked_ns[: p.n_chutes] < 0
    measure(p, s, EVERY)
    weigh(p, s)
    return bool((s.trial_kg[: p.n_vessels] <= b.plant["vessels"]["capacity_kg"][0, : p.n_vessels]).all())


@pytest.mark.parametrize("wish_frac", [0.1, 0.5, 0.999])
def test_a_part_wish_for_a_relay_is_refused_by_its_own_rule(wish_frac: float) -> None:
    b = bench(adversarial_plant(np.random.default_rng(1), 4))
    warmed(b)
    b.wish_everything(wish_frac)

    assert not b.tick().any()
    gates = b.plant["chutes"]["gate"][0, :4]
    assert (b.permit["rule"][0, gates] == rules.RELAY_PART_OPEN).all()


def test_a_quiet_reference_pod_gets_what_it_asks_for() -> None:
    b = bench(reference_plant())
    warmed(b)
    b.wish_everything()
    b.wish["open_frac"][0, b.plant["chutes"]["lid"][0, :4]] = 0.0

    grants = b.tick()

    assert (grants[b.plant["chutes"]["gate"][0, :4]] == 1.0).all()
