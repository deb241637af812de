"""Device descriptions: all of the library loads, and a faulty one says what to do."""

import json
from importlib import resources

import pytest

from hal.description import known_types, load, parse, schema
from hal.errors import PodError
from hal.points import resolve

GOOD = """
manufacturer = "m"
model = "x"
source = "manual, page 3"
tried_on_hardware = false
protocol = "modbus_rtu"
baud = [9600]
turnaround_s = 0.005
late_s = 0.25
readable = [{ table = "input", first = 0, last = 3 }]
[[point]]
name = "level"
table = "input"
address = 0
type = "u16"
low = 0.0
high = 5.0
unit = "m"
group = "fast"
"""


def test_the_library_holds_the_types_of_the_reference_pod() -> None:
    assert {
        "analog_8ch",
        "io_module_8",
        "level_hydrostatic",
        "level_radar",
        "load_cell_4ch",
        "temp_pt100_4ch",
        "weigh_indicator",
    } <= set(known_types())


@pytest.mark.parametrize("device_type", known_types())
def test_every_type_says_that_it_was_not_tried_and_how_late_it_may_be(device_type: str) -> None:
    description = load(device_type)

    assert not description.tried_on_hardware
    assert description.late_s > description.turnaround_s


@pytest.mark.parametrize("device_type", known_types())
def test_every_described_word_may_be_read(device_type: str) -> None:
    description = load(device_type)
    for spec in description.point:
        if description.protocol == "modbus_rtu":
            for address in resolve(spec, "T", None).addresses():
                assert any(r.table == spec.table and r.first <= address <= r.last for r in description.readable)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("high = 5.0", "high = nan", ("point.0.high", "finite")),
        ("high = 5.0", "high = -1.0", ("low = 0.0", "-1.0", "widen")),
        ('type = "u16"', 'type = "u17"', ("point.0.type", "u17", "'u16'")),
        ("late_s = 0.25", "late_s = 0", ("late_s", "greater than 0")),
        ('group = "fast"', 'group = "fast"\nbit = 3', ("bit = 3", 'type = "bit"')),
        ('group = "fast"', 'group = "fast"\nscael = 3', ("scael", "not permitted")),
        ('group = "fast"', 'group = "fast"\nscale = 0.0', ("scale = 0",)),
        ('model = "x"', "model = ", ("not TOML", "line 3")),
    ],
)
def test_a_faulty_description_names_file_key_value_and_limit(old: str, new: str, words: tuple[str, ...]) -> None:
    with pytest.raises(PodError) as caught:
        parse(GOOD.replace(old, new), "x.toml")

    assert caught.value.code == 302
    for word in ("x.toml", *words):
        assert word in str(caught.value)


WRITE_SCHEMA = "import json, hal.description as d; print(json.dumps(d.schema(), indent=1))"


def test_the_schema_file_is_the_schema_of_the_model() -> None:
    stored = json.loads((resources.files("hal") / "library" / "schema.json").read_text("utf-8"))

    assert stored == schema(), f"python -c '{WRITE_SCHEMA}' > hal/library/schema.json"


@pytest.mark.parametrize("device_type", known_types())
def test_every_file_names_the_schema_or_is_older_than_it(device_type: str) -> None:
    text = (resources.files("hal") / "library" / f"{device_type}.toml").read_text("utf-8")

    assert text.startswith("#:schema schema.json\n") or "reference pod" in text


def test_a_good_description_passes() -> None:
    assert parse(GOOD, "x.toml").point_named("level") is not None


def test_an_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(PodError, match=r"E301 .*'io_modul_8'.*io_module_8"):
        load("io_modul_8")
