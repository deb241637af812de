from pathlib import Path

import numpy as np
import pytest

from hal.errors import PodError
from sim_hardware import plant_records as rec
from sim_hardware import scenarios
from sim_hardware.faults import CATALOGUE, NEVER_NS, Plan, parse, plan
from sim_hardware.params import Start, fresh_pod, plant_params
from sim_hardware.pod_plant import Plant
from sim_hardware.troubles.register import GROUPS, TESTED, document
from sim_hardware.troubles.targets import Targets
from sim_hardware.troubles.wire_faults import KINDS, make

pytestmark = pytest.mark.timeout(60)  # whichever test comes first in a cold cache compiles the plant

S = 1_000_000_000
ROOT = Path(__file__).parents[2]
HOME = {"FV-101": "XM-A", "LT-202": "LM-202", "WT-203": "WI-203", "SC-211": "XM-C"}
TARGETS = Targets(4, {"A": ("XM-A", "WM-A"), "B": ("XM-B", "LM-202"), "C": ("XM-C",), "W": ("WI-203",)}, HOME)


def planned(*texts: str) -> Plan:
    return plan([parse(text) for text in texts], TARGETS)


def plant_with(*texts: str) -> Plant:
    made = planned(*texts)
    params = plant_params(0)
    return Plant(params, fresh_pod(params, Start()), made.events, made.rows)


def test_a_fault_is_read_with_its_times_and_parameters() -> None:
    fault = parse("gate_jam@FV-101:from=9000,for=12.5,open=0.4,feedback=lies")

    assert (fault.kind.name, fault.target, fault.from_s, fault.for_s) == ("gate_jam", "FV-101", 9000.0, 12.5)
    assert dict(fault.values) == {"open": 0.4, "feedback": "lies"}
    assert (fault.from_ns, fault.until_ns) == (9000 * S, 9_012_500_000_000)


def test_without_for_a_fault_lasts_for_ever() -> None:
    assert parse("line_dead@A:from=1").until_ns == NEVER_NS


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gate_jamm@FV-101", "E151 .*did you mean 'gate_jam'"),
        ("gate_jam", "E152 .*no target: write gate_jam@ACTUATOR"),
        ("gate_jam@FV-101:fom=1", "E152 .*no parameter 'fom': did you mean 'from'"),
        ("gate_jam@FV-101:from=soon", "E152 .*from = 'soon' must be a number"),
        ("gate_jam@FV-101:from=-1", "E152 .*from = '-1' must be a number of at least 0"),
        ("gate_jam@FV-101:from=nan", "E152 .*from = 'nan' must be a number"),
        ("gate_jam@FV-101:feedback=lie", "E152 .*feedback = 'lie': did you mean 'lies'"),
        ("gate_jam@FV-191", "E153 .*FV-191: no actuator of this pod: did you mean 'FV-101'"),
        ("sensor_dead@LT-299", "E153 .*LT-299: no signal of this pod"),
        ("line_dead@Q", "E153 .*line_dead@Q: no line of this pod: choose one of A, B, C, W"),
        ("device_dead@XM-Q", "E153 .*no device of this pod: did you mean 'XM-"),
    ],
)
def test_a_wrong_fault_names_what_is_near(text: str, says: str) -> None:
    with pytest.raises(PodError, match=says):
        planned(text)


def test_a_stuck_gate_shows_itself_honestly_lies_or_shows_nothing() -> None:
    shown = {}
    for feedback in ("honest", "lies", "absent"):
        plant = plant_with(f"gate_jam@FV-101:from=10,open=0.5,feedback={feedback}")
        plant.advance_to(12 * S)
        shown[feedback] = plant.probe("ZT-101")()

    assert shown["honest"] == 0.5
    assert shown["lies"] == 0.0
    assert np.isnan(shown["absent"])


def test_a_gate_without_an_opening_sticks_where_it_is_and_goes_on_from_there() -> None:
    plant = plant_with("gate_jam@FV-101:from=3,for=10")
    plant.set_drive("FV-101", True)
    plant.advance_to(3 * S)
    stuck_frac = plant.probe("ZT-101")()

    plant.advance_to(13 * S)
    held_frac = plant.probe("ZT-101")()
    plant.advance_to(14 * S)

    assert 0.1 < stuck_frac < 0.4
    assert held_frac == stuck_frac
    assert plant.probe("ZT-101")() > held_frac


def test_a_bridge_holds_the_waste_and_then_lets_go_faster_than_a_gate() -> None:
    plant = plant_with("release@chute_1:from=0,for=60,k=2")
    lone_throat = plant._params[0]
    lone_throat.throat_kg_s, lone_throat.holdup_kg = 10.0, 1000.0
    plant._pod[0].content_kg[0] = 40.0
    plant.set_drive("FV-101", True)

    plant.advance_to(60 * S)
    bridged_kg = plant._pod[0].content_kg[0]
    plant.advance_to(70 * S)

    assert bridged_kg == 40.0
    assert bridged_kg - plant._pod[0].content_kg[0] == pytest.approx(20.0, abs=1e-6)


def test_the_macerators_throat_bounds_a_release() -> None:
    plant = plant_with("release@chute_1:from=0,for=60,k=2")
    plant._pod[0].content_kg[0] = 40.0
    for tag in ("FV-101", "SC-121", "FV-122"):
        plant.set_drive(tag, True)

    plant.advance_to(60 * S)
    plant.advance_to(70 * S)

    assert 40.0 - plant._pod[0].content_kg[0] == pytest.approx(5.0, abs=1e-6)


