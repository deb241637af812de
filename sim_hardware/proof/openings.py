"""Obligations on term a, the most an element may be open now: sound whatever was lost, verified, unseen or restarted.

The physics stated here: commands are issued at ticks; one is in force at a time only if its successor was issued no
longer than the lease before, and, once a read-back has shown a later one, not any more. An element is never further
open than where it was when it was last known, or than what was in force since; without a command that holds it, it
closes at its slowest stroke.

Neighbours: `prover` settles. Must not know what flows.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import z3

from pod_controller.kernels.observe import bound_element
from sim_hardware.proof.algebra import both, either, larger
from sim_hardware.proof.interpreter import Interpreter, Rec
from sim_hardware.proof.prover import Case, Obligation

HISTORY = 4  # ticks remembered in the proof; the kernel's own number only makes the same loop longer


class Past:
    """A core that has run for so many ticks: an element, its last commands, a frame; times are real numbers."""

    def __init__(self, ticks: int) -> None:
        self.ticks = ticks
        kept = range(max(0, ticks - HISTORY + 1), ticks)
        self.issued = {j: z3.Real(f"t_{j}") for j in kept}
        self.told = {j: z3.Real(f"c_{j}") for j in kept}
        self.now, self.S, self.L, self.seen, self.taken, self.verified, self.verified_before = z3.Reals(
            "now S L seen taken verified verified_before"
        )
        self.error, self.quality, self.elapsed, self.fresh, self.before = z3.Reals("error quality elapsed fresh a")
        element = Rec(stroke_s=self.S, lease_s=self.L, position_error_frac=self.error)
        self.p = Rec(elements=[element], fresh_s=self.fresh)
        slots: list[Any] = [0] * HISTORY
        frac: list[Any] = [[0] for _ in range(HISTORY)]
        for j in kept:
            slots[j % HISTORY], frac[j % HISTORY] = self.issued[j], [self.told[j]]
        self.s = Rec(ticks=ticks, command_ns=slots, command_frac=frac, envelope_frac=[self.before])
        self.live_before = z3.Real("live_before")  # no command above it was in force from the tick before on
        self.s.__dict__.update(verified_ns=[self.verified_before], proved_shut=[0], live_frac=[self.live_before])
        self.f = Rec(now_ns=self.now, position_frac=[self.seen], position_ns=[self.taken])
        self.f.__dict__.update(position_quality=[self.quality], verified_ns=[self.verified])

    def given(self) -> list[Any]:
        """What every past has: ticks in order, openings between 0 and 1, a verified command no later than now."""
        times = [*self.issued.values(), self.now]
        facts = [self.S > 0, self.L >= 0, self.error >= 0, self.fresh >= 0, self.now >= 0, self.taken <= self.now]
        facts += [one < other for one, other in pairwise(times)]
        facts += [both(c >= 0, c <= 1) for c in self.told.values()] + [t >= 0 for t in self.issued.values()]
        facts += [
            0 <= self.live_before,
            self.live_before <= self.before,
            self.before <= 1,
            0 <= self.elapsed,
            self.verified <= self.now,
        ]
        if self.issued:
            last = self.issued[self.ticks - 1]
            facts += [self.elapsed * 1_000_000_000 <= self.now - last, self.verified_before <= last]
        return facts

    def may_have_driven(self, open_frac: Any, since: Any, verified: Any) -> Any:
        """True if a command that can have been in force since then goes as far as this, or an unknown one can."""
        times = [*self.issued.values(), self.now]
        found: Any = False
        for k, j in enumerate(self.issued):
            in_force = both(self.issued[j] >= verified, times[k + 1] + self.L * 1_000_000_000 >= since)
            found = either(found, both(in_force, open_frac <= self.told[j]))
        # The command before the oldest remembered: of an earlier core, or forgotten. Anything.
        oldest = times[0]
        return either(found, both(oldest > verified, oldest + self.L * 1_000_000_000 >= since))

    def run(self, run: Interpreter) -> None:
        """The kernel."""
        run.with_({"HISTORY": HISTORY}).run(bound_element, self.p, self.s, self.f, 0, self.elapsed)


def _envelope(run: Interpreter) -> Iterator[Case]:
    """Two things are known of an element: by its feedback, if that is good, and by where it was at the tick before."""
    for ticks in (1, 2, HISTORY + 2):
        past = Past(ticks)
        open_now, known, was = z3.Reals("y_now y_taken y_before")
        given = [*past.given(), *(both(y >= 0, y <= 1) for y in (open_now, known, was))]
        given.append(known <= past.seen + past.error)
        # What a frame showed as verified was in force by that frame; of an earlier moment nothing is known.
        in_force = z3.If(past.taken >= past.issued[ticks - 1], past.verified_before, -1)
        since_taken = past.may_have_driven(open_now, past.taken, in_force)
        given.append(z3.Implies(past.quality == 0, z3.Or(open_now <= known, since_taken)))
        since_tick = past.may_have_driven(open_now, past.issued[ticks - 1], past.verified_before)
        closed = z3.Or(open_now <= was - past.elapsed / past.S, open_now == 0)
        # Obligation `live_commands_sound` of the tick before; the command of that tick itself came after it.
        by_then = z3.Or(open_now <= past.live_before, open_now <= past.told[ticks - 1])
        given += [was <= past.before, z3.Or(closed, since_tick), z3.Or(closed, by_then)]
        past.run(run)
        claims = [past.s.envelope_frac[0] >= open_now, past.s.envelope_frac[0] <= 1, past.s.live_frac[0] >= 0]
        claims += [
            past.s.live_frac[0] <= past.s.envelope_frac[0],
            z3.Implies(past.s.proved_shut[0] != 0, open_now == 0),
        ]
        for quality in (0, 2):
            yield Case(f"after {ticks} ticks, position of quality {quality}", [*given, past.quality == quality], claims)


def _live(run: Interpreter) -> Iterator[Case]:
    """What may still be in force from now on is in live_frac."""
    for ticks in (1, 2, HISTORY + 2):
        past = Past(ticks)
        told = z3.Real("told")
        verified = larger(past.verified, past.verified_before)
        given = [*past.given(), 0 <= told, told <= 1, past.may_have_driven(told, past.now, verified)]
        past.run(run)
        yield Case(f"after {ticks} ticks", given, [past.s.live_frac[0] >= told])


def _restart(run: Interpreter) -> Iterator[Case]:
    for seen in (True, False):
        past = Past(0)
        given = [*past.given(), past.quality == (0 if seen else 2), past.verified < 0]
        past.run(run)
        claims = [past.s.envelope_frac[0] == 1, past.s.live_frac[0] == 1, past.s.proved_shut[0] == 0]
        yield Case("first tick", given, claims)


OBLIGATIONS = [
    Obligation("envelope_sound", "no element is further open than a, and one proved shut is shut", _envelope),
    Obligation("live_commands_sound", "no command above live_frac can still be in force", _live),
    Obligation("restart", "a core that has just started takes every element for fully open", _restart),
]
