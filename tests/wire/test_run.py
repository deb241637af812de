"""`podctl run` as a real process against hardware in another one: start, ask, end, unplug (killed: test_kill.py)."""

import contextlib
import re
import signal
import socket
import statistics
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from hostile_clients import attack, resident_kb
from wire_pod import PODCTL, Process, WirePod, now_s, podctl, serve, wait_until

from pod_controller.core import SETTLE_S

pytestmark = pytest.mark.wire


def test_a_core_arms_starts_answers_and_leaves_every_output_at_its_fail_state(pod: WirePod) -> None:
    with pod.core() as core:
        pod.run_up()
        why = pod.ask("why", "chute_1")
        status = pod.ask("status")
        began_s = now_s()
        code = core.end(signal.SIGTERM)

        took_s = now_s() - began_s
        assert (code, why.returncode, status.returncode) == (0, 0, 0)
        assert "gate_1 is shut" in why.stdout and "U " in why.stdout
        assert status.stdout.startswith("reference  EXECUTE")
        assert took_s < SETTLE_S + 1.0
        assert set(pod.held().values()) == {0}  # at once: sooner than any watchdog
        assert "Traceback" not in core.text
    assert podctl("replay", str(pod.config.with_name("journal.recording"))).returncode == 0


def test_ctrl_c_ends_with_130_and_outputs_safe(pod: WirePod) -> None:
    with pod.core() as core:
        pod.run_up()

        assert core.end(signal.SIGINT) == 130
        assert set(pod.held().values()) == {0}


def open_lines(pod: WirePod) -> list[str]:
    return [line["line"] for line in pod.status()["lines"] if line["open"]]


def test_hardware_that_goes_and_comes_back_is_told_and_survived(tmp_path: Path) -> None:
    folder, log = tmp_path / "pod", tmp_path / "hardware.log"
    with contextlib.ExitStack() as stack:
        hardware = stack.enter_context(serve(log, folder))
        pod = WirePod(folder, tmp_path)
        core = stack.enter_context(pod.core())
        pod.run_up()
        hardware.end(signal.SIGTERM)
        wait_until(lambda: not open_lines(pod), "every port is gone")
        gone = pod.ask("status")
        assert gone.returncode == 3
        assert "plug it in" in gone.stdout

        again = stack.enter_context(serve(log, folder))  # serial lines under their names, the TCP server elsewhere
        wait_until(lambda: open_lines(pod) == ["A", "B", "W"], "the serial lines are back")
        wait_until(lambda: not pod.status()["vessels"][0]["counts_as_full"], "the buffer is in sight again")

        again.end(signal.SIGTERM)
        began_s = now_s()
        assert core.end(signal.SIGTERM) == 1  # nobody can say where the outputs are
        assert now_s() - began_s < SETTLE_S + 2.0
    assert "line A gone" in core.text and "line A open" in core.text and "E431" in core.text
    assert "Traceback" not in core.text


def test_a_missing_port_does_not_keep_the_others_from_being_read(pod: WirePod, tmp_path: Path) -> None:
    pod.move(r'port = ".*/W"', f'port = "{tmp_path}/nowhere"')
    pod.move(r"tcp_port = \d+", "tcp_port = 9")
    with pod.core() as core:
        wait_until(lambda: bool(pod.status()), "the core answers")
        wait_until(lambda: "levels of digester" in " ".join(pod.status()["waits_for"]), "it says what it lacks")
        lines = {line["line"]: line for line in pod.status()["lines"]}
        assert [name for name, line in lines.items() if not line["open"]] == ["C", "W"]
        refused = pod.ask("start")
        assert (refused.returncode, refused.stderr[:5]) == (4, "E432 ")
        core.end(signal.SIGTERM)


def test_a_bad_configuration_is_told_as_check_config_tells_it(pod: WirePod) -> None:
    pod.move(r"tick_s = 0\.5", "tick_s = 99.0")
    checked = pod_checked(pod)

    with pod.core() as core:
        assert core.wait() == 78
    assert core.text == checked


def pod_checked(pod: WirePod) -> str:
    result = podctl("check-config", str(pod.config))
    assert result.returncode == 78
    return result.stdout


