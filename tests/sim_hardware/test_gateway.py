"""The simulated Modbus TCP server: header echoed, units, limits, order of answers, and the controller behind it."""

import asyncio
import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.framer.socket import FramerSocket
from pymodbus.pdu import DecodePDU
from reference_field import SPANS, hardware

from hal.clock import SystemClock
from hal.pod_io import build
from hal.values import Command, Quality, Scan
from sim_hardware.executive import Executive
from sim_hardware.io_module import IoModule8
from sim_hardware.modbus_tcp.gateway import Gateway
from sim_hardware.modbus_tcp.mbap import Adu, AduFramer, unwrap, wrap
from sim_hardware.modbus_tcp.server import MOST_CONNECTIONS
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.troubles.wire_faults import make
from sim_hardware.wire import WireBench, Wired
from sim_hardware.wiring import LINES, FieldSide, probe_tags

READ = bytes.fromhex("040000000B")
ALL_ON = bytes.fromhex("0F0000000801FF")


class Still:
    def advance_to(self, now_ns: int) -> None:
        return


def gateway() -> Gateway:
    slaves = {name: Slave(unit, IoModule8(lambda c, on: None, {0: lambda: 0.25}, {}, 2.0)) for name, unit in UNITS}
    return Gateway(LineOfSlaves("C", slaves))


UNITS = (("XM-1", 1), ("XM-2", 2))


def asked(server: Gateway, unit: int, pdu: bytes, transaction: int = 7) -> Adu:
    ((delay_s, frame),) = server.receive(wrap(Adu(transaction, unit, pdu)), 0)
    assert delay_s > 0.0
    return unwrap(frame)


@given(st.integers(0, 65535), st.integers(0, 255), st.binary(min_size=2, max_size=253))
def test_a_frame_is_what_pymodbus_makes_of_it(transaction: int, unit: int, pdu: bytes) -> None:
    frame = wrap(Adu(transaction, unit, pdu))

    assert FramerSocket(DecodePDU(is_server=True)).encode(pdu, unit, transaction) == frame
    assert unwrap(frame) == Adu(transaction, unit, pdu)


@given(st.lists(st.binary(min_size=1, max_size=30), min_size=1, max_size=5), st.integers(1, 9))
def test_a_stream_is_cut_where_frames_end_however_it_arrives(pdus: list[bytes], step: int) -> None:
    frames = [wrap(Adu(k, 1, pdu)) for k, pdu in enumerate(pdus)]
    stream, framer = b"".join(frames), AduFramer()

    got = [frame for k in range(0, len(stream), step) for frame in framer.feed(stream[k : k + step])]

    assert got == frames
    assert not framer.broken


@pytest.mark.parametrize("head", ["0001000100060104", "000100000001FF00", "00010000FFFF0104"])
def test_a_wrong_protocol_or_length_breaks_the_stream(head: str) -> None:
    framer = AduFramer()

    assert framer.feed(bytes.fromhex(head) + bytes(20)) == []
    assert framer.broken


@pytest.mark.parametrize("unit", [0, 1, 255])
def test_the_server_itself_is_its_first_unit_and_echoes_number_and_unit(unit: int) -> None:
    answer = asked(gateway(), unit, READ, transaction=51966)

    assert (answer.transaction, answer.unit, answer.pdu[:4]) == (51966, unit, bytes.fromhex("041609C4"))


@pytest.mark.parametrize(
    ("unit", "pdu", "answer"),
    [
        (9, "040000000B", "840B"),
        (1, "0400000000", "8403"),
        (1, "040000007E", "8403"),
        (1, "0400010010", "8402"),
        (1, "04FFFF0001", "8402"),
        (1, "0500001234", "8503"),
        (1, "0F0000000802FFFF", "8F03"),
        (1, "100000000204000100", "9003"),
        (1, "2B0E0100", "AB01"),
        (1, "0600001771", "8603"),
    ],
)
def test_refusals_carry_the_right_code(unit: int, pdu: str, answer: str) -> None:
    assert asked(gateway(), unit, bytes.fromhex(pdu)).pdu == bytes.fromhex(answer)


