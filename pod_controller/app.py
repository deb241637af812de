"""The composition root: a configuration becomes lines, a field and a loop. Wiring only.

Neighbours: everything it joins. Must not know a rule, a tag or a register.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hal.errors import PodError
from hal.pod_io import PodIO
from hal.pod_io import build as build_field
from hal.values import Curve
from pod_controller.config import PodConfig
from pod_controller.journal import Journal
from pod_controller.loop import Loop, Step
from pod_controller.selftest import warm
from pod_controller.step import step
from pod_controller.topology import Topology
from pod_controller.topology import build as build_topology


@dataclass(frozen=True)
class App:
    """A controller ready to be ticked: `field.lines` to drive, `loop.tick` at each deadline."""

    config: PodConfig
    topology: Topology
    field: PodIO
    loop: Loop


def build(
    config: PodConfig,
    open_journal: Callable[[Topology], Journal],
    ports: Mapping[str, str] | None = None,
    decide: Step = step,
    curves: Mapping[str, Curve] | None = None,
) -> App:
    """Join everything; ports replaces device paths by line name, curves are the calibrations of tags.

    Raises PodError 2xx/3xx for wiring that cannot work and E901 when the kernels fail their self-test.
    """
    report = warm()
    if not report.passed:
        text = f"kernels: self-test gives {report.answer[:16]}, not {report.expected[:16]}: outputs stay off"
        raise PodError(901, f"{text}; run deploy/install again")
    topology = build_topology(config)
    field = build_field(config.hardware(ports, curves))
    return App(config, topology, field, Loop(topology, field, open_journal(topology), decide))
