"""A Modbus TCP line on real sockets: connects without waiting, comes back after refusals and lost connections."""

import asyncio
import socket
from collections.abc import Callable

import pytest
from hal_desk import SECOND, Slave, sealed, words

from hal.clock import SystemClock
from hal.description import DeviceConfig, Hardware, LineConfig
from hal.errors import PodError
from hal.pod_io import build
from hal.runner import FIRST_PAUSE_S, PortOwner, run
from hal.transport import SerialTransport, TcpTransport, transport_of
from hal.values import Quality, Reading

HOST = "127.0.0.1"
CELLS = DeviceConfig("WM", "load_cell_4ch", "C", 2, 0.0, {"weight_0": "WT-101"})


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        number: int = probe.getsockname()[1]
        return number


def line_at(port: int) -> LineConfig:
    return LineConfig("C", "modbus_tcp", "", 0, False, HOST, port)


class Server:
    """A load cell behind a socket that can be switched off and on."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.slave = Slave(fixed={2: [0, 25000, 0, 0, 0, 0, 0, 0, 0]})
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    async def on(self) -> None:
        self._server = await asyncio.start_server(self._talk, HOST, self.port)

    def off(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        while frame := await reader.read(260):
            reply = self.slave.answer(sealed(frame[6:]), 0)
            writer.write(frame[:2] + words(0, len(reply) - 2) + reply[:-2])
        writer.close()


async def drive(port: int, see: Callable[[Reading, asyncio.Event], None]) -> None:
    io, clock, stop = build(Hardware((line_at(port),), (CELLS,), 0.1)), SystemClock(), asyncio.Event()

    def tick(now_ns: int) -> None:
        io.apply((), now_ns)
        see(io.scan(now_ns).readings["WT-101"], stop)

    async with asyncio.timeout(30):
        await run([(io.lines[0], 0)], [transport_of(line_at(port))], tick, SECOND // 10, clock, stop)


@pytest.mark.wire
def test_a_server_that_comes_goes_and_comes_again_is_found_each_time() -> None:
    server = Server(free_port())
    story: list[str] = []
    tasks: list[asyncio.Task[None]] = []

    def see(reading: Reading, stop: asyncio.Event) -> None:
        good = reading.quality is Quality.GOOD and reading.value == 25.0
        if story and (story[-1] in ("up", "back")) == good:
            return
        story.append({0: "absent", 1: "up", 2: "gone", 3: "back"}[len(story)])
        if story[-1] == "back":
            stop.set()
        elif good:
            server.off()
        else:
            tasks.append(asyncio.get_running_loop().create_task(server.on()))

    async def story_of_a_server() -> None:
        await drive(server.port, see)
        server.off()

    asyncio.run(story_of_a_server())

    assert story == ["absent", "up", "gone", "back"]


@pytest.mark.wire
def test_a_refused_connection_is_tried_ever_more_seldom() -> None:
    pauses: list[float] = []

    async def refused() -> None:
        owner = PortOwner(
            build(Hardware((line_at(1),), (CELLS,), 0.1)).lines[0], TcpTransport(line_at(1)), 0, SystemClock()
        )
        owner.start()
        while len(pauses) < 3:
            if not pauses or owner._pause_s != pauses[-1]:
                pauses.append(owner._pause_s)
            await asyncio.sleep(0.01)
        owner.stop()

    asyncio.run(refused())

    assert pauses == sorted(pauses)
    assert pauses[-1] >= 4 * FIRST_PAUSE_S or pauses[0] > FIRST_PAUSE_S


def test_what_is_written_before_the_connection_stands_is_lost_and_nothing_more() -> None:
    with socket.socket() as deaf:
        deaf.bind((HOST, 0))
        deaf.listen(0)
        fillers = [socket.socket() for _ in range(4)]  # the queue of the server is full: the next one waits
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        link = TcpTransport(line_at(deaf.getsockname()[1]))
        link.open()

        link.write(b"hello")

        assert link.read() == b""
        link.close()
        for filler in fillers:
            filler.close()


def test_an_end_of_the_stream_is_an_error_not_silence() -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        link = TcpTransport(line_at(server.getsockname()[1]))
        link.open()
        server.accept()[0].close()

        with pytest.raises(ConnectionResetError, match="has closed the connection"):
            while True:
                link.read()
        link.close()


def test_a_connection_not_open_says_so() -> None:
    with pytest.raises(PodError, match=r"E206 connection 127.0.0.1:502 of line C is not open"):
        TcpTransport(line_at(502)).read()


def test_the_protocol_chooses_the_transport() -> None:
    assert isinstance(transport_of(line_at(502)), TcpTransport)
    assert isinstance(transport_of(LineConfig("A", "modbus_rtu", "/dev/x", 9600)), SerialTransport)
