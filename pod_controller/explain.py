"""Why each inlet is as it is: rule, binding vessel and scenario, the terms of Phi in kg, and what would open it.

An inlet is an element through which mass can come in: a gate, a pump, what stands in series behind them, a lid. Every
figure is the guard's own: its sums are made again on a copy of STATE, with the inlet (and what stands behind it) asked
to open. Neighbours: the control socket asks, `kernels.terms` and `kernels.guard` sum. Must not change a decision.
"""

from typing import Any

from pod_controller.cause_effect.table import BY_ID, SENTENCES
from pod_controller.kernels import records, rules, terms
from pod_controller.kernels.guard import opened_frac
from pod_controller.kernels.records import Record, Table
from pod_controller.kernels.ways import leads_to
from pod_controller.promise import scenario_text
from pod_controller.telling import position_text, unseen_text
from pod_controller.topology import Topology

_SUMS = (rules.LEVEL, rules.JAM, rules.COMMON_CAUSE)
_KINDS = {records.OWN: "own", records.SHARED: "in series", records.LID: "lid"}


def inlets(topology: Topology) -> dict[str, int]:
    """Elements that mass can come in through, by name."""
    roles = topology.table["elements"]["role"][0]
    return {name: e for e, name in enumerate(topology.elements) if roles[e] != records.FREE}


def names_of(topology: Topology, asked: str) -> list[str]:
    """The inlets that a person means: one by its name, both of a chute, all of an intake; empty if none."""
    plant = topology.table[0]
    if asked in inlets(topology):
        return [asked]
    if asked in topology.chutes:
        chute = plant["chutes"][topology.chutes.index(asked)]
        return [topology.elements[chute["gate"]], topology.elements[chute["lid"]]]
    if asked in topology.intakes:
        i = topology.intakes.index(asked)
        own = [int(plant["flows"][f]["element"]) for f in range(plant["n_flows"]) if plant["flows"][f]["intake"] == i]
        shared = plant["intakes"][i]["shared"][: plant["intakes"][i]["n_shared"]]
        return [topology.elements[e] for e in (*own, *shared)]
    return []


def why(topology: Topology, state: Table, permit: Table, mode: str, asked: str | None = None) -> dict[str, Any]:
    """The whole answer: `inlets` (all, or those asked for) and the terms of the `vessels` they can reach."""
    chosen = names_of(topology, asked) if asked else list(inlets(topology))
    rows = [_inlet(topology, state, permit, mode, topology.element(name)) for name in chosen]
    reached = {row["vessel"] for row in rows if row["vessel"]}
    given = _as_given(topology, state)
    vessels = [vessel_terms(topology, given, v) for v, name in enumerate(topology.vessels) if name in reached]
    return {"state": mode, "inlets": rows, "vessels": vessels}


def vessel_terms(topology: Topology, state: Table, v: int) -> dict[str, Any]:
    """The terms of vessel v at the permit given, in kg arriving there.

    U + M + Psi + what this scenario draws off weirs (over) + every intake's worst_kg = Phi.
    """
    vessel, s = topology.table["vessels"][0, v], state[0]
    intakes = [i for i in range(len(topology.intakes)) if topology.table["intakes"]["reach_ratio"][0, i, v] > 0.0]
    scenario = _worst(topology, s, v, intakes)
    return {
        "vessel": topology.vessels[v],
        "u_kg": _kg(s["bound_kg"][v]),
        "m_kg": _kg(vessel["hold_up_kg"]),
        "psi_kg": _kg(vessel["psi_kg"]),
        "over_kg": _over(topology, v, scenario),
        "phi_kg": _kg(s["trial_kg"][v]),
        "capacity_kg": _kg(vessel["capacity_kg"]),
        "scenario": scenario_text(topology, scenario),
        "counts_as_full": unseen_text(topology, state, v) or None,
        "intakes": [
            _intake_terms(topology, s, i, v) | {"worst_kg": _part(topology, s, i, v, scenario)} for i in intakes
        ],
    }


def _as_given(topology: Topology, state: Table) -> Table:
    """A copy of STATE with the sums at the openings permitted: what a refused test left in them is gone."""
    copy = state.copy()
    terms.measure(topology.table[0], copy[0], terms.EVERY)
    terms.weigh(topology.table[0], copy[0])
    return copy


