"""Obligations on what the guard grants: nothing that does not fit, never more than wished, and the same in one go.

Phi itself is a symbol here (`tails` and `intakes` prove what it bounds and that it rises with every opening).

Neighbours: `prover` settles. Must not know what Phi is made of.
"""

from collections.abc import Iterator
from typing import Any

import z3

from pod_controller.kernels.guard import (
    accept,
    everything_fits,
    fitting_frac,
    guard,
    holdable_frac,
    offended,
    raise_element,
    raise_everything,
    raise_flow,
    raise_shared,
)
from pod_controller.kernels.ways import full_below, leads_to
from sim_hardware.proof.algebra import Value, both, either, negated
from sim_hardware.proof.interpreter import Interpreter, Rec
from sim_hardware.proof.prover import Case, Obligation

VESSELS = 3
HALVINGS = 3


def _vessels(run: Interpreter) -> tuple[Rec, Rec, list[Any], Interpreter]:
    """Three vessels with Phi before (phi) and under test (trial), and a stand-in for which of them e leads to."""
    C, phi, trial, leads = ([z3.Real(f"{x}_{v}") for v in range(VESSELS)] for x in ("C", "phi", "trial", "leads"))
    p = Rec(n_vessels=VESSELS, vessels=[Rec(capacity_kg=c) for c in C])
    s = Rec(phi_kg=phi, trial_kg=trial, trial_scenario=[0] * VESSELS, phi_scenario=[0] * VESSELS)
    return p, s, [x != 0 for x in leads], run.with_(leads_to=lambda _w, _p, _s, _e, v: leads[v] != 0)


def _offended(run: Interpreter) -> Iterator[Case]:
    p, s, leads, stand_in = _vessels(run)
    worst = stand_in.run(offended, p, s, 0)
    fits = [s.trial_kg[v] <= p.vessels[v].capacity_kg for v in range(VESSELS)]
    for v in range(VESSELS):
        keeps = z3.Implies(s.phi_kg[v] <= p.vessels[v].capacity_kg, fits[v])
        claims = [z3.Implies(leads[v], fits[v]), keeps, z3.Or(fits[v], s.trial_kg[v] <= s.phi_kg[v])]
        yield Case(f"vessel {v}", [worst < 0], claims)
    yield Case("all fit", fits, [worst == -1])
    together = run.run(everything_fits, p, s)
    yield Case("everything fits", [together], fits)
    yield Case("everything is seen to fit", fits, [together])
    run.run(accept, p, s)
    yield Case("accepted", [], [s.phi_kg[v] == s.trial_kg[v] for v in range(VESSELS)])


def _graph(run: Interpreter) -> Iterator[Case]:
    """leads_to and full_below: own element, shared element, lid; by an intake that reaches the vessel or leads on.

    Two intakes, the second from vessel 0; what it passes now in its worst scenario and for a cause are symbols.
    """
    reach = [[z3.Real(f"reach_{i}_{v}") for v in range(2)] for i in range(2)]
    full, worst, caused = z3.Reals("full worst caused")
    intakes = [Rec(reach_ratio=reach[i], n_shared=1, shared=[4 + i]) for i in range(2)]
    flows = [Rec(element=i, intake=i, chute=-i, source=i - 1) for i in range(2)]
    p = Rec(n_flows=2, flows=flows, n_intakes=2, intakes=intakes, chutes=[Rec(lid=2)], n_vessels=2, n_causes=1)
    positive = [x >= 0 for row in reach for x in row]
    goes_on = z3.And(reach[0][0] > 0, z3.Or(worst > 0, caused > 0), reach[1][1] > 0)
    for e, i in ((0, 0), (2, 0), (4, 0), (1, 1), (5, 1)):
        s = Rec(reached=[1, 1], intake_worst_kg=[0, worst], intake_cause_kg=[[0], [caused]])
        found = run.run(leads_to, p, s, e, 1)
        by = z3.Or(reach[0][1] > 0, goes_on) if i == 0 else reach[1][1] > 0
        yield Case(f"element {e}", positive, [found == by])
    for i in range(2):
        below = run.run(full_below, Rec(n_vessels=1, intakes=intakes), Rec(full=[full]), i)
        yield Case(f"intake {i}", positive, [(below >= 0) == z3.And(full != 0, reach[i][0] > 0)])


