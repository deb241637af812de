"""What must hold between the tables of a configuration: names, tags, independence, and the promises of the guard.

Neighbours: `config.load` calls `faults` after every single value is in range; `topology` builds the tables that the
promise is tested on. Must not know TOML. Codes: E110 two of a name, E111 unknown name, E112 tag not wired, E113 values
that contradict, E114 sensors that are not independent, E120-E126 promises that cannot be given.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hal.description import load as load_description
from hal.errors import PodError
from pod_controller.config import Element, Fault, Intake, PodConfig, Vessel
from pod_controller.config_faults import name_of
from pod_controller.locate import locate


def faults(config: PodConfig) -> list[Fault]:
    """Every fault between the tables; the promise is tested only when all names are right."""
    found = [*_names(config), *_references(config), *_tags(config), *_contradictions(config)]
    if found:
        return found
    found = [*_independence(config), *_actuators(config), *_graph(config), *_floats(config)]
    if found:
        return found
    from pod_controller import promise  # noqa: PLC0415  # brings the compiler in, for complete configurations only

    return promise.faults(config)


def as_lines(path: Path, text: str, found: Iterable[Fault]) -> list[str]:
    """Faults as `FILE:LINE: E1xx thing ...`, in the order of the file."""
    rows = sorted((locate(text, fault.path).line, f"E{fault.code} {name_of(fault.path)} {fault.text}") for fault in found)
    return [f"{path}:{line}: {sentence}" for line, sentence in rows]


def _names(config: PodConfig) -> Iterator[Fault]:
    for table in ("line", "device", "vessel", "element", "chute", "intake"):
        seen: set[str] = set()
        for index, row in enumerate(getattr(config, table)):
            if row.name in seen:
                yield Fault((table, index, "name"), 110, f"= {row.name!r} stands twice: give each {table} its own name")
            seen.add(row.name)


def _unknown(path: tuple[str | int, ...], name: str, known: Iterable[str], kind: str) -> Iterator[Fault]:
    names = sorted(known)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        advice = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
        yield Fault(path, 111, f"= {name!r} is no {kind} of this pod: {advice}")


def _references(config: PodConfig) -> Iterator[Fault]:
    lines, elements = {x.name for x in config.line}, {x.name for x in config.element}
    vessels, chutes = {x.name for x in config.vessel}, {x.name for x in config.chute}
    intakes = {x.name for x in config.intake}
    for i, device in enumerate(config.device):
        yield from _unknown(("device", i, "line"), device.line, lines, "line")
    for i, vessel in enumerate(config.vessel):
        if vessel.overflow_to is not None:
            yield from _unknown(("vessel", i, "overflow_to"), vessel.overflow_to, vessels, "vessel")
        for name in vessel.float_cuts:
            yield from _unknown(("vessel", i, "float_cuts"), name, elements, "element")
    for i, chute in enumerate(config.chute):
        yield from _unknown(("chute", i, "gate"), chute.gate, elements, "element")
        yield from _unknown(("chute", i, "lid"), chute.lid, elements, "element")
    for i, intake in enumerate(config.intake):
        for name in intake.from_chutes:
            yield from _unknown(("intake", i, "from_chutes"), name, chutes, "chute")
        for name in (*intake.shared, *([intake.element] if intake.element else [])):
            yield from _unknown(("intake", i, "shared"), name, elements, "element")
        for name in (*intake.to, *([intake.from_vessel] if intake.from_vessel else [])):
            yield from _unknown(("intake", i, "to"), name, vessels, "vessel")
    if config.shedding:
        yield from _unknown(("shedding", "intake"), config.shedding.intake, intakes, "intake")
    if config.feeding:
        yield from _unknown(("feeding", "intake"), config.feeding.intake, intakes, "intake")
    for i, transfer in enumerate(config.transfer):
        yield from _unknown(("transfer", i, "intake"), transfer.intake, intakes, "intake")
    if config.thermostat:
        yield from _unknown(("thermostat", "element"), config.thermostat.element, elements, "element")


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


def _tags(config: PodConfig) -> Iterator[Fault]:
    for i, device in enumerate(config.device):
        try:
            points = {point.name for point in load_description(device.type).point}
        except PodError as error:
            yield Fault(("device", i, "type"), 111, f"= {device.type!r}: {error.message}")
            return
        for name in device.tags:
            yield from _unknown(("device", i, "tags", name), name, points, f"point of {device.type}")
    inputs, outputs = wired_tags(config)
    for i, element in enumerate(config.element):
        for tag in element.commands:
            yield from _unwired(("element", i, "commands"), tag, outputs, "output")
        for key in ("position_tag", "locked_tag"):
            if getattr(element, key) is not None:
                yield from _unwired(("element", i, key), getattr(element, key), inputs, "input")
    for i, vessel in enumerate(config.vessel):
        for k, level in enumerate(vessel.levels):
            yield from _unwired(("vessel", i, "levels", k, "tag"), level.tag, inputs, "input")
        if vessel.float_tag:
            yield from _unwired(("vessel", i, "float_tag"), vessel.float_tag, inputs, "input")
    for i, chute in enumerate(config.chute):
        yield from _unwired(("chute", i, "content_tag"), chute.content_tag, inputs, "input")
    if config.thermostat:
        yield from _unwired(("thermostat", "temp_tag"), config.thermostat.temp_tag, inputs, "input")


def _unwired(path: tuple[str | int, ...], tag: str, wired: Mapping[str, str], kind: str) -> Iterator[Fault]:
    if tag not in wired:
        close = difflib.get_close_matches(tag, wired, n=1)
        advice = f"did you mean {close[0]!r}?" if close else "add it to the tags of a [[device]]"
        yield Fault(path, 112, f"= {tag!r} is no {kind} of any device: {advice}")


def _contradictions(config: PodConfig) -> Iterator[Fault]:
    for i, vessel in enumerate(config.vessel):
        limit = vessel.capacity_kg
        for key in ("weir_kg", "float_kg"):
            value = getattr(vessel, key)
            if value is not None and not value < limit:
                yield Fault(("vessel", i, key), 113, f"= {value} is not below capacity_kg = {limit}: lower it")
        if (vessel.weir_kg is None) != (vessel.overflow_to is None):
            yield Fault(("vessel", i), 113, "has only one of weir_kg and overflow_to: a passive overflow needs both")
        if (vessel.float_kg is None) != (vessel.float_tag is None):
            yield Fault(("vessel", i), 113, "has only one of float_kg and float_tag: a float needs both")
    for i, element in enumerate(config.element):
        if element.fast_stroke_s > element.stroke_s:
            text = f"= {element.fast_stroke_s} is above stroke_s = {element.stroke_s}: swap them or correct one"
            yield Fault(("element", i, "fast_stroke_s"), 113, text)
    for i, transfer in enumerate(config.transfer):
        if transfer.stop_kg >= transfer.start_kg:
            text = f"= {transfer.stop_kg} is not below start_kg = {transfer.start_kg}: leave a band between them"
            yield Fault(("transfer", i, "stop_kg"), 113, text)
    if config.feeding and config.feeding.shot_min_s > config.feeding.shot_max_s:
        yield Fault(("feeding", "shot_min_s"), 113, f"= {config.feeding.shot_min_s} is above shot_max_s: swap them")
    if config.shedding and config.shedding.stop_kg >= config.shedding.start_kg:
        yield Fault(("shedding", "stop_kg"), 113, f"= {config.shedding.stop_kg} is not below start_kg: lower it")
    if config.chute and config.shedding is None:
        yield Fault(("chute",), 113, "without [shedding]: add the table that says how chutes share their intake")
    for i, intake in enumerate(config.intake):
        if (len(intake.from_chutes) > 0) == (intake.element is not None):
            text = "needs either from_chutes (each gate is its element) or from_vessel with element"
            yield Fault(("intake", i), 113, text)


def _independence(config: PodConfig) -> Iterator[Fault]:
    """A vote needs sensors that no single part can make lie together."""
    inputs, _ = wired_tags(config)
    for i, vessel in enumerate(config.vessel):
        for k, level in enumerate(vessel.levels):
            for other in vessel.levels[:k]:
                if level.principle == other.principle:
                    text = f"= {level.principle!r} is also that of {other.tag}: a vote needs different principles"
                    yield Fault(("vessel", i, "levels", k, "principle"), 114, text)
                if inputs[level.tag] == inputs[other.tag]:
                    text = f"= {level.tag!r} stands on module {inputs[level.tag]} like {other.tag}: move one of them"
                    yield Fault(("vessel", i, "levels", k, "tag"), 114, text)


def spill_elements(config: PodConfig) -> set[str]:
    """Elements that can bring mass into something with a lip."""
    names = {x.lid for x in config.chute} | {x.gate for x in config.chute}
    for intake in config.intake:
        names.update(intake.shared)
        names.update([intake.element] if intake.element else [])
    return names


def _actuators(config: PodConfig) -> Iterator[Fault]:
    _, outputs = wired_tags(config)
    watchdogs = {x.name: x.watchdog_s for x in config.device}
    duty = spill_elements(config)
    for i, element in enumerate(config.element):
        if element.name not in duty:
            continue
        for tag in element.commands:
            if watchdogs[outputs[tag]] <= 0.0:
                text = f"= {tag!r} is on {outputs[tag]}, which has no watchdog: a lost line would hold {element.name} open"
                yield Fault(("element", i, "commands"), 120, text + "; use an output module with one")
        if element.without_power == "holds":
            text = "= 'holds': an element that can bring mass in must go to its fail state without power"
            yield Fault(("element", i, "without_power"), 121, text + "; fit a spring or a relay")
    lids = {x.lid for x in config.chute}
    for i, element in enumerate(config.element):
        if element.name in lids and element.locked_tag is None:
            yield Fault(("element", i), 104, "locked_tag is missing: the airlock needs a lid that is proved locked")


def _graph(config: PodConfig) -> Iterator[Fault]:
    overflow = {x.name: x.overflow_to for x in config.vessel}
    for i, vessel in enumerate(config.vessel):
        seen, here = {vessel.name}, vessel.overflow_to
        while here is not None:
            if here in seen:
                text = f"= {vessel.overflow_to!r} overflows in a circle that no element can close: end it in a vessel with room"
                yield Fault(("vessel", i, "overflow_to"), 124, text)
                break
            seen.add(here)
            here = overflow[here]
    for i, intake in enumerate(config.intake):
        if intake.static_head and not intake.shared:
            text = "= true behind one element: stuck open it empties its source; add a second element to shared"
            yield Fault(("intake", i, "static_head"), 122, text)
        if not intake.from_chutes and intake.from_vessel is None and not intake.shared:
            text = "has no source vessel and one element: an endless supply needs a second element in shared"
            yield Fault(("intake", i), 122, text)


def _floats(config: PodConfig) -> Iterator[Fault]:
    elements = {x.name: x for x in config.element}
    for i, vessel in enumerate(config.vessel):
        if vessel.float_kg is None:
            continue
        tail_kg = vessel.hold_up_kg + sum(_wired_tail_kg(x, vessel, elements) for x in config.intake)
        gap_kg = vessel.capacity_kg - vessel.float_kg
        if tail_kg > gap_kg:
            text = f"= {vessel.float_kg}: {tail_kg:.1f} kg still come after it trips and the lip is {gap_kg:.1f} kg away"
            yield Fault(("vessel", i, "float_kg"), 125, text + f"; lower it by {tail_kg - gap_kg:.1f} kg")


def _wired_tail_kg(intake: Intake, vessel: Vessel, elements: Mapping[str, Element]) -> float:
    """What still passes an intake after its float has cut it by wire, with one of the cut elements stuck."""
    if vessel.name not in intake.to:
        return 0.0
    cut = [elements[name].stroke_s for name in (*intake.shared, intake.element) if name in vessel.float_cuts]
    return intake.to[vessel.name] * intake.rate_kg_s * max(cut, default=0.0) / 2.0
