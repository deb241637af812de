"""From the description of an output module to the plan of its image, its read-back and its watchdog.

Job: find the outputs that one request writes, refuse what cannot be shown or must not be written at every tick
(PodError 3xx). Neighbours: ``planner`` calls it per device, ``outputs`` lives by the plan.
Must not know: lines, time, what an output moves.
"""

import math
from collections.abc import Sequence

from hal.blocks import BlockPlan
from hal.description import Description, DeviceConfig, PointSpec
from hal.errors import Code, PodError
from hal.outputs import OutputPlan

_NS = 1_000_000_000
_ROUNDING = 1e-6  # 2.0 s are 20 tenths, whatever the last bit of the quotient


def plan_outputs(
    device: DeviceConfig, description: Description, writes: Sequence[tuple[PointSpec, str]], first: BlockPlan | None
) -> OutputPlan:
    """The image of all outputs of the type, mapped or not, its read-back and its watchdog."""
    for spec, tag in writes:
        _refuse_wear(device, description, spec, tag)
    outputs = image_points(description)
    if first is None or description.read_back is None or outputs[-1].address - outputs[0].address >= len(outputs):
        raise PodError(
            Code.READ_BACK_ABSENT,
            f"device {device.name}: type {device.type} cannot show its outputs in one piece: an output needs read_back,"
            " and outputs stand at consecutive addresses of one table",
        )
    count, address = _watchdog(device, description)
    safe = description.fail_position
    is_holding = outputs[0].table == "holding"
    return OutputPlan(
        first=outputs[0].address,
        count=len(outputs),
        tags=tuple((tag, spec.address - outputs[0].address) for spec, tag in writes),
        image_word=description.read_back.address - first.first,
        watchdog_ns=round(device.watchdog_s * _NS),
        watchdog_count=count,
        watchdog_address=address,
        words=tuple((point.raw_off, point.raw_on) for point in outputs) if is_holding else (),
        shown_singly=description.read_back.table != "input",
        fail_position=None if safe is None else (safe.address, safe.safe),
    )


def image_points(description: Description) -> list[PointSpec]:
    """The outputs that are written together, by address: those that may be written for ever."""
    outputs = [point for point in description.point if point.access == "write" and not description.wearing(point)]
    return sorted(outputs, key=lambda point: point.address)


def shown_count(description: Description) -> int:
    """How many addresses show the outputs: one register of bits, or one address each."""
    shown = description.read_back
    return 1 if shown is None or shown.table == "input" else len(image_points(description))


def _refuse_wear(device: DeviceConfig, description: Description, spec: PointSpec, tag: str) -> None:
    """Outputs are written at every tick: not into a memory that wears out."""
    wear = description.wearing(spec)
    if wear is not None:
        raise PodError(
            Code.CYCLIC_WRITE,
            f"device {device.name}: output {tag} ({spec.name}) would be written every tick to {spec.table}"
            f" {spec.address}, {wear.reason}: give the tag to a point that may be written for ever",
        )


def _watchdog(device: DeviceConfig, description: Description) -> tuple[int, int]:
    """Count and address of the watchdog register; 0, 0 when the device shall have none."""
    if device.watchdog_s == 0.0:
        return 0, 0
    register = description.watchdog
    if register is None:
        raise PodError(
            Code.WATCHDOG_ABSENT,
            f"device {device.name}: watchdog_s = {device.watchdog_s}, but type {device.type} has no watchdog:"
            " use a module that has one, or set 0 and wire a relay that opens by itself",
        )
    count = math.floor(device.watchdog_s / register.scale_s + _ROUNDING)
    if not 1 <= count <= register.max_count:
        raise PodError(
            Code.WATCHDOG_ABSENT,
            f"device {device.name}: watchdog_s = {device.watchdog_s} is outside {register.scale_s} to"
            f" {register.max_count * register.scale_s} s of type {device.type}: choose a value in between",
        )
    return count, register.address
