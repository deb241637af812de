"""Stations on pseudo-terminals: a raw client, mbpoll and a listener get what a wire would bring, no sooner."""

import asyncio
import contextlib
import os
import shutil
import struct
import termios
import tty
from collections.abc import Awaitable, Callable

import pytest
from reference_field import hardware, steady_field

from hal.clock import SystemClock
from hal.pod_io import PodIO, build
from hal.runner import run
from hal.transport import SerialTransport
from hal.values import Command, Quality, Scan
from sim_hardware.indicator import IndicatorLine, WeighIndicator
from sim_hardware.io_module import IoModule8
from sim_hardware.rtu_codec import seal
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.troubles.wire_faults import make
from sim_hardware.wire import WireBench, Wired
from sim_hardware.wiring import probe_tags

pytestmark = pytest.mark.wire
READ = seal(1, bytes.fromhex("040000000B"))
ALL_ON = seal(1, bytes.fromhex("0F0000000801FF"))
BAUD = 38400


class Still:
    """A plant in which nothing happens."""

    def __init__(self) -> None:
        self.visits = 0

    def advance_to(self, now_ns: int) -> None:
        self.visits += 1


class Bench:
    """One relay module and one indicator on a bench, and what the module drove."""

    def __init__(self) -> None:
        self.driven: list[bool] = []
        module = IoModule8(lambda channel, on: self.driven.append(on), {0: lambda: 0.25}, {}, 0.5)
        self.line = LineOfSlaves("A", {"XM": Slave(1, module)})
        indicator = IndicatorLine("W", "WI", WeighIndicator(lambda: 180.0, 1000.0))
        self.plant = Still()
        self.wire = WireBench({"A": Wired(self.line, BAUD), "W": Wired(indicator, 9600)}, self.plant, SystemClock())

    def run(self, client: Callable[[dict[str, str]], Awaitable[None]]) -> None:
        async def both() -> None:
            paths = await self.wire.start()
            try:
                await client(paths)
            finally:
                await self.wire.stop()

        asyncio.run(both())


def open_raw(path: str) -> int:
    fd = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    tty.setraw(fd)
    return fd


async def read_exactly(fd: int, length: int, timeout_s: float = 5.0) -> bytes:
    """Bytes of a descriptor until there are length of them."""
    got = b""
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(fd, arrived.set)
    try:
        async with asyncio.timeout(timeout_s):
            while len(got) < length:
                await arrived.wait()
                arrived.clear()
                with contextlib.suppress(BlockingIOError):
                    got += os.read(fd, length - len(got))
    finally:
        loop.remove_reader(fd)
    return got


def test_a_raw_client_gets_its_registers_no_sooner_than_the_wire_allows() -> None:
    bench, clock = Bench(), SystemClock()

    async def client(paths: dict[str, str]) -> None:
        fd = open_raw(paths["A"])
        start_ns = clock.now_ns()
        os.write(fd, READ)
        reply = await read_exactly(fd, 27)
        os.close(fd)
        assert reply[:3] == b"\x01\x04\x16"
        assert struct.unpack(">H", reply[3:5]) == (2500,)
        assert clock.now_ns() - start_ns >= (8 + 27) * 10_000_000_000 // BAUD + 4_000_000

    bench.run(client)


def test_a_request_may_come_in_pieces_and_after_noise() -> None:
    bench = Bench()

    async def client(paths: dict[str, str]) -> None:
        fd = open_raw(paths["A"])
        os.write(fd, b"\xff\x00\x55")
        await asyncio.sleep(0.1)
        os.write(fd, READ[:3])
        await asyncio.sleep(0.005)
        os.write(fd, READ[3:])
        assert len(await read_exactly(fd, 27)) == 27
        os.close(fd)

    bench.run(client)


def test_the_next_master_does_not_get_the_answer_of_one_that_was_killed() -> None:
    bench = Bench()

    async def client(paths: dict[str, str]) -> None:
        killed = open_raw(paths["A"])
        os.write(killed, READ)
        os.close(killed)
        await asyncio.sleep(0.9)  # real time: the answer comes, and nobody fetches it

        fd = os.open(paths["A"], os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)  # as libmodbus does: nothing is flushed
        with pytest.raises(BlockingIOError):
            os.read(fd, 64)
        os.write(fd, READ)
        assert (await read_exactly(fd, 27))[:3] == bytes.fromhex("010416")
        os.close(fd)

    bench.run(client)


