"""Faults of a configuration: all at once, each by file:line, name, value, limit and what to do."""

import re
from pathlib import Path

import pytest
from edited_pod import TEXT, faults_of, line_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pod_controller.config import ConfigFaults, load


def test_the_reference_pod_has_no_faults(tmp_path: Path) -> None:
    assert faults_of(tmp_path) == []


RANGES = [
    ("tick_s = 0.5", "tick_s = 0.05", "E105", "must be at least 0.1"),
    ("tick_s = 0.5", "tick_s = nan", "E105", "finite"),
    ("capacity_kg = 600.0", "capacity_kg = inf", "E105", "finite"),
    ("capacity_kg = 600.0", "capacity_kg = -1.0", "E105", "must be above 0"),
    ("stale_s = 10.0", "stale_s = 0.1", "E105", "must be at least 0.5"),
    ("baud = 38400", "baud = 38401", "E105", "must be one of"),
    ('protocol = "ascii"', 'protocol = "can"', "E105", "must be one of"),
    ("unit = 1", "unit = 0", "E105", "must be at least 1"),
    ("unit = 1", 'unit = "one"', "E106", "integer"),
    ("capacity_kg = 600.0", 'capacity_kg = "600.0"', "E106", "must be a number: write it without quotes"),
    ("stale_s = 10.0", "stale_s = true", "E106", "= True must be a number"),
    ("unit = 1", 'unit = "1"', "E106", "must be an integer"),
    ("unit = 1", "unit = true", "E106", "must be an integer"),
    ("schema_version = 1", "schema_version = true", "E106", "must be an integer"),
    ('element = "sump_pump"', 'element = "sump_pump"\nstatic_head = 1', "E106", "true or false"),
    ('name = "reference"', "name = 1", "E106", "must be text"),
    ("current_0 = [0.0, 50000.0]", 'current_0 = [0.0, "50000.0"]', "E106", "must be a number"),
    ("error_kg = 460.0", 'error_kg = "460.0"', "E106", "must be a number"),
    ('socket = "/run/podctl/control.sock"', "socket = 1", "E106", "must be a path"),
    ('shared = ["feed_valve"]', 'shared = ["a", "b", "c", "d"]', "E105", "at most 3"),
    ("hold_up_kg = 12.0", "hold_upp_kg = 12.0", "E103", "did you mean 'hold_up_kg'"),
    ("capacity_kg = 600.0", "", "E104", "is missing: add it"),
    ("setpoint_frac = 0.2", "setpoint_frac = 1.2", "E105", "must be at most 1"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), RANGES)
def test_a_value_out_of_range_is_told_with_line_and_remedy(
    old: str, new: str, code: str, words: str, tmp_path: Path
) -> None:
    told = faults_of(tmp_path, (old, new))

    assert len(told) == 1
    assert told[0].startswith(f"{tmp_path / 'pod.toml'}:")
    assert f": {code} " in told[0]
    assert words in told[0]
    if new and "\n" not in new and not old.startswith("error_kg"):  # a row of levels is told at its list
        assert int(told[0].split(":")[1]) == line_of(TEXT, old)


def test_whole_numbers_are_fine_where_numbers_are_wanted(tmp_path: Path) -> None:
    assert faults_of(tmp_path, ("capacity_kg = 600.0", "capacity_kg = 600"), ("tick_s = 0.5", "tick_s = 1")) == []


def test_all_faults_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    told = faults_of(
        tmp_path, ("tick_s = 0.5", "tick_s = nan"), ("stale_s = 10.0", "stale_s = 99.0"), ("band_degc", "bend_degc")
    )

    lines = [int(fault.split(":")[1]) for fault in told]
    assert [re.search(r"E\d+", fault)[0] for fault in told] == ["E105", "E105", "E104", "E103"]  # type: ignore[index]  # each has one
    assert lines == sorted(lines)


NAMES = [
    ('gate = "gate_1"', 'gate = "gate_9"', "E111", "gate_9"),
    ('overflow_to = "sump"', 'overflow_to = "sumpp"', "E111", "did you mean 'sump'"),
    ('name = "gate_2"', 'name = "gate_1"', "E110", "stands twice"),
    ('float_tag = "LSHH-204"', 'float_tag = "LSHH-205"', "E112", "did you mean 'LSHH-204'"),
    ('line = "B"', 'line = "Z"', "E111", "no line of this pod"),
    ("weir_kg = 362.0", "weir_kg = 410.0", "E113", "not below capacity_kg = 400"),
    ("fast_stroke_s = 8.0", "fast_stroke_s = 28.0", "E113", "above stroke_s"),
    ("shot_min_s = 30.0", "shot_min_s = 90.0", "E113", "shot_max_s"),
    ("stop_kg = 60.0", "stop_kg = 260.0", "E113", "leave a band"),
    ('principle = "radar"', 'principle = "hydrostatic"', "E114", "different principles"),
    ('{ tag = "LT-202"', '{ tag = "LT-201"', "E114", "give each level its own"),
    ('tag = "LT-302"', 'tag = "LT-401"', "E114", "in one vessel"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), NAMES)
