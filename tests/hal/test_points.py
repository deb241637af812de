"""Registers to values: golden words of every device type, and no words that raise or lie."""

import math
import struct
from collections.abc import Sequence

import pytest
from described_points import distinct_points
from hypothesis import example, given
from hypothesis import strategies as st

from hal.description import ValueType, load
from hal.points import Point, decode, encode, energise, resolve
from hal.values import Cause, Quality

Words = Sequence[int]
WORD = st.integers(0, 65535)


def point(device_type: str, name: str, span: tuple[float, float] | None = None) -> Point:
    spec = load(device_type).point_named(name)
    assert spec is not None
    return resolve(spec, "T", span)


GOLDEN = [
    ("io_module_8", "position_0", [10000], 1.0),
    ("io_module_8", "position_0", [2500], 0.25),
    ("io_module_8", "position_0", [0], 0.0),
    ("load_cell_4ch", "weight_0", [0x0000, 0x61A8, 0, 0, 0, 0, 0, 0, 0], 25.0),
    ("load_cell_4ch", "weight_0", [0xFFFF, 0xFFF6, 0, 0, 0, 0, 0, 0, 0], -0.01),
    ("load_cell_4ch", "weight_3", [0, 0, 0, 0, 0, 0, 0x0001, 0x86A0, 0b0111], 100.0),
    ("level_hydrostatic", "level", [12345, 0], 1.2345),
    ("level_radar", "level", [0x0000, 0x4140, 80], 12.0),
    ("analog_8ch", "current_0", [12000] + [0] * 7, 12.0),
    ("temp_pt100_4ch", "temp_0", [350, 0, 0, 0], 35.0),
    ("temp_pt100_4ch", "temp_1", [0, 0xFFF6, 0, 0], -1.0),
]


@pytest.mark.parametrize(("device_type", "name", "words", "value"), GOLDEN)
def test_golden_words_give_the_value_of_the_manual(device_type: str, name: str, words: Words, value: float) -> None:
    reading = decode(point(device_type, name), words, 0, 7)

    assert reading.value == pytest.approx(value)
    assert reading[2:] == (Quality.GOOD, Cause.NONE, 7)


FAILED = [
    ("io_module_8", "position_0", [65535]),
    ("io_module_8", "position_0", [10001]),
    ("load_cell_4ch", "weight_0", [0x61A8, 0x0000, 0, 0, 0, 0, 0, 0, 0]),  # words swapped
    ("load_cell_4ch", "weight_1", [0, 0, 0, 25000, 0, 0, 0, 0, 0b0010]),
    ("level_hydrostatic", "level", [12345, 1]),
    ("level_hydrostatic", "level", [65535, 0]),
    ("level_radar", "level", [0x0000, 0x7FC0, 80]),  # NaN
    ("level_radar", "level", [0x0000, 0x7F80, 80]),  # infinity
    ("level_radar", "level", [0x4140, 0x0101, 80]),  # words swapped
    ("analog_8ch", "current_0", [3599] + [0] * 7),
    ("analog_8ch", "current_0", [21001] + [0] * 7),
    ("temp_pt100_4ch", "temp_0", [32767, 0, 0, 0]),
    ("temp_pt100_4ch", "temp_0", [0x8000, 0, 0, 0]),
]


@pytest.mark.parametrize(("device_type", "name", "words"), FAILED)
def test_words_of_a_failed_sensor_are_bad_and_nan(device_type: str, name: str, words: Words) -> None:
    reading = decode(point(device_type, name), words, 0, 7)

    assert math.isnan(reading.value)
    assert (reading.quality, reading.cause) == (Quality.BAD, Cause.SENSOR_FAILURE)


@pytest.mark.parametrize(
    ("microamps", "kg", "quality"),
    [
        (4000, 0.0, Quality.GOOD),
        (12000, 300.0, Quality.GOOD),
        (20000, 600.0, Quality.GOOD),
        (3900, -3.75, Quality.UNCERTAIN),
        (20500, 618.75, Quality.UNCERTAIN),
    ],
)
def test_a_span_maps_4_to_20_ma_and_doubts_what_is_beyond(microamps: int, kg: float, quality: Quality) -> None:
    reading = decode(point("analog_8ch", "current_2", (0.0, 600.0)), [0, 0, microamps, 0, 0, 0, 0, 0], 0, 7)

    assert reading.value == pytest.approx(kg)
    assert reading.quality is quality


