"""`podctl sim` as people and scripts call it: keys, exit codes, and one clear line for every mistake."""

import json
import os
import signal
import subprocess
import sys

import pytest

PODCTL = [sys.executable, "-m", "pod_controller"]
KEYS = [
    "scenario",
    "seed",
    "policy",
    "tier",
    "tick_s",
    "simulated_s",
    "wall_s",
    "ticks",
    "arrived_kg",
    "accepted_kg",
    "refused_kg",
    "processed_kg",
    "held_start_kg",
    "held_kg",
    "spilled_kg",
    "balance_error_kg",
    "guard_closures",
    "closed_s",
    "max_level_frac",
    "overruns",
    "outputs_at_fail",
    "trace_sha256",
    "sources",
    "vessels",
]


def podctl(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*PODCTL, *words], capture_output=True, text=True, check=False)


@pytest.mark.scenario
@pytest.mark.parametrize("tier", ["a", "b"])
def test_json_holds_every_public_key_and_nothing_else_is_on_stdout(tier: str) -> None:
    done = podctl("sim", "festival", "--tier", tier, "--duration", "600", "--json")

    outcome = json.loads(done.stdout)
    assert done.returncode == 0
    assert list(outcome) == KEYS
    assert outcome["simulated_s"] == 600.0
    assert outcome["outputs_at_fail"] is True
    assert set(outcome["sources"]["chute_1"]) == {"arrived_kg", "accepted_kg", "refused_kg"}
    assert set(outcome["vessels"]["buffer"]) == {"max_level_frac", "spilled_kg"}


@pytest.mark.scenario
def test_a_spill_is_exit_code_3() -> None:
    done = podctl("sim", "festival", "--tier", "a", "--policy", "open", "--json")

    assert done.returncode == 3
    assert json.loads(done.stdout)["spilled_kg"] > 0.0


@pytest.mark.scenario
@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["sim"], 2, "which scenario? One of "),
        (["sim", "festivl"], 2, "did you mean 'festival'"),
        (["sim", "festival", "--tier", "a", "--wire"], 2, "--wire runs the real program"),
        (["sim", "festival", "--wire", "--speed", "3"], 2, "--speed paces virtual time"),
        (["sim", "festival", "--fault", "gate_jm@gate_1"], 2, "gate_jam"),
        (["sim", "festival", "--config", "no/such.toml"], 78, "E101"),
        (["check-config", "no/such.toml"], 78, "E101"),
    ],
)
def test_a_mistake_is_one_clear_line_and_its_exit_code(words: list[str], code: int, says: str) -> None:
    done = podctl(*words)

    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.wire
def test_the_wire_runs_in_real_time_without_overruns() -> None:
    done = podctl("sim", "festival", "--wire", "--duration", "15", "--json")

    outcome = json.loads(done.stdout)
    assert done.returncode == 0
    assert outcome["overruns"] == 0
    assert outcome["spilled_kg"] == 0.0
    assert outcome["outputs_at_fail"] is True


@pytest.mark.wire
def test_ctrl_c_on_the_wire_leaves_every_output_at_its_fail_state() -> None:
    running = subprocess.Popen(
        [*PODCTL, "sim", "festival", "--wire", "--duration", "60", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(timeout=12)
    running.send_signal(signal.SIGINT)

    out, err = running.communicate(timeout=20)

    assert running.returncode == 130, err
    assert json.loads(out)["outputs_at_fail"] is True
