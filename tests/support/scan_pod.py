"""A pod as its scans show it: the loop under a field whose elements obey and whose levels stand, for a test to bend.

Job: drive any cause of the cause-and-effect table, also those that the reference pod has no sensor for. Neighbours:
`pod_controller.loop`. Must not know rows.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from edited_pod import TEXT
from virtual_core import Paper

from hal.values import Ack, Cause, Command, Quality, Reading, Scan
from pod_controller.config import load
from pod_controller.loop import Loop
from pod_controller.modes import State
from pod_controller.topology import Topology, build

TICK_S = 0.5
NS = 1_000_000_000
FITTED = """
[[device]]
name = "XM-S"
type = "io_module_8"
line = "A"
unit = 31
watchdog_s = 2.0
[device.tags]
switch_0 = "HS-101"
switch_1 = "ZS-121"
switch_2 = "ZS-122"
switch_3 = "LSH-303"
switch_4 = "ES-900"
switch_5 = "HS-121"

[[device]]
name = "AM-S"
type = "analog_8ch"
line = "B"
unit = 31
[device.tags]
current_0 = "AT-951"
current_1 = "AT-952"
[device.spans]
current_0 = [0.0, 100.0]
current_1 = [0.0, 50.0]

[protection]
methane_tag = "AT-951"
sulfide_tag = "AT-952"
foam_tag = "LSH-303"
guard_tags = ["ZS-121", "ZS-122"]
power_tag = "ES-900"
"""
SHUT = {"ZS-121": 1.0, "ZS-122": 1.0, "ES-900": 1.0, "PT-312": 5.0, "TT-301": 35.0, "TT-302": 38.0}
START_KG = {"buffer": 180.0, "digester": 40000.0, "sump": 100.0, "storage": 3000.0, "luminous": 150.0}
Bend = Callable[[dict[str, float]], None]


@cache
def fitted() -> Topology:
    """The reference pod with every signal that a row can use."""
    text = TEXT.replace("[protection]\n", FITTED, 1)
    for element, tag in (("gate_1", "HS-101"), ("macerator", "HS-121")):
        name = f'name = "{element}"'
        text = text.replace(name, f'{name}\nhand_tag = "{tag}"', 1)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "pod.toml"
        path.write_text(text, "utf-8")
        return build(load(path))


class ScanPod:
    """The loop, its field and its journal; `values` is what the sensors show, `lost` the tags that show nothing."""

    def __init__(self) -> None:
        self.topology = fitted()
        self.values = dict.fromkeys((t for d in self.topology.config.device for t in d.tags.values()), 0.0) | SHUT
        for vessel in self.topology.config.vessel:
            for level in vessel.levels:
                self.values[level.tag] = START_KG.get(vessel.name, 300.0) / level.kg_per_unit
        self.lost: list[str] = []
        self.bends: list[Bend] = []  # what happens to the values each tick, after the elements have moved
        self.held: dict[str, float] = {}  # elements that do not obey, by position tag
        self.paper = Paper()
        self.loop = Loop(self.topology, self, self.paper)
        self.now_ns = NS
        self._commands: dict[str, Command] = {}
        self._at_frac = [0.0] * len(self.topology.elements)

    @property
    def trips(self) -> list[int]:
        """Rows that stand, in the order in which they tripped."""
        return [standing.watch.row.id for standing in self.loop.trips.standing]

    def run(self, duration_s: float) -> None:
        for _ in range(round(duration_s / TICK_S)):
            self.now_ns += round(TICK_S * NS)
            self._move()
            for bend in self.bends:
                bend(self.values)
            self.loop.tick(self.now_ns)

    def start(self) -> None:
        """Arm, start, and let the lids unlock."""
        self.start_without_lids()
        self.run(10.0)
        assert self.loop.modes.state is State.EXECUTE

    def start_without_lids(self) -> None:
        """Arm and start."""
        self.run(12.0)
        assert self.loop.request(self.now_ns, "start"), self.loop.modes.state
        self.run(0.5)

    def grant(self, name: str) -> float:
        assert self.loop.permit is not None
        return float(self.loop.permit["grant_frac"][0, self.topology.element(name)])

    def rule(self, name: str) -> int:
        assert self.loop.permit is not None
        return int(self.loop.permit["rule"][0, self.topology.element(name)])

    def _move(self) -> None:
        for e, tags in enumerate(self.topology.command_tags):
            command = self._commands.get(tags[0])
            target = command.open_frac if command is not None else 0.0
            element = self.topology.config.element[e]
            step = TICK_S / (element.fast_stroke_s if target > self._at_frac[e] else element.stroke_s)
            move = min(step, abs(target - self._at_frac[e]))
            self._at_frac[e] += move if target > self._at_frac[e] else -move
            position, locked = self.topology.position_tags[e], self.topology.locked_tags[e]
            if position:
                self.values[position] = self.held.get(position, self._at_frac[e])
            if locked:
                self.values[locked] = self.held.get(locked, 1.0 if self._at_frac[e] == 0.0 else 0.0)

    def scan(self, now_ns: int) -> Scan:
        readings = {tag: Reading(tag, value, Quality.GOOD, Cause.NONE, now_ns) for tag, value in self.values.items()}
        for tag in self.lost:
            readings[tag] = Reading(tag, float("nan"), Quality.BAD, Cause.NO_COMMUNICATION, now_ns)
        acks = {tag: Ack(tag, x.open_frac, x.issued_ns, now_ns) for tag, x in self._commands.items()}
        return Scan(readings, acks)

    def apply(self, commands: list[Command], now_ns: int) -> None:
        self._commands = {command.tag: command for command in commands}

    def safe_state(self, now_ns: int) -> None:
        self._commands.clear()

    def watchdogs_verified(self) -> bool:
        return True


def tripped_twice() -> ScanPod:
    """A running pod whose jacket gets too hot, and whose cutter's guard is opened after that."""
    pod = ScanPod()
    pod.start()
    pod.values["TT-302"] = 70.0
    pod.run(8.0)
    pod.values["ZS-121"] = 0.0
    pod.run(2.0)
    return pod
