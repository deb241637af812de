"""Somebody else's tanks as the guard's table: vessels, pumps and supplies by name; readings in, openings out.

For who has a tank network and no pod: no configuration file, no lines, no chutes (lids, bags and weights need a pod's
file). `plant` gives the table that `step` takes, filled and checked by the same functions as a pod's, and refuses a
network in which the promise cannot be given, with the term and by how many kilograms. What shall run is either asked
for at every tick (`asking`) or left to the regulator (a pump with start_kg and stop_kg).

Wrong figures and names are mistakes and raise; wrong readings are faults of the field and never do: what cannot be
believed counts as unknown, and unknown is the unsafe one. The README, "Your own tanks", drives one.

Neighbours: `step` decides; `network_rows` checks figures, `topology` fills the table. Must not know tags or lines.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypedDict, Unpack

import numpy as np

from hal.errors import PodError
from pod_controller import config_checks, promise, topology
from pod_controller.causes import common_causes
from pod_controller.config import CommonCause, Control, Element, Intake, Transfer, Vessel
from pod_controller.config_contradictions import older
from pod_controller.config_types import ConfigTable
from pod_controller.kernels import records, rules
from pod_controller.kernels.commit import commit
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import Table
from pod_controller.network_rows import TOO_MANY, Moves, added, element_row, graph, known, refuse, row, vessel_row
from pod_controller.step import Decide, Event

__all__ = ["Moves", "Network", "Path", "Reading"]
TOO_FEW = 105
BAD, LONGEST_NS = 2, 2**62


class Path(NamedTuple):
    """A way that mass can take: through its own element `name`, and the elements `behind` it in series.

    to: a vessel, or kg arriving in each of several per kg passed. behind: names of elements that move like the first,
    or each with moves of its own. static_head: the source drives it without a pump.
    """

    name: str
    to: str | Mapping[str, float]
    rate_kg_s: float
    moves: Moves
    source: str | None = None  # a vessel; None is a supply that never ends, and then something must stand behind
    behind: Sequence[str] | Mapping[str, Moves] = ()
    start_kg: float | None = None  # of the source: the regulator starts it here,
    stop_kg: float = 0.0  # and stops it here
    static_head: bool = False


class Reading(NamedTuple):
    """One level in kg, or one position (0 shut, 1 open), and when it was taken."""

    value: float
    taken_ns: int
    good: bool = True


class Inside(TypedDict, total=False):
    """What else a vessel may have.

    stale_s: how long dead reckoning may carry it without two levels that agree. hold_up_kg: in its lines, still to
    come. psi_kg: what no element stops. weir_kg, overflow_to: where it overflows by itself, and into which vessel;
    over_weir_kg: what a pressure step pushes over that weir without ever standing in it.
    float_kg: where its high-level switch trips.
    """

    stale_s: float
    hold_up_kg: float
    psi_kg: float
    weir_kg: float
    overflow_to: str
    over_weir_kg: float
    float_kg: float


class Network:
    """Tanks and paths in the making; rows stand in the order in which they were added."""

    def __init__(self, tick_s: float, fresh_s: float = 1.5, latency_s: float = 0.3) -> None:
        """fresh_s: how old a position may be. latency_s: the longest way of a command to its element."""
        figures = {"tick_s": tick_s, "fresh_s": fresh_s, "latency_s": latency_s}
        self._control = row(Control, "network", figures)
        self._vessels: list[Vessel] = []
        self._elements: list[Element] = []
        self._watchdogs_s: list[float] = []
        self._intakes: list[Intake] = []
        self._transfers: list[Transfer] = []
        self._causes: list[CommonCause] = []

    @property
    def vessels(self) -> list[str]:
        """Their names, in the order of the table."""
        return [x.name for x in self._vessels]

    @property
    def elements(self) -> list[str]:
        """Their names, in the order of the table."""
        return [x.name for x in self._elements]

    def vessel(self, name: str, capacity_kg: float, error_kg: float, sensors: int = 3, **more: Unpack[Inside]) -> None:
        """A container with a lip, and two or three level sensors of which no two share a part or a principle."""
        added(self.vessels, name, records.MAX_VESSELS, "vessel")
        self._vessels.append(vessel_row(len(self._vessels), name, capacity_kg, error_kg, sensors, more))

    def path(self, path: Path) -> None:
        """A pump, a valve or a supply, with elements of its own."""
        added([x.name for x in self._intakes], path.name, records.MAX_INTAKES, "path")
        figures = {
            "name": path.name,
            "from_vessel": path.source,
            "element": path.name,
            "shared": tuple(path.behind) if isinstance(path.behind, Mapping) else path.behind,
            "rate_kg_s": path.rate_kg_s,
            "to": {path.to: 1.0} if isinstance(path.to, str) else path.to,
            "static_head": path.static_head,
        }
        intake = row(Intake, f"path {path.name}", figures)
        for name in (*intake.to, *([] if intake.from_vessel is None else [intake.from_vessel])):
            known(self.vessels, name)
        moves = {path.name: path.moves} | dict.fromkeys(intake.shared, path.moves)
        moves |= path.behind if isinstance(path.behind, Mapping) else {}
        elements = list(self._elements)
        for name, its_moves in moves.items():
            added([x.name for x in elements], name, records.MAX_ELEMENTS, "element")
            elements.append(element_row(len(elements), name, its_moves))
        self._transfers += self._run_by_level(path)
        self._watchdogs_s += [its_moves.watchdog_s for its_moves in moves.values()]
        self._elements = elements
        self._intakes.append(intake)

    def cause(self, name: str, elements: Sequence[str]) -> None:
        """Elements that one broken part can hold open together: an output module, an air supply, a power feed."""
        added([x.name for x in self._causes], name, records.MAX_CAUSES, "cause")
        self._causes.append(row(CommonCause, f"cause {name}", {"name": name, "elements": elements}))

    def _run_by_level(self, path: Path) -> list[Transfer]:
        if path.start_kg is None:
            return []
        added([x.intake for x in self._transfers], path.name, records.MAX_TRANSFERS, "path with start_kg")
        figures = {"intake": path.name, "start_kg": path.start_kg, "stop_kg": path.stop_kg}
        return [row(Transfer, f"path {path.name}", figures)]

    def plant(self) -> Table:
        """The table. Raises PodError 1xx for what contradicts, 120-126 where the promise cannot be given."""
        if not self._intakes:
            raise PodError(TOO_FEW, "the network has no path: add what fills its vessels")
        rows: dict[str, Sequence[ConfigTable]] = {
            "vessel": self._vessels,
            "element": self._elements,
            "intake": self._intakes,
            "transfer": self._transfers,
            "cause": self._causes,
        }
        config = graph(self._control, rows)
        slow = older(self._control.fresh_s, zip(self._watchdogs_s, self.elements, strict=True))
        refuse(config, [*config_checks.of_graph(config), *slow])
        made = topology.of_graph(config, self._watchdogs_s, (), common_causes(config))
        refuse(config, promise.faults(made))
        return made.table

    def frame(
        self,
        state: Table,
        now_ns: int,
        levels: Mapping[str, Sequence[Reading]],
        floats: Mapping[str, bool] | None = None,
    ) -> Table:
        """One FRAME with these levels, without any position yet: what is left out counts as unknown.

        state: what the next `step` gets; the time since the last is found there. floats: which high-level switches are
        on. PodError 111 for a vessel that is none, 105 for more levels than it has sensors.
        """
        table = records.table(records.FRAME)
        f = table[0]
        f.now_ns, f.execute = _moment_ns(now_ns), 1
        f.elapsed_s = _elapsed_s(state, int(f.now_ns))
        f.level_quality[:], f.position_quality[:], f.content_quality[:] = BAD, BAD, BAD
        f.temp_quality, f.verified_ns[:], f.float_on[:] = BAD, -1, 1
        for name, readings in levels.items():
            v = known(self.vessels, name)
            sensors = len(self._vessels[v].levels)
            if len(readings) > sensors:
                text = f"{name} has {len(readings)} levels in a frame and {sensors} sensors"
                raise PodError(TOO_MANY, f"{text}: give them in the order of the sensors, one each")
            for i, reading in enumerate(readings):
                f.level_kg[v, i], f.level_ns[v, i], f.level_quality[v, i] = _believed(reading)
        for name, is_on in (floats or {}).items():
            f.float_on[known(self.vessels, name)] = 0 if _is_off(is_on) else 1
        return table

    def see(self, frame: Table, positions: Mapping[str, Reading], verified_ns: int) -> None:
        """Put positions into a frame; verified_ns: when the newest commands that were read back were issued."""
        f = frame[0]
        for name, reading in positions.items():
            e = known(self.elements, name)
            f.position_frac[e], f.position_ns[e], f.position_quality[e] = _believed(reading)
            f.verified_ns[e] = _moment_ns(verified_ns)

    def asking(self, open_frac: Mapping[str, float]) -> Decide:
        """What `step` takes as `decide`: these openings are wished, and nothing else."""
        wished = {known(self.elements, name): _number(frac) for name, frac in open_frac.items()}

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
        where = "" if event.vessel < 0 else f" ({self._vessels[event.vessel].name})"
        return f"{self._elements[event.element].name}: {event.grant_frac:g}, {rules.TEXT[event.rule]}{where}"


def _elapsed_s(state: Table, now_ns: int) -> float:
    """Since the tick before; 0 at the first."""
    ticks = int(state["ticks"][0])
    if ticks == 0:
        return 0.0
    return (now_ns - int(state["command_ns"][0, (ticks - 1) % records.HISTORY])) * 1e-9


def _is_off(is_on: object) -> bool:
    """True only for what is known to be off."""
    return isinstance(is_on, bool | np.bool_) and not is_on


def _believed(reading: object) -> tuple[float, int, int]:
    """Value, moment and quality; unknown if it is no reading, or its own source does not call it good."""
    if not isinstance(reading, Reading) or reading.good is not True:
        return float("nan"), -1, BAD
    return _number(reading.value), _moment_ns(reading.taken_ns), 0


def _number(value: Any) -> float:
    """As a float; NaN, which opens nothing, for what is no number. Text is none."""
    try:
        return float("nan") if isinstance(value, str | bytes) else float(value)
    except (TypeError, ValueError, OverflowError):
        return float("nan")


def _moment_ns(value: Any) -> int:
    """As nanoseconds; -1, never, for what is no time."""
    try:
        moment_ns = int(value)
    except (TypeError, ValueError, OverflowError):
        return -1
    return moment_ns if -LONGEST_NS <= moment_ns <= LONGEST_NS else -1
