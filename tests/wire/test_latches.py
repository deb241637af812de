"""A core that is killed forgets no trip: real processes, a real disk, a technician's verbs."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from wire_pod import WirePod, pause, serve, wait_until

pytestmark = pytest.mark.wire
JACKET = 162


def trips(pod: WirePod) -> list[tuple[int, bool, bool]]:
    pause(0.5)
    found: list[dict[str, Any]] = pod.status().get("trips", [])
    return [(x["id"], x["first_out"], x["cause_stands"]) for x in found]


def test_after_kill_9_a_latched_trip_stands_until_a_person_resets_it(tmp_path: Path) -> None:
    hot = ("--fault", "sensor_bias@TT-302:from=0,k=40", "--from", "0")
    with serve(tmp_path / "hardware.log", tmp_path / "pod", *hot, scenario="quiet_day") as hardware:
        pod = WirePod(tmp_path / "pod", tmp_path)
        with pod.core() as core:
            wait_until(lambda: trips(pod) == [(JACKET, True, True)], "the jacket trips")
            core.end(signal.SIGKILL)
        hardware.end(signal.SIGINT)

    with serve(tmp_path / "hardware.log", tmp_path / "pod", scenario="quiet_day"):
        pod = WirePod(tmp_path / "pod", tmp_path)  # its TCP port is another one
        with pod.core() as core:
            wait_until(lambda: trips(pod) == [(JACKET, True, False)], "its cause has gone under the next core")
            wait_until(lambda: pod.ask("reset", "--reason", "looked").returncode == 0, "the reset is taken")
            after = trips(pod)
            assert core.end(signal.SIGTERM) == 0

    rows = [json.loads(line) for line in pod.ask("journal", "--json").stdout.splitlines()]
    told = [row["value"] for row in rows if row["kind"] == "trip"]
    assert after == []
    assert told == ["tripped", "kept", "reset"]
