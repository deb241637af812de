"""`python -m sim_hardware.adm1`: what it prints, what it writes, and how it says what is wrong."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from sim_hardware import cli_science
from sim_hardware.adm1 import simulation as adm1
from sim_hardware.bench import biology as bench_biology

pytestmark = pytest.mark.timeout(60)  # the first call compiles

STORED: dict[str, Any] = json.loads(files("sim_hardware").joinpath(bench_biology.REFERENCE).read_text("utf-8"))
FLOW_M3_D = 170.0
HEADER = ",".join([*STORED["influent"], "Q"])
VALUES = ",".join(map(str, [*STORED["influent"].values(), FLOW_M3_D]))


def asked(folder: Path, influent: str, initial: str | None = None, *more: str) -> int:
    """Exit code of the command on these files."""
    (folder / "in.csv").write_text(influent)
    (folder / "start.json").write_text(json.dumps(STORED["initial"]) if initial is None else initial)
    files_asked = ["--influent", str(folder / "in.csv"), "--initial", str(folder / "start.json")]
    return cli_science.run(adm1.command, [*files_asked, "--days", "2.5", *more])


def test_command_prints_the_published_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = asked(tmp_path, f"# a feed\n{HEADER}\n{VALUES}\n", None, "--json", "--trajectory", str(tmp_path / "way.csv"))

    shown = json.loads(capsys.readouterr().out)
    way = (tmp_path / "way.csv").read_text().splitlines()
    assert code == 0
    assert shown.keys() == {*STORED["steady_state"], "steps", "wall_s"}
    assert [float(line.split(",")[0]) for line in way[1:]] == [0.0, 1.0, 2.0, 2.5]


def test_command_follows_a_varying_feed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "".join(f"{t_d},{VALUES}\n" for t_d in (0, 0.5, 2.25, 3))
    asked(tmp_path, f"{HEADER}\n{VALUES}\n", None, "--json")
    constant = json.loads(capsys.readouterr().out)

    code = asked(tmp_path, f"t_d,{HEADER}\n{rows}", None, "--json", "--trajectory", str(tmp_path / "way.csv"))

    way = (tmp_path / "way.csv").read_text().splitlines()
    assert code == 0
    assert json.loads(capsys.readouterr().out)["S_ac"] == pytest.approx(constant["S_ac"], rel=1e-7)
    assert [float(line.split(",")[0]) for line in way[1:]] == [0.0, 0.5, 2.25, 2.5]


def test_set_changes_what_it_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes = [asked(tmp_path, f"{HEADER}\n{VALUES}\n", None, "--json", *more) for more in ([], ["--set", "T_K=320"])]

    base, warm = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert codes == [0, 0]
    assert warm["p_co2_bar"] != base["p_co2_bar"]


@pytest.mark.parametrize(
    ("influent", "initial", "more", "code", "says"),
    [
        ("", None, [], 78, "at least one row"),
        (f"{HEADER},S_xx\n{VALUES},1\n", None, [], 78, "S_xx is not a column"),
        (f"{HEADER}\n{VALUES},1\n", None, [], 78, "28 values for 27 names"),
        (f"{HEADER}\n{VALUES}\n{VALUES}\n", None, [], 78, "no column t_d"),
        (f"t_d,{HEADER}\n0,{VALUES}\n0,{VALUES}\n", None, [], 78, "times must rise"),
        (f"t_d,{HEADER}\n3,{VALUES}\n", None, [], 78, "count days from 0"),
        ("S_su\n1\n", None, [], 78, "no column Q"),
        ("S_su,Q\nmuch,170\n", None, [], 78, "S_su = 'much' is not a number"),
        ("S_su,Q\n-3,170\n", None, [], 78, "S_su = -3 is below zero"),
        ("S_su,Q\ninf,170\n", None, [], 78, "S_su = inf is not a finite number"),
        (f"{HEADER}\n{VALUES}\n", "{", [], 78, "is not JSON"),
        (f"{HEADER}\n{VALUES}\n", "[1]", [], 78, "holds no JSON object but list"),
        (f"{HEADER}\n{VALUES}\n", '{"S_su": 1}', [], 78, "lacks S_aa"),
        (f"{HEADER}\n{VALUES}\n", '{"S_zz": 1}', [], 78, "S_zz is not a name"),
        (f"{HEADER}\n{VALUES}\n", '{"S_su": "1"}', [], 78, 'S_su = "1" is not a number'),
        (f"{HEADER}\n{VALUES}\n", None, ["--set", "nothing=1"], 78, "nothing is not a parameter"),
        (f"{HEADER}\n{VALUES}\n", None, ["--set", "k_dis"], 2, "write NAME=NUMBER"),
        (f"{HEADER}\n{VALUES}\n", None, ["--rtol", "nan"], 2, "--rtol = nan is outside"),
        (f"{HEADER}\n{VALUES}\n", None, ["--nonsense"], 2, "No such option"),
    ],
)
def test_mistake_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    influent: str,
    initial: str | None,
    more: list[str],
    code: int,
    says: str,
) -> None:
    ended = asked(tmp_path, influent, initial, *more)

    shown = capsys.readouterr()
    assert (ended, shown.out) == (code, "")
    assert says in shown.err
    assert shown.err.count("\n") == 1


def test_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--influent", str(tmp_path / "none.csv"), "--initial", str(tmp_path / "none.json"), "--days", "1"]

    assert cli_science.run(adm1.command, options) == 78
    assert "none.csv: cannot be read: No such file" in capsys.readouterr().err
