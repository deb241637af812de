"""What must hold between the tables of a configuration: names, tags, values, and the promises of the guard.

Neighbours: `config.load` calls `faults` after every single value is in range; `config_names` and
`config_contradictions` hold the plain checks, `promise` sums what the guard would. Must not know TOML. Codes: E110 two
of a name, E111 unknown name, E112 tag not wired, E113 values that contradict, E114 sensors that are not independent,
E120-E126 promises that cannot be given.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pod_controller.config import Element, Fault, Intake, PodConfig, Vessel
from pod_controller.config_contradictions import contradictions
from pod_controller.config_faults import name_of
from pod_controller.config_names import twice, unknown, unwired, wired_tags
from pod_controller.locate import locate


def faults(config: PodConfig) -> list[Fault]:
    """Every fault between the tables; promises are tested only when all names and values fit together."""
    found = [*twice(config), *unknown(config), *unwired(config), *contradictions(config)]
    if found:
        return found
    found = [*_independence(config), *_actuators(config), *_graph(config), *_floats(config)]
    if found:
        return found
    from pod_controller import promise  # brings the compiler in, for complete configurations only

    return promise.faults(config)


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
                text = (
                    f"= {tag!r} is on {outputs[tag]}, which has no watchdog: a lost line would hold {element.name} open"
                )
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
                text = f"= {vessel.overflow_to!r} overflows in a circle: end it in a vessel with room, or fit an element"
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
            text = (
                f"= {vessel.float_kg}: {tail_kg:.1f} kg still come after it trips and the lip is {gap_kg:.1f} kg away"
            )
            yield Fault(("vessel", i, "float_kg"), 125, text + f"; lower it by {tail_kg - gap_kg:.1f} kg")


def _wired_tail_kg(intake: Intake, vessel: Vessel, elements: Mapping[str, Element]) -> float:
    """What still passes an intake after its float has cut it by wire, with one of the cut elements stuck."""
    if vessel.name not in intake.to:
        return 0.0
    cut = [elements[name].stroke_s for name in (*intake.shared, intake.element) if name in vessel.float_cuts]
    return intake.to[vessel.name] * intake.rate_kg_s * max(cut, default=0.0) / 2.0
