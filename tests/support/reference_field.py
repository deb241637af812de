"""The reference pod's field side for tests: constant probes, and the controller's Hardware that fits the wiring.

The tables of wiring.py are turned into hal's own description of a pod, so that a test can set both sides against
each other without the controller's configuration.
"""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from hal.description import DeviceConfig, Hardware, LineConfig
from sim_hardware.station import Probe
from sim_hardware.wiring import DEVICES, LINES, MEASURED_POINT, FieldSide, WiredDevice, analog_tags, probe_tags

SPANS = dict.fromkeys(analog_tags(), (0.0, 100.0))


class Steady(NamedTuple):
    """A field side whose quantities stand at `values` (or follow what a test puts in `probes`), and what it drove."""

    field: FieldSide
    values: dict[str, float]
    probes: dict[str, Probe]
    driven: list[tuple[str, bool]]


def steady_field(watchdog_s: float = 2.0) -> Steady:
    """Every measured tag at a value of its own, which a test may change; modules with that watchdog set."""
    values = dict.fromkeys(probe_tags(), 1.0)
    values.update({tag: 10.0 + index for index, tag in enumerate(SPANS)})
    values.update({"LT-201": 1.25, "LT-202": 1.5, "WT-101": 12.345, "WT-203": 180.0, "TT-301": 35.0})
    driven: list[tuple[str, bool]] = []
    probes: dict[str, Probe] = {tag: partial(values.__getitem__, tag) for tag in values}
    live = {tag: (lambda tag=tag: probes[tag]()) for tag in probes}
    return Steady(FieldSide(live, lambda tag, on: driven.append((tag, on)), SPANS, watchdog_s), values, probes, driven)


def hardware(ports: Mapping[str, str] | None = None, tick_s: float = 0.5, tcp_lines: tuple[str, ...] = ()) -> Hardware:
    """The controller's description of the same wiring; ports by line name (none needed on virtual time)."""
    ports = ports or {}
    lines = tuple(
        LineConfig(line.name, "modbus_tcp", "", 0, False, "127.0.0.1", 502)
        if line.name in tcp_lines
        else LineConfig(line.name, line.protocol, ports.get(line.name, line.name), line.baud)
        for line in LINES
    )
    return Hardware(lines, tuple(_device(wired) for wired in DEVICES), tick_s)


def _device(wired: WiredDevice) -> DeviceConfig:
    tags = {MEASURED_POINT[wired.type].format(channel): tag for channel, tag in wired.inputs.items()}
    tags.update({f"output_{channel}": tag for channel, tag in wired.outputs.items()})
    tags.update({f"switch_{channel}": tag for channel, tag in wired.switches.items()})
    spans = {point: SPANS[tag] for point, tag in tags.items() if tag in SPANS}
    watchdog_s = 2.0 if wired.outputs else 0.0
    return DeviceConfig(wired.name, wired.type, wired.line, wired.unit, watchdog_s, tags, spans)
