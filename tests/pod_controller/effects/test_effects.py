"""Belts, bridges and blocked valves of the simulated pod, and no false alarm on its ordinary days.

The fast tier plays whole days beside the watch (`effect_run`); a core on virtual time shows where it is told.
"""

import pytest
from effect_run import Watched, reference, watched_run
from virtual_core import VirtualCore

from pod_controller.core import Request
from pod_controller.effects.watch import Effects
from pod_controller.reload import Reload
from pod_controller.topology import build
from sim_hardware.plant_records import LIES

pytestmark = pytest.mark.timeout(120)
SEEDS = {"sample": 1, "full": 25}
LASTS_S = {"sample": 4 * 3600.0, "full": None}
OFF = ":open=0,feedback=lies,from=3000"  # it does what it is told, says its feedback
HOURS_S = 3600.0


@pytest.mark.parametrize("scenario", ["quiet_day", "festival"])
def test_an_ordinary_day_and_the_festival_accuse_nobody(scenario: str, depth: str) -> None:
    for seed in range(SEEDS[depth]):
        found = watched_run(reference(), scenario, seed, duration_s=LASTS_S[depth], ticks=2)

        assert found.told == []
        assert "feed" in found.moved


@pytest.mark.timeout(900)
def test_a_month_with_biology_accuses_nobody(depth: str) -> None:
    found = watched_run(
        reference(), "clean_month", 0, duration_s=30 * 86400.0 if depth == "full" else 6 * HOURS_S, ticks=4
    )

    assert found.told == []
    assert "feed" in found.moved


@pytest.mark.parametrize(
    ("target", "intake", "names", "within_s"),
    [
        ("FV-212", "feed", "feed_pump, feed_valve", 900.0),  # of its first shot
        ("SC-121", "throat", "macerator, macerator_valve", 300.0),
        ("FV-101", "throat", "gate_1, macerator, macerator_valve", 900.0),
        ("SC-411", "separator", "sump_pump", 4000.0),  # the sump has to fill first
    ],
)
def test_a_belt_that_is_off_and_a_blocked_valve_are_named(
    target: str, intake: str, names: str, within_s: float
) -> None:
    found: Watched = watched_run(reference(), "festival", 1, [f"gate_jam@{target}{OFF}"], duration_s=7000.0, ticks=2)

    first = found.told[0]
    assert (first.intake, first.began) == (intake, True)
    assert names in first.text
    assert 3000.0 < first.at_s < 3000.0 + within_s
    assert {told.intake for told in found.told} == {intake}


def test_the_time_that_a_run_needs_is_known_before_it_runs_and_what_no_level_can_show_is_said() -> None:
    effects = Effects(reference())
    needed_s = {watched.intake.name: watched.balance.visible_s for watched in effects._watched}

    assert needed_s["throat"] == needed_s["feed"] == 10.0
    assert 340.0 < needed_s["separator"] < 345.0
    assert effects.unseen() == ["dosing"]
    assert (effects.of("dosing_pump"), effects.of("feed_pump"), effects.of("lid_1")) == ("not visible", "-", "")


def test_a_core_tells_it_in_the_journal_and_beside_the_output() -> None:
    virtual = VirtualCore()
    virtual.pod.plant.jam("FV-101", 0.0, LIES)
    virtual.run(8.0)
    virtual.core.ask(Request("start", "test", "test"))
    watch, loop = virtual.core.workshop.discrepancies, virtual.core.loop

    virtual.run(1500.0)

    assert loop.scan is not None and loop.permit is not None
    notes = [(draft.thing, draft.value) for draft in virtual.paper.drafts if draft.kind == "effect"]
    rows = {row["output"]: row["effect"] for row in watch.rows(loop.topology, loop.scan, loop.permit, virtual.now_ns)}
    assert notes and notes[0] == ("throat", "moves nothing")
    assert any("gate_1, macerator" in text for text in watch.standing())
    assert (rows["FV-101"], rows["TY-303"], rows["SC-711"]) == ("NO", None, "not visible")
    virtual.close()


def test_a_new_configuration_is_watched_with_its_own_figures_and_what_is_known_stands() -> None:
    virtual = VirtualCore()
    virtual.pod.plant.jam("FV-101", 0.0, LIES)
    virtual.run(8.0)
    virtual.core.ask(Request("start", "test", "test"))
    virtual.run(1500.0)
    watch, config = virtual.core.workshop.discrepancies, virtual.core.loop.topology.config
    known, drafts = watch.effects.standing(), virtual.paper.drafts
    began = sum(draft.kind in ("effect", "discrepancy") for draft in drafts)
    slow = [intake.model_copy(update={"rate_kg_s": 0.001}) for intake in config.intake]

    virtual.core.adopt(Reload(build(config.model_copy(update={"intake": tuple(slow)})), ("slower",)))
    virtual.run(1.0)

    assert watch.effects.unseen() == [intake.name for intake in slow]
    assert watch.effects.standing() == known != []
    assert sum(draft.kind in ("effect", "discrepancy") for draft in drafts) == began
    virtual.close()
