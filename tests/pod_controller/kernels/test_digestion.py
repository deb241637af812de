"""The digester's model: what it reads out of gas, methane share and pH, how it caps the feed; it never breaks."""

import math

import numpy as np
import pytest
from any_bits import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st
from plant_bench import NS, reference_plant

from pod_controller.kernels import records, rules
from pod_controller.kernels.digestion import bicarbonate, cap_kg_s, digest, stage_of, ten_to
from pod_controller.kernels.digestion_fields import DIGESTER_STATE_FIELDS
from pod_controller.kernels.records import Record, Table
from pod_controller.kernels.regulate import regulate

CALM = {"gas_m3_h": 2.6, "ch4_frac": 0.603, "ph": 7.64}
CALM_MMOL_L = 207.0  # bicarbonate that ADM1 has at these readings
SOUR_PH = 7.45
NOMINAL_KG = 660.0 / 1440.0  # a minute's feed


class Digester:
    """The reference pod's model, stepped by hand."""

    def __init__(self) -> None:
        self.plant = reference_plant()
        self.desk = records.table(records.DESK)
        self.frame.temp_degc = 35.0
        self.show(**CALM)

    @property
    def model(self) -> Record:
        return self.plant[0].digestion

    @property
    def state(self) -> Record:
        return self.desk[0].state

    @property
    def frame(self) -> Record:
        return self.desk[0].frame

    def show(self, **values: float) -> None:
        for name, value in values.items():
            self.frame[name] = value

    def minutes(self, count: int, fed_kg: float = 0.0, *, seen: bool = True) -> Record:
        f, s = self.frame, self.state
        for _ in range(count):
            f.now_ns += 60 * NS
            if seen:
                f.gas_ns = f.ch4_ns = f.ph_ns = f.now_ns
            s.digest_s, s.digest_fed_kg = 60.0, fed_kg
            digest(self.plant[0], s, f)
        return s


@given(st.floats(-8.0, 8.0))
def test_power_of_ten_is_right_to_a_part_in_a_hundred_thousand_million(exponent_ratio: float) -> None:
    assert ten_to(exponent_ratio) == pytest.approx(10.0**exponent_ratio, rel=1e-11)


def test_bicarbonate_is_what_the_chemistry_of_the_reference_gives() -> None:
    digester = Digester()

    assert bicarbonate(digester.model, digester.frame) == pytest.approx(CALM_MMOL_L, rel=0.01)


def test_acids_are_what_alkalinity_leaves_and_give_the_ratio_of_a_titration() -> None:
    digester = Digester()
    digester.show(ph=SOUR_PH)

    s = digester.minutes(24 * 60, NOMINAL_KG)

    left_mmol_l = bicarbonate(digester.model, digester.frame)
    assert s.acids_mmol_l == pytest.approx(212.0 - left_mmol_l, rel=0.02)
    assert s.fos_tac_ratio == pytest.approx(1.2 * s.acids_mmol_l / left_mmol_l, rel=0.05)
    assert s.risk_ratio == pytest.approx(s.acids_mmol_l / math.sqrt(9.28 * 256.0))


def test_a_calm_digester_is_fed_freely_and_a_souring_one_slower_then_held_then_stopped() -> None:
    digester = Digester()
    found = []

    for ph in (7.64, 7.55, 7.52, 7.45):
        digester.show(ph=ph)
        s = digester.minutes(24 * 60, NOMINAL_KG)
        found.append((int(s.feed_rule), float(s.feed_cap_kg_s) * 86400.0))

    assert [rule for rule, _ in found] == [rules.FEED_FREE, rules.FEED_SLOWED, rules.FEED_HELD, rules.FEED_STOPPED]
    assert 330.0 < found[1][1] < 1466.0
    assert found[2][1] == pytest.approx(330.0)
    assert found[3][1] == 0.0


def test_low_ph_stops_the_feed_whatever_the_ratio_says() -> None:
    digester = Digester()
    digester.minutes(1)
    digester.show(ph=6.79)

    s = digester.minutes(1)

    assert s.fos_tac_ratio < 0.3
    assert (s.feed_rule, s.feed_cap_kg_s) == (rules.FEED_STOPPED, 0.0)


@pytest.mark.parametrize("lost", ["gas_quality", "ch4_quality", "ph_quality"])
def test_without_evidence_the_model_goes_on_and_then_the_table_holds(lost: str) -> None:
    digester = Digester()
    digester.minutes(60)
    digester.show(**{lost: 2, "temp_degc": 31.0})

    carried = int(digester.minutes(359).feed_rule)
    s = digester.minutes(1)

    assert carried == rules.FEED_FREE
    assert (s.feed_rule, s.feed_cap_kg_s * 86400.0) == (rules.FEED_BLIND, pytest.approx(330.0))


