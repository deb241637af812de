"""What can be made to go wrong, where each kind is tested, and which scenarios use it: the answer of `podctl faults`.

A kind that no test names is untested and says so. Beside the kinds that have a name stands the whole catalogue of the
field notes, id by id: what is shown by which test, and what is not covered and why (`catalogue.toml`). Neighbours:
`faults` has the kinds, `scenarios` the files. Must not know what a fault does.
"""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from sim_hardware import scenarios
from sim_hardware.faults import CATALOGUE, parse

ROW = "tests/pod_controller/test_cause_effect.py::test_a_row_trips_on_the_simulated_pod"
FAULTS = "tests/sim_hardware/test_faults.py"
SENSORS = f"{FAULTS}::test_instruments_freeze_lie_drift_and_die"
ACCIDENTS = "tests/scenarios/test_accidents.py"
WIRE = "tests/sim_hardware/test_wire_faults.py"

# The catalogue of the field notes by group: how many faults each has, whether or not one can be made here.
GROUPS: Mapping[str, int] = {
    "S": 27, "A": 20, "B": 18, "P": 7, "C": 6, "F": 11, "X": 12, "K": 9, "N": 9, "O": 12, "U": 9,
}  # fmt: skip
TESTED: Mapping[str, tuple[str, ...]] = {
    "gate_jam": (ROW, f"{FAULTS}::test_a_stuck_gate_shows_itself_honestly_lies_or_shows_nothing"),
    "release": (f"{FAULTS}::test_a_bridge_holds_the_waste_and_then_lets_go_faster_than_a_gate",),
    "sensor_dead": (SENSORS, "tests/sim_hardware/test_pod.py::test_a_pod_that_cannot_see_its_buffer_never_arms"),
    "sensor_frozen": (SENSORS, "tests/sim_hardware/test_tier_a.py::test_two_faults_at_once_spill_nothing"),
    "sensor_bias": (SENSORS, ROW),
    "sensor_drift": (SENSORS,),
    "sensor_gain": (f"{FAULTS}::test_a_sensor_with_another_gain_shows_its_share",),
    "standard": (f"{FAULTS}::test_an_instrument_at_a_standard_shows_the_standard",),
    "field_power_lost": (
        ROW,
        "tests/pod_controller/test_cause_effect.py"
        "::test_power_that_comes_back_starts_nothing_by_itself_until_a_person_resets",
    ),
    "gas_blocked": (f"{ACCIDENTS}::test_a_flare_that_never_opens_stops_feed_and_heat_and_the_relief_opens",),
    "lost_writes": (
        "tests/sim_hardware/test_tier_a.py::test_a_module_that_is_out_of_reach_drops_its_outputs_by_its_own_watchdog",
    ),
    "line_dead": (
        "tests/sim_hardware/test_tier_a.py::test_what_a_dead_line_carried_turns_bad_after_three_ticks",
        "tests/sim_hardware/test_pod.py::test_lost_evidence_suspends_and_its_return_resumes",
    ),
    "device_dead": (ROW, f"{WIRE}::test_a_dead_device_is_silent_and_its_neighbour_is_not"),
    "module_frozen": (
        "tests/sim_hardware/test_tier_a.py"
        "::test_a_frozen_module_holds_its_outputs_whatever_its_watchdog_and_is_proved_again_afterwards",
    ),
    "crc_errors": (f"{WIRE}::test_check_sequence_errors_come_with_their_probability_and_replay",),
    "wrong_address": (f"{WIRE}::test_a_device_with_a_wrong_address_answers_there_only",),
    "late_replies": (f"{FAULTS}::test_late_replies_reach_the_device_of_a_tag",),
}


def document() -> dict[str, Any]:
    """Everything that `podctl faults --json` says."""
    used = used_by()
    kinds = [
        {
            "kind": kind.name,
            "group": kind.group,
            "target": kind.target,
            "parameters": dict(kind.parameters),
            "tiers": kind.tiers,
            "says": kind.text,
            "tested": list(TESTED.get(kind.name, ())),
            "scenarios": used.get(kind.name, []),
        }
        for kind in CATALOGUE.values()
    ]
    ids = sorted({kind.group for kind in CATALOGUE.values() if is_in_catalogue(kind.group)})
    rows = catalogue(used)
    return {
        "kinds": kinds,
        "untested": [row["kind"] for row in kinds if not row["tested"]],
        "catalogue": {
            "faults": sum(GROUPS.values()),
            "by_name": len(ids),
            "groups": ids,
            "covered": sum(not row["not_covered"] for row in rows),
            "not_covered": [row["id"] for row in rows if row["not_covered"]],
            "rows": rows,
        },
    }


def catalogue(used: Mapping[str, list[str]]) -> list[dict[str, Any]]:
    """Every id of the field notes in their order; used: kind -> scenarios.

    kinds: names for --fault, with their parameters. by: how the fault comes about in the tests. tested: what shows how
    it is met (not how soon it is detected). lacks: what of it none of them shows. not_covered: why nothing does.
    """
    told = tomllib.loads(files("sim_hardware").joinpath("troubles/catalogue.toml").read_text("utf-8"))["fault"]
    return [_row(row, used) for row in told]


def _row(told: Mapping[str, Any], used: Mapping[str, list[str]]) -> dict[str, Any]:
    own = [kind.name for kind in CATALOGUE.values() if kind.group == told["id"]]
    kinds = list(dict.fromkeys([*own, *told.get("kinds", ())]))
    scenarios = [*told.get("scenarios", ()), *(name for kind in own for name in used.get(kind, ()))]
    return {
        "id": told["id"],
        "says": told["says"],
        "by": told.get("by", ""),
        "kinds": kinds,
        "parameters": {kind: dict(CATALOGUE[kind].parameters) for kind in kinds},
        "tested": told.get("tested", []),
        "scenarios": sorted(dict.fromkeys(scenarios)),
        "lacks": told.get("lacks", ""),
        "not_covered": told.get("not_covered", ""),
    }


def is_in_catalogue(group: str) -> bool:
    """True for an id of the field notes' catalogue (S1, A7, ...); S03 and T1 are of others."""
    number = group[1:]
    return group[0] in GROUPS and number == str(int(number)) and int(number) <= GROUPS[group[0]]


def used_by() -> dict[str, list[str]]:
    """Kind -> the scenarios that name it, in alphabetical order."""
    used: dict[str, list[str]] = {}
    for name in sorted([*scenarios.names(), *scenarios.long_names(), *scenarios.accident_names()]):
        file = scenarios.load(name)
        for kind in dict.fromkeys(parse(text).kind.name for text in (*file.faults, *file.one_of_faults)):
            used.setdefault(kind, []).append(name)
    return used
