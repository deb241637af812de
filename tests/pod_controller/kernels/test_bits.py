"""The compiled kernels give the bits of their own source: a recorded run replayed with compilation switched off."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import replay_bits
from plant_bench import empty_plant, reference_plant

from pod_controller.kernels.records import OWN, SHARED, Table
from sim_hardware.guard_trial.plant_builder import Moves, add_chute, add_element, add_flow, add_intake, add_vessel

ROOT = Path(__file__).parents[3]
SUPPORT = ROOT / "tests" / "support"


def small_plant(positioner: bool) -> Table:
    """Two chutes behind a shared valve, a buffer fed on by shots, a tank below."""
    plant = empty_plant()
    p = plant[0]
    buffer, tank = add_vessel(p, 120.0), add_vessel(p, 200.0, levels=2)
    throat = add_intake(p, {buffer: 1.5}, 0.5, (add_element(p, SHARED, Moves(2.0, 1.0, 2.0)),))
    for _ in range(2):
        add_chute(p, throat, add_element(p, OWN, Moves(8.0, 4.0, 2.0, positioner)), 0.5)
    feed = add_intake(p, {tank: 1.0}, 0.8)
    flow = add_flow(p, feed, add_element(p, OWN, Moves(2.0, 1.0, 2.0)), 0.8, source=buffer)
    p.causes[0].member[:2], p.n_causes = 1, 1
    r = p.regulator
    r.vessel, r.feed_flow, r.setpoint_kg, r.gain_per_s, r.integral_s = buffer, flow, 30.0, 0.001, 3600.0
    r.shot_kg_s, r.shot_min_s, r.shot_max_s, r.feed_max_kg_s = 0.8, 5.0, 20.0, 0.5
    r.budget_kg, r.slot_s, r.slurry_ratio = 5000.0, 900.0, 1.5
    return plant


def digest_elsewhere(path: Path, form: str, **settings: str) -> str:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{SUPPORT}", **settings}
    command = [sys.executable, str(SUPPORT / "replay_bits.py"), str(path), form]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def opened_share(plant: Table, frames: npt.NDArray[np.void]) -> float:
    gates = plant["chutes"]["gate"][0, : plant[0].n_chutes]
    return float((np.nan_to_num(frames["position_frac"][:, gates]) > 0.5).any(axis=1).mean())


@pytest.mark.campaign
@pytest.mark.parametrize(("name", "ticks"), [("relays", 2_000), ("positioners", 1_000), ("reference", 10_000)])
def test_a_recorded_run_gives_the_same_bits_with_compilation_off(name: str, ticks: int, tmp_path: Path) -> None:
    plant = reference_plant() if name == "reference" else small_plant(positioner=name == "positioners")
    frames = replay_bits.record(plant, ticks, seed=11)
    replay_bits.save(tmp_path / "run.npz", plant, frames)

    compiled = replay_bits.digest(plant, frames)
    plain = digest_elsewhere(tmp_path / "run.npz", "plain", NUMBA_DISABLE_JIT="1")

    assert opened_share(plant, frames) > 0.05
    assert compiled == plain


@pytest.mark.campaign
@pytest.mark.parametrize(("form", "setting"), [("plain", "NUMBA_DISABLE_JIT"), ("records", "NUMBA_BOUNDSCHECK")])
def test_frames_of_any_bits_give_the_same_bits_and_raise_nowhere(form: str, setting: str, tmp_path: Path) -> None:
    plant = small_plant(positioner=True)
    frames = replay_bits.record(plant, 500, seed=12)
    replay_bits.spoil(frames, seed=13)
    replay_bits.save(tmp_path / "run.npz", plant, frames)

    other = digest_elsewhere(tmp_path / "run.npz", form, NUMBA_CACHE_DIR=str(tmp_path / "cache"), **{setting: "1"})

    assert replay_bits.digest(plant, frames) == other
