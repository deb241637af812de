"""When a row trips: each cause, on every unit of this pod that has the signals for it, as a watch.

A watch says where its cause sits, on which tags, at which limit, and tests one tick's evidence. NaN and BAD never count
as a value; where unknown is the unsafe position, a cause of its own says so. Neighbours: `table` names the causes,
`causes_of_process` has those of levels, gas and heat. Must not know what a row does.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple

from pod_controller.cause_effect import causes_of_process as process
from pod_controller.cause_effect.effects import Elements, Unit, elements_of, intakes, of_intake
from pod_controller.cause_effect.evidence import Evidence
from pod_controller.cause_effect.sites import Site
from pod_controller.cause_effect.table import ROWS, Row
from pod_controller.kernels import records
from pod_controller.topology import Topology

NEVER = Site(Unit("pod", 0, "pod"), (), "podctl bypass", lambda evidence: False)  # what `trips` decides by itself


class Watch(NamedTuple):
    """One row on one unit of this pod."""

    row: Row
    site: Site
    elements: Elements


def watches(topology: Topology) -> tuple[Watch, ...]:
    """Every row on every unit that has it, in the order of the table."""
    return tuple(
        Watch(row, site, elements_of(row.effect, topology, site.unit))
        for row in ROWS
        for site in CAUSES[row.cause](topology)
    )


def _gates(topology: Topology) -> Iterator[Site]:
    for c, name in enumerate(topology.chutes):
        gate = int(topology.table["chutes"][0, c]["gate"])
        yield _not_shut(topology, gate, Unit("chute", c, name))


def _two_gates(topology: Topology) -> Iterator[Site]:
    shedding = topology.config.shedding
    if shedding is None:
        return
    i = topology.intakes.index(shedding.intake)
    gates = [int(topology.table["chutes"][0, c]["gate"]) for c in range(len(topology.chutes))]

    def test(evidence: Evidence) -> bool:
        return sum(evidence.not_shut[gate] for gate in gates) >= 2

    tags = tuple(topology.position_tags[gate] or "" for gate in gates)
    yield Site(Unit("intake", i, shedding.intake), tags, "two not shutting", test)


def _own_or_shared(topology: Topology, behind_chutes: bool) -> Iterator[Site]:
    """Elements behind gates, or those of pumped flows."""
    plant = topology.table[0]
    gates = [int(plant["chutes"][c]["gate"]) for c in range(len(topology.chutes))]
    for e, name in enumerate(topology.elements):
        rows = [of_intake(topology, i) for i in intakes(topology)]
        mine = [row for row in rows if e in row]
        is_behind = any(gate in row for row in mine for gate in gates)
        if mine and e not in gates and is_behind == behind_chutes and topology.position_tags[e]:
            yield _not_shut(topology, e, Unit("element", e, name))


def _not_shut(topology: Topology, e: int, unit: Unit) -> Site:
    element = topology.table["elements"][0, e]
    text = f"shutting slower than {element['stroke_s']:g} s a stroke"
    return Site(unit, (topology.position_tags[e] or "",), text, lambda evidence: evidence.not_shut[e])


def _companions(topology: Topology) -> Iterator[Site]:
    for companion in topology.config.protection.companion:
        e = topology.element(companion.element)
        tag, error_frac = companion.tag, float(topology.table["elements"][0, e]["position_error_frac"])

        def test(evidence: Evidence, e: int = e, tag: str = tag, error_frac: float = error_frac) -> bool:
            return evidence.at_rest[e] and not (evidence.good(tag) or 0.0) <= error_frac

        yield Site(Unit("element", e, companion.element), (tag,), f"> {error_frac:g} open", test)


def _airlocks(topology: Topology) -> Iterator[Site]:
    """Only what is seen counts: both switches good, lid unlocked, gate open."""
    intake_of = {int(x["chute"]): int(x["intake"]) for x in topology.table["flows"][0][: len(topology.flows)]}
    for c, name in enumerate(topology.chutes):
        if c not in intake_of:
            continue
        gate, lid = (int(topology.table["chutes"][0, c][key]) for key in ("gate", "lid"))
        tags = (topology.locked_tags[lid] or "", topology.position_tags[gate] or "")

        def test(evidence: Evidence, gate: int = gate, lid: int = lid) -> bool:
            return evidence.seen_open[lid] and evidence.seen_open[gate]

        yield Site(Unit("intake", intake_of[c], name), tags, "lid unlocked, gate open", test)


def _guards(topology: Topology) -> Iterator[Site]:
    """Both channels of the guard switch must be known to be shut."""
    tags = topology.config.protection.guard_tags
    shedding = topology.config.shedding
    if tags and shedding:
        i = topology.intakes.index(shedding.intake)
        unit = Unit("intake", i, shedding.intake)
        yield Site(unit, tags, "not 1 in both", lambda evidence: not all(map(evidence.is_on, tags)))


def _hands(topology: Topology) -> Iterator[Site]:
    """A switch that cannot be read is in HAND."""
    for e, element in enumerate(topology.config.element):
        tag = element.hand_tag
        if tag is not None:

            def test(evidence: Evidence, tag: str = tag) -> bool:
                return not evidence.is_good(tag) or evidence.is_on(tag)

            yield Site(Unit("element", e, element.name), (tag,), "1, or unknown", test)


def _power(topology: Topology) -> Iterator[Site]:
    """The supply's own contact, or elements of two modules that stay at their fail states together."""
    tag, modules = topology.config.protection.power_tag, topology.module_of
    elements = range(len(topology.elements))
    contact_on = next((x.name for x in topology.config.device if tag in x.tags.values()), "")

    def test(evidence: Evidence) -> bool:
        if tag is not None and not evidence.is_on(tag):
            return True
        return len(dict.fromkeys(modules[e] for e in elements if evidence.not_moving[e])) >= 2

    def seen(evidence: Evidence) -> str:
        if tag is not None and evidence.is_lost(tag):
            # A module that ignores its orders is left in silence, its inputs with it: whether the supply went
            # in that time nobody saw.
            return f"{tag} cannot be read: the supply, or {contact_on} alone, which is away or ignores its orders"
        if tag is not None and not evidence.is_on(tag):
            return f"{tag} ({contact_on}) is not 1"
        fallen = [f"{name} ({modules[e]})" for e, name in enumerate(topology.elements) if evidence.not_moving[e]]
        return f"at their fail states against their orders: {', '.join(fallen)}"

    text = "two modules' elements fall together" + (f", or {tag} not 1" if tag else "")
    yield Site(Unit("pod", 0, "outputs"), (tag,) if tag else (), text, test, seen)


