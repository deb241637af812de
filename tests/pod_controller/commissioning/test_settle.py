"""When a reading counts as settled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_controller.commissioning.settle import LEAST_SAMPLES, Settled, Settling


def feed(settling: Settling, values: list[float | None], period_s: float = 0.5) -> list[Settled | None]:
    return [settling.take(k * period_s, value) for k, value in enumerate(values, start=1)]


def test_a_reading_that_stands_still_for_long_enough_is_its_mean() -> None:
    found = feed(Settling(0.1, 3.0), [20.02, 20.04] * 4)

    settled = next(x for x in found if x is not None)
    assert settled.raw_value == pytest.approx(20.03, abs=0.005)
    assert settled.spread_value == pytest.approx(0.01)
    assert found.index(settled) == 6  # the seventh sample is the first that spans 3 s


def test_a_reading_that_creeps_is_not_settled() -> None:
    assert not any(feed(Settling(0.1, 3.0), [20.0 + 0.05 * k for k in range(40)]))


def test_a_bad_sample_begins_anew() -> None:
    found = feed(Settling(0.1, 2.0), [5.0] * 4 + [None] + [5.0] * 5)

    assert [x is not None for x in found] == [False] * 9 + [True]


def test_the_same_sample_asked_for_again_proves_nothing() -> None:
    settling = Settling(0.1, 1.0)

    assert not any(settling.take(7.0, 5.0) for _ in range(100))


@given(st.lists(st.one_of(st.none(), st.floats(-5, 5)), max_size=60), st.floats(0.01, 2.0))
def test_what_is_called_settled_lay_within_the_band(values: list[float | None], band: float) -> None:
    settling = Settling(band, 2.0)

    for k, found in enumerate(feed(settling, values)):
        if found is not None:
            newest = [v for v in values[k - LEAST_SAMPLES + 1 : k + 1] if v is not None]
            assert len(newest) == LEAST_SAMPLES
            assert max(newest) - min(newest) <= band
            assert 2.0 * found.spread_value <= band
