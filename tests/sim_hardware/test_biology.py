"""The living part of the pod alone: balances, yields, order of events, gas line, foam, laboratory, light."""

import math
from collections.abc import Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim_hardware import culture, digester
from sim_hardware import plant_records as rec
from sim_hardware.adm1 import records as r
from sim_hardware.biology import gas_line, luminous
from sim_hardware.biology.alone import Alone
from sim_hardware.biology.balances import balances
from sim_hardware.biology.luminous import GLOWING, NO_OXYGEN, WASHED_OUT, diagnosis
from sim_hardware.biology.readings import Reading
from sim_hardware.biology.settings import Settings, content, solids_kg_kg
from sim_hardware.params import reference

pytestmark = pytest.mark.campaign  # the first run of a cold cache compiles for half a minute

WASTE = reference("biology.toml")["waste"]
NOMINAL_KG = 330.0 / 1440.0  # per minute
DAY = 1440


def run(alone: Alone, load_ratio: float, minutes: int) -> list[Reading]:
    return list(alone.run([NOMINAL_KG * load_ratio] * minutes))


@cache
def overloaded(methanogen_frac: float, load_ratio: float, days: int) -> tuple[Reading, ...]:
    return tuple(run(Alone(Settings(methanogen_frac=methanogen_frac)), load_ratio, days * DAY)[59::60])


def first(hourly: Sequence[float], value: float) -> float:
    return next((hour for hour, now in enumerate(hourly) if now >= value), math.inf)


@pytest.mark.parametrize(("methanogen_frac", "load_ratio"), [(1.0, 1.0), (0.7, 3.0), (0.5, 6.0)])
def test_every_balance_closes(methanogen_frac: float, load_ratio: float, depth: str) -> None:
    alone = Alone(Settings(methanogen_frac=methanogen_frac))

    run(alone, load_ratio, {"sample": DAY, "full": 30 * DAY}[depth])

    for balance in balances(alone.params, alone.pod):
        assert balance.error_ratio < 1e-9, balance
        assert balance.entered > 0.0 and balance.left > 0.0


def test_a_balance_that_lost_a_kilogram_shows_it() -> None:
    alone = Alone()
    run(alone, 1.0, 600)
    alone.pod[0].biology.displaced[r.X_I] -= 1.0
    alone.pod[0].biology.heater_j += 1e6

    errors = {balance.quantity: balance.error_ratio for balance in balances(alone.params, alone.pod)}

    assert errors["COD"] > 1e-5
    assert errors["carbon"] > 1e-5
    assert errors["heat"] > 1e-5
    assert errors["water"] < 1e-9


@pytest.mark.parametrize("waste", WASTE["shares"])
def test_every_waste_gives_methane_and_yield_in_the_published_ranges(waste: str) -> None:
    slurry = digester.own_feed()._replace(content=content(WASTE, waste) * 500.0)
    made = digester.parameters(slurry, 1.0)

    seen = digester.seen(made[0], digester.nominal(slurry, made)[0])

    assert 0.57 <= seen.ch4_frac <= 0.62
    assert 642.0 <= 1000.0 * seen.gas_m3_d / (330.0 * solids_kg_kg(WASTE)) <= 950.0
    assert 7.0 < seen.ph < 7.8


def test_the_kitchens_waste_is_the_pods_own_feed() -> None:
    np.testing.assert_allclose(content(WASTE, "kitchen") * 500.0, digester.own_feed().content, atol=1e-3)


def test_the_minute_by_minute_digester_is_the_continuous_one() -> None:
    wanted = digester.overload(digester.own_feed(), 0.7, 3.0, 2.0)

    found = overloaded(0.7, 3.0, 2)

    assert found[-1].fos_tac_ratio == pytest.approx(wanted[-1].fos_tac_ratio, rel=0.1)
    assert found[-1].ph == pytest.approx(wanted[-1].ph, abs=0.05)
    assert found[-1].gas_made_m3_h * 24.0 == pytest.approx(wanted[-1].gas_m3_d, rel=0.05)
    assert found[-1].ch4_frac == pytest.approx(wanted[-1].ch4_frac, abs=0.01)


def test_acids_come_before_ph_and_gas_rises_before_it_falls() -> None:
    hourly = overloaded(0.5, 6.0, 5)
    gas_m3_h = [reading.gas_made_m3_h for reading in hourly]

    acid_h = first([reading.fos_tac_ratio for reading in hourly], 0.4)
    sour_h = first([-reading.ph for reading in hourly], -6.5)
    peak_h = int(np.argmax(gas_m3_h))

    assert acid_h + 12 < sour_h < math.inf
    assert gas_m3_h[peak_h] > 2.0 * gas_m3_h[0]
    assert acid_h < peak_h <= sour_h
    assert gas_m3_h[-1] < 0.5 * gas_m3_h[peak_h]


