"""A Modbus TCP connection as a state machine without I/O: the same master as on a serial line.

Job: put the header before requests, cut the stream of answers into frames, and know an answer by its
transaction number. What is asked when, what counts as a fault and what follows from it is ModbusLine's.
Neighbours: ``line`` (everything else), ``modbus`` (verdicts), ``transport`` (the connection).
Must not know: sockets, hosts, or whether the connection stands.

What differs from a serial line: there is no silence to keep, and no quarantine after a fault, because
a late answer carries the number of a request that is no longer in flight and is thrown away by that.
A stream that cannot be cut (no protocol 0, an impossible length) is thrown away until it has been
quiet for as long as the server can be late; then the next answer begins a frame again. So is one that goes on
behind the awaited answer with part of a frame: nothing more was asked, so the answer may be a cut one, filled up.
"""

from collections.abc import Sequence

from hal.blocks import Block
from hal.device import Device
from hal.lanes import Order
from hal.line import ModbusLine, Send
from hal.modbus import HEADER_LEN, NO_PATH, Verdict, judge_body, tcp_frame
from hal.outputs import OutputModule

LEAST_BODY, MOST_BODY = 2, 254  # unit and function; unit and the longest PDU (253)
_TRANSACTIONS = 65536
_REFUSAL_CODE_AT = 2
_MODBUS = b"\x00\x00"


class ModbusTcpLine(ModbusLine):
    """Master of one Modbus TCP server. One transaction in flight, numbered 1, 2, ... and around."""

    __slots__ = ("_stream", "_transaction", "_worst_late_ns", "late_replies")

    def __init__(self, name: str, tick_ns: int) -> None:
        super().__init__(name, 0, False, tick_ns)
        self._transaction = 0
        self._stream = b""
        self._worst_late_ns = 0
        self.late_replies = 0

    def add(self, device: Device, blocks: Sequence[Block], module: OutputModule | None) -> None:
        """Hang a device behind the server; an old answer is told by its number, so it owes nothing."""
        super().add(device, blocks, module)
        device.asks_with(())

    def reconnected(self, now_ns: int) -> None:
        """A new connection begins with a frame: what is left of the old one's stream ends nothing."""
        super().reconnected(now_ns)
        self._stream = b""
        self._quiet_ns = now_ns

    def receive(self, data: bytes, now_ns: int) -> None:
        """Cut the stream into frames; only the one with the number of the request in flight is judged."""
        if now_ns < self._quiet_ns:  # the stream is broken: anything may be the middle of a frame
            self.stray_bytes += len(data)
            self._quiet_ns = now_ns + self._worst_late_ns
            return
        self._stream += data
        while len(self._stream) >= HEADER_LEN:
            size = int.from_bytes(self._stream[4:HEADER_LEN], "big")
            if self._stream[2:4] != _MODBUS or not LEAST_BODY <= size <= MOST_BODY:
                self._give_up_stream(now_ns)
                return
            if len(self._stream) < HEADER_LEN + size:
                break
            transaction = int.from_bytes(self._stream[:2], "big")
            body, self._stream = self._stream[HEADER_LEN : HEADER_LEN + size], self._stream[HEADER_LEN + size :]
            self._take(transaction, body, now_ns)
        if self._stream and self._order is not None and self._verdict is not Verdict.PARTIAL:
            self._give_up_stream(now_ns)

    def _take(self, transaction: int, body: bytes, now_ns: int) -> None:
        """One whole frame."""
        order = self._order
        if order is None or transaction != self._transaction or self._verdict is not Verdict.PARTIAL:
            self.late_replies += 1
            return
        verdict = judge_body(order.request, body)
        if verdict is Verdict.EXCEPTION and body[_REFUSAL_CODE_AT] in NO_PATH:
            verdict = Verdict.TIMEOUT  # the gateway waited in our place
        self._reply, self._verdict = body, verdict
        if verdict > Verdict.PARTIAL:
            self._fail(verdict, now_ns)

    def _give_up_stream(self, now_ns: int) -> None:
        self.stray_bytes += len(self._stream)
        self._stream = b""
        if self._order is not None:
            self._fail(Verdict.BAD_HEADER, now_ns)
        self._quiet_ns = now_ns + self._worst_late_ns

    def _send(self, order: Order, now_ns: int) -> Send:
        """As on a serial line, with a header; the answer is waited for as long as it may be late."""
        super()._send(order, now_ns)
        self._transaction = self._transaction % (_TRANSACTIONS - 1) + 1
        self._worst_late_ns = max(self._worst_late_ns, order.device.late_ns)
        self._deadline_ns = now_ns + order.device.late_ns
        self._doubt_end_ns = now_ns  # a number tells late answers: nothing to wait for after a fault
        return Send(tcp_frame(order.request, self._transaction))
