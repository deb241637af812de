"""Device descriptions as data, and the wiring of one pod.

Job: load ``library/<type>.toml`` into frozen, checked values; hold the dataclasses that say which
devices hang on which line (LineConfig, DeviceConfig, Hardware).
Neighbours: ``planner`` joins both into lines; the configuration of the controller fills Hardware.
Must not know: ports that are open, bytes, time, or what a tag means to the process.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from hal import device_facts
from hal.device_facts import (
    Address,
    ContinuousFormat,
    DeviceCommand,
    FailPosition,
    FaultBits,
    Finite,
    Frozen,
    Golden,
    Identity,
    LoopSpan,
    Mark,
    ProbeDialogue,
    ReadBack,
    ScaleFrom,
    Seconds,
    Signal,
    WatchdogRegister,
    Wear,
    Word,
)
from hal.errors import Code, PodError
from hal.values import Curve
from hal.wire_time import BITS_PER_CHAR, CHAR_BITS

Protocol = Literal["modbus_rtu", "modbus_tcp", "ascii"]  # of a line
Framing = Literal["8N1", "8E1", "8O1", "8N2"]  # data bits, parity (none, even, odd), stop bits
Spoken = Literal["modbus_rtu", "ascii"]  # of a device: one that speaks Modbus may hang on a TCP line too
Table = device_facts.Table
Readable = device_facts.Readable
ValueType = Literal["bit", "u8", "s8", "u16", "s16", "bcd", "u32", "s32", "f32", "weight", "number"]

WORDS = {
    "bit": 1, "u8": 1, "s8": 1, "u16": 1, "s16": 1, "bcd": 1, "u32": 2, "s32": 2, "f32": 2, "weight": 0, "number": 0,
}  # fmt: skip


@dataclass(frozen=True)
class LineConfig:
    """One line: serial, or a connection to a Modbus TCP server (a device, or a gateway with several behind it).

    Serial: port is a device path (by-id or by-path, so that it survives replugging), baud its speed, framing its
    characters: 10 bits for 8N1, 11 with parity or a second stop bit (what Modbus prescribes; devices come with 8N1).
    paced: bytes take their bits at baud each. False for adapters that ignore the baud rate (native
    USB devices): then a reply that begins while the request should still be leaving is accepted.
    TCP: port is empty, baud 0; host is a numeric address, tcp_port the server's.
    """

    name: str
    protocol: Protocol
    port: str
    baud: int
    paced: bool = True
    host: str = ""
    tcp_port: int = 0
    framing: Framing = "8N1"

    @property
    def char_bits(self) -> int:
        """Bits of a character on this wire."""
        return CHAR_BITS[self.framing]

    def paced_at(self, baud: int) -> int:
        """The rate at which characters of 10 bits take as long as this line's do at ``baud``."""
        return baud * BITS_PER_CHAR // self.char_bits

    @property
    def pace_baud(self) -> int:
        """The same of the line's own rate."""
        return self.paced_at(self.baud)


@dataclass(frozen=True)
class DeviceConfig:
    """One device on a line: tags maps point names of its description to tags of this pod.

    watchdog_s is the communication-loss time to set and verify; 0 means none.
    spans gives the values at 4 mA and 20 mA of analogue points, in the unit of the tag.
    identity: registers that tell this very device from its like (a serial number, an order number); before that of its
    type, which cannot tell two adapters apart that are swapped.
    """

    name: str
    type: str
    line: str
    unit: int
    watchdog_s: float
    tags: Mapping[str, str]
    spans: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    identity: device_facts.Identity | None = None


@dataclass(frozen=True)
class Hardware:
    """Everything that is wired to the controller, and the period of its tick.

    curves: calibrations by tag. types: descriptions beside the library's, by device type.
    """

    lines: tuple[LineConfig, ...]
    devices: tuple[DeviceConfig, ...]
    tick_s: float
    curves: Mapping[str, Curve] = field(default_factory=dict)
    types: "Mapping[str, Description]" = field(default_factory=dict)


class PointSpec(Frozen):
    """One point of a device type. value = raw * scale + offset, in ``unit``.

    low, high: outside them the instrument cannot be right, the reading is BAD.
    raw_low, raw_high: the same on raw counts (NAMUR NE 43). bad_values: raw words of failure.
    byte: which half of the register (u8, s8). byte_order: "low_first" where the bytes of every register are swapped.
    negative: bits of another register that turn the sign (weights shown as magnitudes).
    raw_off, raw_on: what an output register holds at its fail state, and energised. place: which of the numbers
    that an instrument sends in one line.
    """

    name: str
    access: Literal["read", "write"] = "read"
    table: Table
    address: Address
    type: ValueType
    bit: int = Field(default=-1, ge=-1, le=15)
    byte: Literal["high", "low"] = "low"
    word_order: Literal["high_first", "low_first"] = "high_first"
    byte_order: Literal["high_first", "low_first"] = "high_first"
    scale: Finite = 1.0
    scale_from: ScaleFrom | None = None
    offset: Finite = 0.0
    low: Finite
    high: Finite
    unit: str
    bad_values: tuple[int, ...] = ()
    raw_low: int | None = None
    raw_high: int | None = None
    negative: FaultBits | None = None
    fault: FaultBits | None = None
    signal: Signal | None = None
    marks: tuple[Mark, ...] = ()
    span: LoopSpan | None = None
    raw_off: Word = 0
    raw_on: Word = 1
    place: int = Field(default=0, ge=0, le=7)
    group: Literal["fast", "normal", "slow"]

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low = {self.low} is not below high = {self.high}: swap or widen them")
        if self.scale == 0.0:
            raise ValueError("scale = 0 makes every reading the same: give the value of one count")
        if self.bit >= 0 and self.type != "bit":
            raise ValueError(f'bit = {self.bit} needs type = "bit", not "{self.type}"')
        return self


