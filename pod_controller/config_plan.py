"""Wiring that the field side would refuse when it starts, told while the configuration is checked.

The planner of the field side stops at its first fault; here each device is planned alone, then each line whole, so that
all are told, with the planner's own numbers (E2xx lines, E3xx devices) and at the place in the file that they name.

Neighbours: `config_checks` asks; `hal.planner` judges. Must not know wire times or registers.
"""

from collections.abc import Iterable, Iterator

from hal.description import DeviceConfig, Hardware, LineConfig
from hal.description import load as load_description
from hal.errors import Code, PodError
from hal.planner import plan
from pod_controller.config import Fault, PodConfig

_KEY = {
    Code.LINE_PROTOCOL: "line",
    Code.UNIT_CONFLICT: "unit",
    Code.WATCHDOG_ABSENT: "watchdog_s",
    Code.READ_BACK_ABSENT: "type",
    Code.SPAN_INVALID: "spans",
}


def unplannable(config: PodConfig, faulty: Iterable[tuple[str | int, ...]]) -> list[Fault]:
    """All that the planner refuses; faulty: lines and devices (table, index) that have faults of their own already."""
    known = set(faulty)
    found: list[Fault] = []
    hardware = config.hardware()
    for j, line in enumerate(hardware.lines):
        if ("line", j) in known:
            continue
        own = [(i, device) for i, device in enumerate(hardware.devices) if device.line == line.name]
        alone = [fault for i, x in own if ("device", i) not in known for fault in _alone(hardware, line, j, i, x)]
        found += alone
        if not alone and not any(("device", i) in known for i, _ in own):
            found += _whole(hardware, line, j, [device for _, device in own])
    return found


def _alone(hardware: Hardware, line: LineConfig, j: int, i: int, device: DeviceConfig) -> Iterator[Fault]:
    """What is wrong with one device on its line."""
    if device.watchdog_s > 0.0 and load_description(device.type).watchdog is None:
        text = f"= {device.watchdog_s}: type {device.type} has no watchdog: delete it, or use a module that has one"
        yield Fault(("device", i, "watchdog_s"), int(Code.WATCHDOG_ABSENT), text)
        return
    try:
        plan(Hardware((line,), (device,), hardware.tick_s))
    except PodError as error:
        if error.code == Code.LINE_OVERLOADED:
            return  # told for the line
        place = ("device", i, _KEY[Code(error.code)]) if error.code in _KEY else ("device", i)
        if error.code == Code.LINE_BAUD:
            place = ("line", j, "baud")
        yield Fault(place, error.code, f"cannot work: {error.message}")


def _whole(hardware: Hardware, line: LineConfig, j: int, devices: list[DeviceConfig]) -> Iterator[Fault]:
    """What is wrong with a line whose devices are fine one by one."""
    try:
        plan(Hardware((line,), tuple(devices), hardware.tick_s))
    except PodError as error:
        yield Fault(("line", j), error.code, f"cannot work: {error.message}")
