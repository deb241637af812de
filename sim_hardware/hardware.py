"""The hardware of one run without any controller: plant, devices, and the troubles on their wires.

Job: a configuration and a scenario become a plant with devices on its lines; on the event loop they become a
bench. Neighbours: `pod` puts a controller before it, `real_time` and `serve` put it on real ports, `wiring` holds the
devices, `pod_plant` the masses. Must not know the controller beyond its configuration.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from hal.clock import Clock
from hal.errors import PodError
from pod_controller.config import PodConfig
from sim_hardware import faults
from sim_hardware.biology.start import equip
from sim_hardware.params import Start, fresh_pod, plant_params, reference
from sim_hardware.pod_plant import Plant, StandingPlant
from sim_hardware.scenarios import Scenario
from sim_hardware.troubles.targets import targets_of
from sim_hardware.wire import WireBench, Wired
from sim_hardware.wiring import DEVICES, LINES, FieldSide, WiredDevice, WiredLine, analog_tags

NS = 1_000_000_000
OTHER_POD = 157
_STANDING_CONTENT_KG = 1.25  # of chute 1, twice that of chute 2, ...: every sensor shows something of its own


@dataclass(frozen=True)
class Hardware:
    """Plant and devices of one pod, and the faults on its wires."""

    plant: Plant
    field_side: FieldSide
    wire_faults: tuple[faults.WireFault, ...]

    def bench(self, clock: Clock) -> WireBench:
        """The devices on pseudo-terminals and servers, not yet started."""
        side = self.field_side
        wired = {name: Wired(station, side.bauds[name]) for name, station in side.stations.items()}
        return WireBench(wired, self.plant, clock)

    def schedule_faults(self, bench: WireBench) -> None:
        """Let the wire faults begin and end at their times, counted from now, on the running event loop."""
        loop = asyncio.get_running_loop()
        for fault in self.wire_faults:
            loop.call_later(fault.from_ns / NS, partial(self._begin, fault, bench))
            if fault.until_ns < faults.NEVER_NS:
                loop.call_later(fault.until_ns / NS, partial(self._end, fault, bench))

    def _begin(self, fault: faults.WireFault, bench: WireBench) -> None:
        self.field_side.inject(fault.kind, fault.target, **fault.parameters)
        bench.look_again()

    def _end(self, fault: faults.WireFault, bench: WireBench) -> None:
        self.field_side.clear(fault.kind, fault.target)
        bench.look_again()


def build(
    config: PodConfig, scenario: Scenario, extra_faults: Sequence[faults.Fault] = (), float_chain: bool = True
) -> Hardware:
    """The reference pod's hardware as a scenario finds it; float_chain False = without the hard-wired float."""
    plan = faults.plan([*scenario.faults, *extra_faults], targets_of(config))
    params = plant_params(scenario.seed)
    start = scenario.start._replace(float_chain=float_chain)
    events = faults.sort_events(np.concatenate([scenario.events, plan.events]))
    pod = fresh_pod(params, start)
    if scenario.biology is not None:
        equip(params, pod, scenario.biology, scenario.day_starts_h, reference("biology.toml"))
    return _on_lines(config, Plant(params, pod, events, plan.rows), plan.wire)


def build_standing(config: PodConfig, seed: int, extra_faults: Sequence[faults.Fault] = ()) -> Hardware:
    """The same without a scenario: nothing arrives, masses and temperatures stand, instruments have no error."""
    plan = faults.plan(list(extra_faults), targets_of(config))
    params = plant_params(seed)
    pod = fresh_pod(params, Start())
    for c in range(int(params[0].n_chutes)):
        pod[0].content_kg[c] = _STANDING_CONTENT_KG * (1 + c)
    return _on_lines(config, StandingPlant(params, pod, faults.sort_events(plan.events), plan.rows), plan.wire)


def _refuse_other_wiring(config: PodConfig) -> None:
    """PodError 157 when a configuration has lines or devices that this hardware has not, or has elsewhere."""
    wired = {device.name: device for device in DEVICES}
    indicators = [line.name for line in LINES if line.protocol == "ascii"]
    for line in config.line:
        if line.name not in [known.name for known in LINES] or (line.protocol == "ascii") != (line.name in indicators):
            text = f"line {line.name} of protocol {line.protocol} is not in the simulated pod"
            raise PodError(OTHER_POD, f"{text}: it has {', '.join(f'{x.name} ({x.protocol})' for x in LINES)}")
    for device in config.device:
        there = wired.get(device.name)
        if there is None:
            raise PodError(OTHER_POD, f"device {device.name} is not in the simulated pod: it has {', '.join(wired)}")
        place, own = (there.type, there.line, unit_of(there)), (device.type, device.line, device.unit)
        if place != own:
            text = f"device {device.name}: the simulated pod has a {place[0]} at line {place[1]} unit {place[2]}"
            raise PodError(OTHER_POD, f"{text}, not {own[0]} at line {own[1]} unit {own[2]}: correct the configuration")


def unit_of(device: WiredDevice) -> int:
    """Its number in configurations; an indicator has none and gets 1."""
    return device.unit or 1


def _on_lines(config: PodConfig, plant: Plant, wire_faults: Sequence[faults.WireFault]) -> Hardware:
    _refuse_other_wiring(config)
    lines = tuple(WiredLine(line.name, line.protocol, line.config(None).pace_baud) for line in config.line)
    watchdog_s = max((device.watchdog_s for device in config.device), default=0.0)
    side = FieldSide(plant.probes(), plant.set_drive, _spans(config), watchdog_s, lines)
    return Hardware(plant, side, tuple(wire_faults))


def _spans(config: PodConfig) -> dict[str, tuple[float, float]]:
    """What 4 and 20 mA mean, by tag, as the technician set the transmitters."""
    wired = set(analog_tags())
    return {
        tag: device.spans[point]
        for device in config.device
        for point, tag in device.tags.items()
        if tag in wired and point in device.spans
    }
