"""A configuration as the tables the kernels use, and the names that lead back from an index to a thing.

The graph is worked out here once: which vessels a kilogram passed by an intake can reach (through passive overflows
too), which elements one broken part can hold open together, and how long an old command can live.

Neighbours: `config` before, `kernels.records` after; `frame` and the simulator use the names. Must not know readings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pod_controller.causes import Held, common_causes
from pod_controller.config import Control, Intake, PodConfig
from pod_controller.config_names import wired_tags
from pod_controller.kernels import records
from pod_controller.kernels.records import Record, Table
from pod_controller.topology_digestion import fill_digestion
from pod_controller.topology_weirs import NOWHERE, fill_weirs

ROUNDING_KG = 1e-6  # taken off every capacity, so that rounding of sums never decides
NO_WEIR_KG = 1e30


@dataclass(frozen=True)
class Topology:
    """The plant table and, for each row of it, names and tags in the same order."""

    table: Table
    vessels: tuple[str, ...]
    elements: tuple[str, ...]
    chutes: tuple[str, ...]
    intakes: tuple[str, ...]
    flows: tuple[str, ...]
    causes: tuple[str, ...]
    command_tags: tuple[tuple[str, ...], ...]
    position_tags: tuple[str | None, ...]
    locked_tags: tuple[str | None, ...]
    level_tags: tuple[tuple[str, ...], ...]
    level_kg_per_unit: tuple[tuple[float, ...], ...]
    float_tags: tuple[str | None, ...]
    high_tags: tuple[str, ...]
    content_tags: tuple[str, ...]
    temp_tag: str | None
    digester_tags: tuple[str, str, str] | None  # gas flow, methane share, pH
    module_of: tuple[str, ...]  # the device of each element's first command
    config: PodConfig

    def element(self, name: str) -> int:
        """Index of an element by name."""
        return self.elements.index(name)


def build(config: PodConfig, causes: Sequence[Held] | None = None) -> Topology:
    """Fill the plant table from a checked configuration; causes: other common causes than its own."""
    _, outputs = wired_tags(config)
    watchdogs_s = {x.name: x.watchdog_s for x in config.device}
    modules = [tuple(outputs[tag] for tag in x.commands) for x in config.element]
    slowest_s = [max(watchdogs_s[name] for name in names) for names in modules]
    held = common_causes(config) if causes is None else causes
    return of_graph(config, slowest_s, tuple(names[0] for names in modules), held)


def of_graph(
    config: PodConfig, watchdogs_s: Sequence[float], module_of: tuple[str, ...], causes: Sequence[Held]
) -> Topology:
    """The same for a graph whose wiring is nobody's business; watchdogs_s: the slowest of each element's outputs."""
    table = records.table(records.PLANT)
    plant = table[0]
    plant.tick_s = config.control.tick_s
    plant.fresh_s = config.control.fresh_s
    plant.longest_gap_s = records.HISTORY * config.control.tick_s
    flows = _fill_intakes(plant, config)
    _fill_elements(plant, config, watchdogs_s)
    for fill in (_fill_vessels, _fill_chutes):
        fill(plant, config)
    _fill_causes(plant, config, causes)
    _fill_weirs(plant, config)
    _fill_control(plant, config, flows)
    _fill_pumps(plant, config, flows)
    fill_digestion(plant, config)
    return Topology(
        table=table,
        vessels=tuple(x.name for x in config.vessel),
        elements=tuple(x.name for x in config.element),
        chutes=tuple(x.name for x in config.chute),
        intakes=tuple(x.name for x in ordered_intakes(config)),
        flows=flows,
        causes=tuple(cause.name for cause in causes),
        command_tags=tuple(x.commands for x in config.element),
        position_tags=tuple(x.position_tag for x in config.element),
        locked_tags=tuple(x.locked_tag for x in config.element),
        level_tags=tuple(tuple(y.tag for y in x.levels) for x in config.vessel),
        level_kg_per_unit=tuple(tuple(y.kg_per_unit for y in x.levels) for x in config.vessel),
        float_tags=tuple(x.float_tag for x in config.vessel),
        high_tags=tuple(x.high_tag for x in config.chute),
        content_tags=tuple(x.content_tag for x in config.chute),
        temp_tag=config.thermostat.temp_tag if config.thermostat else None,
        digester_tags=(x.gas_tag, x.ch4_tag, x.ph_tag) if (x := config.digestion) else None,
        module_of=module_of,
        config=config,
    )


def reach_ratio(config: PodConfig, to: Mapping[str, float]) -> dict[str, float]:
    """Kg arriving in each vessel per kg passed: the vessels named, and all that they overflow into by themselves."""
    overflow = {x.name: x.overflow_to for x in config.vessel}
    reach: dict[str, float] = {}
    for name, ratio in to.items():
        here: str | None = name
        while here is not None:
            reach[here] = reach.get(here, 0.0) + ratio
            here = overflow[here]
    return reach


def ordered_intakes(config: PodConfig) -> list[Intake]:
    """Intakes in the order of the flow, upstream first; a circle begins where most elements are in series."""
    left = list(config.intake)
    ordered: list[Intake] = []
    while left:
        fed = {x.name: reach_ratio(config, x.to) for x in left}
        ready = [x for x in left if not any(y is not x and x.from_vessel in fed[y.name] for y in left if x.from_vessel)]
        chosen = ready[0] if ready else max(left, key=lambda x: len(x.shared))
        left.remove(chosen)
        ordered.append(chosen)
    return ordered


def _fill_elements(plant: Record, config: PodConfig, watchdogs_s: Sequence[float]) -> None:
    plant.n_elements = len(config.element)
    own = {x.element for x in config.intake} | {x.gate for x in config.chute}
    shared = {name for x in config.intake for name in x.shared}
    lids = {x.lid for x in config.chute}
    for e, element in enumerate(config.element):
        row = plant.elements[e]
        row.stroke_s = element.stroke_s
        row.fast_stroke_s = element.fast_stroke_s
        row.lease_s = lease_s(config.control, watchdogs_s[e])
        row.positioner = 1 if element.kind == "positioner" else 0
        row.position_error_frac = element.position_error_frac
        row.role = records.FREE
        for role, names in ((records.OWN, own), (records.SHARED, shared), (records.LID, lids)):
            if element.name in names:
                row.role = role


def lease_s(control: Control, watchdog_s: float) -> float:
    """How long a command may live after its successor was lost (term L).

    The slowest watchdog of its modules, counted from the last request that can have fed it: one tick until the missing
    or wrong read-back is seen, another because a tick may overrun, and the way to the device.
    """
    return watchdog_s + 2.0 * control.tick_s + control.latency_s


def _fill_vessels(plant: Record, config: PodConfig) -> None:
    plant.n_vessels = len(config.vessel)
    for v, vessel in enumerate(config.vessel):
        row = plant.vessels[v]
        row.capacity_kg = vessel.capacity_kg - ROUNDING_KG
        row.weir_kg = NO_WEIR_KG if vessel.weir_kg is None else vessel.weir_kg
        row.hold_up_kg = vessel.hold_up_kg
        row.psi_kg = vessel.psi_kg
        row.stale_s = vessel.stale_s
        row.n_levels = len(vessel.levels)
        for i, level in enumerate(vessel.levels):
            row.level_error_kg[i] = level.error_kg
        row.has_float = 0 if vessel.float_tag is None else 1


def _fill_weirs(plant: Record, config: PodConfig) -> None:
    index = {x.name: v for v, x in enumerate(config.vessel)}
    below = [NOWHERE if x.overflow_to is None else index[x.overflow_to] for x in config.vessel]
    fill_weirs(plant, below, [x.over_weir_kg for x in config.vessel])


def _fill_chutes(plant: Record, config: PodConfig) -> None:
    plant.n_chutes = len(config.chute)
    index = {x.name: e for e, x in enumerate(config.element)}
    for c, chute in enumerate(config.chute):
        row = plant.chutes[c]
        row.capacity_kg = chute.capacity_kg
        row.content_error_kg = chute.content_error_kg
        row.high_kg = chute.high_kg
        row.largest_bag_kg = chute.largest_bag_kg
        row.lid_pass_kg_s = chute.lid_pass_kg_s
        row.lid_lock_s = max(chute.lid_lock_s, float(plant.elements[index[chute.lid]].stroke_s))
        row.gate = index[chute.gate]
        row.lid = index[chute.lid]
        row.weight_ratio = chute.weight_ratio


def _fill_intakes(plant: Record, config: PodConfig) -> tuple[str, ...]:
    elements = {x.name: e for e, x in enumerate(config.element)}
    vessels = {x.name: v for v, x in enumerate(config.vessel)}
    chutes = {x.name: (c, x) for c, x in enumerate(config.chute)}
    flows: list[str] = []
    plant.n_intakes = len(config.intake)
    for i, intake in enumerate(ordered_intakes(config)):
        row = plant.intakes[i]
        row.n_shared = len(intake.shared)
        row.shared_rate_kg_s = intake.rate_kg_s
        for k, name in enumerate(intake.shared):
            row.shared[k] = elements[name]
        for name, ratio in reach_ratio(config, intake.to).items():
            row.reach_ratio[vessels[name]] = ratio
        sources = [(name, chutes[name][0], chutes[name][1].gate) for name in intake.from_chutes]
        if intake.element is not None:
            sources.append((intake.name, -1, intake.element))
        for name, c, own in sources:
            flow = plant.flows[len(flows)]
            flow.element = elements[own]
            flow.intake = i
            flow.rate_kg_s = intake.rate_kg_s
            flow.chute = c
            flow.source = vessels[intake.from_vessel] if intake.from_vessel else -1
            row.flows[row.n_flows] = len(flows)
            row.n_flows += 1
            flows.append(name)
    plant.n_flows = len(flows)
    return tuple(flows)


def _fill_causes(plant: Record, config: PodConfig, causes: Sequence[Held]) -> None:
    """One row per common cause; `config_checks` has refused more than there are rows."""
    for c, cause in enumerate(causes):
        for e, element in enumerate(config.element):
            plant.causes[c].member[e] = 1 if element.name in cause.elements else 0
    plant.n_causes = len(causes)


def _fill_control(plant: Record, config: PodConfig, flows: tuple[str, ...]) -> None:
    intakes = {x.name: i for i, x in enumerate(ordered_intakes(config))}
    vessels = {x.name: (v, x) for v, x in enumerate(config.vessel)}
    by_name = {x.name: x for x in config.intake}
    if config.shedding:
        for key, value in config.shedding.model_dump(exclude={"intake"}).items():
            plant.shedding[key] = value
        plant.shedding.intake = intakes[config.shedding.intake]
    plant.regulator.feed_flow = -1
    if config.feeding:
        source = by_name[config.feeding.intake].from_vessel or ""
        v, vessel = vessels[source]
        keys = ("gain_per_s", "integral_s", "feed_max_kg_s", "shot_min_s", "shot_max_s")
        for key in keys:
            plant.regulator[key] = getattr(config.feeding, key)
        plant.regulator.vessel = v
        plant.regulator.feed_flow = flows.index(config.feeding.intake)
        plant.regulator.setpoint_kg = config.feeding.setpoint_frac * vessel.capacity_kg
        plant.regulator.shot_kg_s = by_name[config.feeding.intake].rate_kg_s
        plant.regulator.budget_kg = config.feeding.budget_kg_24h
        plant.regulator.slot_s = 86400.0 / (records.BUDGET_SLOTS - 1)
        shedding = by_name[config.shedding.intake].to if config.shedding else {}
        plant.regulator.slurry_ratio = shedding.get(source, 1.0)


def _fill_pumps(plant: Record, config: PodConfig, flows: tuple[str, ...]) -> None:
    vessels = [x.name for x in config.vessel]
    source_of = {x.name: x.from_vessel or "" for x in config.intake}
    plant.n_transfers = len(config.transfer)
    for t, transfer in enumerate(config.transfer):
        row = plant.transfers[t]
        row.flow = flows.index(transfer.intake)
        row.source = vessels.index(source_of[transfer.intake])
        row.start_kg = transfer.start_kg
        row.stop_kg = transfer.stop_kg
    plant.thermostat.element = -1
    if config.thermostat:
        plant.thermostat.element = [x.name for x in config.element].index(config.thermostat.element)
        plant.thermostat.setpoint_degc = config.thermostat.setpoint_degc
        plant.thermostat.band_degc = config.thermostat.band_degc
