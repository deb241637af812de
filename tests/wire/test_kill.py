"""`podctl run` killed with SIGKILL: outputs fall by their watchdogs, nothing acknowledged is lost, nothing restarts."""

import random
import shutil
import signal
import subprocess

import pytest
from wire_pod import WATCHDOG_S, WirePod, pause, wait_until

pytestmark = pytest.mark.wire


def test_after_kill_9_every_output_falls_within_its_watchdog_and_nothing_is_remembered(pod: WirePod) -> None:
    with pod.core() as core:
        pod.run_up()
        assert core.end(signal.SIGKILL) == -signal.SIGKILL
    pause(WATCHDOG_S + 0.5)
    assert pod.held() == {"A": 0, "B": 0, "C": 0}

    with pod.core() as core:
        wait_until(lambda: bool(pod.status()), "the second core answers")
        first = pod.status()
        assert first["state"] in ("STOPPED", "IDLE")
        pod.wait_for("IDLE")
        pause(1.0)
        assert pod.status()["state"] == "IDLE"  # a person has to start it
        assert core.end(signal.SIGTERM) == 0


KILLS = {"sample": 2, "full": 20}


@pytest.mark.timeout(1200)
def test_kill_9_at_any_moment_loses_no_acknowledged_entry_and_leaves_outputs_at_fail(pod: WirePod, depth: str) -> None:
    draw = random.Random(20261125)
    for _ in range(KILLS[depth]):
        with pod.core() as core:
            pod.run_up()
            pause(draw.uniform(0.0, 8.0))
            acknowledged = pod.status()["journal"]["last_seq"]
            pause(draw.uniform(0.0, 0.5))
            core.end(signal.SIGKILL)

        pod.look_after_kill(acknowledged)


@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed (deploy/ci-packages.txt)")
def test_after_kill_9_mbpoll_reads_every_coil_off(pod: WirePod) -> None:
    with pod.core() as core:
        pod.run_up()
        core.end(signal.SIGKILL)
    pause(WATCHDOG_S + 0.5)

    for line, baud in (("A", "38400"), ("B", "38400")):
        arguments = ["-m", "rtu", "-b", baud, "-P", "none", "-a", "1", "-1", "-t", "0", "-r", "1", "-c", "8"]
        port = str(pod.served / line)
        result = subprocess.run(["mbpoll", *arguments, port], capture_output=True, text=True, check=True)
        assert result.stdout.count(": \t0") == 8
