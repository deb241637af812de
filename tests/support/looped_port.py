"""A port whose other end is a station in the same process: real bytes over a socket pair, no pseudo-terminal, no waits.

Neighbours: tests of the bus tools. What passes is kept in `sent` and `came`; `on_wire` may change what comes back.
"""

import socket
from collections.abc import Callable

from hal.description import LineConfig
from hal.transport import Transport
from sim_hardware.station import Station

FAST = LineConfig("T", "modbus_rtu", "/dev/desk", 115200)
Spoil = Callable[[bytes, list[bytes]], list[bytes]]  # question, answers -> what comes back


def unspoilt(_question: bytes, answers: list[bytes]) -> list[bytes]:
    """What the station says."""
    return answers


class LoopedPort:
    """A Transport with a station behind it. Answers come at once; `late` ones with the next question."""

    def __init__(self, station: Station, spoil: Spoil = unspoilt) -> None:
        self.station, self.spoil = station, spoil
        self.sent: list[bytes] = []
        self.late: list[bytes] = []
        self._near, self._far = socket.socketpair()

    def make(self, _config: LineConfig) -> Transport:
        """For BusPort."""
        return self

    def open(self) -> int:
        self._near.setblocking(False)
        return self._near.fileno()

    def read(self) -> bytes:
        return self._near.recv(4096)

    def write(self, data: bytes) -> None:
        self.sent.append(data)
        for reply in self.late:
            self._far.sendall(reply)
        self.late = []
        for reply in self.spoil(data, [frame for _, frame in self.station.receive(data, 0)]):
            self._far.sendall(reply)

    def say(self, data: bytes) -> None:
        """Bytes that nobody asked for."""
        self._far.sendall(data)

    def close(self) -> None:
        self._near.close()
        self._far.close()
