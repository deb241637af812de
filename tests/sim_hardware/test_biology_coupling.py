"""Biology beside the hydraulics: the same in both tiers, whatever cuts the time, bit for bit; runs of days hold."""

import json
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from pod_controller import config, topology
from sim_hardware import cli, scenarios
from sim_hardware import plant_records as rec
from sim_hardware.biology.__main__ import CASES, command, feed_kg
from sim_hardware.biology.settings import Settings, Weather
from sim_hardware.biology.start import equip
from sim_hardware.biology.summary import summary
from sim_hardware.fast_tier import tier_a
from sim_hardware.fast_tier.tier_a import Options, Result
from sim_hardware.params import Start, fresh_pod, plant_params, reference
from sim_hardware.pod import SimulatedPod
from sim_hardware.pod_plant import Plant
from sim_hardware.report.contents import LIVING, SIGNALS, Run, contents
from sim_hardware.sampler import Sampler
from sim_hardware.verbs import outcome

pytestmark = pytest.mark.campaign  # the first run of a cold cache compiles for half a minute

POD = Path(str(files("sim_hardware").joinpath("reference/pod.toml")))
S = 1_000_000_000
DAYS = {"sample": {"clean_month": 2.0, "overfed_acid": 3.0}, "full": {"clean_month": 30.0, "overfed_acid": 7.0}}


@cache
def pod() -> topology.Topology:
    return topology.build(config.load(POD))


def play(name: str, seed: int = 0, duration_s: float | None = None, biology: bool | None = None) -> Result:
    return tier_a.run(pod(), scenarios.draw(name, seed, 4, duration_s, biology), seed)


def found(result: Result) -> dict[str, object]:
    assert result.figures.biology is not None
    return dict(result.figures.biology)


@pytest.mark.parametrize("name", scenarios.long_names())
def test_long_runs_hold_balance_and_replay(name: str, depth: str) -> None:
    duration_s = DAYS[depth][name] * 86400.0

    result, again = play(name, 1, duration_s), play(name, 1, duration_s)

    assert result == again
    figures, bounds = result.figures, scenarios.load(name).must_hold["guarded"]
    assert figures.spilled_kg == bounds["spilled_kg_max"] == 0.0
    assert figures.balance_error_kg <= bounds["balance_error_kg_max"]
    assert figures.total_error_kg < 1e-5
    errors = found(result)["balance_error_ratio"]
    assert isinstance(errors, dict) and set(errors) == {"COD", "carbon", "nitrogen", "slurry", "water", "heat"}
    assert max(errors.values()) < 1e-9
    if depth == "full":
        assert figures.processed_kg >= bounds.get("processed_ratio_min", 0.0) * figures.accepted_kg


def test_another_seed_lives_otherwise() -> None:
    assert (
        found(play("clean_month", 1, 7200.0))["state_sha256"] != found(play("clean_month", 2, 7200.0))["state_sha256"]
    )


def test_the_festival_with_biology_spills_nothing_and_burns_its_gas() -> None:
    result = play("festival", 0, None, True)

    living = found(result)
    assert result.figures.spilled_kg == 0.0
    assert result.figures.total_error_kg < 1e-6
    assert 20.0 < living["burner_m3"] < 8 * 5.1  # type: ignore[operator]
    assert result.figures.vessels["digester"].max_level_frac < 1.0


def test_without_biology_nothing_lives_and_nothing_is_told() -> None:
    result = play("quiet_day", 0, 600.0)

    assert result.figures.biology is None
    assert "biology" not in outcome.as_json(result, 0.0, 0)
    assert play("clean_month", 0, 600.0, False).figures.biology is None


def test_both_tiers_have_the_same_digester() -> None:
    drawn = scenarios.draw("overfed_acid", 0, 4, 1200.0)
    slow = SimulatedPod(config.load(POD), drawn)

    slow.run()

    fast, real = found(tier_a.run(pod(), drawn, 0)), found(slow.result())
    for name in ("ph", "ch4_frac", "fos_tac_ratio", "temp_degc", "light_frac", "oxygen_mg_l"):
        assert fast[name] == pytest.approx(real[name], rel=1e-3), name
    assert fast["balance_error_ratio"] and max(real["balance_error_ratio"].values()) < 1e-9  # type: ignore[attr-defined]


