"""Drives lines on real ports in real time.

Job: one owner per port feeds its line and sends what it asks for; a dead port is reopened with
growing pauses; the tick is called at absolute deadlines and overruns are counted.
Neighbours: ``transport`` (ports), ``line`` (what to do), the composition root (the tick). The
simulator's executive is the same thing on virtual time.
Must not know: protocols, or what a tick does.
"""

import asyncio
import ctypes
import select
import selectors
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hal.clock import Clock, SystemClock
from hal.line import PortLine, Send
from hal.transport import Transport
from hal.wire_time import char_ns

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 4.0
SPIN_S = 0.000_15  # above what waking takes (DECISIONS)
_NS = 1_000_000_000
_FAR_NS = 3600 * _NS  # asyncio timers need a finite time
_SET_TIMER_SLACK, _SLACK_NS = 29, 1  # the default slack of a thread is 50000


class _PreciseSelector(selectors.EpollSelector):
    """epoll waits in whole milliseconds, which Python rounds up to; select waits in microseconds, here on epoll.

    A processor that has been put to sleep takes its time to wake: it is not put to sleep for the last SPIN_S.
    """

    def __init__(self) -> None:
        super().__init__()
        self._clock = SystemClock()

    def select(self, timeout_s: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout_s is None or timeout_s <= 0.0:
            return super().select(timeout_s)
        until_ns = self._clock.now_ns() + round(timeout_s * _NS)
        if timeout_s > SPIN_S:
            select.select([self.fileno()], [], [], timeout_s - SPIN_S)
        while not (ready := super().select(0.0)) and self._clock.now_ns() < until_ns:
            pass
        return ready


def precise_loop() -> asyncio.AbstractEventLoop:
    """An event loop with timers exact to some 0.01 ms, for silences of 1.75 ms: asyncio.Runner(loop_factory=...).

    The thread that makes it is told to the kernel as one whose timers must not wait for others' (prctl(2),
    PR_SET_TIMERSLACK): 50 us less per silence. Where that is refused the loop is only less exact.
    """
    ctypes.CDLL(None).prctl(_SET_TIMER_SLACK, ctypes.c_ulong(_SLACK_NS))
    return asyncio.SelectorEventLoop(_PreciseSelector())


@dataclass(frozen=True)
class Run:
    """What happened: ticks called, and how many deadlines passed while a tick was still busy."""

    ticks: int
    overruns: int


class PortOwner:
    """Owns one port: nobody else reads or writes it.

    While the port is gone the line is asked on as usual and its frames are dropped: its devices
    miss, their Readings go BAD, nothing else is special.
    """

    def __init__(self, line: PortLine, transport: Transport, baud: int, clock: Clock) -> None:
        self._line, self._transport, self._clock = line, transport, clock
        self._char_ns = char_ns(baud)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._reopen: asyncio.TimerHandle | None = None
        self._fd = -1
        self._pause_s = FIRST_PAUSE_S
        self._sent_ns = 0  # the frame of ours is on the wire until then

    def start(self) -> None:
        """Open the port and begin."""
        self._open()
        self.pump()

    def stop(self) -> None:
        """Give everything back."""
        for timer in (self._timer, self._reopen):
            if timer is not None:
                timer.cancel()
        self._close()

    def pump(self) -> None:
        """Ask the line and do what it says, until it wants to wait."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_ns = self._clock.now_ns()
        if now_ns < self._sent_ns:
            self._wake_at(self._sent_ns, now_ns)
            return
        action = self._line.next_action(now_ns)
        if self._fd >= 0 and self._line.wants_reopening(now_ns):
            self._lose()
        if isinstance(action, Send):
            self._write(action.data)
            self._sent_ns = now_ns + len(action.data) * self._char_ns
            self._wake_at(self._sent_ns, now_ns)
        else:
            self._wake_at(action.until_ns, now_ns)

    def _wake_at(self, when_ns: int, now_ns: int) -> None:
        delay_s = min(max(when_ns - now_ns, 0), _FAR_NS) / _NS
        self._timer = self._loop.call_later(delay_s, self.pump)

    def _write(self, data: bytes) -> None:
        if self._fd < 0:
            return
        try:
            self._transport.write(data)
        except OSError:
            self._lose()

    def _readable(self) -> None:
        try:
            data = self._transport.read()
        except OSError:
            self._lose()
            return
        if data:
            self._pause_s = FIRST_PAUSE_S  # only now is it proved to be there: a connection may open and be refused
            self._line.receive(data, self._clock.now_ns())
            self.pump()

    def _open(self) -> None:
        self._reopen = None
        try:
            self._fd = self._transport.open()
        except OSError:
            self._lose()
            return
        self._loop.add_reader(self._fd, self._readable)
        self._line.reconnected(self._clock.now_ns())

    def _lose(self) -> None:
        """The port is gone: try again later, ever more seldom."""
        self._close()
        self._reopen = self._loop.call_later(self._pause_s, self._open)
        self._pause_s = min(2.0 * self._pause_s, LONGEST_PAUSE_S)

    def _close(self) -> None:
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._fd = -1
        self._transport.close()


async def run(
    lines: Sequence[tuple[PortLine, int]],
    transports: Sequence[Transport],
    tick: Callable[[int], None],
    period_ns: int,
    clock: Clock,
    stop: asyncio.Event,
) -> Run:
    """Drive lines (each with its baud rate) on their transports and call tick(now_ns) until stop is set.

    The first tick comes at once. What tick or a line raises ends the run and is raised here. To leave
    the outputs safe, let tick call safe_state and set stop when they are read back.
    """
    owners = [
        PortOwner(line, transport, baud, clock) for (line, baud), transport in zip(lines, transports, strict=True)
    ]
    loop, faults = asyncio.get_running_loop(), _Faults(stop)
    before = loop.get_exception_handler()
    loop.set_exception_handler(faults.note)
    try:
        for owner in owners:
            owner.start()
        result = await _tick_on(owners, tick, period_ns, clock, stop)
    finally:
        for owner in owners:
            owner.stop()
        loop.set_exception_handler(before)
    if faults.first is not None:
        raise faults.first
    return result


class _Faults:
    """An exception in a port's callback must end the run, not fade away in a log."""

    def __init__(self, stop: asyncio.Event) -> None:
        self.first: BaseException | None = None
        self._stop = stop

    def note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        fault = context.get("exception")
        if fault is None:
            loop.default_exception_handler(context)
            return
        self.first = self.first or fault
        self._stop.set()


async def _tick_on(
    owners: Sequence[PortOwner], tick: Callable[[int], None], period_ns: int, clock: Clock, stop: asyncio.Event
) -> Run:
    """Ticks at start + k * period; a deadline that passes during a tick is skipped and counted."""
    deadline_ns, ticks, overruns = clock.now_ns(), 0, 0
    while not stop.is_set():
        tick(clock.now_ns())
        ticks += 1
        for owner in owners:
            owner.pump()
        deadline_ns += period_ns
        missed = max(0, (clock.now_ns() - deadline_ns) // period_ns + 1)
        overruns += missed
        deadline_ns += missed * period_ns
        try:
            await asyncio.wait_for(stop.wait(), (deadline_ns - clock.now_ns()) / _NS)
        except TimeoutError:
            continue
    return Run(ticks, overruns)
