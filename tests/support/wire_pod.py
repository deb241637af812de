"""Real processes for tests: a pod's hardware, its core, an outside master; each is ended whatever the test does."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tty
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hal.clock import SystemClock
from sim_hardware.rtu_codec import seal

PODCTL = (sys.executable, "-m", "pod_controller")
OUTPUT_LINES = ("A", "B", "C")  # unit 1 of each is an output module
READ_IMAGE = seal(1, bytes.fromhex("0400080001"))
NS = 1_000_000_000
CLOCK = SystemClock()
WATCHDOG_S = 2.0  # of the output modules


def now_s() -> float:
    """Monotonic seconds."""
    return CLOCK.now_ns() / NS


def pause(duration_s: float) -> None:
    """Let real time pass."""
    CLOCK.sleep_until_ns(CLOCK.now_ns() + round(duration_s * NS))


def wait_until(true: Callable[[], bool], what: str, most_s: float = 40.0) -> None:
    """Wait for something to become true."""
    end_s = now_s() + most_s
    while not true():
        assert now_s() < end_s, f"not within {most_s:g} s: {what}"
        pause(0.05)


def podctl(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """A verb, run to its end."""
    return subprocess.run([*PODCTL, *arguments], capture_output=True, text=True, check=False, timeout=60)


class Process:
    """A process with its output in a file."""

    def __init__(self, log: Path, *arguments: str, **environment: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(arguments, stdout=output, stderr=output, env=os.environ | environment)
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    @property
    def text(self) -> str:
        """What it has written."""
        return self.log.read_text()

    def end(self, number: signal.Signals, most_s: float = 20.0) -> int:
        """Send a signal and wait; its exit code."""
        self._process.send_signal(number)
        return self._process.wait(most_s)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal that does not end it."""
        self._process.send_signal(number)

    def wait(self, most_s: float = 60.0) -> int:
        """Its exit code."""
        return self._process.wait(most_s)


def serve(log: Path, folder: Path, *arguments: str, scenario: str = "festival") -> Process:
    """Start a pod's hardware in a folder and wait until it is there."""
    log.unlink(missing_ok=True)
    made = Process(log, *PODCTL, "sim", scenario, "--serve", str(folder), *arguments)
    wait_until(lambda: "ready" in made.text, "the hardware is ready")
    return made


class WirePod:
    """Somebody at a pod whose hardware is served in a folder, with a configuration of their own."""

    def __init__(self, served: Path, desk: Path) -> None:
        self.served, self._desk = served, desk
        self.config = desk / "pod.toml"
        text = (served / "pod.toml").read_text()
        for key, name in (("socket", "control.sock"), ("journal", "journal.db")):
            text = re.sub(rf"^{key} = .*$", f'{key} = "{desk / name}"', text, flags=re.MULTILINE)
        self.config.write_text(text)

    def core(self, **environment: str) -> Process:
        """Start a core; it is not armed yet."""
        return Process(self._desk / "core.log", *PODCTL, "run", "--config", str(self.config), **environment)

    def ask(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """A verb about this pod."""
        return podctl(*arguments, "--config", str(self.config))

    def status(self) -> dict[str, Any]:
        """What the core says; empty while nobody answers."""
        answer = self.ask("status", "--json")
        told = dict(json.loads(answer.stdout)) if answer.stdout else {}
        return told if told.get("ok") else {}

    def wait_for(self, state: str) -> dict[str, Any]:
        """Wait until the pod is in a state."""
        wait_until(lambda: self.status().get("state") == state, f"the pod is {state}")
        return self.status()

    def begin(self) -> None:
        """Wait until armed, and start."""
        self.wait_for("IDLE")
        assert self.ask("start", "--reason", "a test").returncode == 0

    def run_up(self) -> None:
        """Begin with an empty chute, and wait until its lid is open."""
        self.begin()
        wait_until(lambda: self.status()["chutes"][0]["lid"] == "open 100%", "lid 1 is unlocked")

    def held(self) -> dict[str, int]:
        """Output images as an outside master reads them, by line. The core must be gone: it holds its ports."""
        lines = json.loads((self.served / "map.json").read_text())["lines"]
        return {line["name"]: read_image(line) for line in lines if line["name"] in OUTPUT_LINES}

    def look_after_kill(self, acknowledged: int) -> None:
        """Every output has fallen by itself; the journal is whole and holds what had been acknowledged."""
        pause(WATCHDOG_S + 0.5)
        assert set(self.held().values()) == {0}
        verdict = self.ask("journal", "--verify", "--json")
        assert verdict.returncode == 0, verdict.stdout
        assert json.loads(verdict.stdout)["last"] >= acknowledged > 0

    def move(self, old: str, new: str) -> None:
        """Edit the configuration."""
        text = self.config.read_text()
        assert re.search(old, text)
        self.config.write_text(re.sub(old, new, text, count=1))


def read_image(line: Mapping[str, Any]) -> int:
    """Outputs held by unit 1 of a line of map.json, read once."""
    if line["protocol"] == "modbus_tcp":
        with socket.create_connection((line["host"], line["port"]), timeout=5.0) as link:
            link.sendall(b"\0\1\0\0\0\6" + READ_IMAGE[:-2])
            return int.from_bytes(link.makefile("rb").read(11)[-2:], "big")
    descriptor = os.open(line["link"], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        tty.setraw(descriptor)
        os.write(descriptor, READ_IMAGE)
        reply = b""
        while len(reply) < 7:
            assert select.select([descriptor], [], [], 2.0)[0], f"{line['link']} does not answer: {reply.hex()}"
            reply += os.read(descriptor, 64)
        assert reply[:3] == b"\x01\x04\x02"
        return int.from_bytes(reply[3:5], "big")
    finally:
        os.close(descriptor)
