import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from hal.errors import PodError
from pod_controller import config, topology
from sim_hardware import plant_records as rec
from sim_hardware import scenarios
from sim_hardware.fast_tier import tier_a
from sim_hardware.fast_tier.field_tables import field_table
from sim_hardware.fast_tier.loop import run_ticks
from sim_hardware.fast_tier.tier_a import Hardware, Options, Result, Trace
from sim_hardware.params import plant_params

pytestmark = pytest.mark.campaign  # the first run of a cold cache compiles for half a minute

POD = Path(scenarios.__file__).parent / "reference" / "pod.toml"
S = 1_000_000_000
JAM = "gate_jam@FV-101:from=9000,open=1,feedback=lies"


@cache
def pod() -> topology.Topology:
    return topology.build(config.load(POD))


def play(name: str, seed: int = 0, policy: str = "guarded", *faults: str, **options: float) -> Result:
    return tier_a.run(pod(), name, seed, policy, faults, options=Options(**options))  # type: ignore[arg-type]


def figure(result: Result, name: str) -> float:
    if name == "processed_ratio":
        return result.figures.processed_kg / result.figures.accepted_kg
    return float(getattr(result.figures, name))


@pytest.mark.parametrize("name", scenarios.names())
@pytest.mark.parametrize("policy", ["guarded", "open"])
def test_what_must_hold_holds(name: str, policy: str) -> None:
    bounds = scenarios.load(name).must_hold.get(policy, {})
    for seed in range(5):
        result = play(name, seed, policy)
        for bound, value in bounds.items():
            if bound.endswith("_max"):
                assert figure(result, bound.removesuffix("_max")) <= value, (bound, seed)
            else:
                assert figure(result, bound.removesuffix("_min")) >= value, (bound, seed)


@pytest.mark.parametrize("policy", ["guarded", "open", "float"])
def test_mass_is_kept_over_a_whole_run(policy: str) -> None:
    figures = play("festival", 2, policy).figures

    assert figures.balance_error_kg < 1e-9
    assert figures.total_error_kg < 1e-6
    assert figures.arrived_kg == pytest.approx(figures.accepted_kg + figures.refused_kg)
    assert sum(source.arrived_kg for source in figures.sources.values()) == pytest.approx(figures.arrived_kg)


def test_one_seed_gives_one_trace_and_another_seed_another() -> None:
    first, again, other = play("quiet_day", 7), play("quiet_day", 7), play("quiet_day", 8)

    assert first == again
    assert first.trace_sha256 != other.trace_sha256


