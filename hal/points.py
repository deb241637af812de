"""Registers to values and back: pure, total, and the only place where units are converted.

Job: ``decode`` turns the words of one point into a Reading with quality and cause; ``decoder``
prepares the same as a closure for the hot path. No words whatever make them raise.
Neighbours: ``description`` says what a point is, ``planner`` resolves it for one instance,
``blocks`` calls the decoders.
Must not know: lines, frames, time other than the stamp it is given.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from hal.description import WORDS, PointSpec, Table, ValueType
from hal.device_facts import FaultBits, Mark, ScaleFrom, Signal
from hal.errors import Code, PodError
from hal.registers import Form, RawReader, raw_reader, raw_words
from hal.values import Cause, Curve, Quality, Reading

Judged = tuple[float, Quality, Cause]
Decoder = Callable[[Sequence[int]], Judged]

NAN = math.nan
FAILED: Judged = (NAN, Quality.BAD, Cause.SENSOR_FAILURE)
MISSING: Judged = (NAN, Quality.BAD, Cause.COMMUNICATION_ERROR)
UNSCALED: Judged = (NAN, Quality.BAD, Cause.CONFIGURATION_ERROR)
WORST_FIRST = 0x80000000  # OPC UA: a cause from here on is Bad, below it Uncertain


@dataclass(frozen=True)
class Point:
    """One point of one instance: tag, registers, conversion and limits.

    value = raw * scale + offset in ``unit``, then through its calibration ``curve``; outside low..high or
    raw_low..raw_high it is BAD, outside good_low..good_high UNCERTAIN (a live-zero signal beyond its span).
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
    marks: tuple[Mark, ...] = ()
    scale_from: ScaleFrom | None = None
    high_byte: bool = False
    swapped_bytes: bool = False
    curve: Curve | None = None
    place: int = 0
    negative: FaultBits | None = None

    @property
    def width(self) -> int:
        """Number of registers (or bits, in the tables of bits) of the value itself."""
        return WORDS[self.type]

    @property
    def form(self) -> Form:
        """How the number stands in its registers."""
        return Form(self.type, self.width, self.high_first, self.swapped_bytes, self.high_byte, max(self.bit, 0))

    def addresses(self) -> tuple[int, ...]:
        """Every address the point needs: its words, and all that says how far they may be believed."""
        found = list(range(self.address, self.address + self.width))
        found += [mark.address for mark in self.marks]
        found += [
            other.address for other in (self.fault, self.signal, self.scale_from, self.negative) if other is not None
        ]
        return tuple(found)


