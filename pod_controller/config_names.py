"""Names and tags of a configuration: what stands twice, what does not exist, what no device is wired to.

Neighbours: `config_checks` asks; `hal.description` knows the points of devices. Must not know what a thing is for.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping

from hal.description import load as load_description
from hal.errors import PodError
from pod_controller.config import Fault, PodConfig

Path = tuple[str | int, ...]
TABLES = ("line", "device", "vessel", "element", "cause", "chute", "intake")


def twice(config: PodConfig) -> Iterator[Fault]:
    """E110: a name that stands twice in its table."""
    for table in TABLES:
        seen: set[str] = set()
        for index, row in enumerate(getattr(config, table)):
            if row.name in seen:
                yield Fault((table, index, "name"), 110, f"= {row.name!r} stands twice: give each {table} its own name")
            seen.add(row.name)
    devices = {device.name for device in config.device}
    for i, cause in enumerate(config.cause):
        if cause.name in devices:
            yield Fault(("cause", i, "name"), 110, f"= {cause.name!r} is a device's name too: give the cause another")


def unknown(config: PodConfig) -> Iterator[Fault]:
    """E111: a name that is none of its table."""
    known = {table: {row.name for row in getattr(config, table)} for table in TABLES}
    for path, name, table in _references(config):
        yield from _unknown(path, name, known[table], table)


def _unknown(path: tuple[str | int, ...], name: str, known: Iterable[str], kind: str) -> Iterator[Fault]:
    names = sorted(known)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        advice = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
        yield Fault(path, 111, f"= {name!r} is no {kind} of this pod: {advice}")


def _references(config: PodConfig) -> Iterator[tuple[Path, str, str]]:
    """Every place that names a row of another table."""
    for i, device in enumerate(config.device):
        yield ("device", i, "line"), device.line, "line"
    for i, vessel in enumerate(config.vessel):
        if vessel.overflow_to is not None:
            yield ("vessel", i, "overflow_to"), vessel.overflow_to, "vessel"
        for name in vessel.float_cuts:
            yield ("vessel", i, "float_cuts"), name, "element"
    for i, cause in enumerate(config.cause):
        for name in cause.elements:
            yield ("cause", i, "elements"), name, "element"
    for i, chute in enumerate(config.chute):
        yield ("chute", i, "gate"), chute.gate, "element"
        yield ("chute", i, "lid"), chute.lid, "element"
    yield from _references_of_intakes(config)
    yield from _references_of_control(config)


def _references_of_intakes(config: PodConfig) -> Iterator[tuple[Path, str, str]]:
    for i, intake in enumerate(config.intake):
        for name in intake.from_chutes:
            yield ("intake", i, "from_chutes"), name, "chute"
        for name in intake.shared:
            yield ("intake", i, "shared"), name, "element"
        for name in intake.to:
            yield ("intake", i, "to", name), name, "vessel"
        if intake.element is not None:
            yield ("intake", i, "element"), intake.element, "element"
        if intake.from_vessel is not None:
            yield ("intake", i, "from_vessel"), intake.from_vessel, "vessel"


def _references_of_control(config: PodConfig) -> Iterator[tuple[Path, str, str]]:
    if config.shedding:
        yield ("shedding", "intake"), config.shedding.intake, "intake"
    if config.feeding:
        yield ("feeding", "intake"), config.feeding.intake, "intake"
    for i, transfer in enumerate(config.transfer):
        yield ("transfer", i, "intake"), transfer.intake, "intake"
    if config.thermostat:
        yield ("thermostat", "element"), config.thermostat.element, "element"
    for i, signal in enumerate(config.signal):
        for name in signal.moves_with:
            yield ("signal", i, "moves_with"), name, "element"
    for i, companion in enumerate(config.protection.companion):
        yield ("protection", "companion", i, "element"), companion.element, "element"


def wired_tags(config: PodConfig) -> tuple[dict[str, str], dict[str, str]]:
    """(readable tag -> device, output tag -> device) of every wired point. Raises PodError 3xx for an unknown type."""
    inputs: dict[str, str] = {}
    outputs: dict[str, str] = {}
    for device in config.device:
        points = {point.name: point for point in load_description(device.type).point}
        for point_name, tag in device.tags.items():
            point = points.get(point_name)
            if point is not None:
                (outputs if point.access == "write" else inputs)[tag] = device.name
    return inputs, outputs


def unwired(config: PodConfig) -> Iterator[Fault]:
    """E111 for a device's type or point, E112 for a tag that no device has in that direction."""
    faults = list(_points(config))
    yield from faults
    if faults:
        return
    inputs, outputs = wired_tags(config)
    for path, tag, is_output in tag_uses(config):
        yield from _unwired(path, tag, outputs if is_output else inputs, "output" if is_output else "input")
    for i, signal in enumerate(config.signal):
        yield from _unwired(("signal", i, "tag"), signal.tag, inputs, "input")
        if signal.stuck_s and not signal.moves_with:
            text = f"is missing: stuck_s = {signal.stuck_s:g} of {signal.tag} needs the elements that should move it"
            yield Fault(("signal", i, "moves_with"), 104, text)