def test_the_trace_does_not_depend_on_how_it_is_chunked(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = play("festival", 1)

    monkeypatch.setattr(tier_a, "CHUNK", 3)

    assert play("festival", 1) == whole


def test_hash_seed_of_the_interpreter_changes_nothing() -> None:
    code = (
        "from pathlib import Path; from pod_controller import config, topology;"
        "from sim_hardware.fast_tier import tier_a;"
        f"pod = topology.build(config.load(Path({str(POD)!r})));"
        "print(tier_a.run(pod, 'festival_line_lost', 0, duration_s=12000.0).trace_sha256)"
    )
    traces = {
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(traces) == 1


def test_open_pod_spills_at_the_festival_and_the_guarded_one_does_not() -> None:
    for seed in range(5):
        assert play("festival", seed, "open").figures.vessels["buffer"].spilled_kg > 100.0
        assert play("festival", seed, "open").figures.vessels["byproduct"].spilled_kg > 0.0
        assert play("festival", seed).figures.spilled_kg == 0.0


def test_float_policy_shuts_at_nine_tenths() -> None:
    figures = play("festival", 0, "float").figures

    assert figures.spilled_kg == 0.0
    assert 0.88 < figures.vessels["buffer"].max_level_frac < 0.97


def test_guard_alone_holds_the_buffer_without_the_float_chain() -> None:
    for seed in range(5):
        figures = play("festival", seed, float_chain=0.0).figures

        assert figures.spilled_kg == 0.0
        assert 0.94 < figures.vessels["buffer"].max_level_frac < 1.0


PAIRS = [
    (JAM, "lost_writes@XM-A:from=9000,how=ignored"),
    (JAM, "lost_writes@XM-B:from=9000,for=300"),
    ("sensor_bias@WT-203:from=5000,k=-200", "line_dead@B:from=9000,for=600"),
    ("sensor_frozen@LT-201:from=5000", "line_dead@W:from=9000,for=600"),
    (JAM, "release@chute_2:from=6000,for=1800,k=2"),
]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("chain", [1.0, 0.0])
def test_two_faults_at_once_spill_nothing(pair: tuple[str, str], chain: float) -> None:
    for seed in range(5):
        assert play("festival", seed, "guarded", *pair, float_chain=chain).figures.spilled_kg == 0.0


def test_samples_three_seconds_old_still_run_the_pod() -> None:
    late = play("festival", 0, sample_delay_s=3.0).figures

    assert late.spilled_kg == 0.0
    assert late.processed_kg > 200.0


def test_outputs_are_seen_at_their_fail_states_at_the_end() -> None:
    assert play("quiet_day").outputs_at_fail
    assert not play("festival", 0, "guarded", "module_frozen@XM-C:from=28000").outputs_at_fail


def test_faults_of_the_wire_are_refused_here() -> None:
    with pytest.raises(PodError, match="E154 faults crc_errors live on the wire: choose --tier b"):
        play("festival", 0, "guarded", "crc_errors@XM-A")
    with pytest.raises(PodError, match="E154 policy 'opne' is not known"):
        play("festival", 0, "opne")


def test_a_campaign_is_its_single_runs() -> None:
    together = list(tier_a.campaign(pod(), "quiet_day", [3, 4], "guarded", ["device_dead@LT-202"]))

    assert together == [play("quiet_day", seed, "guarded", "device_dead@LT-202") for seed in (3, 4)]


class Bench:
    """One run that can be looked into between ticks."""

    def __init__(self, *faults: str, policy: str = "open") -> None:
        drawn = scenarios.draw("quiet_day", 0, 4)
        self.hardware, self.core, self.counts = tier_a._tables(pod(), drawn, 0, policy, faults, Options())
        words = np.zeros((5000, len(self.core.words)), np.int64)
        self.trace = Trace(np.zeros(5000, np.int64), words)

    def to(self, seconds: float) -> Hardware:
        self.counts[0].until_tick = round(seconds * 2) + 1
        run_ticks(self.core, self.hardware, self.counts, self.trace)
        return self.hardware

    def drive(self, actuator: int) -> float:
        return float(self.hardware.pod[0].drive[actuator])


@pytest.mark.parametrize(
    "fault",
    ["lost_writes@XM-A:from=20.2", "line_dead@A:from=20.2", "device_dead@XM-A:from=20.2"],
)
def test_a_module_that_is_out_of_reach_drops_its_outputs_by_its_own_watchdog(fault: str) -> None:
    bench = Bench(fault)
    bench.to(20.0)
    before = bench.drive(rec.GATE), bench.drive(rec.GATE + 1)
    bench.to(21.5)
    not_yet = bench.drive(rec.GATE)

    bench.to(23.0)

    assert before == (1.0, 1.0)
    assert not_yet == 1.0
    assert bench.drive(rec.GATE) == 0.0
    assert bench.drive(rec.GATE + 1) == 1.0


def test_a_frozen_module_holds_its_outputs_whatever_its_watchdog_and_is_proved_again_afterwards() -> None:
    bench = Bench("module_frozen@XM-A:from=20.2,for=600")
    gate_1 = pod().element("gate_1")
    frozen = set()
    for second in range(21, 620):
        bench.to(second)
        frozen.add(bench.drive(rec.GATE))
    unproved_ns = int(bench.core.frame[0].verified_ns[gate_1])
    bench.to(626.0)

    assert frozen == {1.0}
    assert unproved_ns <= 20 * S
    assert bench.core.frame[0].verified_ns[gate_1] == round(625.5 * S)


def test_what_a_dead_line_carried_turns_bad_after_three_ticks() -> None:
    bench = Bench("line_dead@B:from=20.2")
    bench.to(21.0)
    fresh = int(bench.core.frame[0].level_quality[0, 0])
    bench.to(22.5)

    frame = bench.core.frame[0]
    assert fresh == 0
    assert frame.level_quality[0].tolist() == [2, 2, 0]
    assert frame.content_quality[:4].tolist() == [0, 2, 0, 2]
    assert frame.float_on[0] == 0


def test_a_lost_float_line_counts_as_tripped() -> None:
    bench = Bench("line_dead@A:from=20.2")

    bench.to(23.0)

    assert bench.core.frame[0].float_on[0] == 1


def test_nothing_is_commanded_before_the_pod_is_armed() -> None:
    bench = Bench()

    bench.to(2.0)
    silent = bench.hardware.pod[0].drive.sum()
    bench.to(2.5)

    assert silent == 0.0
    assert bench.drive(rec.GATE) == 1.0


def test_a_command_is_proved_one_tick_after_it_was_issued() -> None:
    bench = Bench()

    bench.to(10.0)

    n = len(pod().elements)
    assert set(bench.core.frame[0].verified_ns[:n].tolist()) == {round(9.5 * S)}


def test_no_gate_is_open_over_an_unlocked_lid_under_guard() -> None:
    drawn = scenarios.draw("festival", 0, 4)
    hardware, core, counts = tier_a._tables(pod(), drawn, 0, "guarded", (), Options())
    trace = Trace(np.zeros(60000, np.int64), np.zeros((60000, len(core.words)), np.int64))
    opened = 0
    for tick in range(1, 20001):
        counts[0].until_tick = tick
        run_ticks(core, hardware, counts, trace)
        travel = hardware.pod[0].travel_frac
        both = (travel[rec.GATE : rec.GATE + 4] > 0.0) & (travel[rec.LID : rec.LID + 4] > 0.0)
        opened += int((travel[rec.GATE : rec.GATE + 4] > 0.0).sum())

        assert not both.any()
    assert opened > 100


def test_every_line_samples_within_the_tick_before() -> None:
    params = plant_params(0)
    for seed in range(20):
        field = field_table(pod(), params, seed, 0.0, 5)[0]

        assert all(0 <= ns < S // 2 for ns in field.instant_ns[: field.n_instants])
        assert set(field.period_ticks[: field.n_devices].tolist()) == {1, 4}
        assert field.n_outputs == 19
