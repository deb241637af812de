"""What the journal asks of the operating system: a database on a file, durable small writes, room kept in reserve.

A port, so that the write and sync calls can be recorded and made to fail one by one. Neighbours: `journal_store`,
`journal_head`. Must not know entries.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

BUSY_S = 1.0  # how long a commit waits for somebody who reads the journal
UNKNOWN_BOOT = "unknown"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Database(Protocol):
    """What the journal uses of `sqlite3.Connection`, in autocommit mode."""

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Any:
        """A cursor over the rows."""

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> Any:
        """The same statement for each row."""

    def close(self) -> None:
        """Let go of the file."""


class Disk(Protocol):
    """Everything that can be full, read-only, broken or slow."""

    def connect(self, path: Path) -> Database:
        """Open a database that exists."""

    def create(self, path: Path) -> None:
        """An empty file that survives a power cut from here on, with its name."""

    def write(self, path: Path, offset: int, data: bytes) -> None:
        """Put data at offset and return when it is durable."""

    def read(self, path: Path) -> bytes:
        """The whole of a small file; empty if there is none."""

    def free_bytes(self, path: Path) -> int:
        """Room for an ordinary user where path lies."""

    def reserve(self, path: Path, size: int) -> None:
        """A file that takes up size bytes."""

    def release(self, path: Path) -> None:
        """Give that room back."""


class SystemDisk:
    """The disk of the machine. Raises OSError and sqlite3.Error as they come."""

    def connect(self, path: Path) -> Database:
        """Autocommit, so that BEGIN and COMMIT stand where they are written."""
        return sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)

    def create(self, path: Path) -> None:
        """Create, sync, and sync the folder that names it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o640)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        sync_folder(path.parent)

    def write(self, path: Path, offset: int, data: bytes) -> None:
        """Pwrite and fdatasync."""
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o640)
        try:
            if os.pwrite(handle, data, offset) != len(data):
                raise OSError(f"{path}: only a part was written")
            os.fdatasync(handle)
        finally:
            os.close(handle)

    def read(self, path: Path) -> bytes:
        """The file's bytes, or none."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return b""

    def free_bytes(self, path: Path) -> int:
        """From statvfs."""
        stat = os.statvfs(path.parent)
        return stat.f_bavail * stat.f_frsize

    def reserve(self, path: Path, size: int) -> None:
        """posix_fallocate: real blocks, not a hole."""
        handle = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o640)
        try:
            os.posix_fallocate(handle, 0, size)
        finally:
            os.close(handle)

    def release(self, path: Path) -> None:
        """Unlink it; fine if it is gone already."""
        with suppress(FileNotFoundError):
            path.unlink()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def boot_id() -> str:
    """Which boot of the machine monotonic times belong to."""
    try:
        return BOOT_ID.read_text("ascii").strip()
    except OSError:
        return UNKNOWN_BOOT


class MemoryDisk(SystemDisk):
    """No disk at all: a journal that lives as long as its process."""

    def __init__(self) -> None:
        self._files: dict[Path, bytes] = {}

    def connect(self, path: Path) -> Database:
        """A database of its own, whatever path says."""
        return sqlite3.connect(":memory:", isolation_level=None)

    def create(self, path: Path) -> None:
        """Nothing to create."""

    def write(self, path: Path, offset: int, data: bytes) -> None:
        """Keep it."""
        before = self._files.get(path, b"").ljust(offset)
        self._files[path] = before[:offset] + data + before[offset + len(data) :]

    def read(self, path: Path) -> bytes:
        """What was kept."""
        return self._files.get(path, b"")

    def free_bytes(self, path: Path) -> int:
        """Enough."""
        return 1 << 40

    def reserve(self, path: Path, size: int) -> None:
        """Nothing to reserve."""

    def release(self, path: Path) -> None:
        """Nothing to give."""
