"""The kernel cache never gives an old answer, never runs an altered file, and does without a place to write."""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pod_controller.kernels import compile as compiler

ROOT = Path(__file__).parents[3]
KERNELS = ROOT / "pod_controller" / "kernels"
SUPPORT = ROOT / "tests" / "support"

LIMITS = "TRIP_KG = {}\n"
TRIP = """
from pod_controller.kernels.compile import cache_counts, kernel
from pod_controller.kernels.limits import TRIP_KG


@kernel
def over_kg(held_kg: float) -> float:
    return held_kg - TRIP_KG


if __name__ != "__main__":
    print(over_kg(100.0), *cache_counts())
"""

pytestmark = pytest.mark.campaign


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the decorator in a package of its own, with one kernel whose constant stands next door."""
    package = tmp_path / "pod_controller" / "kernels"
    package.mkdir(parents=True)
    (package.parent / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    shutil.copy(KERNELS / "compile.py", package)
    (package / "limits.py").write_text(LIMITS.format(93.0))
    (package / "trip.py").write_text(TRIP)
    return tmp_path


def answer(copied: Path, *prefix: str, before: str = "", **settings: str) -> tuple[float, int, int]:
    """(answer, cache hits, misses) of one process."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(copied), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.update({"NUMBA_CACHE_DIR": str(copied / "cache"), **settings})
    command = [*prefix, sys.executable, "-c", f"{before}\nimport pod_controller.kernels.trip"]
    done = subprocess.run(command, env=environment, cwd=copied, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    kg, hits, misses = done.stdout.split()
    return float(kg), int(hits), int(misses)


def machine_code(copied: Path) -> Path:
    return max((copied / "cache").rglob("*.nbc"), key=lambda file: file.stat().st_size)


def test_a_second_process_loads_what_the_first_has_compiled(copied: Path) -> None:
    assert answer(copied) == (7.0, 0, 1)
    assert answer(copied) == (7.0, 1, 0)


def test_what_was_sealed_before_a_kill_is_loaded_again_and_the_rest_is_not(copied: Path) -> None:
    killed = "import atexit, os; atexit._clear(); import pod_controller.kernels.trip; "
    killed += "import pod_controller.kernels.compile as compiler; {}; atexit._clear()"

    assert answer(copied, before=killed.format("pass")) == (7.0, 0, 1)
    assert answer(copied, before=killed.format("compiler.seal()")) == (7.0, 0, 1)
    assert answer(copied) == (7.0, 1, 0)


def test_a_constant_changed_next_door_gives_the_new_answer(copied: Path) -> None:
    answer(copied)
    (copied / "pod_controller" / "kernels" / "limits.py").write_text(LIMITS.format(80.0))

    assert answer(copied) == (20.0, 0, 1)


LOAD = """
from typing import NamedTuple


class Load(NamedTuple):
    kg: float
"""
DOUBLED = """
from pod_controller.kernels.{} import Load
from pod_controller.kernels.compile import kernel


@kernel
def doubled_kg(load: Load) -> float:
    return 2.0 * load.kg


if __name__ != "__main__":
    assert doubled_kg(Load(3.0)) == 6.0
"""


def test_machine_code_of_a_version_whose_types_stood_elsewhere_is_no_obstacle(copied: Path) -> None:
    """Numba reads the types out of its index before it compares the stamp: a moved class would end the program."""
    package = copied / "pod_controller" / "kernels"
    with (package / "trip.py").open("a") as trip:
        trip.write("    import pod_controller.kernels.doubled\n")
    for place in ("hopper", "chute"):
        file = package / f"{place}.py"
        file.write_text(LOAD)
        (package / "doubled.py").write_text(DOUBLED.format(place))
        assert answer(copied) == (7.0, 0, 1)
        file.unlink()


def test_the_version_to_go_back_to_is_still_there_and_older_ones_are_not(copied: Path) -> None:
    limits = copied / "pod_controller" / "kernels" / "limits.py"
    for number in range(9):
        long_ago = copied / "cache" / f"{number:032x}" / "manifest.json"
        long_ago.parent.mkdir(parents=True)
        long_ago.write_text("{}")
        os.utime(long_ago, (number, number))
    assert answer(copied) == (7.0, 0, 1)
    limits.write_text(LIMITS.format(80.0))
    assert answer(copied) == (20.0, 0, 1)
    limits.write_text(LIMITS.format(93.0))

    assert answer(copied) == (7.0, 1, 0)
    kept = {folder.name for folder in (copied / "cache").iterdir()}
    assert len(kept) == 6
    assert {f"{number:032x}" for number in (5, 6, 7, 8)} < kept


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "no manifest", "torn manifest"])
def test_a_damaged_cache_is_compiled_again(copied: Path, damage: str) -> None:
    answer(copied)
    manifest = next((copied / "cache").glob("*/manifest.json"))
    file = manifest if "manifest" in damage else machine_code(copied)
    content = file.read_bytes()
    middle = len(content) // 2
    if damage == "no manifest":
        file.unlink()
    elif damage == "flipped":
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    else:
        file.write_bytes(b"" if damage == "empty" else content[:middle])

    assert answer(copied) == (7.0, 0, 1)
    assert answer(copied) == (7.0, 1, 0)


