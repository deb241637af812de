"""A line with one instrument that speaks in text, on virtual time: indicators that send, probes that are asked.

Neighbours: bench.py is the same for Modbus; indicator.py and ezo.py are the instruments, text_battery.py tries them.
Must not know: what is being tried.
"""

from functools import partial

from hal.description import Description, DeviceConfig, Hardware, LineConfig
from hal.pod_io import PodIO, build
from hal.values import Scan
from sim_hardware.described.ezo import EzoProbe
from sim_hardware.executive import Executive, Port
from sim_hardware.indicator import IndicatorLine, WeighIndicator
from sim_hardware.station import Reply
from sim_hardware.troubles.wire_faults import make

DEVICE, LINE = "X-1", "A"
TICK_S = 0.5
CAPACITY_KG = 5000.0
_NS = 1_000_000_000


class Parrot(EzoProbe):
    """A probe that answers every request for a reading with given bytes."""

    said = b""

    def _obey(self, line: str, now_ns: int) -> list[Reply]:
        return [(self.reading_s, self.said)] if line == "R" else super()._obey(line, now_ns)


class _NoPlant:
    def advance_to(self, now_ns: int) -> None:
        """Nothing moves here."""


class TextBench:
    """One instrument of a description; ``values`` is what it measures, by place."""

    def __init__(self, description: Description) -> None:
        tags = {point.name: point.name for point in description.point}
        line = LineConfig(LINE, "ascii", "/dev/none", min(description.baud))
        device = DeviceConfig(DEVICE, "described", LINE, 1, 0.0, tags)
        self.io: PodIO = build(Hardware((line,), (device,), TICK_S, types={"described": description}))
        self.values = [100.0] * (1 if description.probe is None else description.probe.fields)
        self.probe = Parrot(LINE, DEVICE, [partial(self._measured, k) for k in range(len(self.values))])
        self.indicator = WeighIndicator(lambda: self.values[0], CAPACITY_KG, form=description.continuous)
        self.station = self.probe if description.probe is not None else IndicatorLine(LINE, DEVICE, self.indicator)
        if description.probe is not None:
            self.probe.reading_s, self.probe.reply_s = description.probe.reading_s, description.probe.reply_s
        port = Port(self.io.lines[0], self.station, min(description.baud))
        self.executive = Executive([port], _NoPlant(), lambda now_ns: self.io.apply([], now_ns), round(TICK_S * _NS))

    def _measured(self, place: int) -> float:
        return self.values[place]

    @property
    def now_ns(self) -> int:
        """Where time is."""
        return self.executive.now_ns

    def run(self, duration_s: float) -> Scan:
        """Let time pass; the scan at its end."""
        self.executive.run_until(self.executive.now_ns + round(duration_s * _NS))
        return self.io.scan(self.executive.now_ns)

    def hear(self, data: bytes) -> Scan:
        """Bytes from nowhere, now; the scan after them."""
        self.io.lines[0].receive(data, self.now_ns)
        return self.io.scan(self.now_ns)

    def begin(self, fault: str, **parameters: float) -> None:
        """A wire fault begins."""
        self.station.inject(make(fault, **parameters))

    def end(self, fault: str) -> None:
        """It ends."""
        self.station.clear(fault)
