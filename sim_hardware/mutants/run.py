"""All mutants of the guard against the table of decisions: who died, who is the same program, who survived.

Neighbours: `cli_guard` prints the report. Must not know how anything is shown.
"""

import ast
from collections.abc import Callable, Iterable
from typing import NamedTuple

from sim_hardware.mutants import cases as tables
from sim_hardware.mutants.changes import Mutant, stripped
from sim_hardware.mutants.engine import MODULES, Exchanged, Names, all_mutants, plain_kernels, source
from sim_hardware.mutants.equivalence import proved_equivalent
from sim_hardware.mutants.oracle import CONCERNED, expected, first_difference, put_on_the_lip, tails

CASES = 4000
SEED = 1


class MutantReport(NamedTuple):
    """What became of them. survivors: `file:line function: change`."""

    mutants: int
    killed: int
    equivalent: int
    survivors: tuple[str, ...]
    cases: int

    @property
    def killed_ratio(self) -> float:
        """Of those that are not proved to be the same program."""
        return self.killed / max(1, self.mutants - self.equivalent)


def run(every: int = 1, cases: int = CASES, progress: Callable[[str], None] = lambda text: None) -> MutantReport:
    """Judge every mutant, or each so-manieth."""
    names = plain_kernels()
    rows = list(tables.table_of_cases(cases, SEED))
    put_on_the_lip(names, rows)
    answers, tail_answers = expected(names, rows), tails(names)
    originals = _functions()
    killed = equivalent = 0
    survivors: list[str] = []
    chosen = list(all_mutants())[::every]
    for number, mutant in enumerate(chosen):
        if number % 200 == 0:
            progress(f"{number} of {len(chosen)} mutants, {len(survivors)} survive so far")
        if dies(names, mutant, rows, answers, tail_answers):
            killed += 1
        elif proved_equivalent(mutant, originals[mutant.function]):
            equivalent += 1
        else:
            survivors.append(f"{mutant.module}.py:{mutant.line} {mutant.function}: {mutant.change}")
    return MutantReport(len(chosen), killed, equivalent, tuple(survivors), cases)


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
