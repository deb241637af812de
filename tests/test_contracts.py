"""The import contracts of pyproject.toml hold, and a planted violation of each of them is caught."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("hal", "pod_controller", "sim_hardware")


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """The project's contracts on the tree in folder; that tree, not the installed package, is what gets read."""
    program = "from importlinter.cli import lint_imports_command as run; run()"
    command = [sys.executable, "-P", "-c", program, "--no-cache", "--no-logo"]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts, to plant violations in."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold() -> None:
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("file", "planted", "contract"),
    [
        ("hal/values.py", "import pod_controller.locate", "never back"),
        ("pod_controller/locate.py", "import sim_hardware", "never back"),
        ("pod_controller/kernels/observe.py", "import hal.values", "Kernels know numbers only"),
        ("pod_controller/kernels/observe.py", "import random", "Kernels know numbers only"),
        ("pod_controller/kernels/guard.py", "from pod_controller.kernels import shed", "The guard reaches neither"),
        ("pod_controller/kernels/records.py", "import pod_controller.kernels.regulate", "The guard reaches neither"),
        ("pod_controller/locate.py", "import serial", "Only the transport"),
        ("sim_hardware/slave.py", "from pymodbus.framer import FramerRTU", "Only the Modbus codec"),
        ("hal/values.py", "import scipy.optimize", "stay in the laboratory"),
    ],
)
def test_a_planted_import_is_caught(tree: Path, file: str, planted: str, contract: str) -> None:
    with (tree / file).open("a", encoding="utf-8") as module:
        module.write(f"\n{planted}\n")

    result = lint_imports(tree)

    broken = [line for line in result.stdout.splitlines() if line.endswith("BROKEN")]
    assert result.returncode == 1
    assert [line for line in broken if contract in line], result.stdout + result.stderr
