"""A core on virtual time: the simulated pod's own program under a Core, driven by the executive."""

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from hal.watchdog import ServiceManager
from pod_controller.commissioning.book import places
from pod_controller.config import load
from pod_controller.core import NS, Core
from pod_controller.journal_chain import Draft
from pod_controller.journal_keeper import Health
from pod_controller.modes import State
from sim_hardware import scenarios
from sim_hardware.executive import Executive
from sim_hardware.pod import SimulatedPod

REFERENCE = Path(str(files("sim_hardware").joinpath("reference/pod.toml")))


class Paper:
    """A journal that keeps what it is told, and a log that does the same."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.lines: list[str] = []
        self.states: list[tuple[str, str]] = []

    def decisions(self, now_ns: int, events: object) -> None:
        del now_ns, events

    def state(self, now_ns: int, before: str, after: str) -> None:
        self.states.append((before, after))

    def note(self, now_ns: int, kind: str, thing: str, value: str, why: str, who: str) -> None:
        self.drafts.append(Draft(now_ns, "", kind, thing, value, why, who))

    def telemetry(self, now_ns: int, name: str, value: float) -> None:
        del now_ns, name, value

    def health(self, now_ns: int) -> Health:
        return Health()

    def close(self, now_ns: int) -> None:
        del now_ns

    def info(self, text: str, /) -> None:
        self.lines.append(text)

    def warning(self, text: str, /) -> None:
        self.lines.append(f"! {text}")


class VirtualCore:
    """A core, the pod it controls, and the time they live in."""

    def __init__(self, environment: Mapping[str, str] | None = None, scenario: str = "festival") -> None:
        config = load(REFERENCE)
        curves = places(config)
        self.pod = SimulatedPod(config, scenarios.draw(scenario, 0, len(config.chute), None), curves=curves)
        self.paper = Paper()
        self.pod.app.loop._journal = self.paper
        self.manager = ServiceManager(environment or {})
        self.core = Core(self.pod.app, self.paper, [], self.manager, self.paper)
        self.core.workshop.places = curves
        self._tick_ns = round(config.control.tick_s * NS)
        ports = self.pod.field_side.ports(self.pod.app.field.lines)
        self._executive = Executive(ports, self.pod.plant, self.core.tick, self._tick_ns)

    def close(self) -> None:
        self.manager.close()

    @property
    def now_ns(self) -> int:
        return self._executive.now_ns

    @property
    def state(self) -> State:
        return self.core.loop.modes.state

    def run(self, duration_s: float) -> None:
        """Let virtual time pass."""
        self._executive.run_until(self.now_ns + round(duration_s * NS))
