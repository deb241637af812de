"""One tag as people read it: a line per step of the signal chain, `!` where a step complains.

Neighbours: `cli_control` asks and calls, `tag_view` made the answer. Must not know where it comes from.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Answer = Mapping[str, Any]


def lines_of(answer: Answer) -> Sequence[str]:
    """An answer as people read it."""
    return _output_lines(answer) if answer["kind"] == "output" else _input_lines(answer)


def _output_lines(answer: Answer) -> list[str]:
    proved = answer["proved"]
    proof = "not proved by read-back" if proved is None else (
        f"read back {proved['read_back_age_s']:.1f} s ago: {proved['open_frac']:g}"
    )  # fmt: skip
    return [f"{answer['tag']}  output of {answer['element']}, which is {answer['is']}",
            f"  granted {answer['granted_frac']:g}, {proof}"]  # fmt: skip


def _input_lines(answer: Answer) -> list[str]:
    reading, source = answer["reading"], answer["source"]
    unit = "" if answer["unit"] == "1" else answer["unit"]
    lines = [f"{answer['tag']}  {_value(reading['value'], unit)}  {reading['quality']} {reading['cause']}"]
    if "text" in source:
        lines.append(f"  {answer['device']} on line {answer['line']} sent {source['text']!r}")
    else:
        place = f"unit {source['unit_address']}, function {source['function']}, {source['table']} {source['first']}"
        lines.append(
            f"  {answer['device']} on line {answer['line']}, {place}: {' '.join(source['words']) or 'nothing yet'}"
        )
    for stage in answer["stages"]:
        is_fine = stage["verdict"] == "GOOD"
        mark = " " if is_fine else "!"
        told = "" if is_fine else f"{stage['verdict']} {stage['cause']}: "
        lines.append(f"{mark} {stage['stage']:<12}{_value(stage['value'], ''):>12}  {told}{stage['says']}")
    vote = answer["vote"]
    if vote is not None:
        sensors = ", ".join(f"{x['tag']} {_value(x['level_kg'], 'kg')} {x['quality']}" for x in vote["sensors"])
        lines.append(f"  {'vote':<12}{_value(vote['level_kg'], ''):>12}  {vote['rule']}: {sensors}")
        lines.append(f"  {'':<12}{'':>12}  {vote['vessel']} holds at most {_value(vote['at_most_kg'], 'kg')}")
    lines.append(f"{'!' if answer['substitute'] else ' '} {'substitute':<12}{'':>12}  {answer['substitute'] or 'none'}")
    return lines


def _value(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:.6g} {unit}".rstrip()
