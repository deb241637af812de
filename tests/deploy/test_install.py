"""deploy/install on machines that cannot run a pod: one line that says what to do, and no half-made environment."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3")


def install(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """deploy/install run from another folder with an empty home."""
    surroundings = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "PYTHON"))}
    surroundings |= {"HOME": str(folder), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", **environment}
    command = [str(ROOT / "deploy/install"), *arguments]
    return subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, check=False)


def put_in_path(folder: Path, name: str, script: str) -> None:
    """A program that hides the machine's own one of that name."""
    (folder / "bin").mkdir(exist_ok=True)
    program = folder / "bin" / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 127", ["no Python 3.11", "apt install python3 python3-venv"]),
        ("echo 32 3 11", ["32-bit", "install the 64-bit"]),
        ("echo 64 3 9", ["Python 3.9", "3.11 or newer", "install Debian 12"]),
        ("echo 64 3 15", ["Python 3.15", "3.11 to 3.13"]),
        ('case "$2" in *ensurepip*) exit 1;; esac; echo 64 3 11', ["apt install python3-venv"]),
    ],
)
def test_an_unfit_machine_gets_one_line_that_says_what_to_do(tmp_path: Path, script: str, words: list[str]) -> None:
    for name in CANDIDATES:
        put_in_path(tmp_path, name, script)

    result = install(tmp_path, "venv")

    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert all(word in result.stderr for word in words), result.stderr
    assert not (tmp_path / "venv").exists()


def test_a_full_disk_is_told_before_anything_is_made(tmp_path: Path) -> None:
    put_in_path(tmp_path, "df", "printf 'Filesystem\\n/dev/x 100 90 10 90%% /\\n'")

    result = install(tmp_path, "venv")

    assert result.returncode == 1
    assert "has 10 MB free" in result.stderr
    assert not (tmp_path / "venv").exists()


def test_another_processor_is_told(tmp_path: Path) -> None:
    put_in_path(tmp_path, "uname", "[ $1 = -m ] && echo riscv64 || echo Linux")

    result = install(tmp_path, "venv")

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "riscv64" in result.stderr


def test_a_folder_of_someone_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/cat.png").touch()

    result = install(tmp_path, "photos")

    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert "is not a virtual environment" in result.stderr
    assert (tmp_path / "photos/cat.png").exists()


@pytest.mark.parametrize("arguments", [("--help",), ("a", "b")])
def test_wrong_arguments_are_a_usage_error(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert install(tmp_path, *arguments).returncode == 2


@pytest.mark.timeout(60)  # makes a virtual environment and lets pip give up
def test_no_network_gets_a_line_that_says_so_after_the_announcement(tmp_path: Path) -> None:
    result = install(tmp_path, "venv", PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL="http://127.0.0.1:9/simple")

    announcement, complaint = result.stderr.splitlines()
    assert result.returncode == 1
    assert "locked packages into" in announcement
    assert "check the network" in complaint
    shutil.rmtree(tmp_path / "venv")
