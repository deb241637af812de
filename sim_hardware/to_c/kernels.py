"""Kernels as C: the same algorithm by construction, translated from the source that numba compiles.

The subset: plain loops over `range`, `while`, if/elif/else, + - * / and integer % and //, comparisons, and/or/not,
min/max/int/float, records with arrays of records, module constants, calls between kernels. Python's meaning is kept
where C differs: % and // round down, min and max keep the first argument unless the other is strictly better (NaN!).
Not kept, because kernels must not rely on them: negative indices, and ZeroDivisionError (C gives inf, or stops).
Anything else is refused with its file and line.

Neighbours: `structs` lays out records, `functions` translates one function, `twin` compiles and loads. Must not
know what any kernel computes.
"""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hal.errors import PodError
from sim_hardware.to_c.expressions import Signature
from sim_hardware.to_c.functions import FunctionText, FunctionTranslator
from sim_hardware.to_c.structs import NOTHING, OUTSIDE_SUBSET, Kind, Place, Structs

HEAD = """\
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline double min_double(double a, double b) { return b < a ? b : a; }
static inline double max_double(double a, double b) { return b > a ? b : a; }
static inline int64_t min_int64_t(int64_t a, int64_t b) { return b < a ? b : a; }
static inline int64_t max_int64_t(int64_t a, int64_t b) { return b > a ? b : a; }
static inline int64_t modulo(int64_t a, int64_t b) { int64_t r = a % b; return r != 0 && (r ^ b) < 0 ? r + b : r; }
static inline int64_t floor_divide(int64_t a, int64_t b) { return (a - modulo(a, b)) / b; }
"""


Edit = Callable[[str, str], str]  # (kernel's name, its text) -> the text to translate


def as_it_stands(_name: str, text: str) -> str:
    """No edit."""
    return text


def translate(entry: Callable[..., None], tables: Sequence[np.dtype[Any]], edit: Edit = as_it_stands) -> str:
    """C source whose one exported function is named as the kernel `entry` and takes pointers to these records.

    tables: the record type of each argument, in order; edit may change a kernel's text first (a deliberate fault).
    Raises PodError 940 on anything outside the subset.
    """
    unit = _Unit(edit)
    signature = unit.function(entry, [Place(dtype, (-1,)) for dtype in tables])
    if signature.returns != NOTHING:
        raise PodError(OUTSIDE_SUBSET, f"kernel {signature.c_name} returns a value: the twin's entry must return none")
    exported = unit.functions.pop()
    bodies = [f"static {function}" for function in unit.functions] + [exported]
    return "\n".join([HEAD, unit.structs.text(), *bodies])


class _Unit:
    """One C file in the making: kernels are translated as they are called, callees before callers."""

    def __init__(self, edit: Edit) -> None:
        self._edit = edit
        self.structs = Structs()
        self.functions: list[str] = []
        self._known: dict[str, tuple[Any, list[Kind], Signature | None]] = {}

    def function(self, kernel: Callable[..., Any], arguments: list[Kind]) -> Signature:
        """The C function of a kernel for arguments of these kinds, translated on first use."""
        plain = getattr(kernel, "py_func", kernel)
        name = plain.__name__
        arguments = [_any_length(kind) for kind in arguments]
        if name in self._known:
            other, kinds, signature = self._known[name]
            if signature is None or other is not plain or kinds != arguments:
                why = (
                    "calls itself" if signature is None else "is called with two kinds of arguments, or is two kernels"
                )
                raise PodError(OUTSIDE_SUBSET, f"kernel {name} {why}: the C twin knows one version of each name")
            return signature
        self._known[name] = (plain, arguments, None)  # while in the making: a call of itself is seen
        text = self._translate(plain, arguments)
        self._known[name] = (plain, arguments, text.signature)
        self.functions.append(text.source)
        return text.signature

    def _translate(self, plain: Callable[..., Any], arguments: list[Kind]) -> FunctionText:
        lines, first = inspect.getsourcelines(plain)
        tree = ast.parse(self._edit(plain.__name__, textwrap.dedent("".join(lines)))).body[0]
        where = f"{inspect.getsourcefile(plain)}:{{}} kernel {plain.__name__}"
        if not isinstance(tree, ast.FunctionDef):
            raise PodError(OUTSIDE_SUBSET, f"{where.format(first)} is no plain function: write it with def")
        ast.increment_lineno(tree, first - 1)
        names = {**vars(builtins), **plain.__globals__}
        return FunctionTranslator(tree, arguments, names, self, where).result()


def _any_length(kind: Kind) -> Kind:
    """An array as an argument: C passes its address alone."""
    return Place(kind.dtype, (-1,)) if isinstance(kind, Place) and len(kind.shape) == 1 else kind
