"""Registers to values and back: pure, total, and the only place where units are converted.

Job: ``decode`` turns the words of one point into a Reading with quality and cause; ``decoder``
prepares the same as a closure for the hot path. No words whatever make them raise.
Neighbours: ``description`` says what a point is, ``planner`` resolves it for one instance,
``blocks`` calls the decoders.
Must not know: lines, frames, time other than the stamp it is given.
"""

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hal.description import WORDS, FaultBits, PointSpec, Signal, Table, ValueType
from hal.errors import Code, PodError
from hal.values import Cause, Quality, Reading

Judged = tuple[float, Quality, Cause]
Decoder = Callable[[Sequence[int]], Judged]

NAN = math.nan
FAILED: Judged = (NAN, Quality.BAD, Cause.SENSOR_FAILURE)
MISSING: Judged = (NAN, Quality.BAD, Cause.COMMUNICATION_ERROR)
_SMALLEST = 1e-20  # no instrument means less: its words are swapped, and it must not pass for an empty tank
_PAIR = struct.Struct(">HH")
_FORMS = {"u32": struct.Struct(">I"), "s32": struct.Struct(">i"), "f32": struct.Struct(">f")}


@dataclass(frozen=True)
class Point:
    """One point of one instance: tag, registers, conversion and limits.

    value = raw * scale + offset in ``unit``; outside low..high or raw_low..raw_high it is BAD,
    outside good_low..good_high UNCERTAIN (a live-zero signal beyond its span).
    """

    tag: str
    table: Table
    address: int
    type: ValueType
    unit: str
    low: float
    high: float
    scale: float = 1.0
    offset: float = 0.0
    bit: int = -1
    high_first: bool = True
    bad_values: tuple[int, ...] = ()
    raw_low: int | None = None
    raw_high: int | None = None
    good_low: float = -math.inf
    good_high: float = math.inf
    fault: FaultBits | None = None
    signal: Signal | None = None

    @property
    def width(self) -> int:
        """Number of registers (or bits, in the tables of bits) of the value itself."""
        return WORDS[self.type]

    def addresses(self) -> tuple[int, ...]:
        """Every address the point needs: its words, its fault bits, its signal strength."""
        found = list(range(self.address, self.address + self.width))
        if self.fault is not None:
            found.append(self.fault.address)
        if self.signal is not None:
            found.append(self.signal.address)
        return tuple(found)


def resolve(spec: PointSpec, tag: str, span: tuple[float, float] | None) -> Point:
    """A described point as one instance has it; span = values at the two ends of its signal."""
    scale, offset, low, high = spec.scale, spec.offset, spec.low, spec.high
    good_low, good_high = -math.inf, math.inf
    if span is not None:
        scale, offset = _span_scale(spec, tag, span)
        good_low, good_high = min(span), max(span)
        low, high = -math.inf, math.inf  # the raw limits rule
    return Point(
        tag, spec.table, spec.address, spec.type, spec.unit, low, high, scale, offset,
        spec.bit, spec.word_order == "high_first", spec.bad_values, spec.raw_low, spec.raw_high,
        good_low, good_high, spec.fault, spec.signal,
    )  # fmt: skip


def _span_scale(spec: PointSpec, tag: str, span: tuple[float, float]) -> tuple[float, float]:
    """Value of one count and value at raw 0 of a live-zero signal."""
    first, last = span
    if spec.span is None or not (math.isfinite(first) and math.isfinite(last)) or first == last:
        raise PodError(
            Code.SPAN_INVALID,
            f"span {span} of {tag} ({spec.name}) cannot be used: give two different finite"
            " values, at 4 mA and at 20 mA, and only to a current input",
        )
    scale = (last - first) / (spec.span.raw_high - spec.span.raw_low)
    return scale, first - spec.span.raw_low * scale


def decode(point: Point, words: Sequence[int], first: int, taken_ns: int) -> Reading:
    """The Reading of one point from a block whose first register is ``first``.

    Never raises: words that are missing give BAD with COMMUNICATION_ERROR.
    """
    value, quality, cause = decoder(point, first, len(words))(words)
    return Reading(point.tag, value, quality, cause, taken_ns)


def decoder(point: Point, first: int, count: int) -> Decoder:
    """A function from the words of a block (first address, count) to value, quality, cause."""
    if any(not 0 <= address - first < count for address in point.addresses()):
        return lambda words: MISSING
    judge = _fast_judge(point, point.address - first) or _full_judge(point, point.address - first)
    if point.fault is not None:
        judge = _with_fault(judge, point.fault.address - first, point.fault.mask)
    if point.signal is not None:
        judge = _with_signal(judge, point.signal.address - first, point.signal.least)
    return judge


