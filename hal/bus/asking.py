"""One port in the hands of a person: listen, then one question at a time, strictly judged.

Job: hold a port exclusively, keep its silence, put questions and wait for their answers; an adapter that gives our own
bytes back is noticed and put up with. Neighbours: `transport` (the port), `modbus` (the verdicts), `scan`, `identity`,
`wire_test` (what to ask). Must not know: what is asked for, whether a pod runs.

Everything waits here: this is for tools, the control loop has `runner`.
"""

import errno
import os
import select
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import NamedTuple, Self

from hal.bus import frames
from hal.clock import Clock
from hal.description import LineConfig
from hal.errors import Code, PodError
from hal.modbus import HEADER_LEN, Request, Verdict, crc16, judge
from hal.tcp_line import LEAST_BODY, MOST_BODY
from hal.transport import Transport, transport_of
from hal.wire_time import char_ns, silence_ns

NS = 1_000_000_000
LATE_NS = 300_000_000  # before the same unit is asked again after silence: its answer may still be on its way
CONNECT_S = 3.0
_LEAST_SILENCE_NS = 20_000_000  # adapters deliver in batches of 16 ms
_CRC_LEN = 2


class Question(NamedTuple):
    """A frame to send, as on a serial line, and what received bytes are to it."""

    frame: bytes
    judge: Callable[[bytes], Verdict]


class Answer(NamedTuple):
    """What came of one question. pdu is empty unless the verdict is ACCEPTED or EXCEPTION.

    latency_ns: from the end of the question to the first byte of an answer; -1 when nothing came.
    own_echo: the adapter gave our own bytes back. foreign: sound frames of other units that came meanwhile.
    """

    verdict: Verdict
    pdu: bytes
    latency_ns: int
    received: bytes
    own_echo: bool
    foreign: tuple[bytes, ...]

    @property
    def is_sound(self) -> bool:
        """Whether a device has answered, be it with a refusal."""
        return self.verdict in (Verdict.ACCEPTED, Verdict.EXCEPTION)

    @property
    def refusal(self) -> int:
        """The exception code; 0 when it is none."""
        return self.pdu[1] if self.verdict is Verdict.EXCEPTION else 0


class Heard(NamedTuple):
    """Bytes that came, and when the last of them had come."""

    at_ns: int
    data: bytes


def known(request: Request) -> Question:
    """A request whose only right answer is known in form."""
    return Question(request.frame, partial(judge, request))


def free_form(unit: int, pdu: bytes) -> Question:
    """A question whose answer tells its own length (functions 5, 6, 17, 43, ...)."""
    body = bytes((unit,)) + pdu
    frame = body + crc16(body).to_bytes(_CRC_LEN, "little")
    return Question(frame, partial(_judge_free, frame))


def _judge_free(frame: bytes, reply: bytes) -> Verdict:
    if reply[:1] != frame[:1]:
        return Verdict.WRONG_UNIT if reply else Verdict.PARTIAL
    if len(reply) > 1 and reply[1] & 0x7F != frame[1]:
        return Verdict.WRONG_FUNCTION
    wanted = frames.answer_len(reply)
    if wanted == 0:
        return Verdict.WRONG_FUNCTION
    if wanted < 0 or len(reply) < wanted:
        return Verdict.PARTIAL
    if len(reply) > wanted:
        return Verdict.TOO_LONG
    if crc16(reply) != 0:
        return Verdict.BAD_CRC
    return Verdict.EXCEPTION if reply[1] & 0x80 else Verdict.ACCEPTED


