"""Instruments that speak by themselves in ASCII: the continuous weight format.

Job: ``WeightDecoder`` finds whole frames in any stream of bytes; SerialLine is the line around it,
in the same form as the Modbus line, and never sends.
Neighbours: ``planner`` and ``pod_io`` build it, ``runner`` and the simulator's executive feed it.
Must not know: ports, the operating system's time, or what is being weighed.

Frame (format of several makers' manuals): STX, status A, B, C, six digits of weight, six of tare (not
in the short form), CR, and a checksum (two's complement of the sum of all bytes before it, low 7 bits)
unless the indicator sends none. What differs from maker to maker is data: ContinuousFormat.
"""

import math
from typing import NamedTuple

from hal.blocks import STALE_PERIODS
from hal.device_facts import ContinuousFormat
from hal.line import NEVER, Wait
from hal.middle import Heard, Middle
from hal.points import Point, judge_number
from hal.values import Ack, Cause, Quality, Reading
from hal.wire_time import char_ns

STX, CR = 0x02, 0x0D
SHORT_LEN, TARE_LEN = 11, 6  # without tare and checksum; of the tare
_WEIGHT, _TARE = slice(4, 10), slice(10, 16)
_LIMIT_BYTES = 72  # more than that without a frame is garbage
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

    def __init__(self, form: ContinuousFormat) -> None:
        self._form = form
        self._bare_len = SHORT_LEN + TARE_LEN * form.tare
        self._size = self.size = self._bare_len + form.checksum
        self._buffer = b""
        self.rejected = 0
        self.frame = b""  # the newest sound one

    def feed(self, data: bytes) -> Weight | None:
        """Take bytes; the newest sound frame that ended in them, if any."""
        buffer, newest = self._buffer + data, None
        at = buffer.find(STX)
        while at >= 0 and len(buffer) - at >= self._size:
            frame = buffer[at : at + self._size]
            if self._sound(frame):
                self.frame = frame
                newest = weigh(self._form, frame, len(buffer) - at - self._size)
                at = buffer.find(STX, at + self._size)
            else:
                self.rejected += 1
                at = buffer.find(STX, at + 1)
        self._buffer = buffer[at:][-_LIMIT_BYTES:] if at >= 0 else b""
        return newest

    def _sound(self, frame: bytes) -> bool:
        """Every check the format offers: constant bits, digits, CR, checksum."""
        form, bare_len = self._form, self._bare_len
        return (
            frame[bare_len - 1] == CR
            and frame[1] & form.status_a_mask == form.status_a_value
            and max(frame) < 0x80
            and _number(frame[_WEIGHT]) is not None
            and (not form.tare or _number(frame[_TARE]) is not None)
            and (not form.checksum or frame[bare_len] == checksum(frame[:bare_len]))
        )


def _number(digits: bytes) -> int | None:
    """Six digits with leading spaces, or None."""
    shown = digits.lstrip(b" ")
    return int(shown) if shown.isdigit() else None


def weigh(form: ContinuousFormat, frame: bytes, bytes_after: int) -> Weight:
    """Meaning of a sound frame. Net weight is turned back to gross: a pressed tare key hides nothing.

    A short frame that shows net weight does not tell the tare: it is BAD.
    """
    status_a, status_b, status_c = frame[1:4]
    if status_b & _B_OUT_OF_RANGE:
        return Weight(math.nan, Quality.BAD, Cause.SENSOR_FAILURE, bytes_after)
    if form.kg_in_status and (not status_b & _B_KG or status_c & _C_OTHER_UNIT):
        return Weight(math.nan, Quality.BAD, Cause.CONFIGURATION_ERROR, bytes_after)
    if status_b & _B_NET and not form.tare:
        return Weight(math.nan, Quality.BAD, Cause.OUT_OF_SERVICE, bytes_after)
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
    places = (status_a & 0x07) - 2 + bool(form.kg_in_status and status_c & _C_EXPANDED)
    gross_kg = count / 10**places if places >= 0 else float(count * 10**-places)
    return Weight(gross_kg, quality, cause, bytes_after)


class SerialLine:
    """One indicator on its own line. A Reading is stamped with the beginning of its frame.

    Without a checksum the weight is the middle one of three frames; what a frame says of its quality counts at once,
    and for as long as its weight does.
    """

    __slots__ = (
        "_char_ns", "_fresh_ns", "_middle", "_period_ns", "acks", "decoder", "form", "name", "point", "readings",
    )  # fmt: skip

    def __init__(self, name: str, baud: int, point: Point, form: ContinuousFormat, period_ns: int) -> None:
        self.name = name
        self.readings = {point.tag: Reading(point.tag, math.nan, Quality.BAD, Cause.INITIAL_VALUE, 0)}
        self.acks: dict[str, Ack] = {}
        self.point, self.form = point, form
        self._char_ns = char_ns(baud)
        self.decoder = WeightDecoder(form)
        self._period_ns = period_ns
        self._fresh_ns = -1
        self._middle = Middle(period_ns)

    def next_action(self, now_ns: int) -> Wait:
        """Nothing is ever sent."""
        return Wait(NEVER)

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes whose arrival ended at now_ns."""
        weight = self.decoder.feed(data)
        if weight is None:
            return
        point, taken_ns = self.point, now_ns - (self.decoder.size + weight.bytes_after) * self._char_ns
        self._fresh_ns = taken_ns
        heard = Heard(weight.gross_kg, taken_ns, weight.quality, weight.cause)
        if not self.form.checksum and weight.quality is not Quality.BAD:
            heard = self._middle.of(heard)
        judged = judge_number(point, heard.raw, heard.quality, heard.cause)
        self.readings[point.tag] = Reading(point.tag, *judged, heard.taken_ns)

    def wants_reopening(self, now_ns: int) -> bool:
        """Never: an indicator that is silent says nothing of the port."""
        return False

    def reconnected(self, now_ns: int) -> None:
        """What is left of a frame from before is no frame; the next STX begins one."""

    def begin_tick(self, now_ns: int) -> None:
        """Nothing to order."""

    def collect(self, now_ns: int) -> None:
        """BAD when no frame came for several periods."""
        if self._fresh_ns >= 0 and now_ns - self._fresh_ns > STALE_PERIODS * self._period_ns:
            tag = self.point.tag
            self.readings[tag] = Reading(tag, math.nan, Quality.BAD, Cause.NO_COMMUNICATION, self._fresh_ns)
            self._fresh_ns = -1
            self._middle.forget()
