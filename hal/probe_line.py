"""A probe that is asked in lines of text (the EZO family), as a state machine without I/O.

Job: set the probe up after every start, ask for readings at their period, carry a person's orders (calibration,
sleep), and believe only what came whole: one line of numbers and the *OK behind it, in answer to our own question.
Neighbours: ``serial_instruments`` is the same for indicators that send by themselves; ``pod_io`` builds it, ``runner``
and the simulator's executive drive it. Must not know: ports, the operating system's time, what is being measured.

The lines have no check sum: a digit changed on the wire cannot be told. Against that stand the middle of three
readings, the range, the rate of change, and that a calibration is read back twice.
"""

import math
import re
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from hal.blocks import STALE_PERIODS
from hal.device_facts import ProbeDialogue
from hal.line import Send, Wait
from hal.middle import Heard, Middle
from hal.points import Point, judge_number
from hal.values import Ack, Cause, Quality, Reading
from hal.wire_time import char_ns

CR = 0x0D
LINE_MOST = 48
MISSES_TO_RESTART = 3
DOUBT_NS = 60_000_000_000  # after a complaint of its supply
_MARGIN_NS = 300_000_000
_NS = 1_000_000_000
_NUMBER = re.compile(r"-?\d{1,7}(\.\d{1,4})?")
_FIRST, _LAST = 0x20, 0x7E  # printable
_RESTARTED, _SUPPLY = ("*RS", "*RE", "*WA"), ("*OV", "*UV")


class Order:
    """What a person wants of the probe: one command, and a question that is asked twice afterwards to prove it."""

    def __init__(self, text: str, proof: str = "") -> None:
        self.texts = deque([text, proof, proof] if proof else [text])
        self.answers: list[tuple[str, ...]] = []
        self.ended, self.failed = False, ""

    def took(self, lines: tuple[str, ...]) -> None:
        """One of its commands was carried out, with these lines for an answer."""
        self.answers.append(lines)
        self.texts.popleft()
        if self.texts:
            return
        self.ended = True
        if len(self.answers) == 3 and (self.answers[1] != self.answers[2] or not self.answers[1]):
            self.failed = f"two answers to the same question differ: {self.answers[1]} and {self.answers[2]}"

    def fail(self, why: str) -> None:
        """It came to nothing."""
        self.ended, self.failed = True, why


class _Exchange(NamedTuple):
    """What was sent last: kind is setting, read or order."""

    kind: str
    text: str
    end_ns: int
    deadline_ns: int


