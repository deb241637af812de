"""Float chains of a configuration: what each cuts by wire, and what still comes after it has tripped.

Neighbours: `config_checks` asks. Must not know the guard, which does not count on a float. Codes: E113 a float that
cuts nothing of its vessel, E125 a float that trips too late.
"""

from collections.abc import Iterator

from pod_controller.config import Fault, Intake, PodConfig, Vessel


def floats(config: PodConfig) -> Iterator[Fault]:
    """Every fault of the float chains; names must exist."""
    for i, vessel in enumerate(config.vessel):
        if vessel.float_tag is None and vessel.float_cuts:
            text = "without float_tag: name the contact of the float that cuts them, or delete the list"
            yield Fault(("vessel", i, "float_cuts"), 113, text)
        if vessel.float_tag is None or vessel.float_kg is None:
            continue
        found = list(_cuts(config, i, vessel))
        yield from found or _late(config, i, vessel)


def _cuts(config: PodConfig, i: int, vessel: Vessel) -> Iterator[Fault]:
    """A float stops its vessel's intakes by wire: it cuts an element in series with each, and no others."""
    path = ("vessel", i, "float_cuts")
    intakes = [x for x in config.intake if vessel.name in x.to]
    near = {name for x in intakes for name in (*_in_series(x), *_gates(config, x))}
    if not vessel.float_cuts:
        text = f"is empty: {vessel.float_tag} stops nothing; name the elements that it cuts by wire"
        yield Fault(path, 113, f"{text} (of {_names(near)})")
        return
    for name in vessel.float_cuts:
        if name not in near:
            text = f"= {name!r} is in series with no intake of {vessel.name}: cutting it stops nothing that fills it"
            yield Fault(path, 113, f"{text}; name elements of {_names(near)}")
    for intake in intakes:
        if not _cut(config, intake, vessel):
            of = _names({*_in_series(intake), *_gates(config, intake)})
            text = f"leaves intake {intake.name} open: it fills {vessel.name} on after {vessel.float_tag} has tripped"
            yield Fault(path, 113, f"{text}; add an element of {of}")


def _late(config: PodConfig, i: int, vessel: Vessel) -> Iterator[Fault]:
    assert vessel.float_kg is not None
    tail_kg = vessel.hold_up_kg + sum(_wired_tail_kg(config, x, vessel) for x in config.intake if vessel.name in x.to)
    gap_kg = vessel.capacity_kg - vessel.float_kg
    if tail_kg > gap_kg:
        text = f"= {vessel.float_kg}: {tail_kg:.1f} kg still come after it trips and the lip is {gap_kg:.1f} kg away"
        yield Fault(("vessel", i, "float_kg"), 125, text + f"; lower it by {tail_kg - gap_kg:.1f} kg")


def _wired_tail_kg(config: PodConfig, intake: Intake, vessel: Vessel) -> float:
    """What still passes an intake after its float has cut it by wire, with one of the cut elements stuck."""
    strokes = {x.name: x.stroke_s for x in config.element}
    slowest_s = max(strokes[name] for name in _cut(config, intake, vessel))
    return intake.to[vessel.name] * intake.rate_kg_s * slowest_s / 2.0


def _cut(config: PodConfig, intake: Intake, vessel: Vessel) -> list[str]:
    """The elements by which a float stops an intake: those behind all its flows, or every gate; [] if it cannot."""
    series = [name for name in _in_series(intake) if name in vessel.float_cuts]
    gates = _gates(config, intake)
    return series or (gates if all(name in vessel.float_cuts for name in gates) else [])


def _in_series(intake: Intake) -> list[str]:
    return [*intake.shared, *([intake.element] if intake.element else [])]


def _gates(config: PodConfig, intake: Intake) -> list[str]:
    return [chute.gate for chute in config.chute if chute.name in intake.from_chutes]


def _names(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "an intake, of which it has none"
