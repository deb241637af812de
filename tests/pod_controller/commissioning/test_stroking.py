"""Strokes: times from samples, the guard's last word, and what ends one."""

from collections.abc import Mapping
from typing import Any

import pytest
from calibrated import hold_at
from hypothesis import given
from hypothesis import strategies as st
from virtual_core import VirtualCore

from hal.errors import PodError
from hal.values import Cause, Quality, Reading
from pod_controller.commissioning import cli_stroke
from pod_controller.commissioning.live import Live
from pod_controller.commissioning.stroking import NS, Stroking, measure, measure_switch
from pod_controller.core import Request
from pod_controller.modes import State
from sim_hardware.plant_records import LID

pytestmark = pytest.mark.timeout(60)  # the plant is compiled at the first test


def ask(virtual: VirtualCore, what: str, thing: str = "") -> str:
    answer = virtual.core.ask(Request(what, "test", "test", thing=thing))
    virtual.run(0.6)
    return answer.result(0)


def sampled(travel_s: float, began_s: float, period_s: float) -> list[tuple[int, float]]:
    """A linear travel seen every period_s from 0 on, until its end was seen."""
    found: list[tuple[int, float]] = []
    while not found or found[-1][1] < 1.0:
        at_s = len(found) * period_s
        found.append((round(at_s * NS), min(1.0, max(0.0, (at_s - began_s) / travel_s))))
    return found


@given(st.floats(2.5, 30.0), st.floats(0.0, 3.0), st.floats(0.1, 0.6))
def test_the_travel_of_a_linear_element_is_found_between_its_samples(
    travel_s: float, began_s: float, period_s: float
) -> None:
    way = measure(sampled(travel_s, began_s, period_s), 0.02)

    assert way.travel_s == pytest.approx(travel_s, rel=0.001, abs=0.001)
    assert way.travel_s <= way.at_most_s + 1e-9


@given(st.lists(st.tuples(st.integers(0, 60 * NS), st.floats(0.0, 1.0)), min_size=1, max_size=40))
def test_no_samples_whatever_give_more_than_the_time_between_them(samples: list[tuple[int, float]]) -> None:
    way = measure(sorted(samples), 0.02)

    assert 0.0 <= way.travel_s <= way.at_most_s + 1e-9


def test_a_gate_is_stroked_and_its_times_are_those_of_the_hardware(virtual: VirtualCore) -> None:
    params, _ = virtual.pod.plant.records

    ask(virtual, "stroke", "FV-101")
    virtual.run(60.0)

    told = virtual.core.workshop.told()
    assert (told["element"], told["phase"]) == ("gate_1", "DONE"), told
    assert told["open"]["travel_s"] == pytest.approx(1.0 / float(params[0].open_per_s[0]), rel=0.02)
    assert told["shut"]["travel_s"] == pytest.approx(1.0 / float(params[0].close_per_s[0]), rel=0.02)
    assert virtual.state is State.IDLE
    assert any(draft.kind == "stroke" and "opens in" in draft.why for draft in virtual.paper.drafts)


@given(st.floats(0.0, 20.0), st.lists(st.floats(0.01, 0.6), min_size=50, max_size=50))
def test_the_time_of_a_switch_lies_between_its_samples(travel_s: float, gaps_s: list[float]) -> None:
    told_ns, at_s, samples = 7 * NS, -0.3, list[tuple[int, float]]()
    for gap_s in gaps_s * 50:
        at_s += gap_s
        samples.append((told_ns + round(at_s * NS), 1.0 if at_s >= travel_s else 0.0))
        if samples[-1][1]:
            break

    way = measure_switch(samples, told_ns, 0.02)

    assert way.travel_s - 1e-6 <= travel_s <= way.at_most_s + 1e-6
    assert way.at_most_s - way.travel_s <= 0.6 + 1e-6


def test_a_lid_is_stroked_and_its_times_lie_around_those_of_the_hardware(virtual: VirtualCore) -> None:
    params, _ = virtual.pod.plant.records

    ask(virtual, "stroke", "XY-111")
    virtual.run(12.0)

    told = virtual.core.workshop.told()
    assert (told["element"], told["phase"]) == ("lid_1", "DONE"), told
    assert told["shut"]["travel_s"] <= 1.0 / params[0].close_per_s[LID] <= told["shut"]["at_most_s"]
    assert told["shut"]["at_most_s"] - told["shut"]["travel_s"] < 0.6
    assert told["open"]["travel_s"] <= told["open"]["at_most_s"] < 0.6  # its switch leaves its place with the lock
    assert any(x.kind == "stroke" and x.thing == "lid_1" and " to " in x.why for x in virtual.paper.drafts)


@pytest.mark.parametrize("tag", ["WT-101", "ZT-101"])
def test_a_lid_is_not_unlocked_over_a_full_chute_or_an_open_gate(virtual: VirtualCore, tag: str) -> None:
    if tag == "ZT-101":
        virtual.pod.plant.jam("FV-101", 0.5)
    else:
        hold_at(virtual.pod.plant, tag, 35.0)  # no room for one more bag of 10 kg
    virtual.run(3.0)

    try:
        ask(virtual, "stroke", "lid_1")
        virtual.run(8.0)
    except PodError as error:
        assert "E432" in str(error)  # tripped: the pod is no longer at rest
    permit = virtual.core.loop.permit

    assert permit is not None
    assert permit["grant_frac"][0, virtual.core.loop.topology.element("lid_1")] == 0.0
    assert virtual.core.workshop.told().get("phase") != "DONE"


