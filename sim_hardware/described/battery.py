"""What every device has to pass, whatever its description says: each check gives a sentence per fault it finds.

Job: golden words, every point read over bytes, NaN, out of span, swapped words, error values, fault bits, time-out,
exceptions, limits of requests, outputs and their own timer, commands, wear. Neighbours: bench.py; the tests and
`podctl check-device` run it. Must not know: one device from another.
"""

import math
from collections.abc import Callable, Iterator

from hal.description import WORDS, Description, PointSpec
from hal.device_facts import Golden
from hal.errors import PodError
from hal.points import resolve
from hal.registers import raw_words
from hal.values import Cause, Quality, Reading
from sim_hardware.described.bench import TICK_S, Bench
from sim_hardware.described.orders import commands, outputs, wear
from sim_hardware.described.text_battery import garbage_ends, golden_frames, silence_is_told, what_it_shows_arrives

Check = Callable[[Description], Iterator[str]]
SWAPS = 12
SILENT_S = 70.0  # longer than three periods of the slowest points
_LARGEST = {"bit": 1, "u8": 255, "s8": 127, "u16": 65535, "s16": 32767, "bcd": 9999, "u32": 2**32 - 1, "s32": 2**31 - 1}


def check(description: Description) -> list[str]:
    """Every fault found, each with the name of the check."""
    return [f"{each.__name__}: {fault}" for each in checks_of(description) for fault in each(description)]


def checks_of(description: Description) -> tuple[Check, ...]:
    """What a device of this kind has to pass."""
    return CHECKS if description.protocol == "modbus_rtu" else TEXT_CHECKS


def read_points(description: Description) -> list[PointSpec]:
    """The points that are read."""
    return [point for point in description.point if point.access == "read"]


def golden(description: Description) -> Iterator[str]:
    """Known registers give the known value, over bytes; every kind of point has some."""
    for known in description.golden:
        bench = Bench(description)
        spec = _spec(description, known)
        bench.device.set(spec.table, dict.fromkeys(resolve(spec, "", None).addresses(), 0) | known.registers)
        yield from _differs(known, spec, bench.readings()[spec.name])
    kinds = {_kind(_spec(description, known)) for known in description.golden}
    for spec in read_points(description):
        if _kind(spec) not in kinds:
            yield f"{spec.name} is of a kind ({spec.type}, scale {spec.scale:g}) without golden words: add some"


def quality_of(cause: Cause) -> Quality:
    """What a cause says of a reading, by its two highest bits (OPC 10000-8)."""
    return (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)[cause >> 30]


def _spec(description: Description, known: Golden) -> PointSpec:
    return next(point for point in description.point if point.name == known.point)


def _kind(spec: PointSpec) -> tuple[object, ...]:
    return (spec.table, spec.type, spec.scale, spec.offset, spec.word_order, spec.byte_order, spec.unit)


def _differs(known: Golden, spec: PointSpec, reading: Reading) -> Iterator[str]:
    cause = Cause[known.cause.upper()]
    if (reading.cause, reading.quality) != (cause, quality_of(cause)):
        yield f"{spec.name} of {known.registers} is {reading.quality.name} {reading.cause.name}, not {cause.name}"
    elif known.value is not None and not math.isclose(reading.value, known.value, rel_tol=1e-6, abs_tol=1e-9):
        yield f"{spec.name} of {known.registers} is {reading.value:g}, not {known.value:g} {spec.unit}"


def every_point_is_read(description: Description) -> Iterator[str]:
    """What the device shows arrives, to a count, for every point and in every part of its range."""
    for share_frac in (0.1, 0.5, 0.9):
        bench, shown = Bench(description), {}
        for spec in read_points(description):
            if spec.type != "bit":
                shown[spec.name] = _within(spec, share_frac)
                bench.device.show(spec, shown[spec.name])
        readings = bench.readings()
        for spec in read_points(description):
            reading, value = readings[spec.name], shown.get(spec.name, 0.0)
            tolerance = abs(spec.scale) if spec.type != "f32" else 1e-6 * max(1.0, abs(value))
            if reading.quality is not Quality.GOOD:
                yield f"{spec.name} showing {value:g} {spec.unit} is {reading.quality.name} {reading.cause.name}"
            elif abs(reading.value - value) > tolerance:
                yield f"{spec.name} showing {value:g} {spec.unit} reads {reading.value:g}"


