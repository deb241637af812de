"""What crosses the edge of the program: small immutable values, no I/O.

Job: name what comes in from the field (Reading, Ack) and what goes out (Command).
Neighbours: ``points`` makes Readings, ``pod_io`` gathers them into a Scan and takes Commands.
Must not know: ports, protocols, registers, or what a tag means to the process.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple, Protocol


class Quality(IntEnum):
    """How far a value may be trusted; the larger is the worse."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Cause(IntEnum):
    """Why a value is not simply good. The numbers are OPC UA status codes (OPC 10000-8)."""

    NONE = 0
    COMMUNICATION_ERROR = 0x80050000
    NO_COMMUNICATION = 0x80310000
    CONFIGURATION_ERROR = 0x80890000
    NOT_CONNECTED = 0x808A0000
    DEVICE_FAILURE = 0x808B0000
    SENSOR_FAILURE = 0x808C0000
    OUT_OF_SERVICE = 0x808D0000
    LAST_USABLE_VALUE = 0x40900000
    SUBSTITUTE_VALUE = 0x40910000
    INITIAL_VALUE = 0x40920000
    SENSOR_NOT_ACCURATE = 0x40930000
    EU_EXCEEDED = 0x40940000
    SUB_NORMAL = 0x40950000


class Curve(Protocol):
    """The calibration of one tag, as the signal chain uses it: a pure function in the unit of the tag.

    It is called with the value that the description scales and gives the corrected one. It must not raise;
    what is not finite makes the reading BAD.
    """

    @property
    def label(self) -> str:
        """Name, date and person, for people."""
        ...

    @property
    def overdue(self) -> bool:
        """Past its expiry: the readings are UNCERTAIN."""
        ...

    def __call__(self, value: float, /) -> float:
        """The corrected value."""
        ...


class Reading(NamedTuple):
    """One value of one tag, in the unit of its point. A BAD reading has the value NaN.

    taken_ns is the earliest moment at which the device may have sampled it (monotonic),
    so that its age is never understated.
    """

    tag: str
    value: float
    quality: Quality
    cause: Cause
    taken_ns: int


class Command(NamedTuple):
    """What one output shall do: 0.0 is its fail state, 1.0 energised (open, run, unlock).

    From expires_ns on the command counts as 0.0: silence closes gates.
    """

    tag: str
    open_frac: float
    issued_ns: int
    expires_ns: int


class Ack(NamedTuple):
    """Proof by read-back: at taken_ns the output held open_frac.

    issued_ns is the issue time of the newest command written before that read-back.
    Never produced when written and read-back images differ.
    """

    tag: str
    open_frac: float
    issued_ns: int
    taken_ns: int


class Scan(NamedTuple):
    """The newest Reading of every tag and the newest Ack of every output, by tag."""

    readings: Mapping[str, Reading]
    acks: Mapping[str, Ack]
