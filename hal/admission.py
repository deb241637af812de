"""Whether a line can carry what is asked of it, told when the configuration is checked.

Job: the load of the busiest tick; a line that is asked for more is refused with how much too late which group would be
read, and with the baud rate or the device whose move would mend it. Neighbours: ``planner`` asks, ``budget`` has the
wire's arithmetic. Must not know: descriptions, registers, time.
"""

from collections.abc import Sequence
from typing import NamedTuple

from hal import budget
from hal.blocks import BlockPlan
from hal.description import LineConfig
from hal.errors import Code, PodError
from hal.outputs import OutputPlan

LOAD_LIMIT_FRAC = 0.8  # of a tick: the rest is room for one fault and for adapters that dawdle
_NS = 1_000_000_000


class DeviceLoad(NamedTuple):
    """What one device asks of its line; bauds: the speeds it knows; gap_ns: silence it wants beside t3.5."""

    name: str
    tags: tuple[str, ...]
    bauds: tuple[int, ...]
    turnaround_s: float
    gap_ns: int
    blocks: tuple[BlockPlan, ...]
    outputs: OutputPlan | None


def load_frac(baud: int, devices: Sequence[DeviceLoad], tick_ns: int) -> float:
    """Part of a tick that the busiest tick of the line needs."""
    every, slower = _costs(baud, devices, tick_ns)
    return budget.load_frac(every, slower, tick_ns)


def admit(line: LineConfig, devices: Sequence[DeviceLoad], tick_ns: int) -> None:
    """PodError 202 when the line cannot carry them: which group is late by how much, and what would mend it."""
    load = load_frac(line.pace_baud, devices, tick_ns)
    if load <= LOAD_LIMIT_FRAC:
        return
    every, slower = _costs(line.pace_baud, devices, tick_ns)
    longest_ns = max((cost_ns for cost_ns, _ in slower), default=0)
    group, period_ns = "fast", tick_ns
    if not slower or sum(every) + longest_ns <= LOAD_LIMIT_FRAC * tick_ns:
        period_ns = max((period_ns for _, period_ns in slower), default=tick_ns)
        group = "fast" if period_ns == tick_ns else f"of {period_ns / _NS:g} s"
    raise PodError(
        Code.LINE_OVERLOADED,
        f"line {line.name}{f' at {line.baud} baud' if line.baud else ''} carries {load:.0%}, limit"
        f" {LOAD_LIMIT_FRAC:.0%} of the tick of {tick_ns / _NS:g} s; group {group} misses its {period_ns / 1e6:g} ms by"
        f" {(load - LOAD_LIMIT_FRAC) * period_ns / 1e6:.0f} ms: {_remedy(line, devices, tick_ns)}",
    )


def _remedy(line: LineConfig, devices: Sequence[DeviceLoad], tick_ns: int) -> str:
    """The slowest baud rate that all know and that is enough, and the lightest device whose move is."""
    ways = []
    common = [baud for baud in devices[0].bauds if all(baud in device.bauds for device in devices)]
    faster = [baud for baud in sorted(common) if baud > line.baud] if line.baud else []
    enough = next((baud for baud in faster if load_frac(line.paced_at(baud), devices, tick_ns) <= LOAD_LIMIT_FRAC), 0)
    if enough:
        ways.append(f"raise its baud rate to {enough}")
    weights = sorted((load_frac(line.pace_baud, [device], tick_ns), k) for k, device in enumerate(devices))
    rests = [(k, [device for j, device in enumerate(devices) if j != k]) for _, k in weights]
    fits = [k for k, rest in rests if load_frac(line.pace_baud, rest, tick_ns) <= LOAD_LIMIT_FRAC]
    if len(devices) > 1:
        moved = devices[fits[0] if fits else weights[-1][1]]
        ways.append(f"move {moved.name} ({', '.join(moved.tags)}){'' if fits else ' and others'} to another line")
    return ", or ".join([*ways, "lengthen the tick"])


def _costs(baud: int, devices: Sequence[DeviceLoad], tick_ns: int) -> tuple[list[int], list[tuple[int, int]]]:
    """Costs of what every tick asks, and (cost, period) of the other reads."""
    every: list[int] = []
    slower: list[tuple[int, int]] = []
    for device in devices:
        if device.outputs is not None:
            every.append(budget.write_ns(baud, device.outputs, device.turnaround_s) + device.gap_ns)
        for block in device.blocks:
            cost_ns = budget.read_ns(baud, block, device.turnaround_s) + device.gap_ns
            if block.period_ns <= tick_ns:
                every.append(cost_ns)
            else:
                slower.append((cost_ns, block.period_ns))
    return every, slower