def _within(spec: PointSpec, share_frac: float) -> float:
    """A value inside range, raw limits and type, that share of the way up."""
    low, high = spec.low, spec.high
    if spec.type != "f32":
        smallest = -_LARGEST[spec.type] if spec.type[0] == "s" or spec.negative else 0
        raw_low = smallest if spec.raw_low is None else spec.raw_low
        raw_high = _LARGEST[spec.type] if spec.raw_high is None else spec.raw_high
        ends = sorted((raw_low * spec.scale + spec.offset, raw_high * spec.scale + spec.offset))
        low, high = max(low, ends[0]), min(high, ends[1])
    return low + share_frac * (high - low)


def failures_are_bad(description: Description) -> Iterator[str]:
    """NaN, infinity, beyond the range, beyond raw limits, and the words of failure: BAD, never a number."""
    for spec in read_points(description):
        for raw in _failed_numbers(spec):
            bench = Bench(description, names=(spec.name,))
            bench.device.set_raw(spec, raw)
            reading = bench.readings()[spec.name]
            if reading.quality is not Quality.BAD or not math.isnan(reading.value):
                yield f"{spec.name} holding {raw:g} reads {reading.value:g} {reading.quality.name}"


def _failed_numbers(spec: PointSpec) -> Iterator[float]:
    if spec.type == "bit":
        return
    yield from spec.bad_values
    if spec.type == "f32":
        yield from (math.nan, math.inf, -math.inf)
    scale = spec.scale if spec.scale_from is None else next(iter(spec.scale_from.scales.values()))
    margin = 0.01 * (spec.high - spec.low) + abs(scale)
    beyond = [(spec.high + margin - spec.offset) / scale, (spec.low - margin - spec.offset) / scale]
    beyond += [float(limit + step) for limit, step in ((spec.raw_low, -1), (spec.raw_high, 1)) if limit is not None]
    if spec.type == "f32":
        yield from beyond
        return
    largest = _LARGEST[spec.type]
    smallest = -largest - 1 if spec.type[0] == "s" else 0
    yield from (raw for raw in beyond if smallest <= raw <= largest)


def swapped_words_are_bad(description: Description) -> Iterator[str]:
    """Numbers of two words over the whole range, their words in the wrong order: most are BAD at once.

    Not all can be told (equal words, a zero word, a float whose low word looks like a small exponent): a device that
    is set wrongly shows itself by the others, and rate of change and vote have to stop the rest.
    """
    for spec in read_points(description):
        if WORDS[spec.type] < 2:
            continue
        shares_frac = [(2 * k + 1) / (2 * SWAPS) for k in range(SWAPS)]
        passed = [share_frac for share_frac in shares_frac if _passes_swapped(description, spec, share_frac)]
        if len(passed) > SWAPS // 2:
            yield f"{spec.name}: {len(passed)} of {SWAPS} numbers with swapped words are not BAD: narrow its range"


def _passes_swapped(description: Description, spec: PointSpec, share_frac: float) -> bool:
    bench = Bench(description, names=(spec.name,))
    bench.device.show(spec, _within(spec, share_frac))
    bench.device.swap(spec)
    return bench.readings()[spec.name].quality is not Quality.BAD


def marks_are_told(description: Description) -> Iterator[str]:
    """Each fault bit, mark and weak signal gives its cause, and its end gives the value back."""
    for spec in read_points(description):
        for table_address, word, cause in _marked(spec):
            bench = Bench(description, names=(spec.name,))
            bench.device.show(spec, _within(spec, 0.5))
            before = bench.readings()[spec.name]
            bench.device.set(spec.table, {table_address: word})
            reading = bench.run(2.0 * SILENT_S if spec.group == "slow" else 3.0 * TICK_S).readings[spec.name]
            if before.cause is not Cause.NONE or (reading.cause, reading.quality) != (cause, quality_of(cause)):
                told = f"{reading.quality.name} {reading.cause.name}, not {cause.name}"
                yield f"{spec.name}: register {table_address} = 0x{word:04X} gives {told}"


