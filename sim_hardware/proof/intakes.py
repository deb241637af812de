"""Obligations on sums: series elements, one stuck anywhere, common causes, sources, chains with weirs, dead reckoning.

The physics stated here: mass passes an intake only through one of its flows and through everything they share; a
healthy element passes no more than its own phi (proved in `tails`), a stuck one no more than its source delivers; a
weir keeps a vessel at or below its own level and what goes over it is in the next vessel.

Neighbours: `prover` settles. Must not know how an element moves.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import z3

from pod_controller.kernels.commit import commit, passing_kg_s
from pod_controller.kernels.terms import measure, stuck_kg, weigh, weigh_intake, weigh_vessel
from sim_hardware.proof.algebra import both, larger, smaller
from sim_hardware.proof.interpreter import Interpreter, Rec
from sim_hardware.proof.prover import Case, Obligation

SIZES = [(flows, shared) for flows in (2, 3, 4) for shared in (0, 1, 2)]
NOT_A_LIMIT = 10**30


class Throat:
    """One intake: flows 0..n-1 with elements of the same number, shared elements after them, one common cause."""

    def __init__(self, flows: int, shared: int, mark: str = "") -> None:
        self.flows, self.shared = flows, shared
        self.phi = [z3.Real(f"phi_{f}{mark}") for f in range(flows)]
        self.cap = [z3.Real(f"cap_{k}{mark}") for k in range(shared)]
        self.h = [z3.Real(f"h_{f}{mark}") for f in range(flows)]
        self.member = [z3.Real(f"member_{e}") for e in range(flows + shared)]
        intake = Rec(n_flows=flows, flows=list(range(flows)), n_shared=shared, shared_rate_kg_s=z3.Real("R_shared"))
        intake.__dict__.update(shared=[flows + k for k in range(shared)], reach_ratio=[1])
        rows = [Rec(element=f, rate_kg_s=z3.Real(f"R_{f}"), intake=0) for f in range(flows)]
        self.p = Rec(n_causes=1, causes=[Rec(member=self.member)], intakes=[intake], flows=rows, n_intakes=1)
        self.s = Rec(flow_kg=self.phi, shared_kg=[self.cap], intake_cause_kg=[[0]], intake_kg=[0], intake_worst_kg=[0])
        self.given = [both(x >= 0, x <= NOT_A_LIMIT / 100) for x in (*self.phi, *self.cap, *self.h)]

    def run(self, run: Interpreter) -> None:
        """The kernel; what a stuck flow delivers is h."""
        run.with_(stuck_kg=lambda _where, _p, _s, f: self.h[f]).run(weigh_intake, self.p, self.s, 0)

    def passes(self, total: Any, stuck: Sequence[Any]) -> list[Any]:
        """Facts: the total that passes, with these elements stuck open (a truth for each element)."""
        q = [z3.Real(f"q_{f}") for f in range(self.flows)]
        facts = [
            both(one >= 0, one <= z3.If(stuck[f], larger(self.phi[f], self.h[f]), self.phi[f]))
            for f, one in enumerate(q)
        ]
        facts += [z3.Or(stuck[self.flows + k], total <= cap) for k, cap in enumerate(self.cap)]
        return [*facts, total >= 0, total <= z3.Sum(q)]


def _series(run: Interpreter) -> Iterator[Case]:
    for flows, shared in SIZES:
        throat = Throat(flows, shared)
        throat.run(run)
        total, which = z3.Reals("total which")
        alone = [which == e for e in range(flows + shared)]
        given = [*throat.given, *throat.passes(total, alone)]
        claims = [z3.Or(which >= 0, total <= throat.s.intake_kg[0]), total <= throat.s.intake_worst_kg[0]]
        yield Case(
            f"{flows} flows, {shared} shared", given, [*claims, throat.s.intake_worst_kg[0] >= throat.s.intake_kg[0]]
        )


def _cause(run: Interpreter) -> Iterator[Case]:
    for flows, shared in SIZES:
        throat = Throat(flows, shared)
        throat.run(run)
        total = z3.Real("total")
        given = [*throat.given, *throat.passes(total, [m != 0 for m in throat.member])]
        yield Case(f"{flows} flows, {shared} shared", given, [total <= throat.s.intake_cause_kg[0][0]])


def _vessel(run: Interpreter) -> Iterator[Case]:
    """Three intakes, of which two reach the vessel; one fault anywhere, or one common cause, and what it draws off."""
    U, M, Psi, C = z3.Reals("U M Psi C")
    reach = [z3.Real("reach_0"), 0, z3.Real("reach_2")]
    phi, worst, caused = ([z3.Real(f"{name}_{i}") for i in range(3)] for name in ("healthy", "worst", "caused"))
    come, over = ([z3.Real(f"{name}_{i}") for i in range(3)] for name in ("come", "over"))
    drawn, over_caused = z3.Reals("drawn over_caused")  # of what comes over weirs by itself
    vessel = Rec(capacity_kg=C, hold_up_kg=M, psi_kg=Psi)
    intakes = [Rec(reach_ratio=[r], over_kg=[o]) for r, o in zip(reach, over, strict=True)]
    p = Rec(n_causes=1, causes=[Rec(over_kg=[over_caused])], n_intakes=3, vessels=[vessel], intakes=intakes)
    s = Rec(bound_kg=[U], caused_kg=[0], intake_kg=phi, intake_worst_kg=worst, trial_kg=[0], trial_scenario=[0])
    s.__dict__.update(intake_cause_kg=[[x] for x in caused])
    run.run(weigh_vessel, p, s, 0)
    arrives = U + M + Psi + reach[0] * come[0] + reach[2] * come[2] + drawn
    given = [U >= 0, M >= 0, Psi >= 0, reach[0] >= 0, reach[2] >= 0, drawn >= 0, over_caused >= 0]
    given += [both(over[1] == 0, z3.And(over[i] >= 0, z3.Or(over[i] == 0, reach[i] > 0))) for i in (0, 2)]
    given += [both(both(a >= 0, a <= b), c >= 0) for a, b, c in zip(phi, worst, caused, strict=True)]
    faulty = z3.Real("faulty")
    one = [come[i] <= z3.If(faulty == i, worst[i], phi[i]) for i in range(3)]
    one.append(drawn <= z3.If(faulty == 0, over[0], z3.If(faulty == 2, over[2], 0)))
    together = [*(come[i] <= caused[i] for i in range(3)), drawn <= over_caused]
    yield Case("one fault", [*given, *one], [arrives <= s.trial_kg[0]])
    yield Case("a common cause", [*given, *together], [arrives <= s.trial_kg[0]])


def _source(run: Interpreter) -> Iterator[Case]:
    """A stuck pump empties its source: content, hold-up, what comes over weirs, and what the inlets above let in."""
    for full in (0, 1):
        U, M, Psi, C, W, reach = z3.Reals("U M Psi C weir reach")
        worst, caused, content, arriving, came = z3.Reals("worst caused content arriving came")
        over, drawn = z3.Reals("over drawn")
        intakes = [Rec(reach_ratio=[reach], over_kg=[over])]
        p = Rec(n_causes=1, flows=[Rec(chute=-1, source=0, intake=1)], n_intakes=1, intakes=intakes)
        p.vessels = [Rec(capacity_kg=C, weir_kg=W, hold_up_kg=M, psi_kg=Psi)]
        s = Rec(full=[full], bound_kg=[U], intake_worst_kg=[worst], intake_cause_kg=[[caused]])
        given = [
            0 <= content,
            content <= W,
            z3.Or(reach == 0, content <= U),
            content <= C,
            U <= C,
            arriving <= M + Psi,
            reach >= 0,
            came >= 0,
        ]
        given += [M >= 0, Psi >= 0, z3.Or(came <= worst, came <= caused), 0 <= drawn, drawn <= over]
        given.append(z3.Or(over == 0, reach > 0))
        sent = content + arriving + reach * came + drawn
        yield Case("full" if full else "bounded", given, [sent <= run.run(stuck_kg, p, s, 0)])


def _chain(run: Interpreter) -> Iterator[Case]:
    """Feed into a vessel at its weir, over it into a sump and on into a store; a pump sends part to a bin: until still.

    What is on its way into the first (M) comes over both weirs, or a stuck pump draws it off: over_kg, as
    `topology_weirs` fills it. The sump is at or below its own weir by the assumption that overflows run free.
    """
    U, W, content, after, trial, M = ([z3.Real(f"{x}_{v}") for v in range(4)] for x in ("U", "W", "m", "end", "r", "M"))
    feed, pump, over, over_sump, share = z3.Reals("feed pump over over_sump share")
    for stuck in ("nothing", "feed", "pump"):
        weirs = [W[0], W[1], NOT_A_LIMIT, NOT_A_LIMIT]
        hold_up = [M[0], M[1], M[2] + M[1] + M[0], M[3]]
        vessels = [Rec(capacity_kg=NOT_A_LIMIT, weir_kg=weirs[v], hold_up_kg=hold_up[v], psi_kg=0) for v in range(4)]
        intakes = [Rec(n_flows=1, flows=[i], n_shared=0, shared=[], over_kg=[0, 0, 0, 0]) for i in range(2)]
        intakes[0].reach_ratio, intakes[1].reach_ratio = [1, 1, 1, 0], [0, 0, 1, share]
        intakes[1].over_kg = [0, 0, 0, share * M[0]]
        flows = [Rec(element=i, chute=-i, source=1, intake=i) for i in range(2)]
        phi, h = [z3.Real("phi_feed"), z3.Real("phi_pump")], z3.Real("h_feed")
        p = Rec(n_causes=0, n_intakes=2, n_vessels=4, vessels=vessels, intakes=intakes, flows=flows)
        s = Rec(flow_kg=phi, shared_kg=[[], []], intake_cause_kg=[[], []], intake_kg=[0, 0], intake_worst_kg=[0, 0])
        s.__dict__.update(bound_kg=U, full=[0] * 4, caused_kg=[], trial_kg=trial, trial_scenario=[0] * 4)
        run.with_(chute_most_kg=lambda *_, most=h: most).run(weigh, p, s)
        given = [both(x >= 0, x <= 10**9) for x in (*U, *W, *content, *phi, *M, h, feed, pump, over, over_sump)]
        given += [content[v] <= smaller(U[v], weirs[v]) for v in range(4)]
        given += [0 <= share, share <= 1, feed <= (larger(phi[0], h) if stuck == "feed" else phi[0])]
        given += [pump <= (content[1] + M[1] + over if stuck == "pump" else phi[1])]
        given += [over <= larger(0, content[0] + M[0] + feed - W[0]), over_sump <= over + M[1]]
        given += [pump + over_sump <= content[1] + M[1] + over]
        given += [after[0] == content[0] + M[0] + feed - over, after[2] == content[2] + M[2] + pump + over_sump]
        given += [after[3] == content[3] + M[3] + share * pump]
        yield Case(f"{stuck} stuck", given, [after[v] <= s.trial_kg[v] for v in (0, 2, 3)])


def _circle(run: Interpreter) -> Iterator[Case]:
    """A chute into a buffer, a lone pump from it into a tank, and back behind two elements: until all is still.

    Weighed where the circle is cut, at the way back: mass may go round, but never more often than that way lets it.
    """
    U, content, trial, M = ([z3.Real(f"{x}_{v}") for v in range(2)] for x in ("U", "m", "r", "M"))
    top, feed, back = z3.Reals("top feed back")
    for stuck in ("nothing", "gate", "feed", "back", "valve"):
        vessels = [Rec(capacity_kg=NOT_A_LIMIT, weir_kg=NOT_A_LIMIT, hold_up_kg=M[v], psi_kg=0) for v in range(2)]
        intakes = [Rec(n_flows=1, flows=[i], n_shared=0, shared=[], over_kg=[0, 0]) for i in range(3)]
        for i, reach in enumerate(([1, 0], [1, 0], [0, 1])):
            intakes[i].reach_ratio = reach
        intakes[1].n_shared, intakes[1].shared = 1, [3]
        flows = [Rec(element=i, chute=0 if i == 0 else -1, source=(-1, 1, 0)[i], intake=i) for i in range(3)]
        phi, valve, h = [z3.Real(f"phi_{i}") for i in range(3)], z3.Real("phi_valve"), z3.Real("h_gate")
        p = Rec(n_causes=0, n_intakes=3, n_vessels=2, vessels=vessels, intakes=intakes, flows=flows)
        s = Rec(flow_kg=phi, shared_kg=[[], [valve], []], intake_cause_kg=[[]] * 3, intake_kg=[0] * 3)
        s.__dict__.update(intake_worst_kg=[0] * 3, bound_kg=U, full=[0, 0], caused_kg=[], trial_kg=trial)
        s.trial_scenario = [0, 0]
        run.with_(chute_most_kg=lambda *_, most=h: most).run(weigh, p, s)
        given = [both(x >= 0, x <= 10**9) for x in (*U, *content, *phi, *M, valve, h, top, feed, back)]
        given += [content[v] <= U[v] for v in range(2)]
        given += [top <= (larger(phi[0], h) if stuck == "gate" else phi[0])]
        given += [feed <= (content[0] + M[0] + top + back if stuck == "feed" else phi[2])]
        given += [stuck == "back" or back <= phi[1], stuck == "valve" or back <= valve]
        most = [content[0] + M[0] + top + back, content[1] + M[1] + feed]
        yield Case(f"{stuck} stuck", given, [most[v] <= s.trial_kg[v] for v in range(2)])


def _passing(run: Interpreter) -> Iterator[Case]:
    """Mean flow over a tick (time counted in ticks), each element as far open as it can be, one or one cause stuck."""
    for flows, shared in ((2, 0), (2, 1), (2, 2)):
        throat = Throat(flows, shared)
        count = flows + shared
        a, x = ([z3.Real(f"{name}_{e}") for e in range(count)] for name in ("a", "x"))
        throat.p.tick_s = 1
        throat.s.__dict__.update(envelope_frac=a, asked_frac=x, caused_kg_s=[0])
        bound = run.run(passing_kg_s, throat.p, throat.s, 0)
        rates = [throat.p.flows[f].rate_kg_s for f in range(flows)] + [throat.p.intakes[0].shared_rate_kg_s] * shared
        healthy = [rates[e] * larger(a[e], x[e]) for e in range(count)]
        total, which = z3.Reals("total which")
        q = [z3.Real(f"q_{f}") for f in range(flows)]
        given = [*throat.given, *(both(r >= 0, r <= 1000) for r in rates), total >= 0, total <= z3.Sum(q)]
        given += [z3.And(0 <= a[e], a[e] <= 1, 0 <= x[e], x[e] <= 1) for e in range(count)]
        for kind, stuck in (
            ("one stuck", [which == e for e in range(count)]),
            ("a cause", [m != 0 for m in throat.member]),
        ):
            facts = [both(q[f] >= 0, q[f] <= z3.If(stuck[f], rates[f], healthy[f])) for f in range(flows)]
            facts += [z3.Or(stuck[e], total <= healthy[e]) for e in range(flows, count)]
            yield Case(f"{flows} flows, {shared} shared, {kind}", [*given, *facts], [total <= bound])


def _reckoned(run: Interpreter) -> Iterator[Case]:
    """The bound for a vessel is the sum over its intakes, and what was granted is remembered."""
    rates, reach, g = ([z3.Real(f"{name}_{i}") for i in range(2)] for name in ("rate", "reach", "g"))
    p = Rec(n_elements=2, n_vessels=1, n_intakes=2, intakes=[Rec(reach_ratio=[r]) for r in reach])
    s = Rec(ticks=5, command_frac=[[0, 0] for _ in range(4)], rule=[0, 0], inflow_bound_kg_s=[7])
    sums = run.with_({"HISTORY": 4}, passing_kg_s=lambda _w, _p, _s, i: rates[i])
    sums.run(commit, p, s, Rec(grant_frac=g, rule=[1, 2]))
    claims = [s.inflow_bound_kg_s[0] >= reach[0] * rates[0] + reach[1] * rates[1]]
    claims += [s.command_frac[5 % 4][e] == g[e] for e in range(2)]
    yield Case("two intakes", [x >= 0 for x in (*rates, *reach, *g)], [*claims, s.ticks == 6])


def _monotone(run: Interpreter) -> Iterator[Case]:
    """What is asked higher weighs no less, in every sum up to Phi."""
    for flows, shared in ((2, 0), (3, 1), (2, 2)):
        low, high = Throat(flows, shared, "_low"), Throat(flows, shared, "_high")
        pairs = zip((*low.phi, *low.cap, *low.h), (*high.phi, *high.cap, *high.h), strict=True)
        given = [*low.given, *high.given, *(one <= other for one, other in pairs)]
        for throat in (low, high):
            throat.run(run)
        names = ("intake_kg", "intake_worst_kg")
        claims = [vars(low.s)[name][0] <= vars(high.s)[name][0] for name in names]
        yield Case(
            f"{flows} flows, {shared} shared",
            given,
            [*claims, low.s.intake_cause_kg[0][0] <= high.s.intake_cause_kg[0][0]],
        )
    given, trials = [], []
    before: list[Any] = []
    for _mark in ("low", "high"):
        sums = [z3.Real(f"{name}_{i}_{_mark}") for name in ("healthy", "more", "caused") for i in range(2)]
        over = [z3.Real("over_0"), z3.Real("over_1")]
        p = Rec(n_causes=1, causes=[Rec(over_kg=[0])], n_intakes=2)
        p.intakes = [Rec(reach_ratio=[2], over_kg=[over[0]]), Rec(reach_ratio=[1], over_kg=[over[1]])]
        p.vessels = [Rec(capacity_kg=z3.Real("C"), hold_up_kg=0, psi_kg=0)]
        s = Rec(bound_kg=[z3.Real("U")], caused_kg=[0], intake_kg=sums[:2], intake_worst_kg=sums[2:4], trial_kg=[0])
        s.__dict__.update(intake_cause_kg=[[sums[4]], [sums[5]]], trial_scenario=[0])
        run.run(weigh_vessel, p, s, 0)
        trials.append(s.trial_kg[0])
        given += [
            sums[2] >= sums[0],
            sums[3] >= sums[1],
            *(one <= other for one, other in zip(before, sums, strict=False)),
        ]
        before = sums
    yield Case("two intakes into a vessel", given, [trials[0] <= trials[1]])


def _measured(run: Interpreter) -> Iterator[Case]:
    """One element measured anew is measured wherever it stands; the others keep what they had."""
    for e in (-1, 0, 2):
        phi = [z3.Real(f"new_{k}") for k in range(3)]
        intakes = [Rec(n_shared=1, shared=[2], shared_rate_kg_s=1), Rec(n_shared=1, shared=[1], shared_rate_kg_s=1)]
        p = Rec(
            n_flows=2, flows=[Rec(element=0, rate_kg_s=1), Rec(element=1, rate_kg_s=1)], n_intakes=2, intakes=intakes
        )
        s = Rec(flow_kg=[-1, -1], shared_kg=[[-1], [-1]])
        run.with_(still_to_pass_kg=lambda _w, _p, _s, _r, k, now=phi: now[k]).run(measure, p, s, e)
        found = [s.flow_kg[0], s.flow_kg[1], s.shared_kg[1][0], s.shared_kg[0][0]]
        wanted = [phi[k] if e in (-1, k) else -1 for k in (0, 1, 1, 2)]
        yield Case(f"element {e}", [x >= 0 for x in phi], [a == b for a, b in zip(found, wanted, strict=True)])


OBLIGATIONS = [
    Obligation("series", "healthy or with any one element stuck, an intake passes no more than its sums", _series),
    Obligation("common_cause", "with all members of a cause stuck open, no more than the sum for it", _cause),
    Obligation(
        "phi_covers_every_scenario", "Phi bounds the vessel for one fault in any intake and for a cause", _vessel
    ),
    Obligation("stuck_source", "a stuck pump delivers no more than h: everything in and above its source", _source),
    Obligation(
        "chain_with_weirs",
        "closing potential never grows down a chain: feed, weir, sump, weir, store; a pump from sump to store and bin",
        _chain,
    ),
    Obligation("circle", "what goes round in a circle is bounded where two elements in series cut it", _circle),
    Obligation(
        "passing", "no more passes an intake in a tick than commit reckons, one element or one cause stuck", _passing
    ),
    Obligation("reckoned", "commit sums all intakes that reach a vessel, and remembers every command", _reckoned),
    Obligation(
        "phi_rises_with_its_parts",
        "each sum rises with each of its parts, so what is allowed is closed downward",
        _monotone,
    ),
    Obligation("measured", "measuring one element anew changes its terms only, and all of them", _measured),
]
