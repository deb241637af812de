"""The maintenance bypass: one at a time, expiring, with a person and a reason.

A sensor under work counts as lost: its reading is taken away and the rows that it would trip are suspended. An element
under work counts as removed: fully open for the guard, and never commanded. A restart neither ends nor lengthens it.

Neighbours: `trips` asks it each tick. Must not know rows.
"""

from typing import NamedTuple

from hal.errors import PodError
from hal.values import Cause, Quality, Reading, Scan
from pod_controller.topology import Topology

NS = 1_000_000_000
LONGEST_S = 8 * 3600
IN_FORCE, UNKNOWN_THING, BAD_TIME = 450, 451, 452


class Bypass(NamedTuple):
    """What is under work, until when, why, and whose work it is. element: its row, -1 for a sensor."""

    thing: str
    element: int
    until_ns: int
    reason: str
    who: str


def begin(topology: Topology, thing: str, lasts_s: int, why: tuple[str, str], now_ns: int) -> Bypass:
    """A bypass of a tag or an element; why: reason and person. PodError E451 unknown thing, E452 time out of range."""
    inputs = [tag for device in topology.config.device for tag in device.tags.values()]
    outputs = [tag for tags in topology.command_tags for tag in tags]
    is_element = thing in topology.elements
    if not is_element and (thing not in inputs or thing in outputs):
        text = f"bypass of {thing[:40]!r}: it is neither a sensor's tag nor an element of this pod"
        moved = [name for name, tags in zip(topology.elements, topology.command_tags, strict=True) if thing in tags]
        raise PodError(UNKNOWN_THING, f"{text}: {_way(moved)}")
    if not 1 <= lasts_s <= LONGEST_S:
        raise PodError(BAD_TIME, f"bypass for {lasts_s} s: give 1 to {LONGEST_S} s, it ends by itself")
    if not why[0]:
        raise PodError(BAD_TIME, "bypass without a reason: say in a few words what is being done")
    row = topology.element(thing) if is_element else -1
    return Bypass(thing, row, now_ns + lasts_s * NS, *why)


def _way(moved: list[str]) -> str:
    """What to name instead; moved: the element behind an output."""
    return f"it moves {moved[0]}: name that" if moved else "podctl cause-effect lists them; tags have capital letters"


def hide(scan: Scan, bypass: Bypass | None) -> Scan:
    """The scan without the sensor under work."""
    if bypass is None or bypass.element >= 0:
        return scan
    lost = Reading(bypass.thing, float("nan"), Quality.BAD, Cause.OUT_OF_SERVICE, -1)
    return Scan({**scan.readings, bypass.thing: lost}, scan.acks)