def _fast_judge(point: Point, at: int) -> Decoder | None:
    """Bits and plain unsigned words, which are most of the traffic; None for all others."""
    if point.type == "bit":
        mask = 1 if point.bit < 0 else 1 << point.bit
        off: Judged = (0.0, Quality.GOOD, Cause.NONE)
        on: Judged = (1.0, Quality.GOOD, Cause.NONE)
        return lambda words: on if words[at] & mask else off
    if point.type != "u16" or math.isfinite(point.good_low) or math.isfinite(point.good_high):
        return None
    bad, scale, offset, low, high = point.bad_values, point.scale, point.offset, point.low, point.high
    raw_low = 0 if point.raw_low is None else point.raw_low
    raw_high = 65535 if point.raw_high is None else point.raw_high
    good, none = Quality.GOOD, Cause.NONE

    def unsigned(words: Sequence[int]) -> Judged:
        raw = words[at]
        value = raw * scale + offset
        if raw_low <= raw <= raw_high and low <= value <= high and raw not in bad:
            return (value, good, none)
        return FAILED

    return unsigned


def _full_judge(point: Point, at: int) -> Decoder:
    """Any type with any limit."""
    raw_of = _raw_reader(point, at)
    raw_low = -math.inf if point.raw_low is None else point.raw_low
    raw_high = math.inf if point.raw_high is None else point.raw_high
    bad, scale, offset, low, high = point.bad_values, point.scale, point.offset, point.low, point.high
    good_low, good_high = point.good_low, point.good_high

    def judge(words: Sequence[int]) -> Judged:
        raw = raw_of(words)
        value = raw * scale + offset
        # Written so that NaN fails every comparison and ends as BAD.
        if not (raw_low <= raw <= raw_high and low <= value <= high) or raw in bad:
            return FAILED
        if not math.isfinite(value):
            return FAILED
        if good_low <= value <= good_high:
            return (value, Quality.GOOD, Cause.NONE)
        return (value, Quality.UNCERTAIN, Cause.EU_EXCEEDED)

    return judge


def _raw_reader(point: Point, at: int) -> Callable[[Sequence[int]], float]:
    """The bare number in the registers, before any scale."""
    if point.type == "u16":
        return lambda words: words[at]
    if point.type == "s16":
        return lambda words: words[at] - 65536 if words[at] > 32767 else words[at]
    form = _FORMS[point.type]
    first, second = (at, at + 1) if point.high_first else (at + 1, at)

    def double(words: Sequence[int]) -> float:
        number: float = form.unpack(_PAIR.pack(words[first], words[second]))[0]
        return NAN if 0.0 < abs(number) < _SMALLEST else number

    return double


def _with_fault(judge: Decoder, at: int, mask: int) -> Decoder:
    """The same, BAD while the instrument reports its own failure."""
    return lambda words: FAILED if words[at] & mask else judge(words)


def _with_signal(judge: Decoder, at: int, least: int) -> Decoder:
    """The same, UNCERTAIN while the instrument hardly hears its echo."""

    def weak_aware(words: Sequence[int]) -> Judged:
        value, quality, cause = judge(words)
        if quality is Quality.GOOD and words[at] < least:
            return (value, Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE)
        return (value, quality, cause)

    return weak_aware


def energise(open_frac: float) -> bool:
    """Whether a relay output shall leave its fail state: NaN and anything up to 0.5 do not."""
    return open_frac > 0.5


def encode(point: Point, value: float) -> tuple[int, ...]:
    """Registers that make the device show ``value`` (the inverse of decode, clamped to limits).

    NaN becomes the raw value 0: a setpoint that is not a number is the fail state.
    """
    if point.type == "bit":
        return (int(energise(value)) << max(point.bit, 0),)
    raw = (min(max(value, point.low), point.high) - point.offset) / point.scale
    if not math.isfinite(raw):
        raw = 0.0
    if point.type == "f32":
        packed = _FORMS["f32"].pack(raw)
    else:
        bits = 8 * 2 * point.width
        lowest, highest = (0, 2**bits - 1) if point.type[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        packed = (min(max(round(raw), lowest), highest) % 2**bits).to_bytes(bits // 8, "big")
    words = tuple(int.from_bytes(packed[k : k + 2], "big") for k in range(0, len(packed), 2))
    return words if point.high_first else words[::-1]
