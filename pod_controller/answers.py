"""Requests of the control socket and their answers: one JSON object a line, `"v": 1` in each.

    {"v": 1, "do": "status", "of_ticks": 600}      {"v": 1, "do": "why", "inlet": "gate_1"}
    {"v": 1, "do": "bus", "what": ...}              bus_answers: lines, frames, readings
    {"v": 1, "do": "start" | "stop" | "hold" | "reset" | "recalibrate", "reason": "..."}
    {"v": 1, "do": "reading", "tag": "WT-101"}      {"v": 1, "do": "stroke", "thing": "FV-101"}, then "stroked"
                                                    without thing: ends the stroke
    {"v": 1, "do": "tag", "tag": "LT-201"}          tag_view: step by step
    {"v": 1, "do": "bypass", "thing": "PT-312", "for_s": 1800, "reason": "..."}    without thing: ends it

An answer is `{"v": 1, "ok": true, ...}` or `{"v": 1, "ok": false, "code": 4xx, "text": "E4xx ..."}`. What is asked
twice within a tick is worked out once. Neighbours: `control_socket` carries lines, `core` considers requests, `status`
and `explain` tell. Must not know connections.
"""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from hal.bus.tap import LineTap
from hal.clock import Clock
from hal.errors import PodError
from hal.values import Quality
from pod_controller import explain, tag_view, telling
from pod_controller.bus_answers import BusAnswers
from pod_controller.core import Core, Request
from pod_controller.punctuality import REMEMBERED
from pod_controller.status import Snapshot, status

VERSION = 1
REQUESTS = ("start", "stop", "hold", "reset", "recalibrate", "stroke", "bypass")
QUESTIONS = ("status", "why", "bus", "reading", "stroked", "outputs", "tag")
KEYS = {"v": int, "do": str, "reason": str, "inlet": str, "of_ticks": int, "for_s": int}
KEYS |= {"what": str, "tag": str, "line": str, "since": int, "thing": str}  # of questions about lines and tags
REASON_MOST = 200
KEPT_MOST = 64
NOT_A_REQUEST, OTHER_VERSION, NO_TICK_YET, UNKNOWN_INLET, UNKNOWN_TAG = 434, 435, 436, 437, 473


