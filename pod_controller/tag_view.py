"""The answer to "why does this tag say that": raw words and every step of the signal chain, each with its verdict.

    decode, marks, scale, calibration, range (of the field), then rate, stuck, age, vote, substitute

Worked out when somebody asks, from the newest words of the line and one tick's snapshot; a tick pays nothing for it.
Neighbours: `answers` asks, `hal.tag_source` tells what the line holds, `signal_watch` judged rate and stuck, `cli_tag`
shows. Must not change anything.
"""

import math
from collections.abc import Sequence
from typing import Any

from hal.signal_chain import Stage, doubt, good, verdict
from hal.tag_source import Source
from hal.values import Ack, Cause, Quality, Reading
from pod_controller import telling
from pod_controller.kernels.records import Table
from pod_controller.signal_watch import Judged
from pod_controller.status import Snapshot
from pod_controller.topology import Topology

_FUNCTION = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}
_OF_THE_LINE = (Cause.NO_COMMUNICATION, Cause.COMMUNICATION_ERROR, Cause.INITIAL_VALUE, Cause.OUT_OF_SERVICE)
_NS = 1_000_000_000
_SHOWN = 12  # words around the point, at most


def input_view(snapshot: Snapshot, source: Source, watched: Judged | None, now_ns: int) -> dict[str, Any]:
    """One input, step by step. JSON: no NaN, null where there is no number."""
    reading = snapshot.scan.readings.get(source.reading.tag, source.reading)
    steps = [*source.stages, *_watched(source.stages, watched), _aged(snapshot, reading, now_ns)]
    value, quality, cause = verdict(steps)
    topology, state = snapshot.topology, snapshot.state
    return {
        "tag": reading.tag,
        "kind": "input",
        "line": source.line,
        "device": source.device or _device_on(topology, source.line),
        "source": _source_row(source),
        "unit": source.point.unit,
        "stages": [_row(step) for step in steps],
        "chain": {"value": _number(value), "quality": quality.name, "cause": cause.name},
        "reading": {
            "value": _number(reading.value),
            "quality": reading.quality.name,
            "cause": reading.cause.name,
            "age_s": round((now_ns - reading.taken_ns) / _NS, 3) if reading.taken_ns else None,
        },
        "vote": _vote(topology, state, snapshot, reading.tag),
        "substitute": _substitute(topology, state, reading),
    }


def output_view(snapshot: Snapshot, tag: str, now_ns: int) -> dict[str, Any]:
    """One output: what is granted now, and the newest proof of what its module holds."""
    topology, ack = snapshot.topology, snapshot.scan.acks.get(tag)
    e = next(e for e, tags in enumerate(topology.command_tags) if tag in tags)
    return {
        "tag": tag,
        "kind": "output",
        "element": topology.elements[e],
        "granted_frac": round(float(snapshot.permit["grant_frac"][0, e]), 4),
        "proved": None if ack is None else _proof(ack, now_ns),
        "is": telling.position_text(topology, snapshot.state, e),
    }


def _proof(ack: Ack, now_ns: int) -> dict[str, Any]:
    return {
        "open_frac": ack.open_frac,
        "command_age_s": round((now_ns - ack.issued_ns) / _NS, 3),
        "read_back_age_s": round((now_ns - ack.taken_ns) / _NS, 3),
    }


def _device_on(topology: Topology, line: str) -> str:
    """An instrument alone on its line goes by the name that the configuration gives it."""
    return next((device.name for device in topology.config.device if device.line == line), "")


def _source_row(source: Source) -> dict[str, Any]:
    point = source.point
    if source.text:
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in source.text)
        return {"text": shown, "hex": source.text.hex()}
    wanted = point.addresses()
    at = max(0, min(wanted) - source.first)
    words = source.words[at : max(wanted) - source.first + 1][:_SHOWN]
    return {
        "unit_address": source.unit,
        "function": _FUNCTION.get(point.table),
        "table": point.table,
        "first": source.first + at,
        "words": [f"0x{word:04X}" for word in words],
    }


def _row(step: Stage) -> dict[str, Any]:
    return {
        "stage": step.name,
        "value": _number(step.value),
        "verdict": step.quality.name,
        "cause": step.cause.name,
        "says": step.says,
    }


def _number(value: float) -> float | None:
    return float(f"{value:.9g}") if math.isfinite(value) else None