def test_files_of_others_in_the_same_directory_are_left_alone(copied: Path) -> None:
    (copied / "cache").mkdir()
    (copied / "cache" / "notes.txt").write_text("mine")

    answer(copied)

    assert (copied / "cache" / "notes.txt").read_text() == "mine"


@pytest.fixture
def sealed_off(copied: Path) -> Iterator[Callable[[], tuple[str, ...]]]:
    """Makes every folder of the copy read-only; gives the command prefix under which that binds root too."""
    prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()

    def folders() -> list[Path]:
        return [copied, *(path for path in copied.rglob("*") if path.is_dir())]

    def seal_off() -> tuple[str, ...]:
        for folder in folders():
            folder.chmod(0o555)
        write = [*prefix, sys.executable, "-c", "open('x', 'w')"]
        assert b"PermissionError" in subprocess.run(write, cwd=copied, check=False, capture_output=True).stderr
        return prefix

    yield seal_off
    for folder in folders():
        folder.chmod(0o755)


NO_TEMPORARY_PLACE = "import tempfile; tempfile._candidate_tempdir_list = lambda: ['/nowhere']"


def test_a_read_only_cache_still_serves(copied: Path, sealed_off: Callable[[], tuple[str, ...]]) -> None:
    answer(copied)

    assert answer(copied, *sealed_off()) == (7.0, 1, 0)


def test_kernels_work_where_nothing_can_be_written(copied: Path, sealed_off: Callable[[], tuple[str, ...]]) -> None:
    assert answer(copied, *sealed_off(), before=NO_TEMPORARY_PLACE, HOME="/nowhere") == (7.0, 0, 1)


def test_kernels_work_on_a_full_disk(copied: Path) -> None:
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))"

    assert answer(copied, before=full) == (7.0, 0, 1)


CLOSED = """
import sys
import numpy as np
from numba.core import event
from numba.core.runtime import rtsys
from any_bits import EDGES, HOSTILE, scatter
from plant_bench import bench, reference_plant
from pod_controller.kernels.cycle import cycle
from pod_controller.selftest import warm

assert warm().passed
b = bench(reference_plant())  # reading a configuration sums promises: not a tick, and compiled on a cold cache
events = []
class Listener(event.Listener):
    def on_start(self, happened): events.append(happened)
    def on_end(self, happened): pass
event.register("numba:compile", Listener())
before = rtsys.get_allocation_stats()
for seed in range(int(sys.argv[1])):
    scatter(b.frame, seed, list(HOSTILE), list(EDGES), 0.3)
    cycle(b.plant, b.desk)
after = rtsys.get_allocation_stats()
try:
    cycle(b.plant, b.desk.view("u1"))
except TypeError:
    held = [stats.alloc - stats.free + stats.mi_alloc - stats.mi_free for stats in (before, after)]
    print(len(events), held[1] - held[0], after.alloc - before.alloc)
"""
TICKS = {"sample": "5000", "full": "100000"}


@pytest.mark.campaign
def test_closed_kernels_compile_and_keep_nothing_more_and_refuse_an_unknown_type(depth: str) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{SUPPORT}", "NUMBA_NRT_STATS": "1"}
    command = [sys.executable, "-c", CLOSED, TICKS[depth]]
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)

    two_arguments = str(2 * int(TICKS[depth]))  # each is wrapped once per call, and given back
    assert done.stdout.split() == ["0", "0", two_arguments], done.stderr


def decorated() -> list[tuple[str, ast.FunctionDef, set[str]]]:
    """Every kernel with the module-level names that hold a float."""
    found = []
    for file in sorted(KERNELS.glob("*.py")):
        tree = ast.parse(file.read_text())
        floats = {
            target.id
            for node in tree.body
            if isinstance(node, ast.Assign)
            and any(isinstance(x, ast.Constant) and isinstance(x.value, float) for x in ast.walk(node))
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and any(
                ast.unparse(d).endswith("kernel") for d in node.decorator_list
            ):
                found.append((file.name, node, floats))
    return found


def test_kernels_use_no_float_that_stands_outside_their_arguments() -> None:
    """Limits are data. ENDLESS_KG is no limit: it says that there is none."""
    floats = {name for _, _, names in decorated() for name in names} - {"ENDLESS_KG"}
    used = [
        (file, n.name, x.id)
        for file, n, _ in decorated()
        for x in ast.walk(n)
        if isinstance(x, ast.Name) and x.id in floats
    ]

    assert len(decorated()) > 20
    assert used == []


@pytest.mark.parametrize("word", ["fastmath", "error_model", "boundscheck", "parallel=", "nogil"])
def test_no_kernel_asks_for_another_arithmetic(word: str) -> None:
    sources = [file for package in ("pod_controller", "hal") for file in (ROOT / package).rglob("*.py")]

    assert not [file for file in sources if word in file.read_text()]


def test_the_decorator_leaves_numbas_settings_as_they_were() -> None:
    import numba

    config: Any = numba.config

    before = config.CACHE_LOCATOR_CLASSES

    @compiler.kernel
    def twice(x: float) -> float:
        return 2.0 * x

    assert before == config.CACHE_LOCATOR_CLASSES
    assert np.isclose(twice(2.0), 4.0)
