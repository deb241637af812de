"""One kernel as one C function: its statements, and the kinds of its local names.

A name keeps one kind through a function; where it holds a whole number here and a float there it is a float, as in
compiled kernels. So the body is translated again until no kind changes.

Neighbours: `expressions` translates expressions, `kernels` finds kernels. Must not know C compilers.
"""

import ast
from collections.abc import Sequence
from typing import Any, NamedTuple

from sim_hardware.to_c.expressions import Expressions, Signature, Unit
from sim_hardware.to_c.structs import BOOL, DOUBLE, INT, NOTHING, Kind, Place, Scalar, c_identifier

ANNOTATED = {"float": DOUBLE, "int": INT, "bool": BOOL, "None": NOTHING}
PLACES = ("Record", "Table", "Row")


class FunctionText(NamedTuple):
    """A translated kernel."""

    signature: Signature
    source: str


class FunctionTranslator:
    """Translates one kernel for arguments of given kinds."""

    def __init__(
        self, tree: ast.FunctionDef, arguments: Sequence[Kind], names: dict[str, Any], unit: Unit, where: str
    ) -> None:
        self._tree = tree
        self._unit = unit
        self._e = Expressions(names, unit, where)
        self._loops = 0
        self._returns = ANNOTATED.get(ast.unparse(tree.returns) if tree.returns else "")
        if self._returns is None:
            self._e.refuse(tree, "a result that is neither float, int, bool nor None")
        plain = ast.arguments([], tree.args.args, None, [], [], None, [])
        if ast.unparse(tree.args) != ast.unparse(plain) or len(arguments) != len(tree.args.args):
            self._e.refuse(tree, "optional or keyword arguments")
        for argument, kind in zip(tree.args.args, arguments, strict=True):
            self._e.kinds[argument.arg] = self._parameter(argument, kind)
        self._parameters = dict(self._e.kinds)

    def result(self) -> FunctionText:
        """The C function; callees are asked of the unit on the way."""
        body: list[str] = []
        before: dict[str, Kind] = {}
        while before != self._e.kinds:
            before = dict(self._e.kinds)
            self._loops = 0
            body = self._block(self._tree.body)
        parameters = ", ".join(self._declared(name, kind) for name, kind in self._parameters.items())
        returns = self._returns or NOTHING
        head = f"{returns.c_name} {c_identifier(self._tree.name)}({parameters}) {{"
        declared = [
            f"{self._declared(name, kind)};" for name, kind in self._e.kinds.items() if name not in self._parameters
        ]
        source = "\n".join([head, *(f"    {line}" for line in [*declared, *body]), "}", ""])
        kinds = tuple(self._parameters.values())
        return FunctionText(Signature(c_identifier(self._tree.name), kinds, returns, self._e.writes), source)

    def _parameter(self, argument: ast.arg, kind: Kind) -> Kind:
        wanted = ANNOTATED.get(name := ast.unparse(argument.annotation) if argument.annotation else "")
        if isinstance(kind, Place) and name in PLACES and len(kind.shape) <= 1:
            return kind
        if isinstance(kind, Scalar) and (wanted == kind or (wanted == DOUBLE and kind == INT)):
            return wanted
        self._e.refuse(argument, f"argument {argument.arg}: {name} for something that is {kind}")

    def _declared(self, name: str, kind: Kind) -> str:
        if isinstance(kind, Scalar):
            return f"{kind.c_name} {c_identifier(name)}"
        if len(kind.shape) > 1:
            self._e.refuse(self._tree, f"name {name} for an array of {len(kind.shape)} dimensions")
        return f"{self._unit.structs.c_type(kind.dtype)} *{c_identifier(name)}"

    def _block(self, statements: Sequence[ast.stmt]) -> list[str]:
        lines: list[str] = []
        for statement in statements:
            translate = getattr(self, f"_{type(statement).__name__.lower()}", None)
            if translate is None:
                self._e.refuse(statement, f"statement {type(statement).__name__}")
            lines.extend(translate(statement))
        return lines

    def _inside(self, statements: Sequence[ast.stmt]) -> list[str]:
        return [f"    {line}" for line in self._block(statements)]

    def _expr(self, node: ast.Expr) -> list[str]:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return []  # a docstring
        if not isinstance(node.value, ast.Call):
            self._e.refuse(node, f"'{ast.unparse(node)}' without effect")
        self._e.standing = node.value
        return [f"{self._e.term(node.value).text};"]

    def _assign(self, node: ast.Assign) -> list[str]:
        if len(node.targets) != 1:
            self._e.refuse(node, "assignment to several names at once")
        self._e.standing = node.value
        text, kind = self._e.term(node.value)
        target = node.targets[0]
        if isinstance(target, ast.Name):
            self._bind(target, kind)
            return [f"{c_identifier(target.id)} = {text};"]
        return [f"{self._stored(target, kind)} = {text};"]

    def _augassign(self, node: ast.AugAssign) -> list[str]:
        text, kind = self._e.operate(node, node.target, node.op, node.value)
        if isinstance(node.target, ast.Name):
            self._bind(node.target, kind)
            return [f"{c_identifier(node.target.id)} = {text};"]
        return [f"{self._stored(node.target, kind)} = {text};"]

    def _bind(self, target: ast.Name, kind: Kind) -> None:
        if kind == NOTHING:
            self._e.refuse(target, f"{target.id} = nothing")
        before = self._e.kinds.get(target.id, kind)
        if before != kind:
            kind = self._e.unified(target, before, kind)
            if target.id in self._parameters and kind != before:
                self._e.refuse(target, f"argument {target.id} becoming {kind}")
        self._e.kinds[target.id] = kind

    def _stored(self, target: ast.expr, kind: Kind) -> str:
        self._e.writes = True
        text, place = self._e.number(target)
        if not isinstance(kind, Scalar) or (place == INT and kind == DOUBLE) or kind == NOTHING:
            self._e.refuse(target, f"'{ast.unparse(target)}' is {place.c_name}, the value {kind}")
        return text

    def _if(self, node: ast.If) -> list[str]:
        self._e.standing = _judged(node.test)
        lines = [f"if ({self._e.truth(node.test)}) {{", *self._inside(node.body)]
        if node.orelse:
            lines += ["} else {", *self._inside(node.orelse)]
        return [*lines, "}"]

    def _while(self, node: ast.While) -> list[str]:
        if node.orelse:
            self._e.refuse(node, "while with else")
        return [f"while ({self._e.truth(node.test)}) {{", *self._inside(node.body), "}"]

    def _for(self, node: ast.For) -> list[str]:
        call, target = node.iter, node.target
        is_range = isinstance(call, ast.Call) and self._e.known(call.func) is range and not call.keywords
        if node.orelse or not isinstance(target, ast.Name) or not isinstance(call, ast.Call) or not is_range:
            self._e.refuse(node, f"for {ast.unparse(node.target)} in {ast.unparse(node.iter)}")
        if len(call.args) > 2:
            self._e.refuse(node, "range with a step")
        start, stop = ["INT64_C(0)", *(self._e.integer(argument) for argument in call.args)][-2:]
        self._bind(target, INT)
        self._loops += 1
        at, end = f"at_{self._loops}", f"end_{self._loops}"  # Python's own counter: the body may change the name
        return [
            f"for (int64_t {at} = {start}, {end} = {stop}; {at} < {end}; {at}++) {{",
            f"    {c_identifier(target.id)} = {at};",
            *self._inside(node.body),
            "}",
        ]

    def _return(self, node: ast.Return) -> list[str]:
        if node.value is None:
            text, kind = "", NOTHING
        else:
            self._e.standing = node.value
            text, kind = self._e.number(node.value)
        if kind != self._returns and not (kind == INT and self._returns == DOUBLE):
            self._e.refuse(node, f"result {kind.c_name} where the annotation says otherwise")
        return [f"return {text};" if text else "return;"]

    def _break(self, _node: ast.Break) -> list[str]:
        return ["break;"]

    def _continue(self, _node: ast.Continue) -> list[str]:
        return ["continue;"]

    def _pass(self, _node: ast.Pass) -> list[str]:
        return []


def _judged(test: ast.expr) -> ast.expr:
    """The call behind `not call(...)` or `call(...) <= 0.0`: nothing else is computed beside it."""
    if isinstance(test, ast.UnaryOp):
        return _judged(test.operand)
    if isinstance(test, ast.Compare) and all(isinstance(other, ast.Constant) for other in test.comparators):
        return test.left
    return test