def _points(config: PodConfig) -> Iterator[Fault]:
    for i, device in enumerate(config.device):
        try:
            points = {point.name for point in load_description(device.type).point}
        except PodError as error:
            yield Fault(("device", i, "type"), 111, f"= {device.type!r}: {error.message}")
            continue
        for name in device.tags:
            yield from _unknown(("device", i, "tags", name), name, points, f"point of {device.type}")


def tag_uses(config: PodConfig) -> Iterator[tuple[Path, str, bool]]:
    """Every place that names a tag; True for an output."""
    for i, element in enumerate(config.element):
        for tag in element.commands:
            yield ("element", i, "commands"), tag, True
        for key in ("position_tag", "locked_tag", "hand_tag"):
            if getattr(element, key) is not None:
                yield ("element", i, key), getattr(element, key), False
    for i, vessel in enumerate(config.vessel):
        for k, level in enumerate(vessel.levels):
            yield ("vessel", i, "levels", k, "tag"), level.tag, False
        if vessel.float_tag is not None:
            yield ("vessel", i, "float_tag"), vessel.float_tag, False
    for i, chute in enumerate(config.chute):
        yield ("chute", i, "content_tag"), chute.content_tag, False
        yield ("chute", i, "high_tag"), chute.high_tag, False
    yield from _tag_uses_of_control(config)


def _tag_uses_of_control(config: PodConfig) -> Iterator[tuple[Path, str, bool]]:
    if config.thermostat:
        yield ("thermostat", "temp_tag"), config.thermostat.temp_tag, False
    if config.digestion:
        for key in ("gas_tag", "ch4_tag", "ph_tag"):
            yield ("digestion", key), getattr(config.digestion, key), False
    yield from _protection_uses(config)


def _protection_uses(config: PodConfig) -> Iterator[tuple[Path, str, bool]]:
    protection = config.protection
    for key in ("pressure_tag", "jacket_tag", "methane_tag", "sulfide_tag", "foam_tag", "power_tag"):
        if getattr(protection, key) is not None:
            yield ("protection", key), getattr(protection, key), False
    for i, tag in enumerate(protection.guard_tags):
        yield ("protection", "guard_tags", i), tag, False
    for i, companion in enumerate(protection.companion):
        yield ("protection", "companion", i, "tag"), companion.tag, False


def _unwired(path: tuple[str | int, ...], tag: str, wired: Mapping[str, str], kind: str) -> Iterator[Fault]:
    if tag not in wired:
        close = difflib.get_close_matches(tag, wired, n=1)
        advice = f"did you mean {close[0]!r}?" if close else "add it to the tags of a [[device]]"
        yield Fault(path, 112, f"= {tag!r} is no {kind} of any device: {advice}")
