from pathlib import Path

import numpy as np
import pytest

from hal.errors import PodError
from pod_controller import config as pod_config
from sim_hardware import arrivals, scenarios
from sim_hardware import plant_records as rec
from sim_hardware.fast_tier.policies import OPEN_BELOW_FRAC, SHUT_ABOVE_FRAC
from sim_hardware.params import plant_params, reference
from sim_hardware.plant_records import Table

NS = 1_000_000_000
POD = Path(scenarios.__file__).parent / "reference" / "pod.toml"
FESTIVALS = ["festival", "festival_blind", "festival_jammed_gate", "festival_line_lost"]


def bags_of(name: str, seed: int, chutes: int = 4) -> Table:
    events = scenarios.draw(name, seed, chutes).events
    found: Table = events[events["kind"] == rec.BAG]
    return found


@pytest.mark.parametrize("name", [*FESTIVALS, "quiet_day"])
def test_one_seed_draws_one_list(name: str) -> None:
    first, again, other = (scenarios.draw(name, seed, 4) for seed in (3, 3, 4))

    assert first.events.tobytes() == again.events.tobytes()
    assert first.faults == again.faults
    assert first.events.tobytes() != other.events.tobytes()


@pytest.mark.parametrize("name", FESTIVALS)
def test_festivals_see_the_same_arrivals(name: str) -> None:
    assert bags_of(name, 5).tobytes() == bags_of("festival", 5).tobytes()


@pytest.mark.parametrize("name", [*FESTIVALS, "quiet_day"])
def test_events_are_in_order_and_within_the_run(name: str) -> None:
    events = scenarios.draw(name, 1, 4).events

    assert (np.diff(events["at_ns"]) >= 0).all()
    assert events["at_ns"].min() >= 0


def test_festival_brings_six_days_and_a_convoy_in_eight_hours() -> None:
    totals_kg = [float(bags_of("festival", seed)["kg"].sum()) for seed in range(200)]

    # 1980 kg of bags, and on average 5.5 dumps of 32.5 kg.
    assert np.mean(totals_kg) == pytest.approx(1980.0 + 5.5 * 32.5, rel=0.02)


def test_quiet_day_brings_a_third_of_330_kg() -> None:
    totals_kg = [float(bags_of("quiet_day", seed)["kg"].sum()) for seed in range(200)]

    assert np.mean(totals_kg) == pytest.approx(110.0, rel=0.03)


def test_meals_are_peaks() -> None:
    at_h = np.concatenate([bags_of("festival", seed)["at_ns"] for seed in range(30)]) / (3600.0 * NS)
    per_hour = np.histogram(at_h, bins=8, range=(0.0, 8.0))[0]

    assert per_hour[2] > 2 * per_hour[0]
    assert per_hour[5] > 2 * per_hour[7]


def test_chutes_get_their_shares() -> None:
    chutes = np.concatenate([bags_of("quiet_day", seed)["index"] for seed in range(200)])

    assert np.bincount(chutes) / len(chutes) == pytest.approx([0.4, 0.3, 0.2, 0.1], abs=0.02)


@pytest.mark.parametrize("chutes", [2, 3, 16])
def test_any_number_of_chutes_gets_bags(chutes: int) -> None:
    assert set(bags_of("festival", 0, chutes)["index"].tolist()) == set(range(chutes))


@pytest.mark.parametrize("seed", range(10))
def test_at_most_one_largest_bag_and_a_kg_per_second_pass_a_lid(seed: int) -> None:
    for chute in range(4):
        mine = bags_of("festival", seed)
        mine = mine[mine["index"] == chute]
        at_s, kg = mine["at_ns"] / NS, mine["kg"]
        before_kg = np.cumsum(kg) - kg
        # Between bags i and j pass before[j] + kg[j] - before[i] in at[j] - at[i] seconds.
        excess_kg = (before_kg + kg - at_s)[None, :] - (before_kg - at_s)[:, None]
        later = np.arange(len(at_s))[None, :] >= np.arange(len(at_s))[:, None]

        assert excess_kg[later].max() <= 10.0 + 1e-6


def test_bags_are_never_larger_than_the_largest() -> None:
    sizes_kg = np.concatenate([bags_of("festival", seed)["kg"] for seed in range(50)])

    assert sizes_kg.max() <= 10.0
    assert sizes_kg.min() > 0.0
    assert arrivals.mean_bag_kg() == pytest.approx(3.0, abs=0.01)


def test_people_draw_in_portions_on_a_quiet_day_and_not_at_the_festival() -> None:
    quiet = scenarios.draw("quiet_day", 0, 4).events
    festival = scenarios.draw("festival", 0, 4).events

    drawn = quiet[quiet["kind"] == rec.DRAW]
    assert set(drawn["kg"]) == {5.0}
    assert 20 < len(drawn) < 60
    assert not (festival["kind"] == rec.DRAW).any()


def test_blind_festival_lies_differently_from_seed_to_seed() -> None:
    kinds = {scenarios.draw("festival_blind", seed, 4).faults[0].kind.name for seed in range(20)}

    assert kinds == {"sensor_frozen", "sensor_bias"}


def test_every_scenario_says_what_must_hold() -> None:
    for name in scenarios.names():
        assert scenarios.load(name).must_hold["guarded"]["spilled_kg_max"] == 0.0


