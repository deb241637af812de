"""Overloads of the food-waste digester: the published-style rows, the order of events, monotonicity, the command."""

import json
import math
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim_hardware import cli_science, digester
from sim_hardware.adm1 import parameters as adm1_parameters
from sim_hardware.adm1 import records as r
from sim_hardware.digester import Feed, Seen

pytestmark = pytest.mark.timeout(60)  # the first call compiles

# An overload feed of known results: TS 24 %, VS/TS 0.91, 1.4 kg COD/kg VS, diluted 1:1, 1 m3/d into 40 m3.
CONTENT = {"X_ch": 68.796, "X_pr": 24.76656, "X_li": 19.26288, "X_I": 24.76656, "S_su": 7.644, "S_aa": 3.0576}
CONTENT |= {"S_ac": 3.0576, "S_IC": 0.04, "S_IN": 0.03, "S_cat": 0.04, "S_an": 0.02}
VESSEL = {"V_liq": 40.0, "V_gas": 6.0, "T_K": 308.15}
TEST_FEED = Feed(np.array([CONTENT.get(name, 0.0) for name in r.LIQUID]), 1.0, VESSEL)


@cache
def run(methanogen_frac: float, load_ratio: float) -> tuple[Seen, ...]:
    return tuple(digester.overload(TEST_FEED, methanogen_frac, load_ratio, 30.0))


def crossings(methanogen_frac: float, load_ratio: float) -> list[float | None]:
    figures = digester.summary(list(run(methanogen_frac, load_ratio)))
    return [value for name, value in figures.items() if name.startswith("days_to")]


def sooner(crossed_d: list[float | None]) -> list[float]:
    return [math.inf if value is None else value for value in crossed_d]


@pytest.mark.parametrize(
    ("methanogen_frac", "load_ratio", "wanted_d"),
    [
        (1.0, 3.0, [None, None, None, None, None]),
        (1.0, 6.0, [0.5, 0.6, 0.8, 1.0, None]),
        (0.7, 3.0, [1.0, 1.4, 2.2, 3.3, None]),
        (0.7, 6.0, [0.4, 0.5, 0.6, 0.8, 1.8]),
    ],
)
def test_overload_reaches_each_level_when_it_should(
    methanogen_frac: float, load_ratio: float, wanted_d: list[float | None]
) -> None:
    for found_d, day in zip(crossings(methanogen_frac, load_ratio), wanted_d, strict=True):
        assert (found_d is None) == (day is None)
        assert day is None or found_d == pytest.approx(day, rel=0.1, abs=0.1)


def test_third_of_the_methanogens_fails_at_nominal_load() -> None:
    assert run(0.35, 1.0)[0].ph < digester.SOUR_PH


def test_fos_tac_warns_before_the_ph_and_gas_rises_before_it_falls() -> None:
    readings = run(0.7, 6.0)
    gas_m3_d = [reading.gas_m3_d for reading in readings]
    crossed_d = sooner(crossings(0.7, 6.0))
    best = int(np.argmax(gas_m3_d))

    assert crossed_d == sorted(crossed_d)
    assert 0 < best < len(gas_m3_d) - 1
    assert gas_m3_d[best] > 2.0 * gas_m3_d[0]
    assert gas_m3_d[-1] < 0.9 * gas_m3_d[best]


def test_published_rates_are_the_condition_one() -> None:
    assert digester.parameters(TEST_FEED, 1.0).tobytes() == adm1_parameters.build(VESSEL).tobytes()


@settings(max_examples=6)
@given(f=st.floats(0.5, 1.0), worse=st.floats(0.05, 0.2), load_ratio=st.floats(1.0, 8.0))
def test_worse_methanogens_are_never_later_at_a_level(f: float, worse: float, load_ratio: float) -> None:
    healthy, ill = sooner(crossings(f, load_ratio)), sooner(crossings(f - worse, load_ratio))

    assert all(bad <= good for bad, good in zip(ill[:4], healthy[:4], strict=True))


@settings(max_examples=6)
@given(f=st.floats(0.5, 1.0), load_ratio=st.floats(1.0, 6.0), more=st.floats(0.2, 3.0))
def test_more_load_is_never_later_at_a_level(f: float, load_ratio: float, more: float) -> None:
    less, heavy = sooner(crossings(f, load_ratio)), sooner(crossings(f, load_ratio + more))

    assert all(bad <= good for bad, good in zip(heavy[:4], less[:4], strict=True))


def test_own_feed_gives_published_methane_and_yield() -> None:
    feed = digester.own_feed()
    made = digester.parameters(feed, 1.0)
    volatile_kg_d = 330.0 * 0.24 * 0.91

    normal = digester.seen(made[0], digester.nominal(feed, made)[0])

    assert 0.60 <= normal.ch4_frac <= 0.62  # Banks et al. 2011; Water Practice & Technology 11(4) 774
    assert 0.642 <= normal.gas_m3_d / volatile_kg_d <= 0.950  # Banks et al. 2011; He Qin et al. 2017
    assert normal.fos_tac_ratio < 0.1


def test_own_feed_is_stable_down_to_half_of_the_methanogens() -> None:
    feed = digester.own_feed()
    made = digester.parameters(feed, 0.5)

    assert digester.seen(made[0], digester.nominal(feed, made)[0]).fos_tac_ratio < 0.3


def test_crossing_is_interpolated_between_hours() -> None:
    assert digester.days_to_rise([0.0, 1.0, 3.0], 2.0) == pytest.approx(1.5 / 24.0)
    assert digester.days_to_rise([2.0, 1.0], 1.5) == 0.0
    assert digester.days_to_rise([0.0, 1.0], 1.5) is None


def asked(*options: str) -> int:
    return cli_science.run(digester.command, ["--methanogen-f", "0.7", "--overload", "3", "--days", "4", *options])


def test_command_prints_the_keys_of_its_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "feed.json"
    file.write_text(json.dumps({"influent": CONTENT, "conditions": {"Q": 1.0} | VESSEL}))

    code = asked("--feed", str(file), "--json")

    shown = json.loads(capsys.readouterr().out)
    levels = [f"days_to_fos_tac_{level}" for level in ("0.3", "0.4", "0.6", "0.8")]
    normal = ["fos_tac_nominal", "ph_nominal", "ch4_frac_nominal", "gas_m3_d_nominal"]
    assert code == 0
    assert list(shown) == [*levels, "days_to_ph_6.5", *normal]
    assert shown["days_to_ph_6.5"] is None
    assert shown["gas_m3_d_nominal"] == pytest.approx(84.5, rel=5e-3)
    assert shown["ch4_frac_nominal"] == pytest.approx(0.52, abs=5e-3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{}", "has no object 'influent'"),
        ('{"influent": {"S_yy": 1}, "conditions": {}}', "S_yy is not a name"),
        ('{"influent": {}, "conditions": {"Q": 1}}', "lacks V_liq, V_gas, T_K"),
        ('{"influent": {"S_su": -1}, "conditions": {}}', "S_su = -1 is below zero"),
    ],
)
def test_feed_without_meaning_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    (tmp_path / "feed.json").write_text(text)

    code = asked("--feed", str(tmp_path / "feed.json"))

    shown = capsys.readouterr()
    assert (code, shown.out) == (78, "")
    assert says in shown.err
    assert shown.err.count("\n") == 1