def _marked(spec: PointSpec) -> Iterator[tuple[int, int, Cause]]:
    if spec.fault is not None:
        yield spec.fault.address, spec.fault.mask & -spec.fault.mask, Cause.SENSOR_FAILURE
    if spec.signal is not None and spec.signal.least:
        yield spec.signal.address, spec.signal.least - 1, Cause.SENSOR_NOT_ACCURATE
    for k, mark in enumerate(spec.marks):
        word = mark.mask & -mark.mask if mark.equals is None else mark.equals
        if mark.differs is not None:
            word = mark.differs ^ (mark.mask & -mark.mask)
        earlier = [m for m in spec.marks[:k] if m.address == mark.address and m.equals is None and m.differs is None]
        if not any(word & m.mask for m in earlier):
            yield mark.address, _with_others_quiet(spec, mark.address, word, mark.mask), mark.status


def _with_others_quiet(spec: PointSpec, address: int, word: int, mask: int) -> int:
    """The same word, with the bits of this register that other marks want set."""
    for other in spec.marks:
        if other.address == address and other.mask & mask == 0:
            if other.equals == 0:
                word |= other.mask & -other.mask
            word |= other.differs or 0
    return word


def silence_is_bad(description: Description) -> Iterator[str]:
    """A dead device: every point BAD for a communication cause; back again, every point is read again."""
    bench = Bench(description)
    bench.readings()
    bench.begin("device_dead")
    for name, reading in bench.run(SILENT_S).readings.items():
        if reading.quality is not Quality.BAD or reading.cause not in (
            Cause.NO_COMMUNICATION,
            Cause.COMMUNICATION_ERROR,
        ):
            yield f"{name} of a dead device is {reading.quality.name} {reading.cause.name}"
    bench.end("device_dead")
    for name, reading in bench.run(SILENT_S).readings.items():
        if reading.cause in (Cause.NO_COMMUNICATION, Cause.COMMUNICATION_ERROR):
            yield f"{name} does not come back"


def exceptions_are_bad(description: Description) -> Iterator[str]:
    """A device that answers with an exception, failing or busy, has no readings."""
    for fault in ("device_failure", "device_busy"):
        bench = Bench(description)
        bench.readings()
        bench.begin(fault)
        for name, reading in bench.run(SILENT_S).readings.items():
            if reading.quality is not Quality.BAD:
                yield f"{name} under {fault} is {reading.quality.name}"


def limits_are_kept(description: Description) -> Iterator[str]:
    """The master never asks what the device must not be asked: functions, holes, too many registers."""
    bench = Bench(description)
    bench.run(30.0)
    if bench.device.refused:
        yield f"the device refused {bench.device.refused} requests of the master: correct readable or max_registers"
    for spec in read_points(description):
        if len(raw_words(resolve(spec, "", None).form, 0.0)) > description.max_registers:
            yield f"{spec.name} needs more registers than one request may read"


def sources_are_named(description: Description) -> Iterator[str]:
    """Where the figures are from, and that nobody has tried them on the device itself."""
    if len(description.source) < 10:
        yield f"source = {description.source!r}: name manual and page, or who made the register list"
    if description.tried_on_hardware and "tried" not in description.remark:
        yield "tried_on_hardware = true: say in remark by whom and with which firmware"
    if any(point.access == "write" for point in description.point) and description.watchdog is None:
        try:
            Bench(description, watchdog_s=2.0)
        except PodError:
            if not description.remark:
                yield "it has outputs and no timer that can be set: say in remark what that means"
        else:
            yield "a watchdog is accepted that the description does not have"


CHECKS: tuple[Check, ...] = (
    golden,
    every_point_is_read,
    failures_are_bad,
    swapped_words_are_bad,
    marks_are_told,
    silence_is_bad,
    exceptions_are_bad,
    limits_are_kept,
    outputs,
    wear,
    commands,
    sources_are_named,
)
TEXT_CHECKS: tuple[Check, ...] = (
    golden_frames,
    what_it_shows_arrives,
    silence_is_told,
    garbage_ends,
    sources_are_named,
)
