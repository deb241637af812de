"""The continuous weight format: golden frames, and no garbage that weighs anything."""

import math
from itertools import pairwise

import pytest
from hal_desk import MS, SECOND
from hypothesis import given
from hypothesis import strategies as st

from hal.description import DeviceConfig, Hardware, LineConfig
from hal.device_facts import ContinuousFormat
from hal.line import NEVER, Wait
from hal.pod_io import PodIO, build
from hal.points import Point
from hal.serial_instruments import SerialLine, Weight, WeightDecoder
from hal.values import Cause, Quality

KG, MOTION, NEGATIVE, NET, OUT, POWER_UP = 0x10, 0x08, 0x02, 0x01, 0x04, 0x40
ALWAYS = 0x20


def frame(
    weight: str, places: int = 1, status: int = KG, tare: str = "     0", with_checksum: bool = True, other: int = 0
) -> bytes:
    """A frame as the manuals draw it; places = digits after the point."""
    body = bytes((2, ALWAYS | places + 2, ALWAYS | status, ALWAYS | other))
    body += weight.encode() + tare.encode() + b"\r"
    total = sum(body) & 0x7F
    return body + bytes(((128 - total) & 0x7F,)) if with_checksum else body


def weigh(data: bytes, with_checksum: bool = True) -> Weight | None:
    return WeightDecoder(ContinuousFormat(checksum=with_checksum)).feed(data)


GOLDEN = [
    (("  1234", 1, KG, "     0"), Weight(123.4, Quality.GOOD, Cause.NONE, 0)),
    (("  1234", 0, KG, "     0"), Weight(1234.0, Quality.GOOD, Cause.NONE, 0)),
    (("  1234", -2, KG, "     0"), Weight(123400.0, Quality.GOOD, Cause.NONE, 0)),
    (("001234", 3, KG, "000000"), Weight(1.234, Quality.GOOD, Cause.NONE, 0)),
    (("     5", 1, KG | NEGATIVE, "     0"), Weight(-0.5, Quality.GOOD, Cause.NONE, 0)),
    (("  1234", 1, KG | MOTION, "     0"), Weight(123.4, Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE, 0)),
    (("  1234", 1, KG | POWER_UP, "     0"), Weight(123.4, Quality.UNCERTAIN, Cause.INITIAL_VALUE, 0)),
    (("     0", 1, KG | NET, "  1234"), Weight(123.4, Quality.UNCERTAIN, Cause.SUBSTITUTE_VALUE, 0)),
    (("   100", 1, KG | NET | NEGATIVE, "  1234"), Weight(113.4, Quality.UNCERTAIN, Cause.SUBSTITUTE_VALUE, 0)),
]


@pytest.mark.parametrize("with_checksum", [True, False])
@pytest.mark.parametrize(("shown", "weight"), GOLDEN)
def test_golden_frames(shown: tuple[str, int, int, str], weight: Weight, with_checksum: bool) -> None:
    assert weigh(frame(*shown, with_checksum), with_checksum) == weight


@pytest.mark.parametrize(
    ("status", "other", "cause"),
    [(KG | OUT, 0, Cause.SENSOR_FAILURE), (0, 0, Cause.CONFIGURATION_ERROR), (KG, 1, Cause.CONFIGURATION_ERROR)],
)
def test_out_of_range_and_other_units_are_bad(status: int, other: int, cause: Cause) -> None:
    weight = weigh(frame("  1234", status=status, other=other))

    assert weight is not None
    assert math.isnan(weight.gross_kg)
    assert (weight.quality, weight.cause) == (Quality.BAD, cause)


@given(st.binary(max_size=60))
def test_after_any_garbage_the_second_frame_is_found(garbage: bytes) -> None:
    decoder = WeightDecoder(ContinuousFormat())
    decoder.feed(garbage)
    decoder.feed(frame("  1111"))

    weight = decoder.feed(frame("  1234"))

    assert weight is not None
    assert weight.gross_kg == pytest.approx(123.4)


@given(st.integers(0, 17), st.integers(1, 255))
def test_a_changed_byte_is_never_a_wrong_weight(at: int, change: int) -> None:
    spoilt = bytearray(frame("  1234"))
    spoilt[at] ^= change

    assert weigh(bytes(spoilt)) is None


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=10))
def test_random_bytes_weigh_nothing(chunks: list[bytes]) -> None:
    decoder = WeightDecoder(ContinuousFormat())

    assert all(decoder.feed(chunk) is None for chunk in chunks)


