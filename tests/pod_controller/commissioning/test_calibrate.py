"""`podctl calibrate` without a core: points from a file, what is refused, what stands in the book."""

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
from calibrated import MADE, book, calibration
from click.testing import CliRunner, Result
from edited_pod import TEXT

from hal.calibration import Standard
from hal.calibration_file import load, save
from hal.errors import PodError
from pod_controller.commissioning import judge, making, points_file, protocols
from pod_controller.commissioning.cli_calibrate import calibrate
from pod_controller.commissioning.numbers import Number
from pod_controller.config import load as load_config

POINTS = """
person = "R. Okafor"
valid_days = 200
[[point]]
standard = "empty"
true = 0.0
raw = 1.5
spread = 0.01
[[point]]
standard = "M1 20 kg, No. 12"
true = 20.0
raw = 22.5
"""


class Desk:
    def __init__(self, folder: Path) -> None:
        self.config = folder / "pod.toml"
        self.config.write_text(TEXT.replace("/run/podctl/", f"{folder}/"))
        self.points = folder / "points.toml"
        self.points.write_text(POINTS)
        self.book = folder / "pod.calibration.json"

    def run(self, *words: str, tag: str = "WT-101") -> Result:
        return CliRunner().invoke(calibrate, [tag, "--config", str(self.config), *words], standalone_mode=False)

    def from_file(self, *words: str, tag: str = "WT-101") -> Result:
        return self.run("--points", str(self.points), *words, tag=tag)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("given", ["nan", "inf", "-inf", "abc", "", "1e999"])
def test_what_is_no_number_is_asked_for_again(given: str) -> None:
    with pytest.raises(click.BadParameter, match="is no number"):
        Number().convert(given, None, None)
    with pytest.raises(click.BadParameter, match="is no number above zero"):
        Number(is_positive=True).convert("-1" if given == "abc" else given, None, None)
    assert Number().convert("-1.5e2", None, None) == -150.0


@pytest.mark.parametrize("words", [("--limit", "nan"), ("--band", "0"), ("--settle-s", "inf"), ("--person", "x" * 999)])
def test_an_option_that_cannot_be_is_a_usage_error_and_changes_nothing(desk: Desk, words: tuple[str, str]) -> None:
    result = desk.from_file(*words)

    assert isinstance(result.exception, click.UsageError)
    assert not desk.book.exists()


def test_points_from_a_file_become_the_curve_in_force(desk: Desk) -> None:
    result = desk.from_file("--json")

    answer = json.loads(result.stdout)
    assert (result.return_value, answer["person"], answer["method"]) == (0, "R. Okafor", "line")
    assert "at the core's next start: nobody answers" in answer["taken"]
    active = load(desk.book).active("WT-101")
    assert active is not None
    assert active.curve().true_at(12.0) == pytest.approx(10.0)
    assert (active.due_utc - active.made_utc).days == 200


def test_a_second_calibration_tells_its_drift(desk: Desk) -> None:
    desk.from_file()
    desk.points.write_text(POINTS.replace("raw = 1.5", "raw = 1.7").replace("raw = 22.5", "raw = 22.7"))

    result = desk.from_file("--name", "second")

    active = load(desk.book).active("WT-101")
    assert active is not None
    assert active.drift_value == pytest.approx(0.2 / 1.05)
    assert "drift since the one before 0.1905" in result.stderr


def test_an_instrument_that_wandered_too_far_for_the_guard_is_refused_with_the_figures(desk: Desk) -> None:
    desk.from_file()
    desk.points.write_text(POINTS.replace("raw = 1.5", "raw = 2.5").replace("raw = 22.5", "raw = 23.5"))

    refused = desk.from_file("--name", "second")
    replaced = desk.from_file("--name", "second", "--replaced", "new cell, No. 4711")

    assert refused.return_value == 4
    assert "E470 WT-101 second may be off by 0.03 between 0 and 40 kg, and wandered by 0.9524" in refused.stderr
    assert "[chute 1] content_error_kg promises the guard 0.5" in refused.stderr
    assert replaced.return_value == 0
    active = load(desk.book).active("WT-101")
    assert active is not None
    assert (active.drift_value, active.replaced) == (None, "new cell, No. 4711")


def test_a_refused_calibration_leaves_the_book_as_it_was(desk: Desk) -> None:
    desk.from_file()
    before = desk.book.read_bytes()
    desk.points.write_text(POINTS + "[[point]]\ntrue = 10.0\nraw = 9.0\n")

    result = desk.from_file()

    assert isinstance(result.exception, PodError)
    assert result.exception.code == 332
    assert desk.book.read_bytes() == before


