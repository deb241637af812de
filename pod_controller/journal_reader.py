"""Reading a journal from outside: while its pod writes it, after a power cut, or damaged.

Neighbours: `cli_journal`, tests. Never writes to the file; what a cut left half done is rolled back in a copy. Must not
know the loop.
"""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from hal.errors import PodError
from pod_controller.journal_chain import GENESIS, Break, Link, dropped_text, follow
from pod_controller.journal_disk import Database, SystemDisk
from pod_controller.journal_store import Damaged, base_of, head_of, rows_of

BUSY_S = 5.0
NOT_READABLE, NOT_WHOLE = 411, 412


class Verdict(NamedTuple):
    """What following the chain found. broken: the first bad entry, None if there is none."""

    entries_count: int
    first: Link
    end: Link
    mirror: Link | None
    broken: Break | None


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    """The journal, for reading only. Raises PodError E411 when it cannot be opened."""
    if not path.is_file():
        raise PodError(NOT_READABLE, f"journal {path}: there is no such file: name it, or its pod with --config")
    with tempfile.TemporaryDirectory(prefix="podctl-journal-") as folder:
        database = _open(path, Path(folder))
        try:
            yield database
        finally:
            database.close()


def entries(database: Database) -> Iterator[dict[str, Any]]:
    """Entries in order as dictionaries, each with its hash. Raises PodError E412 where the file cannot be read."""
    try:
        for _, body, digest in rows_of(database):
            if not isinstance(body, bytes) or not isinstance(digest, bytes):
                raise ValueError("an entry without text or hash")
            yield json.loads(body) | {"hash": digest.hex()}
    except (sqlite3.Error, ValueError) as error:
        text = f"the journal cannot be read further: {error}; podctl journal --verify names the entry"
        raise PodError(NOT_WHOLE, text) from error


def verify(path: Path) -> Verdict:
    """Follow the whole chain, then compare its end with the mirror."""
    with reading(path) as database:
        try:
            first = base_of(database)
            followed = follow(first, rows_of(database))
            end, broken = followed.end, followed.broken
            if broken is None and first != GENESIS and followed.dropped != dropped_text(first):
                broken = Break(first.seq + 1, "starts the file, and no entry says that those before it were taken away")
        except (sqlite3.Error, UnicodeDecodeError, Damaged) as error:
            return Verdict(0, GENESIS, GENESIS, None, Break(_readable(path) + 1, f"cannot be read: {error}"))
        mirror = head_of(SystemDisk(), path).read()
        if broken is None and mirror is not None and mirror.seq > first.seq:
            broken = _against_mirror(database, end, mirror)
    return Verdict(end.seq - first.seq, first, end, mirror, broken)


def _against_mirror(database: Database, end: Link, mirror: Link) -> Break | None:
    if mirror.seq > end.seq:
        return Break(end.seq + 1, f"is missing: the mirror of the head says there were {mirror.seq}")
    (digest,) = database.execute("SELECT hash FROM entry WHERE seq = ?", (mirror.seq,)).fetchone()
    return None if digest == mirror.digest else Break(mirror.seq, "is not the one the mirror of the head has seen")


def _readable(path: Path) -> int:
    """The number of the last entry that can be read at all and fits; 0 if none."""
    reached = GENESIS
    with reading(path) as database:
        try:
            reached = base_of(database)
            for row in rows_of(database):
                reached = follow(reached, [row]).end
        except (sqlite3.Error, UnicodeDecodeError, Damaged):
            return reached.seq
    return reached.seq


def _open(path: Path, scratch: Path) -> Database:
    database = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, timeout=BUSY_S)
    try:
        database.execute("SELECT count(*) FROM base").fetchall()
        return database
    except (sqlite3.Error, UnicodeDecodeError) as error:  # a damaged file's name in an error may be no text
        database.close()
        if (getattr(error, "sqlite_errorcode", 0) & 0xFF) not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            return _as_it_is(path, error)
    return _from_copy(path, scratch)


def _as_it_is(path: Path, error: Exception) -> Database:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_BUSY:
        raise PodError(NOT_READABLE, f"journal {path}: somebody holds it for more than {BUSY_S:g} s: try again")
    raise PodError(NOT_WHOLE, f"journal {path}: {error}: it is no journal, or damaged before its first entry")


def _from_copy(path: Path, scratch: Path) -> Database:
    """A cut left a transaction half done and nobody has opened the file since: finish that in a copy."""
    try:
        for name in (path, path.with_name(path.name + "-journal")):
            if name.exists():
                shutil.copyfile(name, scratch / name.name)
        database = sqlite3.connect(scratch / path.name)
        database.execute("SELECT count(*) FROM base").fetchall()
    except (OSError, sqlite3.Error) as error:
        raise PodError(NOT_READABLE, f"journal {path}: {error}: check the file and your permissions") from error
    return database
