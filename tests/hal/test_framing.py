"""Lines with parity or a second stop bit: 11 bits a character in every time that is reckoned, and in the port."""

import os
import termios
import tty
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
import serial
from hal_desk import cells, wiring

from hal.blocks import Block, BlockPlan
from hal.description import Framing, LineConfig
from hal.device import Device
from hal.line import ModbusLine, Send, Wait
from hal.planner import plan
from hal.pod_io import build
from hal.points import Point
from hal.transport import SerialTransport
from hal.wire_time import char_ns, silence_ns
from sim_hardware.rtu_codec import seal

MS, SECOND = 1_000_000, 1_000_000_000
WITH_ELEVEN: list[Framing] = ["8E1", "8O1", "8N2"]
REPLY = seal(2, bytes((4, 4, 0, 1, 0, 2)))


def of(framing: Framing, baud: int = 9600, port: str = "/dev/none") -> LineConfig:
    return LineConfig("A", "modbus_rtu", port, baud, framing=framing)


@pytest.mark.parametrize("framing", WITH_ELEVEN)
def test_a_character_has_eleven_bits(framing: Framing) -> None:
    line = of(framing)

    assert line.char_bits == 11
    assert char_ns(line.baud, line.char_bits) == 11 * SECOND // 9600
    assert char_ns(line.pace_baud) == pytest.approx(11 * SECOND / 9600, rel=2e-4)  # whole bauds
    assert (of("8N1").char_bits, of("8N1").pace_baud) == (10, 9600)


@pytest.mark.parametrize(("baud", "least_ns"), [(9600, 4_010_416), (19200, 2_005_208), (115200, 1_750_000)])
def test_three_and_a_half_characters_are_of_eleven_bits_whatever_the_framing(baud: int, least_ns: int) -> None:
    assert silence_ns(baud) == least_ns


def asked(framing: Framing) -> tuple[ModbusLine, int]:
    """A line of one device that has just been asked at time 0; when its answer ends if it comes at once at 8N1."""
    config = of(framing)
    line = ModbusLine("A", config.baud, True, SECOND, config.char_bits)
    device = Device("D", "A", 2, 0, 250 * MS)
    points = (Point("T", "input", 0, "u16", "1", 0.0, 65535.0),)
    line.add(device, [Block(BlockPlan("input", 0, 2, SECOND, points), device, SECOND, line.readings)], None)
    line.begin_tick(0)
    action = line.next_action(0)
    assert isinstance(action, Send)
    return line, (len(action.data) + len(REPLY)) * char_ns(config.baud)


def test_an_answer_is_too_early_where_the_question_has_eleven_bits_a_character() -> None:
    verdicts = {}
    for framing in ("8N1", *WITH_ELEVEN):
        line, end_ns = asked(framing)
        line.receive(REPLY, end_ns + MS // 2)
        (health,) = line.health()
        verdicts[framing] = dict(health.faults)

    assert not any(verdicts["8N1"].values())
    assert all(verdicts[framing] == {"early": 1} for framing in WITH_ELEVEN)


def test_an_answer_is_waited_for_as_long_as_its_bits_take() -> None:
    ends = {}
    for framing in ("8N1", *WITH_ELEVEN):
        line, _ = asked(framing)
        action = line.next_action(1)
        assert isinstance(action, Wait)
        ends[framing] = action.until_ns

    assert ends["8E1"] == ends["8O1"] == ends["8N2"]
    assert ends["8E1"] - ends["8N1"] == pytest.approx((8 + 9) * SECOND / 9600, rel=1e-4)  # a bit for each character


def test_the_budget_of_a_line_reckons_with_eleven_bits() -> None:
    hardware = wiring(cells(2))
    ten = plan(hardware)[0].load_frac
    eleven = plan(replace(hardware, lines=(replace(hardware.lines[0], framing="8E1"),)))[0].load_frac

    assert 1.04 < eleven / ten <= 1.1  # turnarounds take what they take


def test_the_line_that_is_built_reckons_with_them_too() -> None:
    hardware = wiring(cells(2))
    lines = {}
    for framing in ("8N1", "8E1"):
        io = build(replace(hardware, lines=(replace(hardware.lines[0], framing=framing),)))
        line = io.lines[0]
        io.apply((), 0)
        assert isinstance(line.next_action(0), Send)
        action = line.next_action(1)
        assert isinstance(action, Wait)
        lines[framing] = action.until_ns

    assert lines["8E1"] > lines["8N1"]


@pytest.fixture
def terminal() -> Iterator[str]:
    far, near = os.openpty()
    tty.setraw(near)
    yield os.ttyname(near)
    os.close(near)
    os.close(far)


def test_a_port_gets_its_second_stop_bit(terminal: str) -> None:
    transport = SerialTransport(of("8N2", 19200, terminal))
    descriptor = transport.open()

    modes = termios.tcgetattr(descriptor)
    transport.close()

    assert modes[2] & termios.CSTOPB
    assert modes[2] & termios.CSIZE == termios.CS8
    assert not modes[2] & termios.PARENB
    assert modes[4] == termios.B19200


@pytest.mark.parametrize("framing", ["8E1", "8O1"])
def test_a_port_without_parity_is_not_to_be_had(framing: Framing, terminal: str) -> None:
    transport = SerialTransport(of(framing, 19200, terminal))

    with pytest.raises(OSError, match=f"cannot do 19200 baud {framing}"):  # the runner tries again later
        transport.open()
    SerialTransport(of("8N1", 19200, terminal)).open()  # it was given back


@pytest.mark.parametrize(("framing", "parity"), [("8N1", "N"), ("8E1", "E"), ("8O1", "O"), ("8N2", "N")])
def test_a_port_is_opened_with_its_parity(
    framing: Framing, parity: str, terminal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, int, int]] = []
    real_open = serial.Serial.open

    def noted(port: serial.Serial) -> None:
        seen.append((port.parity, port.stopbits, port.bytesize))
        real_open(port)

    monkeypatch.setattr(serial.Serial, "open", noted)
    transport = SerialTransport(of(framing, 9600, terminal))
    with suppress(OSError):
        transport.open()
    transport.close()

    assert seen == [(parity, 2 if framing == "8N2" else 1, 8)]
