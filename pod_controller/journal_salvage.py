"""A journal that holds together no longer: keep what does, put the damaged file aside, go on.

Safe against a power cut at any step: the new file is whole and synced before it takes the name, and the damaged one is
never deleted before that. Neighbours: `journal_keeper` calls it, `journal_store` opens what it leaves. Must not know
why the file broke.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from pod_controller.journal_chain import GAP, GENESIS, RETENTION, Draft, Link, dropped_text, follow, forge
from pod_controller.journal_disk import Database, Disk, sync_folder
from pod_controller.journal_store import Damaged, Reserve, base_of, open_store, rows_of

ASIDE = 3  # damaged files that are kept; the newest takes the last place
Row = tuple[object, object, object]


def salvage(disk: Disk, path: Path, damage: str, told: Draft, boot: str) -> str:
    """Replace the journal at path by its valid part and an entry of kind gap. Returns what that entry says.

    told: a draft with the time of now, whose why is filled in here. Raises OSError or sqlite3.Error if even that fails.
    """
    first, rows = _valid_part(disk, path)
    end = _end_of(first, rows)
    aside = _place_aside(path)
    kept = f"{len(rows)} entries up to {end.seq} are kept" if rows else "nothing could be kept"
    why = f"damaged: {damage}; {kept}; the file as it was is {aside.name}"
    fresh = path.with_name(path.name + ".new")
    for name in (fresh, _journal_of(fresh)):
        name.unlink(missing_ok=True)
    notes = [told._replace(kind=GAP, thing="journal", value=str(end.seq), why=why)]
    if first != GENESIS:  # the entry that said what was taken away may be among the lost ones
        notes.append(notes[0]._replace(kind=RETENTION, value=str(first.seq), why=dropped_text(first)))
    _write(disk, fresh, first, [*rows, *forge(end, notes, boot)])
    _swap(path, fresh, aside)
    return why


def _valid_part(disk: Disk, path: Path) -> tuple[Link, list[Row]]:
    """The link the chain starts from and the rows that follow from it without a break."""
    rows: list[Row] = []
    try:
        database = disk.connect(path)
    except sqlite3.Error:
        return GENESIS, rows
    try:
        first = base_of(database)
    except (sqlite3.Error, UnicodeDecodeError, Damaged):
        database.close()
        return GENESIS, rows
    try:
        followed = follow(first, _kept(rows_of(database), rows))
        if followed.broken is None and first != GENESIS and followed.dropped != dropped_text(first):
            return GENESIS, []
        return first, rows[: followed.end.seq - first.seq]
    except (sqlite3.Error, UnicodeDecodeError):  # what follows the last row kept cannot be read; each of those fits
        return first, rows
    finally:
        database.close()


def _kept(rows: Iterator[Row], into: list[Row]) -> Iterator[Row]:
    for row in rows:
        into.append(row)
        yield row


def _end_of(first: Link, rows: list[Row]) -> Link:
    return follow(first, rows).end


def _write(disk: Disk, fresh: Path, first: Link, rows: list[Row]) -> None:
    open_store(disk, fresh, Reserve()).close()
    database = disk.connect(fresh)
    try:
        _fill(database, first, rows)
    finally:
        database.close()


def _fill(database: Database, first: Link, rows: list[Row]) -> None:
    database.execute("PRAGMA synchronous=EXTRA")
    database.execute("BEGIN IMMEDIATE")
    if first != GENESIS:
        database.execute("INSERT INTO base VALUES (?, ?)", first)
    database.executemany("INSERT INTO entry VALUES (?, CAST(? AS TEXT), ?)", rows)
    database.execute("COMMIT")


def _swap(path: Path, fresh: Path, aside: Path) -> None:
    """The damaged file becomes aside, fresh takes its name; a rollback journal stays with the file it belongs to."""
    for source, target in ((path, aside), (_journal_of(path), _journal_of(aside))):
        target.unlink(missing_ok=True)
        if source.exists():
            try:
                os.link(source, target)
            except OSError:  # a file system without links
                shutil.copyfile(source, target)
    sync_folder(path.parent)
    for leftover in (_journal_of(path), _journal_of(fresh)):
        leftover.unlink(missing_ok=True)
    sync_folder(path.parent)
    fresh.replace(path)
    sync_folder(path.parent)


def _place_aside(path: Path) -> Path:
    places = [path.with_name(f"{path.name}.damaged-{n}") for n in range(1, ASIDE + 1)]
    return next((place for place in places if not place.exists()), places[-1])


def _journal_of(path: Path) -> Path:
    return path.with_name(path.name + "-journal")
