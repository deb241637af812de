"""Obligations on chutes and the airlock: what a chute can still deliver, and never more in it than it holds.

The physics stated here: in any time no more comes in under an unlocked lid than a largest bag and lid_pass_kg_s; a lid
proved locked admits nothing; told to lock at the next tick, it is locked after the lease and its lock time.

Neighbours: `prover` settles. Must not know vessels.
"""

from collections.abc import Iterator
from typing import Any

import z3

from pod_controller.kernels.guard import raise_flow, raise_lid
from pod_controller.kernels.observe import bound_chute
from pod_controller.kernels.terms import chute_most_kg
from sim_hardware.proof.algebra import Value, both, either, negated
from sim_hardware.proof.interpreter import Interpreter, Rec
from sim_hardware.proof.prover import Case, Obligation

NS_PER_S = 1_000_000_000


class Hopper:
    """A chute between lid (element 1) and gate (element 0), weighed some time ago, its switch seen at another.

    One of the two may lie: truth is what it held at `moment`, when the honest one was read.
    """

    def __init__(self, ticks: int = 5) -> None:
        self.C, self.error, self.bag, self.rate, self.lock, self.L, self.T = z3.Reals("C error bag pass lock L T")
        self.kg, self.weighed, self.now, self.fresh, self.quality, self.truth = z3.Reals(
            "kg weighed now fresh quality truth"
        )
        self.high_kg, self.high_on, self.high_seen, self.moment = z3.Reals("high_kg high_on high_seen moment")
        self.locked, self.lid_seen, self.proved, self.come, self.since = z3.Reals("locked lid_seen proved come since")
        chute = Rec(capacity_kg=self.C, content_error_kg=self.error, largest_bag_kg=self.bag, lid_pass_kg_s=self.rate)
        chute.__dict__.update(lid_lock_s=self.lock, lid=1, gate=0, high_kg=self.high_kg)
        lid = Rec(lease_s=self.L, positioner=0)
        self.p = Rec(tick_s=self.T, fresh_s=self.fresh, chutes=[chute], elements=[Rec(positioner=0), lid], flows=[])
        self.s = Rec(ticks=ticks, proved_shut=[0, self.proved], locked_ns=[self.locked], sealed=[0], lid_open=[0])
        self.s.__dict__.update(content_bound_kg=[self.C], content_age_s=[0], content_kg=[0])
        self.f = Rec(now_ns=self.now, position_ns=[0, self.lid_seen], content_kg=[self.kg], content_ns=[self.weighed])
        self.f.__dict__.update(content_quality=[self.quality], high_on=[self.high_on], high_ns=[self.high_seen])
        numbers = [self.C, self.error, self.bag, self.rate, self.lock, self.L, self.T, self.fresh]
        numbers += [self.truth, self.high_kg]
        self.given = [x >= 0 for x in numbers]
        weight_true = both(self.moment == self.weighed, self.truth <= self.kg + self.error)
        switch_true = z3.And(self.high_kg > 0, self.moment == self.high_seen)
        switch_true = both(switch_true, z3.Implies(self.high_on == 0, self.truth <= self.high_kg))
        self.given += [self.truth <= self.C, z3.Or(weight_true, switch_true), self.come >= 0]
        # since: from when on the lid has been locked without a break; known only where it is proved.
        self.given.append(z3.Implies(self.proved != 0, self.since <= self.lid_seen))
        self.given.append(z3.Implies(both(self.proved != 0, self.locked >= 0), self.since <= self.locked))
        self.given.append(self.lid_seen <= self.now)

    def under_the_lid(self, age: Value) -> Any:
        """What came and comes in from the weighing until the lid is locked, told so at the next tick."""
        return self.come <= self.bag + self.rate * (age + self.T + self.L + self.lock)


def _content(run: Interpreter) -> Iterator[Case]:
    for ticks in (0, 5):
        for granted in (False, True):
            h = Hopper(ticks)
            run.run(bound_chute, h.p, h.s, h.f, 0)
            opened = True if granted else h.s.locked_ns[0] < 0
            h.s.lid_open = [z3.If(opened, 1, 0) if not granted else 1]
            most = run.run(chute_most_kg, h.p, h.s, 0)
            sealed = False if granted or ticks == 0 else both(h.proved != 0, h.since <= h.moment)
            came = z3.If(sealed, h.come == 0, h.under_the_lid((h.now - h.moment) / NS_PER_S))
            given = [*h.given, came, h.truth + h.come <= h.C, h.moment >= 0]
            if ticks == 0:
                given.append(h.proved == 0)  # obligation `restart`
            yield Case(
                f"{ticks} ticks, lid {'granted' if granted else 'not granted'}", given, [most >= h.truth + h.come]
            )


def _room(run: Interpreter) -> Iterator[Case]:
    h = Hopper()
    age, bound, shut, gate_granted, wish = z3.Reals("age bound shut gate_granted wish")
    h.s.__dict__.update(content_bound_kg=[bound], content_age_s=[age], proved_shut=[shut, h.proved])
    g = Rec(grant_frac=[gate_granted, 0], rule=[0, 0], vessel=[0, 0], scenario=[0, 0])
    run.with_(raise_element=lambda *_: True).run(raise_lid, h.p, h.s, Rec(open_frac=[0, wish]), g, 0)
    unlocked = h.s.lid_open[0] == 1
    given = [*h.given, h.truth <= bound, h.under_the_lid(age), age >= 0, gate_granted >= 0, unlocked]
    yield Case("unlocked", given, [h.truth + h.come <= h.C, shut != 0, gate_granted == 0, wish >= 1])


def _gate(run: Interpreter) -> Iterator[Case]:
    h = Hopper()
    wish, full = z3.Reals("wish full_below")
    opened: list[Value] = [False]

    def raised(where: Value, *_: Value) -> Value:
        opened[0] = either(opened[0], where)
        return True

    h.p.flows = [Rec(element=0, chute=0, intake=0)]
    h.p.intakes = [Rec(n_shared=0, shared=[])]
    g = Rec(grant_frac=[0, 0], rule=[0, 0], vessel=[0, 0], scenario=[0, 0])
    alone = run.with_(raise_element=raised, full_below=lambda *_: full)
    alone.run(raise_flow, h.p, h.s, Rec(open_frac=[wish, 0]), g, 0)
    given = [*h.given, opened[0], z3.Or(full == -1, full >= 0)]
    yield Case("gate opened", given, [h.locked >= 0, full == -1, wish >= 1])
    yield Case("gate not asked", [*h.given, wish == 0], [negated(opened[0])])


def _lid_counts(run: Interpreter) -> Iterator[Case]:
    """What a chute can deliver rises when its lid is granted."""
    h = Hopper()
    age, bound, sealed = z3.Reals("age bound sealed")
    h.s.__dict__.update(content_bound_kg=[bound], content_age_s=[age], sealed=[sealed])
    most = []
    for opened in (0, 1):
        h.s.lid_open = [opened]
        most.append(run.run(chute_most_kg, h.p, h.s, 0))
    yield Case("lid", [*h.given, bound >= 0, age >= 0], [most[0] <= most[1], most[0] >= 0])


OBLIGATIONS = [
    Obligation(
        "chute_content", "a chute delivers no more than chute_most_kg, lid locked, unlocked or unknown", _content
    ),
    Obligation("airlock_room", "a lid is unlocked only over a gate proved shut, and the chute never overfills", _room),
    Obligation("airlock_gate", "a gate opens only behind a lid proved locked, into vessels that are not full", _gate),
    Obligation("chute_rises_with_its_lid", "granting a lid never lowers what its chute can deliver", _lid_counts),
]
