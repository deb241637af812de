"""libmodbus on the other side: its client asks our devices, our master asks its server."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from libmodbus import IS_THERE, Cable, Server, ask, compiled
from served_pod import Served

from hal.bus.asking import Answer, BusPort, Question, free_form, known
from hal.bus.identify import identify
from hal.clock import SystemClock
from hal.description import DeviceConfig, Hardware, LineConfig
from hal.modbus import Verdict, coils_request, read_request, registers_request
from hal.pod_io import build
from hal.runner import run
from hal.transport import transport_of
from hal.values import Quality, Reading

pytestmark = [
    pytest.mark.wire,
    pytest.mark.skipif(not IS_THERE, reason="gcc or libmodbus-dev is missing: deploy/ci-packages.txt"),
]
CLOCK = SystemClock()
NS = 1_000_000_000
TIMEOUT_NS = NS // 2
WRITTEN_FORMS = {"u16": (1, False), "s16": (1, True), "u32": (2, False), "s32": (2, True), "bit": (1, False)}


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("libmodbus"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served") / "pod") as made:
        yield made


@pytest.mark.parametrize("protocol", ["modbus_rtu", "modbus_tcp"])
def test_its_client_reads_every_point_as_the_map_says(peer: Path, served: Served, protocol: str) -> None:
    compared = 0
    for line in served.lines(protocol):
        rows = [(unit["unit"], point) for unit in line["units"] for point in unit["points"] if point["type"] != "f32"]
        asked = [(unit, p["fc"], p["address"], WRITTEN_FORMS[p["type"]][0]) for unit, p in rows]

        answers = ask(peer, line, asked)

        for (_, point), words in zip(rows, answers, strict=True):
            assert isinstance(words, list), (point, words)
            assert number(point, words) * point["scale"] == pytest.approx(point["value"], abs=1e-9), point
            compared += 1
    assert compared > 15


def number(point: dict[str, object], words: list[int]) -> int:
    """The raw number of a point."""
    ordered = words if point["word_order"] == "high_first" else words[::-1]
    raw = int.from_bytes(b"".join(word.to_bytes(2, "big") for word in ordered), "big")
    signed = WRITTEN_FORMS[str(point["type"])][1]
    return raw - (1 << 16 * len(words)) if signed and raw >> (16 * len(words) - 1) else raw


def test_its_client_is_obeyed_and_refused_as_the_specification_says(peer: Path, served: Served) -> None:
    line = served.lines("modbus_rtu")[0]

    answers = ask(
        peer,
        line,
        [
            (1, 15, 0, 8, 1),
            (1, 1, 0, 8),
            (1, 4, 8, 1),
            (1, 5, 3, 1, 0),
            (1, 1, 0, 8),
            (1, 6, 0, 1, 20),
            (1, 3, 0, 1),
            (1, 16, 0, 1, 21),
            (1, 3, 0, 1),
            (1, 4, 5, 7),
            (1, 6, 1, 1, 7),
            (2, 1, 0, 1),
            (99, 4, 0, 1),
        ],
    )

    assert answers[1:3] == [[1] * 8, [255]]
    assert answers[4] == [1, 1, 1, 0, 1, 1, 1, 1]
    assert (answers[6], answers[8]) == ([20], [21])
    assert answers[9:] == [
        "error Illegal data address",
        "error Illegal data value",
        "error Illegal function",
        "error Connection timed out",
    ]


def test_our_master_and_our_tools_understand_its_server(peer: Path) -> None:
    with Cable() as cable, Server(peer, cable.paths[1], 19200, 7):
        line = LineConfig("T", "modbus_rtu", cable.paths[0], 19200, paced=False)  # a pseudo-terminal has no speed
        with BusPort(line, CLOCK) as bus:
            said = [_said(bus, question) for question in QUESTIONS]
            who = identify(bus, 7, TIMEOUT_NS, ("level_radar",))
        reading = asyncio.run(_one_reading(line))

    assert said == EXPECTED
    assert "LMB" in who.says["server id"]
    assert reading.quality is Quality.GOOD
    assert reading.value == pytest.approx(100.1)


QUESTIONS: list[Question] = [
    known(read_request(7, 4, 0, 3)),
    known(read_request(7, 2, 0, 9)),
    known(registers_request(7, 5, [77, 78])),
    known(read_request(7, 3, 4, 4)),
    known(coils_request(7, 1, [True, False, True])),
    known(read_request(7, 1, 0, 5)),
    free_form(7, bytes.fromhex("0600090123")),
    known(read_request(7, 3, 9, 1)),
    known(read_request(7, 4, 60, 5)),
    known(read_request(8, 4, 0, 1)),
]
EXPECTED = [
    ("ACCEPTED", "040603e803e903ea"),
    ("ACCEPTED", "0202aa00"),
    ("ACCEPTED", "1000050002"),
    ("ACCEPTED", "03080004004d004e0007"),
    ("ACCEPTED", "0f00010003"),
    ("ACCEPTED", "01010a"),
    ("ACCEPTED", "0600090123"),
    ("ACCEPTED", "03020123"),
    ("EXCEPTION", "8402"),
    ("TIMEOUT", ""),
]


def _said(bus: BusPort, question: Question) -> tuple[str, str]:
    answer: Answer = bus.ask(question, TIMEOUT_NS)
    assert answer.is_sound or answer.verdict is Verdict.TIMEOUT
    return answer.verdict.name, answer.pdu.hex()


async def _one_reading(line: LineConfig) -> Reading:
    """The production master: planner, line and runner on the same port."""
    device = DeviceConfig("TM", "temp_pt100_4ch", "T", 7, 0.0, {"temp_1": "TT-1"})
    field = build(Hardware((line,), (device,), 0.1))
    stop = asyncio.Event()

    def tick(now_ns: int) -> None:
        field.apply((), now_ns)
        if field.scan(now_ns).readings["TT-1"].quality is Quality.GOOD:
            stop.set()

    await asyncio.wait_for(
        run([(x, line.baud) for x in field.lines], [transport_of(line)], tick, NS // 10, CLOCK, stop), 10.0
    )
    return field.scan(CLOCK.now_ns()).readings["TT-1"]
