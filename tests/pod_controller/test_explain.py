"""What `why` says is what the guard does: let the kilograms leave that it names, and the inlet opens."""

import pytest
from virtual_core import VirtualCore

from pod_controller import explain
from pod_controller.core import Request
from pod_controller.kernels import records, rules
from pod_controller.kernels.guard import guard
from pod_controller.kernels.records import Table
from pod_controller.telling import unseen_text, waits_for
from pod_controller.topology import Topology

SUMS = (rules.LEVEL, rules.JAM, rules.COMMON_CAUSE)
NEARLY_KG = 1e-3


@pytest.fixture(scope="module")
def running() -> VirtualCore:
    virtual = VirtualCore()
    virtual.run(10.0)
    virtual.core.ask(Request("start", "", ""))
    virtual.run(3.0)
    return virtual


def decide(virtual: VirtualCore, state: Table, inlet: str) -> Table:
    """The guard's permit when everything of that inlet's flow is wished."""
    topology, wish, permit = virtual.core.loop.topology, records.table(records.WISH), records.table(records.PERMIT)
    for name in explain.names_of(topology, "throat"):
        if not name.startswith("gate") or name == inlet:
            wish["open_frac"][0, topology.element(name)] = 1.0
    wish["n_order"][0], wish["order"][0, 0] = 1, topology.flows.index("chute_1")
    state["locked_ns"][0, 0] = 1
    assert virtual.core.loop.frame is not None
    guard(topology.table[0], state[0], virtual.core.loop.frame[0], wish[0], permit[0])
    return permit


def told(topology: Topology, state: Table, permit: Table) -> dict[str, object]:
    row: dict[str, object] = explain.why(topology, state, permit, "EXECUTE", "gate_1")["inlets"][0]
    return row


@pytest.mark.parametrize("bound_kg", [590.0, 599.0, 610.0, 640.0])
def test_a_gate_opens_when_the_kilograms_have_left_that_why_names(running: VirtualCore, bound_kg: float) -> None:
    topology = running.core.loop.topology
    v, gate = topology.vessels.index("buffer"), topology.element("gate_1")
    full = running.core.loop.state.copy()
    full["bound_kg"][0, v] = bound_kg
    permit = decide(running, full, "gate_1")
    row = told(topology, full, permit)
    leave_kg = float(str(row["must_leave_kg"]))

    nearly, enough = running.core.loop.state.copy(), running.core.loop.state.copy()
    nearly["bound_kg"][0, v] = bound_kg - leave_kg + 10.0 * NEARLY_KG
    enough["bound_kg"][0, v] = bound_kg - leave_kg - NEARLY_KG

    assert int(permit["rule"][0, gate]) in SUMS and row["vessel"] == "buffer"
    assert f"{leave_kg:.1f} kg must leave buffer" in str(row["opens"])
    assert decide(running, nearly, "gate_1")["grant_frac"][0, gate] == 0.0
    assert decide(running, enough, "gate_1")["grant_frac"][0, gate] == 1.0


def test_the_terms_of_every_vessel_add_up_to_its_phi(running: VirtualCore) -> None:
    loop = running.core.loop
    assert loop.permit is not None
    answer = explain.why(loop.topology, loop.state, loop.permit, "EXECUTE")

    assert len(answer["inlets"]) == 16
    for vessel in answer["vessels"]:
        v = loop.topology.vessels.index(vessel["vessel"])
        total_kg = sum(vessel[key] for key in ("u_kg", "m_kg", "psi_kg", "over_kg"))
        total_kg += sum(x["worst_kg"] for x in vessel["intakes"])
        assert total_kg == pytest.approx(float(loop.state["phi_kg"][0, v]), abs=0.01)


def test_nothing_that_is_asked_changes_a_record(running: VirtualCore) -> None:
    loop = running.core.loop
    assert loop.permit is not None
    before = [table.tobytes() for table in (loop.topology.table, loop.state, loop.permit)]

    explain.why(loop.topology, loop.state, loop.permit, "EXECUTE")

    assert before == [table.tobytes() for table in (loop.topology.table, loop.state, loop.permit)]


def test_a_float_and_blindness_are_told_apart(running: VirtualCore) -> None:
    loop = running.core.loop
    v = loop.topology.vessels.index("buffer")
    state = loop.state.copy()
    state["full"][0, v] = 1
    assert unseen_text(loop.topology, state, v) == "float LSHH-204 of buffer is on, or cannot be read"

    state["blind_s"][0, v] = 12.0
    assert "without two good levels for 12 s (LT-201, LT-202, WT-203)" in unseen_text(loop.topology, state, v)
    assert waits_for(loop.topology, state)[0] == "two good levels of buffer (LT-201, LT-202, WT-203)"
    assert loop.permit is not None
    row = told(loop.topology, state, loop.permit)
    assert "buffer must not count as full" in str(row["opens"])
