"""What an outside master finds on the served pod: map.json, point by point, as plain Modbus.

Job: for every unit of every line the points with a tag, and the value that a read of them gives: raw number
times scale, from the very registers that are served. Outputs are read as coils and switches as discrete
inputs, so that no point needs a bit number. Analogue channels are told in mA: what a span makes of them is
the configuration's. Neighbours: serve.py writes it, wiring.py and hal's device library are its sources.
Must not know: sockets, the controller.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Any

from hal.description import Description, PointSpec, load
from pod_controller.config import PodConfig
from sim_hardware.hardware import Hardware, unit_of
from sim_hardware.instruments import Device
from sim_hardware.wiring import DEVICES, MEASURED_POINT, WiredDevice

READ_COILS, READ_DISCRETES, READ_INPUTS = 1, 2, 4
_FORMS = {"u16": ">H", "s16": ">h", "u32": ">I", "s32": ">i", "f32": ">f"}
_DIGITS = 9  # a number of tenths or thousandths written as such

Row = dict[str, Any]


def map_of(config: PodConfig, hardware: Hardware, places: Mapping[str, str]) -> Row:
    """The whole map; places: line -> path of its link, or host:port."""
    lines = []
    for line in config.line:
        row: Row = {"name": line.name, "protocol": line.protocol}
        if line.protocol == "modbus_tcp":
            host, _, port = places[line.name].rpartition(":")
            row |= {"host": host, "port": int(port), "baud": None}
        else:
            row |= {"link": places[line.name], "baud": line.baud}
        wired = [device for device in DEVICES if device.line == line.name]
        lines.append(row | {"units": [_unit(config, hardware, device) for device in wired]})
    return {"lines": lines}


def _unit(config: PodConfig, hardware: Hardware, wired: WiredDevice) -> Row:
    watchdog_s = next((device.watchdog_s for device in config.device if device.name == wired.name), 0.0)
    description = load(wired.type)
    device = hardware.field_side.devices.get(wired.name)
    if device is None:
        points = [_spoken(hardware, description, tag) for tag in wired.inputs.values()]
    else:
        points = list(_points(device, description, wired))
    return {"unit": unit_of(wired), "device": wired.name, "watchdog_s": watchdog_s, "points": points}


def _points(device: Device, description: Description, wired: WiredDevice) -> Iterator[Row]:
    registers = device.inputs()
    for channel, tag in wired.inputs.items():
        spec = _spec(description, MEASURED_POINT[wired.type].format(channel))
        yield _row(tag, READ_INPUTS, spec.address, spec, _value(registers, spec))
    for channel, tag in wired.switches.items():
        spec = _spec(description, f"switch_{channel}")
        yield _row(tag, READ_DISCRETES, channel, spec, device.discretes() >> channel & 1)
    for channel, tag in wired.outputs.items():
        spec = _spec(description, f"output_{channel}")
        yield _row(tag, READ_COILS, spec.address, spec, device.coils() >> channel & 1) | {"fail_value": 0}


def _spoken(hardware: Hardware, description: Description, tag: str) -> Row:
    """The weight that an indicator sends by itself, in steps of 0.1 kg."""
    spec = description.point[0]
    return _row(tag, None, None, spec, round(hardware.plant.probe(tag)(), 1))


def _row(tag: str, function: int | None, address: int | None, spec: PointSpec, value: float) -> Row:
    return {
        "tag": tag,
        "fc": function,
        "address": address,
        "type": spec.type,
        "word_order": spec.word_order,
        "scale": spec.scale,
        "unit": spec.unit,
        "value": value,
    }


def _spec(description: Description, name: str) -> PointSpec:
    spec = description.point_named(name)
    assert spec is not None, f"{description.model} has no point {name}"
    return spec


def _value(registers: bytes, spec: PointSpec) -> float:
    """Raw number times scale."""
    form = struct.Struct(_FORMS[spec.type])
    raw = registers[2 * spec.address : 2 * spec.address + form.size]
    if spec.word_order == "low_first" and form.size > 2:
        raw = raw[2:] + raw[:2]
    (number,) = form.unpack(raw)
    return float(number) if spec.type == "f32" else round(number * spec.scale, _DIGITS)
