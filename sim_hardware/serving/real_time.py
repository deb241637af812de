"""The same pod in real time: the program's own runner on pseudo-terminals, the devices behind them.

Neighbours: `pod` holds both sides, `hal.runner` drives the lines, `wire` the devices. One event loop carries both;
nothing here was run on a real RS-485 bus. Must not know how results are shown.
"""

import asyncio
import signal
from collections.abc import Callable, Sequence

from hal import runner
from hal.clock import SystemClock
from hal.description import LineConfig
from hal.errors import PodError
from hal.transport import transport_of
from pod_controller.config import PodConfig
from sim_hardware.faults import Fault
from sim_hardware.pod import NS, SETTLE_S, SimulatedPod
from sim_hardware.scenarios import Scenario

WIRE_ONLY = 156


class RealTimeRun:
    """One run on pseudo-terminals. `interrupted` tells whether a signal ended it."""

    def __init__(self, pod: SimulatedPod, on_tick: Callable[[SimulatedPod, int], None] | None) -> None:
        self._pod = pod
        self._on_tick = on_tick
        self._stop = asyncio.Event()
        self._leaving_ns = -1
        self._start_ns = -1
        self._end_ns = 0
        self.interrupted = False

    async def run(self, duration_s: float) -> None:
        """Run for duration_s of real time or until SIGINT or SIGTERM; then outputs to their fail states."""
        clock = SystemClock()
        bauds = self._pod.field_side.bauds
        bench = self._pod.hardware.bench(clock)
        places = await bench.start()
        self._start_ns = clock.now_ns()
        self._end_ns = round(duration_s * NS)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._interrupt)
        self._pod.hardware.schedule_faults(bench)
        try:
            config = self._pod.app.config
            lines = [(line, bauds[line.name]) for line in self._pod.app.field.lines]
            transports = [transport_of(_line(config, line.name, places)) for line, _ in lines]
            tick_ns = round(config.control.tick_s * NS)
            result = await runner.run(lines, transports, self._tick, tick_ns, clock, self._stop)
            self._pod.overruns = result.overruns
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            await bench.stop()

    def _tick(self, now_ns: int) -> None:
        since_ns = now_ns - self._start_ns
        if self._leaving_ns < 0 and since_ns < self._end_ns:
            self._pod.tick(now_ns)
            if self._on_tick is not None:
                self._on_tick(self._pod, since_ns)
            return
        if self._leaving_ns < 0:
            self._leave(now_ns)
        elif self._pod.app.field.outputs_at_fail() or now_ns - self._leaving_ns > SETTLE_S * NS:
            self._stop.set()

    def _leave(self, now_ns: int) -> None:
        self._leaving_ns = now_ns
        self._pod.app.loop.stop(now_ns)

    def _interrupt(self) -> None:
        self.interrupted = True
        self._end_ns = 0


def run(
    config: PodConfig,
    scenario: Scenario,
    policy: str,
    extra_faults: Sequence[Fault],
    on_tick: Callable[[SimulatedPod, int], None] | None,
) -> tuple[SimulatedPod, bool]:
    """Run in real time; returns the pod after the run and whether a person interrupted it."""
    pod = SimulatedPod(config, scenario, policy, extra_faults)
    try:
        real = RealTimeRun(pod, on_tick)
        with asyncio.Runner(loop_factory=runner.precise_loop) as loop:
            loop.run(real.run(scenario.duration_s))
    except OSError as error:
        text = f"pseudo-terminals: {error.strerror}: this machine has none free; use --tier b instead of --wire"
        raise PodError(WIRE_ONLY, text) from error
    return pod, real.interrupted


def _line(config: PodConfig, name: str, places: dict[str, str]) -> LineConfig:
    for line in config.hardware(places).lines:
        if line.name == name:
            return line
    raise PodError(WIRE_ONLY, f"line {name} is not in the configuration")
