"""What stands of the trips, as a text that survives a restart of the core: rows, what tripped first, the bypass.

Neighbours: `trips` makes it and takes it back, `trip_file` puts it on a disk. Must not know disks or causes.
"""

import json
import math
from typing import Any, NamedTuple


class Stood(NamedTuple):
    """One trip that stood: row id, the unit it sat on, when it tripped on the monotonic clock of its boot."""

    row: int
    kind: str
    unit: str
    since_ns: int
    first_out: bool


class KeptBypass(NamedTuple):
    """The bypass: until_ns on the clock of its boot, and how much of it was left when this was written."""

    thing: str
    until_ns: int
    left_s: float
    reason: str
    who: str


class Kept(NamedTuple):
    """All that stood, oldest first. boot: which clock its times belong to; is_whole: nothing of it was damaged."""

    boot: str
    stood: tuple[Stood, ...] = ()
    bypass: KeptBypass | None = None
    is_whole: bool = True


NOTHING_KNOWN = Kept("", is_whole=False)


def text_of(kept: Kept) -> str:
    """One line of JSON."""
    bypass = None if kept.bypass is None else list(kept.bypass)
    return json.dumps([kept.boot, [list(stood) for stood in kept.stood], bypass], separators=(",", ":"))


def kept_of(text: str) -> Kept | None:
    """What a line says; None for anything that is no such line."""
    try:
        boot, stood, bypass = json.loads(text)
        return Kept(_text(boot), tuple(_stood(each) for each in stood), None if bypass is None else _bypass(bypass))
    except (ValueError, TypeError, RecursionError):
        return None


def _stood(told: Any) -> Stood:
    row, kind, unit, since_ns, first_out = told
    return Stood(_whole(row), _text(kind), _text(unit), _whole(since_ns), first_out is True)


def _bypass(told: Any) -> KeptBypass:
    thing, until_ns, left_s, reason, who = told
    if not isinstance(left_s, int | float) or not math.isfinite(left_s):
        raise ValueError("no time")
    return KeptBypass(_text(thing), _whole(until_ns), float(left_s), _text(reason), _text(who))


def _text(told: Any) -> str:
    if not isinstance(told, str):
        raise TypeError("no text")
    return told


def _whole(told: Any) -> int:
    if not isinstance(told, int):
        raise TypeError("no whole number")
    return told
