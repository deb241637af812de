"""Virtual time: a discrete-event loop over lines, stations, plant and tick.

Job: jump to whatever is due next and hand bytes over as the wire would have carried them, 10 bits per
character both ways. Neighbours: hal.line (the controller's side of a line), station.py (the far
side), whoever owns tick and plant. Must not know: Modbus, devices, what a tick does, wall clocks.

Rules of time, the same in every run:
- events are ordered by (time, order of scheduling);
- a tick at t sees every byte that ended arriving at or before t, and comes after all that is due at t;
- the plant is brought to t before a tick at t, before a write reaches a station, before a station acts
  by itself (watchdog, unasked frame), and before a read when it is older than sample_ns. A read between
  samples therefore shows a plant less than sample_ns old (default 0.1 s); an output that changes acts at
  its exact time;
- the answers of a station are serialised on its line; a line is not asked while its own frame is on
  the wire.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import NamedTuple, Protocol

from hal.errors import PodError
from hal.line import Line, Send
from sim_hardware.station import NEVER_NS, Reply, Station

SAMPLE_NS = 100_000_000
_TEN_BITS_NS = 10_000_000_000  # one character of 8N1 at 1 baud
_FIRST_WRITE_FUNCTION = 5  # Modbus: 1-4 read, 5 and above may write


class Plant(Protocol):
    """What the probes look at."""

    def advance_to(self, now_ns: int) -> None:
        """Bring the plant's state to now_ns; never called with an earlier time than before."""
        ...


class Port(NamedTuple):
    """One line of the controller, the station at its far end, and the speed between them.

    function_at: where a request has its Modbus function, which tells a write from a read.
    """

    line: Line
    station: Station
    baud: int
    function_at: int = 1


class Executive:
    """Drives everything on virtual time; one instance per run."""

    def __init__(
        self,
        ports: Sequence[Port],
        plant: Plant,
        tick: Callable[[int], None],
        tick_ns: int,
        sample_ns: int = SAMPLE_NS,
    ) -> None:
        """tick(now_ns) is called at 0, tick_ns, 2 tick_ns, ...; time starts at 0."""
        self.now_ns = 0
        self._plant = plant
        self._plant_ns = -1
        self._tick = tick
        self._tick_ns = tick_ns
        self._next_tick_ns = 0
        self._sample_ns = sample_ns
        self._heap: list[tuple[int, int, Callable[[int, bytes], None], bytes]] = []
        self._order = 0
        self._ports = [_Wire(self, port) for port in ports]

    def run_until(self, end_ns: int) -> None:
        """Let everything happen up to and including end_ns."""
        self._look_again()
        while self._next_tick_ns <= end_ns:
            tick_ns = self._next_tick_ns
            self._drain(tick_ns)
            self._next_tick_ns = tick_ns + self._tick_ns
            self.bring_plant(tick_ns)
            self._tick(tick_ns)
            for wire in self._ports:
                wire.ask(tick_ns)
        self._drain(end_ns)
        self.now_ns = end_ns

    def at(self, when_ns: int, action: Callable[[int], None]) -> None:
        """Call action(when_ns) at that time: faults, valves turned by hand, the end of a power cut."""
        if when_ns < self.now_ns:
            raise PodError(981, f"event at {when_ns} ns lies before now = {self.now_ns} ns: schedule it earlier")

        def act(now_ns: int, _: bytes) -> None:
            self.bring_plant(now_ns)
            action(now_ns)
            self._look_again()

        self.schedule(when_ns, act, b"")

    def schedule(self, when_ns: int, event: Callable[[int, bytes], None], data: bytes) -> None:
        """Queue event(when_ns, data); events of one instant keep their order."""
        self._order += 1
        heappush(self._heap, (when_ns, self._order, event, data))

    def bring_plant(self, now_ns: int) -> None:
        """Bring the plant to now_ns exactly."""
        if now_ns > self._plant_ns:
            self._plant_ns = now_ns
            self._plant.advance_to(now_ns)

    def bring_plant_for_sample(self, now_ns: int) -> None:
        """Bring the plant to now_ns if it is older than sample_ns."""
        if now_ns - self._plant_ns >= self._sample_ns:
            self._plant_ns = now_ns
            self._plant.advance_to(now_ns)

    def _drain(self, until_ns: int) -> None:
        heap = self._heap
        while heap and heap[0][0] <= until_ns:
            now_ns, _, event, data = heappop(heap)
            self.now_ns = now_ns
            event(now_ns, data)
        self.now_ns = until_ns

    def _look_again(self) -> None:
        """Somebody may have changed a line or a station from outside."""
        for wire in self._ports:
            wire.ask(self.now_ns)
            wire.watch(self.now_ns)


