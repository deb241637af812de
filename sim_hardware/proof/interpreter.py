"""Executes a kernel's own source on symbols: what it computes becomes z3 terms, branches become choices.

Every statement runs under a condition; an assignment under a symbolic one keeps both values, a return leaves the rest
of the function to where it was not taken. The subset is that of `to_c.kernels`; loops and indices must
come out as plain numbers. A function can be replaced by a stand-in (to prove one thing at a time), a constant by a
smaller one (the length of the history), and a piece of text by another (a deliberate breakage).

Neighbours: `algebra` below, `prover` above. Must not know what any kernel computes.
"""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

from hal.errors import PodError
from sim_hardware.proof.algebra import (
    Value,
    both,
    chosen,
    compared,
    either,
    exact,
    is_symbol,
    larger,
    negated,
    operated,
    smaller,
)

OUTSIDE_SUBSET = 941
StandIn = Callable[..., Value]  # (condition, *arguments) -> value


class Breakage(NamedTuple):
    """A deliberate fault: in the source of one kernel, the text `old` (which stands there once) becomes `new`."""

    name: str
    kernel: str
    old: str
    new: str

    def planted(self, text: str) -> str:
        """The kernel's text with the fault in it. Raises PodError 941 if the place has moved."""
        if (times := text.count(self.old)) != 1:
            where = f"breakage {self.name}: '{self.old}' stands {times} times in {self.kernel}, not once"
            raise PodError(OUTSIDE_SUBSET, f"{where}: mend the breakage")
        return text.replace(self.old, self.new)


class Rec(SimpleNamespace):
    """A record with only the fields that an obligation gives it."""


class Interpreter:
    """Kernels as they stand, or with one breakage; remembers which ones it has read."""

    def __init__(
        self,
        breakage: Breakage | None = None,
        stand_ins: Mapping[str, StandIn] | None = None,
        constants: Mapping[str, int] | None = None,
    ) -> None:
        self.breakage = breakage
        self.stand_ins = dict(stand_ins or {})
        self.constants = dict(constants or {})
        self.read: set[str] = set()

    def with_(self, constants: Mapping[str, int] | None = None, **stand_ins: StandIn) -> "Interpreter":
        """The same with stand-ins and constants; what it reads is remembered here as well."""
        other = Interpreter(self.breakage, {**self.stand_ins, **stand_ins}, {**self.constants, **(constants or {})})
        other.read = self.read
        return other

    def run(self, kernel: Callable[..., Any], *arguments: Value, where: Value = True) -> Value:
        """Execute a kernel; records among the arguments are written. where: the condition under which it runs."""
        plain = getattr(kernel, "py_func", kernel)
        name = plain.__name__
        if name in self.stand_ins:
            return self.stand_ins[name](where, *arguments)
        self.read.add(name)
        return _Call(self, plain, self._tree(plain), arguments, where).result()

    def _tree(self, plain: Callable[..., Any]) -> ast.FunctionDef:
        text = textwrap.dedent(inspect.getsource(plain))
        if self.breakage is not None and self.breakage.kernel == plain.__name__:
            text = self.breakage.planted(text)
        tree = ast.parse(text).body[0]
        assert isinstance(tree, ast.FunctionDef)
        return tree


