"""Troubles between master and device, each a small named thing.

Job: change what a device hears, does or answers. A fault sits on one device or on a whole line
(slave.py and indicator.py ask it at four points); who sets it, and when, is scenarios' business.
Neighbours: slave.py, indicator.py, wiring.py. Must not know: registers, plant, scenarios.
To add one: a subclass with a name, and the points it changes; KINDS finds it.
"""

import random
from typing import ClassVar

from hal.errors import PodError
from sim_hardware.instruments import Device
from sim_hardware.rtu_codec import DEVICE_BUSY, DEVICE_FAILURE, Request, crc16
from sim_hardware.station import Reply


class WireFault:
    """No trouble at all: every point passes things through."""

    kind: ClassVar[str] = ""

    def begin(self, device: Device) -> None:
        """The fault begins on this device."""

    def end(self, device: Device) -> None:
        """The fault is over on this device."""

    def hears(self, request: Request) -> bool:
        """False: the request never reaches the device."""
        return True

    def refuses(self, request: Request) -> int:
        """Exception code that the device answers with; 0 = none."""
        return 0

    def executes(self, request: Request) -> bool:
        """False: a write is echoed but changes nothing."""
        return True

    def answers(self, request: Request, pdu: bytes) -> bytes:
        """The PDU that is answered instead of pdu."""
        return pdu

    def sends(self, replies: list[Reply]) -> list[Reply]:
        """What goes on the wire instead of replies."""
        return replies

    @property
    def address(self) -> int | None:
        """The unit number that the device has meanwhile; None = its own."""
        return None

    @property
    def mute(self) -> bool:
        """True: a device that speaks by itself is not heard either."""
        return False


class DeviceDead(WireFault):
    """Silent, supply lost or cable off; what it held is up to its own watchdog."""

    kind = "device_dead"

    def hears(self, request: Request) -> bool:
        """Nothing arrives."""
        return False

    @property
    def mute(self) -> bool:
        """Nothing leaves either."""
        return True


class LineDead(DeviceDead):
    """The whole line is cut: no request arrives, no answer leaves."""

    kind = "line_dead"


class ModuleFrozen(DeviceDead):
    """Hung firmware: silent, outputs keep their state, the watchdog is not honoured."""

    kind = "module_frozen"

    def begin(self, device: Device) -> None:
        """The watchdog stops working."""
        device.honours_watchdog = False

    def end(self, device: Device) -> None:
        """The watchdog works again (and trips at once if it has run out)."""
        device.honours_watchdog = True


class WatchdogIgnored(ModuleFrozen):
    """The module talks as ever, but its watchdog is not honoured."""

    kind = "watchdog_ignored"

    def hears(self, request: Request) -> bool:
        """Requests arrive."""
        return True

    @property
    def mute(self) -> bool:
        """Answers leave."""
        return False


class WriteLost(WireFault):
    """Writes are dropped silently: not applied, not echoed, no watchdog fed."""

    kind = "write_lost"

    def hears(self, request: Request) -> bool:
        """Only reads arrive."""
        return not request.is_write


class WriteIgnored(WireFault):
    """Writes are echoed but not applied."""

    kind = "write_ignored"

    def executes(self, request: Request) -> bool:
        """A write changes nothing."""
        return False


class DeviceBusy(WireFault):
    """Every request is answered with exception 6."""

    kind = "device_busy"

    def refuses(self, request: Request) -> int:
        """Busy."""
        return DEVICE_BUSY


class DeviceFailing(WireFault):
    """Every request is answered with exception 4."""

    kind = "device_failure"

    def refuses(self, request: Request) -> int:
        """Failure."""
        return DEVICE_FAILURE


class CrcErrors(WireFault):
    """One bit of an answer flips, with a probability per answer and a seed of its own."""

    kind = "crc_errors"

    def __init__(self, probability_frac: float, seed: int = 0) -> None:
        """probability_frac in 0..1."""
        if not 0.0 <= probability_frac <= 1.0:
            raise PodError(381, f"fault crc_errors: probability_frac = {probability_frac}: set it within 0..1")
        self._probability_frac = probability_frac
        self._random = random.Random(seed)

    def sends(self, replies: list[Reply]) -> list[Reply]:
        """Flip one bit in some."""
        return [(delay_s, self._flip(frame)) for delay_s, frame in replies]

    def _flip(self, frame: bytes) -> bytes:
        if self._random.random() >= self._probability_frac:
            return frame
        bit = self._random.randrange(8 * len(frame))
        hurt = bytearray(frame)
        hurt[bit >> 3] ^= 1 << (bit & 7)
        return bytes(hurt)


