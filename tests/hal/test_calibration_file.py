"""The book of calibrations on disk: what comes back, what is refused, what a failed write leaves."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hal.calibration_file import Book, Calibration, Stroke, Taken, applied, clock_is_wrong, load, save, update
from hal.errors import PodError

MADE = datetime(2026, 11, 1, 9, 0, tzinfo=UTC)
DAY_NS = 86_400_000_000_000


def calibration(name: str = "first", **figures: float) -> Calibration:
    points = (Taken(raw_value=0.4, true_value=0.0), Taken(raw_value=20.6, true_value=20.0, standard="M1 20 kg"))
    return Calibration(
        tag="WT-101",
        name=name,
        unit="kg",
        method="line",
        points=points,
        made_utc=MADE,
        due_utc=MADE + timedelta(days=365),
        person="R. Okafor",
        residual_value=figures.get("residual_value", 0.0),
    )


def stroke() -> Stroke:
    times = {"open_s": 12.0, "close_s": 11.5, "open_at_most_s": 12.5, "close_at_most_s": 12.0}
    return Stroke(element="gate_1", tag="FV-101", made_utc=MADE, person="R. Okafor", **times)


def test_a_book_comes_back_as_it_was_written(tmp_path: Path) -> None:
    book = Book().with_calibration(calibration()).with_calibration(calibration("second")).with_stroke(stroke())

    save(tmp_path / "b.json", book)

    assert load(tmp_path / "b.json") == book
    assert book.in_force == {"WT-101": "second"}
    assert book.stroke("gate_1") == stroke()


def test_the_book_before_is_kept(tmp_path: Path) -> None:
    first = Book().with_calibration(calibration())
    save(tmp_path / "b.json", first)

    save(tmp_path / "b.json", first.with_stroke(stroke()))

    assert load(tmp_path / "b.json.old") == first
    assert sorted(os.listdir(tmp_path)) == ["b.json", "b.json.old"]


def test_a_write_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Book().with_calibration(calibration())
    save(tmp_path / "b.json", first)

    def full(descriptor: int) -> None:
        del descriptor
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PodError, match=r"E333 .*No space left on device: nothing was changed"):
        save(tmp_path / "b.json", Book())

    assert load(tmp_path / "b.json") == first


def test_two_who_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "b.json"

    def write(k: int) -> None:
        update(path, lambda book: book.with_calibration(calibration(f"curve {k}")))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))

    assert len(load(path).calibrations) == 40


def test_no_file_is_an_empty_book(tmp_path: Path) -> None:
    assert load(tmp_path / "none.json") == Book()


@pytest.mark.parametrize("edit", [("0.4", "1.4"), ('"line"', '"curve"'), ("{", "["), ('"first"', '"other"')])
def test_a_book_that_was_edited_is_refused(tmp_path: Path, edit: tuple[str, str]) -> None:
    path = tmp_path / "b.json"
    bent = calibration().model_copy(update={"points": (*calibration().points, Taken(raw_value=10.0, true_value=10.0))})
    save(path, Book().with_calibration(bent.model_copy(update={"residual_value": bent.curve().residual_value})))
    load(path)

    path.write_text(path.read_text().replace(*edit, 1))

    with pytest.raises(PodError, match=r"E333 .*put b.json.old in its place"):
        load(path)


def test_only_a_curve_that_is_there_can_be_put_in_force() -> None:
    book = Book().with_calibration(calibration())

    with pytest.raises(PodError, match="E333 WT-101 has no calibration 'third': it has first"):
        book.with_active("WT-101", "third")


def test_it_falls_due_by_the_monotonic_clock() -> None:
    left = applied(calibration(), MADE + timedelta(days=360), 1000)

    assert left.due_ns == 1000 + 5 * DAY_NS


def test_a_clock_before_the_calibration_is_told_and_ends_nothing() -> None:
    long_ago = datetime(1970, 1, 1, tzinfo=UTC)

    assert clock_is_wrong(calibration(), long_ago)
    assert applied(calibration(), long_ago, 0).due_ns == 365 * DAY_NS
    assert not clock_is_wrong(calibration(), MADE - timedelta(hours=3))


def test_a_pure_number_has_no_unit_behind_it() -> None:
    assert calibration().unit_behind == " kg"
    assert calibration().model_copy(update={"unit": "1"}).unit_behind == ""