def test_a_reload_keeps_what_runs_when_the_file_is_wrong_and_takes_what_may_change(pod: WirePod) -> None:
    with pod.core() as core:
        pod.wait_for("IDLE")
        pod.move(r"setpoint_degc = 35\.0", "setpoint_degc = 350.0")
        core.tell(signal.SIGHUP)
        wait_until(lambda: "configuration kept" in core.text, "the fault is told")
        pod.move(r"setpoint_degc = 350\.0", "setpoint_degc = 36.0")
        core.tell(signal.SIGHUP)
        wait_until(lambda: "[thermostat] setpoint_degc was 35.0, is 36.0" in core.text, "the change is told")

        assert core.end(signal.SIGTERM) == 0
    assert "E105" in core.text


def test_a_second_core_is_refused_and_the_first_goes_on(pod: WirePod) -> None:
    with pod.core() as core:
        pod.run_up()
        second = podctl("run", "--config", str(pod.config))

        assert second.returncode == 1
        assert "E439 another core answers" in second.stderr
        assert pod.status()["state"] == "EXECUTE"
        assert core.end(signal.SIGTERM) == 0


def test_the_service_manager_hears_ready_then_the_watchdog_then_stopping(pod: WirePod, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30.0)
        with pod.core(NOTIFY_SOCKET=str(tmp_path / "notify")) as core:
            heard = [manager.recv(4096).decode() for _ in range(6)]
            assert core.end(signal.SIGTERM) == 0
        manager.setblocking(False)
        while "STOPPING=1" not in heard[-1]:
            heard.append(manager.recv(4096).decode())

    assert sum(text.startswith("READY=1") for text in heard) == 1
    assert heard.count("WATCHDOG=1") >= 4


BROKEN = """
import asyncio, sys
from pathlib import Path
from hal.clock import SystemClock
from pod_controller.cli_run import StderrLog
from pod_controller.config import load
from pod_controller.core_process import CoreProcess
from pod_controller.modes import State

path, clock = Path(sys.argv[1]), SystemClock()
process = CoreProcess(path, load(path), clock, StderrLog(clock))
loop, advance = process.core.loop, process.core.loop._step
ticks = [0]

def step(*tables):
    timers, due_ns = asyncio.get_running_loop(), clock.now_ns() + 1_200_000
    timers.call_at(due_ns * 1e-9, lambda: print(f"timer late by {(clock.now_ns() - due_ns) / 1000:.0f} us", flush=True))
    if loop.modes.state is State.IDLE:
        loop.modes.start()
    ticks[0] += loop.modes.executes
    if ticks[0] > 12:
        raise ZeroDivisionError("planted")
    return advance(*tables)

loop._step = step
with process:
    process.run()
"""


def test_a_bug_in_a_tick_still_leaves_every_output_read_back_at_fail(pod: WirePod, tmp_path: Path) -> None:
    with Process(tmp_path / "broken.log", sys.executable, "-c", BROKEN, str(pod.config)) as broken:
        assert broken.wait() == 1
        assert set(pod.held().values()) == {0}

    assert "leaving: fault in the core, ZeroDivisionError: planted" in broken.text
    assert "outputs verified" in broken.text
    late_us = [int(found) for found in re.findall(r"timer late by (\d+) us", broken.text)]
    assert len(late_us) > 10 and statistics.median(late_us) < 200  # asyncio's own loop waits for whole milliseconds


def test_nobody_there_is_69(tmp_path: Path) -> None:
    for verb in ("status", "why", "start", "stop", "hold", "reset"):
        result = subprocess.run(
            [*PODCTL, verb, "--socket", str(tmp_path / "none")], capture_output=True, text=True, check=False
        )
        assert (result.returncode, result.stdout) == (69, "")
        assert "nobody answers" in result.stderr


HOSTILE = {"sample": 400, "full": 4000}


def test_hostile_clients_cost_a_running_core_no_tick_and_no_memory(pod: WirePod, depth: str) -> None:
    path = pod.config.with_name("control.sock")
    with pod.core() as core:
        pod.run_up()
        attack(path, range(100))  # the first ones warm everything up
        before_kb = resident_kb(core.pid)
        attackers = [Thread(target=attack, args=(path, range(k, HOSTILE[depth], 4))) for k in range(4)]
        for attacker in attackers:
            attacker.start()
        for attacker in attackers:
            attacker.join()
        status = pod.status()

        assert status["overruns"] == 0
        assert status["state"] == "EXECUTE"
        assert resident_kb(core.pid) - before_kb < 8_000
        assert core.end(signal.SIGTERM) == 0
        assert "Traceback" not in core.text