def _worst(topology: Topology, s: Record, v: int, intakes: list[int]) -> int:
    """The scenario that makes vessel v's sum largest."""
    codes = [terms.HEALTHY, *(terms.JAMMED + i for i in intakes)]
    codes += [terms.CAUSED + c for c in range(len(topology.causes))]
    return max(codes, key=lambda code: _over(topology, v, code) + sum(_part(topology, s, i, v, code) for i in intakes))


def _over(topology: Topology, v: int, scenario: int) -> float:
    """What comes over weirs and one scenario sends to vessel v."""
    p = topology.table
    if scenario >= terms.CAUSED:
        return _kg(p["causes"]["over_kg"][0, scenario - terms.CAUSED, v])
    return _kg(p["intakes"]["over_kg"][0, scenario - terms.JAMMED, v]) if scenario >= terms.JAMMED else 0.0


def _part(topology: Topology, s: Record, i: int, v: int, scenario: int) -> float:
    """What intake i adds to vessel v in one scenario."""
    if scenario >= terms.CAUSED:
        mass_kg = s["intake_cause_kg"][i, scenario - terms.CAUSED]
    else:
        mass_kg = s["intake_worst_kg" if scenario == terms.JAMMED + i else "intake_kg"][i]
    return _kg(topology.table["intakes"]["reach_ratio"][0, i, v] * mass_kg)


def _intake_terms(topology: Topology, s: Record, i: int, v: int) -> dict[str, Any]:
    """One intake's part of Phi: together, with the worst element stuck, and each element alone."""
    p = topology.table[0]
    row = p["intakes"][i]
    reach = float(row["reach_ratio"][v])
    flows = [
        {
            "inlet": topology.elements[p["flows"][f]["element"]],
            "still_to_pass_kg": _kg(reach * s["flow_kg"][f]),
            "stuck_kg": _kg(reach * terms.stuck_kg(p, s, f)),
        }
        for f in row["flows"][: row["n_flows"]]
    ]
    shared = [
        {
            "inlet": topology.elements[row["shared"][k]],
            "still_to_pass_kg": _kg(reach * s["shared_kg"][i, k]),
            "stuck_kg": None,  # stuck, it caps nothing; what comes then is bounded by the others
        }
        for k in range(row["n_shared"])
    ]
    return {
        "intake": topology.intakes[i],
        "still_to_pass_kg": _kg(reach * s["intake_kg"][i]),
        "stuck_kg": _kg(reach * s["intake_worst_kg"][i]),
        "inlets": [*flows, *shared],
    }


def _inlet(topology: Topology, state: Table, permit: Table, mode: str, e: int) -> dict[str, Any]:
    p, g = topology.table[0], permit[0]
    tried = _opened(topology, state, e)
    v, over_kg = _binding(topology, tried, int(g["vessel"][e]), e)
    rule = int(g["rule"][e])
    scenario = int(g["scenario"][e]) if rule in _SUMS else int(tried[0]["trial_scenario"][v])
    return {
        "inlet": topology.elements[e],
        "kind": _KINDS[int(p["elements"][e]["role"])],
        "position": position_text(topology, state, e),
        "grant_frac": round(float(g["grant_frac"][e]), 3),
        "rule": rule,
        "why": SENTENCES[rule],
        "vessel": topology.vessels[v],
        "scenario": scenario_text(topology, scenario),
        "phi_if_open_kg": _kg(tried[0]["trial_kg"][v]),
        "must_leave_kg": _kg(over_kg),
        "opens": BY_ID[rule].todo if rule in BY_ID else _opens(topology, state, mode, e, rule, (v, over_kg)),
    }


def _opened(topology: Topology, state: Table, e: int) -> Table:
    """A copy of STATE with the sums of the case that inlet e, and what stands in series behind it, is opened."""
    p, copy = topology.table[0], state.copy()
    s = copy[0]
    for each in (e, *_behind(topology, e)):
        s["asked_frac"][each] = opened_frac(p, s, each, 1.0)
    c = _chute_of_lid(topology, e)
    if c >= 0:
        s["lid_open"][c] = 1
    terms.measure(p, s, terms.EVERY)
    terms.weigh(p, s)
    return copy