def test_old_readings_are_no_evidence_and_an_unknown_temperature_is_the_coldest_row() -> None:
    digester = Digester()
    digester.minutes(1)
    digester.show(temp_quality=2)

    s = digester.minutes(361, seen=False)

    assert (s.feed_rule, s.feed_cap_kg_s) == (rules.FEED_BLIND, 0.0)


def test_a_fresh_look_ends_blindness_at_once() -> None:
    digester = Digester()
    digester.minutes(400, seen=False)

    assert digester.minutes(1).feed_rule == rules.FEED_FREE


def test_a_stage_is_left_only_below_its_limit_by_the_band() -> None:
    digester = Digester()
    s, d = digester.state, digester.model

    s.feed_stage = 1

    assert (stage_of(d, s, 0.285), stage_of(d, s, 0.279), stage_of(d, s, math.nan)) == (1, 0, 3)


@given(st.floats(0.0, 2.0), st.floats(0.0, 0.5))
def test_more_sour_never_means_more_feed(fos_tac_ratio: float, more_ratio: float) -> None:
    digester = Digester()
    s, d = digester.state, digester.model

    caps = [cap_kg_s(d, ratio, stage_of(d, s, ratio)) for ratio in (fos_tac_ratio, fos_tac_ratio + more_ratio)]

    assert caps[1] <= caps[0]


cells = st.sampled_from(HOSTILE) | st.floats()
codes = st.sampled_from([0, 1, 2, -1, 2**62, -(2**63), 2**63 - 1])


@settings(max_examples=200)
@given(st.lists(st.tuples(cells, cells, cells, cells, codes, codes), min_size=1, max_size=6), st.floats(0.0, 50.0))
def test_any_bits_in_the_frame_leave_the_model_finite_and_the_cap_a_cap(
    rows: list[tuple[float, float, float, float, int, int]], fed_kg: float
) -> None:
    digester = Digester()
    f = digester.frame
    for gas_m3_h, ch4_frac, ph, temp_degc, quality, taken_ns in rows:
        digester.show(gas_m3_h=gas_m3_h, ch4_frac=ch4_frac, ph=ph, temp_degc=temp_degc)
        f.ph_quality, f.gas_ns = quality, taken_ns
        s = digester.minutes(2, fed_kg, seen=quality == 0)

        names = [name for name, *_ in DIGESTER_STATE_FIELDS]
        assert all(np.isfinite(s[name]) for name in names), [(name, s[name]) for name in names]
        assert s.feed_cap_kg_s >= 0.0
        assert s.feed_rule in range(rules.FEED_FREE, rules.FEED_BLIND + 1)


def fed_shots(desk: Table, plant: Table, ticks: int) -> int:
    """How many ticks the feed pump is wished in."""
    p, d, wished = plant[0], desk[0], 0
    for _ in range(ticks):
        d.frame.now_ns += NS // 2
        d.frame.gas_ns = d.frame.ch4_ns = d.frame.ph_ns = d.frame.now_ns
        d.state.level_kg[p.regulator.vessel] = 400.0
        regulate(p, d.state, d.frame, d.wish)
        d.wish.n_order = 0
        wished += int(d.state.shot_on)
        d.state.ticks += 1
    return wished


def test_a_stopped_feed_ends_the_running_shot_and_starts_none() -> None:
    digester = Digester()
    digester.minutes(1)
    fed_before = fed_shots(digester.desk, digester.plant, 9_600)
    digester.show(ph=6.5)
    fed_shots(digester.desk, digester.plant, 121)

    fed_after = fed_shots(digester.desk, digester.plant, 4_000)

    assert fed_before > 100
    assert fed_after == 0


def test_ticks_between_two_steps_leave_the_model_alone() -> None:
    digester = Digester()
    fed_shots(digester.desk, digester.plant, 1)
    before = digester.desk.copy()
    digester.show(ph=6.0, ch4_frac=0.1)

    fed_shots(digester.desk, digester.plant, 118)

    for name, *_ in DIGESTER_STATE_FIELDS:
        if name not in ("digest_s", "digest_fed_kg"):
            assert digester.state[name] == before[0].state[name], name


def test_first_look_after_long_blindness_counts_alone() -> None:
    digester = Digester()
    digester.minutes(400, seen=False)
    digester.show(ph=SOUR_PH)

    s = digester.minutes(1)

    left_mmol_l = bicarbonate(digester.model, digester.frame)
    assert s.acids_mmol_l == pytest.approx(212.0 - left_mmol_l, rel=0.02)
