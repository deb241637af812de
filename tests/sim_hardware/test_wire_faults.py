"""Each trouble on the wire does what its name says, on one device or on the whole line, and ends without a trace."""

import pytest

from hal.errors import PodError
from sim_hardware.indicator import PERIOD_NS, IndicatorLine, WeighIndicator
from sim_hardware.io_module import IoModule8
from sim_hardware.rtu_codec import crc16, seal
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.station import Reply
from sim_hardware.troubles.wire_faults import KINDS, make

READ = bytes.fromhex("040000000B")
ALL_ON = bytes.fromhex("0F0000000801FF")
SECOND_NS = 1_000_000_000


def module() -> IoModule8:
    return IoModule8(lambda channel, on: None, {0: lambda: 0.5}, {}, 2.0)


def two_modules() -> LineOfSlaves:
    return LineOfSlaves("A", {"XM-1": Slave(1, module()), "XM-2": Slave(2, module())})


def ask(line: LineOfSlaves, pdu: bytes, unit: int = 1, now_ns: int = 0) -> list[Reply]:
    return line.receive(seal(unit, pdu), now_ns)


def held(line: LineOfSlaves) -> int:
    return line.slaves["XM-1"].device.coils()


def test_a_dead_device_is_silent_and_its_neighbour_is_not() -> None:
    line = two_modules()
    ask(line, ALL_ON)

    line.inject(make("device_dead"), "XM-1")

    assert ask(line, READ) == []
    assert ask(line, READ, unit=2)
    line.advance(2 * SECOND_NS)
    assert held(line) == 0


def test_a_dead_line_is_silent_altogether() -> None:
    line = two_modules()

    line.inject(make("line_dead"))

    assert ask(line, READ) == ask(line, READ, unit=2) == []


def test_a_lost_write_is_neither_applied_nor_echoed_nor_does_it_feed() -> None:
    line = two_modules()
    ask(line, ALL_ON)
    line.inject(make("write_lost"), "XM-1")

    assert ask(line, ALL_ON, now_ns=SECOND_NS) == []

    assert line.due_ns() == 2 * SECOND_NS
    assert ask(line, READ, now_ns=SECOND_NS)


def test_an_ignored_write_is_echoed_but_not_applied() -> None:
    line = two_modules()
    healthy = ask(line, ALL_ON, unit=2)
    line.inject(make("write_ignored"), "XM-1")

    ((delay_s, echo),) = ask(line, ALL_ON)

    assert (delay_s, echo[1:-2]) == (healthy[0][0], healthy[0][1][1:-2])
    assert held(line) == 0


@pytest.mark.parametrize(("kind", "code"), [("device_busy", 6), ("device_failure", 4)])
def test_a_refusing_device_answers_with_its_exception(kind: str, code: int) -> None:
    line = two_modules()
    line.inject(make(kind), "XM-1")

    assert ask(line, READ) == [(0.004, seal(1, bytes((0x84, code))))]
    ask(line, ALL_ON)
    assert held(line) == 0


def test_check_sequence_errors_come_with_their_probability_and_replay() -> None:
    def hurt(seed: int) -> list[int]:
        line = two_modules()
        line.inject(make("crc_errors", probability_frac=0.25, seed=seed), "XM-1")
        frames = [ask(line, READ)[0][1] for _ in range(400)]
        return [
            index for index, frame in enumerate(frames) if crc16(frame[:-2]) != int.from_bytes(frame[-2:], "little")
        ]

    assert hurt(1) == hurt(1) != hurt(2)
    assert 60 < len(hurt(1)) < 140


def test_a_late_reply_is_the_same_reply_later() -> None:
    line = two_modules()
    ((delay_s, frame),) = ask(line, READ)

    line.inject(make("late_reply", delay_s=0.2))

    assert ask(line, READ) == [(delay_s + 0.2, frame)]


def test_a_wrong_unit_has_a_good_check_sequence() -> None:
    line = two_modules()
    line.inject(make("wrong_unit", unit=9), "XM-1")

    ((_, frame),) = ask(line, READ)

    assert frame[0] == 9
    assert crc16(frame[:-2]) == int.from_bytes(frame[-2:], "little")


