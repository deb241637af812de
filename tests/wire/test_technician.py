"""RUNBOOK, "Calibrate and hand over", done as it stands there: its own commands against the served pod.

The guided calibration is answered on a terminal, as a person would; while its span weight is awaited, the gate is
stroked. Neighbours: deploy/RUNBOOK.md.
"""

import re
import shlex
from pathlib import Path
from typing import Any

import pexpect
import pytest
from wire_pod import PODCTL, Process, podctl, wait_until

from hal.calibration_file import load
from hal.errors import PodError
from pod_controller.commissioning.live import Live

pytestmark = [pytest.mark.wire, pytest.mark.timeout(240)]
RUNBOOK = Path(__file__).parents[2] / "deploy" / "RUNBOOK.md"
SPAN_FROM = ("=300,", "=40,")  # a person takes longer


def chapter() -> str:
    text = RUNBOOK.read_text("utf-8")
    return text[text.index("Calibrate and hand over\n") :].split("\n## ")[0]


def commands(folder: Path) -> dict[str, list[str]]:
    """The words after `podctl` of every command of the chapter, by its first two."""
    lines = re.findall(r"^\$ podctl (.+)$", chapter(), re.MULTILINE)
    found = [shlex.split(line.replace("DIR", str(folder)).replace(*SPAN_FROM)) for line in lines]
    return {" ".join(words[:2]): words for words in found}


def state(socket_path: Path) -> str:
    try:
        return Live(socket_path).state()
    except PodError:
        return ""


def spawn(words: list[str]) -> Any:
    return pexpect.spawn(PODCTL[0], [*PODCTL[1:], *words], encoding="utf-8", timeout=60, dimensions=(40, 160))


def take(terminal: Any, value: str, standard: str) -> str:
    """Answer the questions about one standard; what it read."""
    for prompt, reply in (("Its value in kg", value), ("The standard", standard), ("Enter when it is there", "")):
        terminal.expect(prompt)
        terminal.sendline(reply)
    terminal.expect(r"reads ([\d.]+) within")
    return str(terminal.match[1])


def test_a_technician_strokes_calibrates_and_hands_over_by_the_runbook(tmp_path: Path) -> None:
    folder = tmp_path / "pod"
    told = commands(folder)
    points = re.search(r"```toml\n(.*?)```", chapter(), re.DOTALL)
    assert points is not None

    with Process(tmp_path / "hardware.log", *PODCTL, *told["sim quiet_day"]) as hardware:
        wait_until(lambda: "ready" in hardware.text, "the hardware is ready")
        (folder / "ph.toml").write_text(points[1])
        with Process(tmp_path / "core.log", *PODCTL, *told["run --config"]):
            wait_until(lambda: state(folder / "control.sock") == "IDLE", "the pod is armed")
            terminal = spawn(told["calibrate WT-101"])
            zero = take(terminal, "", "empty")
            stroked = podctl(*told["stroke FV-101"])
            ph = podctl(*told["calibrate AT-304"])
            live = Live(folder / "control.sock")
            wait_until(lambda: (live.sample("WT-101").raw_value or 0.0) > 10.0, "the span weight is there")
            span = take(terminal, "20", "M1 20 kg, No. 12")
            terminal.expect("Put it in force")
            terminal.sendline("y")
            terminal.expect("in force now")
            listed = podctl(*told["calibrate --list"])
            outputs = podctl(*told["outputs --config"])
            handed = podctl(*told["handover --out"])

    assert (zero, span) == ("1.5", "22.5")
    assert stroked.returncode == 0, stroked.stderr
    assert re.match(r"gate_1: opens in 9\.\d+ s, shuts in 9\.\d+ s", stroked.stdout), stroked.stdout
    assert (ph.returncode, "in force now (pod IDLE)" in ph.stdout) == (0, True), ph.stderr
    assert [line[:8] for line in listed.stdout.splitlines()] == ["* AT-304", "* WT-101"]
    assert (outputs.returncode, "NO" in outputs.stdout) == (0, False), outputs.stdout
    assert (handed.returncode, "gate_2 (FV-102) can let waste in and was never stroked" in handed.stdout) == (3, True)
    book = load(folder / "pod.calibration.json")
    curve = book.active("WT-101")
    assert curve is not None
    assert curve.curve().true_at(1.05 * 12.0 + 1.5) == pytest.approx(12.0, abs=0.01)
    page = (folder / "handover.html").read_text()
    assert all(part in page for part in ("R. Okafor", "M1 20 kg, No. 12", "buffer 4.01, 25 degC", "gate_1 (FV-101)"))
