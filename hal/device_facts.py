"""The smaller facts of a device description, as checked data: marks, scales told by registers, commands, wear.

Job: one frozen model per kind of fact, each a few lines of a ``library/*.toml``. Neighbours: ``description`` puts them
into a Description; ``points`` uses marks and scales, ``commands`` plays commands, ``planner`` keeps wear.
Must not know: lines, bytes, instances.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hal.values import Cause

READ_FUNCTION = {"coil": 1, "discrete": 2, "holding": 3, "input": 4}  # by table; Modbus application protocol V1.1b3
WRITE_FUNCTION = {"coil": 15, "holding": 16}  # absolute images, so they may be repeated

Table = Literal["coil", "discrete", "input", "holding", "frame"]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0.0, le=60.0, allow_inf_nan=False)]
Address = Annotated[int, Field(ge=0, le=65535)]
Word = Annotated[int, Field(ge=0, le=65535)]
CauseName = Literal[
    "sensor_failure", "device_failure", "configuration_error", "not_connected", "out_of_service",
    "sensor_not_accurate", "sub_normal", "initial_value",
]  # fmt: skip


class Frozen(BaseModel):
    """Data of a file: immutable, and a key that is not known is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Readable(Frozen):
    """A range of addresses that may be read through in one request."""

    table: Table
    first: Address
    last: Address


class WatchdogRegister(Frozen):
    """Holding register of the communication watchdog; one count is scale_s seconds."""

    address: Address
    scale_s: Seconds
    max_count: int = Field(ge=1, le=65535)


class ReadBack(Frozen):
    """Where the outputs are shown as held.

    table input: a register whose bit k is output k. coil, holding: the outputs themselves, from ``address`` on.
    """

    table: Literal["input", "holding", "coil"]
    address: Address
    status_address: Address | None = None


class FaultBits(Frozen):
    """Register of the same table whose bits under mask make the point BAD."""

    address: Address
    mask: int = Field(ge=1, le=65535)


class Signal(Frozen):
    """Register of the same table with the strength of the signal: below least it is UNCERTAIN."""

    address: Address
    least: int = Field(ge=0, le=65535)


class LoopSpan(Frozen):
    """Raw counts at the two ends of a live-zero signal (4 mA and 20 mA)."""

    raw_low: int
    raw_high: int


class Mark(Frozen):
    """What the instrument says about a point in another register of the same table.

    It holds when (register & mask) equals ``equals``; or differs from ``differs``; or, with neither, is not 0.
    The cause says how bad that is: failures make the point BAD, the others UNCERTAIN.
    """

    address: Address
    mask: int = Field(default=0xFFFF, ge=1, le=0xFFFF)
    equals: Word | None = None
    differs: Word | None = None
    cause: CauseName
    says: str

    @property
    def status(self) -> Cause:
        """The cause as a value."""
        return Cause[self.cause.upper()]

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.equals is not None and self.differs is not None:
            raise ValueError(f"equals = {self.equals} and differs = {self.differs}: give one of them")
        return self


class ScaleFrom(Frozen):
    """The value of one count is told by a register of the same table: scales by (register & mask); others are BAD."""

    address: Address
    mask: int = Field(default=0xFFFF, ge=1, le=0xFFFF)
    scales: dict[int, Finite] = Field(min_length=1)


class Wear(Frozen):
    """Registers kept in a memory that wears out: never to be written again and again."""

    table: Literal["coil", "holding"]
    first: Address
    last: Address
    reason: str


class Identity(Frozen):
    """Registers that show the type of the device: read before it is trusted with a write."""

    table: Literal["input", "holding"]
    address: Address
    words: tuple[Word, ...] = Field(min_length=1)


class FailPosition(Frozen):
    """Register with what the outputs do when the line is silent; ``safe`` is the word for the fail state."""

    address: Address
    safe: Word


class ContinuousFormat(Frozen):
    """How a continuous indicator's frame differs from maker to maker.

    tare: six digits of tare follow the weight. checksum: one character after CR. status_a_*: the constant bits of
    status A. kg_in_status: status B and C tell unit and expanded display; else it is kg by its own setting.
    """

    tare: bool = True
    checksum: bool = True
    status_a_mask: int = Field(default=0x60, ge=1, le=0x7F)
    status_a_value: int = Field(default=0x20, ge=0, le=0x7F)
    kg_in_status: bool = True


class ProbeDialogue(Frozen):
    """How a probe that is asked in lines of text is spoken to. All answers end with CR.

    settings: sent after every start of the probe. read: asks for one reading; reading_s, reply_s: how long it takes,
    and any other command. fields: how many numbers a reading has.
    """

    settings: tuple[str, ...] = ()
    read: str = "R"
    reading_s: Seconds
    reply_s: Seconds
    fields: int = Field(default=1, ge=1, le=8)


class Step(Frozen):
    """One step of a command: a register to write, or one to wait for until it shows ``words`` under ``mask``.

    words may be left out of a write: then the caller gives the one word (a reference weight, a standard).
    """

    do: Literal["write", "confirm"]
    table: Literal["coil", "holding", "input", "discrete"] = "holding"
    address: Address
    words: tuple[Word, ...] = ()
    mask: int = Field(default=0xFFFF, ge=1, le=0xFFFF)
    within_s: Seconds = 1.0
    failed: Word | None = None

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.do == "write" and self.table in ("input", "discrete"):
            raise ValueError(f'table = "{self.table}" cannot be written: use holding or coil')
        if self.do == "confirm" and not self.words:
            raise ValueError("words = [] confirms nothing: give what the register shows when it is done")
        return self


class DeviceCommand(Frozen):
    """What a person may order of the device: steps in order, each with its answer.

    wears: it writes a memory of limited endurance. settles_s: how long its points say nothing sound afterwards.
    """

    name: str
    does: str
    wears: bool = False
    settles_s: float = Field(default=0.0, ge=0.0, le=600.0, allow_inf_nan=False)
    step: tuple[Step, ...] = Field(min_length=1)


class Golden(Frozen):
    """A known answer: registers of the point's table (others are 0), or a frame, and what they mean.

    origin: "maker" when maker or a public page gives these figures, "by_hand" when worked out from the scaling.
    """

    point: str
    registers: dict[int, Word] = {}
    frame: str = ""
    value: Finite | None = None
    cause: Literal[CauseName, "none", "eu_exceeded", "substitute_value"] = "none"
    origin: Literal["maker", "by_hand"]