def _behind(topology: Topology, e: int) -> list[int]:
    """What stands in series behind element e's own flow."""
    p = topology.table[0]
    for f in range(p["n_flows"]):
        if p["flows"][f]["element"] == e:
            intake = p["intakes"][p["flows"][f]["intake"]]
            return [int(x) for x in intake["shared"][: intake["n_shared"]]]
    return []


def _binding(topology: Topology, tried: Table, told: int, e: int) -> tuple[int, float]:
    """The vessel that binds inlet e (the permit's, else the one nearest its lip) and by how many kg it is over."""
    p = topology.table[0]
    over_kg = tried[0]["trial_kg"] - p["vessels"]["capacity_kg"]
    reached = [told] if told >= 0 else [v for v in range(p["n_vessels"]) if leads_to(p, tried[0], e, v)]
    v = max(reached, key=lambda each: float(over_kg[each]), default=0)
    return v, max(0.0, float(over_kg[v]))


def _opens(topology: Topology, state: Table, mode: str, e: int, rule: int, over: tuple[int, float]) -> str:
    """What would open it, for a person."""
    v, over_kg = over
    leave = f"{over_kg:.1f} kg must leave {topology.vessels[v]}"
    unseen = _unseen(topology, state, e)
    if rule == rules.GRANTED:
        return "nothing: it is granted"
    if rule in (rules.NOT_EXECUTE, rules.NOT_WISHED):
        return _opens_later(mode, rule, unseen or (leave if over_kg > 0.0 else ""))
    if rule == rules.VESSEL_FULL:
        return unseen or "nothing more: it no longer counts as full"
    c = _chute_of(topology, e)
    if rule == rules.GATE_NEEDS_LOCKED_LID and c >= 0:
        lid = int(topology.table["chutes"][0, c]["lid"])
        return f"{topology.elements[lid]} must be proved locked ({topology.locked_tags[lid]})"
    if rule == rules.LID_NEEDS_SHUT_GATE and c >= 0:
        gate = int(topology.table["chutes"][0, c]["gate"])
        return f"{topology.elements[gate]} must be proved shut ({topology.position_tags[gate]}) and not be opening"
    if rule == rules.CHUTE_ROOM and c >= 0:
        error_kg = topology.table["chutes"][0, c]["content_error_kg"]
        if state["content_bound_kg"][0, c] > state["content_kg"][0, c] + error_kg:
            return f"{topology.high_tags[c]} must go off: full by its switch, or that cannot be read"
        return f"{_chute_over_kg(topology, state, c):.1f} kg must leave {topology.chutes[c]}"
    return leave if over_kg > 0.0 else f"less in {topology.vessels[v]}, or another inlet shut"


def _opens_later(mode: str, rule: int, blocked: str) -> str:
    """What would open an inlet that nobody asks for now; blocked: what would keep it shut then."""
    if rule == rules.NOT_WISHED:
        return f"its turn, but then {blocked}" if blocked else "its turn: there would be room"
    ways = {"IDLE": "`start`", "HELD": "`start`", "ABORTED": "`reset`, then `start`"}
    first = ways.get(mode, "`start` once IDLE")
    return f"{first}, and then {blocked}" if blocked else first


def _unseen(topology: Topology, state: Table, e: int) -> str:
    """What must happen to the vessels below inlet e that count as full; empty if none does."""
    p = topology.table[0]
    for v, name in enumerate(topology.vessels):
        text = unseen_text(topology, state, v)
        if text and leads_to(p, state[0], e, v):
            return f"{name} must not count as full: {text}"
    return ""


def _chute_over_kg(topology: Topology, state: Table, c: int) -> float:
    """How much too full chute c is for one more bag."""
    p, s = topology.table[0], state[0]
    return float(s["content_bound_kg"][c] + terms.lid_most_kg(p, s, c) - p["chutes"][c]["capacity_kg"])


def _chute_of(topology: Topology, e: int) -> int:
    chutes = topology.table["chutes"][0][: len(topology.chutes)]
    return next((c for c, chute in enumerate(chutes) if e in (chute["gate"], chute["lid"])), -1)


def _chute_of_lid(topology: Topology, e: int) -> int:
    chutes = topology.table["chutes"][0][: len(topology.chutes)]
    return next((c for c, chute in enumerate(chutes) if chute["lid"] == e), -1)


def _kg(mass_kg: float) -> float:
    return round(float(mass_kg), 3)
