"""The guard as a whole on a small pod: whatever it grants, the vessel can take all that may come from then on.

Two chutes with gates and lids, one element shared behind both, one vessel; every kernel from `guard` down is executed
as it stands but for phi and h themselves, which are symbols (`tails`, `chutes` and `intakes` prove what they bound).

Neighbours: `prover` settles. Must not know physics.
"""

from collections.abc import Iterator
from typing import Any

import z3

from pod_controller.kernels.guard import guard
from sim_hardware.proof.algebra import both, chosen, compared, either
from sim_hardware.proof.interpreter import Interpreter, Rec
from sim_hardware.proof.prover import Case, Obligation

GATES, LIDS, SHARED, COUNT = (0, 1), (2, 3), 4, 5


class Pod:
    """The plant, the state that the guard finds, any wish; shut/open: what still passes an element told so."""

    def __init__(self) -> None:
        self.C, self.U, self.M, self.Psi, self.full, self.execute = z3.Reals("C U M Psi full execute")
        self.wish, self.shut, self.open = (
            [z3.Real(f"{x}_{e}") for e in range(COUNT)] for x in ("wish", "shut", "open")
        )
        self.h_locked, self.h_open, self.content, self.locked = (
            [z3.Real(f"{x}_{c}") for c in range(2)] for x in ("h_locked", "h_open", "content", "locked")
        )
        self.proved = [z3.Real(f"proved_{e}") for e in range(COUNT)]
        chutes = [Rec(gate=GATES[c], lid=LIDS[c], capacity_kg=z3.Real("C_chute")) for c in range(2)]
        flows = [Rec(element=GATES[c], intake=0, chute=c, source=-1, rate_kg_s=1) for c in range(2)]
        intake = Rec(n_flows=2, flows=[0, 1], n_shared=1, shared=[SHARED], shared_rate_kg_s=1, reach_ratio=[1])
        intake.over_kg = [0]
        self.p = Rec(n_vessels=1, n_elements=COUNT, n_flows=2, n_intakes=1, n_chutes=2, n_causes=0, flows=flows)
        self.p.__dict__.update(
            chutes=chutes, intakes=[intake], elements=[Rec(positioner=0, role=1) for _ in range(COUNT)]
        )
        self.p.vessels = [Rec(capacity_kg=self.C, hold_up_kg=self.M, psi_kg=self.Psi)]
        self.s = Rec(bound_kg=[self.U], full=[self.full], locked_ns=self.locked, proved_shut=self.proved, together=0)
        self.s.__dict__.update(asked_frac=[0] * COUNT, lid_open=[0, 0], flow_kg=[0, 0], shared_kg=[[0]], caused_kg=[])
        self.s.__dict__.update(intake_kg=[0], intake_worst_kg=[0], intake_cause_kg=[[]], trial_kg=[0], phi_kg=[0])
        self.s.__dict__.update(trial_scenario=[0], phi_scenario=[0], reached=[0], content_bound_kg=self.content)
        self.g = Rec(**{name: [0] * COUNT for name in ("grant_frac", "rule", "vessel", "scenario")})

    def run(self, run: Interpreter) -> None:
        """The guard, with symbols for phi and h."""
        whole = run.with_(
            refuse=lambda where, _s, g, e, *_: g.grant_frac.__setitem__(e, chosen(where, 0, g.grant_frac[e])),
            opened_frac=lambda _w, _p, _s, _e, grant: grant,
            still_to_pass_kg=lambda _w, _p, s, _r, e: chosen(
                compared("Gt", s.asked_frac[e], 0), self.open[e], self.shut[e]
            ),
            chute_most_kg=lambda _w, _p, s, c: chosen(
                compared("NotEq", s.lid_open[c], 0), self.h_open[c], self.h_locked[c]
            ),
            lid_most_kg=lambda *_: z3.Real("lid_most"),
        )
        wish = Rec(n_order=2, order=[1, 0], open_frac=self.wish)
        whole.run(guard, self.p, self.s, Rec(execute=self.execute), wish, self.g)

    def given(self) -> list[Any]:
        """Openings pass more than closings, an open lid lets more come than a locked one."""
        facts = [both(0 <= low, low <= high) for low, high in zip(self.shut, self.open, strict=True)]
        facts += [both(0 <= low, low <= high) for low, high in zip(self.h_locked, self.h_open, strict=True)]
        return [
            *facts,
            *(high <= 10**6 for high in (*self.open, *self.h_open)),
            self.U >= 0,
            self.M >= 0,
            self.Psi >= 0,
        ]


def _invariant(run: Interpreter) -> Iterator[Case]:
    pod = Pod()
    pod.run(run)
    granted = [compared("Gt", grant, 0) for grant in pod.g.grant_frac]
    phi = [z3.If(granted[e], pod.open[e], pod.shut[e]) for e in range(COUNT)]
    h = [z3.If(either(pod.locked[c] < 0, granted[LIDS[c]]), pod.h_open[c], pod.h_locked[c]) for c in range(2)]
    q, total, which = [z3.Real("q_0"), z3.Real("q_1")], z3.Real("total"), z3.Real("which")
    facts = [q[c] <= z3.If(which == GATES[c], z3.If(h[c] > phi[c], h[c], phi[c]), phi[c]) for c in range(2)]
    facts += [z3.Or(which == SHARED, total <= phi[SHARED]), total <= q[0] + q[1]]
    some = z3.Or(*granted)
    fits = pod.U + pod.M + pod.Psi + total <= pod.C
    yield Case("something is granted, one element sticks", [*pod.given(), *facts, some], [fits])
    claims = [pod.execute == 1, *(z3.Implies(granted[e], pod.wish[e] >= 1) for e in range(COUNT))]
    for c in range(2):
        claims.append(z3.Not(both(granted[GATES[c]], granted[LIDS[c]])))
        claims.append(z3.Implies(granted[GATES[c]], z3.And(pod.locked[c] >= 0, pod.full == 0)))
    yield Case("what is granted", [*pod.given(), some], claims)
    proved = z3.Implies(granted[LIDS[0]], pod.proved[GATES[0]] != 0)
    yield Case("a lid is granted", [*pod.given(), granted[LIDS[0]]], [proved])


OBLIGATIONS = [
    Obligation(
        "guard_keeps_the_invariant",
        "after the whole guard, if it granted anything that leads to the vessel, Phi with any one element stuck is at "
        "or below C; grants are within the wish; gate and lid of a chute are never granted together",
        _invariant,
    ),
]
