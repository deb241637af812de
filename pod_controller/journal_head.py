"""The newest link of the chain, mirrored to a second small file: it shows that the end of the journal is gone.

Two slots of one sector each are written in turn, so that a torn write leaves the older one. The mirror is written after
the commit: it is behind the journal, never ahead of it, unless entries were lost or an older copy was put back.

Neighbour: `journal_store`. Must not know SQLite.
"""

import hashlib
from pathlib import Path

from pod_controller.journal_chain import DIGEST_BYTES, Link
from pod_controller.journal_disk import Disk

SLOT_BYTES = 512
CHECK_CHARACTERS = 16


class Head:
    """The mirror of one journal."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._path = path
        self._turn = 0

    def read(self) -> Link | None:
        """The newest link that was mirrored whole; None without one."""
        data = self._disk.read(self._path)
        found = [_unpack(data[at : at + SLOT_BYTES]) for at in (0, SLOT_BYTES)]
        return max((link for link in found if link is not None), default=None)

    def write(self, link: Link) -> None:
        """Mirror one link; durable on return."""
        self._turn = 1 - self._turn
        self._disk.write(self._path, self._turn * SLOT_BYTES, _pack(link))

    def reset(self, link: Link) -> None:
        """Forget every older link: the chain was cut back on purpose."""
        self._disk.write(self._path, 0, _pack(link) * 2)


def _pack(link: Link) -> bytes:
    text = f"{link.seq} {link.digest.hex()}"
    return f"{text} {_check(text)}\n".ljust(SLOT_BYTES).encode("ascii")


def _unpack(slot: bytes) -> Link | None:
    try:
        seq, digest, check = slot.decode("ascii").split()
        link = Link(int(seq), bytes.fromhex(digest))
    except ValueError:
        return None
    is_whole = check == _check(f"{seq} {digest}") and len(link.digest) == DIGEST_BYTES
    return link if is_whole else None


def _check(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:CHECK_CHARACTERS]
