"""The part of the control socket's answers that is about lines: `{"v": 1, "do": "bus", "what": ...}`.

    what = "reading", tag      the newest reading of a tag, with quality and age

Neighbours: `answers` passes questions on, `pod_controller.bus` asks them. Must not know connections.
"""

import math
from collections.abc import Mapping
from typing import Any

from hal.errors import PodError
from pod_controller.status import Snapshot

WHATS = ("reading",)
UNKNOWN_TAG = 437


def tell(snapshot: Snapshot, asked: Mapping[str, Any], now_ns: int) -> dict[str, Any]:
    """One answer. PodError 437 for what is not known."""
    return _reading(snapshot, str(asked.get("tag", "")), now_ns)


def _reading(snapshot: Snapshot, tag: str, now_ns: int) -> dict[str, Any]:
    reading = snapshot.scan.readings.get(tag)
    if reading is None:
        known = ", ".join(sorted(snapshot.scan.readings))
        raise PodError(UNKNOWN_TAG, f"the core reads no tag {tag[:20]!r}: it reads {known}")
    return {
        "tag": tag,
        "unit": None,
        "table": None,
        "address": None,
        "raw": [],
        "value": None if math.isnan(reading.value) else reading.value,
        "engineering_unit": _unit_of(snapshot, tag),
        "quality": reading.quality.name,
        "cause": reading.cause.name,
        "reading_age_s": round((now_ns - reading.taken_ns) * 1e-9, 3),
    }


def _unit_of(snapshot: Snapshot, tag: str) -> str | None:
    """The engineering unit of a tag, from the description of its device."""
    from hal.description import load

    for device in snapshot.topology.config.device:
        for name, own in device.tags.items():
            spec = load(device.type).point_named(name) if own == tag else None
            if spec is not None:
                return spec.unit
    return None