@pytest.mark.parametrize("microamps", [3599, 21001])
def test_a_spanned_input_outside_ne43_is_bad(microamps: int) -> None:
    assert decode(point("analog_8ch", "current_0", (0.0, 600.0)), [microamps], 0, 7).quality is Quality.BAD


def test_a_weak_echo_makes_the_radar_uncertain() -> None:
    reading = decode(point("level_radar", "level"), [0x0000, 0x4140, 19], 0, 7)

    assert reading == ("T", 12.0, Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE, 7)


@pytest.mark.parametrize("bit", range(8))
def test_a_switch_is_its_bit_of_the_shared_register(bit: int) -> None:
    assert decode(point("io_module_8", f"switch_{bit}"), [1 << bit], 9, 7).value == 1.0
    assert decode(point("io_module_8", f"switch_{bit}"), [0xFF & ~(1 << bit)], 9, 7).value == 0.0


EVERY_POINT = distinct_points(("read",))


@pytest.mark.parametrize(("device_type", "name"), EVERY_POINT)
@given(words=st.lists(WORD, max_size=12), first=st.integers(0, 3))
def test_any_words_give_a_finite_value_or_bad(device_type: str, name: str, words: list[int], first: int) -> None:
    reading = decode(point(device_type, name), words, first, 7)

    assert math.isfinite(reading.value) == (reading.quality is not Quality.BAD)
    assert math.isnan(reading.value) == (reading.quality is Quality.BAD)


@pytest.mark.parametrize(("device_type", "raw"), [("u16", [7]), ("s16", [7]), ("u32", [0, 7])])
def test_a_bad_value_inside_the_range_is_bad(device_type: ValueType, raw: Words) -> None:
    subject = Point("T", "input", 0, device_type, "1", 0.0, 100.0, bad_values=(7,))

    assert decode(subject, raw, 0, 7).quality is Quality.BAD
    assert decode(subject, [0, 8] if len(raw) > 1 else [8], 0, 7).value == 8.0


@example(raw=b"\x7f\x00\x00\x00", scale=1e300, offset=0.0)
@example(raw=b"\x7f\x80\x00\x00", scale=1.0, offset=0.0)
@given(raw=st.binary(min_size=4, max_size=4), scale=st.floats(allow_nan=False), offset=st.floats(allow_nan=False))
def test_no_scale_makes_a_good_value_that_is_not_finite(raw: bytes, scale: float, offset: float) -> None:
    unlimited = Point("T", "input", 0, "f32", "1", -math.inf, math.inf, scale, offset)

    reading = decode(unlimited, struct.unpack(">2H", raw), 0, 7)

    assert math.isfinite(reading.value) == (reading.quality is not Quality.BAD)


def test_missing_words_are_a_communication_error() -> None:
    assert decode(point("load_cell_4ch", "weight_0"), [0, 1], 0, 7).cause is Cause.COMMUNICATION_ERROR


@pytest.mark.parametrize(
    ("device_type", "name", "value"),
    [
        ("load_cell_4ch", "weight_0", -12.345),
        ("level_radar", "level", 3.25),
        ("temp_pt100_4ch", "temp_0", -40.5),
        ("io_module_8", "position_3", 0.1234),
    ],
)
def test_decode_undoes_encode(device_type: str, name: str, value: float) -> None:
    subject = point(device_type, name)
    words = [0] * 16
    encoded = encode(subject, value)
    words[subject.address : subject.address + len(encoded)] = encoded
    if subject.signal is not None:
        words[subject.signal.address] = 100

    assert decode(subject, words, 0, 7).value == pytest.approx(value)


@given(st.floats())
def test_any_float_encodes_to_words(value: float) -> None:
    for device_type, name in EVERY_POINT[:40]:
        assert all(0 <= word <= 65535 for word in encode(point(device_type, name), value))


@pytest.mark.parametrize(
    ("open_frac", "on"), [(1.0, True), (0.5, False), (0.0, False), (math.nan, False), (-1.0, False)]
)
def test_only_more_than_half_energises(open_frac: float, on: bool) -> None:
    assert energise(open_frac) is on


def test_a_value_behind_a_span_is_shown_without_the_unit_of_its_loop() -> None:
    assert point("analog_8ch", "current_0").unit == "mA"
    assert point("analog_8ch", "current_0", (0.0, 440.0)).unit == "1"