def test_worse_methanogens_and_more_load_sour_sooner() -> None:
    acid_h = {
        key: first([reading.fos_tac_ratio for reading in overloaded(*key, 2)], 0.4)
        for key in ((1.0, 3.0), (0.7, 3.0), (0.5, 3.0), (0.7, 6.0))
    }

    assert acid_h[0.5, 3.0] < acid_h[0.7, 3.0] < acid_h[1.0, 3.0]
    assert acid_h[0.7, 6.0] < acid_h[0.7, 3.0]


def test_gas_leaves_with_every_output_off_and_without_power() -> None:
    alone = Alone()
    for actuator in range(rec.ACTUATORS):
        alone.drive(actuator, False)
    alone.pod[0].power_lost = 1

    readings = run(alone, 0.0, 600)

    assert readings[-1].burner_m3_h == pytest.approx(readings[-1].gas_made_m3_h, rel=0.05)
    assert all(reading.pressure_mbar < 8.0 for reading in readings)


def test_each_way_out_takes_what_the_one_before_cannot() -> None:
    alone = Alone()
    alone.pod[0].biology.open_frac[0] = 0.0
    flare = run(alone, 1.0, 240)[-1]
    alone.pod[0].biology.open_frac[1] = 0.0
    relief = run(alone, 1.0, 240)[-1]

    assert flare.flare_m3_h == pytest.approx(flare.gas_made_m3_h, rel=0.05)
    assert 8.0 < flare.pressure_mbar < 9.0
    assert relief.relief_m3_h == pytest.approx(relief.gas_made_m3_h, rel=0.05)
    assert 15.0 < relief.pressure_mbar < 16.0


def test_shut_in_gas_raises_the_pressure_and_pushes_slurry_over_the_weir_and_none_is_lost() -> None:
    alone = Alone()
    b = alone.pod[0].biology
    b.open_frac[:] = 0.0
    before_kg = float(alone.pod[0].content_kg[rec.DIGESTER])

    readings = run(alone, 1.0, 120)

    risen_mbar = readings[-1].pressure_mbar - 5.0
    assert risen_mbar > 30.0
    assert before_kg - alone.pod[0].content_kg[rec.DIGESTER] == pytest.approx(98.0 * risen_mbar, rel=0.05)
    assert b.gas_out.sum() == 0.0
    assert all(balance.error_ratio < 1e-9 for balance in balances(alone.params, alone.pod))
    # Pressure makes its own room while it rises: no overshoot, no vacuum after it.
    assert all(b.pressure_mbar > a.pressure_mbar for a, b in pairwise(readings))
    assert readings[-1].pressure_mbar == pytest.approx(5.0 + 2.0 * 2.4 / 0.104, rel=0.1)


def test_the_pressure_of_a_surge_moves_between_burner_and_flare_alone() -> None:
    pressures_mbar = [reading.pressure_mbar for reading in overloaded(0.7, 3.0, 2)]

    assert all(4.5 < pressure_mbar < 8.5 for pressure_mbar in pressures_mbar)
    assert max(pressures_mbar) > 8.0


@given(
    dry_mbar=st.floats(800.0, 1400.0),
    open_frac=st.tuples(*[st.floats(0.0, 1.0)] * 3),
    h_h=st.floats(1e-4, 0.1),
    stands_mbar=st.floats(-50.0, 50.0),
)
@settings(max_examples=100, deadline=None)
def test_settled_pressure_solves_its_equation(
    dry_mbar: float, open_frac: tuple[float, ...], h_h: float, stands_mbar: float
) -> None:
    alone = _shared()
    q, b = alone.params[0].biology, alone.pod[0].biology
    b.open_frac[:] = open_frac

    gauge_mbar = gas_line.settled_mbar(q, b, dry_mbar, h_h, 6.0, stands_mbar)

    out_m3_h = sum(gas_line.path_m3_h(q, b, path, gauge_mbar) for path in range(3))
    settled_mbar = gauge_mbar + 1000.0 * (b.model.P_atm - b.model.p_h2o)
    taken_m3 = gas_line.room_m3(q, gauge_mbar, stands_mbar, 6.0) + h_h * out_m3_h
    assert settled_mbar * taken_m3 == pytest.approx(dry_mbar * 6.0, rel=1e-8)


@cache
def _shared() -> Alone:
    return Alone()


