"""The signal chain: its order, its verdicts, and that what is shown is what was decided."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from described_points import distinct_points
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.description import load
from hal.device_facts import Mark
from hal.points import Point, decode, resolve
from hal.signal_chain import stages, verdict
from hal.values import Cause, Quality

WORD = st.one_of(st.sampled_from([0, 1, 0x7FFF, 0x8000, 0xFFFF, 0x7FC0, 4000, 20000]), st.integers(0, 65535))


@dataclass(frozen=True)
class Slope:
    """A calibration with one number."""

    gain_ratio: float
    overdue: bool = False
    label: str = "two points, 2026-03-01, A. Miller"

    def __call__(self, value: float, /) -> float:
        return value * self.gain_ratio


EVERY_POINT = distinct_points()


def point(device_type: str, name: str, gain_ratio: float | None, overdue: bool) -> Point:
    spec = load(device_type).point_named(name)
    assert spec is not None
    span = (0.0, 600.0) if spec.span is not None and overdue else None
    return resolve(spec, "T", span, None if gain_ratio is None else Slope(gain_ratio, overdue))


@pytest.mark.parametrize(("device_type", "name"), EVERY_POINT)
@settings(max_examples=30)  # each point has its own
@given(
    words=st.lists(WORD, min_size=16, max_size=16),
    gain_ratio=st.one_of(st.none(), st.sampled_from([1.0, -3.0, math.inf, math.nan])),
    overdue=st.booleans(),
    cut=st.integers(0, 3),
)
def test_what_is_shown_is_what_was_decided(
    device_type: str, name: str, words: Sequence[int], gain_ratio: float | None, overdue: bool, cut: int
) -> None:
    subject = point(device_type, name, gain_ratio, overdue)
    first = min(subject.addresses())
    words = (*words, *words)[: max(subject.addresses()) - first + 2 - cut]

    decided = decode(subject, words, first, 7)
    value, quality, cause = verdict(stages(subject, words, first))

    assert (quality, cause) == (decided.quality, decided.cause)
    assert value == decided.value or (math.isnan(value) and math.isnan(decided.value))


LEVEL = Point(
    "LT", "input", 0, "u16", "m", 0.0, 5.0, 0.001, curve=Slope(2.0),
    marks=(
        Mark(address=1, mask=1, cause="device_failure", says="heater broken"),
        Mark(address=1, mask=2, cause="sensor_not_accurate", says="being cleaned"),
    ),
)  # fmt: skip


def test_the_steps_stand_in_the_order_of_the_chain() -> None:
    shown = stages(LEVEL, [2000, 0], 0)

    assert [stage.name for stage in shown] == ["decode", "marks", "scale", "calibration", "range"]
    assert [stage.value for stage in shown] == pytest.approx([2000, 2000, 2.0, 4.0, 4.0])
    assert verdict(shown) == (4.0, Quality.GOOD, Cause.NONE)


@pytest.mark.parametrize(
    ("words", "quality", "cause", "last"),
    [
        ([2000, 1], Quality.BAD, Cause.DEVICE_FAILURE, "marks"),
        ([2000, 3], Quality.BAD, Cause.DEVICE_FAILURE, "marks"),
        ([2000, 2], Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE, "range"),
        ([2600, 2], Quality.BAD, Cause.SENSOR_FAILURE, "range"),
        ([2600, 0], Quality.BAD, Cause.SENSOR_FAILURE, "range"),
        ([2000], Quality.BAD, Cause.COMMUNICATION_ERROR, "decode"),
    ],
)
def test_the_worst_verdict_wins(words: list[int], quality: Quality, cause: Cause, last: str) -> None:
    shown = stages(LEVEL, words, 0)

    assert shown[-1].name == last
    assert verdict(shown)[1:] == (quality, cause)


def test_an_expired_calibration_makes_a_value_uncertain_and_says_so() -> None:
    shown = stages(replace(LEVEL, curve=Slope(2.0, overdue=True)), [2000, 0], 0)

    assert verdict(shown) == (4.0, Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE)
    assert "A. Miller, which has expired" in shown[3].says


def test_a_calibration_that_gives_no_number_is_bad() -> None:
    assert verdict(stages(replace(LEVEL, curve=Slope(math.nan)), [2000, 0], 0))[1] is Quality.BAD


def wide(**changes: object) -> Point:
    return Point("T", "input", 0, "u16", "1", -1e9, 1e9, **changes)  # type: ignore[arg-type]  # any field of a point


@pytest.mark.parametrize(
    ("subject", "words", "value"),
    [
        (replace(wide(), type="u8"), [0x12F4], 0xF4),
        (replace(wide(), type="u8", high_byte=True), [0x12F4], 0x12),
        (replace(wide(), type="s8"), [0x12F4], -12),
        (replace(wide(), type="s8", high_byte=True), [0x8012], -128),
        (replace(wide(), type="bcd"), [0x0209], 209),
        (replace(wide(), type="u16", swapped_bytes=True), [0x3412], 0x1234),
        (replace(wide(), type="f32", swapped_bytes=True), [0xC841, 0x0000], 25.0),
        (replace(wide(), type="f32", swapped_bytes=True, high_first=False), [0x0000, 0xC841], 25.0),
        (replace(wide(), type="bit", bit=3, marks=LEVEL.marks), [8, 0], 1.0),
    ],
)
def test_packed_and_swapped_numbers_are_read(subject: Point, words: list[int], value: float) -> None:
    assert decode(subject, words, 0, 7).value == value
    assert verdict(stages(subject, words, 0))[0] == value


def test_a_half_byte_that_is_no_digit_is_bad() -> None:
    assert decode(replace(wide(), type="bcd"), [0x02A9], 0, 7).quality is Quality.BAD
