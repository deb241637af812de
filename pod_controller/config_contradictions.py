"""Values of a configuration that contradict each other, each allowed alone (E113), and what a line's protocol wants.

Neighbours: `config_checks` asks. Must not know tags or the guard.
"""

import ipaddress
from collections.abc import Iterator

from pod_controller.config import Fault, PodConfig

LAST_SERIAL_UNIT = 247


def contradictions(config: PodConfig) -> Iterator[Fault]:
    """Every contradiction between values."""
    yield from _lines(config)
    yield from _vessels(config)
    yield from _elements(config)
    yield from _control(config)
    yield from _intakes(config)
    yield from _pumped(config)
    yield from _used_once(config)


def _lines(config: PodConfig) -> Iterator[Fault]:
    """A serial line has a port and a speed, a Modbus TCP line a host; neither has the other's."""
    serial = [line.name for line in config.line if line.protocol != "modbus_tcp"]
    for i, line in enumerate(config.line):
        wanted: tuple[str, ...] = ("port", "baud")
        foreign: tuple[str, ...] = ("host", "tcp_port")
        if line.protocol == "modbus_tcp":
            wanted, foreign = (("host",), ("port", "baud"))
        for key in wanted:
            if getattr(line, key) is None:
                yield Fault(("line", i), 104, f"{key} is missing: a line of protocol {line.protocol} needs it")
        for key in foreign:
            if getattr(line, key) is not None:
                text = f"= {getattr(line, key)!r} means nothing on a line of protocol {line.protocol}: delete it"
                yield Fault(("line", i, key), 113, text)
        if line.host is not None and line.protocol == "modbus_tcp" and not _is_address(line.host):
            text = f"= {line.host!r} is no numeric address: write one such as 192.168.1.20; a name server may be away"
            yield Fault(("line", i, "host"), 113, text)
    for i, device in enumerate(config.device):
        if device.unit > LAST_SERIAL_UNIT and device.line in serial:
            text = f"= {device.unit} must be at most {LAST_SERIAL_UNIT} on a serial line: correct the value"
            yield Fault(("device", i, "unit"), 105, text)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _vessels(config: PodConfig) -> Iterator[Fault]:
    for i, vessel in enumerate(config.vessel):
        limit = vessel.capacity_kg
        for key in ("weir_kg", "float_kg"):
            value = getattr(vessel, key)
            if value is not None and not value < limit:
                yield Fault(("vessel", i, key), 113, f"= {value} is not below capacity_kg = {limit}: lower it")
        if (vessel.weir_kg is None) != (vessel.overflow_to is None):
            yield Fault(("vessel", i), 113, "has only one of weir_kg and overflow_to: a passive overflow needs both")
        if (vessel.float_kg is None) != (vessel.float_tag is None):
            yield Fault(("vessel", i), 113, "has only one of float_kg and float_tag: a float needs both")


def _elements(config: PodConfig) -> Iterator[Fault]:
    for i, element in enumerate(config.element):
        if element.fast_stroke_s > element.stroke_s:
            text = f"= {element.fast_stroke_s} is above stroke_s = {element.stroke_s}: swap them or correct one"
            yield Fault(("element", i, "fast_stroke_s"), 113, text)


def _control(config: PodConfig) -> Iterator[Fault]:
    for i, transfer in enumerate(config.transfer):
        if transfer.stop_kg >= transfer.start_kg:
            text = f"= {transfer.stop_kg} is not below start_kg = {transfer.start_kg}: leave a band between them"
            yield Fault(("transfer", i, "stop_kg"), 113, text)
    if config.feeding and config.feeding.shot_min_s > config.feeding.shot_max_s:
        yield Fault(("feeding", "shot_min_s"), 113, f"= {config.feeding.shot_min_s} is above shot_max_s: swap them")
    if config.shedding and config.shedding.stop_kg >= config.shedding.start_kg:
        yield Fault(("shedding", "stop_kg"), 113, f"= {config.shedding.stop_kg} is not below start_kg: lower it")
    if config.chute and config.shedding is None:
        yield Fault(("chute",), 113, "without [shedding]: add the table that says how chutes share their intake")


def _intakes(config: PodConfig) -> Iterator[Fault]:
    for i, intake in enumerate(config.intake):
        if (len(intake.from_chutes) > 0) == (intake.element is not None):
            text = "needs either from_chutes (each gate is its element) or from_vessel with element"
            yield Fault(("intake", i), 113, text)


def _pumped(config: PodConfig) -> Iterator[Fault]:
    """Regulators and transfers need a vessel to take from."""
    sources = {x.name: x.from_vessel for x in config.intake}
    asking: list[tuple[tuple[str | int, ...], str]] = [
        (("transfer", i, "intake"), transfer.intake) for i, transfer in enumerate(config.transfer)
    ]
    if config.feeding:
        asking.append((("feeding", "intake"), config.feeding.intake))
    for path, name in asking:
        if name in sources and sources[name] is None:
            yield Fault(path, 113, f"= {name!r} takes from no vessel: name an intake with from_vessel")


def _used_once(config: PodConfig) -> Iterator[Fault]:
    """An element has one duty, and a chute one intake."""
    duties: dict[str, int] = {}
    for name in [x.gate for x in config.chute] + [x.lid for x in config.chute]:
        duties[name] = duties.get(name, 0) + 1
    for intake in config.intake:
        for name in (*intake.shared, *([intake.element] if intake.element else [])):
            duties[name] = duties.get(name, 0) + 1
    for i, element in enumerate(config.element):
        if duties.get(element.name, 0) > 1:
            yield Fault(("element", i, "name"), 113, f"= {element.name!r} has two duties: give each its own element")
    for i, chute in enumerate(config.chute):
        times = sum(chute.name in intake.from_chutes for intake in config.intake)
        if times != 1:
            text = f"= {chute.name!r} stands in from_chutes of {times} intakes: name it in exactly one"
            yield Fault(("chute", i, "name"), 113, text)
