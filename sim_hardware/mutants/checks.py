"""Named checks of the guard's source as plain Python, each with its own idea of what is right and no stored answer.

A planted bug must fall to one of them, by name. `statements` sums the inequality anew; `bounds` plays a tank with a
closing gate and looks whether the truth stays inside what `observe` believes. Neighbours: `engine` gives the kernels.
Must not know any bug.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np

from pod_controller.kernels import records
from sim_hardware.guard_trial import check as guard_check
from sim_hardware.guard_trial.grid_states import begin_cell, next_state
from sim_hardware.guard_trial.plant_builder import Moves, add_chute, add_element, add_intake, add_vessel, empty_plant
from sim_hardware.mutants.engine import Names
from sim_hardware.mutants.plain import alive, fields_of, packed, rows_in_use

NS = 1_000_000_000
CELLS = 40
STATES = 12
Check = Callable[[Names], str]


def statements(names: Names) -> str:
    """The first statement of `guard_trial.check` that a permit breaks, on a sample of the grid; "" if none."""
    plant, state, frame, wish, permit = (
        records.table(kind) for kind in (records.PLANT, records.STATE, records.FRAME, records.WISH, records.PERMIT)
    )
    for cell in range(CELLS):
        begin_cell(plant, cell)
        rows = rows_in_use(plant[0])
        plain_plant = SimpleNamespace(**fields_of(plant[0], rows))
        draw = cell * 7919 + 12345
        for _ in range(STATES):
            draw = next_state(plant[0], state[0], frame[0], wish[0], draw)
            s, f, w, g = (alive(packed(fields_of(t[0], rows))) for t in (state, frame, wish, permit))
            names["guard"](plain_plant, s, f, w, g)
            _pour(s, state, ("phi_kg",))
            _pour(g, permit, ("grant_frac", "rule", "vessel", "scenario"))
            broken = guard_check.check(plant[0], state[0], frame[0], wish[0], permit[0])
            if broken:
                return guard_check.STATEMENTS[broken]
    return ""


def _pour(source: Any, table: records.Table, names: tuple[str, ...]) -> None:
    for name in names:
        values = getattr(source, name)
        table[name][0, : len(values)] = values


class Tank:
    """One vessel, one chute, a gate that opens at its fastest and shuts at its slowest, three sensors."""

    def __init__(self, names: Names, positioner: bool = False) -> None:
        plant = empty_plant()
        p = plant[0]
        add_vessel(p, 100.0)
        gate = add_element(p, records.OWN, Moves(8.0, 4.0, 2.0, positioner))
        add_chute(p, add_intake(p, {0: 1.0}, 1.0), gate, 1.0, 40.0)
        rows = rows_in_use(p)
        self.names = names
        self.plant = SimpleNamespace(**fields_of(p, rows))
        kinds = (records.STATE, records.FRAME, records.WISH, records.PERMIT)
        self.state, self.frame, self.wish, self.permit = (
            alive(packed(fields_of(records.table(kind)[0], rows))) for kind in kinds
        )
        self.now_ns, self.held_kg, self.at_frac = 1000 * NS, 20.0, 0.0
        self.told_frac, self.lost_ticks, self.verified_ns, self.pretends = 0.0, -1, 0, False
        self.seen = (20.0, 0.0, self.now_ns)
        self.lies_kg: dict[int, float] = {}
        self.content_kg = 15.0
        self.elapsed_s = 0.5

    def tick(self, wished_frac: float = 1.0) -> None:
        """Look, decide, write unless writes are lost, flow for half a second."""
        s, f, w = self.state, self.frame, self.wish
        self.now_ns += NS // 2
        kg, at_frac, taken_ns = self.seen
        f.now_ns, f.elapsed_s, f.execute = self.now_ns, self.elapsed_s, 1
        for i in range(records.MAX_LEVELS):
            f.level_kg[0, i], f.level_ns[0, i] = self.lies_kg.get(i, kg), taken_ns
        f.position_frac[:2], f.position_ns[:2] = [at_frac, 0.0], [taken_ns, taken_ns]
        f.verified_ns[:2] = [self.verified_ns, self.now_ns - NS // 2]
        f.content_kg[0], f.content_ns[0] = self.content_kg, taken_ns
        w.n_order, w.open_frac[0] = 1, wished_frac
        self.names["observe"](self.plant, self.state, self.frame)
        self.names["guard"](self.plant, self.state, self.frame, self.wish, self.permit)
        self.names["commit"](self.plant, self.state, self.permit)
        assert s.bound_kg[0] >= min(self.held_kg, 100.0) - 1e-6, "the vessel holds more than its bound"
        assert self.pretends or s.envelope_frac[0] >= self.at_frac - 1e-6, "the gate is further open than its envelope"
        self._write()
        self._flow()

    def _write(self) -> None:
        if self.lost_ticks < 0:
            self.told_frac, self.verified_ns = self.permit.grant_frac[0], self.now_ns
            return
        self.lost_ticks += 1
        if self.lost_ticks > 4:  # the device's watchdog, 2 s
            self.told_frac = 0.0

    def _flow(self) -> None:
        for step in range(10):
            way = 0.05 / 4.0 if self.told_frac > self.at_frac else -0.05 / 8.0
            nearer = min if way > 0.0 else max
            self.at_frac = nearer(self.told_frac, self.at_frac + way)
            self.held_kg += 0.05 * self.at_frac
            if step == 7:
                self.seen = (self.held_kg - 2.0, self.at_frac, self.now_ns + 8 * NS // 20)


def bounds(names: Names) -> str:
    """Truth inside the bounds: a gate opened and shut, writes lost while it opens, sensors blind, a late tick."""
    for scene in (_open_and_shut, _writes_lost, _blind, _one_liar):
        try:
            scene(names)
        except (AssertionError, ArithmeticError, LookupError, NameError, TypeError) as error:
            return f"{scene.__name__.strip('_')}: {error}"
    return ""


def _warmed(names: Names, positioner: bool = False) -> Tank:
    tank = Tank(names, positioner)
    for _ in range(8):
        tank.tick(0.0)
    return tank


def _open_and_shut(names: Names) -> None:
    tank = _warmed(names)
    for wished in [1.0] * 12 + [0.0] * 24:
        tank.tick(wished)
    assert tank.held_kg > 22.0, "a gate that is safe to open stays shut"


def _writes_lost(names: Names) -> None:
    tank = _warmed(names)
    tank.tick(1.0)
    tank.lost_ticks = 0
    for _ in range(24):
        tank.tick(0.0)


def _blind(names: Names) -> None:
    tank = _warmed(names)
    for _ in range(6):
        tank.tick(1.0)
    for row in range(records.MAX_LEVELS):
        tank.frame.level_quality[0, row] = 2
    for _ in range(30):
        tank.tick(1.0)
    assert tank.permit.grant_frac[0] == 0.0, "a blind vessel's gate stays open"


def _one_liar(names: Names) -> None:
    for liar in range(3):
        for lie_kg in (-50.0, 0.0, float("nan"), 500.0):
            tank = _warmed(names)
            tank.lies_kg = {liar: lie_kg}
            for _ in range(12):
                tank.tick(1.0)


def totality(names: Names) -> str:
    """Frames of no meaning: bounds stay numbers, no permit is given on a position or a level that is none."""
    nan = float("nan")
    tank = _warmed(names, positioner=True)
    tank.tick(nan)
    if tank.permit.grant_frac[0] != 0.0:
        return "totality: a wish that is no number is granted"
    tank.tick(1.0)
    tank.seen = (nan, nan, tank.now_ns)
    tank.content_kg = nan
    tank.elapsed_s = nan
    tank.at_frac = tank.told_frac = 0.0
    tank.pretends = True
    try:
        for _ in range(30):
            tank.tick(nan)
            tank.seen = (nan, nan, tank.now_ns)
    except (AssertionError, ArithmeticError, LookupError, NameError, TypeError) as error:
        return f"totality: {error}"
    s = tank.state
    fine = np.isfinite([s.bound_kg[0], s.envelope_frac[0], s.content_bound_kg[0]]).all() and s.full[0] == 1
    return "" if fine and s.content_bound_kg[0] == 40.0 else "totality: no evidence lowers a bound"


def restart(names: Names) -> str:
    """A core just started believes nothing: every element open, every vessel full, until it has seen otherwise."""
    tank = Tank(names)
    f = tank.frame
    f.now_ns, f.position_frac[0] = tank.now_ns, float("nan")
    for i in range(records.MAX_LEVELS):
        f.level_ns[0, i] = -1
    tank.names["observe"](tank.plant, tank.state, tank.frame)
    s = tank.state
    good = s.envelope_frac[0] == 1.0 and s.bound_kg[0] >= 99.0 and s.locked_ns[0] == -1
    return "" if good else "restart: something is believed without evidence"


CHECKS: Mapping[str, Check] = MappingProxyType(
    {"statements": statements, "bounds": bounds, "totality": totality, "restart": restart}
)


def caught_by(names: Names) -> dict[str, str]:
    """The checks that find something wrong, and what."""
    found = {}
    for name, check in CHECKS.items():
        try:
            told = check(names)
        except (ArithmeticError, AssertionError, LookupError, NameError, TypeError) as error:
            told = f"{type(error).__name__}: {error}"
        if told:
            found[name] = told
    return found
