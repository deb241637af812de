"""All lines as one: a scan of Readings and Acks in, Commands out.

Job: ``build`` makes every line from the wiring; ``scan`` gives the newest of everything, ``apply``
sets the output images, ``safe_state`` releases every output.
Neighbours: the tick calls scan and apply; ``runner`` or the simulator's executive drives ``lines``.
Must not know: how a line speaks, why a command was given.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hal.blocks import Block
from hal.description import Description, DeviceConfig, Hardware
from hal.device import Device, Health, Identity
from hal.device_facts import ContinuousFormat
from hal.errors import Code, PodError
from hal.line import ModbusLine, PortLine
from hal.modbus import READ_FUNCTION, read_request
from hal.outputs import OutputModule
from hal.planner import NORMAL_S, LinePlan, lease_s, plan
from hal.probe_line import ProbeLine
from hal.serial_instruments import SerialLine
from hal.tag_source import Source, find
from hal.tcp_line import ModbusTcpLine
from hal.values import Ack, Command, Reading, Scan

_NS = 1_000_000_000
AnyLine = ModbusLine | SerialLine | ProbeLine


class LostModule(NamedTuple):
    """An output module that is DEAD; hold_s: within which its own watchdog lets go, 0 without one."""

    device: str
    line: str
    unit: int
    tags: tuple[str, ...]
    hold_s: float


class Lost(NamedTuple):
    """Who cannot be reached: output modules, and lines of several devices none of which answers."""

    modules: tuple[LostModule, ...]
    lines: tuple[str, ...]


class PodIO:
    """The field of one pod. Holds no time: every call is told now_ns."""

    def __init__(self, lines: Sequence[AnyLine], leases_s: Mapping[str, float]) -> None:
        self._lines = tuple(lines)
        self._modules = tuple(m for line in lines if isinstance(line, ModbusLine) for m in line.modules)
        self._module_of = {tag: module for module in self._modules for tag in module.tags}
        self._leases_s = dict(leases_s)
        self._safe_since_ns: int | None = None

    @property
    def lines(self) -> Sequence[PortLine]:
        """The lines to drive, in the order of the wiring."""
        return self._lines

    def scan(self, now_ns: int) -> Scan:
        """The newest Reading of every tag and Ack of every output.

        Never read: BAD INITIAL_VALUE; device dead or nothing new for 3 periods: BAD NO_COMMUNICATION.
        """
        readings: dict[str, Reading] = {}
        acks: dict[str, Ack] = {}
        for line in self._lines:
            line.collect(now_ns)
            readings.update(line.readings)
            acks.update(line.acks)
        return Scan(readings, acks)

    def apply(self, commands: Iterable[Command], now_ns: int) -> None:
        """Set the output images and queue a write of every module, changed or not.

        An output without a command keeps its last one until that expires. PodError 401 when a
        command names no output.
        """
        for command in commands:
            module = self._module_of.get(command.tag)
            if module is None:
                raise PodError(
                    Code.OUTPUT_UNKNOWN,
                    f"command for {command.tag}, which is no output: outputs are {', '.join(self._module_of)}",
                )
            module.command(command, now_ns)
        for line in self._lines:
            line.begin_tick(now_ns)

    def safe_state(self, now_ns: int) -> None:
        """Every output to its fail state, now and until the next apply."""
        self._safe_since_ns = now_ns
        for module in self._modules:
            module.release(now_ns)
        for line in self._lines:
            line.begin_tick(now_ns)

    def outputs_at_fail(self) -> bool:
        """Whether every output was read back at its fail state since the last safe_state."""
        since_ns = self._safe_since_ns
        return since_ns is not None and all(module.at_fail_since(since_ns) for module in self._modules)

    def watchdogs_verified(self) -> bool:
        """Whether every module that shall have a watchdog has shown one not longer than configured."""
        return all(module.watchdog_verified for module in self._modules)

    def lost(self) -> Lost:
        """Output modules and lines out of reach; quick enough for every tick."""
        modules = [m for m in self._modules if m.device.dead]
        lines = [line.name for line in self._lines if isinstance(line, ModbusLine) and line.is_deserted]
        return Lost(tuple(_lost(m) for m in modules), tuple(lines))

    def lease_s(self, tag: str) -> float:
        """Longest time an output may keep its old state after a command, writes lost included."""
        return self._leases_s[tag]

    def source(self, tag: str) -> Source | None:
        """What an input was last made of, with every step; None when no line has it. For people: it takes its time."""
        return find(self._lines, tag)

    def health(self) -> tuple[Health, ...]:
        """State and counts of every Modbus device."""
        return tuple(h for line in self._lines if isinstance(line, ModbusLine) for h in line.health())


def _lost(module: OutputModule) -> LostModule:
    device = module.device
    return LostModule(device.name, device.line, device.unit, module.tags, module.hold_ns / _NS)


def build(hardware: Hardware) -> PodIO:
    """Plan and build all lines; PodError 2xx or 3xx when the wiring cannot work."""
    plans = plan(hardware)
    leases_s = {
        tag: lease_s(line)
        for line in plans
        for device in line.devices
        if device.outputs is not None
        for tag, _ in device.outputs.tags
    }
    return PodIO([_build_line(line) for line in plans], leases_s)


def _build_text_line(line: LinePlan) -> SerialLine | ProbeLine:
    """The line of an instrument that speaks in text: it sends by itself, or it is asked."""
    (device,) = line.devices
    name, baud, description = line.config.name, line.config.pace_baud, device.description
    if description.probe is not None:
        return ProbeLine(name, baud, device.points, description.probe, max(line.tick_ns, round(NORMAL_S * _NS)))
    return SerialLine(name, baud, device.points[0], description.continuous or ContinuousFormat(), line.tick_ns)


def _build_line(line: LinePlan) -> AnyLine:
    if line.config.protocol == "ascii":
        return _build_text_line(line)
    if line.config.protocol == "modbus_tcp":
        modbus: ModbusLine = ModbusTcpLine(line.config.name, line.tick_ns)
    else:
        wire = line.config
        modbus = ModbusLine(wire.name, wire.baud, wire.paced, line.tick_ns, wire.char_bits)
    for plan_of_device in line.devices:
        config, description = plan_of_device.config, plan_of_device.description
        turnaround_ns, late_ns = round(description.turnaround_s * _NS), round(description.late_s * _NS)
        device_state = Device(
            config.name, line.config.name, config.unit, turnaround_ns, late_ns, _identity(config, description)
        )
        device_state.gap_ns = round(description.gap_s * _NS)
        blocks = [Block(block, device_state, line.tick_ns, modbus.readings) for block in plan_of_device.blocks]
        outputs = plan_of_device.outputs
        module = OutputModule(outputs, device_state, modbus.acks) if outputs is not None else None
        modbus.add(device_state, blocks, module)
    return modbus


def _identity(config: DeviceConfig, description: Description) -> Identity | None:
    """What must be read before the device is trusted: the registers of this very one, else those of its type."""
    shown = config.identity or description.identity
    if shown is None:
        return None
    function = READ_FUNCTION[shown.table]
    return Identity(read_request(config.unit, function, shown.address, len(shown.words)), shown.words)
