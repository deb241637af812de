"""Real time: the stations behind pseudo-terminals and servers, on the event loop of whoever starts them.

Job: bytes of a pseudo-terminal -> frames -> stations -> bytes, each as late as 10 bits per character
at the line's speed make it (a pseudo-terminal itself has no speed). 8N1, as a pseudo-terminal takes
no parity. Neighbours: station.py, rtu_codec.py (framing), modbus_tcp (lines without a speed),
executive.py (the same on virtual time). Must not know: devices, plant beyond advance_to, the controller.
"""

import asyncio
import fcntl
import os
import sys
import termios
import tty
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from hal.clock import Clock
from sim_hardware.executive import Plant
from sim_hardware.modbus_tcp.server import TcpEnd
from sim_hardware.rtu_codec import RequestFramer
from sim_hardware.station import NEVER_NS, Reply, Station

SAMPLE_S = 0.1
_SILENCE_S = 0.02  # end of an unframed rest: far above 3.5 characters, as a stream comes in pieces
_READ_BYTES = 4096
_UNREAD_BYTES = 512  # what nobody has read by then, or for so long, is gone: a wire keeps nothing for a later listener
_UNREAD_NS = 500_000_000


class Wired(NamedTuple):
    """One station and the speed of its line; 0 = no serial line but a Modbus TCP server."""

    station: Station
    baud: int


class WireBench:
    """Stations of a pod in real time. Time starts at 0 with start(); one start per bench."""

    def __init__(
        self,
        stations: Mapping[str, Wired],
        plant: Plant,
        clock: Clock,
        answered: Callable[[str, int, int], None] | None = None,
    ) -> None:
        """Stations by line name; the plant is brought along every 0.1 s and before each request.

        answered(place, when, how late): told of every answer on a pseudo-terminal, in ns of the clock.
        """
        self.answered = answered
        self._stations = stations
        self._plant = plant
        self._clock = clock
        self._plant_ns = -1
        self.started_ns = 0
        self._ends: list[_PtyEnd | TcpEnd] = []
        self._watches: list[_Watch] = []
        self._beat: asyncio.TimerHandle | None = None

    async def start(self) -> dict[str, str]:
        """Open a pseudo-terminal or a server per line; returns line name -> device path or host:port."""
        self.started_ns = self._clock.now_ns()
        self._keep_plant()
        places = {}
        for name, (station, baud) in self._stations.items():
            watch = _Watch(self, station)
            self._watches.append(watch)
            end = _PtyEnd(self, station, baud, watch) if baud else TcpEnd(self, station, watch.look)
            self._ends.append(end)
            await end.open()
            places[name] = end.place
            watch.look()
        return places

    async def stop(self) -> None:
        """Cancel what is pending, then close the terminals: no late byte meets a reused descriptor."""
        if self._beat is not None:
            self._beat.cancel()
        for watch in self._watches:
            watch.stop()
        for end in self._ends:
            end.close()
        self._ends, self._watches = [], []

    def now_ns(self) -> int:
        """Nanoseconds since start()."""
        return self._clock.now_ns() - self.started_ns

    def bring_plant(self, now_ns: int) -> None:
        """Bring the plant to now_ns."""
        if now_ns > self._plant_ns:
            self._plant_ns = now_ns
            self._plant.advance_to(now_ns)

    def look_again(self) -> None:
        """Ask each station when it acts next: somebody changed one from outside (a fault)."""
        for watch in self._watches:
            watch.look()

    def _keep_plant(self) -> None:
        self.bring_plant(self.now_ns())
        for end in self._ends:
            if isinstance(end, _PtyEnd):
                end.tidy()
        self._beat = asyncio.get_running_loop().call_later(SAMPLE_S, self._keep_plant)


