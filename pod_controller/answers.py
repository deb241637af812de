"""Requests of the control socket and their answers: one JSON object a line, `"v": 1` in each.

    {"v": 1, "do": "status", "of_ticks": 600}      {"v": 1, "do": "why", "inlet": "gate_1"}
    {"v": 1, "do": "bus", "what": ...}              bus_answers: lines, frames, readings
    {"v": 1, "do": "start" | "stop" | "hold" | "reset", "reason": "..."}

An answer is `{"v": 1, "ok": true, ...}` or `{"v": 1, "ok": false, "code": 4xx, "text": "E4xx ..."}`. What is asked
twice within a tick is worked out once. Neighbours: `control_socket` carries lines, `core` considers requests, `status`
and `explain` tell. Must not know connections.
"""

import json
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from hal.clock import Clock
from hal.errors import PodError
from pod_controller import bus_answers, explain
from pod_controller.core import Core, Request
from pod_controller.punctuality import REMEMBERED
from pod_controller.status import Snapshot, status

VERSION = 1
REQUESTS = ("start", "stop", "hold", "reset")
QUESTIONS = ("status", "why", "bus")
KEYS = {"v": int, "do": str, "reason": str, "inlet": str, "of_ticks": int}
KEYS |= {"what": str, "tag": str, "line": str, "since": int}  # of questions about lines
REASON_MOST = 200
KEPT_MOST = 64
NOT_A_REQUEST, OTHER_VERSION, NO_TICK_YET, UNKNOWN_INLET = 434, 435, 436, 437


class Answers:
    """Answers for one core. Used from one thread only, which is not the core's."""

    def __init__(self, core: Core, clock: Clock) -> None:
        self._core = core
        self._clock = clock
        self._kept: dict[tuple[Any, ...], bytes] = {}
        self._kept_tick = -1

    def to(self, line: bytes, who: str) -> "bytes | Future[str]":
        """The answer to one line; a request of a person is answered by the core's next tick. Raises PodError 43x."""
        asked = parse(line)
        do = asked["do"]
        if do in REQUESTS:
            return self._core.ask(Request(do, _clean(asked.get("reason", "")) or "no reason given", who))
        snapshot = self._core.snapshot
        if snapshot is None:
            raise PodError(NO_TICK_YET, "the core has not ticked yet: try again")
        if snapshot.tick != self._kept_tick or len(self._kept) >= KEPT_MOST:
            self._kept.clear()
            self._kept_tick = snapshot.tick
        if do == "bus":
            return good(bus_answers.tell(snapshot, asked, self._clock.now_ns()))
        key = (do, asked.get("inlet"), asked.get("of_ticks"))
        if key not in self._kept:
            self._kept[key] = good(self._tell(snapshot, asked))
        return self._kept[key]

    def _tell(self, snapshot: Snapshot, asked: Mapping[str, Any]) -> dict[str, Any]:
        now_ns = self._clock.now_ns()
        head = {"utc": self._clock.utc_label(), "age_s": round((now_ns - snapshot.now_ns) * 1e-9, 3)}
        if asked["do"] == "status":
            of_ticks = min(max(asked.get("of_ticks", REMEMBERED), 1), REMEMBERED)
            return head | status(snapshot, self._core.surroundings(now_ns), of_ticks)
        inlet = asked.get("inlet")
        if inlet is not None and not explain.names_of(snapshot.topology, inlet):
            known = (*snapshot.topology.chutes, *snapshot.topology.intakes, *explain.inlets(snapshot.topology))
            raise PodError(UNKNOWN_INLET, f"no inlet is called {_clean(inlet)[:40]!r}: there are {', '.join(known)}")
        return head | explain.why(snapshot.topology, snapshot.state, snapshot.permit, snapshot.mode, inlet)


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