def test_what_does_not_hold_between_tables_is_told_by_name(
    old: str, new: str, code: str, words: str, tmp_path: Path
) -> None:
    told = faults_of(tmp_path, (old, new))

    assert any(f": {code} " in fault and words in fault for fault in told), told


TAP = '[[intake]]\nname = "tap"\nelement = "heater"\nrate_kg_s = 1.0\nto = { buffer = 1.0 }\n\n[shedding]\n'
PROMISES = [
    (("watchdog_s = 2.0\n", ""), "E120", "XM-A, which has no watchdog"),
    (('name = "gate_1"', 'name = "gate_1"\nwithout_power = "holds"'), "E121", "without power"),
    (
        ('shared = ["sump_valve"]', "static_head = true"),
        "E122",
        "it empties its source, 362.0 kg; add a second element",
    ),
    (("[shedding]\n", TAP), "E122", "endless supply"),
    (("capacity_kg = 600.0", "capacity_kg = 15.0"), "E123", "buffer cannot be kept from spilling"),
    (("capacity_kg = 800.0", "capacity_kg = 8.0"), "E123", "bin cannot be kept from spilling"),
    (("over_weir_kg = 980.0", "over_weir_kg = 98000.0"), "E123", "storage cannot be kept from spilling"),
    (("float_kg = 565.0", "float_kg = 599.0"), "E125", "lower it by"),
    (("watchdog_s = 2.0", "watchdog_s = 60.0"), "E126", "history holds 64 ticks"),
]


@pytest.mark.parametrize(("edit", "code", "words"), PROMISES)
def test_a_promise_that_cannot_be_given_is_refused(
    edit: tuple[str, str], code: str, words: str, tmp_path: Path
) -> None:
    lower_float = [("float_kg = 565.0", "float_kg = 1.0")] if edit[1] == "capacity_kg = 15.0" else []

    told = faults_of(tmp_path, edit, *lower_float)

    assert any(f": {code} " in fault and words in fault for fault in told), told


def test_an_overflow_in_a_circle_is_refused(tmp_path: Path) -> None:
    told = faults_of(tmp_path, ('overflow_to = "storage"', 'overflow_to = "digester"'))

    assert any(": E124 " in fault and "circle" in fault for fault in told), told


def test_pressure_and_foam_that_no_vessel_takes_are_refused_with_their_terms_and_kilograms(tmp_path: Path) -> None:
    told = faults_of(tmp_path, ("over_weir_kg = 980.0", "over_weir_kg = 98000.0"))

    words = (
        "what no inlet can stop",
        "91100.0 kg over its capacity",
        "weir_kg (U 100.0 kg of error, M 0.0 kg, Psi 101000.0",
    )
    assert any(all(word in fault for word in words) for fault in told), told


def test_a_siphon_behind_two_elements_is_covered(tmp_path: Path) -> None:
    edit = ('element = "dosing_pump"', 'element = "dosing_pump"\nstatic_head = true')

    assert faults_of(tmp_path, edit) == []


BACK = '[[intake]]\nname = "back"\nelement = "recycle_pump"\nfrom_vessel = "digester"\nrate_kg_s = 0.1\n'
BACK += "to = { buffer = 1.0 }\n"
RECYCLE = '[[element]]\nname = "recycle_{}"\ncommands = ["{}"]\nstroke_s = 2.0\nfast_stroke_s = 1.0\n\n'
PARTS = RECYCLE.format("pump", "SC-213") + RECYCLE.format("valve", "FV-214")
WIRED = [
    ('output_4 = "SC-901"\n', 'output_4 = "SC-901"\noutput_5 = "SC-213"\n'),
    ('output_6 = "FV-212"\n', 'output_6 = "FV-212"\noutput_7 = "FV-214"\n'),
    ("[shedding]\n", PARTS + "[shedding]\n"),
    ('float_cuts = ["macerator", ', 'float_cuts = ["recycle_pump", "macerator", '),
]


def test_a_recycle_behind_two_elements_is_summed(tmp_path: Path) -> None:
    back = BACK + 'shared = ["recycle_valve"]\n\n'

    assert faults_of(tmp_path, *WIRED, ("[shedding]\n", back + "[shedding]\n")) == []


def test_a_recycle_by_a_lone_pump_is_refused_with_the_kilograms(tmp_path: Path) -> None:
    told = faults_of(tmp_path, *WIRED, ("[shedding]\n", BACK + "\n[shedding]\n"))

    assert any("buffer cannot be kept from spilling" in fault and "of back stuck open" in fault for fault in told), told


