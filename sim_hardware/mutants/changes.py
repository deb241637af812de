"""Every single change of one function: operators, comparisons, literals, dropped terms, branches, min and max.

Works on syntax trees. Neighbours: `engine` compiles what is made here. Must not know what a function computes.
"""

import ast
import copy
from collections.abc import Iterator
from typing import NamedTuple, TypeGuard

ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
SWAPPED = {"min": "max", "max": "min"}


class Mutant(NamedTuple):
    """One changed function: where, what was done, and the tree."""

    module: str
    line: int
    function: str
    change: str
    tree: ast.FunctionDef
    condition: str = ""  # the condition that was forced, with its place
    forced: bool = False  # to this


def stripped(tree: ast.FunctionDef) -> ast.FunctionDef:
    """Without decorators, annotations and docstring: what is left decides."""
    bare = copy.deepcopy(tree)
    bare.decorator_list, bare.returns = [], None
    for argument in bare.args.args:
        argument.annotation = None
    first = bare.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        bare.body = bare.body[1:]
    return bare


def mutants(module: str, tree: ast.FunctionDef) -> Iterator[Mutant]:
    """All single changes of one function, each once."""
    bare = stripped(tree)
    seen = {ast.dump(bare)}
    negated = {id(node.operand) for node in ast.walk(bare) if _is_negative_literal(node)}
    conditions = _conditions(bare)
    for place, node in enumerate(ast.walk(bare)):
        if id(node) in negated:
            continue  # a literal with its sign is one literal
        is_condition = id(node) in conditions
        forced: list[ast.AST] = [ast.Constant(True), ast.Constant(False)] if is_condition else []
        for change in [*forced, *_changes(node)]:
            changed = _replaced(bare, place, change)
            dump = ast.dump(changed)
            if dump not in seen:
                seen.add(dump)
                line = getattr(node, "lineno", tree.lineno)
                words = f"{_words(node)}  ->  {_words(change)}"
                if is_condition and isinstance(change, ast.Constant) and isinstance(change.value, bool):
                    where = f"{module}.py:{line}.{getattr(node, 'col_offset', 0)} {tree.name}: {_words(node)}"
                    yield Mutant(module, line, tree.name, words, changed, where, change.value)
                else:
                    yield Mutant(module, line, tree.name, words, changed)


def _conditions(tree: ast.FunctionDef) -> set[int]:
    """Nodes that are one condition: no `and`, `or` or `not` inside, and something branches or is decided on it."""
    found: list[ast.expr] = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    for node in ast.walk(tree):
        if isinstance(node, ast.BoolOp):
            found += node.values
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            found.append(node.test)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            found.append(node.operand)
    return {id(node) for node in found if isinstance(node, ast.Compare | ast.Name | ast.Call)}


def _is_negative_literal(node: ast.AST) -> TypeGuard[ast.UnaryOp]:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)


def _words(node: ast.AST) -> str:
    text = ast.unparse(ast.fix_missing_locations(node)).replace("\n", "; ")
    return text if len(text) <= 70 else text[:67] + "..."


def _replaced(bare: ast.FunctionDef, place: int, change: ast.AST) -> ast.FunctionDef:
    """A copy with the node at that place of the walk replaced."""
    changed = copy.deepcopy(bare)
    target = next(node for at, node in enumerate(ast.walk(changed)) if at == place)

    class _Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return copy.deepcopy(change) if node is target else self.generic_visit(node)

    swapped: ast.FunctionDef = _Swap().visit(changed)  # type: ignore[assignment]  # the function itself is never swapped
    return ast.fix_missing_locations(swapped)


def _changes(node: ast.AST) -> list[ast.AST]:
    """What this node may become."""
    if isinstance(node, ast.expr):
        return _of_expression(node)
    if isinstance(node, ast.stmt) and not isinstance(node, ast.FunctionDef):
        return _of_statement(node)
    return []


def _of_expression(node: ast.expr) -> list[ast.AST]:
    if isinstance(node, ast.BinOp):
        swapped = [ast.BinOp(node.left, new(), node.right) for new in ARITHMETIC.get(type(node.op), ())]
        return [*swapped, node.left, node.right]
    if isinstance(node, ast.Compare):
        return _of_comparison(node)
    if isinstance(node, ast.BoolOp):
        other: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        rest = [[value for value in node.values if value is not left] for left in node.values]
        shorter = [values[0] if len(values) == 1 else ast.BoolOp(node.op, values) for values in rest]
        return [ast.BoolOp(other, node.values), *shorter]
    if _is_negative_literal(node):
        zero = ast.Constant(type(node.operand.value)(0))  # type: ignore[attr-defined]  # a literal
        return [node.operand, zero]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.IfExp):
        return [ast.IfExp(node.test, node.orelse, node.body), node.body, node.orelse]
    return _of_literal(node) if isinstance(node, ast.Constant) else _of_call(node)


def _of_call(node: ast.expr) -> list[ast.AST]:
    """Min and max change places, or only one argument is left."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SWAPPED:
        name = ast.Name(SWAPPED[node.func.id], ast.Load())
        return [ast.Call(name, node.args, []), *node.args]
    return []


def _of_comparison(node: ast.Compare) -> list[ast.AST]:
    """Each operator of a chain to its boundary twin and to its contrary (forcing the whole: `_conditions`)."""
    found: list[ast.AST] = []
    for at, operator in enumerate(node.ops):
        for new in COMPARISONS.get(type(operator), ()):
            found.append(ast.Compare(node.left, [*node.ops[:at], new(), *node.ops[at + 1 :]], node.comparators))
    return found


def _of_literal(node: ast.Constant) -> list[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        return [ast.Constant(not value)]
    if isinstance(value, float):
        return [ast.Constant(value + 1.0), ast.Constant(value * 0.5 if value else -1.0)]
    if isinstance(value, int):
        return [ast.Constant(value + 1), ast.Constant(value - 1)]
    return []


def _of_statement(node: ast.stmt) -> list[ast.AST]:
    """Negated branches, dropped branches, dropped statements, sums that only keep their last term."""
    if isinstance(node, ast.If):
        negated = ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
        return [negated, ast.If(node.test, [ast.Pass()], node.orelse)]
    if isinstance(node, ast.AugAssign):
        other: ast.operator = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        return [
            ast.AugAssign(node.target, other, node.value),
            ast.Assign([node.target], node.value),
            ast.Pass(),
        ]
    if isinstance(node, ast.For):
        return [ast.For(node.target, node.iter, [*node.body, ast.Break()], [])]
    if isinstance(node, ast.Assign | ast.Continue | ast.Expr) or (isinstance(node, ast.Return) and node.value is None):
        return [ast.Pass()]
    return []
