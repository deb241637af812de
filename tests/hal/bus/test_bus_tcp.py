"""A server asked by hand: a stream comes in any pieces, is cut by its headers, and no wire is blamed for it."""

import pytest
from looped_port import LoopedPort

from hal.bus import wire_test
from hal.bus.asking import Answer, BusPort, known
from hal.clock import SystemClock
from hal.description import LineConfig
from hal.errors import PodError
from hal.modbus import Verdict, read_request
from pod_controller.bus import values
from sim_hardware.line_campaign.faults import Frames

CLOCK, MS = SystemClock(), 1_000_000
SERVER = LineConfig("T", "modbus_tcp", "", 0, False, "127.0.0.1", 502)


class Sevens:
    """A server whose every register is 7; `head` and `tail` come around each answer."""

    def __init__(self, head: bytes = b"", tail: bytes = b"", protocol: int = 0) -> None:
        self._head, self._tail, self._protocol = head, tail, protocol

    def receive(self, data: bytes, _now_s: float) -> Frames:
        body = bytes((data[6], data[7], 2 * data[11])) + b"\0\7" * data[11]
        lead = data[:2] + self._protocol.to_bytes(2, "big") + len(body).to_bytes(2, "big")
        return [(0, self._head + lead + body + self._tail)]


class InPieces(LoopedPort):
    """Gives what has come a few bytes at a time, as a network may."""

    piece_len = 7

    def read(self) -> bytes:
        return self._near.recv(self.piece_len)


def asked(station: object, piece_len: int, times: int = 1) -> Answer:
    """The last of so many answers to a read of three registers."""
    port = InPieces(station)  # type: ignore[arg-type]
    port.piece_len = piece_len
    with BusPort(SERVER, CLOCK, port.make) as bus:
        return [bus.ask(known(read_request(1, 3, 0, 3)), 60 * MS) for _ in range(times)][-1]


@pytest.mark.parametrize("piece_len", [1, 5, 6, 7, 14, 4096])
def test_an_answer_in_any_pieces_is_one_answer(piece_len: int) -> None:
    late = bytes((0xFF, 0xF0, 0, 0, 0, 3, 1, 0x83, 2))  # of a question nobody remembers

    for station in (Sevens(), Sevens(head=late), Sevens(tail=late)):
        answer = asked(station, piece_len, times=3)

        assert (answer.verdict, answer.pdu) == (Verdict.ACCEPTED, bytes((3, 6, 0, 7, 0, 7, 0, 7)))


@pytest.mark.parametrize("piece_len", [3, 4096])
def test_what_is_no_modbus_tcp_has_a_name(piece_len: int) -> None:
    assert asked(Sevens(protocol=9), piece_len).verdict is Verdict.BAD_HEADER
    assert asked(Sevens(tail=b"HTTP/1.1 400"), piece_len, times=2).verdict in (Verdict.ACCEPTED, Verdict.BAD_HEADER)


def test_no_wire_is_blamed_for_what_a_server_says() -> None:
    port = InPieces(Sevens(protocol=9))  # type: ignore[arg-type]
    (target,) = values.bare(1, 0, 1, values.Form("holding", "u16", "high_first", 1.0, 0.0, -1))

    with BusPort(SERVER, CLOCK, port.make) as bus, pytest.raises(PodError) as failed:
        values.read(bus, target, 20 * MS)

    assert "bad_header" in str(failed.value)
    assert not any(word in str(failed.value) for word in ("parity", "baud", "A/B", "noise"))


def test_a_check_of_a_connection_tries_no_echo() -> None:
    port = InPieces(Sevens())  # type: ignore[arg-type]

    with BusPort(SERVER, CLOCK, port.make) as bus:
        found = wire_test.check(bus, 1, MS, 50 * MS)

    assert [(each.tried, each.well) for each in found] == [("idle line", True), ("unit 1", True)]