def test_an_older_curve_can_be_put_in_force_again_and_all_are_listed(desk: Desk) -> None:
    save(
        desk.book, book(calibration("WT-101", (0.0, 0.0), (20.0, 20.0)), calibration("WT-102", (0.0, 0.0), (1.0, 1.0)))
    )
    desk.from_file("--name", "second", "--replaced", "x")

    desk.run("--activate", "first")

    rows = json.loads(desk.run("--list", "--json").stdout)["calibrations"]
    assert [(x["name"], x["in_force"]) for x in rows] == [("first", True), ("second", False)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "point is missing: add it"),
        ("x = 1", "x is not a key of this table: known here: point, person"),
        ("[[point]]\ntrue = 1.0", "[point 1] raw is missing: add it"),
        ("[[point]]\ntrue = 1.0\nraw = nan", "[point 1] raw = nan must be a finite number"),
        ("[[point]", "Expected ']]'"),
        (
            "[[point]]\ntrue = 1.0\nraw = 2.0\nsprad = 1.0",
            "[point 1] sprad is not a key of this table: did you mean 'spre",
        ),
        ("[[point]]\ntrue = 1.0\nrow = 2.0", "[point 1] row is not a key of this table: did you mean 'raw'?"),
        ("[[point]]\nraw = " + "9" * 5000, "Exceeds the limit"),
        ("a = " + "[" * 5000, "is nested too deep"),
    ],
)
def test_a_file_of_points_that_makes_no_sense_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "points.toml"
    path.write_text(text)

    with pytest.raises(PodError, match="E475") as refused:
        points_file.load(path)

    assert told in str(refused.value)


def test_an_output_is_no_instrument(desk: Desk) -> None:
    result = desk.from_file(tag="FV-101")

    assert "'FV-101' is no analogue input of this pod: choose from" in str(result.exception)


@pytest.mark.parametrize(
    ("zero", "span", "value", "gain"), [(0.0689, 0.0711, 20.0, "9091"), (1.5, 22.5, 0.02, "0.0009524")]
)
def test_a_standard_that_was_not_on_or_in_another_unit_is_refused(
    desk: Desk, zero: float, span: float, value: float, gain: str
) -> None:
    desk.points.write_text(f"[[point]]\ntrue = 0.0\nraw = {zero}\n[[point]]\ntrue = {value}\nraw = {span}\n")

    result = desk.from_file("--replaced", "new cell")

    assert result.return_value == 4
    assert f"has a gain of {gain}, beyond 0.5 to 2: was each standard on it" in result.stderr
    assert not desk.book.exists()


def test_without_a_tag_the_tags_are_told(desk: Desk) -> None:
    result = desk.from_file(tag="")

    assert str(result.exception).startswith("no TAG is given: choose from AT-304, ")


def test_a_curve_that_cannot_be_fitted_names_its_instrument(desk: Desk) -> None:
    desk.points.write_text(POINTS.replace("raw = 22.5", "raw = 1.5"))

    result = desk.from_file()

    assert str(result.exception).startswith("E330 WT-101: all standards give 1.5")


def test_an_account_without_a_name_signs_with_its_number(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nameless)
    desk.points.write_text(POINTS.replace('person = "R. Okafor"\n', ""))

    result = desk.from_file()

    assert result.return_value == 0
    assert load(desk.book).calibrations[0].person == f"uid {os.getuid()}"


def test_corners_are_checked_and_not_fitted() -> None:
    names = [(step.name, step.is_check) for step in protocols.steps("weight", corners=True)]

    assert names[:2] == [("zero", False), ("span", False)]
    assert names[2:] == [(f"corner {c}", True) for c in protocols.CORNERS]


def test_a_ph_probe_is_told_by_slope_and_offset() -> None:
    # An electrode at 95 % of the ideal slope, 0.08 pH too high at neutral.
    points = [Standard(7.08 + 0.95 * (ph - 7.0), ph) for ph in protocols.BUFFERS_PH]

    told = protocols.electrode_text(points)

    assert told == "offset +0.08 pH at 7, slope 95.0 % to pH 4, slope 95.0 % to pH 10"


def test_a_ph_probe_is_taken_in_three_buffers_and_fitted_in_two_pieces() -> None:
    instrument = judge.instruments(load_config_of_reference())["AT-704"]
    probe = instrument._replace(spec=instrument.spec.model_copy(update={"unit": "pH"}), declared=None)
    kind = protocols.kind_of(probe)
    points: list[Any] = [
        points_file.Point.model_validate({"true": ph, "raw": 7.08 + 0.95 * (ph - 7.0)}) for ph in protocols.BUFFERS_PH
    ]
    taken = points_file.Points(point=tuple(points)).taken()

    wanted = making.Wanted(protocols.method_of(kind, 3), "R. Okafor", "", 30)
    made = making.make(probe, taken, wanted, book(), MADE)

    assert (kind, made.method, made.name) == ("ph", "piecewise", "2026-11-01")
    assert made.curve().true_at(7.08 + 0.95 * (5.5 - 7.0)) == pytest.approx(5.5)


def load_config_of_reference() -> Any:
    from virtual_core import REFERENCE

    return load_config(REFERENCE)
