"""Real time: the stations behind pseudo-terminals, on the event loop of whoever starts them.

Job: bytes of a pseudo-terminal -> frames -> stations -> bytes, each as late as 10 bits per character
at the line's speed make it (a pseudo-terminal itself has no speed). 8N1, as a pseudo-terminal takes
no parity. Neighbours: station.py, rtu_codec.py (framing), executive.py (the same on virtual time).
Must not know: devices, plant beyond advance_to, the controller.
"""

import asyncio
import os
import tty
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from hal.clock import Clock
from sim_hardware.executive import Plant
from sim_hardware.rtu_codec import RequestFramer
from sim_hardware.station import NEVER_NS, Reply, Station

SAMPLE_S = 0.1
_SILENCE_S = 0.02  # end of an unframed rest: far above 3.5 characters, as a stream comes in pieces
_READ_BYTES = 4096


class Wired(NamedTuple):
    """One station and the speed of its line."""

    station: Station
    baud: int


class WireBench:
    """Stations of a pod in real time. Time starts at 0 with start(); one start per bench."""

    def __init__(self, stations: Mapping[str, Wired], plant: Plant, clock: Clock) -> None:
        """Stations by line name; the plant is brought along every 0.1 s and before each request."""
        self._stations = stations
        self._plant = plant
        self._clock = clock
        self._plant_ns = -1
        self._start_ns = 0
        self._ends: list[_PtyEnd] = []
        self._beat: asyncio.TimerHandle | None = None

    async def start(self) -> dict[str, str]:
        """Open a pseudo-terminal per line; returns line name -> device path for the controller."""
        self._start_ns = self._clock.now_ns()
        self._keep_plant()
        self._ends = [_PtyEnd(self, wired) for wired in self._stations.values()]
        return {name: end.path for name, end in zip(self._stations, self._ends, strict=True)}

    async def stop(self) -> None:
        """Cancel what is pending, then close the terminals: no late byte meets a reused descriptor."""
        if self._beat is not None:
            self._beat.cancel()
        for end in self._ends:
            end.close()
        self._ends = []

    def now_ns(self) -> int:
        """Nanoseconds since start()."""
        return self._clock.now_ns() - self._start_ns

    def bring_plant(self, now_ns: int) -> None:
        """Bring the plant to now_ns."""
        if now_ns > self._plant_ns:
            self._plant_ns = now_ns
            self._plant.advance_to(now_ns)

    def look_again(self) -> None:
        """Ask each station when it acts next: somebody changed one from outside (a fault)."""
        for end in self._ends:
            end.watch()

    def _keep_plant(self) -> None:
        self.bring_plant(self.now_ns())
        self._beat = asyncio.get_running_loop().call_later(SAMPLE_S, self._keep_plant)


class _PtyEnd:
    """The far end of one line on one pseudo-terminal."""

    def __init__(self, bench: WireBench, wired: Wired) -> None:
        self._bench = bench
        self._loop = asyncio.get_running_loop()
        self._station = wired.station
        self._char_ns = 10_000_000_000 // wired.baud
        self._framer = RequestFramer()
        self._free_ns = 0  # until when answers occupy the wire
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._timer_count = 0
        self._silence: asyncio.TimerHandle | None = None
        self._due: asyncio.TimerHandle | None = None
        self._fd, self._controller_fd = os.openpty()  # the second stays open, or we read EIO between openings
        tty.setraw(self._controller_fd)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(self._controller_fd)
        self._loop.add_reader(self._fd, self._readable)
        self.watch()

    def close(self) -> None:
        """Take everything back from the loop and close both descriptors."""
        self._loop.remove_reader(self._fd)
        for timer in (*self._timers.values(), self._silence, self._due):
            if timer is not None:
                timer.cancel()
        self._timers.clear()
        os.close(self._fd)
        os.close(self._controller_fd)

    def watch(self) -> None:
        """Set the timer of the station's next own event."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        due_ns = self._station.due_ns()
        if due_ns < NEVER_NS:
            self._due = self._loop.call_later(max(due_ns - self._bench.now_ns(), 0) * 1e-9, self._act)

    def _act(self) -> None:
        now_ns = self._bench.now_ns()
        if now_ns >= self._station.due_ns():
            self._bench.bring_plant(now_ns)
            self._carry(self._station.advance(now_ns), now_ns)
        self.watch()

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        for frame in self._framer.feed(data):
            self._later(len(frame) * self._char_ns, partial(self._receive, frame))
        if self._framer.pending:
            self._silence = self._loop.call_later(_SILENCE_S, self._fell_silent)

    def _fell_silent(self) -> None:
        self._silence = None
        self._receive(self._framer.silence())

    def _receive(self, frame: bytes) -> None:
        now_ns = self._bench.now_ns()
        self._bench.bring_plant(now_ns)
        self._carry(self._station.receive(frame, now_ns), now_ns)
        self.watch()

    def _carry(self, replies: list[Reply], now_ns: int) -> None:
        for delay_s, data in replies:
            start_ns = max(now_ns + round(delay_s * 1e9), self._free_ns)
            self._free_ns = start_ns + len(data) * self._char_ns
            self._later(self._free_ns - now_ns, partial(self._write, data))

    def _write(self, data: bytes) -> None:
        try:
            os.write(self._fd, data)
        except BlockingIOError:
            return  # nobody reads and the terminal's buffer is full: a wire would lose it as well

    def _later(self, delay_ns: int, action: Callable[[], None]) -> None:
        self._timer_count += 1
        number = self._timer_count

        def act() -> None:
            del self._timers[number]
            action()

        self._timers[number] = self._loop.call_later(delay_ns * 1e-9, act)
