"""Entries of the journal and the chain they form: each carries sha256(hash of the one before || its own text).

A single changed bit anywhere in an entry, or an entry taken out, put in or moved, breaks the chain at that entry. The
chain has no key: it shows damage and clumsy hands, not somebody who writes the whole file anew; against that the newest
hash has to be kept where that person cannot write.

Neighbours: `journal_store` keeps entries in a file, `journal` and the verbs make and read them. Must not know files.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import NamedTuple

DIGEST_BYTES = 32
RETENTION = "retention"
GAP = "gap"


class Draft(NamedTuple):
    """An entry that has no place in the chain yet. utc is a label for people; order is seq, time is mono_ns."""

    mono_ns: int
    utc: str
    kind: str
    thing: str
    value: str
    why: str
    who: str = "core"
    rule: int | None = None
    vessel: str | None = None


class Sample(NamedTuple):
    """Telemetry: worth keeping while there is room, the first to go."""

    mono_ns: int
    utc: str
    name: str
    value: float


class Link(NamedTuple):
    """Where a chain ends: the number and the hash of its newest entry."""

    seq: int
    digest: bytes


class Entry(NamedTuple):
    """One row as it lies in the file."""

    seq: int
    body: bytes
    digest: bytes


class Break(NamedTuple):
    """The first entry that does not fit, and why."""

    seq: int
    why: str


class Followed(NamedTuple):
    """How far a chain could be followed. dropped: what the newest retention entry says was taken off its start."""

    end: Link
    broken: Break | None
    dropped: str


GENESIS = Link(0, hashlib.sha256(b"biorecycling pod journal 1").digest())


def body_of(draft: Draft, seq: int, boot: str) -> bytes:
    """The canonical text of an entry: JSON in ASCII, keys sorted, no spaces. boot: which clock mono_ns is of."""
    return json.dumps(
        draft._asdict() | {"seq": seq, "boot": boot}, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("ascii")


def after(link: Link, body: bytes) -> Link:
    """The chain one entry further."""
    return Link(link.seq + 1, hashlib.sha256(link.digest + body).digest())


def forge(link: Link, drafts: Iterable[Draft], boot: str) -> list[Entry]:
    """Entries for drafts, following on link."""
    entries = []
    for draft in drafts:
        body = body_of(draft, link.seq + 1, boot)
        link = after(link, body)
        entries.append(Entry(link.seq, body, link.digest))
    return entries


def follow(start: Link, rows: Iterable[tuple[object, object, object]]) -> Followed:
    """Follow rows (seq, body, digest) of whatever types damage left; stops at the first that does not fit."""
    link, dropped = start, ""
    for seq, body, digest in rows:
        if not isinstance(seq, int) or seq != link.seq + 1:
            return Followed(link, Break(link.seq + 1, f"is missing; the next one is numbered {seq!r}"), dropped)
        if not isinstance(body, bytes) or not isinstance(digest, bytes):
            return Followed(link, Break(seq, "is not text with a hash"), dropped)
        reached = after(link, body)
        if reached.digest != digest:
            return Followed(link, Break(seq, "does not give its hash: it, or the hash before it, was changed"), dropped)
        link = reached
        if b'"kind":"retention"' in body:
            dropped = str(json.loads(body)["why"])
    return Followed(link, None, dropped)


def dropped_text(link: Link) -> str:
    """How a retention entry names the last entry that was taken away."""
    return f"entries up to {link.seq}, hash {link.digest.hex()}, made room for newer ones"
