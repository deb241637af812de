"""The files of the guard as plain Python in one name space, in which one function at a time is exchanged.

Neighbours: `changes` makes the other functions, `cases` what they are run on. Must not know what is right.
"""

import ast
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

from pod_controller.kernels import records, rules
from sim_hardware.mutants.changes import Mutant, mutants, stripped

MODULES = ("terms", "ways", "guard", "trips", "commit", "observe")  # callers after what they call, where it matters
Names = dict[str, Any]


def source(module: str) -> str:
    """The text of one kernel file."""
    return files("pod_controller.kernels").joinpath(f"{module}.py").read_text("utf-8")


def plain_kernels(edit: Callable[[str, str], str] = lambda module, text: text) -> Names:
    """All functions and constants of these files, undecorated; edit(module, text) may change a text first."""
    names: Names = {**vars(records), "rules": rules}
    for module in MODULES:
        for node in ast.parse(edit(module, source(module))).body:
            if isinstance(node, ast.FunctionDef):
                define(names, module, stripped(node))
            elif isinstance(node, ast.Assign):
                define(names, module, node)
    return names


def define(names: Names, module: str, node: ast.stmt) -> None:
    """Run one definition in the name space."""
    tree = ast.fix_missing_locations(ast.Module([node], []))
    exec(compile(tree, f"{module}.py", "exec"), names)  # our own source


def all_mutants() -> Iterator[Mutant]:
    """Every mutant of these files, in the order of the text."""
    for module in MODULES:
        for node in ast.parse(source(module)).body:
            if isinstance(node, ast.FunctionDef):
                yield from mutants(module, node)


class Exchanged:
    """A with-block in which one function is the mutant's."""

    def __init__(self, names: Names, mutant: Mutant) -> None:
        self._names, self._mutant = names, mutant

    def __enter__(self) -> None:
        self._kept = self._names[self._mutant.function]
        define(self._names, self._mutant.module, self._mutant.tree)

    def __exit__(self, *_: object) -> None:
        self._names[self._mutant.function] = self._kept
