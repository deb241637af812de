"""A line with one described device on it, on virtual time: the real master at one end, real bytes between.

Job: wire description, device and lines together, tick, and give readings. Neighbours: device.py, battery.py, the
executive. Must not know: what is being tried.
"""

from collections.abc import Mapping

from hal.commands import CommandRun, Progress
from hal.description import Description, DeviceConfig, Hardware, LineConfig
from hal.modbus import Verdict, judge
from hal.pod_io import PodIO, build
from hal.values import Command, Reading, Scan
from sim_hardware.described.device import DescribedDevice
from sim_hardware.executive import Executive, Port
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.troubles.wire_faults import make

DEVICE, LINE, UNIT = "X-1", "A", 1
TICK_S = 2.0  # slow devices at low baud rates still fit
_NS = 1_000_000_000
_POLL_NS = 100_000_000


class _NoPlant:
    """Nothing moves here but what the bench sets."""

    def advance_to(self, now_ns: int) -> None:
        """Nothing to do."""


class Bench:
    """One Modbus device of a description, all its points with tags of their own names."""

    def __init__(self, description: Description, watchdog_s: float = 0.0, names: tuple[str, ...] | None = None) -> None:
        """names: the points to wire; all when left out."""
        tags = {point.name: point.name for point in description.point if names is None or point.name in names}
        hardware = Hardware(
            (LineConfig(LINE, "modbus_rtu", "/dev/none", max(description.baud)),),
            (DeviceConfig(DEVICE, "described", LINE, UNIT, watchdog_s, tags),),
            TICK_S,
            types={"described": description},
        )
        self.description = description
        self.device = DescribedDevice(description)
        self.io: PodIO = build(hardware)
        self.wanted: dict[str, float] = {}
        self._station = LineOfSlaves(LINE, {DEVICE: Slave(UNIT, self.device, description.turnaround_s / 2.0)})
        port = Port(self.io.lines[0], self._station, max(description.baud))
        self._executive = Executive([port], _NoPlant(), self._tick, round(TICK_S * _NS))

    def _tick(self, now_ns: int) -> None:
        until_ns = now_ns + round(2.0 * TICK_S * _NS)
        self.io.apply([Command(tag, frac, now_ns, until_ns) for tag, frac in self.wanted.items()], now_ns)

    def run(self, duration_s: float) -> Scan:
        """Let time pass; the scan at its end."""
        self._executive.run_until(self._executive.now_ns + round(duration_s * _NS))
        return self.io.scan(self._executive.now_ns)

    def readings(self) -> Mapping[str, Reading]:
        """Every point read anew, which takes no longer than the start of a tick."""
        return self.run(TICK_S * 0.9).readings

    def begin(self, fault: str, **parameters: float) -> None:
        """A wire fault begins on the device."""
        self._station.inject(make(fault, **parameters), DEVICE)

    def end(self, fault: str) -> None:
        """It ends."""
        self._station.clear(fault, DEVICE)

    def command(self, name: str, argument: int | None = None) -> CommandRun:
        """Play a command of the device, frame by frame, to its end."""
        run, now_ns = CommandRun(self.description, name, UNIT, argument), self._executive.now_ns
        while run.progress is Progress.RUNNING:
            request = run.next_request()
            assert request is not None, "a command that runs has something to send"
            now_ns += _POLL_NS
            replies = self._station.receive(request.frame, now_ns)
            reply = replies[0][1] if replies else b""
            run.answered(judge(request, reply) if reply else Verdict.TIMEOUT, reply, now_ns)
        return run
