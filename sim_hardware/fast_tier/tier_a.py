"""Tier A: plant, field and decision in one compiled loop, for scoring, campaigns and years.

`run` plays one scenario, `campaign` many; both give the same Result for the same seed. The permit of every tick goes
into `trace_sha256` as a run-length code: tick number and bits of the permit at every change.

Neighbours: `plant.play` is the same plant as in the other tiers, `field` stands for devices and lines, `policies` for
the decision. Must not know bytes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hal.errors import PodError
from pod_controller.kernels import records
from pod_controller.topology import Topology
from sim_hardware.biology.start import equip
from sim_hardware.fast_tier import field_records as fld
from sim_hardware.fast_tier.field_tables import edge_table, field_table
from sim_hardware.fast_tier.loop import run_ticks
from sim_hardware.fast_tier.policies import CODES
from sim_hardware.faults import UNFIT_TIER, Fault, parse, plan, sort_events
from sim_hardware.params import fresh_pod, plant_params, reference
from sim_hardware.plant import begin
from sim_hardware.plant_records import Table
from sim_hardware.pod_plant import Figures, figures
from sim_hardware.sampler import Sampler
from sim_hardware.sampler_kernel import run_ticks_seen
from sim_hardware.scenarios import Scenario, draw
from sim_hardware.troubles.targets import targets_of

NS = 1_000_000_000
CHUNK = 512  # permits kept before they are hashed
SETTLE_TICKS = 20  # after the end, until every output is seen at its fail state


@dataclass(frozen=True)
class Options:
    """What a run may be told beside its scenario.

    sample_delay_s: levels and weights are older by this; float_chain: without it the guard stands alone; plant: keys
    of plant.toml's tables to replace; sampler: looks at every tick and changes nothing.
    """

    sample_delay_s: float = 0.0
    arm_ticks: int = 5
    float_chain: bool = True
    plant: Mapping[str, Mapping[str, Any]] | None = None
    sampler: Sampler | None = None


@dataclass(frozen=True)
class Result:
    """One run, in the words of the `sim` verb."""

    scenario: str
    seed: int
    policy: str
    tier: str
    tick_s: float
    simulated_s: float
    ticks: int
    figures: Figures
    guard_closures: int
    closed_s: float
    outputs_at_fail: bool
    trace_sha256: str
    trace_changes: int


class Core(NamedTuple):
    """The controller's records in one run."""

    plant: Table
    desk: Table
    state: Table  # these three lie on the desk
    frame: Table
    permit: Table
    words: Table  # the permit as whole numbers
    last_words: Table


class Hardware(NamedTuple):
    """Plant and field in one run."""

    params: Table
    pod: Table
    events: Table
    faults: Table
    field: Table
    edges: Table


class Trace(NamedTuple):
    """Permits not yet hashed: tick numbers and words."""

    ticks: Table
    words: Table


def run(
    topology: Topology,
    scenario: str | Scenario,
    seed: int,
    policy: str = "guarded",
    faults: Sequence[str | Fault] = (),
    duration_s: float | None = None,
    options: Options = Options(),
) -> Result:
    """Play one scenario (a name, or one drawn or made before) to its end or to duration_s.

    faults come on top of the scenario's own. Raises PodError 15x for a scenario, fault or policy that does not exist
    here; 154 for a fault that only exists on the wire.
    """
    drawn = draw(scenario, seed, len(topology.chutes), duration_s) if isinstance(scenario, str) else scenario
    hardware, core, counts = _tables(topology, drawn, seed, policy, faults, options)
    trace = Trace(np.zeros(CHUNK, np.int64), np.zeros((CHUNK, len(core.words)), np.int64))
    digest = hashlib.sha256()
    changes = 0
    while counts[0].tick < counts[0].until_tick:
        _run_on(core, hardware, counts, trace, options.sampler)
        changes += _digest(digest, trace, counts)
    ticks = int(counts[0].tick)
    digest.update(ticks.to_bytes(8, "little"))
    at_fail = _settle(core, hardware, counts, trace)
    if options.sampler is not None:
        options.sampler.close(hardware.pod)
    return Result(
        scenario=drawn.name,
        seed=seed,
        policy=policy,
        tier="a",
        tick_s=float(topology.table[0].tick_s),
        simulated_s=drawn.duration_s,
        ticks=ticks,
        figures=figures(hardware.params, hardware.pod),
        guard_closures=int(counts[0].closures),
        closed_s=float(counts[0].closed_ticks * topology.table[0].tick_s),
        outputs_at_fail=at_fail,
        trace_sha256=digest.hexdigest(),
        trace_changes=changes,
    )


