"""The trips that stand, on the disk beside the journal: what was latched stays latched over a restart or a power cut.

Two slots are written in turn, each with a number and a check, so that a torn write leaves the one before. A slot that
is damaged, or a file that is gone while the journal is there, is told as such: who reads it takes the safe side.
Written on the journal's thread, tried again until it goes through; a trip that the disk has not yet is not promised.

Neighbours: `core` hands over what stands, `cause_effect.kept` has the text. Must not know rows or causes.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pod_controller.cause_effect.kept import NOTHING_KNOWN, Kept, kept_of, text_of
from pod_controller.journal_disk import Disk

NS = 1_000_000_000
SLOT_BYTES = 32_768  # each of a hundred and more trips takes a hundred bytes
SECTOR_BYTES = 512
CHECK_CHARACTERS = 16
RETRY_S = 1
SUFFIX = ".trips"


class TripFile:
    """The file of one pod. `recall` once, at the start; then `keep` at every tick."""

    def __init__(self, disk: Disk, journal: Path, boot: str, submit: Callable[[Callable[[], None]], bool]) -> None:
        """Boot: which clock times belong to. submit: takes a task for another thread, or False."""
        self.trouble = ""  # what is wrong with it; empty if nothing
        self._disk, self._journal, self._boot, self._submit = disk, journal, boot, submit
        self._path = journal.with_name(journal.name + SUFFIX)
        self._number = 0
        self._asked: int | None = None  # which change is written, or on its way
        self._failed = False
        self._retry_ns = 0

    def recall(self) -> Kept:
        """What stood when it was last written; never raises. Without file and journal the pod is new: nothing did."""
        try:
            data = self._disk.read(self._path)
            is_new = not data and not self._path.exists() and not self._journal.exists()
        except OSError as error:
            self._complain(error)
            return NOTHING_KNOWN
        if is_new:
            self._begin()
            return Kept(self._boot)
        found = [_unpack(data[at : at + SLOT_BYTES]) for at in (0, SLOT_BYTES)]
        whole = [slot for slot in found if slot is not None]
        if not whole:
            return NOTHING_KNOWN
        self._number, kept = max(whole, key=lambda slot: slot[0])
        return kept._replace(is_whole=kept.is_whole and len(whole) == len(found))

    def keep(self, change: int, kept: Callable[[str], Kept], now_ns: int) -> None:
        """Have what stands written if it is another change than the last one; kept makes it, given the boot."""
        if self._failed:
            self._failed, self._asked, self._retry_ns = False, None, now_ns + RETRY_S * NS
        if change == self._asked or now_ns < self._retry_ns:
            return
        if self._submit(partial(self._write, text_of(kept(self._boot)))):
            self._asked = change

    def _begin(self) -> None:
        """An empty record, durable before there is a journal."""
        try:
            self._disk.create(self._path)
            self._disk.write(self._path, 0, _pack(0, text_of(Kept(self._boot))).ljust(SLOT_BYTES) * 2)
        except OSError as error:
            self._complain(error)

    def _write(self, text: str) -> None:
        """On the other thread."""
        number = self._number + 1
        try:
            if not self._path.exists():
                self._disk.create(self._path)
            self._disk.write(self._path, number % 2 * SLOT_BYTES, _pack(number, text))
        except OSError as error:
            self._complain(error)
            return
        self._number, self.trouble = number, ""

    def _complain(self, error: OSError) -> None:
        self.trouble = " ".join(f"{self._path}: {error}".split())
        self._failed = True


def _pack(number: int, text: str) -> bytes:
    """One line, in whole sectors. What does not fit a slot is written as damage: then everything counts as latched."""
    checked = f"{number} {text}"
    line = f"{_check(checked)} {checked}\n".encode()
    line = line if len(line) <= SLOT_BYTES else b"too much\n"
    return line.ljust(-(-len(line) // SECTOR_BYTES) * SECTOR_BYTES)


def _unpack(slot: bytes) -> tuple[int, Kept] | None:
    try:
        line, end, _ = slot.partition(b"\n")
        check, checked = (line if end else b"").decode().split(" ", 1)
        number, text = checked.split(" ", 1)
        kept = kept_of(text) if check == _check(checked) else None
        return None if kept is None else (int(number), kept)
    except ValueError:
        return None


def _check(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:CHECK_CHARACTERS]
