"""A stranger's figures as rows of a configuration, each in its range; or a PodError that names the thing.

The ranges, the checks between rows and their numbers are those of a pod's file. Tags, which nobody reads here, are
numbers of rows.

Neighbours: `network` asks, `config` has the rows. Must not know tables or frames.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from pydantic import Field, ValidationError

from hal.errors import PodError
from pod_controller.config import Control, Element, Fault, PodConfig, Vessel
from pod_controller.config_faults import name_of, told
from pod_controller.config_types import ConfigTable, Watchdog
from pod_controller.kernels.records import MAX_LEVELS

TOO_MANY, WRONG_TYPE, TWICE, UNKNOWN, NO_WATCHDOG = 105, 106, 110, 111, 120

CALLED: Mapping[str | int, str] = {"shared": "behind", "from_vessel": "source"}

T = TypeVar("T", bound=ConfigTable)


class Moves(NamedTuple):
    """How an element moves: its slowest stroke to shut and fastest to open, and the watchdog of its output.

    positioner: it holds any opening; without it is open or shut. position_error_frac: of its feedback.
    """

    stroke_s: float
    fast_stroke_s: float
    watchdog_s: float
    positioner: bool = False
    position_error_frac: float = 0.02


class _Watchdog(ConfigTable):
    watchdog_s: Watchdog


class _Sensors(ConfigTable):
    sensors: int = Field(ge=2, le=MAX_LEVELS)


def row(kind: type[T], thing: str, figures: Mapping[str, Any]) -> T:
    """One row from its figures. PodError 103-107 as a file would give, thing first."""
    try:
        return kind.model_validate(dict(figures))
    except ValidationError as errors:
        error = errors.errors(include_url=False)[0]
        where = (thing, *(CALLED.get(part, part) for part in error["loc"]))
        raise PodError(*told(error, where, kind)) from None


def vessel_row(v: int, name: str, capacity_kg: float, error_kg: float, sensors: int, more: Mapping[str, Any]) -> Vessel:
    """A vessel; more: figures that a file may leave out too, and `float_kg`."""
    thing = f"vessel {name}"
    row(_Sensors, thing, {"sensors": sensors})
    levels = [
        {"tag": f"LT-{v + 1}{letter}", "error_kg": error_kg, "kg_per_unit": 1.0, "principle": letter}
        for letter in "ABC"[:sensors]
    ]
    figures = {"name": name, "capacity_kg": capacity_kg, "levels": levels, "stale_s": 10.0, **more}
    if more.get("float_kg") is not None:
        figures["float_tag"] = f"LSHH-{v + 1}"
    return row(Vessel, thing, figures)


def element_row(e: int, name: str, moves: object) -> Element:
    """An element. PodError 106 without Moves, 120 for one that a lost line would hold open."""
    thing = f"element {name}"
    if not isinstance(moves, Moves):
        raise PodError(
            WRONG_TYPE, f"[{thing}] moves = {moves!r:.60} must be Moves(stroke_s, fast_stroke_s, watchdog_s)"
        )
    row(_Watchdog, thing, {"watchdog_s": moves.watchdog_s})
    if moves.watchdog_s == 0.0:
        text = f"[{thing}] watchdog_s = 0: a lost line would hold it open"
        raise PodError(NO_WATCHDOG, f"{text}; use an output module with a watchdog, and give its time")
    figures = {
        "name": name,
        "commands": [f"XY-{e + 1}"],
        "kind": "positioner" if moves.positioner else "relay",
        "stroke_s": moves.stroke_s,
        "fast_stroke_s": moves.fast_stroke_s,
        "position_error_frac": moves.position_error_frac,
    }
    return row(Element, thing, figures)


def added(names: Sequence[str], name: str, most: int, kind: str) -> None:
    """PodError 110 for a name that is there already, 105 for one more than the table holds."""
    if name in names:
        raise PodError(TWICE, f"{name!r:.60} is there already: give each {kind} its own name")
    if len(names) >= most:
        raise PodError(TOO_MANY, f"{name!r:.60} is one {kind} more than the {most} that fit: join some of them")


def known(names: Sequence[str], name: str) -> int:
    """The row of a name. PodError 111 if it has none."""
    if name not in names:
        raise PodError(UNKNOWN, f"{name!r:.60} is not known here: add it first, or use one of {', '.join(names)}")
    return names.index(name)


def graph(control: Control, rows: Mapping[str, Sequence[ConfigTable]]) -> PodConfig:
    """The rows as the configuration of a pod without lines; each has been checked."""
    whole = {name: tuple(each) for name, each in rows.items()}
    return PodConfig.model_construct(control=control, line=(), device=(), **whole)  # type: ignore[arg-type]


def refuse(config: PodConfig, found: Sequence[Fault]) -> None:
    """PodError with the first of these faults, in the words of a file with names instead of places; if any."""
    if not found:
        return
    (table, *rest), code, text = found[0]
    if rest and isinstance(rest[0], int):
        name = getattr(config, str(table))[rest[0]].name if table != "transfer" else config.transfer[rest[0]].intake
        place = (f"{table} {name}", *rest[1:])
        sentence = f"{table} {text}" if not rest[1:] and text.startswith(f"{name} ") else f"{name_of(place)} {text}"
    else:
        sentence = f"{name_of(found[0].path)} {text}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    raise PodError(code, sentence + more)