class _Wire:
    """One port on virtual time: what is on its wire and when its ends want to be asked."""

    __slots__ = (
        *(
            "_baud",
            "_due_ns",
            "_executive",
            "_free_ns",
            "_function_at",
            "_line",
            "_on_arrival",
            "_on_due",
            "_on_sent",
            "_on_wake",
        ),
        *("_queued_ns", "_schedule", "_sending", "_station", "_wake_ns"),
    )

    def __init__(self, executive: Executive, port: Port) -> None:
        self._executive = executive
        self._schedule = executive.schedule
        self._line = port.line
        self._station = port.station
        self._baud, self._function_at = port.baud, port.function_at
        self._sending = False
        self._free_ns = 0  # until when answers occupy the wire
        self._wake_ns = NEVER_NS  # when the line wants to be asked
        self._queued_ns = [NEVER_NS]  # wake events in the heap, earliest last; a later wish needs no new one
        self._due_ns = NEVER_NS  # valid due event of the station
        self._on_sent, self._on_wake = self._sent, self._wake  # bound once
        self._on_arrival, self._on_due = self._arrived, self._due

    def ask(self, now_ns: int) -> None:
        """Ask the line what next, unless its frame is on the wire."""
        if self._sending:
            return
        action = self._line.next_action(now_ns)
        if isinstance(action, Send):
            data = action.data
            self._sending = True
            self._wake_ns = NEVER_NS
            self._schedule(now_ns + len(data) * _TEN_BITS_NS // self._baud, self._on_sent, data)
            return
        until_ns = action.until_ns
        if until_ns <= now_ns:
            raise PodError(982, f"line {self._line.name} waits until {until_ns} ns, which is not after {now_ns} ns")
        self._wake_ns = until_ns
        if until_ns < self._queued_ns[-1]:
            self._queue(until_ns)

    def watch(self, now_ns: int) -> None:
        """Queue the station's next own event if it is earlier than the one queued."""
        due_ns = self._station.due_ns()
        if due_ns < self._due_ns:
            self._due_ns = due_ns if due_ns > now_ns else now_ns
            self._schedule(self._due_ns, self._on_due, b"")

    def _queue(self, until_ns: int) -> None:
        self._queued_ns.append(until_ns)
        self._schedule(until_ns, self._on_wake, b"")

    def _wake(self, now_ns: int, _: bytes) -> None:
        self._queued_ns.pop()
        if self._wake_ns <= now_ns:
            self.ask(now_ns)
        elif self._wake_ns < self._queued_ns[-1]:
            self._queue(self._wake_ns)

    def _sent(self, now_ns: int, data: bytes) -> None:
        self._sending = False
        at = self._function_at
        writes = len(data) > at and data[at] >= _FIRST_WRITE_FUNCTION
        if writes:
            self._executive.bring_plant(now_ns)
        else:
            self._executive.bring_plant_for_sample(now_ns)
        replies = self._station.receive(data, now_ns)
        if replies:
            self._carry(replies, now_ns)
        if writes:
            self.watch(now_ns)
        self.ask(now_ns)

    def _due(self, now_ns: int, _: bytes) -> None:
        if now_ns != self._due_ns:
            return
        self._due_ns = NEVER_NS
        if self._station.due_ns() <= now_ns:
            self._executive.bring_plant(now_ns)
            replies = self._station.advance(now_ns)
            if replies:
                self._carry(replies, now_ns)
        self.watch(now_ns)

    def _carry(self, replies: list[Reply], now_ns: int) -> None:
        for delay_s, data in replies:
            start_ns = now_ns + int(delay_s * 1e9 + 0.5)
            start_ns = start_ns if start_ns > self._free_ns else self._free_ns
            self._free_ns = start_ns + len(data) * _TEN_BITS_NS // self._baud
            self._schedule(self._free_ns, self._on_arrival, data)

    def _arrived(self, now_ns: int, data: bytes) -> None:
        self._line.receive(data, now_ns)
        self.ask(now_ns)
