"""Somebody else's tanks as the guard's table: vessels, pumps and supplies by name; readings in, openings out.

For who has a tank network and no pod: no configuration file, no lines, no chutes. `plant` gives the table that
`step` takes, and refuses a network in which the promise cannot be given, with the term and by how many kilograms. What
shall run is either asked for at every tick (`asking`) or left to the regulator (a pump with start_kg and stop_kg).
The README, "Your own tanks", drives one.

Neighbours: `step` decides; `topology` makes the same tables from a pod's configuration. Must not know tags or lines.
"""

from collections.abc import Mapping
from typing import NamedTuple

from hal.errors import PodError
from pod_controller.kernels import records, rules
from pod_controller.kernels.commit import commit
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import OWN, SHARED, Table
from pod_controller.kernels.terms import CAUSED, JAMMED
from pod_controller.promise import best_case_over_kg, remedy
from pod_controller.step import Decide, Event
from pod_controller.topology import NO_WEIR_KG, ROUNDING_KG, lead_on

TOO_MANY = 105
UNKNOWN = 111
NO_PROMISE = 123
CIRCLE = 124


class Moves(NamedTuple):
    """How an element moves: slowest stroke to shut, fastest to open, and how long an old command may live."""

    stroke_s: float = 2.0
    fast_stroke_s: float = 1.0
    lease_s: float = 3.0


QUICK = Moves()


class Path(NamedTuple):
    """A way that mass can take: through its own element `name`, and the elements `behind` it in series."""

    name: str
    to: str
    rate_kg_s: float
    source: str | None = None  # a vessel; None is a supply that never ends, and then something must stand behind
    behind: tuple[str, ...] = ()
    moves: Moves = QUICK
    start_kg: float | None = None  # of the source: the regulator starts it here,
    stop_kg: float = 0.0  # and stops it here


class Reading(NamedTuple):
    """One level in kg, or one position (0 shut, 1 open), and when it was taken."""

    value: float
    taken_ns: int
    good: bool = True


