"""`podctl run` as a process: ports, signals, socket, memory and scheduling around one Core.

    SIGTERM, SIGINT   outputs to their fail states, read back, then out
    SIGHUP            read the configuration again
    anything raised   the same end, and the error goes on to whoever started us

Neighbours: `cli_run` starts it, `core` does the work at each tick, `hal.runner` keeps the time. Must not know rules,
tags or requests.
"""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from hal import runner
from hal.bus.tap import LineTap
from hal.clock import Clock
from hal.description import load
from hal.errors import PodError
from hal.line import REPLY_MARGIN_NS
from hal.port_watch import WatchedPort
from hal.transport import transport_of
from hal.watchdog import ServiceManager
from pod_controller import scheduling
from pod_controller.answers import Answers
from pod_controller.app import build
from pod_controller.commissioning.book import places
from pod_controller.commissioning.book import read as read_book
from pod_controller.config import PodConfig
from pod_controller.control_socket import ControlSocket
from pod_controller.core import NS, UNVERIFIED, Core, Log
from pod_controller.journal_disk import UNKNOWN_BOOT, SystemDisk, boot_id
from pod_controller.journal_writer import JournalThread
from pod_controller.recorder import Recorder, RecordingFile
from pod_controller.recording import header_of
from pod_controller.reload import read_again
from pod_controller.step import step
from pod_controller.topology import Topology
from pod_controller.trip_file import TripFile

EXIT_FINE, EXIT_INTERRUPTED = 0, 130
RECORDING = ".recording"


class CoreProcess:
    """Everything of one run; a context that leaves outputs safe however it is left."""

    def __init__(self, path: Path, config: PodConfig, clock: Clock, log: Log) -> None:
        """Raises PodError for wiring that cannot work, kernels that fail, a journal or socket that cannot be had."""
        self._path, self._config, self._clock, self._log = path, config, clock, log
        self._lines = config.hardware().lines
        self._signal = signal.SIGTERM
        self._reading: asyncio.Task[None] | None = None
        with ExitStack() as opened:
            # First of all, and before the journal: a second core of this pod ends here.
            self._socket = ControlSocket(config.control.socket, log)
            self._socket.open()
            opened.callback(self._socket.stop)
            self.core = self._build(opened)
            self._opened = opened.pop_all()

    def _build(self, opened: ExitStack) -> Core:
        """The core and what it writes to; closed again from the last to the first."""
        config, journals = self._config, list[JournalThread]()
        calibrations = read_book(self._path, config, self._clock)
        recording = config.control.journal.with_suffix(RECORDING)

        def open_journal(topology: Topology) -> JournalThread:
            journals.append(JournalThread(config.control.journal, topology, self._clock))
            opened.callback(lambda: journals[0].close(self._clock.now_ns()))
            return journals[0]

        def submit(task: Callable[[], None]) -> bool:
            return journals[0].submit(task)

        # Before there is a journal: a pod without either is new, one that has lost its record of trips is not.
        boot = boot_id()
        trip_file = TripFile(SystemDisk(), config.control.journal, boot, submit)
        stood = trip_file.recall()
        recorder = Recorder(RecordingFile(recording, header_of(config, self._path.read_text("utf-8"))), submit)
        curves = places(config)
        app = build(config, open_journal, None, recorder.watch(step), curves)
        opened.callback(recorder.close)
        submit(partial(_keep_old, recording))
        manager = ServiceManager(os.environ)
        opened.callback(manager.close)
        self._taps = [LineTap(x, transport_of(x), self._clock, late_ns_of(config, x.name)) for x in self._lines]
        self._ports = [
            WatchedPort(x.name, x.port or f"{x.host}:{x.tcp_port}", tap, opens_at_once=bool(x.port))
            for x, tap in zip(self._lines, self._taps, strict=True)
        ]
        core = Core(app, journals[0], self._ports, manager, self._log)
        core.recorder = recorder
        core.trip_file = trip_file
        core.loop.trips.recall(stood, stood.boot == boot != UNKNOWN_BOOT, self._clock.now_ns())
        core.workshop.read = partial(read_book, self._path, config, self._clock)
        core.workshop.places = curves
        core.workshop.calibrate(calibrations)
        return core

    def __enter__(self) -> Self:
        self._socket.start(Answers(self.core, self._clock, self._taps))
        scheduling.settle_memory()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not self.core.finished:
                # The ports were given back by whatever broke: take them again for as long as it takes to be safe.
                what = "no reason" if error is None else " ".join(f"{type(error).__name__}: {error}".split())[:200]
                self.core.leave(self._clock.now_ns(), f"fault in the core, {what}")
                self._drive_on()
        finally:
            self._opened.close()
            scheduling.restore_memory()

    def run(self) -> int:
        """Run until a signal; the exit code. PodError E431 when outputs could not be read back at their fail states."""
        self._drive_on()
        if not self.core.verified:
            text = "not every output could be read back at its fail state in time: the devices' own watchdogs hold them"
            raise PodError(UNVERIFIED, f"{text}; look at the pod, and at the line that was gone")
        return EXIT_INTERRUPTED if self._signal == signal.SIGINT else EXIT_FINE

    def _drive_on(self) -> None:
        """On a loop whose timers are exact: asyncio's own rounds a silence of 1.75 ms up to whole milliseconds."""
        with asyncio.Runner(loop_factory=runner.precise_loop) as loop:
            loop.run(self._drive())

    async def _drive(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leave, number)
        loop.add_signal_handler(signal.SIGHUP, self._read_again)
        self.core.scheduling = scheduling.go_first()
        self._log.info(f"control thread: {self.core.scheduling}")

        def tick(now_ns: int) -> None:
            self.core.tick(now_ns)
            loop.call_soon(scheduling.collect_in_slack, self.core.punctuality.ticks)
            if self.core.finished:
                stop.set()

        bauds = {line.name: line.pace_baud for line in self._lines}
        lines = [(line, bauds[line.name]) for line in self.core.app.field.lines]
        await runner.run(lines, self._ports, tick, round(self._config.control.tick_s * NS), self._clock, stop)

    def _leave(self, number: signal.Signals) -> None:
        if not self.core.leaving:
            self._signal = number
        self.core.leave(self._clock.now_ns(), number.name)

    def _read_again(self) -> None:
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._reload())

    async def _reload(self) -> None:
        """Read and check in another thread; the core takes the result at a tick boundary."""
        running = self.core.loop.topology.config
        loop = asyncio.get_running_loop()
        self.core.adopt(await loop.run_in_executor(None, read_again, self._path, running))


def late_ns_of(config: PodConfig, line: str) -> dict[int, int]:
    """By unit of a line: from which latency on an answer is too late for its description."""
    own = [device for device in config.device if device.line == line]
    return {x.unit: round(load(x.type).turnaround_s * NS) + REPLY_MARGIN_NS for x in own}


def _keep_old(path: Path) -> None:
    """What the run before recorded gets another name; on the journal's thread, so a disk that hangs delays no start."""
    with suppress(OSError):
        path.replace(path.with_name(path.name + ".old"))
