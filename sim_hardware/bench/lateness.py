"""How late the tick of a real core is while other programs want every processor, beside cyclictest in the same run.

Job: hardware, core and hogs as processes of their own; the core's own account of its ticks is asked over its control
socket. Neighbours: `serve` is the hardware, `core_process` the core; `podctl bench lateness` may print the rows. Must
not know how either works. Lateness of a tick: from its deadline to the moment it takes for now.
"""

import contextlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hal.errors import PodError
from pod_controller.control_client import Connection
from sim_hardware.bench.core import Row

TICK_S = 0.1
GOAL_MS = 5.0
HOGS = 4
HISTOGRAM_US = 20_000
WAIT_S = 90.0
NOT_UP = 158
PODCTL = (sys.executable, "-m", "pod_controller")


def rows(duration_s: float = 60.0, hogs: int = HOGS) -> list[Row]:
    """Lateness over duration_s with so many hogs: p99.9 and missed ticks of the core, and what cyclictest saw."""
    ticks = round(duration_s / TICK_S)
    with tempfile.TemporaryDirectory(prefix="podctl-bench-") as folder, contextlib.ExitStack() as stack:
        socket = _run_pod(Path(folder), stack)
        before = _ask(socket, do="status")
        with _running([sys.executable, "-c", "while True: pass"], hogs):
            peer = _cyclictest(ticks)
            time.sleep(duration_s)
            after = _ask(socket, do="status", of_ticks=ticks)
            seen = _worst_us(peer) if peer else None
    return _rows(before, after, duration_s, seen)


def _run_pod(folder: Path, stack: contextlib.ExitStack) -> Path:
    """Hardware and a started core; the core's socket."""
    served = folder / "pod"
    stack.enter_context(_running([*PODCTL, "sim", "festival", "--serve", str(served)]))
    config = served / "pod.toml"
    _wait(lambda: (served / "map.json").exists() and config.exists(), "the hardware is ready")
    fast = folder / "fast.toml"
    text = re.sub(r"^tick_s = .*$", f"tick_s = {TICK_S}", config.read_text(), flags=re.MULTILINE)
    text = re.sub(r"^socket = .*$", f'socket = "{folder}/control.sock"', text, flags=re.MULTILINE)
    fast.write_text(text)
    stack.enter_context(_running([*PODCTL, "run", "--config", str(fast)]))
    socket = folder / "control.sock"
    _wait(lambda: _state(socket) == "IDLE", "the core is armed")
    _ask(socket, do="start", reason="bench lateness")
    return socket


def _rows(before: dict[str, Any], after: dict[str, Any], duration_s: float, seen: dict[str, float] | None) -> list[Row]:
    late, missed = after["lateness"], after["overruns"] - before["overruns"]
    detail = {
        "scheduling": after["scheduling"],
        "tick_s": TICK_S,
        "duration_s": duration_s,
        "hogs": HOGS,
        **late,
        "cyclictest": seen or "not installed: rt-tests",
    }
    found = [
        Row("tick lateness p99.9", late["p99_9_ms"], "ms", GOAL_MS, late["p99_9_ms"] <= GOAL_MS, detail),
        Row("ticks missed", float(missed), "ticks", 0.0, missed == 0, {"of": late["of_ticks"]}),
    ]
    if seen:
        worst_ms = seen["max_us"] * 1e-3
        found.append(Row("cyclictest worst", worst_ms, "ms", GOAL_MS, worst_ms <= GOAL_MS, dict(seen)))
    return found


def _cyclictest(ticks: int) -> "subprocess.Popen[str] | None":
    """The kernel's own measure at the same period, above our priority; None where it cannot run."""
    if shutil.which("cyclictest") is None:
        return None
    period_us = str(round(TICK_S * 1e6))
    options = ["-q", "-p", "80", "-i", period_us, "-l", str(ticks), "-h", str(HISTOGRAM_US)]
    return subprocess.Popen(["cyclictest", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _worst_us(peer: "subprocess.Popen[str]") -> dict[str, float] | None:
    """p99.9 and maximum of cyclictest's histogram; None if it was not allowed to run."""
    text, _ = peer.communicate(timeout=WAIT_S)
    counts = [(int(us), int(count)) for us, count in re.findall(r"^(\d{6}) (\d{6})", text, re.MULTILINE)]
    worst = re.search(r"# Max Latencies: (\d+)", text)
    if worst is None or not counts:
        return None
    return {"p99_9_us": float(_rank(counts, 0.999)), "max_us": float(worst[1])}


def _rank(counts: Sequence[tuple[int, int]], share_frac: float) -> int:
    """The value below which that share of all counts lies."""
    wanted, passed = share_frac * sum(count for _, count in counts), 0
    for us, count in counts:
        passed += count
        if passed >= wanted:
            return us
    return HISTOGRAM_US


@contextlib.contextmanager
def _running(command: Sequence[str], times: int = 1) -> Iterator[None]:
    """Processes that are ended at the end, kindly first."""
    started = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for _ in range(times)
    ]
    try:
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            try:
                process.wait(10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ask(path: Path, **request: Any) -> dict[str, Any]:
    with Connection(path) as connection:
        return connection.ask(request)


def _state(path: Path) -> str:
    """What the core says it is; empty while nobody answers."""
    with contextlib.suppress(PodError):
        return str(_ask(path, do="status").get("state", ""))
    return ""


def _wait(true: Any, what: str) -> None:
    end_s = time.monotonic() + WAIT_S
    while not true():
        if time.monotonic() > end_s:
            raise PodError(NOT_UP, f"bench lateness: not within {WAIT_S:.0f} s: {what}; try it by hand")
        time.sleep(0.1)


if __name__ == "__main__":
    for row in rows(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0):
        sys.stdout.write(f"{row.name}: {row.figure:g} {row.unit} (goal {row.goal:g}, met {row.met}) {row.detail}\n")
