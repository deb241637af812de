"""Arithmetic on what may be a plain number or a z3 term: exact, and folded as far as it is plain.

Floats become the fractions they are; there is no NaN and no rounding here. Neighbour: `interpreter` executes kernels
with it. Must not know kernels.
"""

from fractions import Fraction
from typing import Any

import z3

Value = Any  # int, Fraction, bool, a z3 term, or a record or an array of such


def exact(value: Value) -> Value:
    """A float as the fraction it is; everything else as it stands."""
    return Fraction(value) if isinstance(value, float) else value


def is_symbol(value: Value) -> bool:
    """True for a z3 term."""
    return isinstance(value, z3.ExprRef)


def term(value: Value) -> Any:
    """A z3 term of a number or a truth; whole numbers become reals."""
    if is_symbol(value):
        return value
    if isinstance(value, bool):
        return z3.BoolVal(value)
    return z3.RealVal(str(exact(value)))


def both(one: Value, other: Value) -> Value:
    """Both truths."""
    if one is False or other is False:
        return False
    if one is True:
        return other
    return one if other is True else z3.And(one, other)


def either(one: Value, other: Value) -> Value:
    """One truth or the other."""
    return negated(both(negated(one), negated(other)))


def negated(one: Value) -> Value:
    """The opposite of a truth."""
    if not is_symbol(one):
        return not one
    return one.arg(0) if z3.is_not(one) else z3.Not(one)


def chosen(truth: Value, yes: Value, no: Value) -> Value:
    """The first value where the truth holds, else the second."""
    if truth is True or yes is no:
        return yes
    if truth is False or (not is_symbol(yes) and not is_symbol(no) and yes == no):
        return no
    if isinstance(yes, bool) and isinstance(no, bool):
        return truth if yes else negated(truth)
    return z3.If(truth, term(yes), term(no))


def smaller(one: Value, other: Value) -> Value:
    """min(one, other), by Python's own rule."""
    return chosen(compared("Lt", other, one), other, one)


def larger(one: Value, other: Value) -> Value:
    """max(one, other), by Python's own rule."""
    return chosen(compared("Gt", other, one), other, one)


def compared(sign: str, one: Value, other: Value) -> Value:
    """A comparison by the name of its syntax node."""
    one, other = exact(one), exact(other)
    if is_symbol(one) or is_symbol(other):
        one, other = term(one), term(other)
    found = {
        "Lt": lambda: one < other,
        "LtE": lambda: one <= other,
        "Gt": lambda: one > other,
        "GtE": lambda: one >= other,
        "Eq": lambda: one == other,
        "NotEq": lambda: one != other,
    }[sign]()
    return found if is_symbol(found) else bool(found)


def operated(sign: str, one: Value, other: Value) -> Value:
    """An arithmetic operation by the name of its syntax node."""
    one, other = exact(one), exact(other)
    if sign in ("Mod", "FloorDiv"):
        return one % other if sign == "Mod" else one // other
    if not is_symbol(one) and not is_symbol(other):
        plain = {"Add": lambda: one + other, "Sub": lambda: one - other, "Mult": lambda: one * other}
        return Fraction(one) / other if sign == "Div" else plain[sign]()
    if sign == "Mult" and (_is(one, 0) or _is(other, 0)):
        return 0
    if (sign in ("Add", "Sub") and _is(other, 0)) or (sign in ("Mult", "Div") and _is(other, 1)):
        return one
    if (sign == "Add" and _is(one, 0)) or (sign == "Mult" and _is(one, 1)):
        return other
    one, other = term(one), term(other)
    if sign == "Add":
        return one + other
    if sign == "Sub":
        return one - other
    return one * other if sign == "Mult" else one / other


def _is(value: Value, number: int) -> bool:
    return not is_symbol(value) and bool(value == number)