def test_unknown_scenario_names_the_nearest() -> None:
    with pytest.raises(PodError, match="E155 scenario 'festivl' is not known: did you mean 'festival'"):
        scenarios.load("festivl")


def test_scenario_file_with_a_wrong_key_says_where(tmp_path: Path) -> None:
    file = tmp_path / "odd.toml"
    file.write_text('title = "x"\nduration_h = -1.0\nday_starts_h = 0.0\n[start]\n[arrivals]\n')

    with pytest.raises(PodError, match=r"E155 scenario .*odd.toml: duration_h: Input should be greater than 0"):
        scenarios.load(str(file))


def test_plant_has_the_figures_of_the_surge_suite() -> None:
    pod, plant = reference("surge_suite.toml")["pod"], reference("plant.toml")

    assert plant["chute"]["count"] == pod["chutes"]
    assert plant["chute"]["lip_kg"] == pod["chute_content_max_kg"]
    assert plant["chute"]["gate_stroke_s"] == pod["gate_stroke_s"]
    assert plant["chute"]["gate_kg_s"] == pod["gate_full_rate_kg_s"]
    assert plant["chute"]["lid_lock_s"] == pod["lid_lock_s"]
    assert plant["macerator"]["throat_kg_s"] == pod["macerator_max_kg_s"]
    assert plant["macerator"]["holdup_kg"] == pod["macerator_holdup_kg"]
    assert plant["macerator"]["run_down_s"] == pod["macerator_rundown_s"]
    assert plant["macerator"]["valve_stroke_s"] == pod["macerator_valve_stroke_s"]
    assert plant["macerator"]["water_ratio"] == pod["dilution_kg_per_kg"]
    assert plant["buffer"]["lip_kg"] == pod["buffer_kg"]
    assert plant["buffer"]["float_on_kg"] == pod["buffer_float_kg"]
    assert plant["feed"]["rate_kg_s"] == pod["feed_shot_kg_s"]
    assert plant["sump"]["lip_kg"] == pod["sump_kg"]
    assert plant["byproduct"]["lip_kg"] == pod["byproduct_tank_kg"]


def test_float_policy_has_the_figures_of_the_surge_suite() -> None:
    baseline = reference("surge_suite.toml")["baseline"]["float_switch"]

    assert baseline["open_below_frac"] == OPEN_BELOW_FRAC
    assert baseline["shut_above_frac"] == SHUT_ABOVE_FRAC


def test_controllers_description_of_the_pod_is_true_of_the_plant() -> None:
    pod = pod_config.load(POD)
    strokes_s = {element.name: (element.fast_stroke_s, element.stroke_s) for element in pod.element}
    vessels = {vessel.name: vessel for vessel in pod.vessel}
    lips = {"buffer": rec.BUFFER, "digester": rec.DIGESTER, "sump": rec.SUMP, "storage": rec.STORAGE, "bin": rec.BIN}
    lips |= {"luminous": rec.REACTOR, "byproduct": rec.BYPRODUCT}
    moves = {"macerator": rec.MACERATOR, "macerator_valve": rec.MACERATOR_VALVE, "feed_pump": rec.FEED_PUMP}
    moves |= {"feed_valve": rec.FEED_VALVE, "sump_pump": rec.SUMP_PUMP, "dosing_pump": rec.DOSING_PUMP}
    moves |= {"dosing_valve": rec.DOSING_VALVE, "lid_1": rec.LID, "gate_1": rec.GATE, "gate_4": rec.GATE + 3}

    for seed in range(20):
        p = plant_params(seed)[0]
        for name, vessel in lips.items():
            assert p.lip_kg[vessel] >= vessels[name].capacity_kg
            assert p.weir_kg[vessel] <= (vessels[name].weir_kg or np.inf)
        for name, actuator in moves.items():
            fast_s, slow_s = strokes_s[name]
            assert 1.0 / p.open_per_s[actuator] >= fast_s - 1e-9
            assert 1.0 / p.close_per_s[actuator] <= slow_s + 1e-9
        for intake, rate_kg_s in (("throat", p.throat_kg_s), ("feed", p.feed_kg_s), ("dosing", p.dosing_kg_s)):
            assert rate_kg_s <= next(x.rate_kg_s for x in pod.intake if x.name == intake)


def test_a_scenario_joined_later_has_the_rest_of_its_arrivals_and_faults() -> None:
    whole = scenarios.draw("festival_line_lost", 3, 4)
    assert whole.convoy_s is not None
    start_s = whole.convoy_s - 300.0

    rest = scenarios.joined_at(whole, start_s)

    later = whole.events[whole.events["at_ns"] >= start_s * 1e9]
    assert 0 < len(rest.events) == len(later) < len(whole.events)
    assert rest.events["at_ns"][0] == later["at_ns"][0] - round(start_s * 1e9) >= 0
    assert rest.convoy_s == pytest.approx(300.0)
    assert rest.duration_s == whole.duration_s - start_s
    for fault in rest.faults:
        assert fault.from_s >= 0.0
        was = next(f for f in whole.faults if (f.kind, f.target) == (fault.kind, fault.target))
        assert fault.until_ns == was.until_ns or fault.until_ns == pytest.approx(was.until_ns - start_s * 1e9, abs=2)