class LateReply(WireFault):
    """Answers come delay_s later than usual."""

    kind = "late_reply"

    def __init__(self, delay_s: float) -> None:
        """delay_s is added to the device's own turnaround."""
        if not 0.0 <= delay_s <= 3600.0:
            raise PodError(381, f"fault late_reply: delay_s = {delay_s}: set it within 0..3600")
        self._delay_s = delay_s

    def sends(self, replies: list[Reply]) -> list[Reply]:
        """The same bytes, later."""
        return [(delay_s + self._delay_s, frame) for delay_s, frame in replies]


class WrongUnit(WireFault):
    """Answers carry another unit's number, with a check sequence that fits."""

    kind = "wrong_unit"

    def __init__(self, unit: int) -> None:
        """unit: the number shown."""
        if not 0 <= unit <= 255:
            raise PodError(381, f"fault wrong_unit: unit = {unit}: set it within 0..255")
        self._unit = unit

    def sends(self, replies: list[Reply]) -> list[Reply]:
        """The same answer from somebody else."""
        return [(delay_s, self._renumber(frame)) for delay_s, frame in replies]

    def _renumber(self, frame: bytes) -> bytes:
        body = bytes((self._unit,)) + frame[1:-2]
        return body + crc16(body).to_bytes(2, "little")


class WrongAddress(WrongUnit):
    """The device was given another address: it answers there, and nowhere else."""

    kind = "wrong_address"

    @property
    def address(self) -> int | None:
        """Where it answers."""
        return self._unit

    def sends(self, replies: list[Reply]) -> list[Reply]:
        """With the address that was asked."""
        return replies


class TruncatedReply(WireFault):
    """Answers end before their time."""

    kind = "truncated_reply"

    def __init__(self, kept_bytes: int = 4) -> None:
        """kept_bytes: how many bytes of each answer get through."""
        self._kept_bytes = kept_bytes

    def sends(self, replies: list[Reply]) -> list[Reply]:
        """The first bytes only."""
        return [(delay_s, frame[: self._kept_bytes]) for delay_s, frame in replies]


class DuplicateReply(WireFault):
    """Each answer is sent twice."""

    kind = "duplicate_reply"

    def __init__(self, gap_s: float = 0.0) -> None:
        """gap_s: from the start of an answer to its repetition; the wire serialises them."""
        self._gap_s = gap_s

    def sends(self, replies: list[Reply]) -> list[Reply]:
        """Everything twice."""
        return [(delay_s + again * self._gap_s, frame) for delay_s, frame in replies for again in (0, 1)]


class FrozenRegisters(WireFault):
    """A read is answered with what the same read gave the first time under the fault."""

    kind = "frozen_registers"

    def __init__(self) -> None:
        """Nothing remembered yet."""
        self._first: dict[Request, bytes] = {}

    def answers(self, request: Request, pdu: bytes) -> bytes:
        """Old values; writes are answered as ever."""
        return pdu if request.is_write else self._first.setdefault(request, pdu)


_ALL: tuple[type[WireFault], ...] = (
    DeviceDead,
    LineDead,
    ModuleFrozen,
    WatchdogIgnored,
    WriteLost,
    WriteIgnored,
    DeviceBusy,
    DeviceFailing,
    CrcErrors,
    LateReply,
    WrongUnit,
    WrongAddress,
    TruncatedReply,
    DuplicateReply,
    FrozenRegisters,
)
_WHOLE = ("seed", "unit", "kept_bytes")  # parameters that count
KINDS: dict[str, type[WireFault]] = {fault.kind: fault for fault in _ALL}


def make(kind: str, **parameters: float) -> WireFault:
    """The fault of that name; PodError 380 when there is none, 381 when a parameter does not fit."""
    if kind not in KINDS:
        raise PodError(380, f"fault {kind!r} is not known: choose one of {', '.join(sorted(KINDS))}")
    whole = {name: int(value) if name in _WHOLE else value for name, value in parameters.items()}
    try:
        return KINDS[kind](**whole)
    except TypeError as mismatch:
        raise PodError(381, f"fault {kind}: parameters {sorted(parameters)} do not fit: {mismatch}") from mismatch
