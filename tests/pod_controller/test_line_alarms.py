"""E241 and E242: an output module or a whole line out of reach is told when it begins, grows worse and ends."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_core import VirtualCore

from hal.pod_io import Lost, LostModule
from pod_controller.core import Request
from pod_controller.line_alarms import ESCALATES_AFTER_S, NS, LineAlarms

pytestmark = pytest.mark.timeout(60)
MODULES = {name: LostModule(name, "A", 1, ("FV-101",), hold_s) for name, hold_s in (("XM-A", 2.2), ("XM-B", 0.0))}


@given(st.lists(st.tuples(st.sets(st.sampled_from(sorted(MODULES))), st.booleans(), st.integers(1, 40)), max_size=30))
def test_every_alarm_begins_once_escalates_at_most_once_and_ends(course: list[tuple[set[str], bool, int]]) -> None:
    now, lost = [0], [Lost((), ())]
    alarms, told = LineAlarms(lambda: lost[0]), list[tuple[str, str]]()

    for silent, deserted, for_s in [*course, (set(), False, 1)]:
        lost[0] = Lost(tuple(MODULES[name] for name in sorted(silent)), ("B",) if deserted else ())
        for _ in range(for_s):
            told += [(item.thing, item.value[5:]) for item in alarms.look(now[0] * NS)]
            now[0] += 1

    assert alarms.standing == ()
    for thing in ("XM-A", "XM-B", "line B"):
        mine = " ".join(value for name, value in told if name == thing)
        assert re.fullmatch(r"(began( escalated)? ended ?)*", mine)


def test_a_module_without_a_watchdog_is_urgent_at_once() -> None:
    alarms = LineAlarms(lambda: Lost((MODULES["XM-B"],), ()))

    (news,) = alarms.look(0)

    assert news.value == "E241 began"
    assert "it has no watchdog: FV-101 stay as they are" in news.text
    assert "switch off its supply" in news.text


@pytest.fixture
def virtual() -> Iterator[VirtualCore]:
    made = VirtualCore()
    made.run(8.0)
    made.core.ask(Request("start", "test", "test"))
    made.run(2.0)
    yield made
    made.close()


def alarms_of(virtual: VirtualCore) -> list[tuple[str, str, float]]:
    return [(x.thing, x.value, x.mono_ns / NS) for x in virtual.paper.drafts if x.kind == "alarm"]


def test_a_dead_module_has_an_alarm_that_begins_escalates_and_ends(virtual: VirtualCore) -> None:
    virtual.pod.field_side.inject("device_dead", "XM-A")
    virtual.run(30.0)
    (standing,) = virtual.core.surroundings(virtual.now_ns).alarms
    virtual.pod.field_side.clear("device_dead", "XM-A")
    virtual.run(20.0)

    (began, escalated, ended) = alarms_of(virtual)
    assert [x[:2] for x in (began, escalated, ended)] == [
        ("XM-A", "E241 began"), ("XM-A", "E241 escalated"), ("XM-A", "E241 ended"),
    ]  # fmt: skip
    assert began[2] < 10.0 + 5.0
    assert escalated[2] - began[2] == pytest.approx(2.2 + ESCALATES_AFTER_S, abs=0.6)
    assert standing.told(virtual.now_ns)["code"] == 241 and standing.escalated
    assert "XM-A (line A, unit 1), an output module, does not answer" in standing.in_words()
    assert "FV-101, FV-103" in standing.in_words()


def test_a_line_on_which_nobody_answers_has_an_alarm_of_its_own(virtual: VirtualCore) -> None:
    virtual.pod.field_side.inject("line_dead", "B")
    virtual.run(70.0)
    virtual.pod.field_side.clear("line_dead", "B")
    virtual.run(20.0)

    told = alarms_of(virtual)
    assert [value for thing, value, _ in told if thing == "line B"] == ["E242 began", "E242 escalated", "E242 ended"]
    assert [value for thing, value, _ in told if thing == "XM-B"] == ["E241 began", "E241 escalated", "E241 ended"]
    assert {thing for thing, _, _ in told} == {"line B", "XM-B"}
