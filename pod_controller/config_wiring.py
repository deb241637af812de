"""Tags, addresses and spans of a configuration: what is given twice, and what a point cannot show.

Neighbours: `config_checks` asks; `hal.description` knows the points of devices. Must not know lines or the guard.
"""

from collections.abc import Iterator

from hal.description import PointSpec
from hal.description import load as load_description
from pod_controller.config import Fault, PodConfig
from pod_controller.config_faults import name_of
from pod_controller.config_line import MODBUS_PORT
from pod_controller.config_names import Path, tag_uses


def doubles(config: PodConfig) -> Iterator[Fault]:
    """E110 for a port of two lines, an address of two devices, a tag of two points or uses; E114 if it is a level's."""
    ports: dict[str, str] = {}
    servers: dict[str, str] = {}
    for j, line in enumerate(config.line):
        if line.port is not None and ports.setdefault(line.port, line.name) != line.name:
            text = f"= {line.port!r} is the port of line {ports[line.port]} too: give each line its own"
            yield Fault(("line", j, "port"), 110, text)
        server = f"{line.host}:{line.tcp_port or MODBUS_PORT}"
        if line.host is not None and servers.setdefault(server, line.name) != line.name:
            text = f"= {line.host!r}: line {servers[server]} has {server} already: put its devices there"
            yield Fault(("line", j, "host"), 110, text)
    points: dict[str, str] = {}
    addresses: dict[tuple[str, int], str] = {}
    for i, device in enumerate(config.device):
        other = addresses.setdefault((device.line, device.unit), device.name)
        if other != device.name:
            text = f"= {device.unit} is the address of {other} on line {device.line} too: give one of them another"
            yield Fault(("device", i, "unit"), 110, text)
        for point, tag in device.tags.items():
            if tag in points:
                text = f"= {tag!r} is {points[tag]} already: a tag names one point, an output or an input; rename one"
                yield Fault(("device", i, "tags", point), 110, text)
            points.setdefault(tag, f"{point} of {device.name}")
    yield from _uses(config)


def _uses(config: PodConfig) -> Iterator[Fault]:
    """One signal proves one thing, and an output obeys one element."""
    seen: dict[str, Path] = {}
    for path, tag, is_output in tag_uses(config):
        if tag not in seen:
            seen[tag] = path
            continue
        first = seen[tag]
        thing = f"= {tag!r} stands at {name_of(first)} already"
        if is_output:
            yield Fault(path, 110, f"{thing}: an output obeys one element; give each its own")
        elif "levels" in path and "levels" in first:
            yield Fault(path, 114, f"{thing}: a sensor counts once, in one vessel; give each level its own")
        else:
            yield Fault(path, 110, f"{thing}: a signal proves one thing; give each its own")


def spans(config: PodConfig) -> Iterator[Fault]:
    """Analogue points in use have a span that rises, and levels reach their vessel's lip; types must be known."""
    used = {tag for _, tag, is_output in tag_uses(config) if not is_output}
    where: dict[str, tuple[int, PointSpec]] = {}
    for i, device in enumerate(config.device):
        points = {spec.name: spec for spec in load_description(device.type).point}
        for point, tag in device.tags.items():
            where[tag] = (i, points[point])
            if points[point].span is not None and point not in device.spans and tag in used:
                text = f"is missing: {tag} would read in {points[point].unit}; give its values at both ends"
                yield Fault(("device", i, "spans", point), 104, text)
        for point, (first, last) in device.spans.items():
            if not first < last:
                text = f"= [{first}, {last}] does not rise: give the value at the low end of the signal first"
                yield Fault(("device", i, "spans", point), 113, text)
    yield from _short_levels(config, where)


def _short_levels(config: PodConfig, where: dict[str, tuple[int, PointSpec]]) -> Iterator[Fault]:
    """A level that ends below the lip cannot tell a full vessel from a nearly full one."""
    for v, vessel in enumerate(config.vessel):
        for k, level in enumerate(vessel.levels):
            i, spec = where[level.tag]
            span = config.device[i].spans.get(spec.name)
            if span is None and spec.span is not None:
                continue  # told as missing
            high = spec.high if span is None else max(span)
            end_kg = high * level.kg_per_unit
            if end_kg >= vessel.capacity_kg:
                continue
            text = f"{level.tag} ends at {high} = {end_kg:g} kg, capacity_kg of {vessel.name} is {vessel.capacity_kg}"
            if span is None:
                thing = f"= {level.kg_per_unit}: {text}; correct it, or use a type that reaches higher"
                yield Fault(("vessel", v, "levels", k, "kg_per_unit"), 113, thing)
            else:
                thing = f"= [{span[0]}, {span[1]}]: {text}; set sensor and span to reach the lip"
                yield Fault(("device", i, "spans", spec.name), 113, thing)
