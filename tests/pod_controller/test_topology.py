"""The graph that the tables hold: reach through weirs, common causes, leases; what the promise is tested on."""

from pathlib import Path

from edited_pod import edited
from plant_bench import REFERENCE

from pod_controller.config import load
from pod_controller.kernels import records
from pod_controller.kernels.terms import CAUSED
from pod_controller.promise import scenario_text
from pod_controller.topology import Topology, build


def reference() -> Topology:
    return build(load(REFERENCE))


def test_feeding_reaches_every_vessel_that_the_digester_overflows_into() -> None:
    t = reference()
    reach = t.table[0].intakes[t.intakes.index("feed")].reach_ratio

    assert {name: float(reach[v]) for v, name in enumerate(t.vessels) if reach[v] > 0.0} == {
        "digester": 1.0,
        "sump": 1.0,
        "storage": 1.0,
    }


def test_intakes_stand_in_the_order_of_the_flow() -> None:
    assert reference().intakes == ("throat", "feed", "separator", "dosing")


def test_a_lease_is_the_watchdog_two_ticks_and_the_latency() -> None:
    t = reference()

    assert float(t.table[0].elements[t.element("gate_1")].lease_s) == 2.0 + 2 * 0.5 + 0.3


def test_every_module_is_a_common_cause_of_what_it_moves() -> None:
    t = reference()
    members = t.table[0].causes[t.causes.index("XM-A")].member

    held = {name for e, name in enumerate(t.elements) if members[e]}
    assert held == {"gate_1", "gate_3", "lid_1", "lid_3", "macerator_valve", "feed_valve"}


def test_a_module_that_shows_where_an_element_is_belongs_to_its_causes_too(tmp_path: Path) -> None:
    """Frozen it goes on calling shut what runs: six pumps with their positions on one module spilled 66 kg."""
    path = tmp_path / "pod.toml"
    elsewhere = [
        ('position_0 = "ZT-102"\n', ""),
        ('position_1 = "ZT-103"\n', 'position_1 = "ZT-103"\nposition_2 = "ZT-102"\n'),
    ]
    path.write_text(edited(elsewhere))
    t = build(load(path))
    before, after = (x.table[0].causes[x.causes.index("XM-A")].member for x in (reference(), t))

    assert [name for e, name in enumerate(t.elements) if before[e] != after[e]] == ["gate_2"]
    assert t.table[0].causes[t.causes.index("XM-B")].member[t.element("gate_2")] == 1  # which still moves it


AIR = '[[cause]]\nname = "air"\nelements = ["gate_2", "feed_valve"]\n\n[shedding]\n'


def test_a_declared_cause_stands_behind_the_modules_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pod.toml"
    path.write_text(edited([("[shedding]\n", AIR)]))
    t = build(load(path))
    members = t.table[0].causes[3].member

    assert t.causes == ("XM-A", "XM-B", "XM-C", "air")
    assert int(t.table[0].n_causes) == 4
    assert {name for e, name in enumerate(t.elements) if members[e]} == {"gate_2", "feed_valve"}
    assert scenario_text(t, CAUSED + 3) == "common cause air holding its elements open"
    assert scenario_text(t, CAUSED) == "module XM-A holding its elements open"


def test_roles_tell_what_can_bring_mass_in() -> None:
    t = reference()
    roles = {name: int(t.table[0].elements[e].role) for e, name in enumerate(t.elements)}

    assert (roles["gate_1"], roles["macerator"], roles["lid_1"]) == (records.OWN, records.SHARED, records.LID)
    assert roles["heater"] == records.FREE
