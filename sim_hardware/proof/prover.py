"""Obligations, and what z3 says of them.

An obligation poses one or more cases: hypotheses, and claims that must follow. The hypotheses of each case are first
shown to be satisfiable together (else the proof would be empty); then each claim's opposite must not be.

Neighbours: `tails` ... `grants` pose, `report` collects. Must not know kernels.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import z3

from hal.clock import SystemClock
from sim_hardware.proof.algebra import term
from sim_hardware.proof.interpreter import Breakage, Interpreter

LIMIT_MS = 20_000  # for one question to z3

PROVED = "proved"
REFUTED = "refuted"
UNDECIDED = "undecided"
VACUOUS = "vacuous"


class Case(NamedTuple):
    """Claims that must follow from hypotheses."""

    name: str
    given: Sequence[Any]
    claims: Sequence[Any]


class Obligation(NamedTuple):
    """Something that must hold. pose executes kernels and gives the cases; says: the same in words."""

    name: str
    says: str
    pose: Callable[[Interpreter], Iterator[Case]]


class Finding(NamedTuple):
    """What became of one obligation. example: a counterexample if it was refuted. read: kernels it was made from."""

    name: str
    result: str
    ms: int
    example: str
    read: frozenset[str]


def settle(obligation: Obligation, breakage: Breakage | None = None, limit_ms: int = LIMIT_MS) -> Finding:
    """Prove or refute one obligation, on the kernels as they stand or with a breakage. Stops at the first failure."""
    clock = SystemClock()
    begun_ns = clock.now_ns()
    interpreter = Interpreter(breakage)
    result, example = PROVED, ""
    for case in obligation.pose(interpreter):
        result, example = _settle_case(case, limit_ms, vacuity=breakage is None)
        if result != PROVED:
            break
    ms = (clock.now_ns() - begun_ns) // 1_000_000
    return Finding(obligation.name, result, ms, example, frozenset(interpreter.read))


def _settle_case(case: Case, limit_ms: int, vacuity: bool) -> tuple[str, str]:
    alone = z3.Context()  # so that no question is answered faster or slower for what was asked before it
    solver = z3.Solver(ctx=alone)
    solver.set("timeout", limit_ms)
    solver.add(*(term(fact).translate(alone) for fact in case.given))
    if vacuity and (answer := solver.check()) != z3.sat:
        return (VACUOUS if answer == z3.unsat else UNDECIDED), f"{case.name}: are its hypotheses satisfiable? {answer}"
    for claim in case.claims:
        solver.push()
        solver.add(z3.Not(term(claim).translate(alone)))
        answer = solver.check()
        if answer == z3.sat:
            return REFUTED, f"{case.name}: {_in_words(solver.model())}"
        if answer != z3.unsat:
            return UNDECIDED, f"{case.name}: {solver.reason_unknown()}"
        solver.pop()
    return PROVED, ""


def _in_words(model: Any) -> str:
    shown = []
    for name in sorted(model.decls(), key=str):
        value = model[name]
        shown.append(f"{name} = {value.as_decimal(4) if hasattr(value, 'as_decimal') else value}")
    return ", ".join(shown)
