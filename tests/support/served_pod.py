"""A pod's hardware served by `podctl sim --serve` in another process, and foreign masters that ask it.

Neighbours: tests/wire. The masters share no code with the project: mbpoll, and a client in JavaScript.
"""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple, Self

PODCTL = (sys.executable, "-m", "pod_controller")
NODE_MODULES = Path(sys.prefix) / "node" / "node_modules"  # put there by deploy/check
READ_JS = Path(__file__).parents[1] / "wire" / "node" / "read.js"
_TABLE = {1: "0", 2: "1", 4: "3"}  # mbpoll -t: coil, discrete input, input register
_ANSWER = re.compile(r"^\[\d+\]:\s+(\S+)", re.MULTILINE)


class Point(NamedTuple):
    """One point of map.json with the line and unit it belongs to."""

    line: dict[str, Any]
    unit: int
    point: dict[str, Any]

    @property
    def tag(self) -> str:
        """Its tag."""
        return str(self.point["tag"])


class Served:
    """The hardware in a folder; ends with the `with` block whatever happened."""

    def __init__(self, folder: Path, *words: str) -> None:
        command = [*PODCTL, "sim", *words, "--serve", str(folder), "--json"]
        self.folder = folder
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.first_line = self.process.stdout.readline()
        assert self.first_line, self.process.communicate()[1]
        self.map: dict[str, Any] = json.loads((folder / "map.json").read_text("utf-8"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self, number: signal.Signals | None) -> tuple[int, str, str]:
        """Exit code, the rest of stdout, stderr: after a signal, or when it ends by itself."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, out, err

    def lines(self, protocol: str) -> list[dict[str, Any]]:
        """The lines of a protocol."""
        return [line for line in self.map["lines"] if line["protocol"] == protocol]

    def points(self, protocol: str) -> list[Point]:
        """Every point on lines of a protocol."""
        return [
            Point(line, unit["unit"], point)
            for line in self.lines(protocol)
            for unit in line["units"]
            for point in unit["points"]
        ]


def mbpoll(line: dict[str, Any], unit: int, *words: str) -> "subprocess.CompletedProcess[str]":
    """One call of mbpoll on a line of the map; addresses count from 0."""
    if line["protocol"] == "modbus_tcp":
        way, place = ["-m", "tcp", "-p", str(line["port"])], line["host"]
    else:
        way, place = ["-m", "rtu", "-b", str(line["baud"]), "-P", "none"], line["link"]
    options = [word for word in words if not word.isdigit() or words[words.index(word) - 1].startswith("-")]
    values = [word for word in words if word not in options]
    command = ["mbpoll", *way, "-a", str(unit), "-0", "-1", *options, place, *values]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def read_by_mbpoll(found: Point) -> float:
    """The value of a point as mbpoll reads it, times its scale."""
    kind = found.point["type"]
    table = _TABLE[found.point["fc"]] + {"s32": ":int", "f32": ":float"}.get(kind, "")
    order = ["-B"] if kind in ("s32", "f32") and found.point["word_order"] == "high_first" else []
    done = mbpoll(found.line, found.unit, "-t", table, *order, "-r", str(found.point["address"]), "-c", "1")
    answer = _ANSWER.search(done.stdout)
    assert answer is not None, done.stdout + done.stderr
    number = float(answer[1])
    if kind == "s16" and number > 32767:
        number -= 65536.0
    return number * float(found.point["scale"])


def ask_node(line: dict[str, Any], requests: list[dict[str, int]]) -> list[Any]:
    """Answers of the JavaScript client: a list of numbers, or {"exception": code}, for each request."""
    done = subprocess.run(
        ["node", str(READ_JS), line["host"], str(line["port"])],
        input=json.dumps(requests),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"NODE_PATH": str(NODE_MODULES)},
    )
    assert done.returncode == 0, done.stderr
    answers: list[Any] = json.loads(done.stdout)
    return answers
