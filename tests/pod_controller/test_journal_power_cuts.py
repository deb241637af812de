"""A power cut at any write or sync of the journal loses nothing that was acknowledged and never breaks the chain."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from logged_disk import Image, LoggedDisk, images

from pod_controller import journal_store
from pod_controller.journal_chain import Draft, Sample
from pod_controller.journal_disk import SystemDisk
from pod_controller.journal_keeper import Keeper
from pod_controller.journal_store import Damaged, Reserve, head_of, open_store, rows_of

BATCHES = 40
SEEDS = 13
SAMPLE_EVERY = 10
MEMORY_FILES = Path("/dev/shm")  # a sync costs nothing there


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY_FILES if MEMORY_FILES.is_dir() else tmp_path) as name:
        yield Path(name)


def write_batches(disk: LoggedDisk, path: Path) -> list[int]:
    """Some batches of some entries, each acknowledged when it was; the numbers at which a batch ends."""
    keeper = Keeper(disk, path, "boot", lambda now_ns: f"T+{now_ns}")
    ends = [0]
    for batch in range(BATCHES):
        drafts = [Draft(batch, "T", "decision", f"gate_{n}", "1", "why " * (9 * n)) for n in range(1 + batch % 4)]
        keeper.write(drafts, [Sample(batch, "T", "level_kg", 1.0)] * (batch % 3), batch)
        disk.acknowledge(keeper.health.last_seq)
        ends.append(keeper.health.last_seq)
    assert not keeper.health.degraded
    return ends


def fault_of(image: Image, folder: Path, whole: list[object], ends: list[int]) -> str:
    """What is wrong with a journal that is opened after a cut; empty if nothing is."""
    for file in folder.iterdir():
        file.unlink()
    for name, data in image.files.items():
        (folder / name).write_bytes(data)
    path, disk = folder / "journal.db", SystemDisk()
    try:
        store = open_store(disk, path, Reserve())
    except Damaged as damage:
        return f"damaged: {damage}"
    database = disk.connect(path)
    rows = list(rows_of(database))
    database.close()
    mirror = head_of(disk, path).read()
    is_mirrored = mirror is None or store.holds(mirror)
    store.close()
    if store.last.seq < image.acknowledged:
        return f"acknowledged {image.acknowledged}, found {store.last.seq}"
    if rows != whole[: len(rows)] or len(rows) not in ends:
        return f"{len(rows)} entries that are no batches of what was written"
    return "" if is_mirrored else f"the mirror is ahead, at {mirror}"


def campaign(folder: Path, every: int) -> tuple[int, list[str]]:
    written, cut = folder / "written", folder / "cut"
    written.mkdir()
    cut.mkdir()
    disk = LoggedDisk()
    ends = write_batches(disk, written / "journal.db")
    whole: list[object] = list(rows_of(SystemDisk().connect(written / "journal.db")))
    count, found = 0, []
    for image in images(disk.log, SEEDS, every):
        count += 1
        fault = fault_of(image, cut, whole, ends)
        if fault:
            found.append(f"cut before write {image.position}, {image.model}: {fault}")
    return count, found


@pytest.mark.campaign
def test_no_power_cut_loses_an_acknowledged_entry_or_breaks_the_chain(folder: Path, depth: str) -> None:
    count, found = campaign(folder, 1 if depth == "full" else SAMPLE_EVERY)

    assert not found, "\n".join(found[:10])
    assert count >= (20_000 if depth == "full" else 2_000)


@pytest.mark.campaign
def test_a_second_cut_while_the_first_is_being_repaired_loses_nothing_either(folder: Path, depth: str) -> None:
    written, cut, again = folder / "written", folder / "cut", folder / "again"
    for place in (written, cut, again):
        place.mkdir()
    disk = LoggedDisk()
    ends = write_batches(disk, written / "journal.db")
    whole: list[object] = list(rows_of(SystemDisk().connect(written / "journal.db")))
    count, found = 0, []

    for image in images(disk.log, 1, 20 if depth == "full" else 200):
        for file in cut.iterdir():
            file.unlink()
        for name, data in image.files.items():
            (cut / name).write_bytes(data)
        second = LoggedDisk()
        Keeper(second, cut / "journal.db", "boot", str, Reserve()).close(0)
        for twice in images(second.log, 3, 1, before=image):
            count += 1
            found += [fault for fault in [fault_of(twice, again, whole, ends)] if fault]

    assert not found, "\n".join(found[:10])
    assert count > (2_000 if depth == "full" else 100)


@pytest.mark.campaign
@pytest.mark.parametrize("mode", ["OFF", "NORMAL"])
def test_the_same_cuts_find_what_weaker_settings_lose(folder: Path, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    weaker = tuple(text.replace("EXTRA", mode) for text in journal_store.PRAGMAS)
    monkeypatch.setattr(journal_store, "PRAGMAS", weaker)

    _, found = campaign(folder, 4 * SAMPLE_EVERY)

    assert found
