"""Term necessity: each term of the inequality deleted from the kernels' text; who notices, by name.

The proof (an obligation that z3 refutes) and the adversary (a game that spills, played by the faulty kernels in C)
are asked one after the other, and share nothing but the list of deletions. A term whose absence neither notices is
untested. Neighbours: `proof.breakages` lists the terms, `evolve` searches, `cli_guard` prints. Must not know physics.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pod_controller.kernels.records import DESK, PLANT, Table, table
from sim_hardware.attack.campaign import group_of
from sim_hardware.attack.evolve import Search, evolve
from sim_hardware.attack.kinds import (
    BLIND,
    FROZEN,
    GAP,
    JAM,
    LIAR,
    LOST_WRITES,
    LYING_POSITION,
    MUTE,
    NONE,
    RESTART,
    WEIGHT,
    WEIGHTLESS,
    Group,
    in_words,
)
from sim_hardware.attack.play import play
from sim_hardware.attack.records import GREEDY, RUN, WORLD
from sim_hardware.attack.shapes import ANY_SHAPE, Ranges
from sim_hardware.attack.world import drawn, first_run
from sim_hardware.proof.breakages import TERMS
from sim_hardware.proof.interpreter import Breakage
from sim_hardware.proof.report import notice, prove
from sim_hardware.to_c.twin import CTwin

GAMES = 300
TICKS = 4_000
SEARCHES = 6
# Where what is left out matters most: a part that stands open, and what keeps the guard from seeing or closing.
SHARP: tuple[Group, ...] = (
    (JAM, LOST_WRITES, NONE),
    (JAM, GAP, NONE),
    (FROZEN, LOST_WRITES, NONE),
    (JAM, LOST_WRITES, LIAR),
    (JAM, BLIND, NONE),
    (JAM, RESTART, NONE),
    (JAM, WEIGHTLESS, LOST_WRITES),
    (FROZEN, LIAR, NONE),
    (LYING_POSITION, LOST_WRITES, NONE),
    (JAM, MUTE, LOST_WRITES),
    (JAM, NONE, NONE),
    (JAM, WEIGHT, NONE),
    (FROZEN, WEIGHT, NONE),
)
MANY_GATES = Ranges(inlets=(12, 16), vessels=(1, 1), first_kg=(200.0, 300.0), series=(0, 0))
RIGHT, EVERY_MODULE = 0.5, 0.9  # what `breaks` takes these shares for
SEARCH = Search(generations=4, population=10, ticks=2_500)


class Spill(NamedTuple):
    """What a game with the faulty kernels cost, played on to its end."""

    seed: int
    kg: float
    faults: str
    searched: bool


class Needed(NamedTuple):
    """One term, and who missed it."""

    term: str
    obligation: str | None
    spill: Spill | None

    def line(self) -> str:
        """As one line of the table."""
        proof = self.obligation or "-"
        if self.spill is None:
            return f"{self.term:32} proof: {proof:28} adversary: -"
        how = " (searched)" if self.spill.searched else ""
        played = f"{self.spill.kg:.3g} kg, seed {self.spill.seed}{how}: {self.spill.faults}"
        return f"{self.term:32} proof: {proof:28} adversary: {played}"


def necessity(
    terms: Sequence[Breakage] = TERMS, games: int = GAMES, say: Callable[[str], None] = lambda text: None
) -> Iterator[Needed]:
    """Every term in turn."""
    say("proving the kernels as they are ...")
    findings = prove()
    for term in terms:
        one = Needed(term.name, notice(term, findings).by, spilled(term, games))
        say(one.line())
        yield one


def spilled(
    term: Breakage, games: int = GAMES, searches: int = SEARCHES, groups: Sequence[Group] = SHARP
) -> Spill | None:
    """The first game that spills without this term; None if none of so many does, played or searched."""
    game = without(term)
    for seed in range(games):
        plant, world = sharpened(seed, groups)
        run = first_run(plant, world, TICKS)
        game(plant, table(DESK), world, run)
        if over_kg(run) > 0.0:
            return Spill(seed, _to_its_end(game, plant, world), in_words(group_of(world[0])), searched=False)
    for seed in range(searches):
        plant, world = sharpened(seed, groups)
        found = evolve(plant, world, SEARCH, game)
        if over_kg(found.run) > 0.0:
            return Spill(seed, _to_its_end(game, plant, found.world), in_words(group_of(world[0])), searched=True)
    return None


def _to_its_end(game: CTwin, plant: Table, world: Table) -> float:
    """What that game costs if it goes on after its first spill."""
    world[0].goes_on = 1
    run = first_run(plant, world, TICKS)
    game(plant, table(DESK), world, run)
    return over_kg(run)


def sharpened(seed: int, groups: Sequence[Group]) -> tuple[Table, Table]:
    """A plant and a world at all declared limits: every level read low, every element as slow and as late as it may.

    In every other round many gates open into one vessel: there what is left out of each adds up. Sensors are quick and
    the adversary always right.
    """
    many = seed // len(groups) % 2 == 1
    plant, world = drawn(seed, groups, MANY_GATES if many else ANY_SHAPE)
    p, w = plant[0], world[0]
    w.strategy, w.surprises, w.arrive_chance, w.sampled_at = GREEDY, 0, 0.001, w.steps // 2
    w.content_bias_kg[:] = -plant["chutes"]["content_error_kg"][0]
    if many:
        w.sampled_at, w.period_ticks[:], w.write_step[:] = w.steps - 2, 1, 0
        w.aim, w.reach, w.threshold, w.stops_draining = RIGHT, EVERY_MODULE, 1.0, 1
    for v in range(p.n_vessels):
        w.bias_kg[v] = -p.vessels[v].level_error_kg
    for e in range(p.n_elements):
        row = p.elements[e]
        w.open_s[e], w.close_s[e], w.lease_s[e] = row.fast_stroke_s, row.stroke_s, row.lease_s
    return plant, world


def over_kg(run: Table) -> float:
    """Over any lip, a vessel's or a chute's."""
    chute_kg = float(run[0].chute_over_kg)
    return float(run[0].spilled_kg) + (chute_kg if chute_kg > 1e-6 else 0.0)


def without(term: Breakage) -> CTwin:
    """The game, compiled from the kernels' text without this term."""

    def edit(name: str, text: str) -> str:
        return term.planted(text) if name == term.kernel else text

    return CTwin(play, [PLANT, DESK, WORLD, RUN], edit=edit)
