"""Calibrations in a core: an error that is calibrated away, one out of date, one missing, one that is not allowed."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from calibrated import MADE, book, calibration, hold_at, set_bias, set_gain, stroke
from click.testing import CliRunner
from edited_pod import TEXT, edited
from virtual_core import REFERENCE, VirtualCore

from hal.calibration_file import Book, save
from hal.errors import PodError
from hal.values import Cause, Quality, Reading
from pod_controller.cli_config import check_config
from pod_controller.commissioning import judge
from pod_controller.commissioning.book import in_force
from pod_controller.config import PodConfig, load
from pod_controller.core import NS, Request
from pod_controller.modes import State

CONFIG = load(REFERENCE)
pytestmark = pytest.mark.timeout(60)  # the plant is compiled at the first test


@pytest.fixture
def virtual() -> Iterator[VirtualCore]:
    made = VirtualCore()
    yield made
    made.close()


def now(virtual: VirtualCore, tag: str) -> Reading:
    virtual.run(1.0)
    scan = virtual.core.loop.scan
    assert scan is not None
    return scan.readings[tag]


def requiring(*tags: str) -> PodConfig:
    return CONFIG.model_copy(update={"calibration": CONFIG.calibration.model_copy(update={"required": tags})})


def test_an_offset_and_a_gain_are_calibrated_away(virtual: VirtualCore) -> None:
    plant, tag = virtual.pod.plant, "WT-101"
    set_gain(plant, tag, 1.05)
    set_bias(plant, tag, 1.5)
    pairs = []
    for mass_kg in (0.0, 20.0):
        hold_at(plant, tag, mass_kg)
        pairs.append((now(virtual, tag).value, mass_kg))

    virtual.core.workshop.calibrate(in_force(CONFIG, book(calibration(tag, *pairs)), MADE, virtual.now_ns))

    hold_at(plant, tag, 35.0)
    assert now(virtual, tag).value == pytest.approx(35.0, abs=0.005)
    assert now(virtual, tag).quality is Quality.GOOD
    assert virtual.core.workshop.places[tag].raw_value == pytest.approx(35.0 * 1.05 + 1.5, abs=0.002)


def test_out_of_date_is_uncertain_and_told(virtual: VirtualCore) -> None:
    just_before = MADE + timedelta(days=365) - timedelta(seconds=10)
    made = book(calibration("WT-101", (0.0, 0.0), (20.0, 20.0)))
    virtual.core.workshop.calibrate(in_force(CONFIG, made, just_before, virtual.now_ns))

    before = now(virtual, "WT-101")
    virtual.run(10.0)

    assert before.quality is Quality.GOOD
    after = now(virtual, "WT-101")
    assert (after.quality, after.cause) == (Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE)
    assert any(
        "calibration of WT-101 is out of date" in text
        for text in virtual.core.workshop.calibrations.unwell(virtual.now_ns)
    )
    assert virtual.core.workshop.calibrations.rows(virtual.now_ns)[0]["state"] == "out of date"


def test_required_and_missing_is_uncertain_and_told(virtual: VirtualCore) -> None:
    virtual.core.workshop.calibrate(in_force(requiring("LT-201"), Book(), MADE, virtual.now_ns))

    assert now(virtual, "LT-201").quality is Quality.UNCERTAIN
    assert "LT-201 needs a calibration and has none" in virtual.core.workshop.calibrations.unwell(0)[0]


def test_new_curves_wait_until_the_pod_does_not_run(virtual: VirtualCore) -> None:
    made = in_force(CONFIG, book(calibration("WT-101", (1.0, 0.0), (21.0, 20.0))), MADE, 0)
    virtual.run(10.0)
    virtual.core.ask(Request("start", "test", "test"))
    virtual.run(1.0)
    assert virtual.state is State.EXECUTE

    refused = virtual.core.ask(Request("recalibrate", "test", "test", made))
    virtual.run(1.0)
    virtual.core.ask(Request("hold", "test", "test"))
    accepted = virtual.core.ask(Request("recalibrate", "test", "test", made))
    virtual.run(1.0)

    assert isinstance(refused.exception(), PodError)
    assert "E432 recalibrate is refused while the pod is EXECUTE" in str(refused.exception())
    assert accepted.result() == "HELD"
    assert virtual.core.workshop.calibrations is made


def test_an_error_beyond_what_the_guard_was_told_is_refused_with_its_figures() -> None:
    far = calibration("WT-101", (0.0, 0.0), (20.0, 20.0), drift_value=0.6)

    (fault,) = judge.faults(CONFIG, book(far))

    assert (fault.path, fault.code) == (("chute", 0, "content_error_kg"), 170)
    assert "wandered by 0.6 since the one before: together 0.6, but [chute 1] content_error_kg promises" in fault.text


def test_standards_at_the_low_end_promise_too_little_for_the_lip() -> None:
    # Good to 0.2 kg between 0 and 2 kg is good to 7.8 kg at 40 kg.
    points = calibration("WT-101", (0.0, 0.0), (2.0, 2.0)).points
    doubtful = tuple(point.model_copy(update={"doubt_value": 0.2}) for point in points)

    (fault,) = judge.faults(CONFIG, book(calibration("WT-101", (0.0, 0.0), (1.0, 1.0), points=doubtful)))

    assert "may be off by 7.8 between 0 and 40 kg" in fault.text


def test_the_limit_of_a_level_is_in_its_own_unit() -> None:
    declared = judge.instruments(CONFIG)["LT-201"].declared
    assert declared is not None
    assert declared.limit_value == pytest.approx(6.0 / 500.0)
    assert declared.high == pytest.approx(1.2)


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ({"close_s": 21.0, "close_at_most_s": 21.5}, "took 21.00 s to shut on 2026-11-01: set it to at least 22.6"),
        ({"open_s": 7.0, "open_at_most_s": 7.5}, "opened in 7.00 s on 2026-11-01: set it to at most 6.6"),
    ],
)
def test_a_stroke_that_the_guard_was_not_told_of_is_refused(times: dict[str, float], told: str) -> None:
    (fault,) = judge.faults(CONFIG, book(strokes=(stroke(**times),)))

    assert fault.code == 171
    assert told in fault.text


def test_a_stroke_within_what_was_declared_is_fine() -> None:
    assert not list(judge.faults(CONFIG, book(strokes=(stroke(close_s=25.0, close_at_most_s=25.5), stroke()))))


LID = {"element": "lid_1", "tag": "XY-111", "open_s": 0.0, "open_at_most_s": 0.02}


def test_a_lid_is_judged_by_what_it_surely_needed_to_lock_and_not_by_how_its_switch_opens() -> None:
    fine = stroke(close_s=0.9, close_at_most_s=1.4).model_copy(update=LID)
    slow = stroke(close_s=1.1, close_at_most_s=1.6).model_copy(update=LID)

    assert not list(judge.faults(CONFIG, book(strokes=(fine,))))
    (fault,) = judge.faults(CONFIG, book(strokes=(slow,)))
    assert (fault.code, fault.path) == (171, ("chute", 0, "lid_lock_s"))
    assert "XY-111 took 1.10 to 1.60 s to lock on" in fault.text and "set it to at least 1.7" in fault.text


def test_check_config_looks_at_the_book_beside_the_file(tmp_path: Path) -> None:
    path = tmp_path / "pod.toml"
    text = edited([("[pod]\nname", '[calibration]\nrequired = ["FV-101"]\n\n[pod]\nname')], TEXT)
    path.write_text(text)
    save(tmp_path / "pod.calibration.json", book(strokes=(stroke(close_s=21.0, close_at_most_s=21.5),)))

    result = CliRunner().invoke(check_config, [str(path)], standalone_mode=False)

    assert result.return_value == 78
    lines = result.output.splitlines()
    assert len(lines) == 2
    assert f"{path}:" in lines[0]
    assert "E172" in lines[0]
    assert "E171 [element 1] stroke_s = 20 is what the guard reckons with" in lines[1]


def test_a_curve_of_a_tag_that_is_not_wired_is_told_and_not_used() -> None:
    made = in_force(CONFIG, book(calibration("WT-999", (0.0, 0.0), (1.0, 1.0))), MADE, 0)

    assert not made.curves
    assert "WT-999, which is no analogue input" in made.unwell(0)[0]


def test_a_wrong_civil_clock_is_told() -> None:
    made = in_force(CONFIG, book(calibration("WT-101", (0.0, 0.0), (1.0, 1.0))), MADE - timedelta(days=9000), 0)

    assert "before WT-101 was calibrated" in made.unwell(0)[0]
    assert made.rows(300 * 86_400 * NS)[0]["state"] == "in force"
