"""The far end of a line that is Modbus TCP: a server on the loopback interface, in real time.

Job: connections -> frames -> station -> answers in the order of the requests, one after another on each
connection; a stream that cannot be cut closes its connection. Neighbours: wire.py (the bench that keeps
time and plant, and the same for pseudo-terminals), mbap.py (framing). Must not know: devices, plant.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

from sim_hardware.modbus_tcp.mbap import AduFramer
from sim_hardware.station import Reply, Station

HOST = "127.0.0.1"
MOST_CONNECTIONS = 8  # as small servers have; one more is closed at once
MOST_WAITING = 64  # requests of one connection; who sends more without reading loses the connection


class Bench(Protocol):
    """What an end needs of the bench it stands on."""

    def now_ns(self) -> int:
        """Nanoseconds since the start."""
        ...

    def bring_plant(self, now_ns: int) -> None:
        """Bring the plant to now_ns."""
        ...


class TcpEnd:
    """One station as a server; `place` is host:port once it is open."""

    def __init__(self, bench: Bench, station: Station, changed: Callable[[], None]) -> None:
        """Call changed after each request: the station may want to act at another time now."""
        self._bench, self._station, self._changed = bench, station, changed
        self._server: asyncio.Server | None = None
        self._links: list[_Link] = []
        self.place = ""

    async def open(self) -> None:
        """Listen on a port that the system chooses."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, HOST, 0)
        self.place = f"{HOST}:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        """Stop listening and drop every connection."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.drop()

    def answer(self, frame: bytes) -> list[Reply]:
        """What the station says to one frame now."""
        now_ns = self._bench.now_ns()
        self._bench.bring_plant(now_ns)
        replies = self._station.receive(frame, now_ns)
        self._changed()
        return replies

    def enter(self, link: "_Link") -> bool:
        """A connection stands; False when there are too many."""
        if len(self._links) >= MOST_CONNECTIONS:
            return False
        self._links.append(link)
        return True

    def leave(self, link: "_Link") -> None:
        """A connection is gone."""
        if link in self._links:
            self._links.remove(link)

    def _accept(self) -> "_Link":
        return _Link(self)


class _Link(asyncio.Protocol):
    """One connection: requests wait until the answers to earlier ones are out."""

    def __init__(self, end: TcpEnd) -> None:
        self._end = end
        self._framer = AduFramer()
        self._waiting: deque[bytes] = deque()
        self._replies: deque[Reply] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if not self._end.enter(self):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.leave(self)
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._waiting.extend(self._framer.feed(data))
        if self._framer.broken or len(self._waiting) > MOST_WAITING:
            self.drop()
        elif self._timer is None:
            self._next()

    def drop(self) -> None:
        """Close without sending what waits."""
        if self._transport is not None:
            self._transport.abort()

    def _next(self) -> None:
        """Ask for the next request, until one has an answer to wait for."""
        while self._waiting and not self._replies:
            self._replies.extend(self._end.answer(self._waiting.popleft()))
        if self._replies:
            self._timer = asyncio.get_running_loop().call_later(self._replies[0][0], self._send)

    def _send(self) -> None:
        self._timer = None
        _, frame = self._replies.popleft()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame)
            self._next()
