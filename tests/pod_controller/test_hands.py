"""Beside what people hold open, one more part may be stuck: it fits, or nothing that leads there moves."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scan_pod import ScanPod, fitted

from pod_controller import explain
from pod_controller.causes import common_causes
from pod_controller.hands import BY_HAND, Hands, causes_beside
from pod_controller.kernels import rules, terms
from pod_controller.kernels.records import MAX_CAUSES
from pod_controller.kernels.ways import leads_to
from pod_controller.promise import scenario_text
from pod_controller.recorder import in_line
from pod_controller.recording import read
from pod_controller.replay import replay
from pod_controller.step import step
from pod_controller.topology import build

pytestmark = pytest.mark.timeout(60)  # a cold cache compiles the kernels first

ROOMY_KG, FULL_KG = 240.0, 420.0  # of the buffer: what the sump has room for, and not
SWITCHES = {"gate_1": "HS-101", "macerator": "HS-121"}
TAKEN = ("gate_1", "macerator", "gate_2", "feed_pump", "feed_valve", "sump_pump", "dosing_valve")


def held(name: str, buffer_kg: float) -> ScanPod:
    """A pod in the middle of its work when somebody takes this element into other hands."""
    pod = ScanPod()
    pod.start()
    pod.values.update({"LT-201": buffer_kg / 500.0, "LT-202": buffer_kg / 500.0, "WT-203": buffer_kg})
    pod.values.update({f"WT-10{n}": 30.0 for n in (1, 2, 3, 4)})
    pod.run(20.0)
    if name in SWITCHES:
        pod.values[SWITCHES[name]] = 1.0
    else:
        pod.loop.trips.begin_bypass(name, 3600, "worked on", "anna", pod.now_ns)
    pod.run(20.0)
    return pod


def over_with(pod: ScanPod, *stuck: int) -> dict[int, float]:
    """Kg over each lip, by vessel, if these are stuck together and all else does as the guard believes."""
    plant, state = pod.topology.table.copy(), pod.loop.state.copy()
    p = plant[0]
    p.causes[p.n_causes].member[list(stuck)] = 1
    p.n_causes += 1
    terms.measure(p, state[0], terms.EVERY)
    terms.weigh(p, state[0])
    excess_kg = {v: float(state[0].trial_kg[v] - p.vessels[v].capacity_kg) for v in range(p.n_vessels)}
    return {v: kg for v, kg in excess_kg.items() if kg > 0.0}


@pytest.mark.parametrize("buffer_kg", [ROOMY_KG, FULL_KG])
@pytest.mark.parametrize("name", TAKEN)
def test_a_second_stuck_part_fits_or_nothing_that_leads_there_moves(name: str, buffer_kg: float) -> None:
    pod = held(name, buffer_kg)
    hand, elements = pod.topology.element(name), range(len(pod.topology.elements))
    moving = [e for e in elements if pod.grant(pod.topology.elements[e]) > 0.0]
    table = pod.loop.deciding.table[0]

    assert moving
    for other in elements:
        for v in over_with(pod, hand, other):
            assert not [pod.topology.elements[e] for e in moving if leads_to(table, pod.loop.state[0], e, v)], (
                v,
                other,
            )


@pytest.mark.parametrize("name", ["feed_pump", "feed_valve"])
def test_chutes_are_emptied_beside_a_held_feed_only_while_the_sump_has_room_for_the_buffer(name: str) -> None:
    roomy, full = held(name, ROOMY_KG), held(name, FULL_KG)

    assert roomy.grant("gate_1") == 1.0
    assert [full.grant(f"gate_{n}") for n in (1, 2, 3, 4)] == [0.0] * 4
    assert full.rule("gate_1") == rules.COMMON_CAUSE
    assert full.loop.permit is not None
    scenario = int(full.loop.permit["scenario"][0, full.topology.element("gate_1")])
    assert scenario_text(full.topology, scenario) == scenario_text(full.loop.deciding, scenario)
    (inlet, *_) = explain.why(full.loop.deciding, full.loop.state, full.loop.permit, "EXECUTE", "gate_1")["inlets"]
    assert inlet["scenario"] == scenario_text(full.loop.deciding, scenario)


def test_a_cause_that_only_hands_bring_has_words_for_who_knows_the_pod_alone() -> None:
    pod = held("gate_1", ROOMY_KG)
    own = len(pod.topology.causes)

    assert pod.loop.deciding.causes == (*pod.topology.causes, BY_HAND, BY_HAND, BY_HAND)
    assert {scenario_text(x, terms.CAUSED + own) for x in (pod.topology, pod.loop.deciding)} == {BY_HAND}


def test_the_table_is_the_pods_own_again_when_everything_is_back() -> None:
    pod = held("gate_1", ROOMY_KG)
    assert pod.loop.deciding is not pod.loop.topology

    pod.values["HS-101"] = 0.0
    pod.run(5.0)

    assert pod.loop.deciding is pod.loop.topology


def test_the_same_hands_give_the_same_table_and_other_figures_another() -> None:
    hands, gate = Hands(), fitted().element("gate_1")

    assert hands.topology(fitted(), (gate,)) is hands.topology(fitted(), (gate,))
    assert hands.topology(fitted(), ()) is fitted()
    assert hands.topology(fitted(), (gate, gate + 1)) is not hands.topology(fitted(), (gate,))
    reloaded = build(fitted().config.model_copy())
    assert hands.topology(reloaded, (gate,)).config is reloaded.config


NAMES = fitted().elements


@example(["gate_1", "feed_pump", "sump_pump", "dosing_valve"])  # more causes than there are rows
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
def test_every_way_that_a_held_element_stands_in_is_a_cause_with_each_part_of_it(names: list[str]) -> None:
    config = fitted().config
    rows = causes_beside(config, names)
    hands = frozenset(names)

    def is_covered(*stuck: str) -> bool:
        return any(hands.union(stuck) <= row.elements for row in rows)

    assert len(rows) <= MAX_CAUSES
    for cause in common_causes(config):
        assert is_covered(*cause.elements)
    for intake in config.intake:
        own = [c.gate for c in config.chute if c.name in intake.from_chutes] or [intake.element or ""]
        mine = [*own, *intake.shared]
        if hands.intersection(mine):
            assert all(is_covered(other) for other in mine if other not in hands)


def test_more_causes_than_rows_are_joined_and_each_is_still_there(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["gate_1", "feed_pump", "sump_pump", "dosing_valve"]
    config = fitted().config.model_copy(update={"device": ()})  # without modules, which hold most of it anyway
    every = causes_beside(config, names)
    monkeypatch.setattr("pod_controller.hands.MAX_CAUSES", 4)
    rows = causes_beside(config, names)

    assert len(rows) == 4 < len(every)
    assert all(any(one.elements <= row.elements for row in rows) for one in every)


def test_a_recording_of_a_run_with_hands_in_it_replays_bit_for_bit(tmp_path: Path) -> None:
    pod = ScanPod()
    recorder = in_line(tmp_path / "run.rec", pod.topology.config, "", "guarded")
    pod.loop._step = recorder.watch(step)
    pod.start()
    pod.values["HS-101"] = 1.0
    pod.run(20.0)
    pod.values["HS-101"] = 0.0
    pod.run(10.0)
    recorder.close()

    again = replay(read(tmp_path / "run.rec"), step)

    assert again.is_identical and again.ticks > 80 and again.gaps == 0