class Network:
    """Tanks and paths in the making; rows stand in the order in which they were added, paths from the top down."""

    def __init__(self, tick_s: float, fresh_s: float = 1.5) -> None:
        self._table = records.table(records.PLANT)
        self.vessels: list[str] = []
        self.elements: list[str] = []
        p = self._table[0]
        p.tick_s, p.fresh_s, p.longest_gap_s = tick_s, fresh_s, records.HISTORY * tick_s
        p.regulator.feed_flow, p.thermostat.element = -1, -1

    def vessel(self, name: str, capacity_kg: float, error_kg: float, sensors: int = 3, hold_up_kg: float = 0.0) -> None:
        """A container with a lip, and up to three level sensors of which no two share a part or a principle."""
        row = self._table[0].vessels[_added(self.vessels, name, records.MAX_VESSELS)]
        row.capacity_kg, row.weir_kg, row.hold_up_kg = capacity_kg - ROUNDING_KG, NO_WEIR_KG, hold_up_kg
        row.level_error_kg[:], row.n_levels, row.stale_s = error_kg, sensors, 10.0
        self._table[0].n_vessels = len(self.vessels)

    def path(self, path: Path) -> None:
        """A pump, a valve or a supply."""
        p, i = self._table[0], int(self._table[0].n_intakes)
        to, source = _row(self.vessels, path.to), -1 if path.source is None else _row(self.vessels, path.source)
        intake, flow = p.intakes[i], p.flows[i]
        intake.shared_rate_kg_s, intake.n_shared, intake.n_flows, intake.flows[0] = (
            path.rate_kg_s,
            len(path.behind),
            1,
            i,
        )
        intake.reach_ratio[to] = 1.0
        flow.element, flow.intake, flow.rate_kg_s = self._element(path.name, OWN, path.moves), i, path.rate_kg_s
        flow.chute, flow.source = -1, source
        for place, name in enumerate(path.behind):
            intake.shared[place] = self._element(name, SHARED, path.moves)
        if path.start_kg is not None:
            row = p.transfers[int(p.n_transfers)]
            row.flow, row.source, row.start_kg, row.stop_kg = i, source, path.start_kg, path.stop_kg
            p.n_transfers += 1
        p.n_intakes, p.n_flows = i + 1, i + 1

    def _element(self, name: str, role: int, moves: Moves) -> int:
        e = _added(self.elements, name, records.MAX_ELEMENTS)
        row = self._table[0].elements[e]
        row.stroke_s, row.fast_stroke_s, row.lease_s = moves
        row.role, row.position_error_frac = role, 0.02
        self._table[0].n_elements = e + 1
        return e

    def plant(self) -> Table:
        """The table. Raises PodError 122-124 where the promise cannot be given."""
        p = self._table[0]
        for i in range(p.n_intakes):
            name, source = self.elements[int(p.flows[i].element)], int(p.flows[i].source)
            if source < 0 and p.intakes[i].n_shared == 0:
                raise PodError(122, f"{name} is an endless supply behind one element: add a second one behind it")
            if source >= 0 and any(p.intakes[k].reach_ratio[source] > 0.0 for k in range(i, p.n_intakes)):
                text = f"{name} takes from {self.vessels[source]}, which a path added later (or its own) fills"
                raise PodError(CIRCLE, f"{text}: add paths from the top down; a circle is not summed by the guard")
        lead_on(p)
        for v, name in enumerate(self.vessels):
            over_kg, scenario = best_case_over_kg(self._table, v)
            if over_kg > 0.0:
                text = f"{name} cannot be kept from spilling: even empty and shut, {self._scenario(scenario)} brings it"
                over = f"{over_kg:.1f} kg over its capacity: enlarge it by that, or {remedy(p, v, scenario)}"
                raise PodError(NO_PROMISE, f"{text} {over}")
        return self._table.copy()

    def frame(self, now_ns: int, elapsed_s: float, levels: Mapping[str, list[Reading]]) -> Table:
        """One FRAME with these levels, without any position yet: what is left out counts as unknown."""
        table = records.table(records.FRAME)
        f = table[0]
        f.now_ns, f.elapsed_s, f.execute = now_ns, elapsed_s, 1
        f.level_quality[:], f.position_quality[:], f.content_quality[:], f.temp_quality, f.verified_ns[:] = (
            2,
            2,
            2,
            2,
            -1,
        )
        for name, readings in levels.items():
            v = _row(self.vessels, name)
            for i, reading in enumerate(readings):
                f.level_kg[v, i], f.level_ns[v, i] = reading.value, reading.taken_ns
                f.level_quality[v, i] = 0 if reading.good else 2
        return table

    def see(self, frame: Table, positions: Mapping[str, Reading], verified_ns: int) -> None:
        """Put positions into a frame; verified_ns: when the newest commands that were read back were issued."""
        f = frame[0]
        for name, reading in positions.items():
            e = _row(self.elements, name)
            f.position_frac[e], f.position_ns[e] = reading.value, reading.taken_ns
            f.position_quality[e], f.verified_ns[e] = 0 if reading.good else 2, verified_ns

    def asking(self, open_frac: Mapping[str, float]) -> Decide:
        """What `step` takes as `decide`: these openings are wished, and nothing else."""
        wished = {_row(self.elements, name): frac for name, frac in open_frac.items()}

        def decide(plant: Table, desk: Table) -> None:
            p, s, f, w, g = plant[0], desk[0].state, desk[0].frame, desk[0].wish, desk[0].permit
            observe(p, s, f)
            w.n_order = p.n_flows
            w.order[: p.n_flows] = range(p.n_flows)
            for e, frac in wished.items():
                w.open_frac[e] = frac
            guard(p, s, f, w, g)
            commit(p, s, g)

        return decide

    def openings(self, permit: Table) -> dict[str, float]:
        """What each element may be opened to now: send these, and nothing of an older tick."""
        return {name: float(permit["grant_frac"][0, e]) for e, name in enumerate(self.elements)}

    def in_words(self, event: Event) -> str:
        """An event for a person."""
        where = "" if event.vessel < 0 else f" ({self.vessels[event.vessel]})"
        return f"{self.elements[event.element]}: {event.grant_frac:g}, {rules.TEXT[event.rule]}{where}"

    def _scenario(self, scenario: int) -> str:
        if JAMMED <= scenario < CAUSED:
            return f"{self.elements[int(self._table[0].flows[scenario - JAMMED].element)]} stuck open"
        return "what no inlet can stop"


def _added(names: list[str], name: str, most: int) -> int:
    if name in names or len(names) == most:
        raise PodError(TOO_MANY, f"{name} is there already, or is one more than the {most} that fit: use another name")
    names.append(name)
    return len(names) - 1


def _row(names: list[str], name: str) -> int:
    if name not in names:
        raise PodError(UNKNOWN, f"{name!r} is not known here: add it first, or use one of {', '.join(names)}")
    return names.index(name)
