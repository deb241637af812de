"""Clients of the bad kind at a control socket: random bytes, endless lines, half lines, answers never fetched.

Neighbours: the socket's own tests, and those of a whole process. Must not know what the core decides.
"""

import contextlib
import random
import socket
from collections.abc import Iterable
from pathlib import Path

QUESTION = b'{"v": 1, "do": "status"}\n'


def hostile(path: Path, seed: int) -> None:
    """One client of the bad kind, chosen by its seed."""
    draw = random.Random(seed)
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(1.0)
        raw.connect(str(path))
        kind = seed % 5
        if kind == 0:
            raw.sendall(draw.randbytes(draw.randrange(1, 20_000)))
        elif kind == 1:
            raw.sendall(b"x" * 1_000_000)
        elif kind == 2:
            raw.sendall(QUESTION * 50)  # and never reads an answer
        elif kind == 3:
            raw.sendall(b'{"v": 1, "do": "why", "inlet": "' + draw.randbytes(8).hex().encode() + b'"}\n' * 3)
        else:
            raw.sendall(QUESTION[:9])  # half a line


def attack(path: Path, seeds: Iterable[int]) -> None:
    """One client after another."""
    for seed in seeds:
        hostile(path, seed)


def resident_kb(pid: int | str = "self") -> int:
    """Memory that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])
