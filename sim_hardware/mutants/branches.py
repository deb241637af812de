"""Branch coverage of the guard's files by the table of decisions, as plain Python: every test seen true and seen false.

Every `if`, `while` and conditional expression is watched; with all of them seen both ways every statement is reached.
Neighbours: `run` reports, `oracle` runs the table. Must not know any mutant.
"""

import ast
from typing import Any, NamedTuple

from sim_hardware.mutants.cases import Case
from sim_hardware.mutants.changes import stripped
from sim_hardware.mutants.engine import MODULES, Names, define, plain_kernels, source
from sim_hardware.mutants.oracle import outcome, tails

WATCH = "watch_branch"


class Branches(NamedTuple):
    """Tests with both outcomes, in all, and which one was never seen."""

    reached: int
    branches: int
    missed: tuple[str, ...]


class _Watched(ast.NodeTransformer):
    """Every test goes through the watcher."""

    def __init__(self, module: str, places: list[str]) -> None:
        self._module, self._places = module, places

    def _watch(self, test: ast.expr) -> ast.expr:
        self._places.append(f"{self._module}.py:{test.lineno} {ast.unparse(test)}")
        return ast.Call(ast.Name(WATCH, ast.Load()), [ast.Constant(len(self._places) - 1), test], [])

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Tests of branches, wherever they stand."""
        super().generic_visit(node)
        if isinstance(node, ast.If | ast.IfExp | ast.While):
            node.test = self._watch(node.test)
        return node


def covered(cases: list[Case]) -> Branches:
    """Run the table once on watched kernels."""
    places: list[str] = []
    names = _watched_kernels(places)
    seen: set[tuple[int, bool]] = set()

    def watch(place: int, truth: Any) -> bool:
        seen.add((place, bool(truth)))
        return bool(truth)

    names[WATCH] = watch
    for case in cases:
        outcome(names, case)
    tails(names)
    missed = [
        f"{text} is never {way}"
        for place, text in enumerate(places)
        for way in (True, False)
        if (place, way) not in seen
    ]
    return Branches(len(seen), 2 * len(places), tuple(missed))


def _watched_kernels(places: list[str]) -> Names:
    names = plain_kernels()
    for module in MODULES:
        for node in ast.parse(source(module)).body:
            if isinstance(node, ast.FunctionDef):
                define(names, module, _Watched(module, places).visit(stripped(node)))
    return names
