"""Monotone in evidence: whatever is lost, older, higher or unknown, no permit is added.

With several wishes room refused to one may be given to the next, so two things are claimed: a lone wish never gains,
and all that worse evidence permits would have been permitted together on better evidence.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from any_bits import seeds
from hypothesis import assume, given
from plant_bench import NS, Bench, adversarial_plant, bench, random_plant, warmed

from sim_hardware.guard_trial.plant_builder import Draw

Worsen = Callable[[Bench, Draw], None]


def level_up(b: Bench, draw: Draw) -> None:
    b.frame["level_kg"][0] += draw.uniform(0.0, 20.0)


def one_level_up(b: Bench, draw: Draw) -> None:
    b.frame["level_kg"][0, draw.integers(int(b.plant[0].n_vessels)), 0] += draw.uniform(0.0, 100.0)


def levels_older(b: Bench, draw: Draw) -> None:
    b.frame["level_ns"][0] -= int(draw.uniform(0.0, 4.0) * NS)


def one_sensor_lost(b: Bench, draw: Draw) -> None:
    b.frame["level_quality"][0, :, draw.integers(2)] = 2


def one_sensor_uncertain(b: Bench, draw: Draw) -> None:
    b.frame["level_quality"][0, :, draw.integers(2)] = 1


def all_sensors_lost(b: Bench, draw: Draw) -> None:
    b.frame["level_quality"][0] = 2


def float_on(b: Bench, draw: Draw) -> None:
    b.frame["float_on"][0, draw.integers(int(b.plant[0].n_vessels))] = 1


def position_lost(b: Bench, draw: Draw) -> None:
    b.frame["position_quality"][0, draw.integers(int(b.plant[0].n_elements))] = 2


def positions_older(b: Bench, draw: Draw) -> None:
    b.frame["position_ns"][0] -= int(draw.uniform(0.0, 3.0) * NS)


def position_up(b: Bench, draw: Draw) -> None:
    b.frame["position_frac"][0, draw.integers(int(b.plant[0].n_elements))] = draw.uniform(0.1, 1.0)


def write_not_verified(b: Bench, draw: Draw) -> None:
    b.frame["verified_ns"][0] = -1


def content_up(b: Bench, draw: Draw) -> None:
    b.frame["content_kg"][0] += draw.uniform(0.0, 15.0)


def content_lost(b: Bench, draw: Draw) -> None:
    b.frame["content_quality"][0, draw.integers(int(b.plant[0].n_chutes))] = 2


def content_older(b: Bench, draw: Draw) -> None:
    b.frame["content_ns"][0] -= int(draw.uniform(0.0, 8.0) * NS)


WORSE: tuple[Worsen, ...] = (
    *(level_up, one_level_up, levels_older, one_sensor_lost, one_sensor_uncertain, all_sensors_lost, float_on),
    *(position_lost, positions_older, position_up, write_not_verified, content_up, content_lost, content_older),
)


def near_the_lip(draw: Draw) -> Bench:
    """A warmed bench somewhere up to its lip, some gates already on their way."""
    b = bench(random_plant(draw) if draw.random() < 0.6 else adversarial_plant(draw))
    now_ns = warmed(b, draw.uniform(0.3, 0.97))
    b.wish_everything()
    b.wish["order"][0, : b.plant[0].n_flows] = draw.permutation(int(b.plant[0].n_flows))
    if draw.random() < 0.5:
        b.tick()
        b.frame[0].now_ns = now_ns + NS // 2
        for name in ("level_ns", "position_ns", "content_ns", "verified_ns"):
            b.frame[name] += NS // 2
        b.frame["position_frac"][0, : len(b.grants())] = 0.1 * b.grants()
    return b


def permit_of(b: Bench) -> npt.NDArray[np.float64]:
    b.observe()
    return b.guard()


def closing_holds(b: Bench) -> bool:
    """With nothing wished every vessel stays within its capacity; one that does not may at least not be put further."""
    trial = b.copy()
    trial.wish["open_frac"][0] = 0.0
    permit_of(trial)
    count = int(b.plant[0].n_vessels)
    return bool((trial.state["phi_kg"][0, :count] <= b.plant["vessels"]["capacity_kg"][0, :count]).all())


@pytest.mark.parametrize("worsen", WORSE, ids=lambda f: f.__name__)
@given(seed=seeds)
def test_a_lone_wish_never_gains_by_worse_evidence(worsen: Worsen, seed: int) -> None:
    draw = np.random.default_rng(seed)
    better = near_the_lip(draw)
    p = better.plant[0]
    flow = p.flows[int(draw.integers(int(p.n_flows)))]
    intake = p.intakes[flow.intake]
    wanted = [int(flow.element), *(int(e) for e in intake.shared[: intake.n_shared])]
    better.wish["open_frac"][0] = 0.0
    better.wish["open_frac"][0, wanted] = 1.0
    worse = better.copy()
    worsen(worse, draw)
    assume(closing_holds(worse))

    assert (permit_of(worse)[wanted] <= permit_of(better)[wanted]).all()


@pytest.mark.parametrize("worsen", WORSE, ids=lambda f: f.__name__)
@given(seed=seeds)
def test_all_that_worse_evidence_permits_better_evidence_permits(worsen: Worsen, seed: int) -> None:
    draw = np.random.default_rng(seed)
    better = near_the_lip(draw)
    worse = better.copy()
    worsen(worse, draw)
    assume(closing_holds(worse))

    permitted = permit_of(worse)
    better.wish["open_frac"][0, : len(permitted)] = permitted

    assert (permit_of(better) >= permitted).all()
