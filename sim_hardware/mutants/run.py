"""All mutants of the guard against the table of decisions: who died, who is the same program, who survived.

Neighbours: `cli_guard` prints the report. Must not know how anything is shown.
"""

import ast
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sim_hardware.mutants import cases as tables
from sim_hardware.mutants.branches import Branches, covered
from sim_hardware.mutants.changes import Mutant, stripped
from sim_hardware.mutants.engine import MODULES, Exchanged, Names, all_mutants, plain_kernels, source
from sim_hardware.mutants.equivalence import proved_equivalent
from sim_hardware.mutants.oracle import CONCERNED, expected, first_difference, put_on_the_lip, tails
from sim_hardware.mutants.sameness import proved_the_same

CASES = 6000
SEED = 1


class MutantReport(NamedTuple):
    """What became of them. survivors: `file:line function: change`; conditions: each forced both ways, who noticed."""

    mutants: int
    killed: int
    same_text: int
    same_by_z3: tuple[str, ...]
    survivors: tuple[str, ...]
    conditions: dict[str, tuple[str, str]]
    branches: Branches
    cases: int

    def acting_alone(self) -> int:
        """Conditions that change a decision both ways: forced to true, and forced to false."""
        return sum(found == (DIES, DIES) for found in self.conditions.values())


DIES, SAME_TEXT, SAME_Z3, SURVIVES = "dies", "same by rule", "same by z3", "SURVIVES"


def run(every: int = 1, cases: int = CASES, progress: Callable[[str], None] = lambda text: None) -> MutantReport:
    """Judge every mutant, or each so-manieth."""
    names = plain_kernels()
    rows = list(tables.table_of_cases(cases, SEED))
    put_on_the_lip(names, rows)
    answers, tail_answers = expected(names, rows), tails(names)
    originals = _functions()
    found: dict[str, list[str]] = {DIES: [], SAME_TEXT: [], SAME_Z3: [], SURVIVES: []}
    conditions: dict[str, tuple[str, str]] = {}
    chosen = list(all_mutants())[::every]
    for number, mutant in enumerate(chosen):
        if number % 200 == 0:
            progress(f"{number} of {len(chosen)} mutants, {len(found[SURVIVES])} survive so far")
        verdict = DIES if dies(names, mutant, rows, answers, tail_answers) else _same(mutant, originals)
        found[verdict].append(f"{mutant.module}.py:{mutant.line} {mutant.function}: {mutant.change}")
        if mutant.condition:
            before = conditions.get(mutant.condition, ("-", "-"))
            conditions[mutant.condition] = (verdict, before[1]) if mutant.forced else (before[0], verdict)
    same = tuple(found[SAME_Z3])
    counts = len(chosen), len(found[DIES]), len(found[SAME_TEXT])
    return MutantReport(*counts, same, tuple(found[SURVIVES]), conditions, covered(rows), cases)


def _same(mutant: Mutant, originals: dict[str, ast.FunctionDef]) -> str:
    """How a mutant that nothing tells apart is shown to be the same program, if it is."""
    if proved_equivalent(mutant, originals[mutant.function]):
        return SAME_TEXT
    return SAME_Z3 if proved_the_same(mutant) else SURVIVES


def dies(
    names: Names, mutant: Mutant, rows: list[tables.Case], answers: list[list[object]], tail_answers: list[float]
) -> bool:
    """True if some row comes out otherwise with the mutant in place."""
    with Exchanged(names, mutant):
        if mutant.function == "closing_tail_kg" and _tails_differ(names, tail_answers):
            return True
        return first_difference(names, rows, answers, CONCERNED[mutant.module]) >= 0


def _tails_differ(names: Names, tail_answers: Iterable[float]) -> bool:
    try:
        return tails(names) != tail_answers
    except (ArithmeticError, NameError, TypeError):
        return True


def _functions() -> dict[str, ast.FunctionDef]:
    found = {}
    for module in MODULES:
        for node in ast.parse(source(module)).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = stripped(node)
    return found
