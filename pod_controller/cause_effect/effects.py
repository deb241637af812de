"""Which elements a row keeps at their fail state, found from the plant table; never everything where a part will do.

Neighbours: `table` names the effects, `causes` the unit that a cause sits on. Must not know why.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pod_controller.kernels import records
from pod_controller.topology import Topology


class Unit(NamedTuple):
    """What a cause sits on: kind is vessel, chute, intake, element or pod; row is its place in the plant table."""

    kind: str
    row: int
    name: str


Elements = tuple[int, ...]


def elements_of(effect: str, topology: Topology, unit: Unit) -> Elements:
    """The elements that this effect keeps at their fail state, in the order of the table."""
    return tuple(sorted(dict.fromkeys(EFFECTS[effect](topology, unit))))


def of_intake(topology: Topology, i: int) -> Elements:
    """The own and the shared elements of intake i."""
    p = topology.table[0]
    intake = p["intakes"][i]
    own = [int(p["flows"][f]["element"]) for f in intake["flows"][: intake["n_flows"]]]
    return (*own, *(int(e) for e in intake["shared"][: intake["n_shared"]]))


def intakes(topology: Topology) -> range:
    """Rows of intakes."""
    return range(len(topology.intakes))


def feed_intake(topology: Topology) -> int:
    """The intake of [feeding]; -1 without one."""
    feeding = topology.config.feeding
    return topology.intakes.index(feeding.intake) if feeding else -1


def fed_vessel(topology: Topology) -> int:
    """The vessel that is fed; -1 without one."""
    i = feed_intake(topology)
    named = [x.to for x in topology.config.intake if i >= 0 and x.name == topology.intakes[i]]
    return topology.vessels.index(next(iter(named[0]))) if named else -1


def inlets_of(topology: Topology, v: int) -> Elements:
    """What lets mass into vessel v, through passive overflows too."""
    reach = topology.table["intakes"]["reach_ratio"][0]
    return tuple(e for i in intakes(topology) if reach[i, v] > 0.0 for e in of_intake(topology, i))


def _inlets(topology: Topology, unit: Unit) -> Elements:
    return inlets_of(topology, unit.row)


def _intake(topology: Topology, unit: Unit) -> Elements:
    return of_intake(topology, unit.row)


def _chute(topology: Topology, unit: Unit) -> Elements:
    chute = topology.table["chutes"][0, unit.row]
    return int(chute["gate"]), int(chute["lid"])


def _series(topology: Topology, unit: Unit) -> Elements:
    """The element, and all that stands in a flow with it."""
    rows = [of_intake(topology, i) for i in intakes(topology)]
    return tuple(e for row in rows if unit.row in row for e in row)


def _itself(topology: Topology, unit: Unit) -> Elements:
    """The element; of a chute gate and lid together, and what a dead element stands in series with stops too."""
    for c in range(len(topology.chutes)):
        both = _chute(topology, Unit("chute", c, ""))
        if unit.row in both:
            return both
    return (unit.row, *_series(topology, unit))


def _feed(topology: Topology, unit: Unit) -> Elements:
    i = feed_intake(topology)
    return of_intake(topology, i) if i >= 0 else ()


def _heat(topology: Topology, unit: Unit) -> Elements:
    thermostat = topology.config.thermostat
    return (topology.element(thermostat.element),) if thermostat else ()


def _feed_and_heat(topology: Topology, unit: Unit) -> Elements:
    return (*_feed(topology, unit), *_heat(topology, unit))


def _ignition(topology: Topology, unit: Unit) -> Elements:
    """What can spark or bring more gas: heater, feed, and the cutter with its gates."""
    shedding = topology.config.shedding
    cutter = of_intake(topology, topology.intakes.index(shedding.intake)) if shedding else ()
    return (*_feed_and_heat(topology, unit), *cutter)


def _withdrawal(topology: Topology, unit: Unit) -> Elements:
    """What draws on the fed vessel, or on the tank at the foot of its sealed overflow leg."""
    v = fed_vessel(topology)
    config = topology.config
    drawn = [config.vessel[v].name, config.vessel[v].overflow_to] if v >= 0 else []
    names = [x.name for x in config.intake if x.from_vessel in drawn]
    return tuple(e for name in names for e in of_intake(topology, topology.intakes.index(name)))


def _lids(topology: Topology, unit: Unit) -> Elements:
    roles = topology.table["elements"]["role"][0]
    return tuple(e for e in range(len(topology.elements)) if roles[e] == records.LID)


def _everything(topology: Topology, unit: Unit) -> Elements:
    return tuple(range(len(topology.elements)))


EFFECTS: Mapping[str, Callable[[Topology, Unit], Elements]] = MappingProxyType(
    {
        "inlets": _inlets,
        "intake": _intake,
        "chute": _chute,
        "series": _series,
        "itself": _itself,
        "feed": _feed,
        "heat": _heat,
        "feed and heat": _feed_and_heat,
        "ignition": _ignition,
        "withdrawal": _withdrawal,
        "lids": _lids,
        "everything": _everything,
    }
)
