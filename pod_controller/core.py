"""The core between two ticks: requests of people, a new configuration, leaving; and what of it all is published.

    requests -> new configuration -> loop.tick -> ports, snapshot, service manager

Everything happens at tick boundaries in the control thread; other threads hand requests in through a bounded queue and
read the last snapshot. Neighbours: `core_process` drives it in real time, `control_socket` asks it, `loop` decides.
Must not know sockets, signals or threads, nor where time comes from.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

from hal.errors import PodError
from hal.port_watch import WatchedPort
from hal.values import Quality
from hal.watchdog import ServiceManager
from pod_controller.app import App
from pod_controller.commissioning.book import InForce
from pod_controller.commissioning.workshop import Workshop
from pod_controller.journal import Journal
from pod_controller.modes import State
from pod_controller.punctuality import Punctuality
from pod_controller.recorder import Recorder
from pod_controller.reload import Reload
from pod_controller.status import Snapshot, Surroundings
from pod_controller.telling import waits_for
from pod_controller.trip_file import TripFile

NS = 1_000_000_000
SETTLE_S = 5.0  # outputs are read back at their fail states within this, or four ticks where that is longer
FIRST_OPEN_S = 3.0
WAITING_MOST = 16
NOTICES_KEPT = 12
UNVERIFIED, REFUSED, BUSY = 431, 432, 433
WORK = ("recalibrate", "stroke", "bypass")


class Request(NamedTuple):
    """What a person wants: start, stop, hold, reset; a technician: recalibrate, stroke, bypass."""

    what: str
    reason: str
    who: str
    calibrations: InForce | None = None  # of `recalibrate`
    thing: str = ""  # of `stroke`: which element; of `bypass`: which tag or element, none ends it
    for_s: int = 0


class Log(Protocol):
    """Lines for whoever watches the process; must not wait either."""

    def info(self, text: str, /) -> None:
        """Good to know."""

    def warning(self, text: str, /) -> None:
        """Somebody should look."""


class Core:
    """One pod's core. `tick` is called at each deadline; `finished` tells when it may stop."""

    def __init__(
        self, app: App, journal: Journal, ports: Sequence[WatchedPort], manager: ServiceManager, log: Log
    ) -> None:
        self.app = app
        self.loop = app.loop
        self.snapshot: Snapshot | None = None
        self.scheduling = "ordinary"
        self.recorder: Recorder | None = None
        self.trip_file: TripFile | None = None
        self.workshop = Workshop(app.loop, journal, app.field.lost)
        self.finished = False
        self.verified = False
        self.punctuality = Punctuality(round(app.config.control.tick_s * NS))
        self._journal, self._ports, self._manager, self._log = journal, ports, manager, log
        self._waiting: deque[tuple[Request, Future[str]]] = deque()
        self._reload: Reload | None = None
        self._notices: deque[str] = deque(maxlen=NOTICES_KEPT)
        self._open = dict.fromkeys((port.line for port in ports), True)  # what has been told of them
        self._ready = False
        self._started_ns = self._leaving_ns = -1
        self._leave_by_ns = 0
        self._told = ""

    def ask(self, request: Request) -> "Future[str]":
        """From any thread: have a request considered at the next tick. PodError E433 when it cannot be."""
        if self.leaving:
            raise PodError(BUSY, "the core is leaving: ask again when it is back")
        if len(self._waiting) >= WAITING_MOST:
            raise PodError(BUSY, f"{len(self._waiting)} requests wait already: try again")
        answer: Future[str] = Future()
        self._waiting.append((request, answer))
        return answer

    def adopt(self, reload: Reload) -> None:
        """Take what reading the configuration again came to at the next tick."""
        self._reload = reload

    def leave(self, now_ns: int, why: str) -> None:
        """Every output to its fail state from now on; ticks go on until that is verified or time is up."""
        if self._leaving_ns >= 0:
            return
        tick_s = self.app.config.control.tick_s
        self._leaving_ns, self._leave_by_ns = now_ns, now_ns + round(max(SETTLE_S, 4.0 * tick_s) * NS)
        self._manager.stopping("outputs to their fail states")
        self._say(now_ns, "core", "leaving", why)
        self.loop.stop(now_ns)
        self._refuse_all(f"the core is leaving ({why}): ask again when it is back")

    @property
    def leaving(self) -> bool:
        """Whether the core has begun to leave."""
        return self._leaving_ns >= 0

    def surroundings(self, now_ns: int) -> Surroundings:
        """For `status`; may be called from another thread."""
        return Surroundings(
            self._started_ns,
            self.scheduling,
            self.punctuality,
            self._ports,
            self.app.field.health(),
            list(self._notices),
            self._journal.health(now_ns),
            self.recorder.trouble if self.recorder else "",
            self.trip_file.trouble if self.trip_file else "",
            self.workshop.calibrations,
            self.workshop.discrepancies,
            self.workshop.alarms.standing,
        )

    def tick(self, now_ns: int) -> None:
        """One tick. What goes wrong inside is raised after every output was told its fail state (see `loop`)."""
        if self._started_ns < 0:
            self._started_ns = now_ns
        self.punctuality.note(now_ns)
        if self._leaving_ns >= 0:
            self._settle(now_ns)
            return
        self._consider_requests(now_ns)
        self._take_configuration(now_ns)
        self.workshop.before_tick(now_ns)
        self.loop.tick(now_ns)
        self.workshop.after_tick(now_ns)
        self._keep_trips(now_ns)
        self._watch_ports(now_ns)
        self._publish(now_ns)
        self._tell_manager()

    def _settle(self, now_ns: int) -> None:
        self.verified = self.app.field.outputs_at_fail()
        self.finished = self.verified or now_ns >= self._leave_by_ns
        self._publish(now_ns)
        self._manager.alive()
        if self.finished:
            took_s = (now_ns - self._leaving_ns) / NS
            value = "verified" if self.verified else "NOT verified"
            self._say(now_ns, "outputs", value, f"read back at their fail states: {value} after {took_s:.1f} s")

    def _consider_requests(self, now_ns: int) -> None:
        while self._waiting:
            request, answer = self._waiting.popleft()
            if answer.set_running_or_notify_cancel():  # else whoever asked has gone away
                self._consider(now_ns, request, answer)

    def _consider(self, now_ns: int, request: Request, answer: "Future[str]") -> None:
        before = self.loop.modes.state
        if request.what in WORK:
            self._work(now_ns, request, answer)
            return
        accepted = self.loop.request(now_ns, request.what, request.reason, request.who)
        reached = self.loop.modes.state
        if accepted or request.what == "stop":  # a stop is never refused: there is nothing it could endanger
            self._journal.note(now_ns, "request", request.what, reached.value, request.reason, request.who)
            self._log.info(f"{request.what} by {request.who}: {before.value} -> {reached.value} ({request.reason})")
            answer.set_result(reached.value)
            return
        text = f"{request.what} is refused while the pod is {before.value}: {self._advice(request.what, before)}"
        self._journal.note(now_ns, "request", request.what, "refused", f"{request.reason}; {text}", request.who)
        answer.set_exception(PodError(REFUSED, text))

    def _work(self, now_ns: int, request: Request, answer: "Future[str]") -> None:
        """What a technician asks of the workshop."""
        try:
            if request.what == "bypass":
                self._bypass(now_ns, request)
            elif request.calibrations is not None:
                self.workshop.recalibrate(request.calibrations)
            else:
                self.workshop.stroke(request.thing, now_ns)
        except PodError as error:
            self._journal.note(now_ns, "request", request.what, "refused", f"{request.reason}; {error}", request.who)
            answer.set_exception(error)
            return
        self._journal.note(now_ns, "request", request.what, request.thing or "taken", request.reason, request.who)
        self._log.info(f"{request.what} {request.thing} by {request.who} ({request.reason})")
        answer.set_result(self.loop.modes.state.value)

    def _bypass(self, now_ns: int, request: Request) -> None:
        trips = self.loop.trips
        if request.thing:
            trips.begin_bypass(request.thing, request.for_s, request.reason, request.who, now_ns)
        elif not trips.end_bypass(request.reason, request.who):
            raise PodError(REFUSED, "no bypass is in force: there is nothing to end")

    def _advice(self, what: str, state: State) -> str:
        if what == "start" and state is State.STOPPED and self.loop.permit is not None:
            missing = waits_for(self.loop.topology, self.loop.state)
            shown = ", ".join(missing[:4]) + (f" and {len(missing) - 4} more" if len(missing) > 4 else "")
            return f"it waits for {shown}" if shown else "it is about to be armed: try again in a few ticks"
        ways = {
            "start": "it runs already",
            "hold": "only a running pod can be held",
            "reset": self.loop.trips.why_kept(),
        }
        return "reset it first" if what == "start" and state is State.ABORTED else ways[what]

    def _take_configuration(self, now_ns: int) -> None:
        reload, self._reload = self._reload, None
        if reload is None:
            return
        if reload.topology is not None:
            self.loop.adopt(reload.topology)
            self.workshop.discrepancies.adopt(reload.topology)
        value = "kept" if reload.topology is None else "applied"
        for text in reload.texts:
            self._say(now_ns, "configuration", value, text)

    def _keep_trips(self, now_ns: int) -> None:
        """What stands goes to the disk; the next core takes it up."""
        if self.trip_file is not None:
            trips = self.loop.trips
            self.trip_file.keep(trips.changes, lambda boot: trips.kept(boot, now_ns), now_ns)

    def _watch_ports(self, now_ns: int) -> None:
        for port in self._ports:
            if port.opened_count == 0 and now_ns - self._started_ns < FIRST_OPEN_S * NS:
                continue  # a connection takes its time
            if port.is_open != self._open[port.line]:
                self._open[port.line] = port.is_open
                value = "open" if port.is_open else "gone"
                why = (
                    f"port {port.port}{port.advice and '; '}{port.advice}"
                    if port.is_open
                    else f"port {port.port}: {port.last_error}; tried again"
                )
                self._say(now_ns, f"line {port.line}", value, why)

    def _publish(self, now_ns: int) -> None:
        loop = self.loop
        if loop.scan is not None and loop.permit is not None:
            self.snapshot = Snapshot(
                now_ns,
                self.punctuality.ticks,
                loop.modes.state.value,
                self.leaving,
                loop.deciding,
                loop.scan,
                loop.state,
                loop.permit,
                self.app.field.watchdogs_verified(),
                loop.trips.standing,
                loop.trips.bypass,
            )

    def _tell_manager(self) -> None:
        """Ready with the first scan in which the field answered; alive from then on, by this tick alone."""
        if not self._manager.listens:
            return
        state = self.loop.modes.state.value
        if not self._ready and self.loop.scan is not None:
            readings = self.loop.scan.readings.values()
            self._ready = any(reading.quality is Quality.GOOD for reading in readings)
            if self._ready:
                self._manager.ready(state)
        elif state != self._told:
            self._manager.tell(state)
        self._told = state
        self._manager.alive()

    def _refuse_all(self, text: str) -> None:
        while self._waiting:
            _, answer = self._waiting.popleft()
            if answer.set_running_or_notify_cancel():
                answer.set_exception(PodError(BUSY, text))

    def _say(self, now_ns: int, thing: str, value: str, why: str) -> None:
        """To the journal, to whoever watches, and into `status`."""
        self._journal.note(now_ns, "core", thing, value, why, "core")
        self._notices.append(f"{thing} {value}: {why}")
        (self._log.info if value in ("open", "applied", "verified", "leaving") else self._log.warning)(
            f"{thing} {value}: {why}"
        )
