"""What a fault can sit on in one pod: actuators, signals, chutes, devices and lines by name.

Neighbours: `faults` looks names up, `layout` knows the plant's tags, the controller's configuration the devices. Must
not know kinds of faults.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from pod_controller.config import PodConfig
from sim_hardware import plant_records as rec
from sim_hardware.biology.records import BURNER, FLARE, RELIEF
from sim_hardware.layout import actuators, signals


@dataclass(frozen=True)
class Targets:
    """Names of one pod. lines: line -> its devices; home: tag -> the device it hangs on."""

    chutes: int
    lines: Mapping[str, tuple[str, ...]]
    home: Mapping[str, str]

    def known(self, kind: str) -> dict[str, int]:
        """Every name that a fault on this kind of target may use, with its index in the plant (0 elsewhere)."""
        if kind == "actuator":
            named = {tag: a for tag, a in actuators(self.chutes).items() if a < rec.MOVING}
            return named | {f"gate_{1 + c}": rec.GATE + c for c in range(self.chutes)}
        if kind == "signal":
            return signals(self.chutes)
        if kind == "chute":
            return {f"chute_{1 + c}": c for c in range(self.chutes)}
        if kind == "pod":
            return {"pod": 0}
        if kind == "gas path":
            return {"burner": BURNER, "flare": FLARE, "relief": RELIEF}
        if kind == "line":
            return dict.fromkeys(self.lines, 0)
        devices = [device for members in self.lines.values() for device in members]
        return dict.fromkeys([*devices, *self.lines, *self.home], 0)

    def devices_at(self, target: str) -> tuple[str, ...]:
        """The devices behind a device's, line's or tag's name."""
        if target in self.lines:
            return self.lines[target]
        return (self.home.get(target, target),)

    def wire_targets(self, target: str, devices: tuple[str, ...]) -> tuple[str, ...]:
        """A line as a whole, or its device."""
        return (target,) if target in self.lines else devices


def targets_of(config: PodConfig) -> Targets:
    """The names of the pod that a configuration describes."""
    lines = {
        line.name: tuple(device.name for device in config.device if device.line == line.name) for line in config.line
    }
    home = {tag: device.name for device in config.device for tag in device.tags.values()}
    return Targets(len(config.chute), lines, home)
