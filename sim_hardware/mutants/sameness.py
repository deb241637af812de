"""Mutants that z3 shows to be the same program: both versions executed on symbols, over every value that can occur.

What can occur is stated once per function, as facts that the proof's obligations or the configuration's checks hold
(a grant is between 0 and 1, a bound and an error are not negative, no mass flows backwards). Loops are unrolled for two
or three rows, as in the proof; which fields count is said by the domain. A mutant of a function without a domain, one
that cannot be executed on symbols, or one that differs anywhere in the domain is not proved.

Neighbours: `run` asks, `proof.interpreter` executes. Must not know the table of cases.
"""

import ast
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import z3

from hal.errors import PodError
from pod_controller.kernels import commit, guard, observe, terms, trips, ways
from sim_hardware.mutants.changes import Mutant
from sim_hardware.proof.algebra import compared, term
from sim_hardware.proof.interpreter import Interpreter, Rec

LIMIT_MS = 5_000
MODULES = MappingProxyType(
    {"terms": terms, "ways": ways, "guard": guard, "trips": trips, "commit": commit, "observe": observe}
)
Value = Any


class Domain(NamedTuple):
    """Arguments, what is known of them, stand-ins for callees, and what of the outcome counts (beside the result)."""

    arguments: tuple[Value, ...]
    given: list[Any]
    stand_ins: Mapping[str, Callable[..., Value]]
    counts: Callable[[], list[Value]]


def _reals(names: str) -> list[Any]:
    return list(z3.Reals(names))


def _tail() -> Domain:
    rate, stroke, fast, lease, x, tick = _reals("R S F L x T")
    element = Rec(stroke_s=stroke, fast_stroke_s=fast, lease_s=lease, positioner=z3.Real("positioner"))
    given = [rate > 0, stroke > 0, fast > 0, lease >= 0, tick > 0]
    return Domain((rate, element, x, tick), given, {}, list)


def _intake() -> Domain:
    kg, stuck, shared = _reals("kg0 kg1"), _reals("h0 h1"), _reals("shared0 shared1")
    intake = Rec(n_flows=2, flows=[0, 1], n_shared=2, shared=[2, 3])
    member = _reals("m0 m1 m2 m3")
    p = Rec(intakes=[intake], n_causes=1, causes=[Rec(member=member)], flows=[Rec(element=0), Rec(element=1)])
    s = Rec(flow_kg=kg, shared_kg=[shared], intake_cause_kg=[[0]], intake_kg=[0], intake_worst_kg=[0])
    given = [x >= 0 for x in (*kg, *stuck, *shared)] + [x <= 10**12 for x in (*kg, *stuck, *shared)]
    stand_ins = {"stuck_kg": lambda _w, _p, _s, f: stuck[f]}
    return Domain((p, s, 0), given, stand_ins, lambda: [s.intake_kg[0], s.intake_worst_kg[0], s.intake_cause_kg[0][0]])


def _vessel_sum() -> Domain:
    reach, kg, worst, cause = _reals("r0 r1"), _reals("k0 k1"), _reals("w0 w1"), _reals("c0 c1")
    held = _reals("U M Psi C")
    vessel = Rec(hold_up_kg=held[1], psi_kg=held[2], capacity_kg=held[3])
    over = _reals("o0 o1 o_cause")
    intakes = [Rec(reach_ratio=[r], over_kg=[o]) for r, o in zip(reach, over[:2], strict=True)]
    p = Rec(vessels=[vessel], n_causes=1, causes=[Rec(over_kg=[over[2]])], n_intakes=2, intakes=intakes)
    s = Rec(bound_kg=[held[0]], caused_kg=[0], intake_kg=kg, intake_worst_kg=worst)
    s.__dict__.update(intake_cause_kg=[[cause[0]], [cause[1]]], trial_kg=[0], trial_scenario=[0])
    given = [x >= 0 for x in (*reach, *kg, *cause, *held, *over)] + [w >= k for w, k in zip(worst, kg, strict=True)]
    return Domain((p, s, 0), given, {}, lambda: [s.trial_kg[0], s.trial_scenario[0]])


def _passing() -> Domain:
    frac = _reals("a0 a1 a2 x0 x1 x2")
    intake = Rec(n_flows=2, flows=[0, 1], n_shared=1, shared=[2], shared_rate_kg_s=z3.Real("R_shared"))
    flows = [Rec(element=f, rate_kg_s=z3.Real(f"R{f}")) for f in range(2)]
    p = Rec(intakes=[intake], n_causes=1, causes=[Rec(member=_reals("m0 m1 m2"))], flows=flows, tick_s=z3.Real("T"))
    s = Rec(envelope_frac=frac[:3], asked_frac=frac[3:], caused_kg_s=[0])
    given = [z3.And(x >= 0, x <= 1) for x in frac] + [p.tick_s > 0]
    given += [x >= 0 for x in (intake.shared_rate_kg_s, *(f.rate_kg_s for f in flows))]
    return Domain((p, s, 0), given, {}, list)


