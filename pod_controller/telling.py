"""What the controller believes, in the words people see: the same on console, socket and live view.

Everything comes from the plant table, STATE and PERMIT of one tick; what is commanded is never shown as actual.
Neighbours: `status` and `explain` build the answers of the control socket, the simulator's live view uses the same
words. Must not decide, change a record, or know how it is shown.
"""

import math
from typing import Any

from pod_controller.cause_effect.table import SENTENCES
from pod_controller.kernels import records
from pod_controller.kernels.records import Table
from pod_controller.kernels.rules import FEED_BLIND, FEED_FREE, GRANTED, NOT_WISHED
from pod_controller.topology import Topology

DAY_S = 86400.0
ENDLESS_KG_S = 1e9  # a cap above this is none


def level_fracs(topology: Topology, state: Table) -> dict[str, float]:
    """Best estimate of each vessel's level, as a fraction of its capacity."""
    capacity = topology.table["vessels"]["capacity_kg"][0]
    return {name: float(state["level_kg"][0, v] / capacity[v]) for v, name in enumerate(topology.vessels)}


def time_to_lip_s(topology: Topology, state: Table, v: int) -> float:
    """Seconds until vessel v reaches its lip if all that may come in now keeps coming; inf if nothing may."""
    vessel = topology.table["vessels"][0, v]
    inflow_kg_s = float(state["inflow_bound_kg_s"][0, v])
    room_kg = float(min(vessel["capacity_kg"], vessel["weir_kg"]) - state["bound_kg"][0, v])
    if inflow_kg_s <= 0.0 or vessel["weir_kg"] < vessel["capacity_kg"]:
        return math.inf
    return max(0.0, room_kg) / inflow_kg_s


def position_text(topology: Topology, state: Table, e: int) -> str:
    """Where element e is, by feedback only: "shut" or "locked" when proved, else how far it may be open."""
    at_rest = "locked" if topology.table["elements"]["role"][0, e] == records.LID else "shut"
    if state["proved_shut"][0, e]:
        return at_rest
    open_frac = float(state["envelope_frac"][0, e])
    return f"open {open_frac:.0%}" if open_frac > 0.0 else f"not proved {at_rest}"


def refusal_text(gate_rule: int, lid_rule: int) -> str:
    """The rule worth telling of a chute: the gate's if it was refused, else the lid's; empty if neither was."""
    for rule in (int(gate_rule), int(lid_rule)):
        if rule not in (NOT_WISHED, GRANTED):
            return SENTENCES[rule]
    return ""


def unseen_text(topology: Topology, state: Table, v: int) -> str:
    """Why vessel v counts as full; empty if it does not."""
    if not state["full"][0, v]:
        return ""
    blind_s = float(state["blind_s"][0, v])
    if blind_s <= topology.table["vessels"]["stale_s"][0, v]:
        return f"float {topology.float_tags[v]} of {topology.vessels[v]} is on, or cannot be read"
    since = "since the start" if blind_s > 1e9 else f"for {blind_s:.0f} s"
    tags = ", ".join(topology.level_tags[v])
    return f"{topology.vessels[v]} has been without two good levels {since} ({tags})"


def waits_for(topology: Topology, state: Table) -> list[str]:
    """What keeps a STOPPED pod from IDLE: vessels out of sight, elements not proved at their fail state."""
    plant = topology.table
    blind = state["blind_s"][0] > plant["vessels"]["stale_s"][0]
    found = [
        f"two good levels of {name} ({', '.join(topology.level_tags[v])})"
        for v, name in enumerate(topology.vessels)
        if blind[v]
    ]
    for e, name in enumerate(topology.elements):
        if plant["elements"]["role"][0, e] != records.FREE and state["envelope_frac"][0, e] != 0.0:
            tag = topology.locked_tags[e] or topology.position_tags[e] or "no feedback"
            found.append(f"{name} proved {'locked' if topology.locked_tags[e] else 'shut'} ({tag})")
    return found


def digester(topology: Topology, state: Table, now_ns: int) -> dict[str, Any] | None:
    """What is believed of the digester, and since when and why its feed is as it is; None without [digestion].

    What has not been seen for too long, or never, is not believed: null.
    """
    s, rule = state[0], int(state["feed_rule"][0])
    if topology.config.digestion is None or rule == NOT_WISHED:
        return None
    cap_kg_s = float(s["feed_cap_kg_s"])
    believed = {
        "fos_tac": round(float(s["fos_tac_ratio"]), 3),
        "fos_tac_class": fos_tac_class(topology, float(s["fos_tac_ratio"])),
        "risk": round(float(s["risk_ratio"]), 3),
        "acids_mmol_l": round(float(s["acids_mmol_l"]), 2),
        "alkalinity_mmol_l": round(float(s["alkalinity_mmol_l"]), 2),
    }
    return (dict.fromkeys(believed) if rule == FEED_BLIND else believed) | {
        "unseen_s": round(float(s["unseen_s"]), 1),
        "rule": rule,
        "why": feed_text(topology, state),
        "since_s": round((now_ns - int(s["feed_rule_ns"])) * 1e-9, 1),
        "feed_cap_kg_24h": None if cap_kg_s > ENDLESS_KG_S else round(cap_kg_s * DAY_S, 1),
    }


def fos_tac_class(topology: Topology, fos_tac_ratio: float) -> str:
    """The band a laboratory would name: below the first limit, between the first two, above."""
    low, high = topology.table["digestion"]["limit_ratio"][0][:2]
    if fos_tac_ratio < low:
        return f"below {low:g}"
    return f"{low:g} to {high:g}" if fos_tac_ratio < high else f"above {high:g}"


def feed_text(topology: Topology, state: Table) -> str:
    """Why the feed is free, slowed, held, stopped or blind; what is slowed, held or stopped says what was seen."""
    s, rule = state[0], int(state["feed_rule"][0])
    if rule == FEED_FREE:
        return SENTENCES[rule]
    at_most = f"at most {s['feed_cap_kg_s'] * DAY_S:.0f} kg in 24 h"
    if rule == FEED_BLIND:
        return f"{SENTENCES[rule]}; {at_most}"
    limits = "/".join(f"{limit:g}" for limit in topology.table["digestion"]["limit_ratio"][0])
    error_ratio = float(topology.table["digestion"]["error_ratio"][0])
    seen = f"FOS/TAC {s['fos_tac_ratio']:.2f} + {error_ratio:.2f} of {limits}, risk {s['risk_ratio']:.2f}"
    return f"{SENTENCES[rule]}; {seen}, {at_most}"