class Answers:
    """Answers for one core. Used from one thread only, which is not the core's."""

    def __init__(self, core: Core, clock: Clock, taps: Sequence[LineTap] = ()) -> None:
        self._core = core
        self._bus = BusAnswers(core, clock, taps)
        self._clock = clock
        self._kept: dict[tuple[Any, ...], bytes] = {}
        self._kept_tick = -1

    def to(self, line: bytes, who: str) -> "bytes | Future[str]":
        """The answer to one line; a request of a person is answered by the core's next tick. Raises PodError 43x."""
        asked = parse(line)
        do = asked["do"]
        if do in REQUESTS:
            # Read here: a disk that hangs keeps this thread waiting and no tick.
            calibrations = self._core.workshop.read() if do == "recalibrate" else None
            reason, thing = _clean(asked.get("reason", "")), _clean(asked.get("thing", ""))
            if do != "bypass":
                reason = reason or "no reason given"
            return self._core.ask(Request(do, reason, who, calibrations, thing, asked.get("for_s", 0)))
        snapshot = self._core.snapshot
        if snapshot is None:
            raise PodError(NO_TICK_YET, "the core has not ticked yet: try again")
        if snapshot.tick != self._kept_tick or len(self._kept) >= KEPT_MOST:
            self._kept.clear()
            self._kept_tick = snapshot.tick
        if do == "bus":
            return good(self._bus.to(snapshot, asked))
        key = (do, asked.get("inlet"), asked.get("of_ticks"), asked.get("tag"))
        if key not in self._kept:
            self._kept[key] = good(self._tell(snapshot, asked))
        return self._kept[key]

    def _tell(self, snapshot: Snapshot, asked: Mapping[str, Any]) -> dict[str, Any]:
        now_ns = self._clock.now_ns()
        head = {"utc": self._clock.utc_label(), "age_s": round((now_ns - snapshot.now_ns) * 1e-9, 3)}
        if asked["do"] == "status":
            of_ticks = min(max(asked.get("of_ticks", REMEMBERED), 1), REMEMBERED)
            return head | status(snapshot, self._core.surroundings(now_ns), of_ticks)
        if asked["do"] == "outputs":
            watch = self._core.workshop.discrepancies
            rows = watch.rows(snapshot.topology, snapshot.scan, snapshot.permit, snapshot.now_ns)
            return head | {"outputs": rows, "discrepancies": watch.standing()}
        if asked["do"] == "stroked":
            return head | {"stroke": self._core.workshop.told()}
        if asked["do"] == "reading":
            return head | self._reading(snapshot, asked.get("tag", ""), now_ns)
        if asked["do"] == "tag":
            return head | self._tag(snapshot, asked.get("tag", ""), now_ns)
        inlet = asked.get("inlet")
        if inlet is not None and not explain.names_of(snapshot.topology, inlet):
            known = (*snapshot.topology.chutes, *snapshot.topology.intakes, *explain.inlets(snapshot.topology))
            raise PodError(UNKNOWN_INLET, f"no inlet is called {_clean(inlet)[:40]!r}: there are {', '.join(known)}")
        told = explain.why(snapshot.topology, snapshot.state, snapshot.permit, snapshot.mode, inlet)
        return head | told | {"feed": telling.digester(snapshot.topology, snapshot.state, snapshot.now_ns)}

    def _tag(self, snapshot: Snapshot, tag: str, now_ns: int) -> dict[str, Any]:
        """One tag, step by step: an input from its raw words on, an output with its proof."""
        source = self._core.app.field.source(tag)
        if source is not None:
            return tag_view.input_view(snapshot, source, self._core.loop.watch.judged(tag), now_ns)
        if any(tag in tags for tags in snapshot.topology.command_tags):
            return tag_view.output_view(snapshot, tag, now_ns)
        known = ", ".join(sorted([*snapshot.scan.readings, *snapshot.scan.acks]))
        raise PodError(UNKNOWN_TAG, f"no tag is called {_clean(tag)[:40]!r}: there are {known}")

    def _reading(self, snapshot: Snapshot, tag: str, now_ns: int) -> dict[str, Any]:
        """One input as the tick saw it, and as its instrument gave it; null for a value that is BAD."""
        reading, place = snapshot.scan.readings.get(tag), self._core.workshop.places.get(tag)
        if reading is None:
            known = ", ".join(sorted(snapshot.scan.readings))
            raise PodError(UNKNOWN_TAG, f"no input is called {_clean(tag)[:40]!r}: there are {known}")
        is_bad = reading.quality is Quality.BAD
        return {
            "tag": tag,
            "value": None if is_bad else reading.value,
            "quality": reading.quality.name,
            "cause": reading.cause.name,
            "uncalibrated": None if is_bad else reading.value if place is None else place.raw_value,
            "sampled_s": round(reading.taken_ns * 1e-9, 3),
            "sample_age_s": round((now_ns - reading.taken_ns) * 1e-9, 3) if reading.taken_ns else None,
        }


def parse(line: bytes) -> dict[str, Any]:
    """A request as a dictionary with known keys of the right types. PodError E434 or E435."""
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError):
        raise PodError(NOT_A_REQUEST, "this line is not JSON: send one object a line") from None
    if not isinstance(asked, dict):
        raise PodError(NOT_A_REQUEST, 'a request is one JSON object, as {"v": 1, "do": "status"}')
    version = asked.get("v")
    if type(version) is not int or version != VERSION:
        raise PodError(OTHER_VERSION, f"this core speaks version {VERSION} only: send it as v, or update podctl")
    wrong = [key for key, value in asked.items() if KEYS.get(key) is not type(value)]
    if wrong:
        raise PodError(NOT_A_REQUEST, f"{_clean(wrong[0])[:40]!r} is no key of a request, or of another type")
    if asked.get("do") not in (*REQUESTS, *QUESTIONS):
        raise PodError(NOT_A_REQUEST, f"do is one of {', '.join((*QUESTIONS, *REQUESTS))}")
    return asked


def good(content: Mapping[str, Any]) -> bytes:
    """An answer as a line."""
    return json.dumps({"v": VERSION, "ok": True, **content}, allow_nan=False).encode() + b"\n"


def refusal(error: PodError) -> bytes:
    """A numbered refusal as a line."""
    return json.dumps({"v": VERSION, "ok": False, "code": error.code, "text": str(error)}).encode() + b"\n"


def _clean(text: str) -> str:
    """What a person may put into a journal: one line of printable characters, not endless."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:REASON_MOST]).strip()