def _watched(before: Sequence[Stage], watched: Judged | None) -> list[Stage]:
    """What the controller thinks of how the value moves."""
    if before[-1].quality is Quality.BAD:
        return []
    value = before[-1].value
    if watched is None:
        return [
            good("rate", value, "no limit configured"),
            good("stuck", value, "not expected to move by configuration"),
        ]
    steps = []
    for name, found, says in (
        ("rate", watched.too_fast, watched.rate_says),
        ("stuck", watched.stuck, watched.stuck_says),
    ):
        steps.append(doubt(name, value, Cause.SENSOR_NOT_ACCURATE, says) if found else good(name, value, says))
    return steps


def _aged(snapshot: Snapshot, reading: Reading, now_ns: int) -> Stage:
    """Age, and whether the line has it at all."""
    age_s = (now_ns - reading.taken_ns) / _NS
    if reading.cause in _OF_THE_LINE:
        since = f"last sample {age_s:.1f} s ago" if reading.taken_ns else "never sampled"
        return Stage("age", math.nan, Quality.BAD, reading.cause, f"the line has no value: {since}")
    if reading.cause in (Cause.CONFIGURATION_ERROR, Cause.DEVICE_FAILURE) and reading.quality is Quality.BAD:
        return Stage("age", math.nan, Quality.BAD, reading.cause, "the device answers the question with an exception")
    limit_s, why = _age_limit(snapshot.topology, reading.tag)
    if limit_s and age_s > limit_s:
        return doubt("age", math.nan, Cause.NO_COMMUNICATION, f"{age_s:.1f} s old, {why} {limit_s:g} s")
    limits = f", {why} {limit_s:g} s" if limit_s else ""
    return good("age", reading.value, f"{age_s:.1f} s old{limits}")


def _age_limit(topology: Topology, tag: str) -> tuple[float, str]:
    """How old a sample of this tag may be before the kernels throw it away; 0 where they do not ask."""
    fresh_s = topology.config.control.fresh_s
    for v, tags in enumerate(topology.level_tags):
        if tag in tags:
            return float(topology.table["vessels"]["stale_s"][0, v]), "its vessel takes samples up to"
    if tag in topology.position_tags or tag in topology.locked_tags:
        return fresh_s, "a position proves something up to"
    if tag in topology.content_tags:
        return 4.0 * fresh_s, "a chute takes weights up to"
    return 0.0, ""


def _vote(topology: Topology, state: Table, snapshot: Snapshot, tag: str) -> dict[str, Any] | None:
    """For a level: all sensors of its vessel, and what they come to."""
    for v, tags in enumerate(topology.level_tags):
        if tag not in tags:
            continue
        readings = [(name, snapshot.scan.readings.get(name)) for name in tags]
        kg_per_unit = topology.level_kg_per_unit[v]
        rows = [
            {
                "tag": name,
                "level_kg": None if reading is None else _number(reading.value * kg_per_unit[i]),
                "quality": "BAD" if reading is None else reading.quality.name,
            }
            for i, (name, reading) in enumerate(readings)
        ]
        count = sum(row["quality"] == Quality.GOOD.name for row in rows)
        rule = {0: "none", 1: "one alone: may raise the bound, never lower it", 2: "the larger of two"}
        return {
            "vessel": topology.vessels[v],
            "sensors": rows,
            "rule": rule.get(count, "the median of three"),
            "level_kg": _number(float(state["level_kg"][0, v])),
            "at_most_kg": _number(float(state["bound_kg"][0, v])),
        }
    return None


def _substitute(topology: Topology, state: Table, reading: Reading) -> str:
    """What stands in for the tag now, in words; empty if nothing does."""
    if reading.tag in topology.float_tags:
        known_off = reading.quality is Quality.GOOD and reading.value < 0.5
        return "" if known_off else "counts as tripped: its vessel is full"
    for v, tags in enumerate(topology.level_tags):
        if reading.tag in tags:
            return _stand_in(topology, state, v)
    if reading.quality is Quality.GOOD:
        return ""
    if reading.tag in topology.position_tags or reading.tag in topology.locked_tags:
        return "carried by what was commanded and by the stroke time, toward open"
    return "its chute counts as full" if reading.tag in topology.content_tags else ""


def _stand_in(topology: Topology, state: Table, v: int) -> str:
    blind_s = float(state["blind_s"][0, v])
    if state["full"][0, v]:
        return telling.unseen_text(topology, state, v)
    if blind_s > 0.0:
        return f"{topology.vessels[v]} is carried by dead reckoning for {blind_s:.1f} s, which it may be for " + (
            f"{float(topology.table['vessels']['stale_s'][0, v]):g} s"
        )
    return ""
