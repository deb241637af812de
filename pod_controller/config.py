"""A pod's TOML as frozen values: every table, every key, its range; and all faults of a file at once.

`load` gives a PodConfig or raises ConfigFaults with one line per fault. Ranges stand beside the keys here; what only
holds between tables (names that must exist, promises that cannot be given) is in `config_checks`.

Neighbours: `locate` finds lines; `topology` and `app` use the result. Must not know kernels or any other I/O.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from hal.description import DeviceConfig, Hardware
from hal.device_facts import Identity
from hal.errors import PodError
from hal.values import Curve
from pod_controller import CONFIG_SCHEMA_VERSION
from pod_controller.config_digestion import Digestion
from pod_controller.config_faults import fault_lines, read_fault, syntax_fault
from pod_controller.config_line import Line
from pod_controller.config_protection import Protection
from pod_controller.config_signals import Signal
from pod_controller.config_types import (
    Array,
    ConfigTable,
    FilePath,
    Mass,
    MassOrZero,
    Name,
    Rate,
    Share,
    Span,
    Stroke,
    Tag,
    Watchdog,
)


class Pod(ConfigTable):
    """[pod]"""

    name: Name


class Control(ConfigTable):
    """[control]: the tick, and what outlives it."""

    tick_s: float = Field(default=0.5, ge=0.1, le=5.0)
    fresh_s: float = Field(default=1.6, ge=0.1, le=15.0)
    latency_s: float = Field(default=0.3, ge=0.0, le=5.0)  # a command's way to its device, worst case
    socket: FilePath = Path("/run/podctl/control.sock")
    journal: FilePath = Path("/var/lib/podctl/journal.db")


class Device(ConfigTable):
    """[[device]]: one device on a line; tags name the points of its description."""

    name: Name
    type: Name
    line: Name
    unit: int = Field(ge=1, le=255)  # serial lines end at 247; 255 is a TCP server itself
    watchdog_s: Watchdog = 0.0
    tags: Mapping[str, Tag]
    spans: Mapping[str, Span] = {}
    identity: Identity | None = None  # registers that tell this very device from its like


class Level(ConfigTable):
    """One level sensor of a vessel; independent of the others: another module and another principle."""

    tag: Tag
    error_kg: Mass
    kg_per_unit: float = Field(gt=0.0, le=1e6)
    principle: Name


class Vessel(ConfigTable):
    """[[vessel]]: a container with a lip."""

    name: Name
    capacity_kg: Mass
    levels: Array[Level] = Field(min_length=2, max_length=3)
    stale_s: float = Field(ge=0.5, le=60.0)
    hold_up_kg: MassOrZero = 0.0
    psi_kg: MassOrZero = 0.0
    over_weir_kg: MassOrZero = 0.0  # a pressure step pushes it over the weir; it never stands in this vessel
    weir_kg: Mass | None = None
    overflow_to: Name | None = None
    float_tag: Tag | None = None
    float_kg: Mass | None = None
    float_cuts: Array[Name] = ()


class Element(ConfigTable):
    """[[element]]: something that moves; a command of 0 is its fail state."""

    name: Name
    commands: Array[Tag] = Field(min_length=1, max_length=4)
    position_tag: Tag | None = None
    locked_tag: Tag | None = None
    kind: Literal["relay", "positioner"] = "relay"
    stroke_s: Stroke
    fast_stroke_s: Stroke
    position_error_frac: float = Field(default=0.02, ge=0.0, le=0.2)
    without_power: Literal["fail_state", "holds"] = "fail_state"
    hand_tag: Tag | None = None  # its Hand-Off-Auto switch: 1 = a local panel has it


class Chute(ConfigTable):
    """[[chute]]: where waste comes in: a lid, a weight, a gate."""

    name: Name
    gate: Name
    lid: Name
    content_tag: Tag
    content_error_kg: Mass
    high_tag: Tag
    high_kg: Mass  # the switch is on above this at the latest
    capacity_kg: Mass
    largest_bag_kg: Mass
    lid_pass_kg_s: Rate
    lid_lock_s: Stroke
    weight_ratio: float = Field(default=1.0, ge=1e-3, le=1e3)


class CommonCause(ConfigTable):
    """[[cause]]: elements that one broken part beside the output modules can hold open together: air, a power feed."""

    name: Name
    elements: Array[Name]


class Intake(ConfigTable):
    """[[intake]]: flows with what stands in series behind all of them, and where the mass goes."""

    name: Name
    from_chutes: Array[Name] = ()
    from_vessel: Name | None = None
    element: Name | None = None
    shared: Array[Name] = Field(default=(), max_length=3)
    rate_kg_s: Rate
    to: Mapping[Name, Annotated[float, Field(gt=0.0, le=100.0)]]
    static_head: bool = False  # the source can drive the flow by itself (siphon, head behind the element)


class Shedding(ConfigTable):
    """[shedding]: how chutes share an intake."""

    intake: Name
    start_kg: Mass
    stop_kg: Mass
    wait_s: float = Field(ge=1.0, le=86400.0)
    run_on_s: float = Field(ge=0.0, le=600.0)
    open_at_once: int = Field(ge=1, le=16)
    turn_s: float = Field(ge=5.0, le=3600.0)
    horizon_s: float = Field(ge=1.0, le=3600.0)
    deficit_limit_kg: Mass


class Feeding(ConfigTable):
    """[feeding]: the level regulator and its shots."""

    intake: Name
    setpoint_frac: Share
    gain_per_s: float = Field(ge=0.0, le=1.0)
    integral_s: float = Field(ge=60.0, le=1e6)
    feed_max_kg_s: Rate
    shot_min_s: Stroke
    shot_max_s: Stroke
    budget_kg_24h: Mass


class Transfer(ConfigTable):
    """[[transfer]]: a pump run by the level of its source."""

    intake: Name
    start_kg: Mass
    stop_kg: MassOrZero


class Thermostat(ConfigTable):
    """[thermostat]: heating by hysteresis."""

    element: Name
    temp_tag: Tag
    setpoint_degc: float = Field(ge=0.0, le=70.0)
    band_degc: float = Field(gt=0.0, le=5.0)


class Calibration(ConfigTable):
    """[calibration]: the book of curves and strokes, and the tags that are UNCERTAIN without a curve in force."""

    file: FilePath | None = None  # beside the configuration: NAME.calibration.json
    required: Array[Tag] = ()


class PodConfig(ConfigTable):
    """One pod, whole."""

    schema_version: int = Field(ge=CONFIG_SCHEMA_VERSION, le=CONFIG_SCHEMA_VERSION)
    pod: Pod
    control: Control = Control()
    line: Array[Line] = Field(min_length=1)
    device: Array[Device] = Field(min_length=1)
    vessel: Array[Vessel] = Field(min_length=1, max_length=12)
    element: Array[Element] = Field(min_length=1, max_length=48)
    cause: Array[CommonCause] = Field(default=(), max_length=8)
    chute: Array[Chute] = Field(default=(), max_length=16)
    intake: Array[Intake] = Field(min_length=1, max_length=24)
    shedding: Shedding | None = None
    feeding: Feeding | None = None
    transfer: Array[Transfer] = Field(default=(), max_length=6)
    thermostat: Thermostat | None = None
    calibration: Calibration = Calibration()
    digestion: Digestion | None = None
    signal: Array[Signal] = Field(default=(), max_length=64)
    protection: Protection = Protection()

    def hardware(self, ports: Mapping[str, str] | None = None, curves: Mapping[str, Curve] | None = None) -> Hardware:
        """What `hal` needs to know of it; ports replaces device paths, or host:port, of lines by name."""
        moved = ports or {}
        return Hardware(
            lines=tuple(line.config(moved.get(line.name)) for line in self.line),
            devices=tuple(
                DeviceConfig(x.name, x.type, x.line, x.unit, x.watchdog_s, dict(x.tags), dict(x.spans), x.identity)
                for x in self.device
            ),
            tick_s=self.control.tick_s,
            curves=curves or {},
        )


class Fault(NamedTuple):
    """One fault of a configuration, where it stands and what to do."""

    path: tuple[str | int, ...]
    code: int
    text: str


class ConfigFaults(PodError):  # noqa: N818 (it is many faults, not one error)
    """A configuration that cannot be used. lines: one text per fault, `FILE:LINE: E1xx ...`."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        first = lines[0].split(": E", 1)
        code = int(first[1][:3]) if len(first) == 2 else 100
        super().__init__(code, f"{len(lines)} fault(s) in the configuration; first: {lines[0]}")

    def __str__(self) -> str:
        """The first fault as podctl check-config tells it, and how many more there are."""
        more = len(self.lines) - 1
        return self.lines[0] + (f" (and {more} more: podctl check-config tells all)" if more else "")


def read(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a configuration and what it says, unchecked. Raises ConfigFaults if it is unreadable or no TOML."""
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigFaults([read_fault(path, error)]) from None
    try:
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # no TOML, or a number of thousands of digits
        raise ConfigFaults([syntax_fault(path, text, error)]) from None


def load(path: Path) -> PodConfig:
    """Read and check a configuration. Raises ConfigFaults with every fault that can be told at once."""
    from pod_controller import config_checks  # it checks the models above

    text, document = read(path)
    try:
        config = PodConfig.model_validate(document)
    except ValidationError as error:
        raise ConfigFaults(fault_lines(path, text, list(error.errors(include_url=False)), PodConfig)) from None
    faults = config_checks.faults(config)
    if faults:
        raise ConfigFaults(config_checks.as_lines(path, text, faults))
    return config
