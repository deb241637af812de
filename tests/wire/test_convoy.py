"""The convoy in real time: `podctl run` against served hardware, killed at random moments; nothing spills."""

import json
import random
import signal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from wire_pod import Process, WirePod, pause, serve

from sim_hardware import scenarios

pytestmark = pytest.mark.wire
CHUTES = 4


class Depth(NamedTuple):
    duration_s: float
    before_convoy_s: float
    kills: int
    run_s: tuple[float, float]  # how long a core lives, between these


DEPTHS = {"sample": Depth(30.0, 6.0, 1, (5.0, 7.0)), "full": Depth(1800.0, 300.0, 20, (30.0, 105.0))}


def kill_and_look(pod: WirePod, core: Process) -> None:
    acknowledged = pod.status()["journal"]["last_seq"]
    core.end(signal.SIGKILL)
    pod.look_after_kill(acknowledged)


def what_became_of_it(hardware: Process) -> dict[str, Any]:
    """The served pod's own account, at its end."""
    assert hardware.wait() == 0, hardware.text
    return dict(json.loads(hardware.text.splitlines()[-1]))


@pytest.mark.timeout(2400)
def test_the_convoy_is_taken_without_a_spill_though_the_core_is_killed_again_and_again(
    tmp_path: Path, depth: str
) -> None:
    d, draw = DEPTHS[depth], random.Random(20261125)
    convoy_s = scenarios.draw("festival", 0, CHUTES).convoy_s
    assert convoy_s is not None
    place = ("--duration", f"{d.duration_s}", "--from", f"{convoy_s - d.before_convoy_s}", "--json")
    with serve(tmp_path / "hardware.log", tmp_path / "pod", *place) as hardware:
        pod = WirePod(tmp_path / "pod", tmp_path)
        for _ in range(d.kills):
            with pod.core() as core:
                pod.begin()
                pause(draw.uniform(*d.run_s))
                kill_and_look(pod, core)
        with pod.core():
            pod.begin()
            became = what_became_of_it(hardware)
    assert became["spilled_kg"] == 0.0
    assert became["arrived_kg"] > 0.0
    assert "Traceback" not in (tmp_path / "core.log").read_text()
