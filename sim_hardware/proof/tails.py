"""Obligations on one element: its closing tail bounds what really passes, in every reading of the lease.

The physics stated here is the reading of the lease that the guard needs: whatever was commanded up to now may still
be in force for a lease after now, and the command of this tick for a lease after the next one, because each of them
may be lost; only then does the element travel shut, at its slowest. A relay that is told to open goes on opening
meanwhile, as fast as it likes.

Neighbours: `prover` settles. Must not know flows or vessels.
"""

from collections.abc import Iterator
from typing import Any

import z3

from pod_controller.kernels.guard import close_everything, opened_frac
from pod_controller.kernels.terms import closing_tail_kg, still_to_pass_kg
from sim_hardware.proof.algebra import larger
from sim_hardware.proof.interpreter import Interpreter, Rec
from sim_hardware.proof.prover import Case, Obligation


class One:
    """A plant of one element with symbolic numbers; l is the largest older command that may still be in force."""

    def __init__(self, positioner: int) -> None:
        self.T, self.R, self.S, self.F, self.L = z3.Reals("T R S S_fast L")
        self.a, self.l = z3.Reals("a l")
        element = Rec(stroke_s=self.S, fast_stroke_s=self.F, lease_s=self.L, positioner=positioner)
        self.p = Rec(tick_s=self.T, elements=[element], n_elements=1, n_chutes=0)
        self.s = Rec(envelope_frac=[self.a], live_frac=[self.l], asked_frac=[0])
        self.given = [self.T > 0, self.R > 0, self.S > 0, self.F > 0, self.F <= self.S, self.L >= 0]
        self.given += [0 <= self.l, self.l <= self.a, self.a <= 1]

    def phi(self, run: Interpreter, x: Any) -> Any:
        """T R max(a, x) + B(x) by the kernel."""
        self.s.asked_frac = [x]
        return run.run(still_to_pass_kg, self.p, self.s, self.R, 0)

    def tail(self, run: Interpreter, x: Any) -> Any:
        """B(x) by the kernel."""
        return run.run(closing_tail_kg, self.R, self.p.elements[0], x, self.T)

    def closing(self, run: Interpreter) -> Any:
        """The closing move's x, by the kernel."""
        permit = Rec(grant_frac=[0], rule=[0], vessel=[0], scenario=[0])
        run.with_(measure=lambda *_: None).run(close_everything, self.p, self.s, permit)
        return self.s.asked_frac[0]


def _tail_recursion(run: Interpreter) -> Iterator[Case]:
    x = z3.Real("x")
    for positioner in (1, 0):
        o = One(positioner)
        given = [*o.given, 0 <= x, x <= 1]
        if positioner == 0:
            given.append(x + o.L / o.F <= 1)
        shut = larger(x - o.T / o.S, 0)
        claim = o.tail(run, x) >= o.T * o.R * x + o.tail(run, shut)
        yield Case("positioner" if positioner else "relay, lease shorter than its way to full open", given, [claim])


def _positioner_inflow(run: Interpreter, closing: bool) -> Iterator[Case]:
    """Older commands for a lease from now, this tick's for a lease from the next, then the slowest stroke."""
    o = One(1)
    grant, now, then = z3.Reals("grant y_now y_then")
    x = o.closing(run) if closing else run.run(opened_frac, o.p, o.s, 0, grant)
    told = o.l if closing else larger(o.l, grant)
    given = [*o.given, 0 <= grant, grant <= 1, 0 <= now, now <= o.a, 0 <= then]
    given.append(then <= larger(larger(now - o.T / o.S, 0), told))
    held = larger(then, told)
    inflow = o.T * o.R * larger(now, told) + o.R * (o.L * held + o.S / 2 * held * held)
    if closing:
        given.append(grant == 0)
    yield Case("positioner", given, [inflow <= o.phi(run, x)])


def _relay_inflow(run: Interpreter, closing: bool) -> Iterator[Case]:
    """The same for a relay: while any command to open lives it opens as fast as it likes."""
    now, then, last = z3.Reals("y_now y_then y_last")
    for old, grant in ((0, 0), (1, 0)) if closing else ((0, 0), (0, 1), (1, 0), (1, 1)):
        o = One(0)
        x = o.closing(run) if closing else run.run(opened_frac, o.p, o.s, 0, grant)
        given = [*o.given, o.l == old, 0 <= now, now <= o.a, 0 <= then, 0 <= last]
        if old or grant:
            given += [then <= 1, last <= 1]
            lease = o.R * o.L * last
        else:
            given += [then <= larger(now - o.T / o.S, 0), last == then]
            lease = 0
        inflow = o.T * o.R * larger(now, then) + lease + o.R * o.S / 2 * last * last
        yield Case(f"older command {old}, granted {grant}", given, [inflow <= o.phi(run, x)])


def _after_a_grant(run: Interpreter) -> Iterator[Case]:
    yield from _positioner_inflow(run, closing=False)
    yield from _relay_inflow(run, closing=False)


def _after_closing(run: Interpreter) -> Iterator[Case]:
    yield from _positioner_inflow(run, closing=True)
    yield from _relay_inflow(run, closing=True)


def _monotone(run: Interpreter) -> Iterator[Case]:
    x, more = z3.Reals("x more")
    for positioner in (1, 0):
        o = One(positioner)
        given = [*o.given, 0 <= x, x <= more, more <= 1]
        asked = [run.run(opened_frac, o.p, o.s, 0, frac) for frac in (x, more)]
        claims = [
            o.phi(run, x) >= 0,
            o.phi(run, x) <= o.phi(run, more),
            asked[0] <= asked[1],
            asked[0] >= o.closing(run),
        ]
        yield Case("positioner" if positioner else "relay", given, [*claims, asked[1] <= 1, asked[1] >= more])


OBLIGATIONS = [
    Obligation(
        "tail_recursion",
        "once no older command lives, each tick of closing uses up at least what it lets through: B(x) >= T R x + "
        "B(max(x - T/S, 0)); for a relay as long as x + L/S_fast <= 1, beyond which B stands still and only "
        "the two obligations that follow hold; of these only this one needs T/2S, and only for a lease "
        "shorter than a tick (a configured one has two ticks and more)",
        _tail_recursion,
    ),
    Obligation(
        "inflow_after_a_grant",
        "granted once and then told to close, with every close lost for the lease and the slowest stroke after it, "
        "an element passes at most T R max(a, x) + B(x)",
        _after_a_grant,
    ),
    Obligation(
        "inflow_after_closing",
        "the same from the closing move on, while an older command may still be in force",
        _after_closing,
    ),
    Obligation("phi_rises_with_the_opening", "phi and x rise with what is granted and are never negative", _monotone),
]
