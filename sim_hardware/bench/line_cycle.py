"""How long a line's cycle takes on a metered pseudo-terminal, beside what the wire alone needs.

A cycle is what a tick asks of a line: the writes of its modules and its fast reads. Ideal: every byte at the line's
baud, the device's turnaround, and t3.5 after each answer. The hardware runs in a process of its own, as on a pod. The
same requests are then made by pymodbus' own asynchronous client on the same port; it keeps no silence, so its ideal
leaves t3.5 out as well.

Neighbours: `cli_bench` prints; `serve` is the far end, `hal.runner` the near one. Must not know what registers mean.
"""

import asyncio
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from pymodbus.client import AsyncModbusSerialClient

from hal.clock import SystemClock
from hal.description import LineConfig
from hal.errors import PodError
from hal.line import ModbusLine, PortLine, Send, Wait
from hal.pod_io import build
from hal.runner import PortOwner, precise_loop
from hal.transport import SerialTransport
from hal.wire_time import char_ns, silence_ns
from pod_controller.config import load
from sim_hardware.bench.core import Row

GOAL_RATIO = 1.05
CYCLES = 60
TURNAROUND_NS = 4_000_000  # of the simulated devices
NOT_READY = 184
_WRITE_COILS = 15
_SETTLE_S = 3.0  # set-up of watchdogs and the first slow reads are over by then
_BETWEEN_S = 0.06  # lines rest between cycles, as between ticks
_SERVE = "import sys; from sim_hardware.cli import sim; sim(sys.argv[1:])"


class Exchange(NamedTuple):
    """One request as sent, and how long its answer was."""

    request: bytes
    reply_len: int


class Cycle(NamedTuple):
    """One measured cycle."""

    began_ns: int
    took_ns: int
    exchanges: tuple[Exchange, ...]

    def ideal_ns(self, baud: int, with_silence: bool) -> int:
        """What the wire, the device and t3.5 need."""
        rest_ns = TURNAROUND_NS + (silence_ns(baud) if with_silence else 0)
        return sum((len(x.request) + x.reply_len) * char_ns(baud) + rest_ns for x in self.exchanges)


class Watched:
    """A line with a stop-watch: a cycle runs from its first request until the line may send again."""

    def __init__(self, line: PortLine, quiet_ns: int) -> None:
        self.name = line.name
        self.cycles: list[Cycle] = []
        self._line, self._quiet_ns = line, quiet_ns
        self._began_ns = -1
        self._waits_for_reply = False
        self._exchanges: list[Exchange] = []
        self.sent: list[tuple[int, bytes]] = []
        self.written_ns = -1  # when the last write of outputs left

    def next_action(self, now_ns: int) -> Send | Wait:
        """What the line says, noted."""
        action = self._line.next_action(now_ns)
        if isinstance(action, Send):
            if self._began_ns < 0:
                self._began_ns, self._exchanges = now_ns, []
            self._exchanges.append(Exchange(action.data, 0))
            self.sent.append((now_ns, action.data))
            if action.data[1] == _WRITE_COILS:
                self.written_ns = now_ns
            self._waits_for_reply = True
        elif self._began_ns >= 0 and not self._waits_for_reply and action.until_ns > now_ns + self._quiet_ns:
            self.cycles.append(Cycle(self._began_ns, now_ns - self._began_ns, tuple(self._exchanges)))
            self._began_ns = -1
        return action

    def receive(self, data: bytes, now_ns: int) -> None:
        """Passed on, and counted."""
        self._line.receive(data, now_ns)
        if self._exchanges:
            self._exchanges[-1] = Exchange(self._exchanges[-1].request, self._exchanges[-1].reply_len + len(data))
        self._waits_for_reply = False

    def wants_reopening(self, now_ns: int) -> bool:
        """As the line says."""
        return self._line.wants_reopening(now_ns)

    def reconnected(self, now_ns: int) -> None:
        """Passed on."""
        self._line.reconnected(now_ns)


