"""The plant while people hold elements open: those are stuck by intent, and one more part may be stuck beside them.

An element in HAND or out of service does not shut when told. So as long as it is, the guard gets another table: every
common cause holds it open too, and so does each element that stands in series with it, as causes of their own. What
then no longer fits is shut, up to every ancestor; nothing here opens anything.

Neighbours: `loop` asks at each tick, `trips` knows what is in other hands, `topology` fills the table. Must not know
why.
"""

from collections.abc import Sequence

from pod_controller.causes import Held, common_causes
from pod_controller.config import Intake, PodConfig
from pod_controller.kernels.records import LID, MAX_CAUSES
from pod_controller.topology import Topology, build

BY_HAND = "what people hold open, and one part stuck beside it"  # the name of such a cause


class Hands:
    """The table of a pod, whoever holds what."""

    def __init__(self) -> None:
        self._found: tuple[Topology, tuple[int, ...], Topology] | None = None

    def topology(self, topology: Topology, held: tuple[int, ...]) -> Topology:
        """The pod with these elements (rows) held open; worked out anew only when they, or the pod, change."""
        if not held:
            return topology
        if self._found is None or self._found[0] is not topology or self._found[1] != held:
            names = [topology.elements[e] for e in held if topology.table["elements"]["role"][0, e] != LID]
            other = build(topology.config, causes_beside(topology.config, names))
            self._found = topology, held, other
        return self._found[2]


def causes_beside(config: PodConfig, held: Sequence[str]) -> tuple[Held, ...]:
    """Common causes of a pod with these elements held open; more than the table has rows for are joined, which is safe.

    Two stuck elements on one way are one row; of the gates of one intake, which the same elements stand behind, any
    number is.
    """
    hands = frozenset(held)
    rows = [Held(cause.name, cause.elements | hands, cause.path) for cause in common_causes(config)]
    beside = [Held(BY_HAND, hands | more, ()) for intake in config.intake for more in _parts(config, intake, hands)]
    rows += [row for row in dict.fromkeys(beside) if len(row.elements) > 1]
    kept, rest = rows[: MAX_CAUSES - 1], rows[MAX_CAUSES - 1 :]
    joined = hands.union(*(row.elements for row in rest))
    return (*kept, rest[0]._replace(elements=joined)) if rest else tuple(kept)


def _parts(config: PodConfig, intake: Intake, hands: frozenset[str]) -> list[frozenset[str]]:
    """What may stick beside these in an intake that they stand in: its gates or its pump, each element behind them."""
    gates = frozenset(chute.gate for chute in config.chute if chute.name in intake.from_chutes)
    own = gates | ({intake.element} if intake.element else frozenset())
    if not hands & (own | frozenset(intake.shared)):
        return []
    return [own, *(frozenset({name}) for name in intake.shared)]