def _still(topology: Topology) -> Iterator[Site]:
    for e, name in enumerate(topology.elements):
        tag = topology.position_tags[e] or topology.locked_tags[e]
        if tag and topology.table["elements"][0, e]["role"] != records.FREE:
            yield Site(Unit("element", e, name), (tag,), "at its fail state", partial(_stands, e=e))


def _stands(evidence: Evidence, e: int) -> bool:
    return evidence.not_moving[e]


def _declared(topology: Topology) -> Iterator[Site]:
    for e, name in enumerate(topology.elements):
        yield NEVER._replace(unit=Unit("element", e, name))


def _of_the_pod(topology: Topology) -> Iterator[Site]:
    yield NEVER


def _forgotten(topology: Topology) -> Iterator[Site]:
    yield NEVER._replace(limit="the record of trips beside the journal, damaged or gone")


CAUSES: Mapping[str, Callable[[Topology], Iterator[Site]]] = MappingProxyType(
    process.CAUSES
    | {
        "gate_open": _gates,
        "gates_open": _two_gates,
        "macerator_on": partial(_own_or_shared, behind_chutes=True),
        "pump_on": partial(_own_or_shared, behind_chutes=False),
        "companion_open": _companions,
        "airlock_open": _airlocks,
        "guard_open": _guards,
        "hand": _hands,
        "power": _power,
        "does_not_follow": _still,
        "out_of_service": _declared,
        "bypassed": _of_the_pod,
        "forgotten": _forgotten,
    }
)
