"""Obligations on term U, the most a vessel may hold: the vote with each liar, samples of any age, dead reckoning.

The physics stated here: a healthy level sensor is wrong by its declared error at most, and at most one lies in any way
it likes. What has passed the last element counts as in the vessel; the hold-up M covers the rest.

Neighbours: `prover` settles. Must not know elements.
"""

from collections.abc import Iterator
from typing import Any

import z3

from pod_controller.kernels.observe import bound_vessel, observe, sample_most_kg
from sim_hardware.proof.algebra import Value, both, smaller
from sim_hardware.proof.interpreter import Interpreter, Rec
from sim_hardware.proof.prover import Case, Obligation

HISTORY = 4
UNUSABLE = -1


class Tank:
    """A vessel with its samples, each worth a symbolic most_kg (-1: unusable) and of any quality."""

    def __init__(self, sensors: int, ticks: int = 5) -> None:
        self.C, self.W, self.U, self.inflow, self.truth = z3.Reals("C weir U inflow truth")
        self.stale, self.blind, self.elapsed, self.float_on = z3.Reals("stale blind elapsed float_on")
        self.most = [z3.Real(f"most_{i}") for i in range(sensors)]
        self.quality = [z3.Real(f"quality_{i}") for i in range(sensors)]
        self.errors = [z3.Real(f"error_{i}") for i in range(sensors)]
        vessel = Rec(capacity_kg=self.C, weir_kg=self.W, n_levels=sensors, stale_s=self.stale, has_float=1)
        vessel.__dict__.update(level_error_kg=self.errors)
        self.p = Rec(vessels=[vessel])
        self.s = Rec(ticks=ticks, bound_kg=[self.U], blind_s=[self.blind], level_kg=[0], full=[0])
        self.f = Rec(level_quality=[self.quality], level_kg=[[0] * sensors], float_on=[self.float_on])
        self.given = [self.C > 0, self.inflow >= 0, self.truth >= 0, self.truth <= self.W, self.elapsed >= 0]
        self.given += [error >= 0 for error in self.errors]
        self.given += [z3.Or(q == 0, q == 1, q == 2) for q in self.quality]
        self.given += [z3.Or(m >= 0, m == UNUSABLE) for m in self.most]
        self.given += [z3.Implies(q == 2, m == UNUSABLE) for q, m in zip(self.quality, self.most, strict=True)]
        reckoned = self.C if ticks == 0 else self.U + self.inflow
        self.given.append(self.truth <= reckoned)

    def run(self, run: Interpreter) -> None:
        """The kernel, on these samples."""
        samples = run.with_(sample_most_kg=lambda _where, _p, _s, _f, _v, i: self.most[i])
        samples.run(bound_vessel, self.p, self.s, self.f, 0, self.inflow, self.elapsed)

    def honest(self, i: int) -> Any:
        """Sensor i, if usable, does not understate."""
        return z3.Or(self.most[i] == UNUSABLE, self.most[i] >= self.truth)


def _vote(run: Interpreter) -> Iterator[Case]:
    for sensors in (1, 2, 3):
        for liar in range(sensors):
            for ticks in (0, 5):
                tank = Tank(sensors, ticks)
                tank.run(run)
                given = [*tank.given, *(tank.honest(i) for i in range(sensors) if i != liar)]
                yield Case(f"{sensors} sensors, {liar} lies, {ticks} ticks", given, [tank.s.bound_kg[0] >= tank.truth])


def _lone(run: Interpreter) -> Iterator[Case]:
    """One usable sample raises the bound as far as it says."""
    tank = Tank(3)
    tank.run(run)
    given = [*tank.given, tank.most[0] == UNUSABLE, tank.most[1] == UNUSABLE, tank.most[2] >= 0]
    claim = z3.Or(tank.s.bound_kg[0] >= tank.most[2], tank.s.bound_kg[0] == tank.W)
    yield Case("alone", given, [claim, z3.Or(tank.s.bound_kg[0] >= tank.U + tank.inflow, tank.s.bound_kg[0] == tank.W)])


def _full(run: Interpreter) -> Iterator[Case]:
    for ticks in (0, 5):
        tank = Tank(3, ticks)
        tank.run(run)
        votes = z3.Sum([z3.If(z3.And(m >= 0, q == 0), 1, 0) for m, q in zip(tank.most, tank.quality, strict=True)])
        blind = z3.And(votes < 2, tank.blind + tank.elapsed > tank.stale) if ticks else votes < 2
        given = [*tank.given, tank.stale <= 60]
        claims = [z3.Implies(tank.float_on != 0, tank.s.full[0] == 1), z3.Implies(blind, tank.s.full[0] == 1)]
        yield Case(f"{ticks} ticks", given, claims)


