"""A sample of `podctl bench guard`: mutants die, the grid holds, nothing spills, and the adversary does bite."""

import json

import pytest
from click.testing import CliRunner

from sim_hardware.attack.beyond import costs
from sim_hardware.attack.campaign import play_seed
from sim_hardware.attack.evolve import Search, evolve
from sim_hardware.attack.kinds import BEYOND, PROMISED
from sim_hardware.attack.necessity import spilled
from sim_hardware.attack.world import drawn
from sim_hardware.bench.guard_cost import reference_pod, small_plant
from sim_hardware.guard_trial.grid import run_cells
from sim_hardware.mutants.engine import all_mutants
from sim_hardware.mutants.run import run
from sim_hardware.mutants.sameness import proved_the_same
from sim_hardware.proof.breakages import TERMS
from sim_hardware.proof.interpreter import Breakage
from sim_hardware.verbs.cli_bench import bench

SEEDS = {"sample": range(0, 2 * len(PROMISED), 2), "full": range(20 * len(PROMISED))}
CELLS = {"sample": range(40), "full": range(2000)}
EVERY = {"sample": 40, "full": 1}

pytestmark = pytest.mark.campaign


def test_every_mutant_dies_or_is_proved_the_same_and_every_branch_is_reached(depth: str) -> None:
    report = run(EVERY[depth])

    assert report.survivors == ()
    assert report.branches.missed == () and report.branches.branches > 100
    assert report.killed > 20 * len(report.same_by_z3)


@pytest.mark.parametrize(
    ("function", "change"),
    [
        ("closing_tail_kg", "open_frac <= 0.0  ->  True"),
        ("weigh_intake", "least_kg = min(least_kg, kg)  ->  pass"),
        ("believed_kg", "min(bound_kg, vote_kg)  ->  max(bound_kg, vote_kg)"),
    ],
)
def test_z3_does_not_call_a_mutant_the_same_that_is_not(function: str, change: str) -> None:
    found = [one for one in all_mutants() if (one.function, one.change) == (function, change)]

    assert found and not any(proved_the_same(one) for one in found)


def test_no_permit_on_the_grid_breaks_a_statement(depth: str) -> None:
    found = run_cells(CELLS[depth], 5_000)

    assert (found.violations, found.violation) == (0, "none")
    assert found.granted > found.states and found.refused > found.states


def test_nothing_spills_in_plants_of_many_shapes(depth: str) -> None:
    seeds = [play_seed(seed, 3_000) for seed in SEEDS[depth]]

    assert [one.story for one in seeds if one.spilled_kg > 0.0 or one.chute_over_kg > 1e-6] == []
    assert sum(one.strikes for one in seeds) >= len(seeds)


def test_searching_for_the_worst_leaves_less_room_than_drawing_at_random_and_spills_nothing() -> None:
    drawn_kg = found_kg = 0.0
    for seed in range(6):
        found = evolve(*drawn(seed), Search(generations=3, population=8, ticks=2_000))
        assert found.run[0].spilled_kg <= 0.0 and found.run[0].chute_over_kg <= 1e-6
        drawn_kg, found_kg = drawn_kg + found.first_margin_kg, found_kg + found.run[0].least_margin_kg

    assert found_kg < 0.9 * drawn_kg  # a few generations only; plants whose margin nothing moves are among them


def test_beyond_the_promise_it_spills_and_says_how_much(depth: str) -> None:
    found = costs(8 if depth == "sample" else 40, ticks=3_000)

    assert set(found) == set(BEYOND)
    assert sum(one.spilled_games > 0 for one in found.values()) >= 5


@pytest.mark.parametrize("name", ["hold-up M", "Psi", "jam reserve", "stroke in the tail", "U"])
def test_a_term_that_is_deleted_is_missed_by_the_adversary(name: str) -> None:
    term = next(term for term in TERMS if term.name == name)

    found = spilled(term, games=40, searches=0)

    assert found is not None and found.kg > 0.0


def test_nothing_spills_in_the_games_that_miss_terms_while_all_terms_are_there() -> None:
    assert spilled(Breakage("none", "cycle", "", ""), games=40, searches=0) is None


def test_measured_content_lets_a_small_buffer_hold_more_than_fixed_content_and_neither_spills() -> None:
    measured, fixed = small_plant(seeds=2)

    assert measured.highest_kg > fixed.highest_kg + 10.0
    assert measured.held_kg > fixed.held_kg + 10.0
    assert measured.spilled_kg == fixed.spilled_kg == 0.0


def test_the_pod_runs_with_fixed_content_too(depth: str) -> None:
    measured, fixed = reference_pod(1, None if depth == "full" else 1800.0)

    assert measured.spilled_kg == fixed.spilled_kg == 0.0
    assert measured.taken_kg >= fixed.taken_kg > 0.0


def test_the_command_prints_its_goal_beside_its_figures() -> None:
    result = CliRunner().invoke(
        bench, ["guard", "--grid", "--steps", "2000", "--jobs", "1", "--json"], standalone_mode=False
    )

    assert (result.return_value, result.exception) == (0, None)
    report = json.loads(result.stdout)
    assert (report["part"], report["states"], report["violations"], report["met"]) == ("grid", 2000, 0, False)
