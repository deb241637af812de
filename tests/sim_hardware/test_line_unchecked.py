"""Instruments without a check sequence: what formats must let pass is counted out, and met by the middle of three."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.middle import KEEP_PERIODS, Heard, Middle
from hal.values import Cause, Quality
from sim_hardware.line_campaign.hurt import KINDS, spoil, variants
from sim_hardware.line_campaign.spoken import INSTRUMENTS
from sim_hardware.line_campaign.unchecked import campaign, document

PERIOD_NS = 1_000_000
NAMES = list(INSTRUMENTS)


def good(number: float, taken_ns: int) -> Heard:
    return Heard(number, taken_ns, Quality.GOOD, Cause.NONE)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_format_lets_pass_is_met(name: str, depth: str) -> None:
    counts = campaign(INSTRUMENTS[name], 40_000 if depth == "full" else 1_200, 7)

    assert counts.good > 0.8 * counts.frames
    assert counts.faults > 0.15 * counts.frames
    assert counts.passed == pytest.approx(counts.expected_passed_count, abs=5.0 * counts.expected_passed_count**0.5 + 1)


def test_every_goal_is_met_in_a_sample() -> None:
    found = document(1_000, 3)

    assert list(found) == NAMES
    assert all(counts["met"] for counts in found.values()), found
    assert found["EZO conductivity"]["passed"] > 10


def test_without_the_middle_of_three_wrong_values_come_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Middle, "of", lambda self, newest: newest)

    counts = campaign(INSTRUMENTS["EZO conductivity"], 1_000, 3)

    assert counts.wrong_good > 0.8 * counts.passed > counts.most_wrong_good_count


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_reader_of_the_campaign_and_the_line_agree_on_every_spoilt_frame(name: str, kind: str) -> None:
    spoken, dice = INSTRUMENTS[name], Random(5)
    spoilt = variants(kind, spoken.frame(3))

    for heard in spoilt if len(spoilt) < 200 else dice.sample(spoilt, 200):
        _, reading = spoken.desk().show(heard)
        is_good = reading is not None and reading.quality == 0
        assert is_good == (spoken.read(heard) is not None), heard
        assert not is_good or reading is None or reading.value == spoken.read(heard), heard


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_drawn_is_among_what_is_counted(kind: str) -> None:
    frame, dice = INSTRUMENTS["weighing, short"].frame(9), Random(2)

    assert {spoil(kind, frame, dice) for _ in range(50)} <= set(variants(kind, frame))


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.integers(0, 2))
def test_one_stranger_among_three_is_never_believed(steady: float, stranger: float, place: int) -> None:
    middle = Middle(PERIOD_NS)
    numbers = [steady] * 3
    numbers[place] = stranger

    for k, number in enumerate(numbers):
        found = middle.of(good(number, k * PERIOD_NS))

    assert found.raw == steady
    assert numbers[found.taken_ns // PERIOD_NS] == steady


def test_numbers_from_before_a_gap_do_not_count() -> None:
    middle = Middle(PERIOD_NS)
    for k in range(3):
        middle.of(good(5.0, k * PERIOD_NS))

    later_ns = (KEEP_PERIODS + 10) * PERIOD_NS
    assert middle.of(good(9.0, later_ns)) == good(9.0, later_ns)


def test_a_change_is_seen_one_frame_later() -> None:
    middle = Middle(PERIOD_NS)
    shown = [middle.of(good(float(number), k)).raw for k, number in enumerate([1, 1, 1, 4, 7, 9])]

    assert shown == [1, 1, 1, 1, 4, 7]
