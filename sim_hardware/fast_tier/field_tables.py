"""A topology as the fast tier's field tables: which device samples what and when, and which module moves what.

Neighbours: the controller's `topology` and configuration before, `field` after; `layout` leads from tags to the plant.
Must not know policies or faults' times.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hal.description import load as load_description
from hal.errors import PodError
from pod_controller.config import Device
from pod_controller.topology import Topology
from sim_hardware.fast_tier import field_records as fld
from sim_hardware.fast_tier.field_records import Table, table
from sim_hardware.faults import FieldFault
from sim_hardware.layout import actuators, signals
from sim_hardware.streams import stream

UNFIT_PLANT = 156
NS = 1_000_000_000
GROUP_S = {"fast": 0.0, "normal": 2.0, "slow": 10.0}  # how often a group of points is read; fast = every tick
MARGIN_S = 0.5
INSTANT_NS = 100_000_000  # each line samples at one of two moments of the run, 0 to 0.4 s before the tick
INSTANTS = 5


class Use(NamedTuple):
    """What one tag is to the controller: where its samples go."""

    kind: int
    row: int
    column: int
    kg_per_unit: float


def field_table(topology: Topology, params: Table, seed: int, sample_delay_s: float, arm_ticks: int) -> Table:
    """FIELD (one record) for one run; the seed draws when in its tick each line is read."""
    config = topology.config
    field = table(fld.FIELD)
    b = field[0]
    b.tick_ns = round(config.control.tick_s * NS)
    b.margin_ns = round(MARGIN_S * NS)
    b.arm_ticks = arm_ticks
    b.expiry_ns = fld.NEVER_NS
    b.fed_ns[:] = b.seen_ns[:] = b.written_ns[:] = b.ring_ns[:] = b.acked_ns[:] = b.off_ns[:] = -1
    b.seen_ns[:] = -fld.NEVER_NS // 2
    moments = stream("field", "instants", seed).permutation(INSTANTS)[:2]
    steps = {line.name: int(moments[stream("field", f"instant/{line.name}", seed).integers(2)]) for line in config.line}
    order = sorted(set(steps.values()), reverse=True)
    b.n_instants = len(order)
    b.instant_ns[: len(order)] = [step * INSTANT_NS for step in order]
    uses = _uses(topology)
    known = signals(len(topology.chutes))
    elements = {tag: e for e, tags in enumerate(topology.command_tags) for tag in tags}
    moved = actuators(len(topology.chutes))
    b.n_devices = len(config.device)
    for d, device in enumerate(config.device):
        b.instant[d] = order.index(steps[device.line])
        b.first_source[d] = b.n_sources
        b.first_output[d] = b.n_outputs
        b.period_ticks[d] = _period_ticks(device, uses, config.control.tick_s)
        periods = math.ceil(round(sample_delay_s / config.control.tick_s) / b.period_ticks[d])
        b.lag_ticks[d] = min(fld.RING - 1, periods * b.period_ticks[d])
        b.due_tick[d] = int(stream("field", f"phase/{device.name}", seed).integers(b.period_ticks[d]))
        tags = list(device.tags.values())
        _put_sources(b, [tag for tag in tags if tag in uses], uses, known, params)
        _put_outputs(b, [tag for tag in tags if tag in elements], elements, moved)
        b.watchdog_ns[d] = round(device.watchdog_s * NS) if b.n_outputs > b.first_output[d] else 0
    b.first_source[b.n_devices] = b.n_sources
    b.first_output[b.n_devices] = b.n_outputs
    return field


def edge_table(topology: Topology, faults: Sequence[FieldFault]) -> Table:
    """EDGE rows, sorted by time, of faults on devices."""
    index = {device.name: d for d, device in enumerate(topology.config.device)}
    rows = []
    for fault in faults:
        for name in fault.devices:
            rows.append((fault.from_ns, index[name], fault.code, 1, fault.way))
            rows.append((fault.until_ns, index[name], fault.code, 0, fault.way))
    edges = np.array(rows, dtype=fld.EDGE)
    return edges[edges["at_ns"].argsort(kind="stable")]


def _uses(topology: Topology) -> dict[str, Use]:
    uses: dict[str, Use] = {}
    for v, tags in enumerate(topology.level_tags):
        for i, tag in enumerate(tags):
            uses[tag] = Use(fld.LEVEL, v, i, topology.level_kg_per_unit[v][i])
    for e, (position, locked) in enumerate(zip(topology.position_tags, topology.locked_tags, strict=True)):
        if position is not None:
            uses[position] = Use(fld.POSITION, e, 0, 1.0)
        elif locked is not None:
            uses[locked] = Use(fld.LOCK, e, 0, 1.0)
    uses |= {tag: Use(fld.WEIGHT, c, 0, 1.0) for c, tag in enumerate(topology.content_tags)}
    uses |= {tag: Use(fld.HIGH_SWITCH, c, 0, 1.0) for c, tag in enumerate(topology.high_tags)}
    floats = ((v, tag) for v, tag in enumerate(topology.float_tags) if tag is not None)
    uses |= {tag: Use(fld.FLOAT_SWITCH, v, 0, 1.0) for v, tag in floats}
    return uses | _uses_of_control(topology)


def _uses_of_control(topology: Topology) -> dict[str, Use]:
    uses = {} if topology.temp_tag is None else {topology.temp_tag: Use(fld.TEMPERATURE, 0, 0, 1.0)}
    kinds = zip((fld.GAS, fld.METHANE, fld.ACIDITY), topology.digester_tags or (), strict=False)
    return uses | {tag: Use(kind, 0, 0, 1.0) for kind, tag in kinds}


def _put_sources(b: fld.Row, tags: Sequence[str], uses: dict[str, Use], known: dict[str, int], params: Table) -> None:
    for tag in tags:
        if tag not in known:
            raise PodError(UNFIT_PLANT, f"plant: input {tag} of the configuration does not exist: {', '.join(known)}")
        k = b.n_sources
        b.signal[k] = known[tag]
        b.kind[k], b.row[k], b.column[k] = uses[tag][:3]
        b.scale[k] = uses[tag].kg_per_unit * params[0].signal_per_kg[known[tag]]
        b.n_sources += 1


def _put_outputs(b: fld.Row, tags: Sequence[str], elements: dict[str, int], moved: dict[str, int]) -> None:
    for tag in tags:
        if tag not in moved:
            raise PodError(UNFIT_PLANT, f"plant: output {tag} of the configuration does not exist: {', '.join(moved)}")
        b.actuator[b.n_outputs] = moved[tag]
        b.element[b.n_outputs] = elements[tag]
        b.n_outputs += 1


def _period_ticks(device: Device, uses: dict[str, Use], tick_s: float) -> int:
    """The period of the quickest group among the points that are used."""
    groups = {point.name: point.group for point in load_description(device.type).point}
    used = [GROUP_S[groups[point]] for point, tag in device.tags.items() if tag in uses and point in groups]
    return max(1, round(min(used, default=2.0) / tick_s))