def test_instruments_freeze_lie_drift_and_die() -> None:
    plant = plant_with(
        "sensor_frozen@WT-203:from=10",
        "sensor_bias@LT-201:from=10,k=-100",
        "sensor_drift@LT-202:from=10,k=-36",
        "sensor_dead@LT-801:from=10,for=5",
    )
    plant.advance_to(9 * S)
    before = {tag: plant.probe(tag)() for tag in ("WT-203", "LT-201", "LT-202", "LT-801")}
    plant._pod[0].buffer_waste_kg += 0.0
    plant.advance_to(12 * S)
    dead = plant.probe("LT-801")()
    plant.advance_to(1010 * S)

    assert plant.probe("WT-203")() == pytest.approx(before["WT-203"], abs=0.1)
    assert plant.probe("LT-201")() * 500.0 == pytest.approx(before["LT-201"] * 500.0 - 100.0, abs=8.0)
    assert plant.probe("LT-202")() * 500.0 == pytest.approx(before["LT-202"] * 500.0 - 10.0, abs=8.0)
    assert np.isnan(dead)
    assert plant.probe("LT-801")() == pytest.approx(500.0, abs=5.0)


def test_a_sensor_with_another_gain_shows_its_share() -> None:
    plant = plant_with("sensor_gain@LT-801:from=10,for=10,k=1.5")
    plant.advance_to(9 * S)
    before = plant.probe("LT-801")()
    plant.advance_to(12 * S)
    wrong = plant.probe("LT-801")()
    plant.advance_to(25 * S)

    assert wrong == pytest.approx(1.5 * before, rel=0.02)
    assert plant.probe("LT-801")() == pytest.approx(before, rel=0.02)


def test_an_instrument_at_a_standard_shows_the_standard() -> None:
    plant = plant_with("standard@WT-101:from=10,for=10,k=20")
    plant.advance_to(12 * S)

    assert plant.probe("WT-101")() == pytest.approx(20.0, abs=0.6)
    plant.advance_to(25 * S)
    assert plant.probe("WT-101")() == pytest.approx(0.0, abs=0.6)


def test_late_replies_reach_the_device_of_a_tag() -> None:
    made = planned("late_replies@LT-202:from=2,for=5,delay=0.2")

    assert [(x.kind, x.target, dict(x.parameters)) for x in made.wire] == [("late_reply", "LM-202", {"delay_s": 0.2})]
    assert make("late_reply", delay_s=0.2) is not None
    assert made.only_on_the_wire == ("late_replies",)


def test_every_kind_says_where_it_is_tested_and_the_test_is_there() -> None:
    found = document()

    assert found["untested"] == []
    for row in found["kinds"]:
        for test in row["tested"]:
            path, _, name = test.partition("::")
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), test
    assert found["catalogue"]["faults"] == 140
    assert set(TESTED) == set(CATALOGUE)


WAYS = ("by name", "bytes", "property", "drive", "cut", "disk", "process")


def test_every_id_of_the_catalogue_is_tested_by_tests_that_are_there_or_says_why_not() -> None:
    catalogue = document()["catalogue"]

    assert [row["id"] for row in catalogue["rows"]] == [
        f"{g}{n}" for g, many in GROUPS.items() for n in range(1, many + 1)
    ]
    for row in catalogue["rows"]:
        assert bool(row["tested"]) != bool(row["not_covered"]) and (row["by"] in WAYS) == bool(row["tested"]), row["id"]
        assert row["by"] != "by name" or row["kinds"] or row["scenarios"], row["id"]
        for test in row["tested"]:
            path, _, name = test.partition("::")
            assert f"def {name}(" in (ROOT / path).read_text("utf-8"), test
    assert catalogue["covered"] + len(catalogue["not_covered"]) == 140


def test_what_the_catalogue_names_exists() -> None:
    names = [*scenarios.names(), *scenarios.long_names(), *scenarios.accident_names()]

    for row in document()["catalogue"]["rows"]:
        assert set(row["scenarios"]) <= set(names), row["id"]
        assert set(row["kinds"]) <= set(CATALOGUE), row["id"]
        assert list(row["parameters"]) == row["kinds"]


def test_faults_of_devices_reach_field_and_wire_by_device_line_or_tag() -> None:
    made = planned(
        "device_dead@LT-202:from=1", "line_dead@A:from=2,for=3", "lost_writes@XM-B:how=ignored", "lost_writes@FV-101"
    )

    assert [fault.devices for fault in made.field] == [("LM-202",), ("XM-A", "WM-A"), ("XM-B",), ("XM-A",)]
    assert [fault.way for fault in made.field] == [0, 0, 1, 0]
    assert [(fault.kind, fault.target) for fault in made.wire] == [
        ("device_dead", "LM-202"),
        ("line_dead", "A"),
        ("write_ignored", "XM-B"),
        ("write_lost", "XM-A"),
    ]
    assert len(made.rows) == len(made.events) == 0


def test_every_wire_fault_of_the_catalogue_exists_on_the_simulated_wire() -> None:
    for kind in CATALOGUE.values():
        if kind.code < rec.LOST_WRITES:
            continue
        for fault in planned(f"{kind.name}@{'A' if kind.target == 'line' else 'XM-A'}").wire:
            assert fault.kind in KINDS
            make(fault.kind, **fault.parameters)


def test_every_kind_says_its_group_its_tiers_and_what_it_does() -> None:
    for name, kind in CATALOGUE.items():
        assert kind.name == name
        assert kind.group
        assert kind.text
        assert set(kind.tiers) <= {"a", "b"}
    assert planned("crc_errors@XM-A:p=0.2").only_on_the_wire == ("crc_errors",)
