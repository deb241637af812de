"""Wiring that cannot be trusted or cannot work: each is refused at its line, with the value and what to do."""

from pathlib import Path

import pytest
from edited_pod import TEXT, edited, faults_of, line_of

from pod_controller.kernels import records

IDENTITY = 'identity = { table = "holding", address = 2, words = [0x0811, 0x0102] }  # serial number\n'
XM_B = f'watchdog_s = 2.0\n{IDENTITY}[device.tags]\noutput_0 = "FV-102"'
OVERLOAD = [("tick_s = 0.5", "tick_s = 0.1"), ("baud = 38400", "baud = 9600")]
LM_201 = 'type = "level_hydrostatic"\nline = "B"\nunit = 3\n'
INDICATOR = '[[device]]\nname = "WI-9"\ntype = "weigh_indicator"\nline = "W"\nunit = 2\ntags = {}\n\n[[device]]\n'

# edits, number, words, and the place in the edited text at whose line it must be told
CASES = [
    # two of a thing
    ([("/dev/pod-bus-b", "/dev/pod-bus-a")], "E110", "is the port of line A too", ('port = "/dev/pod-bus-a"', 2)),
    ([('weight_0 = "WT-102"', 'weight_0 = "WT-101"')], "E110", "weight_0 of WM-A already", ('weight_0 = "WT-101"', 2)),
    ([('weight_1 = "WT-103"', 'weight_1 = "WT-101"')], "E110", "a tag names one point", 'weight_1 = "WT-101"'),
    (
        [('position_2 = "ST-711"', 'position_2 = "ST-711"\nposition_7 = "FV-101"')],
        "E110",
        "output_0 of XM-A already: a tag names one point, an output or an input",
        'position_7 = "FV-101"',
    ),
    (
        [(LM_201, LM_201.replace("3", "1"))],
        "E110",
        "= 1 is the address of XM-B on line B too",
        "unit = 1\n[device.tags]\nlevel",
    ),
    ([('commands = ["FV-102"]', 'commands = ["FV-101"]')], "E110", "an output obeys one element", ('"FV-101"]', 2)),
    (
        [('commands = ["FV-102"]', 'commands = ["FV-102", "FV-102"]')],
        "E110",
        "[element 2] commands already",
        '"FV-102", "',
    ),
    (
        [('position_tag = "ZT-102"', 'position_tag = "ZT-101"')],
        "E110",
        "a signal proves one thing",
        ('g = "ZT-101"', 2),
    ),
    (
        [('content_tag = "WT-102"', 'content_tag = "WT-101"')],
        "E110",
        "[chute 1] content_tag already",
        ('g = "WT-101"', 2),
    ),
    (
        [('commands = ["FV-102"]', 'commands = ["FV-102"]\nkind = "positioner"')],
        "E113",
        "an output is on or off here, contact or register",
        'kind = "positioner"',
    ),
    ([('position_tag = "ZT-102"', 'position_tag = "FV-102"')], "E112", "is no input", 'position_tag = "FV-102"'),
    ([('tag = "LT-302"', 'tag = "LT-401"')], "E114", "a sensor counts once, in one vessel", ("levels = [", 3)),
    ([('tag = "WT-203"', 'tag = "LT-201"')], "E114", "give each level its own", "levels = ["),
    # spans
    ([("[0.0, 440.0]", "[440.0, 0.0]")], "E113", "= [440.0, 0.0] does not rise", "[440.0, 0.0]"),
    ([("[0.0, 10.0]", "[10.0, 10.0]")], "E113", "does not rise", "[10.0, 10.0]"),
    ([("current_1 = [0.0, 440.0]\n", "")], "E104", "LT-401 would read in mA", "[device.spans]"),
    (
        [("[0.0, 880.0]", "[0.0, 790.0]")],
        "E113",
        "LT-601 ends at 790.0 = 790 kg, capacity_kg of bin is 800.0",
        "[0.0, 790",
    ),
    ([("kg_per_unit = 500.0", "kg_per_unit = 5.0")], "E113", "LT-201 ends at 6.5 = 32.5 kg", "levels = ["),
    ([('current_0 = "LT-302"\n', "")], "E112", "'LT-302' is no input", ("levels = [", 2)),
    # what the planner of the field side refuses
    (OVERLOAD, "E202", "line 1 cannot work: line A at 9600 baud carries", "[[line]]"),
    ([("[[device]]\n", INDICATOR)], "E204", "listens to one indicator", ("[[line]]", 4)),
    (
        [('type = "weigh_indicator"\nline = "W"', 'type = "weigh_indicator"\nline = "C"')],
        "E204",
        "speaks ascii",
        'line = "C"',
    ),
    ([("baud = 38400", "baud = 57600")], "E205", "only at", "baud = 57600"),
    ([(LM_201, LM_201 + "watchdog_s = 2.0\n")], "E305", "level_hydrostatic has no watchdog", ("watchdog_s = 2.0", 3)),
    ([("watchdog_s = 2.0", "watchdog_s = 0.05")], "E305", "is outside 0.1 to 60.0 s", "watchdog_s = 0.05"),
    ([('current_7 = "AT-704"\n', "")], "E308", "span of 'current_7', which has no tag", ("[device.spans]", 2)),
    ([('position_0 = "ZT-101"', 'positron_0 = "ZT-101"')], "E111", "did you mean 'position_0'", "positron_0"),
]


