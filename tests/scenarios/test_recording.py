"""A recorded run gives the same permits again, bit for bit; damage costs only what it hit."""

import json
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from hal.errors import PodError
from pod_controller import recording
from pod_controller.cli_replay import replay
from pod_controller.config import load
from pod_controller.recorder import CHUNK_TICKS, Recorder, RecordingFile, in_line
from sim_hardware import scenarios
from sim_hardware.cli import sim
from sim_hardware.pod import SimulatedPod

REFERENCE = Path(str(files("sim_hardware").joinpath("reference/pod.toml")))
DURATION_S = 600.0
pytestmark = pytest.mark.scenario


def busiest_part(n_chutes: int, duration_s: float) -> scenarios.Scenario:
    """So much of a festival, from half a minute before its largest bag on."""
    whole = scenarios.draw("festival", 3, n_chutes, None)
    events = whole.events.copy()
    events["at_ns"] -= int(events["at_ns"][events["kg"].argmax()]) - 30_000_000_000
    return replace(whole, events=events[events["at_ns"] >= 0], duration_s=duration_s)


def record(recorder: Recorder, duration_s: float = DURATION_S) -> SimulatedPod:
    config = load(REFERENCE)
    pod = SimulatedPod(config, busiest_part(len(config.chute), duration_s), recorder=recorder)
    pod.run()
    recorder.close()
    return pod


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    path = tmp_path_factory.mktemp("recorded") / "run.rec"
    pod = record(in_line(path, load(REFERENCE), REFERENCE.read_text("utf-8"), "guarded"))
    return path, pod.ticks


@pytest.fixture
def copied(recorded: tuple[Path, int], tmp_path: Path) -> Path:
    path = tmp_path / "copy.rec"
    path.write_bytes(recorded[0].read_bytes())
    return path


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(replay, [*arguments, "--json"], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return int(result.return_value), json.loads(result.stdout)


def test_a_run_of_600_s_replays_bit_for_bit(recorded: tuple[Path, int]) -> None:
    path, ticks = recorded

    code, said = run(str(path))

    assert code == 0
    assert (said["identical"], said["ticks"], said["gaps"], said["damage"]) == (True, ticks, 0, None)
    assert ticks == DURATION_S / 0.5 + 1


def test_another_configuration_tells_the_first_tick_and_element_that_differ(
    recorded: tuple[Path, int], tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(REFERENCE.read_text("utf-8").replace("open_at_once = 2", "open_at_once = 1"), "utf-8")

    code, said = run(str(recorded[0]), "--config", str(other))

    assert code == 1
    assert said["first_difference"]["element"] in said["elements"]
    assert 0 <= said["first_difference"]["tick"] < said["ticks"]
    assert said["first_difference"]["recorded_rule"]


def test_a_configuration_with_other_rows_is_refused(recorded: tuple[Path, int], tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(REFERENCE.read_text("utf-8").replace('"gate_1"', '"gate_one"'), "utf-8")

    with pytest.raises(PodError, match="E424 the recording's elements"):
        run(str(recorded[0]), "--config", str(other))


@pytest.mark.parametrize("kept_ratio", [0.3, 0.7, 0.999])
def test_a_cut_recording_replays_as_far_as_it_goes(copied: Path, kept_ratio: float) -> None:
    data = copied.read_bytes()
    copied.write_bytes(data[: int(len(data) * kept_ratio)])

    code, said = run(str(copied))

    assert code == 1
    assert said["identical"]
    assert "ends at byte" in said["damage"]
    assert said["ticks"] % CHUNK_TICKS == 0 or said["ticks"] == DURATION_S / 0.5 + 1


def test_a_changed_byte_is_found_wherever_it_is(copied: Path) -> None:
    data = copied.read_bytes()
    dice = np.random.default_rng(1)

    for at in dice.integers(0, len(data), 60).tolist():
        copied.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        try:
            found = recording.read(copied)
        except PodError as error:
            assert error.code in (422, 423)
            continue
        assert found.damage


@pytest.mark.parametrize(("content", "code"), [(None, 421), (b"", 422), (b"something else entirely", 422)])
def test_what_is_no_recording_is_an_error_that_says_so(tmp_path: Path, content: bytes | None, code: int) -> None:
    path = tmp_path / "x.rec"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(PodError) as caught:
        run(str(path))

    assert caught.value.code == code


def test_a_chunk_that_nobody_takes_is_a_gap_and_the_rest_replays(tmp_path: Path) -> None:
    path = tmp_path / "gap.rec"
    file = RecordingFile(path, recording.header_of(load(REFERENCE), "", "guarded"))
    refusals = iter([False, True, False])

    def submit(task: Callable[[], None]) -> bool:
        if next(refusals, False):
            return False
        task()
        return True

    recorder = Recorder(file, submit)
    pod = record(recorder, 200.0)
    code, said = run(str(path))

    assert code == 0
    assert recorder.trouble
    assert (said["gaps"], said["ticks"]) == (1, pod.ticks - CHUNK_TICKS)


def test_a_recording_that_cannot_be_written_ends_quietly_and_says_why(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    file = RecordingFile(folder / "x.rec", recording.header_of(load(REFERENCE), "", "guarded"))

    def submit(task: Callable[[], None]) -> bool:
        task()
        return True

    recorder = Recorder(file, submit)
    pod = record(recorder, 60.0)

    assert pod.ticks == 121
    assert "No such file" in recorder.trouble


def test_a_large_recording_makes_room_by_starting_again(tmp_path: Path) -> None:
    path = tmp_path / "x.rec"
    header = recording.header_of(load(REFERENCE), "", "guarded")
    file = RecordingFile(path, header, largest_bytes=20_000)

    def submit(task: Callable[[], None]) -> bool:
        task()
        return True

    record(Recorder(file, submit), 200.0)
    parts = [run(str(part)) for part in (path.with_name("x.rec.old"), path)]

    assert all(said["identical"] and said["ticks"] > 0 for _, said in parts)


def test_sim_records_what_replay_takes(tmp_path: Path) -> None:
    path = tmp_path / "run.rec"
    arguments = ["festival", "--duration", "60", "--json", "--record", str(path)]

    simulated = json.loads(CliRunner().invoke(sim, arguments, standalone_mode=False).stdout)
    code, said = run(str(path))

    assert code == 0
    assert said["ticks"] == simulated["ticks"]


def test_permits_hold_no_bytes_that_belong_to_no_field() -> None:
    kind = recording.LAYOUTS["permit"]

    assert sum(kind[name].itemsize for name in kind.names or ()) == kind.itemsize
