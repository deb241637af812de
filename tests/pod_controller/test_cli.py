"""podctl: verbs are found and loaded only when used, and every ending is an exit code and one line."""

import subprocess
import sys
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pod_controller.cli import main

VERBS = '''"""Verbs of the test."""
import click
from hal.errors import PodError

@click.command()
@click.argument("ending")
def sing(ending):
    """Sing until the ending.

    More text.
    """
    match ending:
        case "bad-config":
            raise PodError(112, "pod.toml [tank] trip_m = 2:\\n lower it")
        case "bus":
            raise PodError(203, "bus is silent")
        case "bug":
            raise ValueError("first\\nsecond")
        case "interrupt":
            raise KeyboardInterrupt
        case "missing":
            import no_such_library
        case "number":
            return 3
        case "full":
            raise OSError(28, "No space left on device")
'''


@pytest.fixture(autouse=True)
def own_verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution with the verbs sing, broken and number, and a home of its own."""
    metadata = tmp_path / "choir-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: choir\nVersion: 1.0\n")
    rows = ["[podctl.verbs]", "sing = choir:sing", "broken = choir_broken:verb", "number = math:pi"]
    (metadata / "entry_points.txt").write_text("\n".join(rows))
    (tmp_path / "choir.py").write_text(VERBS)
    (tmp_path / "choir_broken.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "choir", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "stderr"),
    [
        (["sing", "plain"], 0, ""),
        (["sing", "number"], 3, ""),
        (["sing", "bad-config"], 78, "E112 pod.toml [tank] trip_m = 2: lower it\n"),
        (["sing", "bus"], 1, "E203 bus is silent\n"),
        (["sing", "interrupt"], 130, "\ninterrupted\n"),
        (["sing", "missing"], 1, "E901 this needs no_such_library, which is not installed: run deploy/install\n"),
        (["sing", "full"], 1, "podctl: what was asked for could not be written: No space left on device: make room\n"),
        (["sing"], 2, "Missing argument 'ENDING'.\nTry 'podctl sing --help'.\n"),
    ],
)
def test_an_ending_has_its_exit_code_and_text(
    arguments: list[str], exit_code: int, stderr: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = main(arguments)

    assert (result, *capsys.readouterr()) == (exit_code, "", stderr)


def test_a_bug_is_one_line_and_its_traceback_lies_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = main(["sing", "bug"])

    details = tmp_path / "home/.local/state/podctl/last-error.txt"
    text = capsys.readouterr().err
    assert result == 1
    assert text.startswith(f"E900 unexpected ValueError: first second; details in {details}")
    assert text.count("\n") == 1
    assert "Traceback" in details.read_text()


def test_a_bug_without_any_home_still_says_where_to_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    main(["sing", "bug"])

    (kept,) = tmp_path.glob("podctl-*.txt")
    assert f"details in {kept}" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--debug", "sing", "bug"], ["--debug", "broken"]])
def test_debug_shows_the_traceback(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(arguments)

    assert "Traceback" in capsys.readouterr().err


def test_a_verb_that_is_no_command_names_its_entry_point(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["number"]) == 1
    assert "E903 verb number (math:pi)" in capsys.readouterr().err


def test_an_unknown_verb_is_a_usage_error_with_the_nearest_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["snig"]) == 2
    assert "Did you mean 'sing'?" in capsys.readouterr().err


def test_help_names_every_verb_without_importing_any(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if "sing" in line] == [["sing", "Sing", "until", "the", "ending"]]
    assert any("broken" in line for line in lines)
    assert "choir" not in sys.modules


def test_version_line_names_all_that_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0

    names = [part.split()[0] for part in capsys.readouterr().out.split(", ")]
    assert names == ["podctl", "python", "numba", "configuration"]


def test_version_imports_nothing_heavy() -> None:
    heavy = ("numba", "numpy", "pydantic", "rich", "pymodbus", "serial", "sim_hardware")
    show = f"print([name for name in {heavy} if name in sys.modules])"
    program = f"import sys, pod_controller.cli; pod_controller.cli.main(['--version']); {show}"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_leaves_ends_podctl_quietly() -> None:
    command = f"{sys.executable} -m pod_controller --help | true; exit ${{PIPESTATUS[0]}}"
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)

    assert result.stderr == ""


def test_every_verb_of_the_project_loads_and_says_what_it_does() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    wanted = project["entry-points"]["podctl.verbs"]
    installed = {verb.name: verb for verb in entry_points(group="podctl.verbs")}

    assert {name: installed[name].value for name in wanted} == wanted
    assert all(installed[name].load().get_short_help_str() for name in wanted)