def nth_line(text: str, place: str | tuple[str, int]) -> int:
    part, count = (place, 1) if isinstance(place, str) else place
    start = -1
    for _ in range(count):
        start = text.index(part, start + 1)
    return text[:start].count("\n") + 1


@pytest.mark.parametrize(("edits", "code", "words", "place"), CASES)
def test_wiring_that_cannot_be_is_told_at_its_line(
    edits: list[tuple[str, str]], code: str, words: str, place: str | tuple[str, int], tmp_path: Path
) -> None:
    told = faults_of(tmp_path, *edits)

    line = nth_line(edited(edits), place)
    assert any(f"pod.toml:{line}: {code} " in fault and words in fault for fault in told), (line, told)


def test_an_analogue_point_that_nothing_uses_may_read_in_milliamperes(tmp_path: Path) -> None:
    assert faults_of(tmp_path, ("current_6 = [0.0, 1.0] ", "#")) == []


def test_every_line_and_device_that_cannot_work_is_told_at_once(tmp_path: Path) -> None:
    told = faults_of(
        tmp_path,
        *OVERLOAD,
        (XM_B, XM_B.replace("2.0", "0.05")),
        (LM_201, LM_201 + "watchdog_s = 2.0\n"),
        ("current_1 = [0.0, 440.0]", "current_1 = [440.0, 0.0]"),
    )

    codes = [fault.split(": E")[1][:3] for fault in told]
    assert codes == ["113", "202", "305", "305", "113"], told


def common_causes(count: int) -> str:
    rows = (f'[[cause]]\nname = "feed_{k}"\nelements = ["gate_1", "gate_2"]\n\n' for k in range(count))
    return "".join(rows) + "[shedding]\n"


def test_more_common_causes_than_the_tables_hold_are_refused(tmp_path: Path) -> None:
    modules = 3  # of the reference pod, each with more than one element
    most = records.MAX_CAUSES - modules

    assert faults_of(tmp_path, ("[shedding]\n", common_causes(most))) == []
    told = faults_of(tmp_path, ("[shedding]\n", common_causes(most + 1)))

    assert len(told) == 1
    line = line_of(edited([("[shedding]\n", common_causes(most + 1))]), f'[[cause]]\nname = "feed_{most}"')
    assert f":{line}: E105 " in told[0]
    assert f"feed_{most} is one of 9 common causes" in told[0] and "at most 8" in told[0]


MORE = [
    ("cause", '[[cause]]\nname = "x{k}"\nelements = ["gate_1", "gate_2"]\n', records.MAX_CAUSES + 1),
    ("transfer", '[[transfer]]\nintake = "separator"\nstart_kg = 2.0\nstop_kg = 1.0\n', records.MAX_TRANSFERS + 1),
    ("intake", '[[intake]]\nname = "x{k}"\nrate_kg_s = 1.0\nto = {{ bin = 1.0 }}\n', records.MAX_INTAKES + 1),
]


@pytest.mark.parametrize(("table", "row", "count"), MORE)
def test_more_rows_than_the_tables_hold_are_refused(table: str, row: str, count: int, tmp_path: Path) -> None:
    told = faults_of(tmp_path, text=TEXT + "\n" + "\n".join(row.format(k=k) for k in range(count)))

    assert any(f"E105 {table} has " in fault and f"must be at most {count - 1}: correct" in fault for fault in told), (
        told
    )


def test_more_flows_than_the_tables_hold_are_refused(tmp_path: Path) -> None:
    row = (
        '\n[[intake]]\nname = "x{k}"\nfrom_vessel = "sump"\nelement = "heater"\nrate_kg_s = 1.0\nto = {{ bin = 1.0 }}\n'
    )
    text = TEXT + "".join(row.format(k=k) for k in range(18))  # 4 chutes, 3 pumps and these: 25 flows in 22 intakes

    told = faults_of(tmp_path, text=text)

    last = line_of(text, 'name = "x17"') - 1
    assert any(f":{last}: E105 intake 22 brings the flows" in fault and "to 25: at most 24" in fault for fault in told)
