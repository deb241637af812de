"""The journal's file: an SQLite database that a power cut at any moment leaves whole, and a small mirror of its head.

Settings, each measured with simulated power cuts (tests/pod_controller/test_journal_power_cuts.py): synchronous=EXTRA
set first, so that directory entries are synced too; a TRUNCATE rollback journal, because with WAL a full disk ends the
process by SIGBUS in the shared-memory index, and WAL without that index lets nobody read while the pod runs; no memory
mapping. An entry is acknowledged when `append` has returned, not before.

Neighbours: `journal_chain` holds the chain, `journal_keeper` lives with what goes wrong here, `journal_salvage`
repairs. Must not know what an entry is about.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pod_controller.journal_chain import GENESIS, RETENTION, Draft, Link, Sample, dropped_text, follow, forge
from pod_controller.journal_disk import Database, Disk
from pod_controller.journal_head import Head

SCHEMA_VERSION = 1
KEEP_ENTRIES = 200_000  # about 70 MB; a pod writes some thousand a day
KEEP_SAMPLES = 100_000
DROP_AT_ONCE = 2_000  # small, so that the rollback journal of a deletion stays small
PRAGMAS = ("synchronous=EXTRA", "journal_mode=TRUNCATE", "mmap_size=0", "temp_store=MEMORY", "trusted_schema=OFF")
SCHEMA = (
    "CREATE TABLE entry (seq INTEGER PRIMARY KEY, body TEXT NOT NULL, hash BLOB NOT NULL)",
    "CREATE TABLE base (seq INTEGER NOT NULL, hash BLOB NOT NULL)",  # the last entry that retention took away
    "CREATE TABLE sample (n INTEGER PRIMARY KEY, boot TEXT, mono_ns INTEGER, utc TEXT, name TEXT, value REAL)",
    "CREATE VIEW journal AS SELECT seq, "
    + ", ".join(
        f"json_extract(body, '$.{key}') AS {key}"
        for key in ("utc", "mono_ns", "boot", "kind", "thing", "value", "rule", "vessel", "why", "who")
    )
    + " FROM entry ORDER BY seq",
    f"PRAGMA user_version={SCHEMA_VERSION}",
)
# CAST: damaged text must reach the check as bytes, not as a decoding error.
ROWS = "SELECT seq, CAST(body AS BLOB), hash FROM entry WHERE seq > ? ORDER BY seq LIMIT ?"
PAGE_ROWS = 500  # the file is locked against its writer while a page is read, not while somebody looks at it
DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_MISMATCH}


class Damaged(Exception):  # noqa: N818 (a finding about a file, handled by the ladder)
    """The file can be read but is not a journal that holds together."""


class Reserve(NamedTuple):
    """How much the journal may grow, and the room it keeps for a full disk."""

    entries: int = KEEP_ENTRIES
    samples: int = KEEP_SAMPLES
    ballast_bytes: int = 4 << 20


class Store:
    """One open journal. Every method raises sqlite3.Error or OSError when the disk does not do its part."""

    def __init__(self, database: Database, last: Link, first: Link, keep: Reserve) -> None:
        self.last = last
        self._first = first  # the link before the oldest entry that is still here
        self._database = database
        self._keep = keep

    def append(self, drafts: Sequence[Draft], samples: Sequence[Sample], boot: str) -> Link:
        """Add all of it in one transaction. The new end of the chain, durable once this has returned."""
        entries = forge(self.last, drafts, boot)
        new = Link(entries[-1].seq, entries[-1].digest) if entries else self.last
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._refuse_second_writer()
            self._database.executemany("INSERT INTO entry VALUES (?, CAST(? AS TEXT), ?)", entries)
            rows = [(boot, *sample) for sample in samples]
            self._database.executemany(
                "INSERT INTO sample (boot, mono_ns, utc, name, value) VALUES (?, ?, ?, ?, ?)", rows
            )
            first, new = self._retain(new, drafts, boot)
            if samples:
                self._database.execute(
                    "DELETE FROM sample WHERE n <= (SELECT max(n) FROM sample) - ?", (self._keep.samples,)
                )
            self._database.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise
        self.last, self._first = new, first
        return new

    def holds(self, link: Link) -> bool:
        """True unless the chain is known not to run through link (what retention took away cannot be compared)."""
        if link.seq <= self._first.seq:
            return True
        row = self._database.execute("SELECT hash FROM entry WHERE seq = ?", (link.seq,)).fetchone()
        return row is not None and row[0] == link.digest

    def forget_samples(self) -> None:
        """Make room: telemetry goes first."""
        self._database.execute("DELETE FROM sample")

    def close(self) -> None:
        """Let go of the file; nothing is pending between appends."""
        self._database.close()

    def _refuse_second_writer(self) -> None:
        (newest,) = self._database.execute("SELECT coalesce(max(seq), ?) FROM entry", (self.last.seq,)).fetchone()
        if newest != self.last.seq:
            raise sqlite3.OperationalError(f"somebody else writes this journal: it ends at {newest}")

    def _retain(self, new: Link, drafts: Sequence[Draft], boot: str) -> tuple[Link, Link]:
        """Take the oldest entries away once there are too many, and say so in the chain. (first, last) afterwards."""
        if not drafts or new.seq - self._first.seq <= self._keep.entries + DROP_AT_ONCE:
            return self._first, new
        upto = self._first.seq + DROP_AT_ONCE
        (digest,) = self._database.execute("SELECT hash FROM entry WHERE seq = ?", (upto,)).fetchone()
        first = Link(upto, digest)
        note = Draft(drafts[-1].mono_ns, drafts[-1].utc, RETENTION, "journal", f"{upto}", dropped_text(first))
        entry = forge(new, [note], boot)[0]
        self._database.execute("INSERT INTO entry VALUES (?, CAST(? AS TEXT), ?)", entry)
        self._database.execute("DELETE FROM entry WHERE seq <= ?", (upto,))
        self._database.execute("DELETE FROM base")
        self._database.execute("INSERT INTO base VALUES (?, ?)", first)
        return first, Link(entry.seq, entry.digest)

    def _roll_back(self) -> None:
        try:
            self._database.execute("ROLLBACK")
        except sqlite3.Error:  # a full or broken disk has rolled back already, or will when the file is opened again
            return


def open_store(disk: Disk, path: Path, keep: Reserve) -> Store:
    """Open the journal at path, made if there is none, and follow its chain.

    Raises Damaged for a file that holds together no longer, sqlite3.Error or OSError for one that cannot be used now.
    """
    if not path.exists():
        disk.create(path)
    database = disk.connect(path)
    try:
        for pragma in PRAGMAS:
            database.execute(f"PRAGMA {pragma}").fetchall()
        if not database.execute("SELECT 1 FROM sqlite_master").fetchall():
            _lay_out(database)
        first = base_of(database)
        return Store(database, _whole(database, first), first, keep)
    except sqlite3.Error as error:
        database.close()
        if is_damage(error):
            raise Damaged(str(error)) from error
        raise
    except UnicodeDecodeError as error:  # what SQLite says of a damaged schema may itself be no text
        database.close()
        raise Damaged(str(error)) from error
    except Damaged:
        database.close()
        raise


def rows_of(database: Database) -> Iterator[tuple[object, object, object]]:
    """Entries in order, as they lie in the file, read page by page."""
    last = -1
    while rows := database.execute(ROWS, (last, PAGE_ROWS)).fetchall():
        yield from rows
        newest = rows[-1][0]
        if not isinstance(newest, int) or newest <= last:
            return
        last = newest


def base_of(database: Database) -> Link:
    """The link on which the oldest entry follows. Raises Damaged if it is none."""
    rows = database.execute("SELECT seq, hash FROM base").fetchall()
    if not rows:
        return GENESIS
    seq, digest = rows[0]
    if len(rows) != 1 or type(seq) is not int or not isinstance(digest, bytes):
        raise Damaged("the start of the chain cannot be read")
    return Link(seq, digest)


def head_of(disk: Disk, path: Path) -> Head:
    """The mirror that belongs to the journal at path."""
    return Head(disk, path.with_name(path.name + ".head"))


def is_damage(error: sqlite3.Error) -> bool:
    """True for a file that is broken, false for a disk that does not do its part at the moment."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in DAMAGE


def _lay_out(database: Database) -> None:
    database.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA:
        database.execute(statement)
    database.execute("COMMIT")


def _whole(database: Database, first: Link) -> Link:
    """The end of a chain that was followed from first to its end. Raises Damaged where it breaks."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise Damaged(f"its schema is {version}, this program writes {SCHEMA_VERSION}")
    (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise Damaged(f"SQLite finds: {verdict}")
    end, broken, dropped = follow(first, rows_of(database))
    if broken is not None:
        raise Damaged(f"entry {broken.seq} {broken.why}")
    if first != GENESIS and dropped != dropped_text(first):
        raise Damaged(f"it starts after entry {first.seq}, which no entry says was taken away")
    return end
