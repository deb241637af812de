"""The part of the control socket's answers that is about lines: `{"v": 1, "do": "bus", "what": ...}`.

    "reading", tag          the newest reading of a tag, with quality and age
    "lines"                 lines with protocol, port, speed and the number of the next piece that will pass
    "frames", line, since   what passed on a line from that piece on, and how many of them are lost already
    "stats"                 per device: asked, answered, faults by kind, late, latencies

Neighbours: `answers` passes questions on, `pod_controller.bus` asks them, `hal.bus.tap` remembers. Must not know
connections. Runs in the control socket's thread and only reads.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hal.bus.tap import BOUNDS_MS, LineTap, Timing
from hal.clock import Clock
from hal.description import load
from hal.device import Health
from hal.errors import PodError
from hal.line import ModbusLine
from pod_controller.core import Core
from pod_controller.status import Snapshot

FRAMES_MOST = 400
UNKNOWN = 437
_CLOCK_SET_NS = 50_000_000


class BusAnswers:
    """Answers about the lines of one core."""

    def __init__(self, core: Core, clock: Clock, taps: Sequence[LineTap]) -> None:
        self._core, self._clock = core, clock
        self._kept_offset_ns = 0
        self._taps = {tap.line.name: tap for tap in taps}

    def to(self, snapshot: Snapshot, asked: Mapping[str, Any]) -> dict[str, Any]:
        """One answer. PodError 437 for what is not known."""
        what = asked.get("what")
        if what == "reading":
            return _reading(snapshot, str(asked.get("tag", "")), self._clock.now_ns())
        if what == "lines":
            return {"lines": [_line(tap) for tap in self._taps.values()]}
        if what == "stats":
            return {
                "uptime_s": self._uptime_s(snapshot),
                "lines": [self._stats(snapshot, x) for x in self._taps.values()],
            }
        if what == "frames":
            return self._frames(str(asked.get("line", "")), asked.get("since", 0))
        raise PodError(UNKNOWN, "what of a line? reading, lines, stats or frames")

    def _uptime_s(self, snapshot: Snapshot) -> float:
        return round((snapshot.now_ns - self._core.surroundings(snapshot.now_ns).started_ns) * 1e-9, 3)

    def _frames(self, name: str, since: int) -> dict[str, Any]:
        """Pieces as rows: number, time in ns since 1970, sent by us, bytes in hex."""
        tap = self._taps.get(name)
        if tap is None:
            raise PodError(UNKNOWN, f"this core has no line {name[:20]!r}: its lines are {', '.join(self._taps)}")
        pieces, lost = tap.since(since, FRAMES_MOST)
        offset_ns = self._offset_ns()
        rows = [[piece.number, piece.at_ns + offset_ns, piece.sent, piece.data.hex()] for piece in pieces]
        return {"frames": rows, "next": pieces[-1].number + 1 if pieces else since, "lost": lost}

    def _offset_ns(self) -> int:
        """Civil time minus control time, a label for people; kept until the civil clock has been set."""
        civil_ns = round(datetime.fromisoformat(self._clock.utc_label()).timestamp() * 1e6) * 1000
        offset_ns = civil_ns - self._clock.now_ns()
        if abs(offset_ns - self._kept_offset_ns) > _CLOCK_SET_NS:
            self._kept_offset_ns = offset_ns
        return self._kept_offset_ns

    def _stats(self, snapshot: Snapshot, tap: LineTap) -> dict[str, Any]:
        healths = {health.device: health for health in self._core.app.field.health()}
        line = next((line for line in self._core.app.field.lines if line.name == tap.line.name), None)
        devices = [
            _device(device.name, device.unit, healths.get(device.name), tap.timings.get(device.unit))
            for device in snapshot.topology.config.device
            if device.line == tap.line.name
        ]
        stray = line.stray_bytes if isinstance(line, ModbusLine) else None
        return _line(tap) | {"stray_bytes": stray, "devices": devices}


def _line(tap: LineTap) -> dict[str, Any]:
    line = tap.line
    port = line.port or f"{line.host}:{line.tcp_port}"
    speed = {"baud": line.baud, "framing": line.framing}
    return {"line": line.name, "protocol": line.protocol, "port": port, **speed, "next": tap.next_number}


def _device(name: str, unit: int, health: Health | None, timing: Timing | None) -> dict[str, Any]:
    """One device; null where an instrument only speaks by itself."""
    row: dict[str, Any] = {"device": name, "unit": unit, "condition": None, "answered": None, "faults": {}}
    if health is not None:
        row |= {"condition": health.condition.name, "answered": health.answered, "faults": dict(health.faults)}
    if timing is None:
        return row | {"asked": None, "late": None, "worst_ms": None, "latency": None}
    shares = {f"within_p{share}_ms": _finite(timing.share_ms(share / 100.0)) for share in (50, 95, 99)}
    histogram = {"bounds_ms": list(BOUNDS_MS), "counts": list(timing.counts)}
    worst = {"late": timing.late, "worst_ms": round(timing.worst_ns * 1e-6, 2)}
    return row | {"asked": timing.asked, **worst, "latency": histogram | shares}


def _finite(bound_ms: float | None) -> float | None:
    return None if bound_ms is None or math.isinf(bound_ms) else bound_ms


def _reading(snapshot: Snapshot, tag: str, now_ns: int) -> dict[str, Any]:
    reading = snapshot.scan.readings.get(tag)
    if reading is None:
        known = ", ".join(sorted(snapshot.scan.readings))
        raise PodError(UNKNOWN, f"the core reads no tag {tag[:20]!r}: it reads {known}")
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
    for device in snapshot.topology.config.device:
        for name, own in device.tags.items():
            spec = load(device.type).point_named(name) if own == tag else None
            if spec is not None:
                return spec.unit
    return None
