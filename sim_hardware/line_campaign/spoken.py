"""The instruments without a check sequence that the campaign spoils, each with a reader of its own.

Job: what an instrument sends for each of its values, what a person with the manual would read in any bytes, and the
controller's line with the time that frames take. The 18-byte indicator is there to compare: its seven bits of sum are
no check sequence either. Neighbours: `unchecked`. Must not know how frames are spoilt.
Sources: as `indicator` (continuous format) and `described.ezo` (EZO, UART).
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

from hal.description import load
from hal.device_facts import ContinuousFormat
from hal.line import Send
from hal.points import Point
from hal.probe_line import ProbeLine
from hal.serial_instruments import SerialLine
from hal.values import Reading
from sim_hardware.indicator import seal_toledo

_BAUD, _CHAR_NS = 9600, 10_000_000_000 // 9600
_EVERY_NS = 143_000_000  # seven frames a second
_LEAST_KG, _STEP_KG = 70.0, 13.7  # over a change of digits
_HIGH_KG = 2000.0
_ANSWER_NS, _GAP_NS = 600_000_000, 200_000_000
_OK = b"*OK"


class Shown(Protocol):
    """The controller's line."""

    def show(self, heard: bytes) -> tuple[int, Reading | None]:
        """Let one frame arrive; its number, and what has come out, None = nothing new."""
        ...

    def number_of(self, taken_ns: int) -> int:
        """The number of the frame to which a time stamp belongs."""
        ...


class Spoken(NamedTuple):
    """One kind of instrument. value and frame by step, read of any bytes: the GOOD value a reader takes from them."""

    value: Callable[[int], float]
    frame: Callable[[int], bytes]
    read: Callable[[bytes], float | None]
    desk: Callable[[], Shown]


class _Indicator:
    """An indicator's line; a frame every 143 ms."""

    def __init__(self, form: ContinuousFormat) -> None:
        point = Point("WT", "frame", 0, "weight", "kg", 0.0, _HIGH_KG)
        self._line = SerialLine("W", _BAUD, point, form, 500_000_000)
        self._now_ns = 10 * _EVERY_NS
        self._last: Reading | None = None

    def show(self, heard: bytes) -> tuple[int, Reading | None]:
        """All bytes of a frame at its end."""
        self._now_ns += _EVERY_NS
        self._line.receive(heard, self._now_ns)
        reading = self._line.readings["WT"]
        new, self._last = reading is not self._last, reading
        return self._now_ns // _EVERY_NS - 1, reading if new else None

    def number_of(self, taken_ns: int) -> int:
        """Frames end at whole periods and are much shorter than one."""
        return taken_ns // _EVERY_NS


class _Probe:
    """A probe's line; asked whenever it wants to ask."""

    def __init__(self, kind: str, low: float, high: float) -> None:
        dialogue = load(kind).probe
        assert dialogue is not None
        self._line = ProbeLine("P", _BAUD, [Point("AT", "frame", 0, "number", "-", low, high)], dialogue, 2_000_000_000)
        self._now_ns = 1_000_000_000
        self._last = self._line.readings["AT"]

    def show(self, heard: bytes) -> tuple[int, Reading | None]:
        """Settings are taken; the first question for a reading gets the frame."""
        while True:
            action = self._line.next_action(self._now_ns)
            if not isinstance(action, Send):
                self._now_ns = action.until_ns
                continue
            asked_ns = self._now_ns + len(action.data) * _CHAR_NS
            is_read = action.data == b"R\r"
            self._now_ns = asked_ns + _ANSWER_NS
            self._line.receive(heard if is_read else _OK + b"\r", self._now_ns)
            self._now_ns += _GAP_NS
            if is_read:
                reading = self._line.readings["AT"]
                new, self._last = reading is not self._last, reading
                return asked_ns, reading if new else None

    def number_of(self, taken_ns: int) -> int:
        """A reading is stamped with the end of its question."""
        return taken_ns


