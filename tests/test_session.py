"""What tests/conftest.py promises about a test run: skips fail where asked, limits follow markers."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
SETTINGS = "[pytest]\ntimeout = 10\nmarkers =\n    scenario: s\n    wire: w\n"
TESTS = """
import pytest

@pytest.mark.skip(reason="planted")
def test_skipped(): ...

@pytest.mark.scenario
def test_scenario(request):
    assert request.node.get_closest_marker("timeout").args == (60,)

@pytest.mark.wire
@pytest.mark.timeout(7)
def test_with_a_limit_of_its_own(request):
    assert request.node.get_closest_marker("timeout").args == (7,)
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text(SETTINGS)
    (folder / "test_it.py").write_text(TESTS)
    shutil.copy(CONFTEST, folder)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_skip_fails_the_run_that_forbids_it(tmp_path: Path, workers: str) -> None:
    result = run(tmp_path, "--no-skips", "-n", workers)

    assert result.returncode == 1, result.stdout
    assert "skipped, which --no-skips forbids: test_it.py::test_skipped" in result.stdout
    assert "2 passed, 1 skipped" in result.stdout.splitlines()[-1]


def test_a_skip_is_fine_elsewhere_and_limits_follow_markers(tmp_path: Path) -> None:
    result = run(tmp_path)

    assert result.returncode == 0, result.stdout