class Description(Frozen):
    """One device type: how it speaks, what it must not be asked, and its points.

    functions: Modbus functions it knows; empty = all that the tables need, writing by 15 and 16.
    gap_s: silence it wants before a request, where that is more than t3.5. readable: ranges that may be read
    through, with holes between them.
    wear: registers that nothing may write cyclically. remark: what a technician must know of it.
    fixed_watchdog_s: the device's own timer where it cannot be set. fail_position: what it does when that runs out.
    continuous, probe: which of the two an ascii device is.
    """

    manufacturer: str
    model: str
    source: str
    tried_on_hardware: bool
    protocol: Spoken
    baud: tuple[int, ...]
    turnaround_s: Seconds
    late_s: Seconds
    remark: str = ""
    gap_s: float = Field(default=0.0, ge=0.0, le=1.0, allow_inf_nan=False)
    functions: tuple[Literal[1, 2, 3, 4, 5, 6, 15, 16], ...] = ()
    max_registers: int = Field(default=125, ge=1, le=125)
    readable: tuple[Readable, ...] = ()
    wear: tuple[Wear, ...] = ()
    identity: Identity | None = None
    watchdog: WatchdogRegister | None = None
    fixed_watchdog_s: float = Field(default=0.0, ge=0.0, le=600.0, allow_inf_nan=False)
    fail_position: FailPosition | None = None
    read_back: ReadBack | None = None
    continuous: ContinuousFormat | None = None
    probe: ProbeDialogue | None = None
    point: tuple[PointSpec, ...]
    command: tuple[DeviceCommand, ...] = ()
    golden: tuple[Golden, ...] = ()

    def point_named(self, name: str) -> PointSpec | None:
        """The point of that name, or None."""
        return next((point for point in self.point if point.name == name), None)

    def wearing(self, spec: PointSpec) -> Wear | None:
        """The memory that wears out in which this point is kept, if it is."""
        return next((w for w in self.wear if w.table == spec.table and w.first <= spec.address <= w.last), None)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for kind, names in (("point", [p.name for p in self.point]), ("command", [c.name for c in self.command])):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{kind} {twice[0]} is described twice: rename or delete one")
        if (self.protocol == "ascii") != ((self.continuous is None) != (self.probe is None)):
            raise ValueError('protocol = "ascii" goes with one of [continuous] and [probe], modbus_rtu with none')
        for known in self.golden:
            if self.point_named(known.point) is None:
                raise ValueError(f"golden words name point {known.point!r}, which is not described: correct one")
        return self

    @model_validator(mode="after")
    def _speaks(self) -> Self:
        """Everything described can be asked with the functions the device knows."""
        if not self.functions:
            return self
        wanted = [(f"point {p.name}", p.table, p.access == "write") for p in self.point if p.table != "frame"]
        wanted += [(f"command {c.name}", s.table, s.do == "write") for c in self.command for s in c.step]
        if self.watchdog is not None:
            wanted += [("watchdog", "holding", False), ("watchdog", "holding", True)]
        if self.read_back is not None:
            wanted.append(("read_back", self.read_back.table, False))
        for what, table, is_write in wanted:
            function = (device_facts.WRITE_FUNCTION if is_write else device_facts.READ_FUNCTION).get(table)
            if function not in self.functions:
                raise ValueError(f"{what} needs function {function}, which functions = {list(self.functions)} lack")
        return self


def parse(text: str, name: str) -> Description:
    """Check the text of one description; PodError 302 names file, key, value and remedy."""
    try:
        return Description.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as fault:
        raise PodError(Code.DESCRIPTION_INVALID, f"{name}: not TOML ({fault}): correct that line") from fault
    except ValidationError as fault:
        raise PodError(Code.DESCRIPTION_INVALID, f"{name}: {_explain(fault)}") from fault


def _explain(fault: ValidationError) -> str:
    """All faults of one file in one line: key, value, what the limit is."""
    parts = []
    for error in fault.errors(include_url=False):
        where = ".".join(str(step) for step in error["loc"]) or "file"
        given = error.get("input")
        value = "" if isinstance(given, dict | list) else f" = {given!r}"[:80]
        parts.append(f"{where}{value}: {error['msg']}"[:240])
    return "; ".join(parts) + ": correct the description"


def schema() -> dict[str, Any]:
    """The JSON Schema of a description; hal/library/schema.json is this, for editors and other programs."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Description.model_json_schema()}


def known_types() -> tuple[str, ...]:
    """Names of all device types in the library, sorted."""
    folder = resources.files("hal") / "library"
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".toml")))


@cache
def load(device_type: str) -> Description:
    """The description of one device type; PodError 301 when the library has none."""
    if device_type not in known_types():
        raise PodError(
            Code.TYPE_UNKNOWN,
            f"device type {device_type!r} is not in hal/library:"
            f" use one of {', '.join(known_types())}, or add {device_type}.toml",
        )
    path = resources.files("hal") / "library" / f"{device_type}.toml"
    return parse(path.read_text(encoding="utf-8"), f"hal/library/{device_type}.toml")


def described(hardware: Hardware, device_type: str) -> Description:
    """The description of a device type: the pod's own, else the library's."""
    return hardware.types.get(device_type) or load(device_type)
