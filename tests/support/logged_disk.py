"""A disk that writes down every write, truncation, sync and name, and what a power cut at any of them may leave behind.

SQLite's own unix file system lies underneath; its calls go through here and into a log. `images` plays the log against
a strict disk: what was not synced is there or not, op by op or sector by sector, in any combination; a new name is
there once its file was synced (SQLite syncs the folder then) or it was made durable on purpose. Neighbour: tests of the
journal. It knows nothing of entries.
"""

import itertools
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import apsw

from pod_controller.journal_disk import Database, SystemDisk

SECTOR_BYTES = 512
MODELS = ("drop", "all", "random", "torn")
_numbers = itertools.count()


class Op(NamedTuple):
    """One thing that reached the disk: create, write, truncate, sync, delete, ack. number: offset, size or entry."""

    kind: str
    name: str
    number: int = 0
    data: bytes = b""


Fault = Callable[[str, str], None]  # (kind, name): may raise before it happens, or take its time


class LoggedVfs(apsw.VFS):
    """SQLite's unix file system with a log, and a fault before any of its calls."""

    def __init__(self, log: list[Op], fault: Fault) -> None:
        self.name = f"logged-{next(_numbers)}"
        self.log, self.fault = log, fault
        super().__init__(self.name, base="")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self.fault("open", Path(path).name)
        if not Path(path).exists():
            self.log.append(Op("create", Path(path).name))
        return LoggedFile(self, path, flags)

    def xDelete(self, name: str, syncdir: bool) -> None:  # noqa: N802
        self.fault("delete", Path(name).name)
        super().xDelete(name, syncdir)
        self.log.append(Op("delete", Path(name).name, int(syncdir)))


class LoggedFile(apsw.VFSFile):
    """One open file."""

    def __init__(self, vfs: LoggedVfs, path: str, flags: list[int]) -> None:
        super().__init__("", path, flags)
        self._name, self._vfs = Path(path).name, vfs

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._vfs.fault("write", self._name)
        super().xWrite(data, offset)
        self._vfs.log.append(Op("write", self._name, offset, bytes(data)))

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        self._vfs.fault("truncate", self._name)
        super().xTruncate(newsize)
        self._vfs.log.append(Op("truncate", self._name, newsize))

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._vfs.fault("sync", self._name)
        super().xSync(flags)
        self._vfs.log.append(Op("sync", self._name))


class ApswDatabase:
    """An apsw connection that raises what sqlite3 would."""

    def __init__(self, path: Path, vfs: str) -> None:
        self._connection = _as_sqlite3(apsw.Connection, str(path), vfs=vfs)

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Any:
        return _as_sqlite3(self._connection.execute, sql, values)

    def executemany(self, sql: str, rows: Sequence[Sequence[Any]], /) -> Any:
        return _as_sqlite3(self._connection.executemany, sql, rows)

    def close(self) -> None:
        _as_sqlite3(self._connection.close)


def _as_sqlite3(call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    try:
        return call(*arguments, **named)
    except apsw.Error as error:
        translated = sqlite3.OperationalError(str(error))
        translated.sqlite_errorcode = getattr(error, "extendedresult", 0)
        raise translated from error


class LoggedDisk(SystemDisk):
    """A SystemDisk in which everything is logged and anything may be made to fail."""

    def __init__(self, fault: Fault = lambda kind, name: None) -> None:
        self.log: list[Op] = []
        self._fault = fault
        self._vfs = LoggedVfs(self.log, fault)

    def connect(self, path: Path) -> Database:
        return ApswDatabase(path, self._vfs.name)

    def create(self, path: Path) -> None:
        self._fault("create", path.name)
        super().create(path)
        self.log += [Op("create", path.name), Op("sync", path.name)]

    def write(self, path: Path, offset: int, data: bytes) -> None:
        self._fault("write", path.name)
        if not path.exists():
            self.log.append(Op("create", path.name))
        super().write(path, offset, data)
        self.log += [Op("write", path.name, offset, data), Op("sync", path.name)]

    def reserve(self, path: Path, size: int) -> None:
        self._fault("reserve", path.name)

    def acknowledge(self, seq: int) -> None:
        """From here on entry seq must survive everything."""
        self.log.append(Op("ack", "", seq))


class Image(NamedTuple):
    """What a cut left, and the newest entry that must be in it."""

    position: int
    model: str
    files: dict[str, bytes]
    acknowledged: int


def images(log: Sequence[Op], seeds: int, every: int, before: Image | None = None) -> Iterator[Image]:
    """Cuts at every position, by every model (random ones with that many seeds); of all these each `every`-th.

    before: what lay on the disk, durable, when the log began.
    """
    disk, acknowledged, count = _Platter(before.files if before else {}), before.acknowledged if before else 0, 0
    for position, op in enumerate([*log, Op("ack", "")]):
        for model in MODELS:
            for seed in range(seeds if model in ("random", "torn") else 1):
                count += 1
                if count % every == 0:
                    files = disk.after_cut(model, random.Random(f"{position} {model} {seed}"))
                    yield Image(position, model, files, acknowledged)
        acknowledged = max(acknowledged, op.number) if op.kind == "ack" else acknowledged
        disk.take(op)


class _Platter:
    """What is durable, and what is on its way."""

    def __init__(self, durable: dict[str, bytes]) -> None:
        self._durable = dict(durable)
        self._pending: dict[str, list[Op]] = {}

    def take(self, op: Op) -> None:
        if op.kind == "delete" and op.number:
            self._durable.pop(op.name, None)
            self._pending.pop(op.name, None)
        elif op.kind in ("create", "write", "truncate", "delete"):
            self._pending.setdefault(op.name, []).append(op)
        elif op.kind == "sync":
            self._durable[op.name] = _applied(self._durable.get(op.name, b""), self._pending.pop(op.name, []))

    def after_cut(self, model: str, dice: random.Random) -> dict[str, bytes]:
        files = dict(self._durable)
        if model == "drop":
            return files
        for name, ops in self._pending.items():
            files.pop(name, None)
            content = self._after_cut(name, ops, model, dice)
            if content is not None:
                files[name] = content
        return files

    def _after_cut(self, name: str, ops: list[Op], model: str, dice: random.Random) -> bytes | None:
        """What is in one file of which not everything is durable; None if its name is not there."""
        content = self._durable.get(name)
        deletion = max((at for at, op in enumerate(ops) if op.kind == "delete"), default=-1)
        if deletion >= 0 and (model == "all" or dice.random() < 0.5):
            content, ops = None, ops[deletion + 1 :]
        elif deletion >= 0:
            ops = ops[:deletion]
        is_named = content is not None or (bool(ops) and (model == "all" or dice.random() < 0.5))
        pieces = [piece for op in ops for piece in _pieces(op, model) if model == "all" or dice.random() < 0.5]
        return _applied(content or b"", pieces) if is_named else None


def _pieces(op: Op, model: str) -> list[Op]:
    if op.kind != "write" or model != "torn":
        return [op]
    sectors = range(0, len(op.data), SECTOR_BYTES)
    return [op._replace(number=op.number + at, data=op.data[at : at + SECTOR_BYTES]) for at in sectors]


def _applied(content: bytes, ops: Sequence[Op]) -> bytes:
    for op in ops:
        if op.kind == "delete":
            content = b""
        elif op.kind == "truncate":
            content = content[: op.number].ljust(op.number, b"\0")
        elif op.kind == "write":
            content = content.ljust(op.number, b"\0")
            content = content[: op.number] + op.data + content[op.number + len(op.data) :]
    return content
