"""A disk that can be told what is wrong with it: full, read-only, failing, or hanging in every sync.

Neighbours: `logged_disk` for the calls of SQLite, tests of the journal. It knows nothing of entries.
"""

import errno
import threading

import apsw
from logged_disk import LoggedDisk

TROUBLES = ("full", "read_only", "failing_write", "failing_sync")
_CALLS = {
    "full": ("write", "reserve", "create"),
    "read_only": ("write", "reserve", "create", "truncate", "sync"),
    "failing_write": ("write",),
    "failing_sync": ("sync",),
}
_NUMBERS = {"full": errno.ENOSPC, "read_only": errno.EROFS, "failing_write": errno.EIO, "failing_sync": errno.EIO}
_CODES = {
    "full": apsw.SQLITE_FULL,
    "read_only": apsw.SQLITE_READONLY,
    "failing_write": apsw.SQLITE_IOERR_WRITE,
    "failing_sync": apsw.SQLITE_IOERR_FSYNC,
}


class AilingDisk(LoggedDisk):
    """Well until `trouble` is set to one of TROUBLES; `hangs` holds every sync while it is set."""

    def __init__(self) -> None:
        self.trouble = ""
        self.ballast = False
        self.fail_after_syncs = -1  # the sync after so many fails, once
        self.hangs = threading.Event()
        self.go_on = threading.Event()
        super().__init__(self._fault)

    def reserve(self, path: object, size: int) -> None:
        self._fault("reserve", "journal.db.ballast")
        self.ballast = True

    def release(self, path: object) -> None:
        self.ballast = False

    def _fault(self, kind: str, name: str) -> None:
        if kind == "sync" and self.hangs.is_set():
            self.go_on.wait(60.0)
        if kind == "sync" and self.fail_after_syncs >= 0:
            self.fail_after_syncs -= 1
            if self.fail_after_syncs < 0:
                raise apsw.exception_for(apsw.SQLITE_IOERR_FSYNC)
        if not self.trouble or kind not in _CALLS[self.trouble]:
            return
        if name.endswith((".db", "-journal")) and kind != "create":
            raise apsw.exception_for(_CODES[self.trouble])
        raise OSError(_NUMBERS[self.trouble], self.trouble)
