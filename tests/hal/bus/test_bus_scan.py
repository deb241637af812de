"""A scan finds who is there, names what is wrong with an answer, never writes, and is silent beside another master."""

from dataclasses import replace

import pytest
from looped_port import FAST, LoopedPort

from hal.bus.asking import BusPort, Heard, free_form, known
from hal.bus.identify import identify
from hal.bus.scan import Asked, Found, listen_first, overhear, scan
from hal.clock import SystemClock
from hal.errors import PodError
from hal.modbus import Verdict, read_request
from sim_hardware.instruments import LevelHydrostatic, LevelRadar, LoadCell4
from sim_hardware.io_module import IoModule8
from sim_hardware.rtu_codec import seal
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.troubles.wire_faults import make

CLOCK = SystemClock()
MS = 1_000_000
ASKED = Asked(3, 0, 4 * MS)


def line_b() -> LineOfSlaves:
    module = IoModule8(lambda channel, on: None, {}, {}, 2.0)
    slaves = {
        "XM": Slave(1, module),
        "WM": Slave(2, LoadCell4({0: lambda: 12.5})),
        "LH": Slave(3, LevelHydrostatic(lambda: 1.2)),
        "LR": Slave(7, LevelRadar(lambda: 0.4)),
    }
    return LineOfSlaves("B", slaves)


def scanned(port: LoopedPort, units: range = range(1, 10)) -> dict[int, Found]:
    with BusPort(FAST, CLOCK, port.make) as bus:
        return {unit: found for unit, found in scan(bus, units, ASKED) if found is not None}


def test_every_device_is_found_and_nothing_is_written() -> None:
    port = LoopedPort(line_b())

    found = scanned(port)

    assert {unit: each.how for unit, each in found.items()} == {1: "answers", 2: "answers", 3: "refuses", 7: "refuses"}
    assert all(each.sound_count == each.asked_count == 5 for each in found.values())
    assert {frame[1] for frame in port.sent} == {3}
    assert {frame[0] for frame in port.sent} == set(range(1, 10))  # each address was asked, and never 0


def test_two_devices_with_one_address_are_told_from_a_sound_one() -> None:
    line = line_b()
    line.inject(make("wrong_address", unit=3), "LR")
    port = LoopedPort(line)
    with BusPort(FAST, CLOCK, port.make) as bus:
        ((_, here), (_, gone)) = scan(bus, (3, 7), Asked(4, 0, 4 * MS))

    assert gone is None
    assert here is not None
    assert here.sound_count == 0
    assert "two devices with this address" in here.text


def test_an_adapter_that_gives_back_our_own_bytes_is_noticed_and_put_up_with() -> None:
    port = LoopedPort(line_b(), lambda question, answers: [question, *answers])

    found = scanned(port, range(1, 4))

    assert set(found) == {1, 2, 3}
    assert all("own bytes back" in each.text for each in found.values())
    assert scanned(LoopedPort(line_b(), lambda question, answers: [question]), range(1, 4)) == {}


def test_a_late_answer_of_another_unit_is_not_taken_for_this_ones() -> None:
    port = LoopedPort(line_b())
    port.late = [seal(2, bytes.fromhex("8301"))]
    with BusPort(FAST, CLOCK, port.make) as bus:
        answer = bus.ask(known(read_request(5, 3, 0, 1)), 4 * MS)

    assert answer.verdict is Verdict.TIMEOUT
    assert answer.foreign == (seal(2, bytes.fromhex("8301")),)


@pytest.mark.parametrize(
    ("spoilt", "verdict"),
    [
        (lambda frame: frame[:-1] + bytes((frame[-1] ^ 1,)), Verdict.BAD_CRC),
        (lambda frame: frame[:4], Verdict.TRUNCATED),
        (lambda frame: frame + b"\0", Verdict.TOO_LONG),
        (lambda frame: seal(frame[0], b"\x04\x02\0\0"), Verdict.WRONG_FUNCTION),
        (lambda frame: seal(frame[0], b"\x03\x04\0\0\0\0"), Verdict.WRONG_COUNT),
    ],
)
def test_a_spoilt_answer_has_a_name_and_no_value(spoilt: object, verdict: Verdict) -> None:
    assert callable(spoilt)
    port = LoopedPort(line_b(), lambda question, answers: [spoilt(answer) for answer in answers])
    with BusPort(FAST, CLOCK, port.make) as bus:
        answer = bus.ask(known(read_request(1, 3, 0, 1)), 4 * MS)

    assert (answer.verdict, answer.pdu) == (verdict, b"")


def test_where_another_master_speaks_nothing_is_sent() -> None:
    port = LoopedPort(line_b())
    port.say(seal(3, bytes.fromhex("0400000001")) + seal(3, bytes.fromhex("04020042")))

    with (
        BusPort(FAST, CLOCK, port.make) as bus,
        pytest.raises(PodError, match="another master speaks with unit 3") as told,
    ):
        listen_first(bus, 5 * MS)

    assert told.value.code == 222
    assert port.sent == []


def test_what_is_overheard_is_named() -> None:
    weight = b"\x02\x2a\x30\x20   125     0\r"
    assert overhear([]).text == "silence"
    assert overhear([Heard(0, weight * 2)]).is_indicator
    assert "no frames" in overhear([Heard(0, b"\xff\x00\xfe")]).text


@pytest.mark.parametrize(
    ("unit", "kind"), [(1, "io_module_8"), (2, "load_cell_4ch"), (3, "level_hydrostatic"), (7, "level_radar")]
)
def test_a_device_of_the_library_is_recognised_by_its_registers(unit: int, kind: str) -> None:
    port = LoopedPort(line_b())
    with BusPort(FAST, CLOCK, port.make) as bus:
        found = identify(bus, unit, 20 * MS)

    assert found.guess == kind
    assert all(frame[1] in (1, 2, 3, 4, 17, 43) for frame in port.sent)


def test_what_a_device_says_of_itself_is_told() -> None:
    texts = bytes.fromhex("2B0E01010000020003") + b"ACM" + b"\x01\x02P1"
    line = LineOfSlaves("B", {})
    port = LoopedPort(
        line, lambda question, answers: [seal(5, texts)] if question[1] == 43 else [seal(5, b"\x11\x03LMB")]
    )
    with BusPort(replace(FAST, baud=57600), CLOCK, port.make) as bus:
        assert bus.ask(free_form(5, b"\x2b\x0e\x01\x00"), 4 * MS).verdict is Verdict.ACCEPTED
        found = identify(bus, 5, 4 * MS, ("level_radar",))

    assert found.says == {"vendor": "ACM", "product": "P1", "server id": "LMB"}
    assert found.guess == ""