@given(st.lists(st.integers(1, 17), max_size=6), st.integers(0, 999999))
def test_cutting_the_stream_anywhere_changes_nothing(cuts: list[int], digits: int) -> None:
    stream, decoder, weights = frame(f"{digits:6d}"), WeightDecoder(ContinuousFormat()), []
    edges = [0, *sorted(set(cuts)), len(stream)]

    for start, end in pairwise(edges):
        weights.append(decoder.feed(stream[start:end]))

    assert [w.gross_kg for w in weights if w is not None] == [pytest.approx(digits / 10)]


def test_a_frame_cut_off_and_followed_by_a_whole_one() -> None:
    weight = weigh(frame("  9999")[:9] + frame("  1234"))

    assert weight is not None
    assert weight.gross_kg == pytest.approx(123.4)


def unchecked() -> SerialLine:
    """An indicator without a checksum, heard four times a second at the least."""
    point = Point("WT", "frame", 0, "number", "kg", -1000.0, 1000.0)
    return SerialLine("W", 9600, point, ContinuousFormat(checksum=False), 250 * MS)


@pytest.mark.parametrize(
    ("frames", "quality"),
    [
        ([(100, KG), (100, KG), (5, KG | MOTION), (60, KG | MOTION), (100, KG)], Quality.UNCERTAIN),  # 60 was in motion
        ([(40, KG | POWER_UP), (40, KG | POWER_UP), (0, KG)], Quality.UNCERTAIN),  # 40 was not zeroed
        ([(100, KG), (100, KG), (100, KG | MOTION)], Quality.UNCERTAIN),  # what the newest says counts at once
        ([(40, KG | POWER_UP), (40, KG), (40, KG), (40, KG)], Quality.GOOD),
    ],
)
def test_the_middle_of_three_is_no_better_than_its_own_frame_or_the_newest(
    frames: list[tuple[int, int]], quality: Quality
) -> None:
    line = unchecked()

    for k, (tenths, status) in enumerate(frames):
        line.receive(frame(f"{tenths:6d}", status=status, with_checksum=False), (k + 1) * 100 * MS)

    assert line.readings["WT"].quality is quality


def test_after_a_silence_no_weight_from_before_it_comes_back() -> None:
    line = unchecked()
    for k in (1, 2):
        line.receive(frame("   100", with_checksum=False), k * 100 * MS)
    line.collect(2700 * MS)

    line.receive(frame("   900", with_checksum=False), 2700 * MS)

    reading = line.readings["WT"]
    assert (reading.value, reading.quality) == (90.0, Quality.GOOD)
    assert reading.taken_ns > 2600 * MS


def indicator() -> PodIO:
    lines = (LineConfig("W", "ascii", "/dev/pod-w", 9600),)
    return build(Hardware(lines, (DeviceConfig("WI", "weigh_indicator", "W", 0, 0.0, {"weight": "WT-203"}),), 0.5))


def test_the_reading_is_stamped_with_the_beginning_of_its_frame() -> None:
    io = indicator()
    data = frame("  1234")

    io.lines[0].receive(data + data[:4], SECOND)

    reading = io.scan(SECOND).readings["WT-203"]
    assert reading.value == pytest.approx(123.4)
    assert reading.taken_ns == SECOND - (len(data) + 4) * (10 * SECOND // 9600)


def test_a_silent_indicator_goes_bad_and_comes_back() -> None:
    io = indicator()
    never = io.scan(0).readings["WT-203"]
    io.lines[0].receive(frame("  1234"), SECOND)

    silent = io.scan(3 * SECOND).readings["WT-203"]
    io.lines[0].receive(frame("  1235"), 4 * SECOND)
    back = io.scan(4 * SECOND + 100 * MS).readings["WT-203"]

    assert never.cause is Cause.INITIAL_VALUE
    assert (silent.quality, silent.cause) == (Quality.BAD, Cause.NO_COMMUNICATION)
    assert back.value == pytest.approx(123.5)


def test_a_weight_no_tank_can_have_is_bad() -> None:
    io = indicator()

    io.lines[0].receive(frame("999999"), SECOND)

    assert io.scan(SECOND).readings["WT-203"].quality is Quality.BAD


def test_nothing_is_ever_sent() -> None:
    assert indicator().lines[0].next_action(0) == Wait(NEVER)