class _Watch:
    """The timer of what a station does by itself: watchdogs that run out, frames that nobody asked for."""

    def __init__(self, bench: WireBench, station: Station) -> None:
        self._bench, self._station = bench, station
        self._loop = asyncio.get_running_loop()
        self._due: asyncio.TimerHandle | None = None
        self.say: Callable[[list[Reply], int], None] | None = None

    def look(self) -> None:
        """Set the timer of the station's next own event."""
        self.stop()
        due_ns = self._station.due_ns()
        if due_ns < NEVER_NS:
            self._due = self._loop.call_later(max(due_ns - self._bench.now_ns(), 0) * 1e-9, self._act)

    def stop(self) -> None:
        """Cancel it."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _act(self) -> None:
        now_ns = self._bench.now_ns()
        if now_ns >= self._station.due_ns():
            self._bench.bring_plant(now_ns)
            replies = self._station.advance(now_ns)
            if self.say is not None:
                self.say(replies, now_ns)
        self.look()


class _PtyEnd:
    """The far end of one line on one pseudo-terminal; `place` is the path of the near end."""

    def __init__(self, bench: WireBench, station: Station, baud: int, watch: _Watch) -> None:
        self._bench, self._station, self._watch = bench, station, watch
        self._loop = asyncio.get_running_loop()
        self._char_ns = 10_000_000_000 // baud
        self._framer = RequestFramer()
        self._free_ns = 0  # until when answers occupy the wire
        self._written_ns = 0
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._timer_count = 0
        self._silence: asyncio.TimerHandle | None = None
        self._fd = self._near_fd = -1
        self.place = ""
        watch.say = self._carry

    async def open(self) -> None:
        """Make the pseudo-terminal; its near end stays open here too, or we read EIO between two openings."""
        self._fd, self._near_fd = os.openpty()
        tty.setraw(self._near_fd)
        os.set_blocking(self._fd, False)
        self.place = os.ttyname(self._near_fd)
        self._loop.add_reader(self._fd, self._readable)

    def close(self) -> None:
        """Take everything back from the loop and close both descriptors."""
        for timer in (*self._timers.values(), self._silence):
            if timer is not None:
                timer.cancel()
        self._timers.clear()
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            os.close(self._near_fd)
            self._fd = -1

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, _READ_BYTES)
        except BlockingIOError:
            return
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        for frame in self._framer.feed(data):
            end_ns = self._bench.now_ns() + len(frame) * self._char_ns
            self._at(end_ns, partial(self._receive, frame, end_ns))
        if self._framer.pending:
            self._silence = self._loop.call_later(_SILENCE_S, self._fell_silent)

    def _fell_silent(self) -> None:
        self._silence = None
        self._receive(self._framer.silence(), self._bench.now_ns())

    def _receive(self, frame: bytes, end_ns: int) -> None:
        """A frame whose last bit has arrived at end_ns, or some microseconds ago."""
        now_ns = self._bench.now_ns()
        self._bench.bring_plant(now_ns)
        self._carry(self._station.receive(frame, now_ns), end_ns)
        self._watch.look()

    def _carry(self, replies: list[Reply], since_ns: int) -> None:
        for delay_s, data in replies:
            start_ns = max(since_ns + round(delay_s * 1e9), self._free_ns)
            self._free_ns = start_ns + len(data) * self._char_ns
            self._at(self._free_ns, partial(self._write, data, self._free_ns))

    def tidy(self) -> None:
        """Drop an answer that nobody has fetched: its master was killed, the next one must not take it."""
        if self._unread_bytes() and self._bench.now_ns() - self._written_ns > _UNREAD_NS:
            termios.tcflush(self._near_fd, termios.TCIFLUSH)

    def _unread_bytes(self) -> int:
        return int.from_bytes(fcntl.ioctl(self._near_fd, termios.FIONREAD, bytes(4)), sys.byteorder)

    def _write(self, data: bytes, planned_ns: int) -> None:
        self._written_ns = self._bench.now_ns()
        if self._unread_bytes() > _UNREAD_BYTES:
            termios.tcflush(self._near_fd, termios.TCIFLUSH)
        try:
            os.write(self._fd, data)
        except BlockingIOError:
            return  # nobody reads and the terminal's buffer is full: a wire would lose it as well
        if self._bench.answered is not None:
            now_ns = self._bench.now_ns()
            self._bench.answered(self.place, self._bench.started_ns + now_ns, now_ns - planned_ns)

    def _at(self, when_ns: int, action: Callable[[], None]) -> None:
        self._timer_count += 1
        number = self._timer_count

        def act() -> None:
            del self._timers[number]
            action()

        delay_s = max(when_ns - self._bench.now_ns(), 0) * 1e-9
        self._timers[number] = self._loop.call_later(delay_s, act)
