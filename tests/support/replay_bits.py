"""A recorded run of frames through `cycle`, and the SHA-256 over every permit and state: also as a program of its own.

`python replay_bits.py RUN.npz plain|records` prints the digest; NUMBA_* in its environment decide how it computes.
Neighbours: the bit test records with `record`, and compares. It must not know what a plant is for.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from any_bits import HOSTILE, scatter
from plain_records import plain, pour_back
from plant_bench import NS, START_NS, Bench, bench
from tank_run import TankRun

from pod_controller.kernels.cycle import cycle
from pod_controller.kernels.records import FRAME, PLANT, Table


def record(plant: Table, ticks: int, seed: int) -> npt.NDArray[np.void]:
    """Frames of a run in which the permits moved gates and levels."""
    b = bench(plant)
    tanks = TankRun(b, seed)
    frames = np.zeros(ticks, dtype=FRAME)
    for tick in range(ticks):
        tanks.frame()
        frames[tick : tick + 1] = b.frame
        decide(b)
        tanks.flow()
    return frames


def spoil(frames: npt.NDArray[np.void], seed: int) -> None:
    """Half of all cells become any float, or a number whose differences still fit into 64 bits."""
    draw = np.random.default_rng(seed)
    for tick in range(len(frames)):
        floats = draw.integers(0, 2**64, 20, dtype=np.uint64).view("f8").tolist() + list(HOSTILE)
        scatter(frames[tick : tick + 1], tick, floats, [-1, 0, 1, 2, START_NS, START_NS + tick * NS, 2**62], 0.5)


def decide(b: Bench) -> None:
    cycle(b.plant, b.desk)


def digest(plant: Table, frames: npt.NDArray[np.void], as_plain: bool = False) -> str:
    """SHA-256 over all permits, every 97th state and the last; as_plain: on plain Python objects."""
    b = bench(plant)
    passed: list[Any] = [plain(b.plant), plain(b.desk)] if as_plain else [b.plant, b.desk]
    found = hashlib.sha256()
    for tick in range(len(frames)):
        if as_plain:
            passed[1][0].frame = plain(frames[tick : tick + 1])[0]
        else:
            b.frame[:] = frames[tick : tick + 1]
        cycle(*passed)
        shown = passed[1][0] if as_plain else None
        hash_into(found, shown and [shown.permit], b.permit)
        if tick % 97 == 0 or tick + 1 == len(frames):
            hash_into(found, shown and [shown.state], b.state)
    return found.hexdigest()


def hash_into(found: Any, source: list[Any] | None, table: Table) -> None:
    if source is not None:
        pour_back(source, table)
    found.update(table.tobytes())


def save(path: Path, plant: Table, frames: npt.NDArray[np.void]) -> None:
    np.savez(path, plant=plant.view("u1"), frames=frames.view("u1"))


def load(path: Path) -> tuple[Table, npt.NDArray[np.void]]:
    with np.load(path) as saved:
        plant, frames = saved["plant"].view(PLANT), saved["frames"].view(FRAME)
    return plant, frames


if __name__ == "__main__":
    sys.stdout.write(digest(*load(Path(sys.argv[1])), as_plain=sys.argv[2] == "plain"))
