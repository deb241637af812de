"""The reference pod is wired as drawn: tags on terminals, outputs to the drive, faults by name."""

import tomllib
from importlib.resources import files

import pytest
from reference_field import SPANS, hardware, steady_field

from hal.errors import PodError
from sim_hardware import layout
from sim_hardware.rtu_codec import seal
from sim_hardware.wiring import DEVICES, FieldSide, output_tags, probe_tags

ALL_ON = bytes.fromhex("0F0000000801FF")


def test_no_tag_is_wired_twice() -> None:
    tags = [*probe_tags(), *output_tags()]

    assert len(tags) == len(set(tags)) == 71


def test_units_differ_on_each_line_and_every_actuator_line_has_one_module() -> None:
    places = [(device.line, device.unit) for device in DEVICES]

    assert len(places) == len(set(places))
    assert [device.line for device in DEVICES if device.outputs] == ["A", "B", "C"]


@pytest.mark.parametrize("line", ["A", "B", "C"])
def test_an_output_drives_its_tag_and_a_free_terminal_nothing(line: str) -> None:
    steady = steady_field()
    (module,) = [device for device in DEVICES if device.line == line and device.outputs]

    steady.field.stations[line].receive(seal(module.unit, ALL_ON), 0)

    assert steady.driven == [(tag, True) for tag in module.outputs.values()]
    assert all(steady.field.held(tag) for tag in module.outputs.values())


def test_missing_probes_and_spans_are_named() -> None:
    probes = {tag: (lambda: 0.0) for tag in probe_tags() if tag != "LT-201"}
    spans = {tag: span for tag, span in SPANS.items() if tag != "FT-311"}

    with pytest.raises(PodError, match=r"E385 .*LT-201, FT-311 \(span\)"):
        FieldSide(probes, lambda tag, on: None, spans)


@pytest.mark.parametrize("target", ["A", "XM-A", "W", "WI-203"])
def test_a_fault_finds_line_and_device_by_name(target: str) -> None:
    field = steady_field().field
    line = "W" if target.startswith("W") else "A"

    def heard() -> bool:
        station = field.stations[line]
        request = seal(1, bytes.fromhex("0400000001"))
        return bool(station.receive(request, 0) if line == "A" else station.advance(station.due_ns()))

    assert heard()
    field.inject("device_dead", target)
    assert not heard()
    field.clear("device_dead", target)
    assert heard()


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    field = steady_field().field

    with pytest.raises(PodError, match=r"E387 fault target 'XM-Z'.*XM-A"):
        field.inject("device_dead", "XM-Z")
    with pytest.raises(PodError, match=r"E386 .*FV-101"):
        field.held("LT-201")


def test_the_plant_knows_every_tag_that_is_wired_and_no_other() -> None:
    assert set(probe_tags()) == set(layout.signals(4))
    assert set(output_tags()) == set(layout.actuators(4))


def test_the_shipped_configuration_and_the_wiring_put_every_tag_on_the_same_terminal() -> None:
    text = files("sim_hardware").joinpath("reference", "pod.toml").read_text("utf-8")
    configured = {device["name"]: device for device in tomllib.loads(text)["device"]}
    wired = {device.name: device for device in hardware().devices}

    assert configured.keys() == wired.keys()
    for name, device in configured.items():
        assert device["type"] == wired[name].type
        assert device["line"] == wired[name].line
        assert device["tags"].items() <= wired[name].tags.items()
        assert device["unit"] == wired[name].unit or device["type"] == "weigh_indicator"  # which has no number


def test_the_shipped_configuration_names_the_serial_numbers_that_the_devices_show() -> None:
    text = files("sim_hardware").joinpath("reference", "pod.toml").read_text("utf-8")
    named = {device["name"]: device["identity"] for device in tomllib.loads(text)["device"] if "identity" in device}
    shown = {device.name: device.serial_number for device in DEVICES if device.serial_number}
    field = steady_field().field

    assert {name: identity["words"] for name, identity in named.items()} == {
        name: [number >> 16, number & 0xFFFF] for name, number in shown.items()
    }
    assert len(set(shown.values())) == len(shown)
    for name, identity in named.items():
        first, words = 2 * identity["address"], field.devices[name].holdings()
        assert words[first : first + 4] == shown[name].to_bytes(4, "big")