def campaign(
    topology: Topology,
    scenario: str,
    seeds: Iterable[int],
    policy: str = "guarded",
    faults: Sequence[str | Fault] = (),
    options: Options = Options(),
) -> Iterator[Result]:
    """The same scenario and faults for many seeds, one Result each."""
    parsed = [parse(fault) if isinstance(fault, str) else fault for fault in faults]
    for seed in seeds:
        yield run(topology, scenario, seed, policy, parsed, options=options)


def fill_budget(state: Table, plant: Table, fed_waste_kg: float) -> None:
    """Book a day's feed into the rolling budget, evenly: what was fed before the run began."""
    slots = records.BUDGET_SLOTS - 1
    state[0].slot_kg[1:] = fed_waste_kg * plant[0].regulator.slurry_ratio / slots


def _tables(
    topology: Topology, drawn: Scenario, seed: int, policy: str, faults: Sequence[str | Fault], options: Options
) -> tuple[Hardware, Core, Table]:
    """Everything one run works on."""
    params = plant_params(seed, options.plant)
    asked = [*drawn.faults, *(parse(fault) if isinstance(fault, str) else fault for fault in faults)]
    planned = plan(asked, targets_of(topology.config))
    if planned.only_on_the_wire:
        raise PodError(UNFIT_TIER, f"faults {', '.join(planned.only_on_the_wire)} live on the wire: choose --tier b")
    if policy not in CODES:
        raise PodError(UNFIT_TIER, f"policy {policy!r} is not known: choose one of {', '.join(CODES)}")
    start = drawn.start._replace(
        float_chain=options.float_chain and policy != "open"
    )  # the pod as it was at the festival had none
    pod = fresh_pod(params, start, options.plant)
    if drawn.biology is not None:
        equip(params, pod, drawn.biology, drawn.day_starts_h, reference("biology.toml"))
    begin(params, pod)
    end_ns = round(drawn.duration_s * NS)
    events = drawn.events[drawn.events["at_ns"] <= end_ns]
    hardware = Hardware(
        params,
        pod,
        sort_events(np.concatenate([events, planned.events])),
        planned.rows,
        field_table(topology, params, seed, options.sample_delay_s, options.arm_ticks),
        edge_table(topology, planned.field),
    )
    core = _core(topology)
    fill_budget(core.state, core.plant, drawn.fed_waste_kg)
    counts = fld.table(fld.RUN)
    counts[0].policy = CODES[policy]
    counts[0].until_tick = end_ns // hardware.field[0].tick_ns + 1
    return hardware, core, counts


def _core(topology: Topology) -> Core:
    desk = records.table(records.DESK)
    frame, permit = desk["frame"], desk["permit"]
    for key in ("level_quality", "position_quality", "content_quality"):
        frame[key] = 2
    for key in ("level_ns", "position_ns", "content_ns", "high_ns", "verified_ns"):
        frame[key] = -1
    frame["float_on"], frame["high_on"], frame["temp_quality"] = 1, 1, 2
    offset_bytes = permit.ctypes.data - desk.ctypes.data
    words = np.frombuffer(desk, np.int64, records.PERMIT.itemsize // 8, offset_bytes)
    last_words = np.full_like(words, -1)
    return Core(topology.table, desk, desk["state"], frame, permit, words, last_words)


def _run_on(core: Core, hardware: Hardware, counts: Table, trace: Trace, sampler: Sampler | None) -> None:
    """The compiled loop until the end or a full trace, looked at or not."""
    if sampler is None:
        run_ticks(core, hardware, counts, trace)
    else:
        run_ticks_seen(core, hardware, counts, trace, sampler.samples)


def _digest(digest: Any, trace: Trace, counts: Table) -> int:
    """Hash what the loop has traced, in order: little-endian tick number, then the permit's bits."""
    n = int(counts[0].traced)
    rows = np.column_stack([trace.ticks[:n], trace.words[:n]]).astype("<i8")
    digest.update(rows.tobytes())
    counts[0].traced = 0
    return n


def _settle(core: Core, hardware: Hardware, counts: Table, trace: Trace) -> bool:
    """Stop the pod and let it run on until every output was read back at its fail state; False if one never was."""
    since_ns = int(hardware.pod[0].now_ns) + 1
    counts[0].settling = 1
    for _ in range(SETTLE_TICKS):
        counts[0].until_tick = counts[0].tick + 1
        run_ticks(core, hardware, counts, trace)
        counts[0].traced = 0
        off_ns = hardware.field[0].off_ns[: hardware.field[0].n_outputs]
        if bool((off_ns >= since_ns).all()):
            return True
    return False