def test_a_truncated_reply_keeps_its_first_bytes() -> None:
    line = two_modules()
    ((_, whole),) = ask(line, READ)

    line.inject(make("truncated_reply", kept_bytes=5), "XM-1")

    assert ask(line, READ)[0][1] == whole[:5]


def test_a_duplicate_reply_comes_twice() -> None:
    line = two_modules()
    ((delay_s, frame),) = ask(line, READ)

    line.inject(make("duplicate_reply", gap_s=0.1), "XM-1")

    assert ask(line, READ) == [(delay_s, frame), (delay_s + 0.1, frame)]


def test_frozen_registers_show_what_they_showed_first() -> None:
    line = two_modules()
    line.inject(make("frozen_registers"), "XM-1")
    before = ask(line, READ)

    assert ask(line, ALL_ON)
    assert ask(line, READ) == before
    assert held(line) == 0xFF
    line.clear("frozen_registers", "XM-1")
    assert ask(line, READ) != before


def test_an_ignored_watchdog_keeps_outputs_though_the_module_talks() -> None:
    line = two_modules()
    ask(line, ALL_ON)
    line.inject(make("watchdog_ignored"), "XM-1")

    line.advance(60 * SECOND_NS)

    assert held(line) == 0xFF
    assert ask(line, READ, now_ns=60 * SECOND_NS)


def test_faults_add_up_and_end_one_by_one() -> None:
    line = two_modules()
    line.inject(make("late_reply", delay_s=0.5), "XM-1")
    line.inject(make("duplicate_reply"))

    assert len(ask(line, READ)) == 2
    line.clear("duplicate_reply")
    assert [delay_s for delay_s, _ in ask(line, READ)] == [0.504]
    line.clear("late_reply", "XM-1")
    line.clear("late_reply", "XM-1")
    assert [delay_s for delay_s, _ in ask(line, READ)] == [0.004]


@pytest.mark.parametrize("kind", ["device_dead", "line_dead", "module_frozen"])
def test_a_dead_indicator_is_silent(kind: str) -> None:
    line = IndicatorLine("W", "WI", WeighIndicator(lambda: 1.0, 1000.0))
    line.inject(make(kind))

    assert line.advance(PERIOD_NS) == []
    line.clear(kind)
    assert line.advance(2 * PERIOD_NS)


def test_a_frozen_indicator_repeats_its_frame() -> None:
    weights_kg = iter(range(100, 200))
    line = IndicatorLine("W", "WI", WeighIndicator(lambda: float(next(weights_kg)), 1000.0))
    line.inject(make("frozen_registers"))

    assert line.advance(PERIOD_NS) == line.advance(2 * PERIOD_NS)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("crc_errors", {"probability_frac": 1.5}),
        ("late_reply", {"delay_s": -1.0}),
        ("late_reply", {}),
        ("wrong_unit", {"unit": 300.0}),
    ],
)
def test_parameters_that_make_no_sense_are_refused(kind: str, parameters: dict[str, float]) -> None:
    with pytest.raises(PodError, match=f"E381 fault {kind}"):
        make(kind, **parameters)


def test_every_kind_has_its_name() -> None:
    assert all(kind and fault.kind == kind for kind, fault in KINDS.items())


def test_a_device_with_a_wrong_address_answers_there_only() -> None:
    line = two_modules()

    line.inject(make("wrong_address", unit=9), "XM-2")

    assert ask(line, READ, unit=2) == []
    ((_, frame),) = ask(line, READ, unit=9)
    assert frame[0] == 9
    assert crc16(frame) == 0
    line.clear("wrong_address", "XM-2")
    assert ask(line, READ, unit=2)
    assert ask(line, READ, unit=9) == []


def test_two_devices_with_one_address_speak_over_each_other() -> None:
    line = two_modules()
    line.slaves["XM-2"].device.write_coils(0, 8, 0xFF)

    line.inject(make("wrong_address", unit=1), "XM-2")

    ((_, both),) = ask(line, READ)
    assert crc16(both) != 0
    assert ask(line, READ, unit=2) == []