class Asking:
    """One element asked of a guard for which everything up to a symbolic opening fits."""

    def __init__(self, run: Interpreter, positioner: int, together: int) -> None:
        self.wish, self.limit, self.kept, self.shut = z3.Reals("wish limit kept shut")
        self.tested: list[Value] = [self.kept]
        self.p = Rec(elements=[Rec(positioner=positioner)])
        self.s = Rec(asked_frac=[self.kept], together=together, trial_scenario=[0])
        self.g = Rec(grant_frac=[0], rule=[0], vessel=[-1], scenario=[-1])
        self.given = [0 <= self.shut, self.shut <= 1, self.kept == self.shut, 0 < self.wish, self.wish <= 1]
        self.run = run.with_(
            {"BISECTIONS": HALVINGS},
            offended_by=self._offended,
            opened_frac=lambda _w, _p, _s, _e, g: self.opened(g),
            measure=lambda *_: None,
            weigh=lambda *_: None,
            accept=lambda *_: None,
            refuse=lambda *_: None,
        )

    def opened(self, grant: Any) -> Any:
        """A stand-in for x: rises with the grant, from where closing leaves the element."""
        return z3.If(grant > self.shut, grant, self.shut)

    def _offended(self, where: Value, _p: Rec, s: Rec, e: int, open_frac: Value) -> Value:
        s.asked_frac[e] = z3.If(where, open_frac, s.asked_frac[e]) if where is not True else open_frac
        return z3.If(open_frac <= self.limit, z3.RealVal(-1), z3.RealVal(0))


def _fitting(run: Interpreter) -> Iterator[Case]:
    for positioner in (0, 1):
        ask = Asking(run, positioner, 0)
        got = ask.run.run(fitting_frac, ask.p, ask.s, ask.g, 0, ask.wish)
        claims = [got >= 0, got <= ask.wish, z3.Implies(got > 0, ask.opened(got) <= ask.limit)]
        claims += [ask.s.asked_frac[0] == z3.If(got > 0, ask.opened(got), ask.kept)]
        claims += [z3.Implies(ask.opened(ask.wish) <= ask.limit, got == ask.wish)]
        if not positioner:
            claims.append(z3.Or(got == 0, got == ask.wish))
        yield Case("positioner" if positioner else "relay", ask.given, claims)


def _in_one_go(run: Interpreter) -> Iterator[Case]:
    """Where the wish fits, one element at a time gives what all together gives."""
    for positioner in (0, 1):
        alone, together = (Asking(run, positioner, mode) for mode in (0, 1))
        got = [ask.run.run(raise_element, ask.p, ask.s, ask.g, 0, ask.wish) for ask in (alone, together)]
        fits = alone.opened(alone.wish) <= alone.limit
        claims: list[Any] = [got[0] == got[1], alone.s.asked_frac[0] == together.s.asked_frac[0]]
        claims += [alone.g.grant_frac[0] == together.g.grant_frac[0], together.g.grant_frac[0] == together.wish]
        yield Case(
            "positioner" if positioner else "relay",
            [*alone.given, fits],
            [*claims, alone.g.rule[0] == together.g.rule[0]],
        )


