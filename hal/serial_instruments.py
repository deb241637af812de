"""Instruments that speak by themselves in ASCII: the continuous weight format.

Job: ``WeightDecoder`` finds whole frames in any stream of bytes; SerialLine is the line around it,
in the same form as the Modbus line, and never sends.
Neighbours: ``planner`` and ``pod_io`` build it, ``runner`` and the simulator's executive feed it.
Must not know: ports, the operating system's time, or what is being weighed.

Frame (format of several makers' manuals): STX, status A, B, C, six digits of weight, six of tare,
CR, and a checksum (two's complement of the sum of all bytes before it, low 7 bits) unless the
indicator sends none.
"""

import math
from typing import NamedTuple

from hal.blocks import STALE_PERIODS
from hal.line import NEVER, Wait
from hal.points import Point
from hal.values import Ack, Cause, Quality, Reading
from hal.wire_time import char_ns

STX, CR = 0x02, 0x0D
BARE_LEN = 17  # without checksum
_WEIGHT, _TARE = slice(4, 10), slice(10, 16)
_LIMIT_BYTES = 4 * BARE_LEN  # more than that without a frame is garbage
_A_ALWAYS, _A_NEVER = 0x20, 0x40  # status A: bits that tell it from digits and letters
_B_NET, _B_NEGATIVE, _B_OUT_OF_RANGE, _B_MOTION, _B_KG, _B_NOT_ZEROED = 1, 2, 4, 8, 16, 64
_C_OTHER_UNIT, _C_EXPANDED = 0x07, 0x10


class Weight(NamedTuple):
    """One sound frame: gross weight in kg (NaN when BAD), how far to trust it, bytes after it."""

    gross_kg: float
    quality: Quality
    cause: Cause
    bytes_after: int


def checksum(frame: bytes) -> int:
    """Seven bits that bring the sum of the frame and the checksum to 0."""
    return -sum(byte & 0x7F for byte in frame) & 0x7F


class WeightDecoder:
    """Stream of bytes to weights; resynchronises at the next STX after anything that is no frame."""

    def __init__(self, with_checksum: bool) -> None:
        self._with_checksum = with_checksum
        self._size = BARE_LEN + with_checksum
        self._buffer = b""
        self.rejected = 0

    def feed(self, data: bytes) -> Weight | None:
        """Take bytes; the newest sound frame that ended in them, if any."""
        buffer, newest = self._buffer + data, None
        at = buffer.find(STX)
        while at >= 0 and len(buffer) - at >= self._size:
            frame = buffer[at : at + self._size]
            if self._sound(frame):
                newest = _weigh(frame, len(buffer) - at - self._size)
                at = buffer.find(STX, at + self._size)
            else:
                self.rejected += 1
                at = buffer.find(STX, at + 1)
        self._buffer = buffer[at:][-_LIMIT_BYTES:] if at >= 0 else b""
        return newest

    def _sound(self, frame: bytes) -> bool:
        """Every check the format offers: constant bits, digits, CR, checksum."""
        return (
            frame[BARE_LEN - 1] == CR
            and frame[1] & (_A_ALWAYS | _A_NEVER) == _A_ALWAYS
            and max(frame) < 0x80
            and _number(frame[_WEIGHT]) is not None
            and _number(frame[_TARE]) is not None
            and (not self._with_checksum or frame[BARE_LEN] == checksum(frame[:BARE_LEN]))
        )


def _number(digits: bytes) -> int | None:
    """Six digits with leading spaces, or None."""
    shown = digits.lstrip(b" ")
    return int(shown) if shown.isdigit() else None


def _weigh(frame: bytes, bytes_after: int) -> Weight:
    """Meaning of a sound frame. Net weight is turned back to gross: a pressed tare key hides nothing."""
    status_a, status_b, status_c = frame[1:4]
    if status_b & _B_OUT_OF_RANGE:
        return Weight(math.nan, Quality.BAD, Cause.SENSOR_FAILURE, bytes_after)
    if not status_b & _B_KG or status_c & _C_OTHER_UNIT:
        return Weight(math.nan, Quality.BAD, Cause.CONFIGURATION_ERROR, bytes_after)
    count = _number(frame[_WEIGHT]) or 0
    count = -count if status_b & _B_NEGATIVE else count
    quality, cause = Quality.GOOD, Cause.NONE
    if status_b & _B_NET:
        count += _number(frame[_TARE]) or 0
        quality, cause = Quality.UNCERTAIN, Cause.SUBSTITUTE_VALUE
    if status_b & _B_NOT_ZEROED:
        quality, cause = Quality.UNCERTAIN, Cause.INITIAL_VALUE
    if status_b & _B_MOTION:
        quality, cause = Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE
    places = (status_a & 0x07) - 2 + bool(status_c & _C_EXPANDED)
    gross_kg = count / 10**places if places >= 0 else float(count * 10**-places)
    return Weight(gross_kg, quality, cause, bytes_after)


class SerialLine:
    """One indicator on its own line. A Reading is stamped with the beginning of its frame."""

    __slots__ = ("_char_ns", "_decoder", "_fresh_ns", "_period_ns", "_point", "_size", "acks", "name", "readings")

    def __init__(self, name: str, baud: int, point: Point, with_checksum: bool, period_ns: int) -> None:
        self.name = name
        self.readings = {point.tag: Reading(point.tag, math.nan, Quality.BAD, Cause.INITIAL_VALUE, 0)}
        self.acks: dict[str, Ack] = {}
        self._point = point
        self._char_ns = char_ns(baud)
        self._size = BARE_LEN + with_checksum
        self._decoder = WeightDecoder(with_checksum)
        self._period_ns = period_ns
        self._fresh_ns = -1

    def next_action(self, now_ns: int) -> Wait:
        """Nothing is ever sent."""
        return Wait(NEVER)

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes whose arrival ended at now_ns."""
        weight = self._decoder.feed(data)
        if weight is None:
            return
        point, taken_ns = self._point, now_ns - (self._size + weight.bytes_after) * self._char_ns
        value = weight.gross_kg * point.scale + point.offset
        quality, cause = weight.quality, weight.cause
        if quality is not Quality.BAD and not point.low <= value <= point.high:
            value, quality, cause = math.nan, Quality.BAD, Cause.SENSOR_FAILURE
        self.readings[point.tag] = Reading(point.tag, value, quality, cause, taken_ns)
        self._fresh_ns = taken_ns

    def begin_tick(self, now_ns: int) -> None:
        """Nothing to order."""

    def collect(self, now_ns: int) -> None:
        """BAD when no frame came for several periods."""
        if self._fresh_ns >= 0 and now_ns - self._fresh_ns > STALE_PERIODS * self._period_ns:
            tag = self._point.tag
            self.readings[tag] = Reading(tag, math.nan, Quality.BAD, Cause.NO_COMMUNICATION, self._fresh_ns)
            self._fresh_ns = -1
