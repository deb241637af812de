"""Values that contradict each other: times, chutes, floats, common causes; each is refused at its line."""

from pathlib import Path

import pytest
from edited_pod import edited, faults_of, line_of

SHEDDING = "[shedding]\n"
TAP = '[[intake]]\nname = "tap"\nelement = "tap"\nshared = ["tap_2"]\nrate_kg_s = 0.01\nto = { buffer = 1.0 }\n\n'
AIR = '[[cause]]\nname = "air"\nelements = ["gate_1", "gate_2"]\n\n'
NO_FEEDBACK = ('position_tag = "ZT-101"\n', "")
FLOAT = ("weir_kg = 362.0  ", 'float_tag = "ZSC-113"\nfloat_kg = 200.0\nweir_kg = 362.0')
CUTS = 'float_cuts = ["macerator", "macerator_valve"]'

# edits, number, words, and the part of the edited text at whose line it must be told
CASES = [
    # how old a position may be
    ([("fresh_s = 1.6", "fresh_s = 2.1")], "E113", "above watchdog_s = 2.0 of XM-A", "fresh_s = 2.1"),
    ([("watchdog_s = 2.0", "watchdog_s = 1.5")], "E113", "set it to at most 1.5", "fresh_s = 1.6"),
    ([("fresh_s = 1.6", "fresh_s = 0.4")], "E113", "is below tick_s = 0.5", "fresh_s = 0.4"),
    # chutes and intakes
    ([('["chute_1", "chute_2"', '["chute_1", "chute_1", "chute_2"')], "E113", "stands 2 times", 'name = "chute_1"'),
    ([('intake = "throat"', 'intake = "feed"')], "E113", "= 'feed' has no chutes", 'intake = "feed"'),
    (
        [("to = { digester = 1.0 }", "to = { buffer = 1.0 }")],
        "E113",
        "leads back to from_vessel = 'buffer'",
        "to = { buffer = 1.0 }",
    ),
    ([("to = { digester = 1.0 }", "to = {}")], "E113", "is empty: name the vessel", "to = {}"),
    (
        [('intake = "dosing"', 'intake = "separator"')],
        "E113",
        "run by two tables",
        'intake = "separator"\nstart_kg = 500',
    ),
    ([('element = "heater"', 'element = "sump_pump"')], "E113", "has two duties", 'name = "sump_pump"'),
    # elements
    ([NO_FEEDBACK], "E104", "position_tag is missing: the airlock needs a gate that is proved shut", "[[element]]"),
    (
        [('position_tag = "ZT-101"', 'position_tag = "ZT-101"\nlocked_tag = "ZT-123"')],
        "E113",
        "stands beside position_tag = 'ZT-101'",
        'locked_tag = "ZT-123"',
    ),
    # what a chute can take
    ([("largest_bag_kg = 10.0", "largest_bag_kg = 36.0")], "E127", "enlarge it by 1.3 kg", "capacity_kg = 40.0"),
    ([("high_kg = 20.0", "high_kg = 26.0")], "E127", "LSH-101 comes too late", "high_kg = 26.0"),
    ([('high_tag = "LSH-101"', 'high_tag = "WT-103"')], "E114", "stands on module WM-A", 'high_tag = "WT-103"'),
    ([("start_kg = 12.0", "start_kg = 25.0")], "E127", "keeps its lid locked above 24.", "start_kg = 25.0"),
    ([("lid_lock_s = 1.0", "lid_lock_s = 14.0")], "E127", "chute_1 keeps its lid locked above 11.", "start_kg = 12.0"),
    # floats
    ([(CUTS, "")], "E113", "float_cuts is empty: LSHH-204 stops nothing", '[[vessel]]\nname = "buffer"'),
    ([(CUTS, "float_cuts = []")], "E113", "macerator, macerator_valve)", "float_cuts = []"),
    ([(CUTS, 'float_cuts = ["feed_pump"]')], "E113", "in series with no intake of buffer", 'float_cuts = ["feed'),
    ([(CUTS, 'float_cuts = ["gate_1"]')], "E113", "leaves intake throat open", 'float_cuts = ["gate_1"]'),
    (
        [(SHEDDING, TAP.replace("tap_2", "feed_valve").replace('element = "tap"', 'element = "heater"') + SHEDDING)],
        "E113",
        "leaves intake tap open",
        CUTS,
    ),
    ([('float_tag = "LSHH-204"\nfloat_kg = 565.0\n', "")], "E113", "float_cuts without float_tag", CUTS),
    (
        [FLOAT],
        "E113",
        "stops nothing; name the elements that it cuts by wire (of an intake, of which it has none)",
        '[[vessel]]\nname = "sump"',
    ),
    # common causes
    ([(SHEDDING, AIR.replace('"gate_1", ', "") + SHEDDING)], "E113", "fewer than two", 'elements = ["gate_2"]'),
    ([(SHEDDING, AIR.replace("gate_1", "gate_2") + SHEDDING)], "E113", "fewer than two", 'elements = ["gate_2"'),
    ([(SHEDDING, AIR.replace("gate_1", "gait_1") + SHEDDING)], "E111", "did you mean 'gate_1'", 'elements = ["gait_1"'),
    ([(SHEDDING, AIR.replace("air", "XM-A") + SHEDDING)], "E110", "is a device's name too", 'name = "XM-A"\nelements'),
    (
        [(SHEDDING, AIR + AIR + SHEDDING)],
        "E110",
        "= 'air' stands twice",
        'name = "air"\nelements = ["gate_1", "gate_2"]\n\n[s',
    ),
]


