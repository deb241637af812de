"""Real ports: the runner drives a line over a pseudo-terminal, survives a dead port, and counts overruns."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hal_desk import SECOND, Slave, cells, wiring

from hal.clock import Clock, SystemClock
from hal.description import LineConfig
from hal.errors import PodError
from hal.line import NEVER, Wait
from hal.pod_io import PodIO, build
from hal.runner import Run, run
from hal.transport import SerialTransport, Transport
from hal.values import Quality, Reading

BAUD = 38400


class Adapter:
    """A pseudo-terminal behind a stable name, as udev gives it; unplugged and plugged again at will."""

    def __init__(self, name: Path) -> None:
        self.name = name
        self.far = -1

    def plug(self) -> None:
        self.far, near = os.openpty()
        tty.setraw(near)
        os.set_blocking(self.far, False)
        self.name.unlink(missing_ok=True)
        self.name.symlink_to(os.ttyname(near))
        os.close(near)

    def unplug(self) -> None:
        self.name.unlink()
        os.close(self.far)
        self.far = -1


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[Adapter]:
    made = Adapter(tmp_path / "bus")
    made.plug()
    yield made
    if made.far >= 0:
        os.close(made.far)


async def answer(adapter: Adapter, slave: Slave) -> None:
    """Answer whole requests as they come, when their bytes would have left and the reply's have come."""
    while True:
        await asyncio.sleep(0.001)
        with contextlib.suppress(OSError):
            frame = os.read(adapter.far, 256)
            await asyncio.sleep(0.02)
            os.write(adapter.far, slave.answer(frame, 0))


def pod_of(adapter: Adapter) -> tuple[PodIO, SerialTransport]:
    hardware = wiring(cells(2), tick_s=0.1)
    return build(hardware), SerialTransport(LineConfig("A", "modbus_rtu", str(adapter.name), BAUD))


def drive(adapter: Adapter, io: PodIO, transport: Transport, see: Callable[[Reading, asyncio.Event], None]) -> Run:
    """Run with a tick that shows WT-101 to ``see`` until it sets the event."""

    async def both() -> Run:
        stop = asyncio.Event()

        def tick(now_ns: int) -> None:
            io.apply((), now_ns)
            see(io.scan(now_ns).readings["WT-101"], stop)

        slave = asyncio.create_task(answer(adapter, Slave(fixed={2: [0, 25000, 0, 1500, 0, 0, 0, 0, 0]})))
        try:
            return await run([(io.lines[0], BAUD)], [transport], tick, SECOND // 10, SystemClock(), stop)
        finally:
            slave.cancel()

    return asyncio.run(both())


@pytest.mark.wire
def test_a_reading_comes_over_a_real_pseudo_terminal(adapter: Adapter) -> None:
    io, transport = pod_of(adapter)

    def see(reading: Reading, stop: asyncio.Event) -> None:
        if reading.quality is Quality.GOOD and reading.value == 25.0:
            stop.set()

    assert drive(adapter, io, transport, see).ticks >= 2


@pytest.mark.wire
def test_a_port_that_vanishes_goes_bad_and_is_opened_again(adapter: Adapter) -> None:
    io, transport = pod_of(adapter)
    story = ["good"]

    def see(reading: Reading, stop: asyncio.Event) -> None:
        good = reading.quality is Quality.GOOD
        if story[-1] == "good" and good:
            adapter.unplug()
            story.append("gone")
        elif story[-1] == "gone" and not good:
            adapter.plug()
            story.append("back")
        elif story[-1] == "back" and good:
            stop.set()

    drive(adapter, io, transport, see)

    assert story == ["good", "gone", "back"]


class Silent:
    """A line that wants nothing."""

    name = "S"

    def next_action(self, now_ns: int) -> Wait:
        return Wait(NEVER)

    def receive(self, data: bytes, now_ns: int) -> None:
        raise AssertionError(f"nobody sends: {data!r} at {now_ns}")

    def wants_reopening(self, now_ns: int) -> bool:
        return False

    def reconnected(self, now_ns: int) -> None:
        return


class NoPort:
    """A port that is not there."""

    def open(self) -> int:
        raise FileNotFoundError("no such port")

    def read(self) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        raise AssertionError(data)

    def close(self) -> None:
        return


class StepClock:
    """A clock that a slow tick can push forward."""

    def __init__(self) -> None:
        self._real, self.ahead_ns = SystemClock(), 0

    def now_ns(self) -> int:
        return self._real.now_ns() + self.ahead_ns

    def sleep_until_ns(self, when_ns: int) -> None:
        self._real.sleep_until_ns(when_ns - self.ahead_ns)

    def utc_label(self) -> str:
        return self._real.utc_label()


def tick_alone(tick: Callable[[int, asyncio.Event], None], clock: Clock, period_ns: int) -> Run:
    async def alone() -> Run:
        stop = asyncio.Event()
        return await run([(Silent(), BAUD)], [NoPort()], lambda now_ns: tick(now_ns, stop), period_ns, clock, stop)

    return asyncio.run(alone())


@pytest.mark.wire
def test_ticks_come_at_absolute_deadlines_and_overruns_are_counted() -> None:
    clock, seen = StepClock(), []
    period_ns = SECOND // 50

    def tick(now_ns: int, stop: asyncio.Event) -> None:
        seen.append(now_ns)
        if len(seen) == 2:
            clock.ahead_ns += 5 * period_ns // 2  # this tick takes two and a half periods
        if len(seen) == 5:
            stop.set()

    result = tick_alone(tick, clock, period_ns)

    assert result == Run(ticks=5, overruns=2)
    assert all(0 <= (at_ns - seen[0]) % period_ns < period_ns // 2 for at_ns in seen)


def test_what_a_tick_raises_ends_the_run() -> None:
    def tick(now_ns: int, stop: asyncio.Event) -> None:
        raise PodError(901, f"broken at {now_ns}")

    with pytest.raises(PodError, match="E901 broken"):
        tick_alone(tick, SystemClock(), SECOND)


def test_a_port_not_open_says_so() -> None:
    with pytest.raises(PodError, match="E206 port /dev/none of line A is not open"):
        SerialTransport(LineConfig("A", "modbus_rtu", "/dev/none", BAUD)).read()