def test_foam_grows_with_load_unevenness_acid_and_proneness_within_its_bounds() -> None:
    def height_m(foam_prone_ratio: float, feed: Sequence[float], methanogen_frac: float = 1.0) -> float:
        alone = Alone(Settings(foam_prone_ratio=foam_prone_ratio, methanogen_frac=methanogen_frac))
        readings = list(alone.run(feed))
        steepest_m = max(b.foam_m - a.foam_m for a, b in pairwise(readings))
        q = alone.params[0].biology
        fastest_m_h = max(reading.gas_made_m3_h for reading in readings) / q.surface_m2
        assert all(0.0 <= reading.foam_m <= q.foam_most_m for reading in readings)
        assert steepest_m <= q.foam_per_m * fastest_m_h * q.foam_most_ratio / 60.0
        return readings[-1].foam_m

    even = [NOMINAL_KG] * 600
    uneven = [0.0] * 480 + [NOMINAL_KG * 5.0] * 120
    ordinary_m = height_m(1.0, even)

    assert height_m(3.0, even) > ordinary_m
    assert height_m(1.0, uneven) > ordinary_m
    assert height_m(1.0, [NOMINAL_KG * 4.0] * 600) > ordinary_m
    assert height_m(1.0, [NOMINAL_KG * 4.0] * 600, 0.5) > height_m(1.0, [NOMINAL_KG * 4.0] * 600)


def test_the_laboratory_knows_yesterday() -> None:
    readings = overloaded(0.7, 3.0, 2)
    known = [reading.laboratory_fos_tac_ratio for reading in readings]

    assert len(dict.fromkeys(known)) == 3
    assert readings[26].laboratory_fos_tac_ratio == known[5]
    assert readings[28].laboratory_fos_tac_ratio == readings[23].fos_tac_ratio
    assert all(reading.fos_tac_ratio > reading.laboratory_fos_tac_ratio for reading in readings[1:])


def test_the_light_is_told_by_what_it_means() -> None:
    assert diagnosis(0.9, 1.0, 6.0) == GLOWING
    assert diagnosis(0.05, 0.9, 0.1) == NO_OXYGEN
    assert diagnosis(0.05, 0.05, 8.0) == WASHED_OUT
    assert diagnosis(0.5, 0.9, 6.0) == luminous.DIM
    assert diagnosis(math.nan, 1.0, 6.0) == luminous.DIM
    assert diagnosis(0.05, 0.9, 8.1) == luminous.STARVED
    assert diagnosis(0.05, 0.9, math.nan) == NO_OXYGEN


def test_a_culture_that_is_not_dosed_starves_and_is_not_taken_for_one_without_air() -> None:
    alone = Alone()
    alone.drive(rec.DOSING_PUMP, False)

    starved = run(alone, 1.0, 8 * 60)[-1]

    assert diagnosis(starved.light_frac, starved.density_ratio, starved.oxygen_mg_l) == luminous.STARVED


def test_without_air_the_dense_culture_goes_dark_and_comes_back_with_it() -> None:
    alone = Alone()
    alone.pod[0].biology.air_frac = 0.0
    dark = run(alone, 1.0, 60)[-1]
    alone.pod[0].biology.air_frac = 1.0
    lit = run(alone, 1.0, 240)[-1]

    assert dark.oxygen_mg_l < 1.0 and dark.density_ratio > 0.9
    assert diagnosis(dark.light_frac, dark.density_ratio, dark.oxygen_mg_l) == NO_OXYGEN
    assert diagnosis(lit.light_frac, lit.density_ratio, lit.oxygen_mg_l) == GLOWING


def test_too_much_dilution_washes_the_culture_out() -> None:
    alone = Alone()
    alone.params[0].dosing_kg_s *= 12.0

    gone = run(alone, 1.0, 2 * DAY)[-1]

    assert diagnosis(gone.light_frac, gone.density_ratio, gone.oxygen_mg_l) == WASHED_OUT
    assert gone.oxygen_mg_l > 6.0


@pytest.mark.parametrize("field", ["liquor_ammonia_kmol_m3", "liquor_salt_kmol_m3"])
def test_ammonia_and_salt_beyond_their_limit_stop_growth(field: str) -> None:
    alone = Alone()
    for _ in range(DAY):
        alone.pod[0].biology[field] = 4.0
        alone.minute(NOMINAL_KG)

    assert alone.pod[0].biology.growth_frac == 0.0
    assert alone.pod[0].biology.density_ratio < 0.5


def test_the_pods_culture_is_the_published_circuit() -> None:
    hours = 12
    alone = Alone()
    alone.params[0].biology.nominal = culture.initial()
    q, b = alone.params[0].biology, alone.pod[0].biology
    luminous.begin_culture(q, b)
    published = culture.trajectory(culture.circuit()[0], culture.initial(), hours, culture.STEPS_PER_H)

    for _ in range(60 * hours):
        b.oxygen_mg_l = q.oxygen_mg_l
        luminous.grow(q, b, 0.1 / 60.0, 60.0)

    np.testing.assert_allclose(b.culture, published[-1], rtol=1e-8)
