"""Outputs that do what they are told, and those that do not: jammed, ignored, without a word, first of several."""

from dataclasses import replace
from typing import Any

import pytest
from edited_pod import TEXT, faults_of
from virtual_core import REFERENCE, VirtualCore

from pod_controller.config import load
from pod_controller.config_checks import spill_elements
from pod_controller.core import Request
from pod_controller.modes import State
from sim_hardware import plant_records as rec
from sim_hardware.layout import actuators

pytestmark = pytest.mark.timeout(60)  # the plant is compiled at the first test
CONFIG = load(REFERENCE)
MODULES = [device.name for device in CONFIG.device if device.watchdog_s > 0.0]


def rows(virtual: VirtualCore) -> dict[str, dict[str, Any]]:
    loop, watch = virtual.core.loop, virtual.core.workshop.discrepancies
    assert loop.scan is not None
    assert loop.permit is not None
    found = watch.rows(loop.topology, loop.scan, loop.permit, virtual.now_ns)
    return {row["output"]: row for row in found}


def standing(virtual: VirtualCore) -> list[str]:
    return virtual.core.workshop.discrepancies.standing()


def start(virtual: VirtualCore) -> None:
    virtual.core.ask(Request("start", "test", "test"))
    virtual.run(1.0)


def noted(virtual: VirtualCore) -> list[tuple[str, str]]:
    return [(draft.thing, draft.value) for draft in virtual.paper.drafts if draft.kind == "discrepancy"]


def test_an_armed_pod_has_every_output_acknowledged_and_verified_at_its_fail_state(virtual: VirtualCore) -> None:
    found = rows(virtual)

    assert len(found) == sum(len(element.commands) for element in CONFIG.element)
    for row in found.values():
        assert (row["commanded"], row["acknowledged"], row["discrepancy"]) == (0.0, True, None), row
        assert row["verified"] is (None if row["feedback"] is None else True), row


def test_a_lid_that_is_told_to_open_is_wished_commanded_acknowledged_and_verified_in_turn(
    virtual: VirtualCore,
) -> None:
    start(virtual)
    early = rows(virtual)["XY-111"]
    virtual.run(5.0)

    late = rows(virtual)["XY-111"]
    assert (early["wished"], early["commanded"]) == (True, 1.0)
    assert (late["acknowledged"], late["is_frac"], late["verified"], late["settles_in_s"] < 5.0) == (
        True,
        1.0,
        True,
        True,
    )


def test_half_an_hour_of_a_festival_has_no_discrepancy(virtual: VirtualCore) -> None:
    start(virtual)

    virtual.run(1800.0)

    assert not noted(virtual)


def free(virtual: VirtualCore, tag: str) -> None:
    row = rec.table(rec.FAULT)
    row[0].kind, row[0].target = rec.GATE_JAM, actuators(len(CONFIG.chute))[tag]
    virtual.pod.plant.switch(row, rec.FAULT_OFF)


def test_an_element_that_is_not_where_it_was_told_is_named_until_it_is_and_what_was_told_is_never_shown_as_where_it_is(
    virtual: VirtualCore,
) -> None:
    virtual.pod.plant.jam("XY-113", 1.0)
    virtual.run(3.0)
    named = standing(virtual)
    free(virtual, "XY-113")
    virtual.run(5.0)

    assert named == ["lid_3: told to be shut for more than 6 s, and ZSC-113 says 100%"]
    assert not standing(virtual)
    assert noted(virtual) == [("lid_3", "began"), ("lid_3", "ended")]


def test_an_element_on_its_way_is_not_named_before_its_settling_time(virtual: VirtualCore) -> None:
    virtual.pod.plant.jam("XY-111")
    start(virtual)

    virtual.run(1.5)

    assert rows(virtual)["XY-111"]["settles_in_s"] > 0.0
    assert rows(virtual)["XY-111"]["verified"] is False
    assert not standing(virtual)


def test_the_first_of_several_is_marked_first_out(virtual: VirtualCore) -> None:
    virtual.pod.plant.jam("XY-112", 1.0)
    virtual.run(3.0)
    virtual.pod.plant.jam("XY-111", 1.0)

    virtual.run(3.0)

    told = standing(virtual)
    assert [text.split(":")[0] for text in told] == ["lid_2", "lid_1"]
    assert told[0].endswith("(first out)")
    assert rows(virtual)["XY-112"]["first_out"]
    assert not rows(virtual)["XY-111"]["first_out"]


@pytest.mark.parametrize("name", sorted(spill_elements(CONFIG)))
def test_no_spill_actuator_may_sit_on_a_module_without_a_watchdog(name: str, tmp_path: Any) -> None:
    element = next(x for x in CONFIG.element if x.name == name)
    module = next(device for device in CONFIG.device if element.commands[0] in device.tags.values())
    head = f'name = "{module.name}"\ntype = "{module.type}"\nline = "{module.line}"\nunit = {module.unit}\n'

    told = faults_of(tmp_path, (f"{head}watchdog_s = 2.0\n", f"{head}watchdog_s = 0.0\n"), text=TEXT)

    mine = [line for line in told if "E120" in line and f"would hold {name} open" in line]
    assert mine, told
    assert f"is on {module.name}, which has no watchdog" in mine[0]


@pytest.mark.parametrize("module", MODULES)
def test_a_module_whose_watchdog_cannot_be_verified_keeps_the_pod_from_being_armed(module: str) -> None:
    virtual = VirtualCore()
    modules = [m for line in virtual.pod.app.field.lines for m in getattr(line, "modules", [])]
    mine = next(m for m in modules if m.device.name == module)
    mine._plan = replace(mine._plan, watchdog_address=99)  # a register that the device refuses

    virtual.run(12.0)
    virtual.core.ask(Request("start", "test", "test"))
    virtual.run(1.0)

    assert virtual.state is State.STOPPED
    virtual.close()
