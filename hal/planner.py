"""From the wiring to lines: points into coalesced blocks, and the wire-time budget.

Job: join Hardware with the descriptions, refuse what cannot work (PodError 2xx, 3xx) and what a line
cannot carry in a tick, and give one LinePlan per line.
Neighbours: ``description`` (input), ``pod_io`` builds the lines from the plans.
Must not know: open ports, time, or what a tag means to the process.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hal import budget
from hal.blocks import BlockPlan
from hal.description import Description, DeviceConfig, Hardware, LineConfig, PointSpec, Table, described
from hal.errors import Code, PodError
from hal.output_plans import plan_outputs, shown_count
from hal.outputs import OutputPlan
from hal.points import Point, resolve

NORMAL_S, SLOW_S = 2.0, 10.0
LOAD_LIMIT_FRAC = 0.8  # of a tick: the rest is room for one fault and for adapters that dawdle
_MOST_BITS = 2000
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
    devices = tuple(_plan_device(device, line, hardware) for device in own)
    if line.protocol == "ascii":
        if len(own) != 1:
            raise PodError(
                Code.LINE_PROTOCOL,
                f"line {line.name} listens to one indicator, {len(own)} are configured: give each its own line",
            )
        return LinePlan(line, tick_ns, devices, 0.0)
    load = _load_frac(line, devices, tick_ns)
    if load > LOAD_LIMIT_FRAC:
        raise PodError(
            Code.LINE_OVERLOADED,
            f"line {line.name}{f' at {line.baud} baud' if line.baud else ''} needs {load:.0%} of the tick of"
            f" {hardware.tick_s} s, limit {LOAD_LIMIT_FRAC:.0%}: raise its baud rate, move devices to another"
            " line, or lengthen the tick",
        )
    return LinePlan(line, tick_ns, devices, load)


def _plan_device(device: DeviceConfig, line: LineConfig, hardware: Hardware) -> DevicePlan:
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
    blocks = coalesce(device.name, description, reads, tick_ns if writes else 0)
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


@dataclass
class _Span:
    """Addresses first..last of one table, read every period_ns."""

    period_ns: int
    table: Table
    first: int
    last: int

    def joined(self, other: "_Span") -> "_Span":
        return _Span(self.period_ns, self.table, min(self.first, other.first), max(self.last, other.last))

    def holds(self, other: "_Span") -> bool:
        return self.table == other.table and self.first <= other.first and other.last <= self.last


def coalesce(
    device: str, description: Description, reads: Sequence[tuple[int, Point]], image_period_ns: int
) -> tuple[BlockPlan, ...]:
    """Blocks that read every point, quickest period first, each inside one readable range.

    Two points of one period share a block when one request may span both; a slow point inside the
    span of a quick block comes with it. image_period_ns > 0: the first block shows the output image.
    """
    points = [(_Span(period, p.table, min(p.addresses()), max(p.addresses())), p) for period, p in reads]
    spans = [span for span, _ in points]
    image = _image_span(description, image_period_ns)
    if image is not None:
        spans.append(image)
    for span in spans:
        if not _one_request(description, span):
            raise PodError(
                Code.POINT_UNREADABLE,
                f"device {device}: {span.table} {span.first}..{span.last} is not inside one readable range of"
                f" {description.model} of at most {description.max_registers} registers: correct the description",
            )
    blocks = _merge(description, spans)
    if image is not None:
        blocks.sort(key=lambda block: not block.holds(image))
    owner = {id(p): next(k for k, block in enumerate(blocks) if block.holds(span)) for span, p in points}
    return tuple(
        BlockPlan(b.table, b.first, b.last - b.first + 1, b.period_ns, tuple(p for _, p in points if owner[id(p)] == k))
        for k, b in enumerate(blocks)
    )


def _merge(description: Description, spans: Iterable[_Span]) -> list[_Span]:
    """Few requests that cover all spans."""
    blocks: list[_Span] = []
    for span in sorted(spans, key=lambda s: (s.period_ns, s.table, s.first)):
        for k, block in enumerate(blocks):
            if block.holds(span):
                break
            both = block.joined(span)
            if block.table == span.table and block.period_ns == span.period_ns and _one_request(description, both):
                blocks[k] = both
                break
        else:
            blocks.append(span)
    return blocks


def _one_request(description: Description, span: _Span) -> bool:
    """Whether one request may read the span through."""
    most = _MOST_BITS if span.table in budget.BIT_TABLES else description.max_registers
    inside = any(span.table == r.table and r.first <= span.first and span.last <= r.last for r in description.readable)
    return inside and span.last - span.first < most


def _image_span(description: Description, period_ns: int) -> _Span | None:
    """The register that shows the outputs, or the outputs themselves, if it is wanted and there is one."""
    image = description.read_back
    if not period_ns or image is None:
        return None
    return _Span(period_ns, image.table, image.address, image.address + shown_count(description) - 1)


def _load_frac(line: LineConfig, devices: Iterable[DevicePlan], tick_ns: int) -> float:
    """Part of a tick that the busiest tick of the line needs."""
    every: list[int] = []
    slower: list[tuple[int, int]] = []
    for device in devices:
        turnaround_s = device.description.turnaround_s
        if device.outputs is not None:
            every.append(budget.write_ns(line.baud, device.outputs, turnaround_s))
        costs = [(budget.read_ns(line.baud, block, turnaround_s), block.period_ns) for block in device.blocks]
        every.extend(cost_ns for cost_ns, period_ns in costs if period_ns <= tick_ns)
        slower.extend((cost_ns, period_ns) for cost_ns, period_ns in costs if period_ns > tick_ns)
    return budget.load_frac(every, slower, tick_ns)


def lease_s(line: LinePlan) -> float:
    """Longest time an output of this line may keep its old state after a command (budget.lease_s)."""
    watchdogs_s = [device.config.watchdog_s for device in line.devices if device.outputs is not None]
    late_s = max((device.description.late_s for device in line.devices), default=0.0)
    return budget.lease_s(late_s, line.load_frac * line.tick_ns / _NS, watchdogs_s) if watchdogs_s else 0.0
