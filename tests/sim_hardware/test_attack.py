"""The adversary's own game: mass is conserved, forks are whole, what comes over weirs may go by a stuck pump."""

import numpy as np
import pytest

from pod_controller.kernels.records import CHUTE, DESK, OWN, SHARED, Record, Table, table
from sim_hardware.attack.breaks import find_pours, surprise
from sim_hardware.attack.campaign import played
from sim_hardware.attack.flow import flow
from sim_hardware.attack.judge import judge
from sim_hardware.attack.kinds import GAP, JAM, NONE, PROMISED, SWITCH, WEIGHT, Group
from sim_hardware.attack.necessity import spilled
from sim_hardware.attack.piping import Piping, may_be_promised
from sim_hardware.attack.play import play
from sim_hardware.attack.world import drawn, first_run, world_of
from sim_hardware.guard_trial.plant_builder import (
    Moves,
    add_chute,
    add_element,
    add_flow,
    add_intake,
    add_vessel,
    empty_plant,
)
from sim_hardware.proof.breakages import TERMS

SEEDS = {"sample": range(0, 400, 20), "full": range(2000)}
TOP, SUMP, STORAGE, BIN = range(4)
PUMP = 1  # the element
SURPRISE_KG = 300.0

pytestmark = pytest.mark.campaign


def separator(bin_kg: float, valves: int = 0) -> tuple[Table, Piping]:
    """A chute's vessel that overflows into a sump, that into storage; a pump sends half of the sump's into a bin."""
    plant = empty_plant()
    p = plant[0]
    for capacity_kg, weir_kg in ((900.0, 400.0), (500.0, 80.0), (2000.0, 1e30), (bin_kg, 1e30)):
        add_vessel(p, capacity_kg, weir_kg)
    gate, pump = (add_element(p, OWN, Moves(2.0, 1.0, 2.0)) for _ in range(2))
    share = np.zeros((24, 12))
    add_chute(p, add_intake(p, {TOP: 1.0, SUMP: 1.0, STORAGE: 1.0}, 0.5), gate, 0.5, 40.0)
    series = tuple(add_element(p, SHARED, Moves(2.0, 1.0, 2.0)) for _ in range(valves))
    add_flow(p, add_intake(p, {STORAGE: 1.0, BIN: 0.5}, 1.0, series), pump, 1.0, source=SUMP)
    share[0, TOP], share[1, STORAGE], share[1, BIN] = 1.0, 1.0, 0.5
    own_kg = (SURPRISE_KG, 0.0, 0.0, 0.0)
    return plant, Piping((SUMP, STORAGE, -1, -1), (50.0, 0.0, 0.0, 0.0), (0.0,) * 4, own_kg, share)


def at_its_weirs(bin_kg: float, bin_holds_kg: float) -> tuple[Record, Record, Record]:
    """That plant with its pump stuck open and both upper vessels at their weirs."""
    plant, piping = separator(bin_kg)
    world = world_of(plant, piping, np.random.default_rng(0), 0)
    run = first_run(plant, world, 10)
    w, r = world[0], run[0]
    w.share[1, STORAGE], w.share[1, BIN], w.steps, w.drain_kg_s[:] = 0.5, 0.5, 10, 0.0
    r.held_kg[:4] = 400.0, 80.0, 0.0, bin_holds_kg
    r.content_kg[:], r.stuck[PUMP], r.at_frac[PUMP] = 0.0, 1, 1.0
    return plant[0], w, r


@pytest.mark.parametrize("bin_holds_kg", [0.0, 84.0, 86.0])
def test_the_judge_counts_what_comes_over_weirs_into_a_stuck_pump(bin_holds_kg: float) -> None:
    p, w, r = at_its_weirs(300.0, bin_holds_kg)
    find_pours(p, r)

    judge(p, w, r)

    # What stands in the sump, and what swells and is pushed above it: half of all that.
    assert r.least_margin_kg == pytest.approx(300.0 - bin_holds_kg - 0.5 * (80.0 + SURPRISE_KG + 50.0), abs=1e-5)
    assert (r.spilled_kg > 0.0) == (bin_holds_kg > 85.0)


def test_what_may_be_shut_is_not_counted() -> None:
    p, w, r = at_its_weirs(300.0, 86.0)
    r.stuck[PUMP] = 0
    find_pours(p, r)

    judge(p, w, r)

    assert r.spilled_kg <= 0.0