@pytest.mark.parametrize(("kind", "parameters"), [("device_dead", {}), ("crc_errors", {"probability_frac": 1.0})])
def test_what_is_silent_or_damaged_behind_the_gateway_gives_no_answer(kind: str, parameters: dict[str, float]) -> None:
    server = gateway()
    server.inject(make(kind, **parameters), "XM-1")

    assert server.receive(wrap(Adu(1, 1, READ)), 0) == []
    assert asked(server, 2, READ).pdu[0] == 4
    server.clear(kind, "XM-1")
    assert asked(server, 1, READ).pdu[0] == 4


def test_line_c_over_tcp_runs_the_reference_pod_on_virtual_time() -> None:
    values = dict.fromkeys(probe_tags(), 1.0) | dict.fromkeys(SPANS, 50.0) | {"TT-301": 35.0}
    driven: list[tuple[str, bool]] = []
    lines = tuple(line._replace(protocol="modbus_tcp", baud=0) if line.name == "C" else line for line in LINES)
    probes = {tag: (lambda tag=tag: values[tag]) for tag in values}
    field = FieldSide(probes, lambda tag, on: driven.append((tag, on)), SPANS, 2.0, lines)
    described = hardware(tcp_lines=("C",))
    io, scans = build(described), list[Scan]()

    def tick(now_ns: int) -> None:
        scans.append(io.scan(now_ns))
        io.apply([Command("SC-211", 1.0, now_ns, now_ns + 1_000_000_000)], now_ns)

    Executive(field.ports(io.lines), Still(), tick, 500_000_000).run_until(5_000_000_000)

    readings = scans[-1].readings
    assert {tag for tag in probe_tags() if readings[tag].quality is not Quality.GOOD} == set()
    assert (readings["LT-301"].value, readings["TT-301"].value) == (50.0, 35.0)
    assert scans[-1].acks["SC-211"].open_frac == 1.0
    assert driven == [("SC-211", True)]
    assert io.watchdogs_verified()
    assert all(not health.faults for health in io.health())


async def exchange(place: str, data: bytes, length: int) -> bytes:
    host, _, port = place.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(data)
    try:
        async with asyncio.timeout(5):
            return await reader.readexactly(length) if length else await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@pytest.mark.wire
def test_pipelined_requests_are_answered_in_order_on_a_real_socket() -> None:
    bench = WireBench({"C": Wired(gateway(), 0)}, Still(), SystemClock())

    async def client() -> list[int]:
        places = await bench.start()
        requests = b"".join(wrap(Adu(number, 1 + number % 2, READ)) for number in range(30))
        answer = await exchange(places["C"], requests, 30 * 31)
        await bench.stop()
        return [struct.unpack_from(">H", answer, 31 * k)[0] for k in range(30)]

    assert asyncio.run(client()) == list(range(30))


@pytest.mark.wire
def test_a_stream_of_nonsense_and_too_many_guests_lose_their_connection() -> None:
    bench = WireBench({"C": Wired(gateway(), 0)}, Still(), SystemClock())

    async def client() -> None:
        places = await bench.start()
        host, _, port = places["C"].rpartition(":")
        assert await exchange(places["C"], b"GET / HTTP/1.1\r\n\r\n", 0) == b""
        guests = [await asyncio.open_connection(host, int(port)) for _ in range(MOST_CONNECTIONS)]
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await exchange(places["C"], wrap(Adu(1, 1, READ)), 31)
        for _, writer in guests:
            writer.close()
        await asyncio.sleep(0.1)
        assert len(await exchange(places["C"], wrap(Adu(1, 1, READ)), 31)) == 31
        await bench.stop()

    asyncio.run(client())


@pytest.mark.wire
def test_outputs_behind_a_server_fall_in_real_time_when_nobody_asks() -> None:
    driven: list[bool] = []
    module = IoModule8(lambda channel, on: driven.append(on), {}, {}, 0.5)
    bench = WireBench({"C": Wired(Gateway(LineOfSlaves("C", {"XM": Slave(1, module)})), 0)}, Still(), SystemClock())

    async def client() -> None:
        places = await bench.start()
        await exchange(places["C"], wrap(Adu(1, 1, ALL_ON)), 12)
        assert driven == [True] * 8
        await asyncio.sleep(0.7)
        assert driven == [True] * 8 + [False] * 8
        await bench.stop()

    asyncio.run(client())