class _Call:
    """One call of one kernel: its local names, and where it has already returned."""

    def __init__(
        self,
        owner: Interpreter,
        plain: Callable[..., Any],
        tree: ast.FunctionDef,
        arguments: Sequence[Value],
        where: Value,
    ) -> None:
        self._owner = owner
        self._tree = tree
        self._names = {argument.arg: value for argument, value in zip(tree.args.args, arguments, strict=True)}
        scope = inspect.getclosurevars(plain)
        self._outside = {**vars(builtins), **plain.__globals__, **scope.nonlocals, **owner.constants}
        self._where = where
        self._returned: Value = False
        self._value: Value = None
        self._branch: Value = True  # the tests that led here, without what has returned
        self._left: list[Value] = []  # per open loop: where this round or the loop has been left
        self._broken: list[Value] = []

    def result(self) -> Value:
        self._block(self._tree.body, True)
        return self._value

    def _refuse(self, node: ast.AST) -> PodError:
        return PodError(
            OUTSIDE_SUBSET, f"kernel {self._tree.name}: '{ast.unparse(node)}' cannot be executed on symbols"
        )

    def _block(self, statements: Sequence[ast.stmt], branch: Value) -> None:
        for statement in statements:
            self._branch = branch
            for left in (*self._left, *self._broken):
                self._branch = both(self._branch, negated(left))
            here = both(both(self._where, self._branch), negated(self._returned))
            if here is False:
                return
            execute = getattr(self, f"_do_{type(statement).__name__.lower()}", None)
            if execute is None:
                raise self._refuse(statement)
            execute(statement, here)

    def _do_expr(self, node: ast.Expr, where: Value) -> None:
        if not isinstance(node.value, ast.Constant):
            self._of(node.value, where)

    def _do_pass(self, _node: ast.Pass, _where: Value) -> None:
        return

    def _do_assign(self, node: ast.Assign, where: Value) -> None:
        self._store(node.targets[0], self._of(node.value, where), where)

    def _do_augassign(self, node: ast.AugAssign, where: Value) -> None:
        before, change = self._of(node.target, where), self._of(node.value, where)
        self._store(node.target, operated(type(node.op).__name__, before, change), where)

    def _store(self, target: ast.expr, value: Value, where: Value) -> None:
        if isinstance(target, ast.Name):  # where the function has returned, its names matter no more
            held: Any = self._names
            key: Any = target.id
            where = self._branch
        elif isinstance(target, ast.Attribute):
            held, key = vars(self._of(target.value, where)), target.attr
        elif isinstance(target, ast.Subscript):
            held, key = self._place(target, where)
        else:
            raise self._refuse(target)
        kept = not isinstance(held, dict) or key in held
        held[key] = chosen(where, value, held[key]) if kept and where is not True else value

    def _place(self, node: ast.Subscript, where: Value) -> tuple[list[Value], int]:
        held = self._of(node.value, where)
        indices = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        at = [self._of(index, where) for index in indices]
        if any(not isinstance(index, int) for index in at):
            raise self._refuse(node)
        for index in at[:-1]:
            held = held[index]
        return held, at[-1]

    def _do_if(self, node: ast.If, where: Value) -> None:
        truth, branch = self._of(node.test, where), self._branch
        self._block(node.body, both(branch, truth))
        self._block(node.orelse, both(branch, negated(truth)))

    def _do_for(self, node: ast.For, where: Value) -> None:
        if not isinstance(node.iter, ast.Call) or not isinstance(node.target, ast.Name):
            raise self._refuse(node)
        bounds = [self._of(argument, where) for argument in node.iter.args]
        branch = self._branch
        self._broken.append(False)
        for index in range(*bounds):
            self._names[node.target.id] = index
            self._left.append(False)
            self._block(node.body, branch)
            self._left.pop()
        self._broken.pop()

    def _do_continue(self, _node: ast.Continue, _where: Value) -> None:
        self._left[-1] = either(self._left[-1], self._branch)

    def _do_break(self, _node: ast.Break, _where: Value) -> None:
        self._broken[-1] = either(self._broken[-1], self._branch)

    def _do_return(self, node: ast.Return, where: Value) -> None:
        value = self._of(node.value, where) if node.value is not None else None
        here = both(self._branch, negated(self._returned))
        if node.value is not None:
            self._value = value if self._value is None else chosen(here, value, self._value)
        self._returned = either(self._returned, here)

    def _of(self, node: ast.expr, where: Value) -> Value:
        evaluate = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if evaluate is None:
            raise self._refuse(node)
        return evaluate(node, where)

    def _of_constant(self, node: ast.Constant, _where: Value) -> Value:
        return exact(node.value)

    def _of_name(self, node: ast.Name, _where: Value) -> Value:
        return self._names[node.id] if node.id in self._names else exact(self._outside[node.id])

    def _of_attribute(self, node: ast.Attribute, where: Value) -> Value:
        held = self._of(node.value, where)
        if isinstance(held, ModuleType):
            return exact(vars(held)[node.attr])
        if node.attr not in vars(held):
            raise self._refuse(node)
        return vars(held)[node.attr]

    def _of_subscript(self, node: ast.Subscript, where: Value) -> Value:
        held, at = self._place(node, where)
        return held[at]

    def _of_binop(self, node: ast.BinOp, where: Value) -> Value:
        return operated(type(node.op).__name__, self._of(node.left, where), self._of(node.right, where))

    def _of_unaryop(self, node: ast.UnaryOp, where: Value) -> Value:
        value = self._of(node.operand, where)
        return negated(value) if isinstance(node.op, ast.Not) else operated("Sub", 0, value)

    def _of_compare(self, node: ast.Compare, where: Value) -> Value:
        one, other = self._of(node.left, where), self._of(node.comparators[0], where)
        return compared(type(node.ops[0]).__name__, one, other)

    def _of_boolop(self, node: ast.BoolOp, where: Value) -> Value:
        stops_at = isinstance(node.op, ast.Or)
        join = either if stops_at else both
        found: Value = not stops_at
        for part in node.values:
            if found is stops_at:
                return found
            reached = both(where, negated(found) if stops_at else found)
            found = join(found, self._of(part, reached))
        return found

    def _of_ifexp(self, node: ast.IfExp, where: Value) -> Value:
        truth = self._of(node.test, where)
        if not is_symbol(truth):
            return self._of(node.body if truth else node.orelse, where)
        return chosen(
            truth, self._of(node.body, both(where, truth)), self._of(node.orelse, both(where, negated(truth)))
        )

    def _of_call(self, node: ast.Call, where: Value) -> Value:
        function = self._of(node.func, where)
        arguments = [self._of(argument, where) for argument in node.args]
        if function is min or function is max:
            return (smaller if function is min else larger)(*arguments)
        if function is int or function is float:
            return arguments[0]  # over the reals; less than a nanosecond is lost
        return self._owner.run(function, *arguments, where=where)