class ProbeLine:
    """One probe on its own line. A Reading is stamped with the end of the question."""

    __slots__ = (
        "_asked", "_bad_line", "_buffer", "_char_ns", "_dialogue", "_doubt_ns", "_due_ns", "_fresh_ns", "_lines",
        "_middles", "_misses", "_orders", "_period_ns", "_quiet_ns", "_setup", "acks", "asleep", "frame", "name",
        "points", "readings", "rejected",
    )  # fmt: skip

    def __init__(self, name: str, baud: int, points: Sequence[Point], dialogue: ProbeDialogue, period_ns: int) -> None:
        self.name, self.points = name, tuple(points)
        self.readings = {p.tag: Reading(p.tag, math.nan, Quality.BAD, Cause.INITIAL_VALUE, 0) for p in points}
        self.acks: dict[str, Ack] = {}
        self.asleep = False
        self.rejected = 0  # lines that answered nothing, or not as they should
        self.frame = b""  # the newest line of numbers that was believed
        self._dialogue, self._char_ns = dialogue, char_ns(baud)
        self._period_ns = max(period_ns, round((dialogue.reading_s + dialogue.reply_s) * _NS) + _MARGIN_NS)
        self._setup = deque(dialogue.settings)
        self._orders: deque[Order] = deque()
        self._asked: _Exchange | None = None
        self._lines: list[str] = []
        self._buffer, self._bad_line = bytearray(), False
        self._quiet_ns = self._due_ns = self._doubt_ns = 0
        self._fresh_ns, self._misses = -1, 0
        self._middles = [Middle(self._period_ns) for _ in points]

    def order(self, order: Order) -> Order:
        """Have a command carried out, before the next reading; an order wakes a sleeping probe."""
        self._orders.append(order)
        return order

    def next_action(self, now_ns: int) -> Send | Wait:
        """Set up first, then orders, then the reading that is due."""
        asked = self._asked
        if asked is not None:
            if now_ns < asked.deadline_ns:
                return Wait(asked.deadline_ns)
            self._miss(now_ns, f"no whole answer to {asked.text!r}: look whether it took")
        if now_ns < self._quiet_ns:
            return Wait(self._quiet_ns)
        if self.asleep and self._orders:
            self._restart(now_ns)
        if self._setup and not self.asleep:
            return self._send("setting", self._setup[0], now_ns)
        if self._orders:
            return self._send("order", self._orders[0].texts[0], now_ns)
        if self.asleep or now_ns < self._due_ns:
            return Wait(max(self._due_ns, now_ns + self._period_ns))
        self._due_ns = max(self._due_ns + self._period_ns, now_ns)
        return self._send("read", self._dialogue.read, now_ns)

    def receive(self, data: bytes, now_ns: int) -> None:
        """Take bytes whose arrival ended at now_ns."""
        for byte in data:
            if byte == CR:
                text, is_bad = self._buffer.decode("ascii"), self._bad_line
                self._buffer, self._bad_line = bytearray(), False
                if is_bad:
                    self.rejected += 1
                    self._lines.append("")  # whatever it was, the answer is not whole
                elif text:
                    self._take(text, now_ns)
            elif _FIRST <= byte <= _LAST and len(self._buffer) < LINE_MOST:
                self._buffer.append(byte)
            else:
                self._bad_line = True

    def wants_reopening(self, now_ns: int) -> bool:
        """Never: a probe that is silent says nothing of the port."""
        return False

    def reconnected(self, now_ns: int) -> None:
        """What is left of a line from before ends with the next CR."""

    def begin_tick(self, now_ns: int) -> None:
        """Nothing to order."""

    def collect(self, now_ns: int) -> None:
        """BAD when no reading came for several periods, and while the probe sleeps."""
        if self.asleep:
            self._refuse(Cause.OUT_OF_SERVICE)
        elif self._fresh_ns >= 0 and now_ns - self._fresh_ns > STALE_PERIODS * self._period_ns:
            self._refuse(Cause.NO_COMMUNICATION)

    def _send(self, kind: str, text: str, now_ns: int) -> Send:
        data = text.encode("ascii") + b"\r"
        end_ns = now_ns + len(data) * self._char_ns
        wait_s = self._dialogue.reading_s if kind == "read" else self._dialogue.reply_s
        answer_ns = round(wait_s * _NS) + 2 * LINE_MOST * self._char_ns
        self._asked, self._lines = _Exchange(kind, text, end_ns, end_ns + answer_ns + _MARGIN_NS), []
        self._buffer, self._bad_line = bytearray(), False  # what is left of an answer cut off is no part of the next
        return Send(data)

    def _take(self, text: str, now_ns: int) -> None:
        """One whole line: a code of the probe, or an answer."""
        if text in _RESTARTED:
            self._restart(now_ns)
        elif text == "*SL":
            self._sleeps()
        elif text in _SUPPLY:
            self._doubt_ns = now_ns + DOUBT_NS
        elif self._asked is None:
            self.rejected += 1
        elif text == "*OK":
            self._answered(self._asked, now_ns)
        elif text == "*ER":
            self._miss(now_ns, f"the probe does not know {self._asked.text!r}")
        else:
            self._lines.append(text)

    def _answered(self, asked: _Exchange, now_ns: int) -> None:
        """The probe has done what it was asked."""
        if asked.kind == "read":
            numbers = parse_reading(self._lines, self._dialogue.fields)
            if numbers is None:
                self.rejected += 1
                self._miss(now_ns, "")
                return
            self._accept(numbers, asked.end_ns, now_ns)
        elif asked.kind == "setting":
            self._setup.popleft()
        else:
            order = self._orders[0]
            order.took(tuple(self._lines))
            if order.ended:
                self._orders.popleft()
        self._asked, self._misses = None, 0

    def _accept(self, numbers: Sequence[float], taken_ns: int, now_ns: int) -> None:
        doubted = now_ns < self._doubt_ns
        quality, cause = (Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE) if doubted else (Quality.GOOD, Cause.NONE)
        for point, middle in zip(self.points, self._middles, strict=True):
            heard = middle.of(Heard(numbers[point.place], taken_ns, quality, cause))
            judged = judge_number(point, heard.raw, heard.quality, heard.cause)
            self.readings[point.tag] = Reading(point.tag, *judged, heard.taken_ns)
        self.frame, self._fresh_ns = self._lines[0].encode("ascii"), taken_ns

    def _miss(self, now_ns: int, why: str) -> None:
        """No answer, or none to be believed: quiet until it cannot come any more; after some, set up anew."""
        asked, self._asked = self._asked, None
        self._quiet_ns = now_ns + round(self._dialogue.reading_s * _NS)
        self._misses += 1
        if asked is not None and asked.kind == "order":
            self._orders.popleft().fail(why)  # never sent twice: a calibration may have been taken
        if self._misses >= MISSES_TO_RESTART:
            self._misses = 0
            self._setup = deque(self._dialogue.settings)

    def _restart(self, now_ns: int) -> None:
        """It was reset or woken: it may have forgotten everything."""
        if self._asked is not None and self._asked.kind == "order":
            self._orders.popleft().fail("the probe restarted: look whether it took")
        self._asked, self.asleep = None, False
        self._setup = deque(self._dialogue.settings)
        self._quiet_ns = now_ns + round(self._dialogue.reply_s * _NS)

    def _sleeps(self) -> None:
        if self._asked is not None and self._asked.kind == "order":
            self._orders.popleft().took(("*SL",))
        self._asked, self.asleep = None, True

    def _refuse(self, cause: Cause) -> None:
        for tag, old in self.readings.items():
            self.readings[tag] = Reading(tag, math.nan, Quality.BAD, cause, old.taken_ns)
        for middle in self._middles:
            middle.forget()
        self._fresh_ns = -1


def parse_reading(lines: Sequence[str], fields: int) -> tuple[float, ...] | None:
    """The numbers of a reading; None unless it is exactly one line of exactly that many plain numbers."""
    if len(lines) != 1:
        return None
    texts = lines[0].split(",")
    if len(texts) != fields or not all(_NUMBER.fullmatch(text) for text in texts):
        return None
    return tuple(float(text) for text in texts)
