"""Looks at a pod after each tick, for a report: a few thousand intervals of a run, whatever its length.

Neighbours: `sampler_kernel` does the looking, `tier_a` and the verb call it, `report` shows what was seen. Must not
change anything, or know pages.
"""

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pod_controller.cause_effect.table import SENTENCES
from pod_controller.kernels.records import Table
from pod_controller.modes import State
from pod_controller.topology import Topology
from sim_hardware import sampler_kernel as kern
from sim_hardware.plant_records import NEVER_NS

if TYPE_CHECKING:
    from sim_hardware.pod import SimulatedPod

NS = 1_000_000_000
NICE_S = (1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
INTERVALS = 3000  # a wide screen has about as many pixels
HAPPENINGS = 1000
LOOK_EVERY = 6  # ticks of the fast tier: looking at each of them would cost a third of it
RULES = tuple(sorted(SENTENCES))
MODES = tuple(State)


class Samples(NamedTuple):
    """The tables a look writes: rows are intervals."""

    head: Table
    low: Table  # least of each channel
    high: Table
    accounts: Table  # one row more: the end
    ticks: Table  # length
    shown_ticks: Table  # by element: ticks for which feedback said shut, open, nothing
    rule_ticks: Table  # by element and place in RULES
    rule_slot: Table  # rule id -> place in RULES
    happenings: Table


class Seen(NamedTuple):
    """The controller's records that a look reads."""

    plant: Table
    state: Table
    frame: Table
    permit: Table


class Sampler:
    """What was seen of one run."""

    def __init__(self, topology: Topology, duration_s: float, intervals: int = INTERVALS) -> None:
        """duration_s: of the run to come; intervals: at most so many, each a whole number of ticks."""
        self.topology = topology
        tick_ns = round(float(topology.table[0].tick_s) * NS)
        ticks = max(1, round(duration_s * NS) // tick_ns + 1)
        per_interval = max(1, -(-round_up_s(duration_s / intervals) * NS // tick_ns)) if ticks > intervals else 1
        self.samples = _fresh(-(-ticks // per_interval), len(topology.elements))
        head = self.samples.head[0]
        head.tick_ns, head.interval_ns = tick_ns, per_interval * tick_ns
        head.every = min(LOOK_EVERY, per_interval)

    def look(self, pod: "SimulatedPod", since_ns: int) -> None:
        """One tick of a pod whose program runs in Python; since_ns counts from the start of the run."""
        loop = pod.app.loop
        assert loop.frame is not None and loop.permit is not None
        seen = Seen(loop.topology.table, loop.state, loop.frame, loop.permit)
        kern.look(self.samples, seen, *pod.plant.records, since_ns, MODES.index(loop.modes.state))

    def close(self, pod: Table) -> None:
        """Put the last interval away and book the end of the run: pod is the plant's record then."""
        if self.intervals > 0:
            kern.put_away(self.samples, self.topology.table[0], pod[0], self.samples.head[0].ticks + 1)
        kern.book(self.samples.accounts[self.intervals], pod[0])

    @property
    def intervals(self) -> int:
        """How many intervals were reached."""
        return int(self.samples.head[0].interval) + 1

    @property
    def interval_s(self) -> float:
        """Length of one interval."""
        return float(self.samples.head[0].interval_ns) / NS


def round_up_s(length_s: float) -> int:
    """The next length of time that people like to read, in whole seconds."""
    return next((nice_s for nice_s in NICE_S if nice_s >= length_s), NICE_S[-1] * math.ceil(length_s / NICE_S[-1]))


def _fresh(intervals: int, elements: int) -> Samples:
    head = np.zeros(1, kern.HEAD)
    head[0].intervals = intervals
    head[0].interval = head[0].mode = -1
    head["float_on"] = head["full"] = -1
    head["spilled_ns"] = -NEVER_NS
    slots = np.zeros(max(RULES) + 1, np.int64)
    slots[list(RULES)] = range(len(RULES))
    return Samples(
        head=head,
        low=np.full((intervals, kern.CHANNELS), np.inf),
        high=np.full((intervals, kern.CHANNELS), -np.inf),
        accounts=np.zeros((intervals + 1, kern.ACCOUNTS)),
        ticks=np.zeros(intervals, np.int64),
        shown_ticks=np.zeros((intervals, elements, 3), np.int32),
        rule_ticks=np.zeros((intervals, elements, len(RULES)), np.int32),
        rule_slot=slots,
        happenings=np.zeros(HAPPENINGS, kern.HAPPENING),
    )
