"""A scan beside a configuration: who is there, who is missing, who is nobody's, and what that looks like.

Job: run `hal.bus.scan` at each baud rate and draw the conclusions a technician would. Neighbours: `cli` shows it.
Must not know how it is shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hal.bus.asking import BusPort, known
from hal.bus.identify import identify
from hal.bus.scan import Asked, Found, Overheard, listen_first, scan
from hal.description import load
from hal.modbus import READ_FUNCTION, read_request
from pod_controller.bus.meeting import stranger_text
from pod_controller.bus.place import CLOCK, Place
from pod_controller.config import Device

OWN_READS = 3
Progress = Callable[[int, int, int], None]  # baud, addresses asked at it, devices found in all


SILENCE = Overheard(0, 0, (), False, "silence")


class Survey(NamedTuple):
    """What a scan came to. Rows are ready for --json."""

    found: list[dict[str, Any]]
    missing: list[dict[str, Any]]
    unknown: list[int]
    advice: list[str]
    overheard: Overheard


class Collected(NamedTuple):
    """What has been found so far; filled while the scan goes on, so that Ctrl-C loses nothing."""

    found: list[Found]
    looks: dict[tuple[int, int], str]
    doubts: dict[tuple[int, int], str]  # by baud rate and unit, as above


def run(
    place: Place, bauds: Sequence[int], units: Sequence[int], asked: Asked, listen_ns: int, progress: Progress,
    so_far: Collected,
) -> Overheard:  # fmt: skip
    """Listen, then ask every address at every rate. A line that speaks by itself is not asked at all."""
    for baud in bauds:
        old = place.line
        line = replace(old, baud=baud)
        with BusPort(line, CLOCK) as port:
            heard = listen_first(port, listen_ns)
            if heard.is_indicator:
                return heard
            for count, (_, found) in enumerate(scan(port, units, asked), start=1):
                if found is not None:
                    so_far.found.append(found)
                progress(baud, count, len(so_far.found))
            _look_closer(place, port, baud, asked, so_far)
    return SILENCE


def _look_closer(place: Place, port: BusPort, baud: int, asked: Asked, so_far: Collected) -> None:
    """What those look like that the configuration does not know; whether the others serve what theirs promise."""
    known_types = {device.unit: device.type for device in _devices(place)}
    for found in so_far.found:
        if place.config is None or found.baud != baud or found.how == "unclear":
            continue
        if found.unit in known_types:
            doubt = _doubt(port, found.unit, known_types[found.unit], asked.timeout_ns)
            so_far.doubts[baud, found.unit] = doubt or stranger_text(port, place, found.unit, asked.timeout_ns)
        else:
            so_far.looks[baud, found.unit] = identify(port, found.unit, asked.timeout_ns).guess


def _doubt(port: BusPort, unit: int, kind: str, timeout_ns: int) -> str:
    """What is wrong with the first registers that its description promises; empty when nothing is.

    Two devices with one address may refuse a read alike, but hardly show the same values.
    """
    description = load(kind)
    if not description.readable:
        return ""
    promised = description.readable[0]
    count = min(promised.last + 1 - promised.first, description.max_registers)
    request = read_request(unit, READ_FUNCTION[promised.table], promised.first, count)
    answers = [port.ask(known(request), timeout_ns) for _ in range(OWN_READS)]
    where = f"{promised.table} {promised.first} x{count}"
    spoilt = [answer.verdict.name.lower() for answer in answers if not answer.is_sound]
    if spoilt:
        return f"{len(spoilt)} of {OWN_READS} reads of its {where} are spoilt ({spoilt[0]}): two devices, or a bad wire"
    if refusal := answers[-1].refusal:
        return f"refuses its {where} ({refusal}): is it really of type {kind}?"
    return ""


def conclude(place: Place, so_far: Collected, overheard: Overheard, units: Sequence[int]) -> Survey:
    """Found, missing and unknown devices, and what to do about them."""
    expected = {device.unit: device for device in _devices(place)}
    there = {found.unit for found in so_far.found}
    silent = overheard.is_indicator
    missing = [] if silent else [x for unit, x in expected.items() if unit in units and unit not in there]
    unknown = sorted(there - set(expected)) if place.config is not None else []
    rows = [_row(found, expected.get(found.unit), so_far) for found in so_far.found]
    advice = [text for row in rows for text in _about(row, missing, place)]
    named = " ".join(advice)
    advice += [
        f"{device.name} ({device.type}, unit {device.unit}) does not answer: check power, terminals, address, baud"
        for device in missing
        if device.name not in named
    ]
    gone = [{"device": device.name, "type": device.type, "unit": device.unit} for device in missing]
    return Survey(rows, gone, unknown, advice, overheard)


def _devices(place: Place) -> list[Device]:
    """The devices that the configuration has on this line."""
    if place.config is None:
        return []
    return [device for device in place.config.device if device.line == place.line.name]


def _row(found: Found, device: Device | None, so_far: Collected) -> dict[str, Any]:
    key = (found.baud, found.unit)
    row: dict[str, Any] = found._asdict()
    row["device"] = None if device is None else device.name
    row["type"] = None if device is None else device.type
    return row | {"looks_like": so_far.looks.get(key) or None, "doubt": so_far.doubts.get(key) or None}


def _about(row: dict[str, Any], missing: Sequence[Device], place: Place) -> list[str]:
    """What to say of one device found: a wrong address, a wrong baud rate, spoilt answers."""
    said = []
    if row["how"] == "unclear" or row["sound_count"] < row["asked_count"]:
        said.append(f"unit {row['unit']}: {row['text']}")
    if place.config is None:
        return said
    if place.line.baud and row["baud"] != place.line.baud:
        said.append(f"unit {row['unit']} answers at {row['baud']} baud, the line is configured for {place.line.baud}")
    if row["doubt"]:
        said.append(f"unit {row['unit']} ({row['device']}): {row['doubt']}")
    if row["device"] is None:
        alike = [device for device in missing if device.type == row["looks_like"]]
        said.append(_stranger(row, alike))
    return said


def _stranger(row: dict[str, Any], alike: Sequence[Device]) -> str:
    """A device that nobody configured."""
    looks = f" and looks like {load(row['looks_like']).model}" if row["looks_like"] else ""
    head = f"unit {row['unit']} answers{looks}, but no device of the configuration has this address"
    if not alike:
        return f"{head}: identify it (podctl bus identify), then configure or disconnect it"
    named = " or ".join(f"{device.name} (unit {device.unit})" for device in alike)
    return f"{head}, while {named} does not answer: a wrong address? Set the device to {alike[0].unit}"
