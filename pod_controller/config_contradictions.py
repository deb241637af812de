"""Values of a configuration that contradict each other, each allowed alone (E113), and what a line's protocol wants.

Neighbours: `config_checks` asks. Must not know tags or the guard.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from pod_controller.config import Fault, PodConfig
from pod_controller.config_sourness import sourness

LAST_SERIAL_UNIT = 247


def contradictions(config: PodConfig) -> Iterator[Fault]:
    """Every contradiction between values."""
    yield from _lines(config)
    yield from _vessels(config)
    yield from _elements(config)
    yield from _fresh(config)
    yield from _control(config)
    yield from _shedding(config)
    yield from _intakes(config)
    yield from _pumped(config)
    yield from _used_once(config)
    yield from sourness(config)


def _lines(config: PodConfig) -> Iterator[Fault]:
    """A serial line has a port and a speed, a Modbus TCP line a host; neither has the other's."""
    serial = [line.name for line in config.line if line.protocol != "modbus_tcp"]
    for i, line in enumerate(config.line):
        wanted: tuple[str, ...] = ("port", "baud")
        foreign: tuple[str, ...] = ("host", "tcp_port")
        if line.protocol == "modbus_tcp":
            wanted, foreign = (("host",), ("port", "baud", "framing"))
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
        if vessel.over_weir_kg > 0.0 and vessel.weir_kg is None:
            text = f"= {vessel.over_weir_kg}: there is no weir to go over: add weir_kg and overflow_to, or drop it"
            yield Fault(("vessel", i, "over_weir_kg"), 113, text)
        if (vessel.float_kg is None) != (vessel.float_tag is None):
            yield Fault(("vessel", i), 113, "has only one of float_kg and float_tag: a float needs both")


def _elements(config: PodConfig) -> Iterator[Fault]:
    for i, element in enumerate(config.element):
        if element.fast_stroke_s > element.stroke_s:
            text = f"= {element.fast_stroke_s} is above stroke_s = {element.stroke_s}: swap them or correct one"
            yield Fault(("element", i, "fast_stroke_s"), 113, text)
        if element.position_tag is not None and element.locked_tag is not None:
            text = f"= {element.locked_tag!r} stands beside position_tag = {element.position_tag!r}: keep one of them"
            yield Fault(("element", i, "locked_tag"), 113, text)
    for i, cause in enumerate(config.cause):
        if len(set(cause.elements)) < 2:
            text = "names fewer than two elements: one alone is looked at anyway; add what fails with it, or delete it"
            yield Fault(("cause", i, "elements"), 113, text)


def _fresh(config: PodConfig) -> Iterator[Fault]:
    """How old a position may be: it must be able to arrive, and a module may let go a watchdog after it was taken."""
    fresh_s, tick_s = config.control.fresh_s, config.control.tick_s
    if fresh_s < tick_s:
        text = f"= {fresh_s} is below tick_s = {tick_s}: every position would be too old; raise it to two ticks or more"
        yield Fault(("control", "fresh_s"), 113, text)
    yield from older(fresh_s, [(device.watchdog_s, device.name) for device in config.device if device.watchdog_s > 0.0])


def older(fresh_s: float, watchdogs: Iterable[tuple[float, str]]) -> Iterator[Fault]:
    """E113: positions that may be older than the shortest of these watchdogs (seconds, whose)."""
    watchdog_s, name = min(watchdogs, default=(fresh_s, ""))
    if fresh_s > watchdog_s:
        text = f"= {fresh_s} is above watchdog_s = {watchdog_s} of {name}: a position from before it let go counts"
        yield Fault(("control", "fresh_s"), 113, f"{text}; set it to at most {watchdog_s}")


def _control(config: PodConfig) -> Iterator[Fault]:
    for i, transfer in enumerate(config.transfer):
        if transfer.stop_kg >= transfer.start_kg:
            text = f"= {transfer.stop_kg} is not below start_kg = {transfer.start_kg}: leave a band between them"
            yield Fault(("transfer", i, "stop_kg"), 113, text)
    if config.feeding and config.feeding.shot_min_s > config.feeding.shot_max_s:
        yield Fault(("feeding", "shot_min_s"), 113, f"= {config.feeding.shot_min_s} is above shot_max_s: swap them")


def _shedding(config: PodConfig) -> Iterator[Fault]:
    if config.shedding and any(x.name == config.shedding.intake and not x.from_chutes for x in config.intake):
        text = f"= {config.shedding.intake!r} has no chutes to share it: name an intake with from_chutes"
        yield Fault(("shedding", "intake"), 113, text)
    if config.shedding and config.shedding.stop_kg >= config.shedding.start_kg:
        yield Fault(("shedding", "stop_kg"), 113, f"= {config.shedding.stop_kg} is not below start_kg: lower it")
    if config.chute and config.shedding is None:
        yield Fault(("chute",), 113, "without [shedding]: add the table that says how chutes share their intake")


def _intakes(config: PodConfig) -> Iterator[Fault]:
    for i, intake in enumerate(config.intake):
        if (len(intake.from_chutes) > 0) == (intake.element is not None):
            text = "needs either from_chutes (each gate is its element) or from_vessel with element"
            yield Fault(("intake", i), 113, text)
        if not intake.to:
            text = "is empty: name the vessel that it fills, with the kg arriving there per kg passed"
            yield Fault(("intake", i, "to"), 113, text)
        if intake.from_vessel is not None and intake.from_vessel in intake.to:
            text = f"leads back to from_vessel = {intake.from_vessel!r}: it moves nothing; name another vessel"
            yield Fault(("intake", i, "to", intake.from_vessel), 113, text)


def _pumped(config: PodConfig) -> Iterator[Fault]:
    """Regulators and transfers need a vessel to take from, and an intake of their own."""
    sources = {x.name: x.from_vessel for x in config.intake}
    asking: list[tuple[tuple[str | int, ...], str]] = [
        (("transfer", i, "intake"), transfer.intake) for i, transfer in enumerate(config.transfer)
    ]
    if config.feeding:
        asking.append((("feeding", "intake"), config.feeding.intake))
    names = [name for _, name in asking]
    for k, (path, name) in enumerate(asking):
        if name in names[:k]:
            yield Fault(path, 113, f"= {name!r} is run by two tables: keep one [[transfer]] or [feeding] for it")
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
    if config.thermostat:
        duties[config.thermostat.element] = duties.get(config.thermostat.element, 0) + 1
    for i, element in enumerate(config.element):
        if duties.get(element.name, 0) > 1:
            yield Fault(("element", i, "name"), 113, f"= {element.name!r} has two duties: give each its own element")
    for i, chute in enumerate(config.chute):
        times = sum(intake.from_chutes.count(chute.name) for intake in config.intake)
        if times != 1:
            text = f"= {chute.name!r} stands {times} times in from_chutes of the intakes: name it exactly once"
            yield Fault(("chute", i, "name"), 113, text)
