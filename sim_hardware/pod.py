"""A simulated pod wired to the real program: plant, devices, lines and the controller's own loop, on virtual time.

Nothing of the controller is replaced but the clock and, for the baselines, the policy. Neighbours: `executive` drives,
`hardware` holds plant and devices, `pod_controller.app` is the program; `cli` and tests run it. Must not know how
results are shown.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from hal.values import Curve
from pod_controller.app import App
from pod_controller.app import build as build_app
from pod_controller.config import PodConfig
from pod_controller.journal import SqliteJournal
from pod_controller.kernels import rules
from pod_controller.kernels.records import Table
from pod_controller.loop import Step
from pod_controller.modes import State
from pod_controller.recorder import Recorder
from pod_controller.step import step
from pod_controller.topology import Topology
from sim_hardware import faults
from sim_hardware.executive import Executive
from sim_hardware.fast_tier.policies import POLICIES
from sim_hardware.fast_tier.tier_a import Result, fill_budget
from sim_hardware.hardware import build as build_hardware
from sim_hardware.scenarios import Scenario

NS = 1_000_000_000
SETTLE_S = 5.0  # outputs are at their fail states and read back within this, or something is wrong
CLOSED = (rules.VESSEL_FULL, rules.LEVEL, rules.JAM, rules.COMMON_CAUSE)


class SimulatedPod:
    """One run: a pod, what happens to it, and the program that controls it."""

    def __init__(
        self,
        config: PodConfig,
        scenario: Scenario,
        policy: str = "guarded",
        extra_faults: Sequence[faults.Fault] = (),
        journal: str = ":memory:",
        recorder: Recorder | None = None,
        curves: Mapping[str, Curve] | None = None,
    ) -> None:
        """Policy: a name of POLICIES; journal: a file, or none; recorder: sees every decision; curves: by tag."""
        self.scenario = scenario
        self.policy = policy
        self.ticks = 0
        self.overruns = 0
        self._stopped = False
        self.hardware = build_hardware(config, scenario, extra_faults, float_chain=policy != "open")
        self.plant = self.hardware.plant
        self.field_side = self.hardware.field_side
        decide: Step = partial(step, decide=POLICIES[policy])
        if recorder is not None:
            decide = recorder.watch(decide)
        self.app: App = build_app(config, self._open_journal(journal), None, decide, curves)
        self.accounts = Accounts(self.app.topology)
        self._on_tick: Callable[[SimulatedPod, int], None] | None = None
        fill_budget(self.app.loop.state, self.app.topology.table, scenario.fed_waste_kg)

    def run(self, on_tick: "Callable[[SimulatedPod, int], None] | None" = None) -> None:
        """Run on virtual time, then bring every output to its fail state.

        on_tick(pod, now_ns) is called after each tick; what it raises (KeyboardInterrupt) ends the run the same way.
        """
        self._on_tick = on_tick
        executive = self._executive()
        end_ns = round(self.scenario.duration_s * NS)
        try:
            executive.run_until(end_ns)
        finally:
            self.settle(executive)

    def settle(self, executive: Executive) -> None:
        """Outputs to their fail states, and time for the read-backs to show it."""
        now_ns = executive.now_ns
        self._on_tick = None
        self._stopped = True
        self.app.loop.stop(now_ns)
        for _ in range(round(SETTLE_S / self.app.config.control.tick_s)):
            now_ns += round(self.app.config.control.tick_s * NS)
            executive.run_until(now_ns)
            if self.app.field.outputs_at_fail():
                return

    def tick(self, now_ns: int) -> None:
        """The loop's tick, a start as soon as the pod is armed, and the accounts."""
        if self._stopped:
            return
        loop = self.app.loop
        loop.tick(now_ns)
        if loop.modes.state is State.IDLE:
            loop.modes.start()
        assert loop.permit is not None
        self.accounts.note(self.ticks, loop.permit)
        self.ticks += 1
        if self._on_tick is not None:
            self._on_tick(self, now_ns)

    def result(self, tier: str = "b") -> Result:
        """The run so far in the words of the `sim` verb."""
        tick_s = self.app.config.control.tick_s
        return Result(
            scenario=self.scenario.name,
            seed=self.scenario.seed,
            policy=self.policy,
            tier=tier,
            tick_s=tick_s,
            simulated_s=max(0, self.ticks - 1) * tick_s,
            ticks=self.ticks,
            figures=self.plant.figures(),
            guard_closures=self.accounts.guard_closures,
            closed_s=self.accounts.closed_s,
            outputs_at_fail=self.app.field.outputs_at_fail(),
            trace_sha256=self.accounts.sha256(),
            trace_changes=self.accounts.changes,
        )

    def _executive(self) -> Executive:
        tick_ns = round(self.app.config.control.tick_s * NS)
        executive = Executive(self.field_side.ports(self.app.field.lines), self.plant, self.tick, tick_ns)
        for fault in self.hardware.wire_faults:
            self.field_side.inject_at(
                executive, fault.from_ns, fault.until_ns, fault.kind, fault.target, **fault.parameters
            )
        return executive

    @staticmethod
    def _open_journal(path: str) -> Callable[[Topology], SqliteJournal]:
        return lambda topology: SqliteJournal(path, topology, virtual_utc)


class Accounts:
    """Permits counted and hashed: run-length coded, so that every tick is covered."""

    def __init__(self, topology: Topology) -> None:
        self._digest = hashlib.sha256()
        self._last = b""
        self._gates = topology.table["chutes"]["gate"][0, : len(topology.chutes)]
        self._refused = np.zeros(len(topology.chutes), dtype=bool)
        self._tick_s = topology.config.control.tick_s
        self._ticks = 0
        self.changes = 0
        self.guard_closures = 0
        self.closed_s = 0.0

    def note(self, tick: int, permit: Table) -> None:
        """One tick's permit."""
        self._ticks = tick + 1
        bits = permit.tobytes()
        if bits != self._last:
            self._last = bits
            self.changes += 1
            self._digest.update(tick.to_bytes(8, "little") + bits)
            refused = np.isin(permit["rule"][0, self._gates], CLOSED)
            self.guard_closures += int((refused & ~self._refused).sum())
            self._refused = refused
        if self._refused.any():
            self.closed_s += self._tick_s

    def sha256(self) -> str:
        """The trace of all permits and rule ids so far."""
        whole = self._digest.copy()
        whole.update(self._ticks.to_bytes(8, "little"))
        return whole.hexdigest()


def virtual_utc(now_ns: int) -> str:
    """A label for a moment of a simulated run: seconds since its start."""
    return f"T+{now_ns / NS:.1f}s"
