"""From the wiring to lines: points into coalesced blocks, and the wire-time budget.

Job: join Hardware with the descriptions, refuse what cannot work (PodError 2xx, 3xx), and give one LinePlan per line.
Neighbours: ``description`` (input), ``coalesce`` (blocks), ``admission`` (what a line can carry), ``pod_io`` builds the
lines from the plans.
Must not know: open ports, time, or what a tag means to the process.
"""

from dataclasses import dataclass

from hal import admission, budget
from hal.blocks import BlockPlan
from hal.coalesce import WireLimit, coalesce
from hal.description import Description, DeviceConfig, Hardware, LineConfig, PointSpec, described
from hal.errors import Code, PodError
from hal.output_plans import plan_outputs
from hal.outputs import OutputPlan
from hal.points import Point, resolve

NORMAL_S, SLOW_S = 2.0, 10.0
SHED_WAIT_NS = 50_000_000  # what is joined on a line with outputs is not longer: a shed write waits behind it
_NS = 1_000_000_000


@dataclass(frozen=True)
class DevicePlan:
    """One device: its description, its blocks (the one with the output image first), its outputs."""

    config: DeviceConfig
    description: Description
    blocks: tuple[BlockPlan, ...]
    outputs: OutputPlan | None
    points: tuple[Point, ...]


@dataclass(frozen=True)
class LinePlan:
    """One line with its devices; load_frac is the part of a tick its busiest tick needs."""

    config: LineConfig
    tick_ns: int
    devices: tuple[DevicePlan, ...]
    load_frac: float


def plan(hardware: Hardware) -> tuple[LinePlan, ...]:
    """Plans of all lines in their order; PodError names the thing, the value, the limit, the remedy."""
    names = [line.name for line in hardware.lines]
    for device in hardware.devices:
        if device.line not in names:
            raise PodError(
                Code.LINE_UNKNOWN,
                f"device {device.name} hangs on line {device.line!r}: use one of {', '.join(names)}",
            )
    _refuse_twice(hardware)
    return tuple(_plan_line(line, hardware) for line in hardware.lines)


def _refuse_twice(hardware: Hardware) -> None:
    """One tag, one unit address on a line, one owner each."""
    tags: dict[str, str] = {}
    units: dict[tuple[str, int], str] = {}
    for device in hardware.devices:
        other = units.setdefault((device.line, device.unit), device.name)
        if other != device.name:
            raise PodError(
                Code.UNIT_CONFLICT,
                f"line {device.line}: {other} and {device.name} both have unit {device.unit}: give one another address",
            )
        for tag in device.tags.values():
            owner = tags.setdefault(tag, device.name)
            if owner != device.name or list(device.tags.values()).count(tag) > 1:
                raise PodError(Code.TAG_CONFLICT, f"tag {tag} is given twice ({owner}, {device.name}): rename one")


def _plan_line(line: LineConfig, hardware: Hardware) -> LinePlan:
    tick_ns = round(hardware.tick_s * _NS)
    own = [device for device in hardware.devices if device.line == line.name]
    wire = WireLimit(line.pace_baud, SHED_WAIT_NS if any(_has_outputs(device, hardware) for device in own) else 0)
    devices = tuple(_plan_device(device, line, hardware, wire) for device in own)
    if line.protocol == "ascii":
        if len(own) != 1:
            raise PodError(
                Code.LINE_PROTOCOL,
                f"line {line.name} listens to one indicator, {len(own)} are configured: give each its own line",
            )
        return LinePlan(line, tick_ns, devices, 0.0)
    loads = [_load(device) for device in devices]
    admission.admit(line, loads, tick_ns)
    return LinePlan(line, tick_ns, devices, admission.load_frac(line.pace_baud, loads, tick_ns))


def _plan_device(device: DeviceConfig, line: LineConfig, hardware: Hardware, wire: WireLimit) -> DevicePlan:
    tick_ns = round(hardware.tick_s * _NS)
    description = described(hardware, device.type)
    _check_line(device, description, line)
    reads, writes = [], []
    for name, tag in device.tags.items():
        spec = description.point_named(name)
        if spec is None:
            raise PodError(
                Code.POINT_UNKNOWN,
                f"device {device.name}: type {device.type} has no point {name!r}: use one of"
                f" {', '.join(point.name for point in description.point)}",
            )
        if spec.access == "write":
            writes.append((spec, tag))
        else:
            reads.append(
                (_period_ns(spec, tick_ns), resolve(spec, tag, device.spans.get(name), hardware.curves.get(tag)))
            )
    for name in device.spans:
        if name not in device.tags:
            raise PodError(Code.SPAN_INVALID, f"device {device.name}: span of {name!r}, which has no tag: delete it")
    points = tuple(point for _, point in reads)
    if description.protocol == "ascii":
        return DevicePlan(device, description, (), None, points)
    blocks = coalesce(device.name, description, reads, tick_ns if writes else 0, wire)
    outputs = plan_outputs(device, description, writes, blocks[0] if blocks else None) if writes else None
    return DevicePlan(device, description, blocks, outputs, points)


def _check_line(device: DeviceConfig, description: Description, line: LineConfig) -> None:
    is_tcp = line.protocol == "modbus_tcp"
    if description.protocol != ("modbus_rtu" if is_tcp else line.protocol):
        raise PodError(
            Code.LINE_PROTOCOL,
            f"device {device.name} ({device.type}) speaks {description.protocol}, line {line.name}"
            f" {line.protocol}: move it to a line of its protocol",
        )
    if not is_tcp and line.baud not in description.baud:
        raise PodError(
            Code.LINE_BAUD,
            f"line {line.name} runs at {line.baud} baud, {device.name} ({device.type}) only at"
            f" {', '.join(map(str, description.baud))}: set the line to one of them",
        )
    own_unit = 255 if is_tcp else 1  # 255: the server itself (Modbus messaging on TCP/IP V1.0b, 4.4.2.5)
    if line.protocol != "ascii" and not 1 <= device.unit <= 247 and device.unit != own_unit:
        raise PodError(Code.UNIT_CONFLICT, f"device {device.name} has unit {device.unit}: Modbus allows 1 to 247")


def _period_ns(spec: PointSpec, tick_ns: int) -> int:
    """Fast is every tick; nothing is read more often than the tick."""
    wanted_s = {"fast": 0.0, "normal": NORMAL_S, "slow": SLOW_S}[spec.group]
    return max(tick_ns, round(wanted_s * _NS))


def _has_outputs(device: DeviceConfig, hardware: Hardware) -> bool:
    points = [described(hardware, device.type).point_named(name) for name in device.tags]
    return any(point is not None and point.access == "write" for point in points)


def _load(device: DevicePlan) -> admission.DeviceLoad:
    """What the device asks of its line."""
    config, description = device.config, device.description
    return admission.DeviceLoad(
        config.name, tuple(config.tags.values()), description.baud, description.turnaround_s,
        round(description.gap_s * _NS), device.blocks, device.outputs,
    )  # fmt: skip


def lease_s(line: LinePlan) -> float:
    """Longest time an output of this line may keep its old state after a command (budget.lease_s)."""
    watchdogs_s = [device.config.watchdog_s for device in line.devices if device.outputs is not None]
    late_s = max((device.description.late_s for device in line.devices), default=0.0)
    return budget.lease_s(late_s, line.load_frac * line.tick_ns / _NS, watchdogs_s) if watchdogs_s else 0.0
