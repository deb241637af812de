"""The handover page: what stands on it, what is still open, and that it needs nothing but itself."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from calibrated import MADE, book, calibration, stroke
from click.testing import CliRunner
from virtual_core import REFERENCE

from hal.calibration_file import Book
from pod_controller.commissioning.cli_handover import handover as verb
from pod_controller.commissioning.handover import Pod, open_points, page
from pod_controller.config import load

CONFIG = load(REFERENCE)


def pod(book_of_pod: Book, required: tuple[str, ...] = ()) -> Pod:
    config = CONFIG.model_copy(update={"calibration": CONFIG.calibration.model_copy(update={"required": required})})
    return Pod(config, "pod.toml", "ab" * 32, book_of_pod, MADE + timedelta(days=10), "podctl 1", None, None)


def test_the_page_names_every_device_curve_standard_and_stroke() -> None:
    text = page(pod(book(calibration("WT-101", (1.5, 0.0), (22.5, 20.0)), strokes=(stroke(),))))

    for part in (
        *(device.name for device in CONFIG.device),
        "first, line",
        "R. Okafor",
        "= 20",
        "12.00 s",
        "2027-11-01",
    ):
        assert part in text, part
    assert text.count("name, date, signature") == 3


def test_the_page_asks_nobody_and_escapes_what_people_wrote() -> None:
    text = page(pod(book(calibration("WT-101", (1.5, 0.0), (22.5, 20.0), person="<script>alert(1)</script>"))))

    assert "<script" not in text
    assert not re.search(r"(src|href|url)\s*[=(]", text)


def test_what_is_still_open_is_told_before_anybody_signs() -> None:
    old = calibration("WT-102", (0.0, 0.0), (20.0, 20.0), due_utc=MADE + timedelta(days=5))

    told = open_points(pod(book(old, strokes=(stroke(close_s=21.0),)), required=("WT-101",)))

    assert any("stroke_s = 20 is what the guard reckons with, but FV-101 took 21.00 s" in text for text in told)
    assert "WT-101 needs a calibration and has none" in told
    assert "the calibration of WT-102 was due on 2026-11-06" in told
    assert "gate_2 (FV-102) can let waste in and was never stroked" in told
    assert not any("gate_1" in text for text in told if "never stroked" in text)
    assert "the core did not answer: the state of devices and outputs is not known" in told


def test_the_verb_writes_the_page_and_says_what_is_open(tmp_path: Path) -> None:
    config = tmp_path / "pod.toml"
    config.write_text(REFERENCE.read_text().replace("/run/podctl/", f"{tmp_path}/"))

    result = CliRunner().invoke(
        verb, ["--config", str(config), "--out", str(tmp_path / "page.html"), "--json"], standalone_mode=False
    )

    assert result.return_value == 3
    assert "the core did not answer" in " ".join(json.loads(result.stdout)["open"])
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"E477 .*No such file or directory: name a file that can be written"):
        CliRunner().invoke(
            verb,
            ["--config", str(REFERENCE), "--out", str(tmp_path / "no" / "page.html")],
            standalone_mode=False,
            catch_exceptions=False,
        )