@pytest.mark.parametrize("step_ns", [S // 2, 7 * S // 3, 61 * S, 3600 * S])
def test_it_does_not_matter_how_time_is_cut(step_ns: int) -> None:
    def lived(step_ns: int) -> list[float]:
        params = plant_params(3)
        state = fresh_pod(params, Start(0.9))
        equip(params, state, Settings(weather=Weather(swing_k=5.0)), 8.0, reference("biology.toml"))
        plant = Plant(params, state, rec.table(rec.EVENT, 0), rec.table(rec.FAULT, 0))
        for tag in ("SC-211", "FV-212", "TY-303", "SC-711", "FV-712"):
            plant.set_drive(tag, True)
        for now_ns in [*range(0, 3600 * S, step_ns), 3600 * S]:
            plant.advance_to(now_ns)
        b = state[0].biology
        return [*b.digestion.y, *b.culture, *b.gas, b.foam_m, b.fed_kg, b.over_kg, b.heater_j, b.lost_j, b.enzyme_ratio]

    # Not to the bit: masses are summed in other portions. In one cut, to the bit: the runs above.
    np.testing.assert_allclose(lived(step_ns), lived(10 * S), rtol=1e-8)


def test_instruments_show_what_lives() -> None:
    params = plant_params(0)
    state = fresh_pod(params, Start())
    equip(params, state, Settings(methanogen_frac=0.55), 0.0, reference("biology.toml"))
    plant = Plant(params, state, rec.table(rec.EVENT, 0), rec.table(rec.FAULT, 0))
    plant.advance_to(60 * S)

    b = state[0].biology
    assert plant.probe("AT-304")() == b.ph
    assert plant.probe("AT-313")() == pytest.approx(b.ch4_frac)
    assert plant.probe("FT-311")() == pytest.approx(b.path_m3_h[0])
    assert plant.probe("PT-312")() == b.gauge_mbar
    b.foam_m = 0.1
    plant.advance_to(61 * S)
    assert plant.probe("LT-302")() - plant.probe("LT-301")() == pytest.approx(960.0, abs=500.0)


def test_a_digester_that_cannot_be_solved_is_an_error_not_a_result() -> None:
    params, state = plant_params(0), fresh_pod(plant_params(0), Start())
    equip(params, state, Settings(), 0.0, reference("biology.toml"))
    state[0].biology.stuck = 1

    with pytest.raises(Exception, match="E460 the digester's model could not be solved in 1 minutes"):
        summary(params, state)


def test_a_snap_of_cold_costs_heat() -> None:
    def lost_j(weather: Weather) -> float:
        params = plant_params(0)
        state = fresh_pod(params, Start())
        equip(params, state, Settings(weather=weather), 0.0, reference("biology.toml"))
        Plant(params, state, rec.table(rec.EVENT, 0), rec.table(rec.FAULT, 0)).advance_to(6 * 3600 * S)
        return float(state[0].biology.lost_j)

    mild_j = lost_j(Weather())

    assert lost_j(Weather(snap_k=12.0, snap_from_h=1.0, snap_for_h=2.0)) == pytest.approx(
        mild_j + 64.0 * 12.0 * 7200.0, rel=0.01
    )
    assert lost_j(Weather(swing_k=5.0, coldest_h=3.0)) > mild_j


def test_the_report_shows_the_digester_only_where_there_is_one() -> None:
    for biology, wanted in ((True, {*SIGNALS, *LIVING}), (False, set(SIGNALS))):
        drawn = scenarios.draw("quiet_day", 0, 4, 600.0, biology)
        sampler = Sampler(pod(), 600.0)
        result = tier_a.run(pod(), drawn, 0, options=Options(sampler=sampler))
        page = contents(
            Run(outcome.as_json(result, 1.0, 0), result.figures, sampler, plant_params(0), [], "a quiet day")
        )

        assert set(page["signals"]) == wanted
        json.dumps(page, allow_nan=False)


def test_the_verb_takes_biology_by_option_and_says_what_it_did() -> None:
    arguments = ["quiet_day", "--tier", "a", "--duration", "600", "--biology"]

    told = CliRunner().invoke(cli.sim, arguments)
    row = json.loads(CliRunner().invoke(cli.sim, [*arguments, "--json"]).output)

    assert "biology pH 7.6" in told.output and "burner" in told.output
    assert row["biology"]["luminous"] == "glowing"


def test_the_command_of_the_balances() -> None:
    row = json.loads(CliRunner().invoke(command, ["--days", "1", "--json"]).output)

    assert set(row) == {"days", *CASES}
    for case in CASES:
        assert max(balance["error_ratio"] for balance in row[case]["balances"].values()) < 1e-9
    assert row["overload"]["fos_tac_ratio"] > 0.4 > row["quiet"]["fos_tac_ratio"]
    week_kg = sum(feed_kg(CASES["surge"], minute) for minute in range(7 * 1440))
    assert week_kg == pytest.approx(330.0 * (4 + 3 * 3))


def test_a_scenario_may_say_nothing_of_the_living_that_it_does_not_know(tmp_path: Path) -> None:
    text = files("sim_hardware").joinpath("scenarios/long/overfed_acid.toml").read_text("utf-8")
    odd = tmp_path / "odd.toml"
    odd.write_text(text.replace("methanogen_frac = 0.55", "methanogen_frac = -1.0"))

    with pytest.raises(Exception, match=r"E155 .*biology.methanogen_frac"):
        scenarios.load(str(odd))


def test_what_a_pod_starts_with_is_not_touched_by_a_run() -> None:
    drawn = scenarios.draw("clean_month", 0, 4, 600.0)
    first = found(tier_a.run(pod(), drawn, 0))

    assert found(tier_a.run(pod(), replace(drawn), 0)) == first
    assert np.isfinite(list(first["balance_error_ratio"].values())).all()  # type: ignore[attr-defined]