def resolve(spec: PointSpec, tag: str, span: tuple[float, float] | None, curve: Curve | None = None) -> Point:
    """A described point as one instance has it; span = values at the two ends of its signal."""
    scale, offset, low, high = spec.scale, spec.offset, spec.low, spec.high
    good_low, good_high = -math.inf, math.inf
    unit = spec.unit if span is None else "1"  # what a span turns milliamperes into, only the pod's people know
    if span is not None:
        scale, offset = _span_scale(spec, tag, span)
        good_low, good_high = min(span), max(span)
        low, high = -math.inf, math.inf  # the raw limits rule
    return Point(
        tag, spec.table, spec.address, spec.type, unit, low, high, scale, offset,
        spec.bit, spec.word_order == "high_first", spec.bad_values, spec.raw_low, spec.raw_high,
        good_low, good_high, spec.fault, spec.signal, spec.marks, spec.scale_from,
        spec.byte == "high", spec.byte_order == "low_first", curve, spec.place, spec.negative,
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
    judge = _fast_judge(point, point.address - first) or _full_judge(point, first)
    if point.fault is None:
        return judge
    fault_at, mask = point.fault.address - first, point.fault.mask  # as bad as anything that judge may find
    return lambda words: FAILED if words[fault_at] & mask else judge(words)


def _fast_judge(point: Point, at: int) -> Decoder | None:
    """Bits and plain unsigned words, which are most of the traffic; None for all others."""
    if point.signal or point.marks or point.scale_from or point.curve or point.swapped_bytes or point.negative:
        return None
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


def _full_judge(point: Point, first: int) -> Decoder:
    """Any type with any limit, in the order of the signal chain; of two equal doubts the earlier one is told."""
    raw_of = number_reader(point, first)
    fixed_scale, scale_of = None if point.scale_from else point.scale, scale_reader(point, first)
    raw_low = -math.inf if point.raw_low is None else point.raw_low
    raw_high = math.inf if point.raw_high is None else point.raw_high
    bad, offset, low, high, curve = point.bad_values, point.offset, point.low, point.high, point.curve
    good_low, good_high = point.good_low, point.good_high
    tests = [flag_test(flag, first) for flag in flags(replace(point, fault=None))]

    def judge(words: Sequence[int]) -> Judged:
        raw = raw_of(words)
        # Written so that NaN fails every comparison and ends as BAD.
        if not raw_low <= raw <= raw_high or raw in bad:
            return FAILED
        doubt = Cause.NONE
        for at, mask, least, most, inside, cause in tests:
            if (least <= words[at] & mask <= most) is inside:
                if cause >= WORST_FIRST:
                    return (NAN, Quality.BAD, cause)
                doubt = doubt or cause
        scale = fixed_scale or scale_of(words)
        if scale is None:
            return UNSCALED
        value = raw * scale + offset
        if curve is not None:
            value = curve(value)
            doubt = doubt or (Cause.SENSOR_NOT_ACCURATE if curve.overdue else Cause.NONE)
        if not low <= value <= high or not math.isfinite(value):
            return FAILED
        if not good_low <= value <= good_high:
            doubt = doubt or Cause.EU_EXCEEDED
        return (value, Quality.UNCERTAIN if doubt else Quality.GOOD, doubt)

    return judge


def number_reader(point: Point, first: int) -> RawReader:
    """The bare number of a point with its sign, where another register tells it."""
    magnitude = raw_reader(point.form, point.address - first)
    if point.negative is None:
        return magnitude
    at, mask = point.negative.address - first, point.negative.mask
    return lambda words: -magnitude(words) if words[at] & mask else magnitude(words)


class Flag(NamedTuple):
    """One thing another register says of a point: it holds when least <= (register & mask) <= most is ``inside``."""

    address: int
    mask: int
    least: int
    most: int
    inside: bool
    cause: Cause
    says: str


def flags(point: Point) -> tuple[Flag, ...]:
    """Fault bits, marks and the strength of the signal, in the order in which they count."""
    found = []
    if point.fault is not None:
        says = "the instrument reports its own failure"
        found.append(Flag(point.fault.address, point.fault.mask, 1, 0xFFFF, True, Cause.SENSOR_FAILURE, says))
    for mark in point.marks:
        least, most = 1, 0xFFFF
        if mark.equals is not None or mark.differs is not None:
            least = most = mark.equals if mark.differs is None and mark.equals is not None else mark.differs or 0
        found.append(Flag(mark.address, mark.mask, least, most, mark.differs is None, mark.status, mark.says))
    if point.signal is not None:
        most, says = point.signal.least - 1, f"the signal is weaker than {point.signal.least}"
        found.append(Flag(point.signal.address, 0xFFFF, 0, most, True, Cause.SENSOR_NOT_ACCURATE, says))
    return tuple(found)


def flag_test(flag: Flag, first: int) -> tuple[int, int, int, int, bool, Cause]:
    """A flag as the hot path wants it: place in the block, mask, limits, sense, cause."""
    return (flag.address - first, flag.mask, flag.least, flag.most, flag.inside, flag.cause)


def scale_reader(point: Point, first: int) -> Callable[[Sequence[int]], float | None]:
    """The value of one count: fixed, or told by a register (None when that says nothing we know)."""
    scale, told = point.scale, point.scale_from
    if told is None:
        return lambda words: scale
    at, mask, scales = told.address - first, told.mask, told.scales
    return lambda words: scales.get(words[at] & mask)


def judge_number(point: Point, raw: float, quality: Quality, cause: Cause) -> Judged:
    """What an instrument sent as a number, with its own verdict: scale, calibration, range. NaN is BAD."""
    value = raw * point.scale + point.offset
    if quality is Quality.BAD:
        return (NAN, quality, cause)
    if point.curve is not None:
        value = point.curve(value)
        if point.curve.overdue and quality is Quality.GOOD:
            quality, cause = Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE
    if not point.low <= value <= point.high or not math.isfinite(value):
        return FAILED
    return (value, quality, cause)


def energise(open_frac: float) -> bool:
    """Whether a relay output shall leave its fail state: NaN and anything up to 0.5 do not."""
    return open_frac > 0.5


def encode(point: Point, value: float) -> tuple[int, ...]:
    """Registers that make the device show ``value`` (the inverse of decode, clamped to limits).

    NaN becomes the raw value 0: a setpoint that is not a number is the fail state. Of a byte only its own half is set.
    """
    if point.type == "bit":
        return (int(energise(value)) << max(point.bit, 0),)
    raw = (min(max(value, point.low), point.high) - point.offset) / point.scale
    return raw_words(point.form, raw if math.isfinite(raw) else 0.0)
