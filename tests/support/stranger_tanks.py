"""Somebody else's tanks, drawn at random and built through the public `Network`; and a small plant of water for them.

The plant keeps its own books: it reads no table of the guard and knows only what a stranger told. Every kilogram that
comes in or goes out is counted. It does the worst that the promise allows: elements open at their fastest and shut at
their slowest, one sensor of each vessel shows nothing but zero, what lines hold up and what pressure pushes comes all
at once, and one element (or one common cause) sticks wide open, unseen, at the worst moment.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from hal.errors import PodError
from pod_controller.kernels import rules
from pod_controller.kernels.records import Table
from pod_controller.network import Moves, Network, Path, Reading
from pod_controller.step import first_state, step

NS = 1_000_000_000
TICK_S = 0.5
TICKS = 400
AT_THE_LIMIT = (rules.LEVEL, rules.JAM, rules.COMMON_CAUSE)


@dataclass
class Tanks:
    """What a stranger told: arguments of `vessel`, `path` and `cause`."""

    vessels: list[dict[str, Any]] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    causes: list[tuple[str, list[str]]] = field(default_factory=list)

    def network(self) -> Network:
        network = Network(TICK_S)
        for told in self.vessels:
            network.vessel(**told)
        for path in self.paths:
            network.path(path)
        for cause, elements in self.causes:
            network.cause(cause, elements)
        return network

    def elements(self) -> list[str]:
        return [name for path in self.paths for name in (path.name, *path.behind)]

    def stuck_together(self) -> list[list[str]]:
        """Every scenario within the promise: each element alone, each cause."""
        return [[name] for name in self.elements()] + [elements for _, elements in self.causes]


@st.composite
def tanks(draw: st.DrawFn) -> Tanks:
    """Two to four vessels from the top down, weirs, one to four paths that may fork, ways back up, causes."""
    told = Tanks()
    count = draw(st.integers(2, 4))
    names = [f"tank_{v}" for v in range(count)]
    for v, name in enumerate(names):
        told.vessels.append(_vessel(draw, name, names[v + 1 :]))
    for i in range(draw(st.integers(1, 4))):
        told.paths.append(_path(draw, f"path_{i}", names))
    for i in range(draw(st.sampled_from([0, 0, 1, 2]))):
        told.paths.append(_way_back(draw, f"back_{i}", names))
    for name in _filled_by_nobody(told):
        told.paths.append(_pipe(draw, f"tap_{name}", None, [name], 1))
    for c in range(draw(st.integers(0, 2))):
        if len(told.elements()) > 1:
            held = draw(st.lists(st.sampled_from(told.elements()), min_size=2, max_size=3, unique=True))
            told.causes.append((f"cause_{c}", held))
    return told


def _filled_by_nobody(told: Tanks) -> list[str]:
    """Vessels that something draws from, or that run over, and nothing fills."""
    below = {x["name"]: x.get("overflow_to") for x in told.vessels}
    ways = [(path.source, name) for path in told.paths for name in path.to] + list(below.items())
    fed: set[str | None] = set()
    for _ in ways:
        fed |= {name for source, name in ways if source is None or source in fed}
    drawn = {path.source for path in told.paths}
    return [name for name in below if name not in fed and (name in drawn or below[name])]


def _vessel(draw: st.DrawFn, name: str, below: list[str]) -> dict[str, Any]:
    capacity_kg = draw(st.sampled_from([150.0, 400.0, 1200.0, 5000.0]))
    told: dict[str, Any] = {
        "name": name,
        "capacity_kg": capacity_kg,
        "error_kg": draw(st.sampled_from([0.5, 2.0, 5.0])),
        "sensors": draw(st.integers(2, 3)),
        "hold_up_kg": draw(st.sampled_from([0.0, 3.0, 10.0])),
        "psi_kg": draw(st.sampled_from([0.0, 4.0, 15.0])),
    }
    has_weir, has_float = draw(st.booleans()), draw(st.booleans())
    if below and has_weir:
        told |= {"weir_kg": 0.85 * capacity_kg, "overflow_to": draw(st.sampled_from(below))}
        told["over_weir_kg"] = draw(st.sampled_from([0.0, 20.0]))
    elif has_float:
        told["float_kg"] = 0.95 * capacity_kg
    return told


def _path(draw: st.DrawFn, name: str, names: list[str]) -> Path:
    source = draw(st.integers(-1, len(names) - 2))
    to = draw(st.lists(st.sampled_from(names[source + 1 :]), min_size=1, max_size=2, unique=True))
    behind = draw(st.sampled_from([1, 1, 2] if source < 0 else [0, 1, 1, 2]))
    return _pipe(draw, name, None if source < 0 else names[source], to, behind)


def _way_back(draw: st.DrawFn, name: str, names: list[str]) -> Path:
    """From a vessel to one above it: with a path or a weir down, a circle."""
    source = draw(st.integers(1, len(names) - 1))
    return _pipe(
        draw, name, names[source], [draw(st.sampled_from(names[:source]))], draw(st.sampled_from([0, 1, 1, 2]))
    )


def _pipe(draw: st.DrawFn, name: str, source: str | None, to: list[str], behind: int) -> Path:
    stroke_s = draw(st.sampled_from([1.0, 4.0, 9.0]))
    return Path(
        name,
        dict(zip(to, draw(st.sampled_from([(1.0, 0.1), (0.5, 0.5), (2.0, 1.0)])), strict=False)),
        rate_kg_s=draw(st.sampled_from([0.3, 1.5, 5.0])),
        moves=Moves(stroke_s, stroke_s / draw(st.sampled_from([1.0, 3.0])), 2.0, positioner=draw(st.booleans())),
        source=source,
        behind=[f"{name}_behind_{k}" for k in range(behind)],
    )


class Water:
    """The tanks in motion: everything is wished open, all the time."""

    def __init__(self, told: Tanks, seed: int, filled: float = 1.0) -> None:
        """PodError where the promise cannot be given. filled: of what the tanks begin with."""
        self.network = told.network()
        self._told = told
        self._plant, self._state = self.network.plant(), first_state()
        self._draw = np.random.default_rng(seed)
        self._wish = self.network.asking(dict.fromkeys(self.network.elements, 1.0))
        self._now_ns = 0
        self._seen: dict[str, list[Reading]] = {}
        self._overflow = {x["name"]: (x["weir_kg"], x["overflow_to"]) for x in told.vessels if "weir_kg" in x}
        self._draw_kg_s = {x["name"]: float(self._draw.choice([0.0, 0.0, 0.4, 2.0])) for x in told.vessels}
        self._line_kg = dict.fromkeys(self.network.vessels, 0.0)
        self._psi_ticks = {name: int(self._draw.integers(40, 300)) for name in self.network.vessels}
        self._dump_ticks = {name: int(self._draw.integers(40, 300)) for name in self.network.vessels}
        parts = {x["name"]: filled * float(self._draw.choice([0.0, 0.5, 0.8])) for x in told.vessels}
        self.held_kg = {x["name"]: parts[x["name"]] * self._most_kg(x) for x in told.vessels}
        self.at_frac = dict.fromkeys(self.network.elements, 0.0)
        self.stuck: list[str] = []
        self.permit: Table | None = None
        self.came_kg = sum(self.held_kg.values())
        self.went_kg = self.moved_kg = self.spilled_kg = 0.0

    @staticmethod
    def _most_kg(told: dict[str, Any]) -> float:
        return min(float(told["capacity_kg"]), float(told.get("weir_kg", np.inf)))

    def run(self, ticks: int, sticks: list[str], at_tick: int) -> None:
        """Stick these from the first tick after at_tick at which the guard holds something back, or 60 ticks later."""
        for tick in range(ticks):
            self._tick(tick)
            if not self.stuck and tick >= at_tick and (self._is_at_the_limit() or tick >= at_tick + 60):
                self.stuck = sticks

    def _is_at_the_limit(self) -> bool:
        assert self.permit is not None
        return bool(np.isin(self.permit["rule"][0], AT_THE_LIMIT).any())

    def _tick(self, tick: int) -> None:
        self._now_ns += round(TICK_S * NS)
        frame = self.network.frame(self._state, self._now_ns, self._levels(), self._floats())
        shown = {name: Reading(0.0 if name in self.stuck else at, self._now_ns) for name, at in self.at_frac.items()}
        self.network.see(frame, shown, self._now_ns - round(TICK_S * NS))
        self._state, self.permit, _ = step(self._plant, self._state, frame, self._wish)
        self._flow(self.network.openings(self.permit), tick)

    def spills_by_itself(self, sticks: list[str]) -> bool:
        """Whether these, stuck from the first moment, carry it over a lip while nobody asks for anything or draws."""
        self.stuck, self._draw_kg_s = sticks, dict.fromkeys(self._draw_kg_s, 0.0)
        shut = dict.fromkeys(self.network.elements, 0.0)
        for tick in range(TICKS):
            self._flow(shut, tick)
        return self.spilled_kg > 0.0

    def _flow(self, openings: dict[str, float], tick: int) -> None:
        passing = {name: self._move(name, frac) for name, frac in openings.items()}
        for path in self._told.paths:
            self._pass(path, min(passing[name] for name in (path.name, *path.behind)))
        for told in self._told.vessels:
            self._surprise(told, tick)
            name = told["name"]
            drawn_kg = min(self.held_kg[name], TICK_S * self._draw_kg_s[name])
            self.held_kg[name] -= drawn_kg
            self.went_kg += drawn_kg
        self._overflow_and_spill()

    def _levels(self) -> dict[str, list[Reading]]:
        """Honest sensors with their errors, a tick old at most; the first of two or three always says zero."""
        fresh = {}
        for told in self._told.vessels:
            error_kg = self._draw.uniform(-told["error_kg"], told["error_kg"], told["sensors"])
            kg = self.held_kg[told["name"]] + error_kg
            kg[0] = 0.0
            fresh[told["name"]] = [Reading(float(x), self._now_ns) for x in kg]
        before, self._seen = self._seen or fresh, fresh
        return {
            name: [pair[int(self._draw.integers(2))] for pair in zip(fresh[name], before[name], strict=True)]
            for name in fresh
        }

    def _floats(self) -> dict[str, bool]:
        return {x["name"]: self.held_kg[x["name"]] > x["float_kg"] for x in self._told.vessels if "float_kg" in x}

    def _move(self, name: str, granted_frac: float) -> float:
        """Move one element for a tick; the furthest open it was."""
        moves = next(path.moves for path in self._told.paths if name in (path.name, *path.behind))
        before = self.at_frac[name]
        if name in self.stuck:
            after = 1.0
        elif granted_frac > before:
            after = min(granted_frac, before + TICK_S / moves.fast_stroke_s)
        else:
            after = max(granted_frac, before - TICK_S / moves.stroke_s)
        self.at_frac[name] = after
        return max(before, after)

    def _pass(self, path: Path, open_frac: float) -> None:
        assert not isinstance(path.to, str)
        kg = TICK_S * path.rate_kg_s * open_frac
        if path.source is not None:
            kg = min(kg, self.held_kg[path.source])
            self.held_kg[path.source] -= kg
            self.came_kg -= kg
        self.moved_kg += kg
        for name, ratio in path.to.items():
            self.came_kg += ratio * kg
            self._line_kg[name] += ratio * kg

    def _surprise(self, told: dict[str, Any], tick: int) -> None:
        """What the line holds up comes late, and at one moment all of it; pressure pushes at another."""
        name = told["name"]
        kept_kg = 0.0 if tick == self._dump_ticks[name] else min(self._line_kg[name], told["hold_up_kg"])
        self.held_kg[name] += self._line_kg[name] - kept_kg
        self._line_kg[name] = kept_kg
        if tick == self._psi_ticks[name]:
            self.held_kg[name] += told["psi_kg"]
            self.came_kg += told["psi_kg"]
            self._push(told)

    def _push(self, told: dict[str, Any]) -> None:
        """A pressure step pushes some of what a vessel at its weir holds over it."""
        if "weir_kg" in told:
            pushed_kg = min(self.held_kg[told["name"]], told["over_weir_kg"])
            self.held_kg[told["name"]] -= pushed_kg
            self.held_kg[told["overflow_to"]] += pushed_kg

    def _overflow_and_spill(self) -> None:
        for told in self._told.vessels:  # weirs lead down the list
            name = told["name"]
            if name in self._overflow:
                weir_kg, below = self._overflow[name]
                over_kg = max(0.0, self.held_kg[name] - weir_kg)
                self.held_kg[name] -= over_kg
                self.held_kg[below] += over_kg
            over_kg = max(0.0, self.held_kg[name] - told["capacity_kg"])
            self.held_kg[name] -= over_kg
            self.spilled_kg += over_kg

    @property
    def balance_error_kg(self) -> float:
        inside_kg = sum(self.held_kg.values()) + sum(self._line_kg.values())
        return abs(self.came_kg - self.went_kg - self.spilled_kg - inside_kg)


def water_or_refusal(told: Tanks, seed: int, sticks: list[str] | None = None) -> Water | PodError:
    """The tanks in motion, or why the promise cannot be given for them.

    They begin as full as they may: not so that what is stuck, while nobody asks for anything, spills by itself.
    """
    try:
        for filled in (1.0, 0.5, 0.2):
            if not Water(told, seed, filled).spills_by_itself(sticks or []):
                return Water(told, seed, filled)
        return Water(told, seed, 0.0)
    except PodError as error:
        return error
