"""Expressions of a kernel as C text, each with its kind.

Neighbour: `functions` owns names and statements. Must not know statements.
"""

import ast
import inspect
import math
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple, NoReturn, Protocol

from hal.errors import PodError
from sim_hardware.to_c.structs import (
    BOOL,
    DOUBLE,
    INT,
    OUTSIDE_SUBSET,
    Kind,
    Place,
    Scalar,
    Structs,
    c_identifier,
    value_kind,
)

ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}


class Signature(NamedTuple):
    """How C calls a kernel. writes: it, or a kernel that it calls, stores into a record."""

    c_name: str
    parameters: tuple[Kind, ...]
    returns: Scalar
    writes: bool


class Term(NamedTuple):
    """An expression in C and what it is."""

    text: str
    kind: Kind


class Unit(Protocol):
    """The C file in the making."""

    structs: Structs

    def function(self, kernel: Callable[..., Any], arguments: list[Kind]) -> Signature:
        """The C function of a kernel."""


class Expressions:
    """Translates expressions; local names must have a kind before they are read."""

    def __init__(self, names: dict[str, Any], unit: Unit, where: str) -> None:
        self.kinds: dict[str, Kind] = {}
        self.writes = False
        self.standing: ast.expr | None = None  # the call that is a whole statement, value or condition
        self._names = names
        self._unit = unit
        self._where = where

    def refuse(self, node: ast.AST, what: str) -> NoReturn:
        """Stop with the place and what the subset has instead."""
        place = self._where.format(getattr(node, "lineno", "?"))
        raise PodError(OUTSIDE_SUBSET, f"{place}: {what}, which has no C twin: keep to the subset in to_c/kernels.py")

    def number(self, node: ast.expr) -> tuple[str, Scalar]:
        """An expression that must be a number or a truth."""
        text, kind = self.term(node)
        if not isinstance(kind, Scalar):
            self.refuse(node, f"'{ast.unparse(node)}' is a record or an array where a number is needed")
        return text, kind

    def integer(self, node: ast.expr) -> str:
        """An expression that must be a whole number."""
        text, kind = self.number(node)
        if kind != INT:
            self.refuse(node, f"'{ast.unparse(node)}' is {kind.c_name} where a whole number is needed")
        return text

    def truth(self, node: ast.expr) -> str:
        """A condition; a bare number is refused (kernels compare explicitly)."""
        text, kind = self.number(node)
        if kind != BOOL:
            self.refuse(node, f"'{ast.unparse(node)}' is {kind.c_name} where a comparison is needed")
        return text

    def term(self, node: ast.expr) -> Term:
        """Any expression."""
        translate = getattr(self, f"_{type(node).__name__.lower()}", None)
        if translate is None:
            self.refuse(node, f"'{ast.unparse(node)}' ({type(node).__name__})")
        result: Term = translate(node)
        return result

    def _constant(self, node: ast.Constant) -> Term:
        return self._literal(node, node.value)

    def _literal(self, node: ast.expr, value: object) -> Term:
        if isinstance(value, bool):
            return Term("true" if value else "false", BOOL)
        if isinstance(value, int) and abs(value) < 2**63:
            return Term(f"INT64_C({value})", INT)
        if isinstance(value, float) and math.isfinite(value):
            return Term(repr(value), DOUBLE)
        self.refuse(node, f"'{ast.unparse(node)}' is {type(value).__name__} {value!r}")

    def _name(self, node: ast.Name) -> Term:
        if node.id in self.kinds:
            return Term(c_identifier(node.id), self.kinds[node.id])
        return self._literal(node, self.known(node))

    def known(self, node: ast.expr) -> Any:
        """What a name outside the function stands for; None if nothing."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id)
        if isinstance(node, ast.Attribute) and isinstance(module := self.known(node.value), ModuleType):
            return getattr(module, node.attr, None)
        return None

    def _attribute(self, node: ast.Attribute) -> Term:
        if isinstance(self.known(node.value), ModuleType):
            return self._literal(node, self.known(node))
        text, kind = self.term(node.value)
        fields = kind.dtype.fields if isinstance(kind, Place) and kind.shape == () else None
        if fields is None or node.attr not in fields:
            self.refuse(node, f"'{ast.unparse(node.value)}' has no field {node.attr}")
        field = fields[node.attr][0]
        base, shape = field.subdtype or (field, ())
        return self._element(f"{text}->{c_identifier(node.attr)}", base, shape)

    def _element(self, text: str, dtype: Any, shape: tuple[int, ...]) -> Term:
        if shape or dtype.names is None:
            return Term(text, Place(dtype, shape) if shape else value_kind(dtype))
        return Term(f"(&{text})", Place(dtype, ()))

    def _subscript(self, node: ast.Subscript) -> Term:
        text, kind = self.term(node.value)
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if not isinstance(kind, Place) or len(indices) > len(kind.shape):
            self.refuse(node, f"'{ast.unparse(node.value)}' has no {len(indices)} indices")
        inner = "".join(f"[{self.integer(index)}]" for index in indices)
        return self._element(f"{text}{inner}", kind.dtype, kind.shape[len(indices) :])

    def _binop(self, node: ast.BinOp) -> Term:
        return self.operate(node, node.left, node.op, node.right)

    def operate(self, node: ast.AST, left_node: ast.expr, op: ast.operator, right_node: ast.expr) -> Term:
        """Both sides and the sign between them, also for augmented assignment."""
        (left, left_kind), (right, right_kind) = self.number(left_node), self.number(right_node)
        both_int = DOUBLE not in (left_kind, right_kind)
        if type(op) in ARITHMETIC:
            if BOOL in (left_kind, right_kind):
                self.refuse(node, "arithmetic with a truth")
            return Term(f"({left} {ARITHMETIC[type(op)]} {right})", INT if both_int else DOUBLE)
        if isinstance(op, ast.Div):
            return Term(f"((double){left} / (double){right})", DOUBLE)
        if isinstance(op, ast.Mod | ast.FloorDiv) and both_int:
            return Term(f"{'modulo' if isinstance(op, ast.Mod) else 'floor_divide'}({left}, {right})", INT)
        self.refuse(node, f"operator {type(op).__name__} on these kinds")

    def _unaryop(self, node: ast.UnaryOp) -> Term:
        if isinstance(node.op, ast.Not):
            return Term(f"(!{self.truth(node.operand)})", BOOL)
        text, kind = self.number(node.operand)
        if not isinstance(node.op, ast.USub) or kind == BOOL:
            self.refuse(node, f"'{ast.unparse(node)}'")
        return Term(f"(-{text})", kind)

    def _compare(self, node: ast.Compare) -> Term:
        if len(node.ops) != 1 or type(node.ops[0]) not in COMPARISONS:
            self.refuse(node, f"'{ast.unparse(node)}' is no single comparison of numbers")
        left, right = self.number(node.left)[0], self.number(node.comparators[0])[0]
        return Term(f"({left} {COMPARISONS[type(node.ops[0])]} {right})", BOOL)

    def _boolop(self, node: ast.BoolOp) -> Term:
        sign = " && " if isinstance(node.op, ast.And) else " || "
        return Term(f"({sign.join(self.truth(value) for value in node.values)})", BOOL)

    def _ifexp(self, node: ast.IfExp) -> Term:
        (yes, yes_kind), (no, no_kind) = self.number(node.body), self.number(node.orelse)
        kind = self.unified(node, yes_kind, no_kind)
        return Term(f"({self.truth(node.test)} ? {yes} : {no})", kind)

    def unified(self, node: ast.AST, one: Kind, other: Kind) -> Scalar:
        """The number that can hold both: a whole number becomes a float beside one."""
        if not isinstance(one, Scalar) or not isinstance(other, Scalar) or (one == BOOL) != (other == BOOL):
            self.refuse(node, "one name for two kinds of thing")
        return DOUBLE if DOUBLE in (one, other) else one

    def _call(self, node: ast.Call) -> Term:
        function = self.known(node.func)
        if node.keywords or (isinstance(node.func, ast.Name) and node.func.id in self.kinds):
            self.refuse(node, f"call '{ast.unparse(node)}'")
        if function in (min, max) and len(node.args) > 1:
            return self._best_of(node, function.__name__)
        if function in (int, float) and len(node.args) == 1:
            kind = INT if function is int else DOUBLE
            return Term(f"(({kind.c_name}){self.number(node.args[0])[0]})", kind)
        if inspect.isfunction(getattr(function, "py_func", function)):
            return self._kernel_call(node, function)
        self.refuse(node, f"call '{ast.unparse(node)}'")

    def _best_of(self, node: ast.Call, name: str) -> Term:
        """Min or max from left to right, as Python goes through its arguments."""
        text, kind = self.number(node.args[0])
        for argument in node.args[1:]:
            other, other_kind = self.number(argument)
            kind = self.unified(node, kind, other_kind)
            text = f"{name}_{kind.c_name}({text}, {other})"
        return Term(text, kind)

    def _kernel_call(self, node: ast.Call, kernel: Callable[..., Any]) -> Term:
        terms = [self.term(argument) for argument in node.args]
        signature = self._unit.function(kernel, [term.kind for term in terms])
        if signature.writes and node is not self.standing:
            # C may evaluate the parts of an expression in any order.
            self.refuse(node, f"'{ast.unparse(node)}', which writes, within a larger expression")
        self.writes = self.writes or signature.writes
        return Term(f"{signature.c_name}({', '.join(term.text for term in terms)})", signature.returns)
