"""The adversary that optimises: a cross-entropy search over a world and an attack for the least room at any lip.

Genes stand for arrivals (when chutes are emptied, how bags fall, when hold-up arrives, how drains and pumps rest), for
what is true inside the declared limits (errors, strokes, leases, moments of writing and sampling), and for the attack
(patience, delay, aim, size of a lie, how long, how often). Each generation is drawn around the best of the one before;
the score is the least margin that a game left, a spill being a negative one.

Neighbours: `play` judges each game, `campaign` counts. Must not know how the guard decides.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pod_controller.kernels.records import DESK, Table, table
from sim_hardware.attack.play import play
from sim_hardware.attack.records import EVOLVED
from sim_hardware.attack.world import first_run

Genes = npt.NDArray[np.float64]
Game = Callable[[Table, Table, Table, Table], None]

GENES = 28
KEPT_SHARE = 0.25
LEARNING = 0.7


class Search(NamedTuple):
    """How far a search goes."""

    generations: int = 5
    population: int = 12
    ticks: int = 3000


SEARCH = Search()


class Evolved(NamedTuple):
    """The worst run found, and what finding it took."""

    run: Table
    world: Table
    plant_steps: int
    strikes: int
    first_margin_kg: float  # the best of the first generation, to see what searching was worth


def evolve(plant: Table, world: Table, search: Search = SEARCH, game: Game = play) -> Evolved:
    """Search around this world on this plant; ends with the first spill. game: the compiled play, or a twin of it."""
    draw = np.random.default_rng(int(world[0].seed))
    middle, spread = np.full(GENES, 0.5), np.full(GENES, 0.35)
    best: tuple[float, Table, Table] | None = None
    plant_steps = strikes = 0
    first_margin_kg = float("inf")
    for generation in range(search.generations):
        scored = []
        for _ in range(search.population):
            genes = np.clip(draw.normal(middle, spread), 0.0, 1.0)
            tried = decoded(genes, plant, world)
            run = first_run(plant, tried, search.ticks)
            game(plant, table(DESK), tried, run)
            r = run[0]
            plant_steps, strikes = plant_steps + int(r.plant_steps), strikes + int(r.strikes)
            margin_kg = float(r.least_margin_kg) - float(r.chute_over_kg)
            scored.append((margin_kg, genes))
            if best is None or margin_kg < best[0]:
                best = margin_kg, tried, run
            if r.spilled_kg > 0.0:
                break
        first_margin_kg = best[0] if generation == 0 and best is not None else first_margin_kg
        if best is not None and best[0] < 0.0:
            break
        scored.sort(key=lambda pair: pair[0])
        kept = np.array([genes for _, genes in scored[: max(2, int(KEPT_SHARE * search.population))]])
        middle = (1.0 - LEARNING) * middle + LEARNING * kept.mean(axis=0)
        spread = (1.0 - LEARNING) * spread + LEARNING * kept.std(axis=0) + 0.02
    assert best is not None
    return Evolved(best[2], best[1], plant_steps, strikes, first_margin_kg)


def decoded(genes: Genes, plant: Table, world: Table) -> Table:
    """The world that these genes stand for, within what is declared; 1 is the limit."""
    p, tried = plant[0], world.copy()
    w = tried[0]
    g = iter(genes.tolist())
    w.strategy = EVOLVED
    w.threshold, w.delay_ticks = 0.5 + 0.55 * next(g), int(6 * next(g))
    w.aim, w.lie, w.reach = next(g), next(g), next(g)
    w.lead_ticks = int(max(0.0, 500 * next(g) - 200))
    w.target = min(p.n_vessels - 1, int((p.n_vessels + 1) * next(g)) - 1)
    w.episode_ticks, w.rest_ticks, w.gap_ticks = 20 + int(400 * next(g)), 20 + int(600 * next(g)), 2 + int(88 * next(g))
    w.pretends, w.surprises = int(next(g) > 0.5), int(next(g) > 0.7)
    w.fill_from_frac, w.fill_to_frac = 0.2 + 0.7 * next(g), 0.02 + 0.15 * next(g)
    w.bag_chance, w.arrive_chance = 0.2 * next(g) ** 2, 0.2 * next(g) ** 2
    w.drain_ticks, w.pump_ticks = 20 + int(800 * next(g)), 20 + int(800 * next(g))
    drain_kg_s, w.filled_frac, w.surge_ticks = (
        10.0 ** (-1.5 + 1.8 * next(g)),
        next(g),
        int(max(0.0, 500 * next(g) - 100)),
    )
    low, close, lease, opening, write, sampled, weight = (next(g) for _ in range(7))
    for v in range(p.n_vessels):
        w.drain_kg_s[v] = drain_kg_s if w.drain_kg_s[v] > 0.0 else 0.0
        w.bias_kg[v] = -p.vessels[v].level_error_kg * (2.0 * min(1.0, 1.2 * low) - 1.0)
    for e in range(p.n_elements):
        row = p.elements[e]
        w.close_s[e], w.lease_s[e] = row.stroke_s * _towards(close, 0.7), row.lease_s * _towards(lease, 0.7)
        w.open_s[e] = row.fast_stroke_s / _towards(opening, 0.7)
        w.write_step[e] = int(0.999 * write * w.steps)
    w.sampled_at = w.steps // 2 + int(0.499 * sampled * w.steps)
    for c in range(p.n_chutes):
        w.content_bias_kg[c] = -p.chutes[c].content_error_kg * (2.0 * min(1.0, 1.2 * weight) - 1.0)
    return tried


def _towards(gene_frac: float, least_frac: float) -> float:
    """From the least to 1, and 1 for a good part of the genes: limits are where it is worst."""
    return min(1.0, least_frac + (1.0 - least_frac) * 1.4 * gene_frac)