def rows(cycles: int = CYCLES) -> list[Row]:
    """A row per Modbus line of the reference pod; PodError 184 when the hardware does not start."""
    found = []
    with tempfile.TemporaryDirectory() as folder, _hardware(Path(folder)):
        hardware = load(Path(folder) / "pod.toml").hardware()
        pod = build(hardware)
        for config, line in zip(hardware.lines, pod.lines, strict=True):
            if not isinstance(line, ModbusLine):
                continue
            with asyncio.Runner(loop_factory=precise_loop) as loop:
                ours = loop.run(_measure(line, config, cycles))
            theirs = asyncio.run(measure_pymodbus(config, ours[-1].exchanges, cycles))
            found.append(_row(config, ours, theirs))
    return found


def _row(config: LineConfig, ours: list[Cycle], theirs: list[Cycle]) -> Row:
    ratios = [cycle.took_ns / cycle.ideal_ns(config.baud, True) for cycle in ours]
    ratio = statistics.median(ratios)
    detail = {
        "baud": config.baud,
        "cycles": len(ours),
        "transactions": len(ours[-1].exchanges),
        "cycle_ms": statistics.median(cycle.took_ns for cycle in ours) * 1e-6,
        "ideal_ms": ours[-1].ideal_ns(config.baud, True) * 1e-6,
        "p90_ratio": sorted(ratios)[int(0.9 * len(ratios))],
        "pymodbus_cycle_ms": statistics.median(cycle.took_ns for cycle in theirs) * 1e-6,
        "pymodbus_ideal_ms": theirs[-1].ideal_ns(config.baud, False) * 1e-6,
        "pymodbus_ratio": statistics.median(cycle.took_ns / cycle.ideal_ns(config.baud, False) for cycle in theirs),
    }
    return Row(f"cycle of line {config.name}", ratio, "x ideal", GOAL_RATIO, ratio <= GOAL_RATIO, detail)


async def _measure(line: ModbusLine, config: LineConfig, cycles: int) -> list[Cycle]:
    clock = SystemClock()
    watched = Watched(line, 2 * silence_ns(config.baud))
    owner = PortOwner(watched, SerialTransport(config), config.baud, clock)
    owner.start()
    await asyncio.sleep(_SETTLE_S)
    watched.cycles.clear()
    while len(watched.cycles) < cycles:
        line.begin_tick(clock.now_ns())
        owner.pump()
        before = len(watched.cycles)
        while len(watched.cycles) == before:
            await asyncio.sleep(_BETWEEN_S)
    owner.stop()
    return watched.cycles


async def measure_pymodbus(config: LineConfig, exchanges: tuple[Exchange, ...], cycles: int) -> list[Cycle]:
    """The same requests by pymodbus' asynchronous client."""
    clock = SystemClock()
    client = AsyncModbusSerialClient(config.port, baudrate=config.baud, parity="N", timeout=1.0, retries=0)
    await client.connect()
    measured = []
    for _ in range(cycles):
        began_ns = clock.now_ns()
        for exchange in exchanges:
            await _repeat(client, exchange.request)
        measured.append(Cycle(began_ns, clock.now_ns() - began_ns, exchanges))
        await asyncio.sleep(_BETWEEN_S)
    client.close()
    return measured


async def _repeat(client: AsyncModbusSerialClient, request: bytes) -> None:
    unit, function = request[0], request[1]
    address, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
    if function == _WRITE_COILS:
        bits = [bool(request[7] >> k & 1) for k in range(count)]
        await client.write_coils(address, bits, device_id=unit)
    else:
        await client.read_input_registers(address, count=count, device_id=unit)


@contextmanager
def _hardware(folder: Path) -> Iterator[None]:
    """The reference pod with all Modbus lines serial, standing, in another process."""
    reference = str(files("sim_hardware").joinpath("reference", "pod.toml"))
    command = [sys.executable, "-c", _SERVE, "--serve", str(folder), "--config", reference]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if not process.stdout.readline().startswith("ready"):
            raise PodError(NOT_READY, "bench cycle: the served hardware did not start: try podctl sim --serve DIR")
        yield
    finally:
        process.terminate()
        process.communicate()
