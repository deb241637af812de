"""libmodbus as a foreign client and server: a C program of the tests, compiled when it is needed, and a cable to it.

Neighbours: tests/wire. Shares no code with the project.
"""

import os
import select
import shutil
import subprocess
import threading
import tty
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

SOURCE = Path(__file__).parents[1] / "wire" / "libmodbus" / "peer.c"
IS_THERE = shutil.which("gcc") is not None and Path("/usr/include/modbus/modbus.h").exists()


def compiled(folder: Path) -> Path:
    """The program."""
    peer = folder / "peer"
    command = ["gcc", "-O1", "-Wall", "-I/usr/include/modbus", str(SOURCE), "-o", str(peer), "-lmodbus"]
    subprocess.run(command, check=True, timeout=60)
    return peer


def ask(peer: Path, line: dict[str, Any], requests: Sequence[tuple[int, ...]]) -> list[list[int] | str]:
    """Answers of the client: numbers, or the words of its error. A request is unit, function, address, count, value."""
    is_tcp = line["protocol"] == "modbus_tcp"
    place = ["tcp", line["host"], str(line["port"])] if is_tcp else ["rtu", line["link"], str(line["baud"])]
    typed = "".join(" ".join(map(str, request)) + "\n" for request in requests)
    command = [str(peer), "client", *place]
    done = subprocess.run(command, input=typed, capture_output=True, text=True, check=True, timeout=60)
    rows = done.stdout.splitlines()
    return [row if row.startswith("error") else [int(word) for word in row.split()] for row in rows]


class Cable:
    """Two pseudo-terminals joined: what goes in at one end comes out at the other, and is kept."""

    def __init__(self) -> None:
        self._ends = [os.openpty(), os.openpty()]
        for _, near in self._ends:
            tty.setraw(near)
        self.paths = [os.ttyname(near) for _, near in self._ends]
        self._stop, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._carry, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._wake, b"x")
        self._thread.join()
        for pair in (*self._ends, (self._stop, self._wake)):
            for descriptor in pair:
                os.close(descriptor)

    def _carry(self) -> None:
        (one, _), (other, _) = self._ends
        far = {one: other, other: one}
        while True:
            ready, _, _ = select.select([self._stop, *far], [], [])
            if self._stop in ready:
                return
            for descriptor in ready:
                os.write(far[descriptor], os.read(descriptor, 4096))


class Server:
    """A libmodbus slave at one end of a cable."""

    def __init__(self, peer: Path, path: str, baud: int, unit: int) -> None:
        command = [str(peer), "server", "rtu", path, str(baud), str(unit)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
