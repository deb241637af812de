"""The reference pod as it is wired: which device sits where, and which tag hangs on which terminal.

Job: build the stations of every line from a probe per measured tag and one callback for outputs, and
let faults be set by name. Neighbours: instruments.py, io_module.py, indicator.py, slave.py,
wire_faults.py; pod.py and tests use it. Must not know: the plant behind the probes, the controller's
configuration (that both agree is a test, not an import).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from hal.description import Protocol
from hal.errors import PodError
from hal.line import Line
from sim_hardware.executive import Executive, Port
from sim_hardware.indicator import IndicatorLine, WeighIndicator
from sim_hardware.instruments import Analog8, Device, LevelHydrostatic, LevelRadar, LoadCell4, TempPt1004
from sim_hardware.io_module import IoModule8
from sim_hardware.modbus_tcp import mbap
from sim_hardware.modbus_tcp.gateway import Gateway
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.station import Probe
from sim_hardware.troubles.wire_faults import make

TCP_PACE = 10_000_000_000  # characters of 1 ns: beside everything else a loopback takes no time
Far = LineOfSlaves | Gateway | IndicatorLine
Drive = Callable[[str, bool], None]
Channels = Mapping[int, str]


class WiredLine(NamedTuple):
    """One serial line, or a Modbus TCP server with the line's devices behind it (baud 0).

    baud: that at which characters of 10 bits take as long as the line's.
    """

    name: str
    protocol: Protocol
    baud: int


class WiredDevice(NamedTuple):
    """One device: its type, where it sits, the tag on each channel, and its serial number if it shows one."""

    name: str
    type: str
    line: str
    unit: int
    inputs: Channels = MappingProxyType({})
    outputs: Channels = MappingProxyType({})
    switches: Channels = MappingProxyType({})
    serial_number: int = 0


def _row(*tags: str) -> Channels:
    """Channels in order; an empty tag is a free terminal."""
    return MappingProxyType({channel: tag for channel, tag in enumerate(tags) if tag})


# By type of device: the point of its description that a channel of its inputs is measured at.
MEASURED_POINT: Mapping[str, str] = MappingProxyType(
    {
        "io_module_8": "position_{}",
        "load_cell_4ch": "weight_{}",
        "level_hydrostatic": "level",
        "level_radar": "level",
        "analog_8ch": "current_{}",
        "temp_pt100_4ch": "temp_{}",
        "weigh_indicator": "weight",
    }
)
LINES: tuple[WiredLine, ...] = (
    WiredLine("A", "modbus_rtu", 38400),
    WiredLine("B", "modbus_rtu", 38400),
    WiredLine("C", "modbus_rtu", 19200),
    WiredLine("W", "ascii", 9600),
)
DEVICES: tuple[WiredDevice, ...] = (
    WiredDevice(
        "XM-A",
        "io_module_8",
        "A",
        1,
        inputs=_row("ZT-101", "ZT-103", "", "", "ZT-122", "ZT-123", "ZT-212"),
        outputs=_row("FV-101", "FV-103", "XY-111", "XY-113", "FV-122", "FV-123", "FV-212", "XA-901"),
        switches=_row("LSHH-204", "", "ZSC-111", "ZSC-113", "LSH-101", "LSH-103"),
        serial_number=0x0811_0101,
    ),
    WiredDevice("WM-A", "load_cell_4ch", "A", 2, inputs=_row("WT-101", "WT-103"), serial_number=0x0421_0201),
    WiredDevice(
        "XM-B",
        "io_module_8",
        "B",
        1,
        inputs=_row("ZT-102", "ZT-104", "", "", "ST-121", "ZT-124", "ZT-712", "ZT-412"),
        outputs=_row("FV-102", "FV-104", "XY-112", "XY-114", "SC-121", "FV-124", "FV-712", "FV-412"),
        switches=_row("", "", "ZSC-112", "ZSC-114", "LSH-102", "LSH-104"),
        serial_number=0x0811_0102,
    ),
    WiredDevice("WM-B", "load_cell_4ch", "B", 2, inputs=_row("WT-102", "WT-104"), serial_number=0x0421_0202),
    WiredDevice("LM-201", "level_hydrostatic", "B", 3, inputs=_row("LT-201")),
    WiredDevice("LM-202", "level_radar", "B", 4, inputs=_row("LT-202")),
    WiredDevice("WI-203", "weigh_indicator", "W", 0, inputs=_row("WT-203")),
    WiredDevice(
        "XM-C",
        "io_module_8",
        "C",
        1,
        inputs=_row("ST-211", "ST-411", "ST-711"),
        outputs=_row("SC-211", "SC-411", "SC-711", "TY-303", "SC-901"),
        serial_number=0x0811_0103,
    ),
    WiredDevice(
        "AM-1",
        "analog_8ch",
        "C",
        2,
        inputs=_row("LT-301", "LT-401", "LT-501", "LT-601", "LT-701", "LT-801", "FT-311", "PT-312"),
        serial_number=0x0831_0301,
    ),
    WiredDevice(
        "AM-2",
        "analog_8ch",
        "C",
        3,
        inputs=_row("LT-302", "LT-402", "LT-502", "LT-602", "LT-702", "LT-802", "AT-703", "AT-704"),
        serial_number=0x0831_0302,
    ),
    WiredDevice("AM-3", "analog_8ch", "C", 5, inputs=_row("AT-304", "AT-313"), serial_number=0x0831_0303),
    WiredDevice("TM-1", "temp_pt100_4ch", "C", 4, inputs=_row("TT-301", "TT-302")),
)
INDICATOR_CAPACITY_KG = 1000.0  # three 500 kg cells under the buffer, cut by the indicator at 1 t


def probe_tags() -> list[str]:
    """Every tag that needs a probe, in the order of the wiring."""
    return [tag for device in DEVICES for row in (device.inputs, device.switches) for tag in row.values()]


def output_tags() -> list[str]:
    """Every output tag, in the order of the wiring."""
    return [tag for device in DEVICES for tag in device.outputs.values()]


def analog_tags() -> list[str]:
    """Every tag on an analogue module, which needs a span."""
    return [tag for device in DEVICES if device.type == "analog_8ch" for tag in device.inputs.values()]


class FieldSide:
    """All stations of the reference pod."""

    def __init__(
        self,
        probes: Mapping[str, Probe],
        drive: Drive,
        spans: Mapping[str, tuple[float, float]],
        watchdog_s: float = 2.0,
        lines: Sequence[WiredLine] = LINES,
    ) -> None:
        """Probes by tag in the tag's unit; drive(tag, on) at every change of a held output.

        spans: what 4 and 20 mA mean, for every tag on an analogue module; watchdog_s as commissioned;
        lines: another way to reach the same devices. PodError 385 names the tags without a probe or span.
        """
        missing = [tag for tag in probe_tags() if tag not in probes]
        missing += [f"{tag} (span)" for tag in analog_tags() if tag not in spans]
        if missing:
            raise PodError(385, f"wiring: {len(missing)} of the tags have no probe or span: add {', '.join(missing)}")
        self._probes = probes
        self._drive = drive
        self._spans = spans
        self._watchdog_s = watchdog_s
        self.devices: dict[str, Device] = {}
        self.stations = {line.name: self._station(line) for line in lines}
        self.bauds = {line.name: line.baud for line in lines}

    def ports(self, lines: Iterable[Line]) -> list[Port]:
        """The controller's lines, each with its station (same name) and speed."""
        return [self._port(line) for line in lines]

    def _port(self, line: Line) -> Port:
        station, baud = self.stations[line.name], self.bauds[line.name]
        return Port(line, station, baud) if baud else Port(line, station, TCP_PACE, mbap.FUNCTION_AT)

    def held(self, tag: str) -> bool:
        """Whether the module holds this output energised."""
        for wired in DEVICES:
            for channel, wired_tag in wired.outputs.items():
                module = self.devices.get(wired.name)
                if wired_tag == tag and isinstance(module, IoModule8):
                    return bool(module.held >> channel & 1)
        raise PodError(386, f"wiring: {tag} is no output: choose one of {', '.join(output_tags())}")

    def inject(self, kind: str, target: str, **parameters: float) -> None:
        """Begin fault kind of wire_faults on a device or a line, by name."""
        station, device_name = self._find(target)
        station.inject(make(kind, **parameters), device_name)

    def clear(self, kind: str, target: str) -> None:
        """End fault kind on a device or a line."""
        station, device_name = self._find(target)
        station.clear(kind, device_name)

    def inject_at(
        self, executive: Executive, when_ns: int, until_ns: int, kind: str, target: str, **parameters: float
    ) -> None:
        """Have a fault begin and end at set times of an executive."""
        self._find(target)
        executive.at(when_ns, lambda _: self.inject(kind, target, **parameters))
        executive.at(until_ns, lambda _: self.clear(kind, target))

    def _find(self, target: str) -> tuple[Far, str | None]:
        if target in self.stations:
            return self.stations[target], None
        for wired in DEVICES:
            if wired.name == target:
                return self.stations[wired.line], target
        names = [*self.stations, *(wired.name for wired in DEVICES)]
        raise PodError(387, f"fault target {target!r} is neither line nor device: choose one of {', '.join(names)}")

    def _station(self, line: WiredLine) -> Far:
        wired = [device for device in DEVICES if device.line == line.name]
        if line.protocol == "ascii":
            return self._indicator(line, wired)
        for device in wired:
            made = self.devices[device.name] = self._device(device)
            made.serial_number = device.serial_number
        slaves = {device.name: Slave(device.unit, self.devices[device.name]) for device in wired}
        behind = LineOfSlaves(line.name, slaves)
        return Gateway(behind) if line.protocol == "modbus_tcp" else behind

    def _indicator(self, line: WiredLine, wired: Sequence[WiredDevice]) -> IndicatorLine:
        (device,) = wired
        return IndicatorLine(
            line.name, device.name, WeighIndicator(self._probes[device.inputs[0]], INDICATOR_CAPACITY_KG)
        )

    def _device(self, wired: WiredDevice) -> Device:
        inputs = self._wires(wired.inputs)
        if wired.type == "io_module_8":
            return IoModule8(self._driver(wired.outputs), inputs, self._wires(wired.switches), self._watchdog_s)
        if wired.type == "analog_8ch":
            return Analog8(inputs, {channel: self._spans[tag] for channel, tag in wired.inputs.items()})
        if wired.type == "load_cell_4ch":
            return LoadCell4(inputs)
        if wired.type == "temp_pt100_4ch":
            return TempPt1004(inputs)
        if wired.type == "level_hydrostatic":
            return LevelHydrostatic(inputs[0])
        if wired.type == "level_radar":
            return LevelRadar(inputs[0])
        raise PodError(388, f"wiring: {wired.name} is of type {wired.type}: add the type to FieldSide")

    def _wires(self, channels: Channels) -> dict[int, Probe]:
        return {channel: self._probes[tag] for channel, tag in channels.items()}

    def _driver(self, outputs: Channels) -> Callable[[int, bool], None]:
        def drive(channel: int, on: bool) -> None:
            if channel in outputs:
                self._drive(outputs[channel], on)

        return drive
