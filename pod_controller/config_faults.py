"""Faults of a configuration file in words: `FILE:LINE: E1xx thing, value, limit, what to do`.

Neighbours: `config` catches, `locate` finds the line. Must not know what a key means.

Numbers: E101 unreadable file, E102 syntax, E103 unknown key, E104 missing key, E105 out of range, E106 wrong type,
E107 other. What holds between the tables, from E110 on: `config_checks`.
"""

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from pod_controller.config_types import NAME_PATTERN, TAG_PATTERN
from pod_controller.locate import locate, locate_syntax_error

_RANGE = {
    "greater_than": "must be above",
    "greater_than_equal": "must be at least",
    "less_than": "must be below",
    "less_than_equal": "must be at most",
}
_TYPES = {
    "float_type": "a number: write it without quotes",
    "int_type": "an integer: write it without quotes and without a point",
    "bool_type": "true or false, without quotes",
    "string_type": "text: write it in quotes",
    "path_type": "a path: write it in quotes",
    "tuple_type": "a list: write it in [ ]",
    "mapping_type": "a table: give it keys and values",
    "model_type": "a table: give it keys and values",
}
_PATTERNS = {
    NAME_PATTERN: "may have letters, digits, '_', '.' and '-' only",
    TAG_PATTERN: "is no tag: capital letters, a hyphen, a number, as LT-201",
}
_CLIP = 60
_MARK = "\ufeff"
_COMMA = re.compile(r"=\s*-?\d+,\d+\s*(#.*)?$")
_ENDLESS = re.compile(r"\d{4000}")


def read_fault(path: Path, error: OSError | UnicodeDecodeError) -> str:
    """A file that cannot be opened or is not text."""
    if isinstance(error, UnicodeDecodeError):
        return f"{path}:1: E101 the file is not UTF-8 text (byte {error.start}): save it as UTF-8 without a mark"
    return f"{path}:1: E101 cannot read the file: {error.strerror or error}: check the path and its permissions"


def syntax_fault(path: Path, text: str, error: ValueError | RecursionError) -> str:
    """A file that is not TOML."""
    if isinstance(error, RecursionError):
        return f"{path}:1: E102 tables are nested too deep: a pod's file has three levels at most"
    if text.startswith(_MARK):
        return f"{path}:1: E102 the file begins with a byte order mark: save it as UTF-8 without one"
    if not isinstance(error, tomllib.TOMLDecodeError):  # Python refuses integers of thousands of digits
        line = next((k for k, row in enumerate(text.splitlines(), 1) if _ENDLESS.search(row)), 1)
        return f"{path}:{line}: E102 a number of more than 4300 digits: correct this line"
    line = locate_syntax_error(text, error).line
    return f"{path}:{line}: E102 not TOML: {error}: {_slip(text, line, str(error))}"


def _slip(text: str, line: int, said: str) -> str:
    """What a person most likely meant in a line that is not TOML."""
    row = [*text.splitlines(), ""][line - 1]
    if _COMMA.search(row):
        return "write decimals with a point, not a comma"
    if "Cannot overwrite a value" in said or "Cannot declare" in said:
        return "it stands twice: remove one; a table of which there are several has double brackets, as [[vessel]]"
    if row.count('"') % 2:
        return "a quote is missing in this line"
    return "correct this line"


def fault_lines(path: Path, text: str, errors: Sequence[Any], model: type[BaseModel]) -> list[str]:
    """One line per error of a validation, in the order of the file."""
    found = []
    for error in errors:
        if error["type"] == "too_short" and len(error["input"]) >= error["ctx"]["min_length"]:
            continue  # enough were written: the faulty ones among them are told by themselves
        where = tuple(error["loc"])
        found.append((locate(text, where).line, f"{_code(error['type'])} {_sentence(error, where, model)}"))
    return [f"{path}:{line}: {sentence}" for line, sentence in sorted(set(found))]


def told(error: Any, where: tuple[str | int, ...], model: type[BaseModel]) -> tuple[int, str]:
    """Number and sentence of one error of a validation; where: what people call the place."""
    return int(_code(error["type"])[1:]), _sentence(error, where, model)


def _code(kind: str) -> str:
    if kind == "extra_forbidden":
        return "E103"
    if kind == "missing":
        return "E104"
    if kind in _RANGE or kind in ("finite_number", "too_short", "too_long", "literal_error"):
        return "E105"
    return "E106" if kind.endswith(("_type", "_parsing")) else "E107"


def _sentence(error: Any, where: tuple[str | int, ...], model: type[BaseModel]) -> str:
    thing = name_of(where)
    value = f"{error['input']!r}"[:_CLIP]
    kind, limits = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys_at(model, error["loc"][:-1])
        close = difflib.get_close_matches(str(where[-1]), known, n=1, cutoff=0.5)
        advice = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
        return f"{thing} is not a key of this table: {advice}"
    if kind == "missing":
        return f"{thing} is missing: add it"
    if kind in _RANGE:
        limit = next(iter(limits.values()))
        return f"{thing} = {value} {_RANGE[kind]} {limit}: correct the value"
    if kind == "finite_number":
        return f"{thing} = {value} must be a finite number: nan and inf are not"
    if kind == "literal_error":
        return f"{thing} = {value} must be one of {limits['expected']}"
    if kind in ("too_short", "too_long"):
        limit = f"at least {limits['min_length']}" if kind == "too_short" else f"at most {limits['max_length']}"
        return f"{thing} has {len(error['input'])} entries, must be {limit}: correct the list"
    return f"{thing} = {value} {_told_of_kind(kind, error)}"


def _told_of_kind(kind: str, error: Any) -> str:
    """What a value of another type, or a text, should have been."""
    limits = error.get("ctx", {})
    if kind in _TYPES:
        return f"must be {_TYPES[kind]}"
    if kind == "string_pattern_mismatch":
        return f"{_PATTERNS.get(limits['pattern'], 'is not as it is written here')}: correct it"
    if kind in ("string_too_short", "string_too_long"):
        limit = f"at least {limits['min_length']}" if kind.endswith("short") else f"at most {limits['max_length']}"
        return f"has {len(error['input'])} letters, must have {limit}: correct it"
    return f"cannot be used: {error['msg']}"


def name_of(where: Sequence[str | int]) -> str:
    """A path as people write it: [vessel 2] capacity_kg."""
    parts: list[str] = []
    for part in where:
        if isinstance(part, int) and parts:
            parts[-1] += f" {part + 1}"
        else:
            parts.append(str(part))
    return parts[0] if len(parts) == 1 else f"[{'.'.join(parts[:-1])}] {parts[-1]}"


def _keys_at(model: type[BaseModel], where: Sequence[str | int]) -> list[str]:
    """The keys that the table at this path may have."""
    here = model
    for part in where:
        if isinstance(part, int):
            continue
        field = here.model_fields.get(part)
        inner = _model_in(field.annotation) if field else None
        if inner is None:
            return []
        here = inner
    return [field.alias or name for name, field in here.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in get_args(annotation):
        inner = _model_in(part)
        if inner is not None:
            return inner
    return None
