"""What must hold between the tables of a configuration: names, tags, values, and the promises of the guard.

Neighbours: `config.load` calls `faults` after every single value is in range; `config_names`, `config_contradictions`,
`config_wiring`, `config_plan` and `config_floats` hold the plain checks, `promise` sums what the guard would. Must not
know TOML. Codes: E104 a key missing, E105 more than the tables hold, E110 two of a name, tag or address, E111 unknown
name, E112 tag not wired, E113 values that contradict, E114 sensors that are not independent, E120-E127 promises that
cannot be given, E2xx and E3xx wiring that the lines could not be built from.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pod_controller.causes import common_causes
from pod_controller.config import Fault, Intake, PodConfig
from pod_controller.config_contradictions import contradictions
from pod_controller.config_faults import name_of
from pod_controller.config_floats import floats
from pod_controller.config_names import twice, unknown, unwired, wired_tags
from pod_controller.config_plan import unplannable
from pod_controller.config_wiring import doubles, spans
from pod_controller.kernels.records import MAX_CAUSES, MAX_FLOWS
from pod_controller.locate import locate


def faults(config: PodConfig) -> list[Fault]:
    """Every fault between the tables; promises are tested only when all names and values fit together."""
    dangling = [*twice(config), *unknown(config), *unwired(config)]
    found = [*dangling, *contradictions(config), *doubles(config), *_flows(config)]
    if dangling:
        return found  # what follows looks names and tags up
    found += [*spans(config), *_independence(config), *_actuators(config), *_graph(config), *floats(config)]
    found += _causes(config)
    found += unplannable(config, [fault.path[:2] for fault in found])
    if found:
        return found
    from pod_controller import promise, topology  # bring the compiler in, for complete configurations only

    return promise.faults(topology.build(config))


def of_graph(config: PodConfig) -> list[Fault]:
    """The same, short of wiring and promises, for a graph whose devices are nobody's business."""
    dangling = [*twice(config), *unknown(config)]
    found = [*dangling, *contradictions(config), *_flows(config)]
    return found if dangling else [*found, *_graph(config), *_causes(config)]


def as_lines(path: Path, text: str, found: Iterable[Fault]) -> list[str]:
    """Faults as `FILE:LINE: E1xx thing ...`, in the order of the file."""
    rows = sorted(
        (locate(text, fault.path).line, f"E{fault.code} {name_of(fault.path)} {fault.text}") for fault in found
    )
    return [f"{path}:{line}: {sentence}" for line, sentence in rows]


def _independence(config: PodConfig) -> Iterator[Fault]:
    """A vote needs sensors that no single part can make lie together."""
    inputs, _ = wired_tags(config)
    for i, vessel in enumerate(config.vessel):
        for k, level in enumerate(vessel.levels):
            for other in vessel.levels[:k]:
                if level.principle == other.principle:
                    text = f"= {level.principle!r} is also that of {other.tag}: a vote needs different principles"
                    yield Fault(("vessel", i, "levels", k, "principle"), 114, text)
                if inputs[level.tag] == inputs[other.tag] and level.tag != other.tag:
                    text = f"= {level.tag!r} stands on module {inputs[level.tag]} like {other.tag}: move one of them"
                    yield Fault(("vessel", i, "levels", k, "tag"), 114, text)
    for i, chute in enumerate(config.chute):
        if inputs[chute.high_tag] == inputs[chute.content_tag]:
            text = f"= {chute.high_tag!r} stands on module {inputs[chute.high_tag]} like {chute.content_tag}, which it"
            yield Fault(("chute", i, "high_tag"), 114, f"{text} is to contradict when that one lies: move one of them")


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
                text = (
                    f"= {tag!r} is on {outputs[tag]}, which has no watchdog: a lost line would hold {element.name} open"
                )
                yield Fault(("element", i, "commands"), 120, text + "; use an output module with one")
        if element.kind == "positioner":  # hal.outputs tells a module bits: a contact, or one of two words
            text = "= 'positioner': an output is on or off here, contact or register, and holds nothing between"
            yield Fault(("element", i, "kind"), 113, text + "; say 'relay'")
        if element.without_power == "holds":
            text = "= 'holds': an element that can bring mass in must go to its fail state without power"
            yield Fault(("element", i, "without_power"), 121, text + "; fit a spring or a relay")
    lids, gates = {x.lid for x in config.chute}, {x.gate for x in config.chute}
    for i, element in enumerate(config.element):
        if element.name in lids and element.locked_tag is None:
            yield Fault(("element", i), 104, "locked_tag is missing: the airlock needs a lid that is proved locked")
        if element.name in gates and element.position_tag is None and element.locked_tag is None:
            yield Fault(("element", i), 104, "position_tag is missing: the airlock needs a gate that is proved shut")