@pytest.mark.parametrize(("edits", "code", "words", "place"), CASES)
def test_a_contradiction_is_told_at_its_line(
    edits: list[tuple[str, str]], code: str, words: str, place: str, tmp_path: Path
) -> None:
    told = faults_of(tmp_path, *edits)

    line = line_of(edited(edits), place)
    assert any(f"pod.toml:{line}: {code} " in fault and words in fault for fault in told), (line, told)


def test_a_float_may_cut_every_gate_instead_of_what_stands_behind_them(tmp_path: Path) -> None:
    gates = 'float_cuts = ["gate_1", "gate_2", "gate_3", "gate_4"]'

    assert faults_of(tmp_path, (CUTS, gates)) == []
    slow = [("stroke_s = 20.0", "stroke_s = 90.0")]
    assert any("E125 " in fault and "lower it by" in fault for fault in faults_of(tmp_path, (CUTS, gates), *slow))


def test_what_shedding_waits_for_may_be_all_that_the_airlock_allows(tmp_path: Path) -> None:
    told = faults_of(tmp_path, ("start_kg = 12.0", "start_kg = 30.0"))
    limit_kg = told[0].rsplit(" ", 1)[1]

    assert faults_of(tmp_path, ("start_kg = 12.0", f"start_kg = {limit_kg}")) == []


def test_a_cause_that_opens_pump_and_valve_breaks_the_promise_by_name(tmp_path: Path) -> None:
    both = AIR.replace('"gate_1", "gate_2"', '"dosing_pump", "dosing_valve"')

    told = faults_of(tmp_path, (SHEDDING, both + SHEDDING))

    assert any(": E123 " in fault and "common cause air holding its elements open" in fault for fault in told), told


def test_contradictions_of_every_kind_are_told_together(tmp_path: Path) -> None:
    told = faults_of(
        tmp_path,
        ("fresh_s = 1.6", "fresh_s = 3.0"),
        ('position_2 = "ST-711"', 'position_2 = "ST-711"\nposition_7 = "FV-101"'),
        ("[0.0, 440.0]", "[0.0, 44.0]"),
        (CUTS, "float_cuts = []"),
        NO_FEEDBACK,
        ("start_kg = 200.0", "start_kg = 20.0"),
    )

    assert [fault.split(": E")[1][:3] for fault in told] == ["113", "110", "113", "113", "104", "113"], told
