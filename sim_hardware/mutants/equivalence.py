"""Mutants that a machine can show to be the same program: rules of rewriting, each with its reason.

Anything not covered here counts as a survivor, whatever a person thinks of it. Neighbours: `run` asks. Must not know
the table of cases.
"""

import ast

from sim_hardware.mutants.changes import Mutant

ONE_ROW = frozenset({"plant", "state", "frame", "wish", "permit"})  # 1-element tables: `records.table`


class _Normal(ast.NodeTransformer):
    """The normal form: what the rules say is the same becomes the same tree."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:  # ast's own name
        """The last row of a table of one row is its first."""
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id in ONE_ROW and ast.unparse(node.slice) in {"0", "-1"}:
            return ast.Subscript(node.value, ast.Constant(0), node.ctx)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`range` of less than nothing is empty: max(n, 0) inside it is n."""
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "range" and len(node.args) == 1:
            return ast.Call(node.func, [_without_floor(node.args[0])], [])
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """`if a > m: m = a` and `if a >= m: m = a` leave the same number in m, or both keep it if either is NaN."""
        self.generic_visit(node)
        test, body = node.test, node.body
        if node.orelse or len(body) != 1 or not isinstance(body[0], ast.Assign) or not isinstance(test, ast.Compare):
            return node
        if len(test.ops) != 1 or not isinstance(test.ops[0], ast.Gt | ast.GtE):
            return node
        if _same(test.left, body[0].value) and _same(test.comparators[0], body[0].targets[0]):
            return ast.If(ast.Compare(test.left, [ast.Gt()], test.comparators), body, [])
        return node


def _same(one: ast.AST, other: ast.AST) -> bool:
    return ast.unparse(one) == ast.unparse(other)


def _without_floor(node: ast.expr) -> ast.expr:
    """`max(n, 0)`, `max(n, -1)` and `min(max(n, 0), m)` without the floor."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 2):
        return node
    first, second = node.args
    if node.func.id == "max" and ast.unparse(second) in {"0", "-1"}:
        return first
    if node.func.id == "min":
        return ast.Call(node.func, [_without_floor(first), _without_floor(second)], [])
    return node


def normal_form(tree: ast.FunctionDef) -> str:
    """The tree after all rules, as text."""
    copied = ast.parse(ast.unparse(ast.fix_missing_locations(tree)))
    return ast.unparse(ast.fix_missing_locations(_Normal().visit(copied)))


def proved_equivalent(mutant: Mutant, original: ast.FunctionDef) -> bool:
    """True if both have one normal form."""
    return normal_form(mutant.tree) == normal_form(original)
