"""Reads and writes by hand: a tag of the configuration or a bare register, in engineering units.

Job: name what is meant as a Point, ask for it, word the result. Neighbours: `cli` (options), `hal.points` (decode,
encode), `hal.bus.asking` (the port). Must not know who owns a line.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import click

from hal.bus.asking import Answer, BusPort, Question, free_form, known
from hal.bus.frames import EXCEPTIONS
from hal.description import WORDS, Table, ValueType, load
from hal.errors import Code, PodError
from hal.modbus import READ_FUNCTION, Verdict, coils_request, read_request, registers_request
from hal.points import Point, decode, encode, resolve
from hal.registers import raw_reader
from hal.values import Quality
from pod_controller.config import PodConfig

BIT_TABLES = ("coil", "discrete")
HALF, _EXACT = 0.5, 1e-3  # steps of a register; the second leaves room for what a double cannot show
_FLOAT_STEP, _FLOAT_LEAST, _FLOAT_MOST = 1e-6, 1e-30, 3.4e38
_BEYOND = 1e12  # counts: more than any register holds


class Target(NamedTuple):
    """One point of one unit; element: what it moves, when a configuration says so."""

    unit: int
    point: Point
    element: str = ""
    writable: bool = True

    @property
    def words(self) -> str:
        """For people."""
        tag = "" if self.point.tag == BARE else f" ({self.point.tag}{', ' + self.element if self.element else ''})"
        bit = f" bit {self.point.bit}" if self.is_one_of_many else ""
        return f"{self.point.table} {self.point.address}{bit} of unit {self.unit}{tag}"

    @property
    def is_one_of_many(self) -> bool:
        """Whether it is one bit of a register, beside others that mean something else."""
        return self.point.table not in BIT_TABLES and self.point.bit >= 0


BARE = "-"


class Form(NamedTuple):
    """How registers are to be understood, from the command line."""

    table: Table
    type: ValueType
    word_order: str
    scale: float
    offset: float
    bit: int


def bare(unit: int, address: int, count: int, form: Form) -> list[Target]:
    """As many values as count, side by side from address on."""
    width = WORDS[form.type]
    last = address + count * width - 1
    if last > 65535:
        raise click.UsageError(f"--address {address} --count {count}: ends at {last}, and addresses end at 65535")
    return [
        Target(
            unit,
            Point(
                BARE, form.table, address + k * width, form.type, "", -math.inf, math.inf, form.scale, form.offset,
                form.bit, form.word_order == "high_first",
            ),
        )
        for k in range(count)
    ]  # fmt: skip


def tagged(config: PodConfig, tag: str, line: str) -> Target:
    """The point behind a tag of a line. click.UsageError when no device has it, or one on another line."""
    for device in config.device:
        for name, own in device.tags.items():
            if own != tag:
                continue
            if device.line != line:
                raise click.UsageError(
                    f"{tag} ({device.name}) is on line {device.line}, not {line}: name tags of one line, and no other"
                )
            spec = load(device.type).point_named(name)
            if spec is None or spec.table == "frame":
                raise click.UsageError(
                    f"{tag} ({device.name}) is sent by the instrument itself: look on with bus monitor"
                )
            element = next((x.name for x in config.element if tag in x.commands), "")
            span = device.spans.get(name)
            return Target(device.unit, resolve(spec, tag, span), element, spec.access == "write")
    known_tags = sorted(own for device in config.device for own in device.tags.values())
    raise click.UsageError(f"no device has the tag {tag}: there are {', '.join(known_tags)}")


def read(port: BusPort, target: Target, timeout_ns: int) -> dict[str, Any]:
    """One read as a row. PodError 223 when the device did not give the value."""
    point = target.point
    addresses = point.addresses()
    first, count = min(addresses), max(addresses) - min(addresses) + 1
    request = read_request(target.unit, READ_FUNCTION[point.table], first, count)
    answer = port.ask(known(request), timeout_ns)
    words = _words(point.table, _sound(port, target, answer, "read"), count)
    reading = decode(point, words, first, 0)
    at = point.address - first
    return {
        "tag": None if point.tag == BARE else point.tag,
        "unit": target.unit,
        "table": point.table,
        "address": point.address,
        "raw": words[at : at + point.width],
        "value": None if math.isnan(reading.value) else reading.value,
        "engineering_unit": point.unit or None,
        "quality": reading.quality.name,
        "cause": reading.cause.name,
        "latency_ms": round(answer.latency_ns * 1e-6, 1),
    }


def in_words(row: dict[str, Any]) -> str:
    """One row for people."""
    name = row["tag"] or f"unit {row['unit']} {row['table']} {row['address']}"
    shown = "-" if row["value"] is None else f"{row['value']:.10g}"
    unit = "" if row["engineering_unit"] in (None, "", "1") else f" {row['engineering_unit']}"
    why = "" if row["quality"] == Quality.GOOD.name else f" {row['quality']} {row['cause']}"
    raw = "" if row["table"] in BIT_TABLES else " ".join(f"{word:#06x}" for word in row["raw"])
    return f"{name}  {shown}{unit}{why}{'  raw ' + raw if raw else ''}"


def write(port: BusPort, first: Target, words: Sequence[int], single: bool, timeout_ns: int) -> bool:
    """Write words from the first target on, in one request; whether it was acknowledged with an answer of its own.

    single: functions 5 and 6, whose answer is the question again; an adapter that gives back our own bytes looks
    the same, so only reading back tells.
    """
    answer = port.ask(_question(first, words, single), timeout_ns)
    if single and answer.verdict is Verdict.TIMEOUT and answer.own_echo:
        return False
    _sound(port, first, answer, "write")
    return True


def beside(port: BusPort, targets: Sequence[Target], words: Sequence[int], timeout_ns: int) -> list[int]:
    """The registers to write: where one bit is meant, the others as the device holds them, which is asked first.

    PodError 223 when it does not say: then nothing is written.
    """
    if not any(target.is_one_of_many for target in targets):
        return list(words)
    try:
        held = [read(port, target, timeout_ns)["raw"][0] for target in targets]
    except PodError as refused:
        text = f"{refused.message}; nothing was written, as the other bits of the register are not known"
        raise PodError(refused.code, text) from None
    masks = [1 << target.point.bit for target in targets]
    return [word & mask | now & ~mask for word, now, mask in zip(words, held, masks, strict=True)]


def reads_back(target: Target, row: dict[str, Any], wished_value: float, word: int) -> bool:
    """Whether a row shows the value wished for; one bit of a register: and the register all else as it was."""
    as_wished = agrees(target.point, row["value"], wished_value)
    return as_wished and (not target.is_one_of_many or row["raw"] == [word])


def _question(first: Target, values: Sequence[int], single: bool) -> Question:
    unit, address, is_coil = first.unit, first.point.address, first.point.table == "coil"
    if single:
        word = 0xFF00 * values[0] if is_coil else values[0]
        return free_form(unit, bytes((5 if is_coil else 6,)) + address.to_bytes(2, "big") + word.to_bytes(2, "big"))
    if is_coil:
        return known(coils_request(unit, address, [bool(value) for value in values]))
    return known(registers_request(unit, address, values))


def encoded(targets: Sequence[Target], wished: Sequence[float], single: bool) -> list[int]:
    """Registers that mean these values. click.UsageError instead of a silent clamp or rounding."""
    words = [word for target, value in zip(targets, wished, strict=True) for word in _encoded(target, value)]
    if single and len(words) != 1:
        raise click.UsageError(f"--single writes one coil or register, not {len(words)}")
    return words


def _encoded(target: Target, value: float) -> tuple[int, ...]:
    point = target.point
    if point.type == "bit":
        if value not in (0.0, 1.0):
            raise click.UsageError(f"{target.words} is a bit, and {value:.12g} is none: write 0 or 1")
        return encode(point, value)
    lowest, highest = _ends(point)
    why = f"it takes {lowest:.12g} to {highest:.12g}"
    if lowest <= value <= highest:
        words = encode(point, value)
        nearest = _raw(point, words)
        if agrees(point, nearest, value, _EXACT):
            return words
        why = f"the nearest it can hold is {nearest:.12g}"
    steps = "" if point.type == "f32" else f", in steps of {abs(point.scale):.12g}"
    raise click.UsageError(f"{target.words}: {value:.12g} cannot be written: {why}{steps} {point.unit}".rstrip())


def _ends(point: Point) -> tuple[float, float]:
    """The least and the most that the register can be told."""
    reach = abs(point.scale) * (_FLOAT_MOST if point.type == "f32" else _BEYOND)
    if point.type == "f32":
        return max(point.low, point.offset - reach), min(point.high, point.offset + reach)
    least, most = (_raw(point, encode(point, point.offset + end)) for end in (-reach, reach))
    return least, most


def _raw(point: Point, words: Sequence[int]) -> float:
    """The value of written words by the scale alone: no limit makes it BAD."""
    return raw_reader(point.form, 0)(words) * point.scale + point.offset


def agrees(point: Point, value: float | None, wished_value: float, step_count: float = HALF) -> bool:
    """Whether a value is the one wished for: a bit exactly, a number to so many steps of its register.

    The steps of an f32 are relative. None, NaN and the infinite agree with nothing.
    """
    if value is None or not math.isfinite(wished_value):
        return False
    if point.type == "bit":
        return value == wished_value
    if point.type == "f32":
        return abs(value - wished_value) <= abs(wished_value) * _FLOAT_STEP + _FLOAT_LEAST
    return abs(value - wished_value) <= abs(point.scale) * step_count


def _words(table: Table, pdu: bytes, count: int) -> list[int]:
    data = pdu[2:]
    if table in BIT_TABLES:
        return [data[k // 8] >> k % 8 & 1 for k in range(count)]
    return [int.from_bytes(data[2 * k : 2 * k + 2], "big") for k in range(count)]


def _sound(port: BusPort, target: Target, answer: Answer, what: str) -> bytes:
    """PDU of an accepted answer; PodError 223 says what came instead and what to do."""
    if answer.verdict is Verdict.ACCEPTED:
        return answer.pdu
    where = f"{what} {target.words} on {port.place}"
    if answer.refusal:
        why = EXCEPTIONS.get(answer.refusal, "unknown code")
        text = f"{where}: the device refuses, {answer.refusal} {why}: check table, address and count"
    elif answer.verdict is Verdict.TIMEOUT:
        echo = "; the adapter gives our own bytes back" if answer.own_echo else ""
        text = f"{where}: no answer{echo}: {port.silent_advice}"
    else:
        shown = answer.received[:32].hex(" ")
        text = f"{where}: {answer.verdict.name.lower()} ({shown}): {port.spoilt_advice}"
    raise PodError(Code.BUS_NOT_READ, text)
