"""Lives with the disk: writes batches to the store, and through full, read-only, broken and damaged disks carries on.

Nothing here raises for what a disk does. What could not be written waits (bounded; what does not fit is counted), the
store is opened again after 1, 2, 4, ... 60 s, and the first batch that goes through says what was missed. The ladder at
every opening: the file is well; or its valid part is kept and the damage put aside; or an empty one; or none for now.

Neighbours: `journal` in line and `journal_writer` on its thread call it. Must not know what an entry is about.
"""

import errno
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from pod_controller.journal_chain import GAP, Draft, Link, Sample, forge
from pod_controller.journal_disk import Disk
from pod_controller.journal_salvage import salvage
from pod_controller.journal_store import Damaged, Reserve, Store, head_of, open_store

NS = 1_000_000_000
WAITING_ENTRIES = 5_000
LARGEST_BATCH = 500
FIRST_RETRY_S, LAST_RETRY_S = 1, 60
UNREADABLE = {sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ}
UNREADABLE_TIMES = 3  # a file that cannot be read this often is put aside
FULL = "the disk is full: its reserve is in use and telemetry is dropped; free some space"


class Health(NamedTuple):
    """How the journal is, for `status` and alarms."""

    degraded: bool = False
    reason: str = ""  # empty when all is well
    alarm: str = ""  # what was found damaged or missing since the start; stays until the next start
    last_seq: int = 0  # the newest entry known to be durable
    waiting_count: int = 0  # entries that are not
    lost_count: int = 0  # entries that never will be
    lost_samples_count: int = 0
    failures_count: int = 0