def test_a_circle_of_lone_pumps_is_refused_and_says_what_to_do(tmp_path: Path) -> None:
    lone = ('shared = ["feed_valve"]\n', "")

    told = faults_of(tmp_path, lone, *WIRED, ("[shedding]\n", BACK + "\n[shedding]\n"))

    assert any(": E124 " in fault and "its own source" in fault and "add one" in fault for fault in told), told


def test_a_lone_pump_needs_room_for_its_share_of_all_that_comes_over_the_weirs_into_its_source(tmp_path: Path) -> None:
    lone, small = ('shared = ["sump_valve"]\n', ""), ("capacity_kg = 800.0", "capacity_kg = 440.0")

    told = faults_of(tmp_path, lone, small)

    # 8.0 kg of error; a tenth of the sump's 362.0 kg at its weir and of 3980.0 kg that come over the digester's
    assert "one element of separator stuck open brings it 2.2 kg over its capacity" in told[0]
    assert "add a second element" in told[0]
    assert faults_of(tmp_path, lone) == faults_of(tmp_path, small) == []


def test_what_goes_over_no_weir_is_refused(tmp_path: Path) -> None:
    told = faults_of(tmp_path, ("capacity_kg = 10000.0\n", "capacity_kg = 10000.0\nover_weir_kg = 980.0\n"))

    assert any(": E113 " in fault and "no weir" in fault for fault in told), told


@pytest.mark.parametrize("text", ["", "[[", "a = ", "\ufeffa = 1", "a = 1\na = 2", "[" * 2000, "schema_version = 1"])
def test_what_is_no_configuration_is_told_in_one_line_each(text: str, tmp_path: Path) -> None:
    told = faults_of(tmp_path, text=text)

    assert told
    assert all(re.match(r".*pod\.toml:\d+: E10\d ", fault) for fault in told)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "\ufeff", ":1: E102 the file begins with a byte order mark: save it as UTF-8 without one"),
        ("tick_s = 0.5", "tick_s = 0,5", "write decimals with a point, not a comma"),
        ('name = "XM-A"', 'name = "XM-A', "a quote is missing in this line"),
        ("[[vessel]]", "[vessel]", "double brackets, as [[vessel]]"),
        ("unit = 5", f"unit = {'9' * 5000}", "E102 a number of more than 4300 digits"),
        ('"LT-201"', '"lt-201"', "E107 [device 5.tags] level = 'lt-201' is no tag: capital letters, a hyphen"),
        ('name = "buffer"', 'name = "the buffer"', "may have letters, digits, '_', '.' and '-' only"),
        ('name = "buffer"', 'name = ""', "has 0 letters, must have at least 1"),
    ],
)
def test_a_slip_of_a_person_is_told_in_a_person_s_words(old: str, new: str, told: str, tmp_path: Path) -> None:
    faults = faults_of(tmp_path, text=TEXT.replace(old, new, 1))

    assert told in faults[0]


def test_one_fault_is_told_without_a_count_and_several_with_how_many_more(tmp_path: Path) -> None:
    (tmp_path / "one.toml").write_text(TEXT.replace("unit = 5", "unit = 300"))
    (tmp_path / "two.toml").write_text(TEXT.replace("unit = 5", "unit = 300").replace("tick_s = 0.5", "tick_s = 50.0"))

    with pytest.raises(ConfigFaults) as one:
        load(tmp_path / "one.toml")
    with pytest.raises(ConfigFaults) as two:
        load(tmp_path / "two.toml")

    assert str(one.value) == one.value.lines[0]
    assert str(two.value).endswith("(and 1 more: podctl check-config tells all)")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults, match="E101"):
        load(tmp_path / "none.toml")


KEYS = sorted(set(re.findall(r"^(\w+) = [-\d.]+", TEXT, re.MULTILINE)))
VALUES = ("nan", "inf", "-inf", "-1.0", "0", "1e300", '"x"', "true", "[]", "{}", "1979-05-27")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(key=st.sampled_from(KEYS), value=st.sampled_from(VALUES), which=st.integers(0, 20))
def test_any_value_for_any_key_loads_or_is_told(key: str, value: str, which: int, tmp_path: Path) -> None:
    places = list(re.finditer(rf"^{key} = \S+", TEXT, re.MULTILINE))
    place = places[which % len(places)]
    told = faults_of(tmp_path, text=f"{TEXT[: place.start()]}{key} = {value}{TEXT[place.end() :]}")

    assert all(re.match(r".*pod\.toml:\d+: E[123]\d\d \S", fault) for fault in told)
    if value in ("nan", "inf", "-inf"):
        assert told