def _graph(config: PodConfig) -> Iterator[Fault]:
    overflow = {x.name: x.overflow_to for x in config.vessel}
    for i, vessel in enumerate(config.vessel):
        seen, here = {vessel.name}, vessel.overflow_to
        while here is not None:
            if here in seen:
                text = f"= {vessel.overflow_to!r} overflows in a circle: end it in a roomy vessel, or fit an element"
                yield Fault(("vessel", i, "overflow_to"), 124, text)
                break
            seen.add(here)
            here = overflow[here]
    for i, intake in enumerate(config.intake):
        if not intake.shared and intake.from_vessel in _reached_by_lone(config, intake.to):
            text = f"brings mass back to its own source {intake.from_vessel!r}, and in that circle none has a second"
            yield Fault(("intake", i, "to"), 124, text + " element: stuck open it never ends; add one to shared")
        if intake.static_head and not intake.shared:
            text = f"= true behind one element: stuck open it empties its source, {_most_kg(config, intake):.1f} kg"
            yield Fault(("intake", i, "static_head"), 122, text + "; add a second element to shared")
        if not intake.from_chutes and intake.from_vessel is None and not intake.shared:
            text = "has no source vessel and one element: an endless supply needs a second element in shared"
            yield Fault(("intake", i), 122, text)
    yield from _filled_by_people(config)


def _fed_from_outside(config: PodConfig) -> set[str]:
    """Vessels that mass gets to from chutes and supplies; what only comes round in a circle, somebody poured in."""
    ways = [(intake.from_vessel, name) for intake in config.intake for name in intake.to]
    ways += [(x.name, x.overflow_to) for x in config.vessel if x.overflow_to]
    fed: set[str] = set()
    while more := {name for source, name in ways if source is None or source in fed} - fed:
        fed |= more
    return fed


def _filled_by_people(config: PodConfig) -> Iterator[Fault]:
    """E122: a vessel that nothing declared fills is filled by people, again and again: it never ends."""
    fed = _fed_from_outside(config)
    causes = common_causes(config)
    for i, vessel in enumerate(config.vessel):
        if vessel.overflow_to and vessel.name not in fed:
            text = f"= {vessel.overflow_to!r}: nothing declared fills {vessel.name!r}, so people do, and what they pour"
            yield Fault(("vessel", i, "overflow_to"), 122, f"{text} runs over without end; declare what fills it")
    for i, intake in enumerate(config.intake):
        if intake.from_vessel is None or intake.from_vessel in fed:
            continue
        text = f"draws from {intake.from_vessel!r}, which nothing declared fills: people do, again and again, while"
        series = {intake.element, *intake.shared}
        held = next((cause.name for cause in causes if series <= cause.elements), None)
        if len(series) == 1:
            yield Fault(("intake", i), 122, f"{text} its one element is stuck; add a second to shared")
        elif held is not None:
            yield Fault(("intake", i), 122, f"{text} {held} holds all its elements; put one of them elsewhere")


def _most_kg(config: PodConfig, intake: Intake) -> float:
    """All that the source of an intake can hold."""
    source = next(x for x in config.vessel if x.name == intake.from_vessel)
    return source.capacity_kg if source.weir_kg is None else min(source.weir_kg, source.capacity_kg)


def _reached_by_lone(config: PodConfig, to: Iterable[str]) -> set[str]:
    """Every vessel that mass put into these can get to, by overflows and by intakes behind a single element."""
    ways: dict[str, set[str]] = {x.name: {x.overflow_to} if x.overflow_to else set() for x in config.vessel}
    for intake in config.intake:
        if intake.from_vessel is not None and not intake.shared:
            ways[intake.from_vessel] |= set(intake.to)
    been: set[str] = set()
    left = list(to)
    while left:
        name = left.pop()
        if name not in been:
            been.add(name)
            left += sorted(ways[name])
    return been


def _flows(config: PodConfig) -> Iterator[Fault]:
    """The tables of the guard have rows for so many flows."""
    count = 0
    for i, intake in enumerate(config.intake):
        count += len(intake.from_chutes) + (intake.element is not None)
        if count > MAX_FLOWS:
            text = f"brings the flows (one per chute, one per element of an intake) to {count}: at most {MAX_FLOWS}"
            yield Fault(("intake", i), 105, text + "; put what moves together behind one element")
            return


def _causes(config: PodConfig) -> Iterator[Fault]:
    """And for so many common causes."""
    causes = common_causes(config)
    if len(causes) > MAX_CAUSES:
        name, _, path = causes[MAX_CAUSES]
        text = (
            f"{name} is one of {len(causes)} common causes (output modules of several elements, and every [[cause]]),"
        )
        yield Fault(path, 105, f"{text} at most {MAX_CAUSES} fit: use fewer modules, or join causes")
