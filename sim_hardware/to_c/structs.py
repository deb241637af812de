"""Record types of numpy as C structs of the same layout, each offset asserted by the C compiler.

Neighbours: `kernels` names fields and asks for the types; `twin` compiles. Must not know what a record means.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hal.errors import PodError

OUTSIDE_SUBSET = 940
SCALARS = {"f8": "double", "i8": "int64_t", "i4": "int32_t", "i2": "int16_t", "i1": "int8_t"}
C_WORDS = """
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while bool
"""
RESERVED = frozenset(C_WORDS.split())


@dataclass(frozen=True)
class Scalar:
    """A number in an expression: "double", "int64_t" or "bool"; what returns none is "void"."""

    c_name: str


@dataclass(frozen=True)
class Place:
    """Something with an address: one record (shape ()) or an array; -1 in shape: length not known to the type."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]


Kind = Scalar | Place
DOUBLE, INT, BOOL, NOTHING = Scalar("double"), Scalar("int64_t"), Scalar("bool"), Scalar("void")


def c_identifier(name: str) -> str:
    """The name itself, or with an underscore where C reserves it."""
    return f"{name}_" if name in RESERVED else name


def value_kind(dtype: np.dtype[Any]) -> Scalar:
    """What a stored number is once read: every integer counts as int64_t, as compiled kernels have it."""
    return DOUBLE if dtype.kind == "f" else INT


class Structs:
    """Gives every record type a C name and collects the definitions in the order in which C needs them."""

    def __init__(self) -> None:
        self._names: dict[np.dtype[Any], str] = {}
        self._definitions: list[str] = []

    def text(self) -> str:
        """All definitions and their assertions."""
        return "\n".join(self._definitions)

    def c_type(self, dtype: np.dtype[Any]) -> str:
        """C name of what one element of this type is stored as; defines a struct on first sight."""
        if dtype.names is None:
            name = SCALARS.get(dtype.str[1:])
            if name is None or not dtype.isnative:
                raise PodError(OUTSIDE_SUBSET, f"type {dtype} has no C twin; known are {', '.join(sorted(SCALARS))}")
            return name
        if dtype not in self._names:
            definition = self._definition(dtype)  # defines the records inside first
            self._names[dtype] = f"Record{len(self._names)}"
            self._definitions.append(definition.replace("$", self._names[dtype]))
        return self._names[dtype]

    def _definition(self, dtype: np.dtype[Any]) -> str:
        fields: list[str] = []
        checks = [f'static_assert(sizeof($) == {dtype.itemsize}, "size");']
        for name, (field, offset, *_) in (dtype.fields or {}).items():
            base, shape = field.subdtype or (field, ())
            member = c_identifier(name)
            fields.append(f"    {self.c_type(base)} {member}{''.join(f'[{n}]' for n in shape)};")
            checks.append(f'static_assert(offsetof($, {member}) == {offset}, "{name}");')
        return "\n".join(["typedef struct {", *fields, "} $;", *checks])