def _weight(step: int) -> float:
    return round(10.0 * (_LEAST_KG + _STEP_KG * step)) / 10.0


def _weight_frame(form: ContinuousFormat, step: int) -> bytes:
    tenths = round(10.0 * _weight(step))
    digits = b"%6d%6d" % (tenths, 0) if form.tare else b"%6d" % tenths
    frame = seal_toledo(b"\x2b\x30\x20" + digits)
    return frame if form.checksum else frame[:-1]


def _read_weight(form: ContinuousFormat, heard: bytes) -> float | None:
    """By the manual: status A 001ppppp, status B 0011xxxx in kg, six digits, blank in front, CR, sum of seven bits.

    Noise around the frame is passed over: STX begins one.
    """
    size = 11 + 6 * form.tare + form.checksum
    for at in range(len(heard) - size + 1):
        frame = heard[at : at + size]
        if frame[0] == 0x02 and (value := _weight_in(form, frame)) is not None:
            return value
    return None


def _weight_in(form: ContinuousFormat, frame: bytes) -> float | None:
    body = frame[: len(frame) - form.checksum]
    groups = [body[at : at + 6].decode("latin-1") for at in range(4, len(body) - 1, 6)]
    status = frame[1:4]
    fits = body[-1] == 0x0D and not any(byte & 0x80 for byte in frame) and status[0] & 0x60 == 0x20
    fits = fits and all(group.lstrip(" ").isdecimal() for group in groups)
    if form.checksum:
        fits = fits and (sum(byte & 0x7F for byte in frame)) & 0x7F == 0
    # Net, out of range, in motion, not zeroed, pounds, another unit: all that is not plainly good.
    if not fits or status[1] & 0x5D != 0x10 or status[2] & 0x07:
        return None
    number = int(groups[0]) * (-1 if status[1] & 0x02 else 1)
    places = (status[0] & 0x07) - 2 + (status[2] >> 4 & 1)
    value = number / 10**places if places >= 0 else float(number * 10**-places)
    return value if 0.0 <= value <= _HIGH_KG else None


def _reader(low: float, high: float) -> Callable[[bytes], float | None]:
    def read(heard: bytes) -> float | None:
        """A line with one plain number, then the line *OK; empty lines say nothing."""
        lines = [line for line in heard.split(b"\r")[:-1] if line]
        if len(lines) < 2 or lines[1] != _OK or not all(byte in b"-.0123456789" for byte in lines[0]):
            return None
        whole, point, part = lines[0].decode().removeprefix("-").partition(".")
        if not 1 <= len(whole) <= 7 or not whole.isdecimal() or (point and not (part.isdecimal() and len(part) <= 4)):
            return None
        value = float(lines[0])
        return value if low <= value <= high else None

    return read


def _indicator(form: ContinuousFormat) -> Spoken:
    return Spoken(
        _weight,
        lambda step: _weight_frame(form, step),
        lambda heard: _read_weight(form, heard),
        lambda: _Indicator(form),
    )


def _probe(kind: str, low: float, high: float, shown: Callable[[int], str]) -> Spoken:
    return Spoken(
        lambda step: float(shown(step)),
        lambda step: shown(step).encode() + b"\r" + _OK + b"\r",
        _reader(low, high),
        lambda: _Probe(kind, low, high),
    )


INSTRUMENTS = {
    "weighing, 18 bytes with a sum": _indicator(ContinuousFormat()),
    "weighing, 17 bytes": _indicator(ContinuousFormat(checksum=False)),
    "weighing, short": _indicator(ContinuousFormat(checksum=False, tare=False)),
    "EZO pH": _probe("atlas_ezo_ph", 0.001, 14.0, lambda step: f"{6.2 + 0.03 * step:.2f}"),
    "EZO conductivity": _probe("atlas_ezo_ec", 0.07, 500000.0, lambda step: f"{9500 + 37 * step}"),
}
