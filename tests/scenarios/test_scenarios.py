"""What must hold in the scenarios that come with the pod: a sample here, every seed with --full."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from pod_controller.config import PodConfig, load
from pod_controller.topology import Topology, build
from sim_hardware import scenarios
from sim_hardware.fast_tier import tier_a
from sim_hardware.fast_tier.tier_a import Result
from sim_hardware.pod import SimulatedPod

SEEDS_A = {"sample": range(6), "full": range(50)}
SEEDS_B = {"sample": range(1), "full": range(3)}
WHOLE_B = {"festival"}  # in a sample the others stop after this time
SHORT_B_S = 10_800.0
OPEN_B_S = {"sample": 14_400.0, "full": 28_800.0}
SEEDS_PAIRS = {"sample": range(12), "full": range(200)}

# Two faults at once, in the first peak of the festival, when the buffer is nearly full.
PAIRS = {
    "jam and lost writes": ("gate_jam@gate_1:from=9000,open=1", "lost_writes@XM-B:from=9100,for=60"),
    "jam and lost writes of the same module": ("gate_jam@gate_1:from=9000,open=1", "lost_writes@XM-A:from=9100,for=60"),
    "liar and the line of the honest": ("sensor_bias@WT-203:from=8000,k=-120", "line_dead@B:from=9000,for=120"),
    "frozen liar and the line of the honest": ("sensor_frozen@WT-203:from=7200", "line_dead@B:from=9000,for=120"),
    "jam and release": ("gate_jam@gate_2:from=8000,open=1", "release@chute_2:from=8400,for=900,k=2.0"),
}


@cache
def config() -> PodConfig:
    return load(Path(str(files("sim_hardware").joinpath("reference/pod.toml"))))


@cache
def topology() -> Topology:
    return build(config())


def figure(result: Result, name: str) -> float:
    if name == "processed_ratio":
        return result.figures.processed_kg / max(result.figures.accepted_kg, 1e-9)
    return float(getattr(result.figures, name))


def assert_holds(result: Result, must_hold: object, whole: bool = True) -> None:
    """whole: False for a run cut short, of which what must be reached by the end is not asked."""
    bounds = dict(must_hold).get(result.policy, {})  # type: ignore[call-overload]  # a mapping from the scenario file
    assert bounds, f"{result.scenario} says nothing of policy {result.policy}"
    for name, bound in bounds.items():
        if not whole and not name.endswith("_max"):
            continue
        value = figure(result, name.removesuffix("_max").removesuffix("_min"))
        fine = value <= bound if name.endswith("_max") else value >= bound
        assert fine, f"{result.scenario} seed {result.seed} {result.policy}: {name} {bound}, but {value}"
    assert result.outputs_at_fail


@pytest.mark.campaign
@pytest.mark.parametrize("name", scenarios.names())
def test_the_guarded_pod_keeps_what_the_scenario_demands_in_tier_a(name: str, depth: str) -> None:
    must_hold = scenarios.load(name).must_hold

    for result in tier_a.campaign(topology(), name, SEEDS_A[depth]):
        assert_holds(result, must_hold)


@pytest.mark.campaign
@pytest.mark.parametrize("name", scenarios.names())
def test_the_guarded_pod_keeps_what_the_scenario_demands_in_tier_b(name: str, depth: str) -> None:
    for seed in SEEDS_B[depth]:
        whole = depth == "full" or name in WHOLE_B
        most_s = scenarios.load(name).duration_h * 3600.0
        drawn = scenarios.draw(name, seed, len(config().chute), most_s if whole else min(most_s, SHORT_B_S))
        pod = SimulatedPod(config(), drawn)

        pod.run()

        assert_holds(pod.result(), drawn.must_hold, whole)


@pytest.mark.campaign
def test_the_festival_spills_with_open_gates_in_both_tiers(depth: str) -> None:
    drawn = scenarios.draw("festival", 0, len(config().chute), OPEN_B_S[depth])
    pod = SimulatedPod(config(), drawn, "open")

    pod.run()

    assert_holds(pod.result(), drawn.must_hold)
    assert_holds(tier_a.run(topology(), drawn, 0, "open"), drawn.must_hold)


@pytest.mark.campaign
@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())
def test_nothing_spills_with_two_planted_faults(pair: tuple[str, str], depth: str) -> None:
    for result in tier_a.campaign(topology(), "festival", SEEDS_PAIRS[depth], faults=pair):
        assert result.figures.spilled_kg == 0.0, f"seed {result.seed}"
        assert result.figures.balance_error_kg < 1e-6