def _sample(run: Interpreter) -> Iterator[Case]:
    """From a sample on no more has come than the ticks since brought at most, its own tick counted whole."""
    ticks = HISTORY + 2
    now, taken, kg, truth_then, since, error, stale = z3.Reals("now taken kg truth_taken since error stale")
    C, quality = z3.Reals("C quality")
    kept = range(ticks - HISTORY + 1, ticks)
    issued = {**{j: z3.Real(f"t_{j}") for j in kept}, ticks: now}
    come = {j: z3.Real(f"inflow_{j}") for j in (*kept, ticks)}
    slots: list[Any] = [0] * HISTORY
    sums: list[Any] = [[0] for _ in range(HISTORY)]
    total: Value = z3.Real("inflow_before")
    given: list[Any] = [C > 0, error >= 0, stale > 0, truth_then >= 0, truth_then <= kg + error, truth_then <= C]
    for j in (*kept, ticks):
        total = total + come[j]
        slots[j % HISTORY], sums[j % HISTORY] = issued[j], [total]
        given += [come[j] >= 0, issued[j] >= 0]
        after = [come[k] for k in range(j + 1, ticks + 1)]
        inside = taken >= issued[j]
        if j < ticks:
            given.append(issued[j] < issued[j + 1])
            inside = both(inside, taken < issued[j + 1])
        given.append(z3.Implies(inside, since <= z3.Sum([z3.RealVal(0), *after])))
    vessel = Rec(capacity_kg=C, stale_s=stale, level_error_kg=[error])
    s = Rec(ticks=ticks, command_ns=slots, inflow_kg=sums)
    f = Rec(now_ns=now, level_kg=[[kg]], level_ns=[[taken]], level_quality=[[quality]])
    most = run.with_({"HISTORY": HISTORY}).run(sample_most_kg, Rec(vessels=[vessel]), s, f, 0, 0)
    claims = [z3.Or(most == UNUSABLE, most >= truth_then + since), z3.Implies(quality == 2, most == UNUSABLE)]
    late = z3.Or(taken > now, now - taken > stale * 1_000_000_000)
    yield Case("any age", given, [*claims, z3.Implies(late, most == UNUSABLE), most >= UNUSABLE])


def _gap(run: Interpreter) -> Iterator[Case]:
    """The bound of the tick's rate over the time since the last frame; anything at all if that time is unknown."""
    tick, longest, elapsed, real, rate, U, C, come = z3.Reals("T longest elapsed real rate U C come")
    vessel = Rec(capacity_kg=C, n_levels=0, weir_kg=10**30, stale_s=1, has_float=0)
    plant = Rec(tick_s=tick, longest_gap_s=longest, n_vessels=1, n_elements=1, n_chutes=0, vessels=[vessel])
    s = Rec(ticks=5, inflow_bound_kg_s=[rate], inflow_kg=[[0] for _ in range(HISTORY)], command_ns=[0] * HISTORY)
    s.__dict__.update(bound_kg=[U], blind_s=[0], level_kg=[0], full=[0])
    given = [tick > 0, longest > tick, rate >= 0, U >= 0, C >= 0, come >= 0, real >= 0]
    given += [come <= C, U + come <= 10**30, z3.Or(elapsed == real, elapsed < 0, elapsed > longest)]
    aged: list[Value] = []
    still = run.with_({"HISTORY": HISTORY}, bound_element=lambda _where, _p, _s, _f, _e, settled: aged.append(settled))
    still.run(observe, plant, s, Rec(now_ns=0, elapsed_s=elapsed, float_on=[0]))
    claims = [s.bound_kg[0] >= U + come, s.inflow_kg[5 % HISTORY][0] >= s.inflow_kg[4 % HISTORY][0] + come]
    yield Case("healthy", [*given, come <= rate * real], [*claims, aged[0] <= real, aged[0] >= 0])
    most, source = z3.Reals("most source")  # kg/s through a stuck element, kg behind it
    stuck = [most >= 0, source >= 0, rate == smaller(most, source / tick), come <= smaller(most * real, source)]
    yield Case("stuck", [*given, *stuck], claims)


OBLIGATIONS = [
    Obligation("vote", "U is never below the truth: three, two or one sensor, any one of them lying in any way", _vote),
    Obligation("lone_vote", "one usable sample may raise U and never lowers it", _lone),
    Obligation("full", "a float that is on, or no vote for stale_s, makes a vessel full", _full),
    Obligation(
        "sample", "reading + error + inflow bound since bounds the content now, for a sample of any age", _sample
    ),
    Obligation("time_between_frames", "dead reckoning covers early, late and unknown times between frames", _gap),
]