def test_nothing_else_moves_during_a_stroke(virtual: VirtualCore) -> None:
    ask(virtual, "stroke", "gate_1")
    virtual.run(5.0)

    permit = virtual.core.loop.permit
    assert permit is not None
    granted = [name for e, name in enumerate(virtual.core.loop.topology.elements) if permit["grant_frac"][0, e] > 0.0]
    assert granted == ["gate_1"]


def test_the_guard_has_the_last_word_over_a_stroke(virtual: VirtualCore) -> None:
    # A full buffer: opening a gate above it is refused, whoever asks.
    for tag in ("LT-201", "LT-202", "WT-203"):
        hold_at(virtual.pod.plant, tag, 598.0)
    virtual.run(3.0)

    ask(virtual, "stroke", "gate_1")
    virtual.run(8.0)

    told = virtual.core.workshop.told()
    assert told["phase"] == "FAILED"
    assert told["why"].startswith("refused: ")
    assert told["position_frac"] == 0.0


def test_a_stroke_needs_a_pod_that_does_not_run(virtual: VirtualCore) -> None:
    ask(virtual, "start")

    with pytest.raises(PodError, match=r"E432 no stroke while the pod is EXECUTE: it must be IDLE or HELD"):
        ask(virtual, "stroke", "gate_1")


def test_a_start_ends_a_stroke(virtual: VirtualCore) -> None:
    ask(virtual, "stroke", "gate_1")
    virtual.run(3.0)
    ask(virtual, "start")
    virtual.run(1.0)

    assert virtual.core.workshop.told()["why"] == "the pod is EXECUTE now"
    assert virtual.core.loop.stroke == 0


def test_a_person_ends_a_stroke_and_the_gate_goes_to_its_fail_state(virtual: VirtualCore) -> None:
    ask(virtual, "stroke", "gate_1")
    virtual.run(3.0)

    ask(virtual, "stroke")

    told = virtual.core.workshop.told()
    assert (told["phase"], told["why"], virtual.core.loop.stroke) == ("FAILED", "a person ended it", 0)
    virtual.run(25.0)
    assert virtual.core.loop.scan is not None
    assert virtual.core.loop.scan.readings["ZT-101"].value == pytest.approx(0.0, abs=0.02)
    with pytest.raises(PodError, match="E432 nothing is being stroked: there is nothing to end"):
        ask(virtual, "stroke")


class Asked(Live):
    """A core of which only what it is asked matters."""

    def __init__(self, refusal: int) -> None:
        self.asked: list[dict[str, Any]] = []
        self._refusal = refusal

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(dict(request))
        if self._refusal:
            raise PodError(self._refusal, "refused")
        return {}


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (0, "gate_1 is told to go to its fail state"),
        (432, "nothing is being stroked"),
        (441, "gate_1 may go on moving"),
    ],
)
def test_an_interrupted_stroke_is_ended_and_says_so(
    refusal: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    live = Asked(refusal)

    code = cli_stroke.ended(live, "gate_1")

    assert code == 130
    assert live.asked == [{"do": "stroke", "reason": "interrupted"}]
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("thing", "told"),
    [("gate_9", "E437 no element is called 'gate_9'"), ("TY-303", "E432 heater has no position feedback")],
)
def test_what_cannot_be_stroked_is_told(virtual: VirtualCore, thing: str, told: str) -> None:
    with pytest.raises(PodError, match=told):
        ask(virtual, "stroke", thing)


def test_one_stroke_at_a_time(virtual: VirtualCore) -> None:
    ask(virtual, "stroke", "gate_1")

    with pytest.raises(PodError, match="E432 gate_1 is being stroked: one at a time"):
        ask(virtual, "stroke", "gate_2")


def test_an_element_that_does_not_move_ends_the_stroke_with_where_it_is(virtual: VirtualCore) -> None:
    virtual.pod.plant.jam("FV-101")

    ask(virtual, "stroke", "FV-101")
    virtual.run(62.0)

    # The cause-and-effect table has its own time for that, and it is the shorter one.
    assert virtual.core.workshop.told()["why"].startswith("refused: tripped: it stays at its fail state")


def test_a_stroke_that_takes_for_ever_ends_with_where_it_is() -> None:
    stroking = Stroking("gate_1", "FV-101", 20.0, 0.02, 0)

    for k in range(62):
        stroking.tick(k * NS, Reading("ZT-101", 0.4, Quality.GOOD, Cause.NONE, k * NS), True, "")

    assert stroking.why == "FV-101 is at 40% after 60 s of OPENING: air, power, or it is stuck"


def test_a_feedback_that_is_lost_ends_the_stroke() -> None:
    stroking = Stroking("gate_1", "FV-101", 20.0, 0.02, 0)

    over = stroking.tick(NS, Reading("ZT-101", float("nan"), Quality.BAD, Cause.NO_COMMUNICATION, 0), True, "")

    assert over
    assert not stroking.wishes