class Keeper:
    """One journal on one disk. Only one thread calls `write`, `miss` and `close`; `health` may be read by any."""

    def __init__(
        self, disk: Disk, path: Path, boot: str, utc: Callable[[int], str], keep: Reserve | None = None
    ) -> None:
        self.health = Health()
        self._disk = disk
        self._path = path
        self._boot = boot
        self._utc = utc
        self._keep = keep or Reserve()
        self._head = head_of(disk, path)
        self._ballast = path.with_name(path.name + ".ballast")
        self._is_reserved = False
        self._store: Store | None = None
        self._waiting: list[Draft] = []
        self._doubtful: tuple[Link, int] | None = None  # end and size of a batch whose commit failed: it may be there
        self._untold = ""  # trouble that no entry tells of yet
        self._untold_lost = 0
        self._failures = 0  # since the last batch that went through
        self._retry_ns = 0

    def write(self, drafts: Sequence[Draft], samples: Sequence[Sample], now_ns: int) -> None:
        """Make a batch durable, with whatever waits. An empty one opens, tries again and looks after the reserve."""
        for first in range(0, max(1, len(drafts)), LARGEST_BATCH):
            self._write(drafts[first : first + LARGEST_BATCH], () if first else samples, now_ns)

    def _write(self, drafts: Sequence[Draft], samples: Sequence[Sample], now_ns: int) -> None:
        room = WAITING_ENTRIES - len(self._waiting)
        self._waiting += drafts[:room]
        self.miss(max(0, len(drafts) - room), 0)
        is_early = self._store is None and now_ns < self._retry_ns
        if is_early or (not self._try(samples, now_ns) and not self._try(samples, now_ns)):
            self.miss(0, len(samples))
        self._tell(waiting_count=len(self._waiting))

    def miss(self, entries: int, samples: int) -> None:
        """Count entries and samples that are lost for good."""
        if entries or samples:
            self._untold_lost += entries
            before = self.health
            self._tell(lost_count=before.lost_count + entries, lost_samples_count=before.lost_samples_count + samples)

    def close(self, now_ns: int) -> None:
        """A last try for what waits, and let go of the file."""
        self._retry_ns = now_ns
        self.write([], [], now_ns)
        self._drop_store()

    def _try(self, samples: Sequence[Sample], now_ns: int) -> bool:
        """One attempt. False if room was made and another one may succeed."""
        try:
            store = self._store or self._open(now_ns)
            self._commit(store, samples, now_ns)
        except (sqlite3.Error, UnicodeDecodeError, OSError, Damaged) as error:
            if _is_full(error) and self._make_room():
                return False
            self.miss(0, len(samples))
            self._fail(error, now_ns)
        return True

    def _commit(self, store: Store, samples: Sequence[Sample], now_ns: int) -> None:
        is_roomy = self._look_after_reserve()
        kept = samples if is_roomy else ()
        drafts = [*self._recovery(now_ns), *self._waiting]
        if drafts:
            end = forge(store.last, drafts, self._boot)[-1]
            self._doubtful = (Link(end.seq, end.digest), len(self._waiting))
        if drafts or kept:
            store.append(drafts, kept, self._boot)
        self._doubtful, self._untold, self._untold_lost, self._failures = None, "", 0, 0
        self._waiting.clear()
        reason = "" if is_roomy else FULL
        if drafts:
            reason = self._mirror(store.last) or reason
        self.miss(0, len(samples) - len(kept))
        self._tell(degraded=bool(reason), reason=reason, last_seq=store.last.seq)

    def _recovery(self, now_ns: int) -> list[Draft]:
        """The entry that says what was missed, if anything was."""
        if not self._untold and not self._untold_lost:
            return []
        why = f"after {self._untold or 'more entries at once than the queue holds'}: {self._untold_lost} entries lost"
        kind = GAP if self._untold_lost else "recovery"
        return [Draft(now_ns, self._utc(now_ns), kind, "journal", str(self._untold_lost), why)]

    def _mirror(self, link: Link) -> str:
        """Mirror the head; what is wrong with the mirror, if anything (the entries themselves are durable)."""
        try:
            self._head.write(link)
        except OSError as error:
            return f"the mirror of the journal's head: {error}"
        return ""

    def _open(self, now_ns: int) -> Store:
        """The ladder. Raises what stands in the way of even an empty journal."""
        told = Draft(now_ns, self._utc(now_ns), GAP, "journal", "", "")
        try:
            store = open_store(self._disk, self._path, self._keep)
        except (Damaged, sqlite3.Error) as error:
            if not isinstance(error, Damaged) and not self._is_unreadable(error):
                raise
            alarm = salvage(self._disk, self._path, str(error), told, self._boot)
            store = open_store(self._disk, self._path, self._keep)
            self._head.reset(store.last)
            self._tell(alarm=alarm)
        self._store = store
        self._tell(last_seq=store.last.seq)
        self._compare_with_mirror(store, told)
        if self._doubtful is not None and store.holds(self._doubtful[0]):
            del self._waiting[: self._doubtful[1]]  # the commit that seemed to fail had gone through
        self._doubtful = None
        return store

    def _is_unreadable(self, error: sqlite3.Error) -> bool:
        return self._failures >= UNREADABLE_TIMES and getattr(error, "sqlite_errorcode", 0) in UNREADABLE

    def _compare_with_mirror(self, store: Store, told: Draft) -> None:
        mirrored = self._head.read()
        if mirrored is None or store.holds(mirrored):
            return
        why = (
            f"the journal ends at entry {store.last.seq}, its mirror says {mirrored.seq} with hash "
            f"{mirrored.digest.hex()[:16]}: entries are gone, or this is an older copy"
        )
        self._waiting.insert(0, told._replace(value=str(mirrored.seq), why=why))
        self._head.reset(store.last)
        self._tell(alarm=why)

    def _look_after_reserve(self) -> bool:
        """Keep the ballast in place while there is room; False while it is in use."""
        size = self._keep.ballast_bytes
        if not self._is_reserved and (self._ballast.exists() or self._disk.free_bytes(self._path) > 2 * size):
            try:
                self._disk.reserve(self._ballast, size)
                self._is_reserved = True
            except OSError:  # whatever it is, the next write says so better
                self._disk.release(self._ballast)
        return self._is_reserved

    def _make_room(self) -> bool:
        """Give the ballast and all telemetry for the decisions. True if there was something to give."""
        if not self._is_reserved:
            return False
        self._is_reserved = False
        self._disk.release(self._ballast)
        if self._store is not None:
            with suppress(sqlite3.Error):  # even that needs room for a moment
                self._store.forget_samples()
        return True

    def _fail(self, error: Exception, now_ns: int) -> None:
        self._drop_store()
        reason = " ".join(f"{self._path}: {error}".split())
        self._untold = self._untold or reason
        self._retry_ns = now_ns + min(LAST_RETRY_S, FIRST_RETRY_S << min(self._failures, 6)) * NS
        self._failures += 1
        self._tell(degraded=True, reason=reason, failures_count=self.health.failures_count + 1)

    def _drop_store(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None

    def _tell(self, **news: object) -> None:
        self.health = self.health._replace(**news)  # type: ignore[arg-type]  # fields by name, replaced whole


def _is_full(error: Exception) -> bool:
    if isinstance(error, OSError):
        return error.errno == errno.ENOSPC
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
