"""The tick: scan, frame, step, commands, and a line in the journal. Read this file first.

    readings -> SignalWatch -> FrameBuilder -> FRAME -> trips -> step -> PERMIT -> Commands -> pod_io.apply

Nothing here decides: `modes` says whether wishes may count at all, `trips` which elements stay at their fail
state, `step` everything else. A mistake (an exception) closes every output once, marks the pod ABORTED and goes on to
whoever started the loop.

Neighbours: `app` builds it, a runner or the simulator's executive calls `tick` at each deadline. Must not know lines,
registers or kernels.
"""

from collections.abc import Callable
from typing import Protocol

from hal.values import Command, Scan
from pod_controller.cause_effect.trips import News, Trips
from pod_controller.frame import FrameBuilder
from pod_controller.hands import Hands
from pod_controller.journal import Journal
from pod_controller.kernels.records import Table
from pod_controller.kernels.rules import FEED_FREE
from pod_controller.modes import Modes, State, coherent, in_sight
from pod_controller.signal_watch import SignalWatch
from pod_controller.step import Event, first_state, step
from pod_controller.telling import feed_text
from pod_controller.topology import Topology

Step = Callable[[Table, Table, Table], tuple[Table, Table, list[Event]]]


class Field(Protocol):
    """What the loop needs of `hal.pod_io.PodIO`."""

    def scan(self, now_ns: int) -> Scan:
        """The newest reading of every tag and the newest proof of every output."""

    def apply(self, commands: list[Command], now_ns: int) -> None:
        """Write these commands."""

    def safe_state(self, now_ns: int) -> None:
        """Write every output's fail state."""

    def watchdogs_verified(self) -> bool:
        """True once every output module has shown that its own watchdog is set."""


class Loop:
    """One pod's tick and what it remembers between ticks."""

    def __init__(self, topology: Topology, field: Field, journal: Journal, decide: Step = step) -> None:
        self.topology = self.deciding = topology  # deciding: with what people hold open, in the newest tick
        self.modes = Modes()
        self.trips = Trips(topology)
        self.state = first_state()
        self.permit: Table | None = None
        self.frame: Table | None = None
        self.scan: Scan | None = None
        self.stroke = 0  # 1 + the element that a technician strokes while nothing else runs
        self._field = field
        self._journal = journal
        self._step = decide
        self._hands = Hands()
        self._frames = FrameBuilder(topology)
        self.watch = SignalWatch(topology)
        self._lease_ns = int(topology.config.control.tick_s * 2e9)
        self._outputs = [(e, tag) for e, tags in enumerate(topology.command_tags) for tag in tags]

    def tick(self, now_ns: int) -> None:
        """One whole decision at now_ns. Raises what went wrong after every output was told its fail state."""
        try:
            self._decide(now_ns)
        except Exception:
            self.modes.abort()
            self._field.safe_state(now_ns)
            raise

    def stop(self, now_ns: int) -> None:
        """Every output to its fail state; the pod has to be started again by a person."""
        self.modes = Modes()
        self._field.safe_state(now_ns)

    def request(self, now_ns: int, what: str, reason: str = "", who: str = "") -> bool:
        """A person's start, stop, hold or reset, between two ticks; False if the pod's state refuses it.

        A reset lifts latched trips whose cause has gone, whatever the state.
        """
        before = self.modes.state
        lifted = self.trips.reset(now_ns, reason, who) if what == "reset" else 0
        asks = {"start": self.modes.start, "stop": self.modes.stop, "hold": self.modes.hold, "reset": self.modes.reset}
        if not asks[what]():
            return lifted > 0
        self._journal.state(now_ns, before.value, self.modes.state.value)
        return True

    def adopt(self, topology: Topology) -> None:
        """From the next tick on decide with this table: same rows, same names, other figures."""
        self.topology = topology
        self.watch = SignalWatch(topology)

    def _decide(self, now_ns: int) -> None:
        seen = self.trips.hide(self._field.scan(now_ns), now_ns)
        self.scan = self.watch.judge(seen, self.permit, now_ns)
        stroke = 0 if self.modes.executes else self.stroke
        self.frame = self._frames.build(self.scan, now_ns, self.modes.executes or stroke > 0)
        self.frame["stroke"] = stroke
        before = self.state
        self._tell(now_ns, self.trips.mark(self.scan, self.frame, self.state, now_ns))
        self.deciding = self._hands.topology(self.topology, self.trips.in_other_hands)
        self.state, self.permit, events = self._step(self.deciding.table, self.state, self.frame)
        self._field.apply(self._commands(self.permit, now_ns), now_ns)
        self._journal.decisions(now_ns, events)
        self._note_feed(now_ns, before)
        self._advance_modes(now_ns)

    def _note_feed(self, now_ns: int, before: Table) -> None:
        """When the digester's feed is slowed, held, stopped or free again."""
        was, now = int(before["feed_rule"][0]), int(self.state["feed_rule"][0])
        if now != was and (was or now != FEED_FREE):
            why = feed_text(self.topology, self.state)
            self._journal.note(now_ns, "decision", "feed", f"rule {now}", why, "core")

    def _tell(self, now_ns: int, news: list[News]) -> None:
        for item in news:
            self._journal.note(now_ns, "trip", item.thing, item.value, item.why, item.who)

    def _commands(self, permit: Table, now_ns: int) -> list[Command]:
        grants = permit["grant_frac"][0].tolist()
        expires_ns = now_ns + self._lease_ns
        return [Command(tag, grants[e], now_ns, expires_ns) for e, tag in self._outputs]

    def _advance_modes(self, now_ns: int) -> None:
        before = self.modes.state
        plant = self.topology.table
        ready = before is State.STOPPED and coherent(plant, self.state) and self._field.watchdogs_verified()
        self.modes.advance(ready, in_sight(plant, self.state))
        if self.modes.state is not before:
            self._journal.state(now_ns, before.value, self.modes.state.value)
