"""Whatever a disk does, the journal says so, loses nothing it can keep, and goes on by itself when the disk is back."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from ailing_disk import TROUBLES, AilingDisk

from pod_controller import journal_salvage
from pod_controller.journal_chain import Draft, Sample
from pod_controller.journal_disk import SystemDisk
from pod_controller.journal_keeper import WAITING_ENTRIES, Keeper
from pod_controller.journal_reader import entries, reading, verify
from pod_controller.journal_store import Reserve

NS = 1_000_000_000


def keeper_on(disk: SystemDisk, path: Path) -> Keeper:
    return Keeper(disk, path, "boot", lambda now_ns: f"T+{now_ns // NS}", Reserve(ballast_bytes=4096))


def drafts(*values: int) -> list[Draft]:
    return [Draft(value, "T", "state", "pod", str(value), "why") for value in values]


def values(path: Path) -> list[str]:
    assert verify(path).broken is None
    with reading(path) as database:
        return [row["value"] for row in entries(database) if row["kind"] == "state"]


def kinds(path: Path) -> list[str]:
    with reading(path) as database:
        return [row["kind"] for row in entries(database)]


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_ailing_disk_degrades_and_what_waited_is_written_when_it_is_well(tmp_path: Path, trouble: str) -> None:
    disk, path = AilingDisk(), tmp_path / "journal.db"
    keeper = keeper_on(disk, path)
    keeper.write(drafts(1, 2), (), 0)

    disk.trouble = trouble
    keeper.write(drafts(3), (), 1 * NS)
    ill = keeper.health
    keeper.write(drafts(4), (), 2 * NS)
    disk.trouble = ""
    keeper.write(drafts(5), (), 60 * NS)

    assert ill.degraded
    assert ill.waiting_count == 1
    assert str(path) in ill.reason
    assert not keeper.health.degraded
    assert keeper.health.lost_count == 0
    assert values(path) == ["1", "2", "3", "4", "5"]
    assert "recovery" in kinds(path)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_disk_that_ails_at_the_start_degrades_and_is_taken_when_it_is_well(tmp_path: Path, trouble: str) -> None:
    disk, path = AilingDisk(), tmp_path / "journal.db"
    disk.trouble = trouble
    keeper = keeper_on(disk, path)

    keeper.write(drafts(1), (), 0)
    ill = keeper.health
    disk.trouble = ""
    keeper.write((), (), 60 * NS)

    assert ill.degraded
    assert not keeper.health.degraded
    assert values(path) == ["1"]


def test_a_full_disk_gives_its_reserve_to_entries_and_drops_telemetry(tmp_path: Path) -> None:
    class FullUntilReleased(AilingDisk):
        def release(self, path: object) -> None:
            super().release(path)
            self.trouble = ""

        def free_bytes(self, path: Path) -> int:
            return 5000

    disk, path = FullUntilReleased(), tmp_path / "journal.db"
    (tmp_path / "journal.db.ballast").touch()
    keeper = keeper_on(disk, path)
    keeper.write(drafts(1), (), 0)
    (tmp_path / "journal.db.ballast").unlink()

    disk.trouble = "full"
    keeper.write(drafts(2), [Sample(0, "T", "level_kg", 1.0)], NS)

    assert keeper.health.degraded
    assert "reserve" in keeper.health.reason
    assert keeper.health.waiting_count == 0
    assert keeper.health.lost_samples_count == 1
    assert values(path) == ["1", "2"]


def test_more_than_can_wait_is_counted_and_told(tmp_path: Path) -> None:
    disk, path = AilingDisk(), tmp_path / "journal.db"
    disk.trouble = "failing_sync"
    keeper = keeper_on(disk, path)

    keeper.write(drafts(*range(WAITING_ENTRIES + 7)), (), 0)
    disk.trouble = ""
    keeper.write((), (), 60 * NS)

    assert keeper.health.lost_count == 7
    assert len(values(path)) == WAITING_ENTRIES
    assert "gap" in kinds(path)


@pytest.mark.parametrize("syncs", range(4))
def test_a_commit_that_failed_at_any_sync_is_there_once(tmp_path: Path, syncs: int) -> None:
    disk, path = AilingDisk(), tmp_path / "journal.db"
    keeper = keeper_on(disk, path)
    keeper.write(drafts(1), (), 0)

    disk.fail_after_syncs = syncs
    keeper.write(drafts(2), (), NS)
    failed = keeper.health.degraded
    keeper.write(drafts(3), (), 60 * NS)

    assert failed
    assert values(path) == ["1", "2", "3"]


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database " * 400)


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def one_entry_changed(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("UPDATE entry SET body = replace(body, 'why', 'WHY') WHERE seq = 15")
    database.commit()
    database.close()


def gone(path: Path) -> None:
    path.unlink()


def from_the_future(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()


def without_tables(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("DROP TABLE entry")
    database.close()


DAMAGES = [garbage, half, emptied, one_entry_changed, gone, from_the_future, without_tables]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_file_at_the_start_is_put_aside_and_told(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    path = tmp_path / "journal.db"
    first = keeper_on(SystemDisk(), path)
    first.write(drafts(*range(1, 31)), (), 0)
    first.close(0)

    damage(path)
    keeper = keeper_on(SystemDisk(), path)
    keeper.write(drafts(31), (), NS)
    found = values(path)

    assert not keeper.health.degraded
    assert keeper.health.alarm
    assert "gap" in kinds(path)
    assert found[-1] == "31"
    assert found[:-1] == [str(n) for n in range(1, len(found))]
    assert damage is not one_entry_changed or len(found) == 15  # fourteen before it, and the new one


def test_a_locked_file_degrades_and_is_not_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    first = keeper_on(SystemDisk(), path)
    first.write(drafts(1), (), 0)
    first.close(0)
    other = sqlite3.connect(path)
    other.execute("BEGIN EXCLUSIVE")

    keeper = keeper_on(SystemDisk(), path)
    keeper.write(drafts(2), (), 0)
    locked = keeper.health
    other.close()
    keeper.write((), (), 60 * NS)

    assert locked.degraded
    assert "locked" in locked.reason
    assert values(path) == ["1", "2"]


def test_a_file_taken_away_while_it_is_written_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    keeper = keeper_on(SystemDisk(), path)
    keeper.write(drafts(1), (), 0)

    path.unlink()
    keeper.write(drafts(2), (), NS)
    keeper.write((), (), 60 * NS)

    assert values(path) == ["2"]
    assert keeper.health.alarm


def test_an_older_copy_put_back_is_told(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    keeper = keeper_on(SystemDisk(), path)
    keeper.write(drafts(1), (), 0)
    old = path.read_bytes()
    keeper.write(drafts(2), (), 1)
    keeper.close(2)

    path.write_bytes(old)
    keeper = keeper_on(SystemDisk(), path)
    keeper.write(drafts(3), (), 3)

    assert "older copy" in keeper.health.alarm
    assert values(path) == ["1", "3"]


def test_the_journal_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    keeper = keeper_on(SystemDisk(), path)
    keeper.write(drafts(1), (), 0)

    assert values(path) == ["1"]
    with reading(path) as database:
        looking = entries(database)
        next(looking)
        keeper.write(drafts(2), (), 1)

    assert not keeper.health.degraded
    assert values(path) == ["1", "2"]


@pytest.mark.parametrize("step", range(3))
def test_a_salvage_that_is_cut_short_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    path = tmp_path / "journal.db"
    first = keeper_on(SystemDisk(), path)
    first.write(drafts(*range(1, 31)), (), 0)
    first.close(0)
    one_entry_changed(path)
    steps = iter(range(99))

    def cut_at_step(folder: Path) -> None:
        if next(steps) == step:
            raise OSError("cut")

    monkeypatch.setattr(journal_salvage, "sync_folder", cut_at_step)
    keeper_on(SystemDisk(), path).write(drafts(31), (), NS)
    keeper = keeper_on(SystemDisk(), path)
    keeper.write(drafts(32), (), NS)

    assert not keeper.health.degraded
    assert values(path) == [*(str(n) for n in range(1, 15)), "32"]
    assert (tmp_path / "journal.db.damaged-1").exists()