class BusPort:
    """A port that is ours alone while the `with` block lasts.

    PodError 221 when another program holds it, 206 when it cannot be had at all.
    """

    def __init__(self, line: LineConfig, clock: Clock, make: Callable[[LineConfig], Transport] = transport_of) -> None:
        self.line = line
        self.place = line.port or f"{line.host}:{line.tcp_port}"
        self._transport, self._clock = make(line), clock
        self._is_tcp = line.protocol == "modbus_tcp"
        self._char_ns = char_ns(line.pace_baud)
        self._silence_ns = silence_ns(line.baud)
        self._fd = -1
        self._quiet_ns = 0
        self._silent_unit = -1
        self._transaction = 0
        self._inbox, self._is_broken = b"", False

    @property
    def is_tcp(self) -> bool:
        """Whether it is a connection, where no wire can be blamed."""
        return self._is_tcp

    @property
    def silent_advice(self) -> str:
        """What to look at when nobody answers."""
        if self._is_tcp:
            return "check the unit, the server and what is behind it (podctl bus scan)"
        return "check address, baud rate, A/B and power (podctl bus scan)"

    @property
    def spoilt_advice(self) -> str:
        """What spoils an answer."""
        if self._is_tcp:
            return "the server, or what is behind it, answers something else"
        return "two devices with this address, wrong parity, or a bad wire"

    def __enter__(self) -> Self:
        try:
            self._fd = self._transport.open()
            if self._is_tcp:
                select.select([], [self._fd], [], CONNECT_S)
        except OSError as error:
            self._transport.close()
            raise _unavailable(self.place, error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._transport.close()

    def listen(self, duration_ns: int) -> list[Heard]:
        """Everything that comes within duration_ns; says nothing itself."""
        heard = []
        until_ns = self._clock.now_ns() + duration_ns
        while data := self._next(until_ns):
            heard.append(Heard(self._clock.now_ns(), data))
        return heard

    def ask(self, question: Question, timeout_ns: int) -> Answer:
        """Put one question; timeout_ns counts from its end to the first byte of an answer."""
        unit = question.frame[0]
        if self._silent_unit == unit:
            self.listen(LATE_NS)
        self._wait_until_ns(self._quiet_ns)
        if not self._is_tcp:
            self.listen(0)  # what came unasked is no answer
        self._is_broken = False
        begun_ns = self._clock.now_ns()
        self._write(question.frame)
        end_ns = begun_ns + len(question.frame) * self._char_ns
        answer = self._gather(question, end_ns, end_ns + timeout_ns)
        self._silent_unit = -1 if answer.is_sound else unit
        self._quiet_ns = self._clock.now_ns() + self._silence_ns
        return answer

    def _gather(self, question: Question, end_ns: int, deadline_ns: int) -> Answer:
        """Bytes until a verdict stands and the line is quiet, or time is up."""
        received, foreign, latency_ns, own_echo = b"", list[bytes](), -1, False
        verdict = Verdict.PARTIAL
        while True:
            tail_ns = self._clock.now_ns() + self._silence_ns + (0 if self._is_tcp else _LEAST_SILENCE_NS)
            settled = verdict is not Verdict.PARTIAL
            data = self._next(tail_ns if settled or received else deadline_ns)
            if not data and (settled or received or self._clock.now_ns() >= deadline_ns):
                break
            data = self._stripped(data)
            if latency_ns < 0 and data:
                latency_ns = max(0, self._clock.now_ns() - end_ns - len(data) * self._char_ns)
            received += data
            if not own_echo and received.startswith(question.frame) and question.judge(received) is Verdict.OWN_ECHO:
                own_echo, received, latency_ns = True, received[len(question.frame) :], -1
            received = _without_foreign(received, question.frame[0], foreign)
            verdict = question.judge(received) if received else Verdict.PARTIAL
        if verdict is Verdict.PARTIAL:
            verdict = self._unanswered(received)
        sound = verdict in (Verdict.ACCEPTED, Verdict.EXCEPTION)
        pdu = received[1:-_CRC_LEN] if sound else b""
        return Answer(verdict, pdu, latency_ns if received else -1, received, own_echo, tuple(foreign))

    def _unanswered(self, received: bytes) -> Verdict:
        """What it was when time is up and no whole answer has come."""
        if self._is_broken:
            return Verdict.BAD_HEADER
        return Verdict.TRUNCATED if received or self._inbox else Verdict.TIMEOUT

    def _write(self, frame: bytes) -> None:
        data = frame
        if self._is_tcp:
            self._transaction = self._transaction % 65535 + 1
            body = frame[:-_CRC_LEN]
            data = self._transaction.to_bytes(2, "big") + b"\0\0" + len(body).to_bytes(2, "big") + body
        try:
            self._transport.write(data)
        except OSError as error:
            raise _unavailable(self.place, error) from None

    def _stripped(self, data: bytes) -> bytes:
        """Whole TCP frames as they would have come over a serial line; those of other transactions are dropped.

        A stream is cut by its headers alone: the rest of a frame waits in the inbox; what cannot be cut is thrown away.
        """
        if not self._is_tcp:
            return data
        out, self._inbox = b"", self._inbox + data
        while len(self._inbox) >= HEADER_LEN:
            size = int.from_bytes(self._inbox[4:HEADER_LEN], "big")
            if self._inbox[2:4] != b"\0\0" or not LEAST_BODY <= size <= MOST_BODY:
                self._inbox, self._is_broken = b"", True
                break
            if len(self._inbox) < HEADER_LEN + size:
                break
            transaction, body = self._inbox[:2], self._inbox[HEADER_LEN : HEADER_LEN + size]
            self._inbox = self._inbox[HEADER_LEN + size :]
            if int.from_bytes(transaction, "big") == self._transaction:
                out += body + crc16(body).to_bytes(_CRC_LEN, "little")
        return out

    def _next(self, until_ns: int) -> bytes:
        """The next bytes; empty when none come until then. PodError 206 when the port has gone."""
        while True:
            left_ns = until_ns - self._clock.now_ns()
            ready, _, _ = select.select([self._fd], [], [], max(left_ns, 0) / NS)
            if not ready:
                return b""
            try:
                if data := self._transport.read():
                    return data
            except OSError as error:
                raise _unavailable(self.place, error) from None

    def _wait_until_ns(self, when_ns: int) -> None:
        if when_ns > self._clock.now_ns():
            self._clock.sleep_until_ns(when_ns)


def _without_foreign(received: bytes, unit: int, foreign: list[bytes]) -> bytes:
    """Received bytes without sound answers of other units at their beginning, which are put aside."""
    while received and received[0] != unit:
        length = frames.answer_len(received)
        if length <= 0 or len(received) < length or crc16(received[:length]) != 0:
            break
        foreign.append(received[:length])
        received = received[length:]
    return received


def _unavailable(place: str, error: OSError) -> PodError:
    """Why a port cannot be used, and what to do."""
    if error.errno in (errno.EWOULDBLOCK, errno.EACCES, errno.EBUSY) and "lock" in str(error):
        text = (
            f"port {place} is held by another program: one port has one owner; `fuser {place}` names it, end that first"
        )
        return PodError(Code.PORT_HELD, text)
    number = error.errno or 0
    reason = os.strerror(number) if number > 0 else " ".join(str(error).split())
    is_path = "/" in place or ":" not in place
    way = "check the path, the plug and your group" if is_path else "check its address, and that its server runs"
    return PodError(Code.PORT_UNAVAILABLE, f"port {place}: {reason[:120]}: {way}")
