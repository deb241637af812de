"""The C twin is the kernel: the same bits on any frames, Python's meaning where C differs, and clear refusals."""

import math
import random
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hal.errors import PodError
from pod_controller import topology
from pod_controller.config import load
from pod_controller.kernels import records
from pod_controller.kernels.cycle import cycle
from pod_controller.kernels.records import Record, Table
from sim_hardware.bench.frames import EchoPod, roughen, widened
from sim_hardware.to_c.kernels import translate
from sim_hardware.to_c.twin import CTwin

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing: deploy/ci-packages.txt")

TABLES = (records.PLANT, records.DESK)
INNER = np.dtype([("level", "f8"), ("double", "i2")], align=True)  # one name is a word of C
CELL = np.dtype(
    (np.record, np.dtype([("a", "f8"), ("b", "f8"), ("i", "i8"), ("j", "i8"), ("small", "i1")], align=True))
)
OUTER = np.dtype((np.record, np.dtype([("flag", "i1"), ("rows", INNER, (3,)), ("grid", "f8", (2, 3))], align=True)))
LIMIT = 3
RATIO = 0.1


@pytest.fixture(scope="module")
def twin() -> CTwin:
    return CTwin(cycle, TABLES)


def reference_plant() -> Table:
    return topology.build(load(Path(str(files("sim_hardware").joinpath("reference/pod.toml"))))).table


def with_positioners(plant: Table) -> Table:
    plant[0].elements["positioner"][::2] = 1
    plant[0].vessels[0].capacity_kg = 300.0
    return plant


def bits(table: Table) -> dict[str, bytes]:
    """Field by field: what lies between fields is nobody's."""
    return {name: np.ascontiguousarray(table[name]).tobytes() for name in table.dtype.names or ()}


@pytest.mark.campaign
@pytest.mark.parametrize("chutes", [4, 16])
@pytest.mark.parametrize("rough_frac", [0.0, 0.02, 0.5])
def test_state_and_permit_of_10000_ticks_are_equal_bit_for_bit(twin: CTwin, chutes: int, rough_frac: float) -> None:
    plant = with_positioners(widened(reference_plant(), chutes)) if chutes > 4 else reference_plant()
    pod, draw = EchoPod(plant, seed=chutes), random.Random(chutes)
    ours, theirs = (records.table(records.DESK) for _ in range(2))

    for tick in range(10_000 if chutes == 4 else 2_000):
        frame = pod.frame(ours["permit"] if tick else None)
        if draw.random() < rough_frac:
            roughen(frame, draw)
        ours["frame"] = theirs["frame"] = frame
        cycle(plant, ours)
        twin(plant, theirs)

        assert theirs["permit"].tobytes() == ours["permit"].tobytes(), f"permit of tick {tick}"
        if tick % 100 == 0:
            assert bits(theirs["state"]) == bits(ours["state"]), f"state of tick {tick}"
    assert bits(theirs["state"]) == bits(ours["state"])


def choose(cells: Table) -> None:
    """Python's modulo, minimum and maximum, whole parts, loops that end early."""
    x = cells[0]
    x.i = (x.i - 1) % LIMIT + x.i // LIMIT
    x.j = int(x.a)
    low = min(x.a, x.b)
    x.b = max(x.a, x.b, 0.5) * RATIO
    x.a = low
    k = 0
    for k in range(-1, 5):
        if k > LIMIT:
            break
        if k == 1:
            continue
        x.small += 1
    while not (x.i >= 0 or k < 0):
        x.i += LIMIT
    x.j += k if x.a == x.a else -k


@pytest.mark.parametrize("i", [-7, -3, -1, 0, 1, 8])
@pytest.mark.parametrize("a", [1.5, -0.0, float("nan"), -2.75])
@pytest.mark.parametrize("b", [0.0, float("nan"), 7.5])
def test_python_s_meaning_is_kept(i: int, a: float, b: float) -> None:
    ours, theirs = (np.array([(a, b, i, 0, 0)], dtype=CELL) for _ in range(2))
    if math.isnan(a):
        ours["a"], theirs["a"] = 1.0, 1.0  # int(nan) is an error in Python

    choose(ours)
    CTwin(choose, [CELL])(theirs)

    assert bits(theirs) == bits(ours)


def fill(outers: Table) -> None:
    o = outers[0]
    o.flag = 1
    for k in range(3):
        row = o.rows[k]
        put(row, k)
        o.grid[1, k] = row.level / 2


def put(row: Record, double: int) -> None:
    row.level = 1.0 if double == 0 else 2.5 * double
    row.double = double


def test_records_within_records_lie_where_numpy_has_them() -> None:
    theirs = np.zeros(1, dtype=OUTER)

    CTwin(fill, [OUTER])(theirs)

    assert theirs["flag"].tolist() == [1]
    assert theirs["rows"]["level"].tolist() == [[1.0, 2.5, 5.0]]
    assert theirs["rows"]["double"].tolist() == [[0, 1, 2]]
    assert theirs["grid"].tolist() == [[[0.0, 0.0, 0.0], [0.5, 1.25, 2.5]]]
    assert translate(fill, [OUTER]).count("static_assert(offsetof") == 5


def powers(cells: Table) -> None:
    cells[0].a = cells[0].b ** 2


def chained(cells: Table) -> None:
    if 0.0 < cells[0].a < 1.0:
        cells[0].b = 1.0


def listed(cells: Table) -> None:
    for x in [1, 2]:
        cells[0].i = x


def truthy(cells: Table) -> None:
    if cells[0].i:
        cells[0].j = 1


def cut(cells: Table) -> None:
    cells[0].i = cells[0].a


def misnamed(cells: Table) -> None:
    cells[0].c = 1.0


def bump(x: Record) -> int:
    x.i += 1
    return 1


def tangled(cells: Table) -> None:
    cells[0].j = cells[0].i + bump(cells[0])


def endless(cells: Table) -> None:
    endless(cells)


def optional(cells: Table, k: int = 0) -> None:
    cells[0].i = k


@pytest.mark.parametrize(
    "kernel", [powers, chained, listed, truthy, cut, misnamed, tangled, endless, optional], ids=lambda k: k.__name__
)
def test_what_is_outside_the_subset_is_refused_by_name(kernel: Callable[..., Any]) -> None:
    with pytest.raises(PodError, match=rf"E940 .*kernel {kernel.__name__}\b"):
        translate(kernel, [CELL])


def test_without_a_compiler_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(PodError, match="E941 gcc is not installed: apt install gcc"):
        CTwin(choose, [CELL])
