"""What every instrument that speaks in text has to pass: golden frames, readings, silence, garbage between frames.

Neighbours: battery.py is the same for Modbus devices and lists these; text_bench.py. Must not know: one from another.
"""

import math
import random
from collections.abc import Iterator

from hal.description import Description
from hal.values import Cause, Quality
from sim_hardware.described.text_bench import TextBench

FIRST_S, SILENT_S = 12.0, 40.0
GARBAGE_BYTES, GARBAGE_RUNS = 200, 8


def golden_frames(description: Description) -> Iterator[str]:
    """Known bytes give the known value."""
    if not description.golden:
        yield "no golden frame: add one"
    for known in description.golden:
        bench, frame = TextBench(description), bytes.fromhex(known.frame)
        if description.probe is None:
            scan = bench.hear(frame)
        else:
            bench.probe.said = frame
            scan = bench.run(FIRST_S)
        reading, cause = scan.readings[known.point], Cause[known.cause.upper()]
        if reading.cause is not cause:
            yield f"{known.point} of {frame!r} is {reading.cause.name}, not {cause.name}"
        elif known.value is not None and not math.isclose(reading.value, known.value, rel_tol=1e-9):
            yield f"{known.point} of {frame!r} is {reading.value:g}, not {known.value:g}"


def what_it_shows_arrives(description: Description) -> Iterator[str]:
    """A simulated instrument of this description is read, over bytes."""
    for share_frac in (0.1, 0.5, 0.9):
        bench = TextBench(description)
        for point in description.point:
            high = min(point.high, 4000.0)
            bench.values[point.place] = round(max(point.low, 0.0) + share_frac * (high - max(point.low, 0.0)), 1)
        if description.probe is not None:
            bench.probe.said = ",".join(f"{value:.3f}" for value in bench.values).encode() + b"\r*OK\r"
        readings = bench.run(FIRST_S).readings
        for point in description.point:
            reading, value = readings[point.name], bench.values[point.place]
            if reading.quality is not Quality.GOOD or not math.isclose(reading.value, value, abs_tol=0.051):
                yield f"{point.name} showing {value:g} reads {reading.value:g} {reading.cause.name}"


def silence_is_told(description: Description) -> Iterator[str]:
    """A dead instrument: BAD; back again, read again."""
    bench = TextBench(description)
    bench.probe.said = ",".join(["7.0"] * len(bench.values)).encode() + b"\r*OK\r"
    bench.run(FIRST_S)
    bench.begin("device_dead")
    for name, reading in bench.run(SILENT_S).readings.items():
        if reading.cause is not Cause.NO_COMMUNICATION:
            yield f"{name} of a dead instrument is {reading.quality.name} {reading.cause.name}"
    bench.end("device_dead")
    for name, reading in bench.run(SILENT_S).readings.items():
        if reading.quality is not Quality.GOOD:
            yield f"{name} does not come back: {reading.cause.name}"


def garbage_ends(description: Description) -> Iterator[str]:
    """After any garbage it is read again."""
    dice = random.Random(1)
    for _ in range(GARBAGE_RUNS):
        bench = TextBench(description)
        bench.probe.said = ",".join(["7.0"] * len(bench.values)).encode() + b"\r*OK\r"
        bench.run(FIRST_S)
        bench.hear(dice.randbytes(dice.randrange(1, GARBAGE_BYTES)))
        for name, reading in bench.run(FIRST_S).readings.items():
            if reading.quality is not Quality.GOOD:
                yield f"{name} is lost after garbage: {reading.cause.name}"