def _shared_refused(run: Interpreter) -> Iterator[Case]:
    """A full vessel keeps everything that leads to it shut, shared elements too; nothing is asked above its wish."""
    full, wish = z3.Reals("full_below wish")
    asked: list[Value] = [False]
    most: list[Value] = []

    def raised(where: Value, *arguments: Value) -> Value:
        asked[0] = either(asked[0], where)
        most.append(arguments[-1])
        return True

    p = Rec(
        intakes=[Rec(n_shared=1, shared=[0])], elements=[Rec(positioner=1)], flows=[Rec(element=0, chute=-1, intake=0)]
    )
    stand_in = run.with_(full_below=lambda *_: full, raise_element=raised)
    s, given = Rec(trial_scenario=[0]), [z3.Or(full == -1, full >= 0)]
    for kernel in (raise_shared, raise_flow):
        asked[0] = False
        g = Rec(grant_frac=[0], rule=[0], vessel=[0], scenario=[0])
        stand_in.run(kernel, p, s, Rec(open_frac=[wish]), g, 0)
        stand_in = stand_in.with_(raise_shared=lambda *_: None)
        yield Case("asked", [*given, asked[0]], [full == -1, wish > 0, most[-1] <= wish, most[-1] <= 1])
    relay = Rec(elements=[Rec(positioner=0)])
    held = run.run(holdable_frac, relay, Rec(rule=[0]), 0, wish)
    yield Case("a relay holds all or nothing", [], [held == z3.If(wish >= 1, 1.0, 0.0)])


def _whole(run: Interpreter) -> Iterator[Case]:
    """The guard: closes everything first, keeps what fits together, else starts again from the closing move."""
    fits, execute = z3.Bool("fits"), z3.Real("execute")
    done: list[tuple[str, Value]] = []

    def noted(name: str, answer: Value = None) -> Any:
        def stand_in(where: Value, *_: Value) -> Value:
            done.append((name, where))
            return answer

        return stand_in

    names = ("close_everything", "measure", "weigh", "accept", "raise_everything")
    stand_ins = {name: noted(name) for name in names} | {"everything_fits": noted("fits", fits)}
    p, s = Rec(n_elements=0), Rec(together=0)
    run.with_(None, **stand_ins).run(guard, p, s, Rec(execute=execute), Rec(), Rec())
    raises = [where for name, where in done if name == "raise_everything"]
    closes = [where for name, where in done if name == "close_everything"]
    accepts = [where for name, where in done if name == "accept"]
    closes, raises = ([*found, False, False] for found in (closes, raises))
    claims = [closes[0], closes[1] == z3.And(execute == 1, z3.Not(fits)), closes[1] == raises[1]]
    claims += [negated(both(raises[0], execute != 1)), accepts[0] == (execute != 1), z3.Or(*accepts)]
    yield Case("any wish", [], claims)
    yield Case("what mode", [execute == 1], [s.together == z3.If(fits, 1, 0)])


def _order(run: Interpreter) -> Iterator[Case]:
    """Gates before lids: a lid is judged by what its gate has been granted in the same tick."""
    done: list[tuple[str, Value]] = []
    names = ("raise_flow", "raise_shared", "raise_lid")
    noted = {name: lambda *given, name=name: done.append((name, given[-1])) for name in names}
    p = Rec(n_flows=2, n_intakes=1, n_chutes=2)
    run.with_(None, **noted).run(raise_everything, p, Rec(), Rec(n_order=9, order=[1, 0]), Rec())
    wanted = [("raise_flow", 1), ("raise_flow", 0), ("raise_shared", 0), ("raise_lid", 0), ("raise_lid", 1)]
    yield Case("two chutes", [], [done == wanted])


OBLIGATIONS = [
    Obligation("grant_fits", "what offends no vessel fits every vessel that it leads to and puts none over", _offended),
    Obligation(
        "leads_to",
        "own and shared elements and lids lead where their intake reaches, and on through what may pass now",
        _graph,
    ),
    Obligation(
        "grant_within_the_wish", "a grant has itself been tested, is within the wish, and is left under test", _fitting
    ),
    Obligation(
        "together_is_one_by_one", "where everything fits together the one-by-one result is the same", _in_one_go
    ),
    Obligation("full_keeps_its_ancestors_shut", "nothing that leads to a full vessel is opened", _shared_refused),
    Obligation("gates_before_lids", "flows in the order asked, then what they share, then lids", _order),
    Obligation("closing_move_first", "every grant starts from the closing move", _whole),
]
