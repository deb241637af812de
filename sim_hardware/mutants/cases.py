"""The decision table of the mutants: small plants, states and frames, dense where decisions turn.

Half the numbers stand exactly on a limit: an age at `fresh_s`, a level at its bounds, a vessel whose capacity is what
the guard's sum comes to. Neighbours: `oracle` runs them. Must not know any right answer.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from pod_controller.kernels import records
from pod_controller.kernels.records import FREE, HISTORY, OWN, SHARED, Record, Table
from sim_hardware.guard_trial import plant_builder as plants
from sim_hardware.guard_trial.plant_builder import NO_WEIR_KG, Draw, Moves
from sim_hardware.mutants.plain import fields_of, packed, rows_in_use

NS = 1_000_000_000
NOW_NS = 1000 * NS
AGES_S = (0.0, 0.1, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 10.0, -0.5)
OPENINGS = (0.0, 0.0, 0.02, 0.3, 0.999, 1.0)


class Case(NamedTuple):
    """One row: the plant as an object, the rest packed. kind: observe, or guard and commit, or trips."""

    kind: str
    plant: Any
    state: bytes
    frame: bytes
    wish: bytes
    permit: bytes


def table_of_cases(count: int, seed: int) -> Iterator[Case]:
    """So many cases, by turns for `observe` and for `guard` with `commit`; with every tenth one for `trips`."""
    draw = np.random.default_rng(seed)
    for number in range(count):
        plant = small_plant(draw)
        state, frame, wish = (records.table(kind) for kind in (records.STATE, records.FRAME, records.WISH))
        if number % 2:
            arrange(plant[0], state[0], draw)
        else:
            remember(plant[0], state[0], draw)
            see(plant[0], state[0], frame[0], draw)
        ask(plant[0], frame[0], wish[0], draw)
        yield case("guard" if number % 2 else "observe", plant, state, frame, wish)
        if number % 16 == 1:
            yield case("guard", *still_filled(draw), frame, wish)
        if number % 10 == 0:
            frame[0].trip[: plant[0].n_elements] = draw.choice([-1, 0, 0, 1, 9], int(plant[0].n_elements))
            yield case("trips", plant, state, frame, wish)


def still_filled(draw: Draw) -> tuple[Table, Table]:
    """A full vessel below one that is being filled: what stands between is shut, but one common cause may hold it.

    Half of them have a lone pump further on, standing before it in the table as in a circle.
    """
    plant, state = plants.empty_plant(), records.table(records.STATE)
    p, s = plant[0], state[0]
    vessels = int(draw.integers(2, 4))
    for _ in range(vessels):
        plants.add_vessel(p, 100.0)
    plants.add_chute(p, plants.add_intake(p, {0: 1.0}, 0.5), _element(p, draw, OWN), 0.5, 40.0)
    if vessels == 3:
        plants.add_flow(p, plants.add_intake(p, {2: 1.0}, 0.5), _element(p, draw, OWN), 0.5, source=1)
    pump, valve = _element(p, draw, OWN), _element(p, draw, SHARED)
    plants.add_flow(p, plants.add_intake(p, {1: 1.0}, 0.5, (valve,)), pump, 0.5, source=0)
    p.n_causes = 2
    p.causes[draw.integers(2)].member[[pump, valve]] = draw.integers(0, 2)
    s.ticks, s.bound_kg[:3], s.locked_ns[0], s.sealed[0], s.reached[:] = 100, (20.0, 20.0, 101.0), NOW_NS, 1, 1
    s.bound_kg[vessels - 1] = 101.0
    s.live_frac[0] = s.envelope_frac[0] = 1.0
    s.content_bound_kg[0] = 10.0
    return plant, state


def case(kind: str, plant: Table, state: Table, frame: Table, wish: Table) -> Case:
    """Tables as a case; what the kernels must write first is filled with what would show."""
    rows = rows_in_use(plant[0])
    permit = records.table(records.PERMIT)
    permit[0].grant_frac[:], permit[0].rule[:], permit[0].vessel[:], permit[0].scenario[:] = 0.7, 77, 77, 77
    blobs = [packed(fields_of(table[0], rows)) for table in (state, frame, wish, permit)]
    return Case(kind, _alive_plant(plant[0], rows), *blobs)


def _alive_plant(p: Record, rows: Any) -> Any:
    from types import SimpleNamespace

    return SimpleNamespace(**fields_of(p, rows))


def small_plant(draw: Draw) -> Table:
    """One to three vessels, one to three chutes, up to two elements in series, a pump, a supply without end, causes."""
    plant = plants.empty_plant()
    p = plant[0]
    p.fresh_s, p.longest_gap_s = draw.choice([1.0, 1.5, 2.0]), draw.choice([2.0, 32.0])
    vessels = int(draw.integers(1, 4))
    for _ in range(vessels):
        v = plants.add_vessel(p, draw.uniform(60.0, 200.0), error_kg=draw.choice([0.0, 2.0]))
        row = p.vessels[v]
        row.level_error_kg[:] = draw.choice([0.0, 1.0, 2.5], 3) * draw.choice([0.0, 1.0, 1.0])
        row.weir_kg = draw.choice([NO_WEIR_KG, row.capacity_kg * 0.8])
        row.n_levels, row.has_float = draw.integers(1, 4), draw.integers(0, 2)
        row.hold_up_kg, row.psi_kg = draw.uniform(0.0, 4.0, 2)
        row.stale_s = draw.choice([2.0, 3.0, 10.0])
    shared = tuple(_element(p, draw, SHARED) for _ in range(int(draw.integers(0, 4))))
    top = plants.add_intake(p, _reach(draw, vessels), draw.uniform(0.3, 1.5), shared)
    for _ in range(int(draw.integers(1, 4))):
        plants.add_chute(p, top, _element(p, draw, OWN), draw.uniform(0.1, 0.8), draw.uniform(20.0, 40.0))
        c = p.chutes[p.n_chutes - 1]
        c.lid_pass_kg_s, c.lid_lock_s = draw.choice([0.0, 1.0, 2.0]), draw.choice([0.5, 2.0])
        c.high_kg = draw.choice([0.0, 0.5, 8.0, 12.0])
    for v in range(1, vessels):
        valve = shared[:1] if draw.random() < 0.3 else tuple(_element(p, draw, SHARED) for _ in range(v % 2))
        i = plants.add_intake(p, _reach(draw, vessels), draw.uniform(0.1, 1.0), valve)
        endless = len(valve) > 0 and draw.random() < 0.5
        plants.add_flow(p, i, _element(p, draw, OWN), draw.uniform(0.1, 1.0), source=-1 if endless else v - 1)
    plants.add_element(p, FREE, Moves(1.0, 1.0, 2.0))
    if draw.random() < 0.2:  # two alike, so that they tie
        p.vessels[1] = p.vessels[0]
        for i in range(p.n_intakes):
            p.intakes[i].reach_ratio[1] = p.intakes[i].reach_ratio[0]
    p.n_causes = draw.integers(0, 3)
    for c in range(p.n_causes):
        p.causes[c].member[: p.n_elements] = draw.random(int(p.n_elements)) < 0.4
        if draw.random() < 0.4:  # all that stands on one way
            way = p.intakes[draw.integers(p.n_intakes)]
            p.causes[c].member[way.shared[: way.n_shared]] = 1
            p.causes[c].member[[int(p.flows[f].element) for f in way.flows[: way.n_flows]]] = 1
    _draw_off(p, draw)
    return plant


def _draw_off(p: Record, draw: Draw) -> None:
    """What one fault sends on of what comes over weirs: for some intakes and causes."""
    for row in (*p.intakes[: p.n_intakes], *p.causes[: p.n_causes]):
        row.over_kg[: p.n_vessels] = draw.choice([0.0, 0.0, 3.0], int(p.n_vessels))


def _element(p: Record, draw: Draw, role: int) -> int:
    stroke_s = draw.choice([0.5, 2.0, 8.0, 20.0])
    moves = Moves(stroke_s, stroke_s * draw.uniform(0.3, 1.0), draw.choice([0.5, 2.0, 3.5]), draw.random() < 0.5)
    return plants.add_element(p, role, moves)


def _reach(draw: Draw, vessels: int) -> dict[int, float]:
    reached = {v: draw.uniform(0.5, 1.5) for v in range(vessels) if draw.random() < 0.6}
    return reached or {0: 1.0}


def arrange(p: Record, s: Record, draw: Draw) -> None:
    """A state as `observe` could have left it."""
    s.ticks = draw.choice([0, 1, 63, 64, 100])
    for e in range(p.n_elements):
        s.live_frac[e] = draw.choice(OPENINGS)
        s.envelope_frac[e] = max(s.live_frac[e], draw.choice([0.0, 0.0, draw.random(), 1.0]))
        s.proved_shut[e] = int(s.envelope_frac[e] == 0.0 and draw.random() < 0.9)
    for v in range(p.n_vessels):
        s.bound_kg[v] = min(p.vessels[v].capacity_kg * draw.choice([0.1, 0.4, 0.7, 1.0, 1.1]), p.vessels[v].weir_kg)
        s.full[v] = int(draw.random() < 0.12)
        s.phi_kg[v], s.phi_scenario[v] = draw.uniform(0.0, 100.0), 7
    for c in range(p.n_chutes):
        chute = p.chutes[c]
        s.locked_ns[c] = draw.choice([-1, 0, NOW_NS, NOW_NS])
        s.sealed[c] = int(s.locked_ns[c] >= 0 and draw.random() < 0.7)
        s.content_age_s[c] = draw.choice([0.0, 0.1, 1.5])
        delay_s = s.content_age_s[c] + p.tick_s + p.elements[chute.lid].lease_s + chute.lid_lock_s
        brim_kg = chute.capacity_kg - chute.largest_bag_kg - chute.lid_pass_kg_s * delay_s
        s.content_bound_kg[c] = draw.choice([0.0, 0.05, 2.0, max(0.0, brim_kg), draw.uniform(0.0, chute.capacity_kg)])
    s.inflow_bound_kg_s[:], s.together, s.reached[:] = 3.0, draw.integers(0, 2), 1


def remember(p: Record, s: Record, draw: Draw) -> None:
    """A state after some ticks, with its history of commands and inflows; sometimes none."""
    s.ticks = draw.choice([0, 1, 2, 5, 30, 62, 63, 64, 65, 130])
    step_ns = int(draw.choice([0.02, 0.1, 0.5, 1.0]) * NS)
    commands = draw.choice(OPENINGS, (HISTORY, records.MAX_ELEMENTS))
    if draw.random() < 0.5:
        commands[:] = 0.0
        commands[draw.random(HISTORY) < draw.choice([0.0, 0.1])] = 1.0
    s.command_frac[:] = commands
    inflow_kg = draw.choice([0.0, 0.1, 0.5], (HISTORY + 1, records.MAX_VESSELS)).cumsum(axis=0)
    for back in range(1, min(int(s.ticks), HISTORY) + 1):
        slot = (int(s.ticks) - back) % HISTORY
        s.command_ns[slot] = NOW_NS - back * step_ns
        s.inflow_kg[slot] = inflow_kg[HISTORY - back]
    s.inflow_kg[s.ticks % HISTORY] = draw.choice([0.0, 99.0])
    for v in range(p.n_vessels):
        # 15 to 20: where two errors decide whether a vote of 20 is believed.
        s.bound_kg[v] = draw.choice([0.0, 15.0, 17.5, 19.0, 19.5, 20.0, draw.uniform(0.0, p.vessels[v].capacity_kg)])
        s.blind_s[v] = draw.choice([0.0, 1.5, 2.5, 9.5])
        s.level_kg[v], s.inflow_bound_kg_s[v] = 7.0, draw.choice([0.0, 0.4, 1.3])
    for e in range(p.n_elements):
        s.envelope_frac[e] = draw.choice([0.0, 0.1, draw.random(), 1.0])
        s.live_frac[e] = s.envelope_frac[e] * draw.choice([0.0, 1.0])
        s.verified_ns[e] = _time_ns(draw)
        s.proved_shut[e] = draw.integers(0, 2)
    s.locked_ns[: p.n_chutes] = draw.choice([-1, 0, NOW_NS - NS], int(p.n_chutes))
    s.sealed[:], s.content_age_s[:] = 1, 5.0


def _time_ns(draw: Draw) -> int:
    """A moment in the past, now, not yet, or never."""
    return -1 if draw.random() < 0.1 else NOW_NS - int(draw.choice(AGES_S) * NS) + int(draw.random() < 0.3)


def see(p: Record, s: Record, f: Record, draw: Draw) -> None:
    """A frame with every field on or near one of its limits."""
    f.now_ns = NOW_NS
    f.elapsed_s = draw.choice([0.5, 0.5, 0.5, 0.0, 1.0, p.longest_gap_s, 40.0, -0.5, float("nan")])
    for v in range(p.n_vessels):
        held_kg = p.vessels[v].capacity_kg
        levels_kg = [20.0, 21.0, 30.0, held_kg, -held_kg, 2.0 * held_kg, 3.0 * held_kg, -1.0, float("nan"), np.inf]
        for i in range(records.MAX_LEVELS):
            f.level_kg[v, i] = draw.choice(levels_kg[:3] if draw.random() < 0.6 else levels_kg)
            f.level_ns[v, i] = _time_ns(draw) if draw.random() < 0.4 else NOW_NS - NS // 10
            f.level_quality[v, i] = draw.choice([0, 0, 0, 1, 2])
        f.float_on[v] = draw.choice([0, 0, 1, 2])
    for e in range(p.n_elements):
        error_frac = p.elements[e].position_error_frac
        f.position_frac[e] = draw.choice([0.0, error_frac, -error_frac, 0.3, 0.99, 1.0, 1.5, 1.6, -0.1, float("nan")])
        f.position_ns[e], f.verified_ns[e] = _time_ns(draw), _time_ns(draw)
        f.position_quality[e] = draw.choice([0, 0, 0, 1, 2])
    for c in range(p.n_chutes):
        most_kg = p.chutes[c].capacity_kg
        f.content_kg[c] = draw.choice(
            [-2.0 * most_kg, 10.0, -1.0, -most_kg, 2.0 * most_kg, 3.0 * most_kg, float("nan")]
        )
        f.content_ns[c], f.content_quality[c] = _time_ns(draw), draw.choice([0, 0, 1, 2])
        f.high_on[c], f.high_ns[c] = draw.choice([0, 0, 0, 1, 2]), _time_ns(draw)
    if draw.random() < 0.4:
        f.position_frac[:], f.position_quality[:], f.position_ns[:] = 0.0, 0, NOW_NS - NS // 10
    if draw.random() < 0.1:
        _at_the_origin(s, f, draw)


def _at_the_origin(s: Record, f: Record, draw: Draw) -> None:
    """The same in the first nanoseconds of the clock: 0 is a moment, -1 is none."""
    f.now_ns = draw.choice([0, 1, 5])
    s.command_ns[:] = np.maximum(0, f.now_ns - 1 - np.arange(HISTORY)[::-1])
    for name in ("level_ns", "position_ns", "content_ns", "high_ns", "verified_ns"):
        cells = f[name]
        cells[:] = draw.choice([-1, 0, 1, 5], cells.shape)


def ask(p: Record, f: Record, w: Record, draw: Draw) -> None:
    """A wish: mostly everything, in some order; now and then of no meaning."""
    f.execute = draw.choice([1, 1, 1, 1, 1, 1, 1, 0, 2])
    w.open_frac[:] = draw.choice([1.0, 1.0, 1.0, 1.0, 0.0, 0.5, 1.5, -0.5, float("nan")], w.open_frac.size)
    w.n_order = p.n_flows if draw.random() < 0.9 else draw.choice([-3, -1, 0, 1, p.n_flows + 3])
    w.order[: p.n_flows] = draw.permutation(int(p.n_flows))
    if draw.random() < 0.2:
        w.order[0] = draw.choice([-1, p.n_flows, 99])
        w.order[p.n_flows : p.n_flows + 3] = w.order[1:4]
    elif draw.random() < 0.2:
        w.order[p.n_flows - 1] = w.order[0]