def _closing() -> Domain:
    live, envelope, tick, stroke, locked = _reals("l a T S locked")
    p = Rec(n_elements=1, n_chutes=1, elements=[Rec(stroke_s=stroke)], tick_s=tick)
    s = Rec(live_frac=[live], envelope_frac=[envelope], asked_frac=[0], lid_open=[0], locked_ns=[locked])
    g = Rec(grant_frac=[7], rule=[7], vessel=[7], scenario=[7])
    given = [live >= 0, live <= envelope, envelope <= 1, tick > 0, stroke > 0]
    return Domain(
        (p, s, g), given, {}, lambda: [s.asked_frac[0], g.grant_frac[0], g.rule[0], g.vessel[0], s.lid_open[0]]
    )


def _live() -> Domain:
    told, issued = _reals("told0 told1 told2"), _reals("issued0 issued1 issued2")
    lease, now, since, verified = _reals("L now since verified")
    p = Rec(elements=[Rec(lease_s=lease)])
    s = Rec(command_frac=[[x] for x in told], command_ns=issued, ticks=2)
    given = [z3.And(x >= 0, x <= 1) for x in told] + [lease >= 0, since <= now]
    return Domain((p, s, Rec(now_ns=now), 0, since, verified), given, {}, list)


def _bound() -> Domain:
    most, level, quality = _reals("most0 most1 most2"), _reals("kg0 kg1 kg2"), _reals("q0 q1 q2")
    bound, blind, inflow, elapsed, full_on = _reals("bound blind inflow elapsed float_on")
    vessel = Rec(capacity_kg=z3.Real("C"), n_levels=3, weir_kg=z3.Real("weir"), stale_s=z3.Real("stale"))
    vessel.__dict__.update(has_float=z3.Real("has_float"))
    s = Rec(ticks=5, bound_kg=[bound], blind_s=[blind], level_kg=[z3.Real("was")], full=[0])
    f = Rec(level_quality=[quality], level_kg=[level], float_on=[full_on])
    given = [z3.Or(x == -1, x >= 0) for x in most] + [bound >= 0, inflow >= 0, elapsed >= 0]
    stand_ins: dict[str, Callable[..., Value]] = {
        "sample_most_kg": lambda _w, _p, _s, _f, _v, i: most[i],
        "believed_kg": lambda _w, _vessel, reckoned, vote: z3.If(vote < reckoned, term(vote), term(reckoned)),
    }
    counts = lambda: [s.bound_kg[0], s.blind_s[0], s.level_kg[0], s.full[0]]  # noqa: E731  # one line reads best here
    return Domain((Rec(vessels=[vessel]), s, f, 0, inflow, elapsed), given, stand_ins, counts)


def _believed() -> Domain:
    errors, bound, vote = _reals("e0 e1 e2"), z3.Real("bound"), z3.Real("vote")
    return Domain((Rec(n_levels=3, level_error_kg=errors), bound, vote), [e >= 0 for e in errors], {}, list)


DOMAINS: Mapping[str, Callable[[], Domain]] = MappingProxyType(
    {
        "closing_tail_kg": _tail,
        "weigh_intake": _intake,
        "weigh_vessel": _vessel_sum,
        "passing_kg_s": _passing,
        "close_everything": _closing,
        "live_frac": _live,
        "bound_vessel": _bound,
        "believed_kg": _believed,
    }
)


class _Mutated(Interpreter):
    """Executes one function from a given tree."""

    def __init__(self, tree: ast.FunctionDef, **settings: Any) -> None:
        super().__init__(**settings)
        self._mutated = tree

    def _tree(self, plain: Callable[..., Any]) -> ast.FunctionDef:
        return self._mutated if plain.__name__ == self._mutated.name else super()._tree(plain)


def proved_the_same(mutant: Mutant) -> bool:
    """True if z3 finds no value in the function's domain for which the outcome differs."""
    if mutant.function not in DOMAINS:
        return False
    try:
        given, outcome = _outcome(mutant.function, mutant.module, None)
        _, other = _outcome(mutant.function, mutant.module, mutant.tree)
        differs = [compared("NotEq", one, two) for one, two in zip(outcome, other, strict=True)]
    except (PodError, KeyError, TypeError, ValueError, z3.Z3Exception):
        return False
    solver = z3.Solver()
    solver.set("timeout", LIMIT_MS)
    solver.add(*given)
    if solver.check() != z3.sat:
        return False
    solver.add(z3.Or(*(term(different) for different in differs)))
    return bool(solver.check() == z3.unsat)


def _outcome(function: str, module: str, tree: ast.FunctionDef | None) -> tuple[list[Any], list[Value]]:
    domain = DOMAINS[function]()
    settings = {"stand_ins": domain.stand_ins, "constants": {"HISTORY": 3}}
    interpreter = Interpreter(**settings) if tree is None else _Mutated(tree, **settings)  # type: ignore[arg-type]  # both by name
    result = interpreter.run(getattr(MODULES[module], function), *domain.arguments)
    return domain.given, [*([] if result is None else [result]), *domain.counts()]