def test_a_stuck_pump_takes_what_comes_over_the_weir_slowly_and_the_weir_the_rest() -> None:
    p, w, r = at_its_weirs(1000.0, 0.0)
    w.surge_ticks = 400
    find_pours(p, r)
    surprise(w, r, TOP)

    for tick in range(400):
        r.tick = tick
        flow(p, w, r)

    # 350 kg in 200 s are more than 1 kg/s: the pump works all the time, the rest goes over the sump's weir.
    assert r.held_kg[BIN] == pytest.approx(100.0, abs=1.0)
    assert r.held_kg.sum() == pytest.approx(480.0 + SURPRISE_KG + 50.0, abs=1e-6)


def test_mass_comes_from_outside_and_leaves_by_drains_only(depth: str) -> None:
    for seed in SEEDS[depth]:
        plant, world = drawn(seed)
        before = first_run(plant, world, 2_000)[0]
        r = played(plant, world, 2_000)[0]

        there_kg = [float(x.held_kg.sum() + x.coming_kg.sum() + x.content_kg.sum()) for x in (before, r)]

        assert there_kg[1] - there_kg[0] == pytest.approx(r.came_kg - r.left_kg, abs=1e-6)


def test_what_a_fork_sends_is_one_whole_within_what_is_declared(depth: str) -> None:
    forks = 0
    for seed in SEEDS[depth]:
        plant, world = drawn(seed)
        p, w = plant[0], world[0]
        for f in range(p.n_flows):
            share, reach = w.share[p.flows[f].intake], p.intakes[p.flows[f].intake].reach_ratio
            assert (share <= reach + 1e-12).all()
            assert p.flows[f].source < 0 or share.sum() == pytest.approx(1.0)
            forks += int(np.count_nonzero(share) > 1)
    assert forks >= len(SEEDS[depth]) / 20


@pytest.mark.parametrize(("valves", "needed_kg"), [(0, 4.0 + 215.0), (1, 4.0)])
def test_a_plant_is_refused_if_what_comes_over_weirs_can_be_pumped_over_a_lip(valves: int, needed_kg: float) -> None:
    """Half of 80 kg in the sump and of 350 kg from above it, and twice the error of a level."""
    assert may_be_promised(*separator(needed_kg + 0.1, valves))
    assert not may_be_promised(*separator(needed_kg - 0.1, valves))


def test_a_cause_that_holds_pump_and_valve_counts_as_one_fault() -> None:
    plant, piping = separator(200.0, valves=1)
    plant[0].n_causes = 1
    assert may_be_promised(plant, piping)

    plant[0].causes[0].member[PUMP], plant[0].causes[0].member[3] = 1, 1

    assert not may_be_promised(plant, piping)


def test_something_sticks_open_while_a_surprise_is_on_its_way() -> None:
    """Else what comes over a weir could never go by the pump that is stuck."""
    met = 0
    for seed in range(40):
        plant, world = drawn(seed, [(JAM, NONE, NONE)])
        world[0].surprises, world[0].surge_ticks = 1, 300
        run, desk = first_run(plant, world, 1), table(DESK)
        for until in range(50, 3000, 50):
            run[0].until = until
            play(plant, desk, world, run)
            met += int(run[0].n_pours > 0 and (run[0].surging_kg > 0.0).any())
    assert met >= 5


def test_the_switch_is_on_from_its_own_level_whatever_the_weight_says() -> None:
    plant, world = drawn(PROMISED.index((WEIGHT, NONE, NONE)))
    p, w, r = plant[0], world[0], first_run(plant, world, 1)[0]
    assert w.high_kg[0] <= p.chutes[0].high_kg <= p.chutes[0].capacity_kg - p.chutes[0].largest_bag_kg

    for content_kg, on in ((w.high_kg[0] - 0.1, 0), (w.high_kg[0] + 0.1, 1)):
        r.content_kg[0] = content_kg
        r.at_frac[:] = 0.0
        flow(p, w, r)
        assert r.seen_high[0] == on


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("lease in the tail", (JAM, GAP, NONE)),
        ("drawn off weirs by one fault", (JAM, NONE, NONE)),
        ("level of the switch", (JAM, WEIGHT, NONE)),
    ],
)
def test_the_adversary_spills_a_guard_without_this_term(name: str, group: Group) -> None:
    term = next(term for term in TERMS if term.name == name)

    found = spilled(term, games=100, searches=0, groups=(group,))

    assert found is not None and found.kg > 0.02


def test_a_lying_weight_is_promised_beside_anything_but_its_own_switch() -> None:
    def both(group: Group) -> bool:
        return {WEIGHT, SWITCH} <= set(group)

    assert (JAM, WEIGHT, NONE) in PROMISED and (WEIGHT, NONE, NONE) in PROMISED and (SWITCH, NONE, NONE) in PROMISED
    assert not any(both(group) for group in PROMISED)
    assert "high_kg" in (CHUTE.names or ())