def test_outputs_fall_in_real_time_when_nobody_asks() -> None:
    bench = Bench()

    async def client(paths: dict[str, str]) -> None:
        fd = open_raw(paths["A"])
        os.write(fd, ALL_ON)
        await read_exactly(fd, 8)
        os.close(fd)
        assert bench.driven == [True] * 8
        await asyncio.sleep(0.7)
        assert bench.driven == [True] * 8 + [False] * 8

    bench.run(client)
    assert bench.plant.visits > 5


def test_a_dead_line_is_silent_and_comes_back() -> None:
    bench = Bench()

    async def client(paths: dict[str, str]) -> None:
        fd = open_raw(paths["A"])
        bench.line.inject(make("line_dead"))
        os.write(fd, READ)
        with pytest.raises(TimeoutError):
            await read_exactly(fd, 1, timeout_s=0.2)
        bench.line.clear("line_dead")
        os.write(fd, READ)
        assert len(await read_exactly(fd, 27)) == 27
        os.close(fd)

    bench.run(client)


def test_the_indicator_streams_without_being_asked() -> None:
    bench = Bench()

    async def client(paths: dict[str, str]) -> None:
        fd = open_raw(paths["W"])
        stream = await read_exactly(fd, 3 * 18)
        os.close(fd)
        assert stream.count(b"  1800     0\r") == 3

    bench.run(client)


def test_terminals_are_raw_eight_bits_without_parity() -> None:
    bench = Bench()

    async def client(paths: dict[str, str]) -> None:
        fd = os.open(paths["A"], os.O_RDWR | os.O_NOCTTY)
        iflag, oflag, cflag, lflag = termios.tcgetattr(fd)[:4]
        os.close(fd)
        assert cflag & termios.CSIZE == termios.CS8
        assert not cflag & termios.PARENB
        assert not lflag & (termios.ECHO | termios.ICANON)
        assert not oflag & termios.OPOST
        assert not iflag & termios.ICRNL

    bench.run(client)


@pytest.mark.skipif(shutil.which("mbpoll") is None, reason="mbpoll is not installed (deploy/ci-packages.txt)")
def test_mbpoll_reads_and_writes() -> None:
    bench = Bench()

    async def mbpoll(*arguments: str) -> str:
        common = ("-m", "rtu", "-b", str(BAUD), "-P", "none", "-a", "1", "-1", "-r", "1")
        process = await asyncio.create_subprocess_exec(
            "mbpoll", *common, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        return output.decode()

    async def client(paths: dict[str, str]) -> None:
        assert "2500" in await mbpoll("-t", "3", "-c", "11", paths["A"])
        assert "Written 8 references" in await mbpoll("-t", "0", paths["A"], *"11111111")
        assert bench.driven[:8] == [True] * 8
        assert "[2]: \t0" in await mbpoll("-t", "4", "-c", "2", paths["A"])

    bench.run(client)


def test_the_controllers_lines_run_the_reference_pod_on_pseudo_terminals() -> None:
    steady, clock = steady_field(), SystemClock()
    stations = {name: Wired(station, steady.field.bauds[name]) for name, station in steady.field.stations.items()}
    wire = WireBench(stations, Still(), clock)
    scans: list[Scan] = []

    async def client() -> PodIO:
        described = hardware(await wire.start())
        pod, stop = build(described), asyncio.Event()

        def tick(now_ns: int) -> None:
            scans.append(pod.scan(now_ns))
            if len(scans) < 7:
                pod.apply([Command("FV-101", 1.0, now_ns, now_ns + 1_000_000_000)], now_ns)
            elif len(scans) == 7:
                pod.safe_state(now_ns)
            elif pod.outputs_at_fail():
                stop.set()

        lines = [(line, steady.field.bauds[line.name]) for line in pod.lines]
        try:
            await run(lines, [SerialTransport(line) for line in described.lines], tick, 500_000_000, clock, stop)
        finally:
            await wire.stop()
        return pod

    pod = asyncio.run(client())

    assert {tag for tag in probe_tags() if scans[6].readings[tag].quality is not Quality.GOOD} == set()
    assert scans[6].acks["FV-101"].open_frac == 1.0
    assert steady.driven == [("FV-101", True), ("FV-101", False)]
    assert all(not health.faults for health in pod.health())
