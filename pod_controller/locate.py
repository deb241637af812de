"""Where in a TOML text a value stands, so that a fault can be told as file:line.

Neighbours: `config.py` gives the path of a fault as pydantic reports it. This is the only module that knows the
library for positions. It must not know what a configuration means.
"""

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from parse_errors.source_map import SourceMap, locate_decode_error


class Place(NamedTuple):
    """A position in a text, both counted from 1 as editors do."""

    line: int
    column: int


def locate(text: str, path: Sequence[str | int]) -> Place:
    """Position of the key named by path; of the enclosing table's header when the key is missing.

    text must be valid TOML. Path parts that are not in the document (a missing key, pydantic's own tags) are passed
    over. An element of a plain array stands where the array's key stands.
    """
    source_map, document = _parsed(text)
    pointer = "".join(f"/{_escaped(part)}" for part in _existing(document, path))
    entry = source_map.locate(pointer)
    if not pointer or entry is None:
        return Place(1, 1)
    start = entry.key_start or entry.value_start
    return Place(start.line + 1, start.column + 1)


def locate_syntax_error(text: str, error: tomllib.TOMLDecodeError) -> Place:
    """Position of a syntax error; the last line when the text ended too early."""
    location = locate_decode_error(error)
    if location is None:
        return Place(max(1, len(text.splitlines())), 1)
    return Place(location.line + 1, location.column + 1)


@lru_cache(maxsize=4)
def _parsed(text: str) -> tuple[SourceMap, dict[str, Any]]:
    return SourceMap(text, "toml"), tomllib.loads(text)


def _existing(document: dict[str, Any], path: Sequence[str | int]) -> list[str | int]:
    """The parts of path that lead from the document to something in it."""
    found: list[str | int] = []
    here: Any = document
    for part in path:
        is_key = isinstance(here, dict) and part in here
        is_index = isinstance(here, list) and isinstance(part, int) and 0 <= part < len(here)
        if is_key or is_index:
            here = here[part]
            found.append(part)
    return found


def _escaped(part: str | int) -> str:
    """One part of a JSON pointer (RFC 6901)."""
    return str(part).replace("~", "~0").replace("/", "~1")
