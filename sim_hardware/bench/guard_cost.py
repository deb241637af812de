"""What the guard's reserve costs in room, and what load cells are worth: measured against fixed content.

The jam reserve is what one stuck inlet can still deliver: its measured content, or without a load cell the whole chute.
Two plants under a surge that never ends: a buffer of 300 kg behind 16 gates (where the first sketch of the inequality
gave 283 against 254 kg), and the reference pod at the festival, its float chain taken off, which else would hide the
guard. Neighbours: `attack.play` is the game, `policies.fixed_policy` the pod without load cells, `guard_parts` prints.
Must not know the inequality.
"""

from importlib.resources import as_file, files
from typing import NamedTuple

import numpy as np

from pod_controller.config import load
from pod_controller.kernels.records import DESK, OWN, PLANT, Record, Table, table
from pod_controller.topology import Topology, build
from sim_hardware.attack.piping import without_weirs
from sim_hardware.attack.play import play
from sim_hardware.attack.records import RUN, WORLD
from sim_hardware.attack.world import first_run, world_of
from sim_hardware.fast_tier import tier_a
from sim_hardware.guard_trial.plant_builder import (
    Draw,
    Moves,
    add_chute,
    add_element,
    add_intake,
    add_vessel,
    empty_plant,
)
from sim_hardware.to_c.twin import CTwin

SKETCH_KG = (283.0, 254.0)
CAPACITY_KG = 300.0
INLETS = 16
OPEN_AT_ONCE = 4
SEEDS = 8
TICKS = 20_000
PODS = 3
TYPICAL_SHARE = 0.5  # of a run: what came before was filling


class Side(NamedTuple):
    """One way of reckoning, over all surges.

    stroke_count: of gates, per tonne taken (the small plant); closure_count: how often a gate was shut for want of room
    (the pod).
    """

    highest_kg: float
    held_kg: float  # in the mean, once filled (the pod: in all of it, at the end)
    taken_kg: float
    stroke_count: float
    closure_count: float
    spilled_kg: float

    def line(self) -> str:
        """For a person."""
        moved = f"{self.stroke_count:.0f} strokes per t" if self.stroke_count else f"{self.closure_count:.0f} closures"
        held = f"buffer up to {self.highest_kg:.1f} kg, {self.held_kg:.1f} kg held, {self.taken_kg:.0f} kg taken"
        return f"{held}, {moved}, {self.spilled_kg:.3g} kg spilled"


def small_plant(seeds: int = SEEDS) -> tuple[Side, Side]:
    """Measured and fixed content on the buffer of 300 kg."""
    tables = [PLANT, DESK, WORLD, RUN]
    return _played(CTwin(play, tables), seeds), _played(CTwin(play, tables, edit=_fixed), seeds)


def _fixed(name: str, text: str) -> str:
    """Every chute counts as full."""
    whole = "return min(kg, p.chutes[c].capacity_kg)"
    assert name != "chute_most_kg" or whole in text, "chute_most_kg has moved on"
    return text.replace(whole, "return p.chutes[c].capacity_kg") if name == "chute_most_kg" else text


def _played(game: CTwin, seeds: int) -> Side:
    sides = []
    for seed in range(seeds):
        draw = np.random.default_rng(seed)
        plant = many_gates(draw)
        world = surge(plant, draw, seed)
        half = first_run(plant, world, int(TICKS * TYPICAL_SHARE))
        desk = table(DESK)
        game(plant, desk, world, half)
        filled = half.copy()[0]
        half[0].until = TICKS
        game(plant, desk, world, half)
        sides.append(_second_half(filled, half[0]))
    return _mean(sides)


def _second_half(filled: Record, r: Record) -> Side:
    taken_kg = float(r.passed_kg - filled.passed_kg)
    return Side(
        float(r.highest_kg[0]),
        float(r.held_sum_kg[0] - filled.held_sum_kg[0]) / float(r.tick - filled.tick),
        taken_kg,
        1000.0 * float(r.strokes - filled.strokes) / taken_kg,
        0.0,
        float(r.spilled_kg + r.chute_over_kg),
    )


def many_gates(draw: Draw) -> Table:
    """A buffer of 300 kg behind 16 gates, nothing shared behind them."""
    plant = empty_plant()
    p = plant[0]
    d = p.shedding
    d.start_kg, d.stop_kg, d.wait_s, d.run_on_s, d.open_at_once = 8.0, 0.5, 600.0, 5.0, OPEN_AT_ONCE
    d.turn_s, d.horizon_s, d.deficit_limit_kg = 60.0, 30.0, 40.0
    i = add_intake(p, {add_vessel(p, CAPACITY_KG): 1.0}, 8.0)
    for _ in range(INLETS):
        stroke_s = draw.uniform(8.0, 20.0)
        gate = add_element(p, OWN, Moves(stroke_s, stroke_s * draw.uniform(0.25, 0.6), draw.uniform(2.0, 4.0)))
        add_chute(p, i, gate, draw.uniform(0.3, 0.8), draw.uniform(35.0, 50.0))
    return plant


def surge(plant: Table, draw: Draw, seed: int) -> Table:
    """Nothing breaks, people never stop, and the buffer drains at a third of what could come."""
    world = world_of(plant, without_weirs(plant), draw, seed)
    w = world[0]
    w.steady, w.goes_on, w.drain_ticks, w.filled_frac = 1, 1, 1, 0.5
    w.bias_kg[:], w.content_bias_kg[:], w.drain_kg_s[0] = 0.0, 0.0, 1.5
    return world


def reference_pod(pods: int = PODS, duration_s: float | None = None) -> tuple[Side, Side]:
    """Measured and fixed content on the reference pod at the festival, without its float chain."""
    with as_file(files("sim_hardware").joinpath("reference", "pod.toml")) as path:
        topology = build(load(path))
    return _at_the_festival(topology, "guarded", pods, duration_s), _at_the_festival(
        topology, "fixed", pods, duration_s
    )


def _at_the_festival(topology: Topology, policy: str, pods: int, duration_s: float | None) -> Side:
    v = topology.vessels.index("buffer")
    sides = []
    for seed in range(pods):
        options = tier_a.Options(float_chain=False)
        result = tier_a.run(topology, "festival", seed, policy, duration_s=duration_s, options=options)
        found = result.figures
        highest_kg = found.vessels["buffer"].max_level_frac * float(topology.table[0].vessels[v].capacity_kg)
        closures = float(result.guard_closures)
        sides.append(Side(highest_kg, found.held_kg, found.accepted_kg, 0.0, closures, found.spilled_kg))
    return _mean(sides)


def _mean(sides: list[Side]) -> Side:
    """The highest of the highest, the sum of what was spilled, else means."""
    columns = np.array(sides)
    rows = [float(columns[:, 0].max()), *columns.mean(axis=0)[1:5].tolist(), float(columns[:, 5].sum())]
    return Side._make(rows)
