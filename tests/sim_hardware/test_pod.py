"""The whole program on virtual time: arming, what it believes, and what a broken promise does."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from pod_controller.config import PodConfig, load
from pod_controller.modes import State
from sim_hardware import faults, scenarios
from sim_hardware.pod import NS, SimulatedPod

pytestmark = pytest.mark.scenario


@cache
def config() -> PodConfig:
    return load(Path(str(files("sim_hardware").joinpath("reference/pod.toml"))))


def pod(duration_s: float, *fault_texts: str) -> SimulatedPod:
    drawn = scenarios.draw("quiet_day", 0, 4, duration_s)
    return SimulatedPod(config(), drawn, extra_faults=[faults.parse(text) for text in fault_texts])


def test_outputs_stay_off_until_five_coherent_scans() -> None:
    simulated = pod(10.0)
    before_armed: list[float] = []

    def look(pod: SimulatedPod, now_ns: int) -> None:
        if pod.app.loop.modes.state is State.STOPPED:
            before_armed.append(float(pod.plant.drive.sum()))

    simulated.run(look)

    assert len(before_armed) >= 5
    assert set(before_armed) == {0.0}


def test_a_pod_that_cannot_see_its_buffer_never_arms() -> None:
    simulated = pod(30.0, "line_dead@B", "sensor_dead@WT-203")
    states: set[State] = set()

    simulated.run(lambda pod, now_ns: states.add(pod.app.loop.modes.state))

    assert states == {State.STOPPED}


def test_lost_evidence_suspends_and_its_return_resumes() -> None:
    simulated = pod(90.0, "line_dead@B:from=30,for=20")
    states: dict[int, State] = {}

    simulated.run(lambda pod, now_ns: states.update({now_ns // NS: pod.app.loop.modes.state}))

    assert states[29] is State.EXECUTE
    assert states[48] is State.SUSPENDED
    assert states[89] is State.EXECUTE


def test_an_exception_in_the_tick_closes_every_output_and_aborts() -> None:
    simulated = pod(60.0)

    def fail(*_: object) -> None:
        raise ZeroDivisionError("planted")

    def look(pod: SimulatedPod, now_ns: int) -> None:
        if now_ns == 30 * NS:
            pod.app.loop._step = fail  # type: ignore[assignment]

    with pytest.raises(ZeroDivisionError):
        simulated.run(look)

    assert simulated.app.field.outputs_at_fail()


def test_the_journal_tells_every_change_and_why(tmp_path: Path) -> None:
    import sqlite3

    drawn = scenarios.draw("quiet_day", 0, 4, 60.0)
    SimulatedPod(config(), drawn, journal=str(tmp_path / "journal.db")).run()

    rows = sqlite3.connect(tmp_path / "journal.db").execute("SELECT thing, value, why FROM journal").fetchall()

    assert ("pod", "IDLE", "was STOPPED") in rows
    assert any(thing.startswith("lid_") and value == "1" and why == "granted" for thing, value, why in rows)
