"""The part of a running core that serves a technician: calibrations, one stroke at a time, outputs that disobey.

    before each tick   what is out of date; whether the stroked element shall be open
    after each tick    what its feedback says, and what the guard made of it; which outputs do not do as they are told

Neighbours: `core` calls, `answers` asks. Must not know sockets, files or how a tick is made.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from hal.calibration import Place
from hal.calibration_file import Book
from hal.errors import PodError
from hal.pod_io import Lost
from pod_controller.cause_effect.table import SENTENCES
from pod_controller.commissioning.book import InForce
from pod_controller.commissioning.discrepancy import Discrepancies
from pod_controller.commissioning.stroking import Stroking
from pod_controller.journal import Journal
from pod_controller.line_alarms import LineAlarms
from pod_controller.loop import Loop
from pod_controller.modes import State
from pod_controller.telling import waits_for
from pod_controller.topology import Topology

NO_STROKE, UNKNOWN_ELEMENT = 432, 437
AT_REST = (State.IDLE, State.HELD)  # armed, and nobody has started it: evidence is coherent, watchdogs are set
LEAST_END_FRAC = 0.02


class Workshop:
    """Belongs to one core, lives in its thread; `told` may be asked from others."""

    def __init__(self, loop: Loop, journal: Journal, lost: Callable[[], Lost]) -> None:
        self.calibrations = InForce({}, Book())
        self.places: Mapping[str, Place] = {}
        # The book as its file says now; whoever asks is in another thread than the tick.
        self.read: Callable[[], InForce] = partial(InForce, {}, Book())
        self.stroking: Stroking | None = None
        self.discrepancies = Discrepancies(loop.topology)
        self.alarms = LineAlarms(lost)
        self._loop, self._journal = loop, journal

    def calibrate(self, calibrations: InForce) -> None:
        """From the next sample on read through these curves."""
        self.calibrations = calibrations
        for tag, place in self.places.items():
            place.put(calibrations.curves.get(tag))

    def recalibrate(self, calibrations: InForce) -> None:
        """The same for a person. PodError E432 under a pod that runs: its levels and weights would jump."""
        if self._loop.modes.executes:
            state = self._loop.modes.state.value
            text = f"recalibrate is refused while the pod is {state}: levels and weights would jump; hold or stop it"
            raise PodError(NO_STROKE, text)
        self.calibrate(calibrations)

    def stroke(self, name: str, now_ns: int) -> None:
        """Begin a stroke of an element, named by itself or by its output; no name ends it. PodError E432 and E437."""
        if not name:
            self._end_stroke()
            return
        e = self._element(name)
        topology, state = self._loop.topology, self._loop.modes.state
        if state not in AT_REST:
            missing = waits_for(topology, self._loop.state) if state is State.STOPPED else []
            waits = f": it waits for {', '.join(missing[:4])}" if missing else ": it must be IDLE or HELD"
            raise PodError(NO_STROKE, f"no stroke while the pod is {state.value}{waits}")
        if self.stroking is not None and not self.stroking.over:
            raise PodError(NO_STROKE, f"{self.stroking.element} is being stroked: one at a time")
        element = topology.config.element[e]
        if _feedback(topology, e) is None:
            raise PodError(NO_STROKE, f"{element.name} has no position feedback: nothing could be measured")
        if not self._loop.state["proved_shut"][0, e]:
            raise PodError(NO_STROKE, f"{element.name} is not proved at its fail state: nothing to begin from")
        end_frac = max(LEAST_END_FRAC, element.position_error_frac)
        is_lid = topology.position_tags[e] is None
        self.stroking = Stroking(element.name, element.commands[0], element.stroke_s, end_frac, now_ns, is_lid)

    def _end_stroke(self) -> None:
        """A person ends the stroke: the element goes to its fail state with the next tick."""
        if self.stroking is None or self.stroking.over:
            raise PodError(NO_STROKE, "nothing is being stroked: there is nothing to end")
        self.stroking.fail("a person ended it")

    def before_tick(self, now_ns: int) -> None:
        """What is out of date, and the wish of a stroke."""
        for place in self.places.values():
            place.look(now_ns)
        stroking, state = self.stroking, self._loop.modes.state
        if stroking is not None and state not in AT_REST:
            stroking.fail(f"the pod is {state.value} now")
        wishes = stroking is not None and stroking.wishes
        self._loop.stroke = 1 + self._loop.topology.element(stroking.element) if stroking and wishes else 0

    def after_tick(self, now_ns: int) -> None:
        """Who is out of reach, what came of the commands, and of the wish of a stroke."""
        for item in self.alarms.look(now_ns):
            self._journal.note(now_ns, "alarm", item.thing, item.value, item.text, "core")
        stroking, loop = self.stroking, self._loop
        if loop.permit is None or loop.scan is None or loop.frame is None:
            return
        for news in self.discrepancies.look(loop.scan, loop.permit, now_ns):
            value = "began" if news.began else "ended"
            self._journal.note(now_ns, "discrepancy", news.element, value, news.text, "core")
        for told in self.discrepancies.effects.look(loop.frame, loop.state, loop.permit):
            value = "moves nothing" if told.began else "moves again"
            self._journal.note(now_ns, "effect", told.intake, value, told.text, "core")
        if stroking is None or stroking.over:
            return
        e = loop.topology.element(stroking.element)
        position = loop.scan.readings.get(_feedback(loop.topology, e) or "")
        rule, granted = int(loop.permit["rule"][0, e]), bool(loop.permit["grant_frac"][0, e] > 0.0)
        if stroking.tick(now_ns, position, granted, SENTENCES.get(rule, f"rule {rule}")):
            self._journal.note(now_ns, "stroke", stroking.element, stroking.phase, _result(stroking), "core")

    def told(self) -> dict[str, Any]:
        """The stroke that is under way or was the last one; empty if there was none."""
        return self.stroking.told() if self.stroking is not None else {}

    def _element(self, name: str) -> int:
        topology = self._loop.topology
        for e, element in enumerate(topology.elements):
            if name == element or name in topology.command_tags[e]:
                return e
        known = ", ".join(f"{tags[0]} ({x})" for x, tags in zip(topology.elements, topology.command_tags, strict=True))
        raise PodError(UNKNOWN_ELEMENT, f"no element is called {name[:40]!r}: there are {known}")


def _feedback(topology: Topology, e: int) -> str | None:
    """The tag that tells where an element is: its position, of a lid its lock switch."""
    return topology.position_tags[e] or topology.locked_tags[e]


def _result(stroking: Stroking) -> str:
    if stroking.open is None or stroking.shut is None:
        return stroking.why
    return f"opens in {stroking.open.in_words()}, shuts in {stroking.shut.in_words()}"
