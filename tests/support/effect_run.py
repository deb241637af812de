"""The fast tier with the watch on effects beside it: what it would have told in a whole scenario.

Neighbours: `sim_hardware.fast_tier.tier_a`, `pod_controller.effects`.
"""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pod_controller.config import load
from pod_controller.effects.watch import Effects
from pod_controller.topology import Topology, build
from sim_hardware.fast_tier import tier_a
from sim_hardware.fast_tier.loop import run_ticks
from sim_hardware.scenarios import draw

REFERENCE = Path(str(files("sim_hardware").joinpath("reference/pod.toml")))


class Told(NamedTuple):
    """One thing told, and when."""

    at_s: float
    intake: str
    began: bool
    text: str


class Watched(NamedTuple):
    """What a run came to: everything told, and which intakes were seen to move something."""

    told: list[Told]
    moved: set[str]


def reference() -> Topology:
    """The reference pod."""
    return build(load(REFERENCE))


def watched_run(
    topology: Topology,
    scenario: str,
    seed: int,
    faults: Sequence[str] = (),
    duration_s: float | None = None,
    ticks: int = 1,
) -> Watched:
    """Play a scenario, and look once every so many ticks."""
    drawn = draw(scenario, seed, len(topology.chutes), duration_s)
    hardware, core, counts = tier_a._tables(topology, drawn, seed, "guarded", faults, tier_a.Options())
    trace = tier_a.Trace(np.zeros(8, np.int64), np.zeros((8, len(core.words)), np.int64))
    effects, last, told, moved = Effects(topology), int(counts[0].until_tick), list[Told](), set[str]()
    for tick in range(ticks, last + ticks, ticks):
        counts[0].until_tick, counts[0].traced = min(tick, last), 0
        while counts[0].tick < counts[0].until_tick:
            run_ticks(core, hardware, counts, trace)
            counts[0].traced = 0
        news = effects.look(core.frame, core.state, core.permit)
        told += [Told(float(core.frame["now_ns"][0]) * 1e-9, *item) for item in news]
        moved |= {x.intake.name for x in effects._watched if None in x.balance.findings.values()}
    return Watched(told, moved)
