"""Who answers, and is it the one that is meant: identity, owed replies, refused holes, a port where nobody speaks."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hal_desk import (
    MS,
    SECOND,
    SILENT,
    TICK_NS,
    TURNAROUND_NS,
    Module,
    Pod,
    Replies,
    Slave,
    cells,
    module,
    prompt,
    sealed,
    words,
)

from hal.blocks import Block, BlockPlan
from hal.description import DeviceConfig
from hal.device import STRANGER_RETRY_NS, Device
from hal.device_facts import Identity
from hal.line import REOPEN_AFTER_NS
from hal.modbus import Verdict, read_request
from hal.points import Point
from hal.values import Cause, Quality

WHO = read_request(1, 3, 0, 1)


def known(word: int, device: DeviceConfig) -> DeviceConfig:
    """The same device, which must show this number in holding register 0."""
    identity = Identity(table="holding", address=0, words=(word,))
    return DeviceConfig(**{**device.__dict__, "identity": identity})


def pod_with(identity: int, held: int = 0) -> Pod:
    pod = Pod(known(identity, module()), cells(2))
    pod.slave.modules[1] = Module(watchdog_count=20, held=held)
    pod.wanted = {"FV-101": 1.0}
    return pod


def test_a_device_shows_who_it_is_before_it_is_written() -> None:
    pod = pod_with(20)

    scan = pod.run(1.0)

    assert pod.sent_to(1)[0][1] == WHO.frame
    assert [frame[1] for _, frame in pod.sent_to(1)][:2] == [3, 15]
    assert scan.acks["FV-101"].open_frac == 1.0


def test_a_stranger_is_never_written_and_nothing_of_its_line_is_believed() -> None:
    pod = pod_with(4711)

    scan = pod.run(60.0)

    assert {frame[1] for _, frame in pod.sent_to(1)} == {3}
    assert not scan.acks
    assert {(r.quality, r.cause) for r in scan.readings.values()} == {(Quality.BAD, Cause.CONFIGURATION_ERROR)}
    assert pod.io.health()[0].notes == (
        "unit 1 shows 0014, not 1267: are two adapters swapped, or is it another module?",
    )


def test_a_stranger_is_left_alone_until_its_outputs_must_have_fallen() -> None:
    pod = pod_with(4711, held=0b11)

    pod.run(60.0)

    asked = [at_ns for at_ns, _ in pod.sent_to(1)]
    assert len(asked) > 4
    assert all(b - a >= STRANGER_RETRY_NS for a, b in pairwise(asked))
    assert pod.module.held == 0


def with_stranger() -> Pod:
    """Unit 1 is a stranger, unit 2 is known by its own number, the numberless unit 3 is as it should be."""
    pod = Pod(known(20, module()), known(2000, cells(2)), cells(3, "X"))
    pod.slave.modules[1] = Module(watchdog_count=4711)
    pod.slave.fixed[3] = [0, 25000, 0, 1500, 0, 0, 0, 0, 0]
    pod.desk.spoil = shows_number(2, 2000)
    pod.wanted = {"FV-101": 1.0}
    return pod


def shows_number(unit: int, number: int) -> Callable[[bytes, bytes], Replies]:
    """The desk's spoil: this unit shows this number when asked who it is; everything else is prompt."""
    who = read_request(unit, 3, 0, 1).frame
    return lambda request, reply: prompt(request, sealed(unit, 3, 2, words(number)) if request == who else reply)


def test_a_line_goes_on_when_its_stranger_is_gone() -> None:
    pod = with_stranger()
    stopped = pod.run(15.0)
    pod.slave.dead.add(1)

    scan = pod.run(45.0)

    assert {reading.quality for reading in stopped.readings.values()} == {Quality.BAD}
    assert {scan.readings[tag].quality for tag in ("WT-101", "XWT-101")} == {Quality.GOOD}
    assert scan.readings["ZT-101"].quality is Quality.BAD
    assert pod.io.health()[0].notes == ()
    assert {frame[1] for _, frame in pod.sent_to(1)} <= {3, 4}


def test_a_stranger_that_is_silent_for_a_moment_gives_nothing_free() -> None:
    pod = with_stranger()
    pod.run(15.0)
    for at_s in range(20, 60, 15):  # its supply dips for 9 s, again and again
        pod.slave.dead.add(1)
        pod.run(at_s + 9.0)
        pod.slave.dead.clear()
        pod.run(at_s + 15.0)

    since = [scan for at_ns, scan in pod.scans if at_ns > 2 * SECOND]
    assert {reading.quality for scan in since for reading in scan.readings.values()} == {Quality.BAD}
    assert {frame[1] for _, frame in pod.sent_to(1)} <= {3, 4}


def test_a_stranger_that_comes_back_after_the_line_went_on_shows_itself_before_any_write_and_stops_it_again() -> None:
    pod = with_stranger()
    pod.wanted = {"FV-101": 0.0}  # a module that died as itself would be told its fail state once a tick
    pod.run(15.0)
    pod.slave.dead.add(1)
    pod.run(45.0)
    pod.slave.dead.clear()

    scan = pod.run(70.0)

    assert {frame[1] for _, frame in pod.sent_to(1)} <= {3, 4}
    assert {reading.quality for reading in scan.readings.values()} == {Quality.BAD}
    assert len(pod.io.health()[0].notes) == 1


def test_the_right_module_in_the_place_of_a_stranger_that_is_gone_is_set_up_and_written() -> None:
    pod = with_stranger()
    pod.run(15.0)
    pod.slave.dead.add(1)
    pod.run(45.0)
    since_ns = pod.desk.now_ns
    pod.slave.dead.clear()
    pod.slave.modules[1] = Module(watchdog_count=20)

    scan = pod.run(70.0)

    functions = [frame[1] for _, frame in pod.sent_to(1, since_ns)]
    assert functions.index(3) < functions.index(15)
    assert scan.acks["FV-101"].open_frac == 1.0


def test_where_a_stranger_was_the_others_show_themselves_again_before_the_line_goes_on() -> None:
    # The cable was led to another pod's line: unit 1 of there is seen first. That it falls silent proves nothing.
    pod = with_stranger()
    pod.run(15.0)
    pod.desk.spoil = shows_number(2, 2001)
    pod.slave.dead.add(1)

    scan = pod.run(60.0)

    since = [scan for at_ns, scan in pod.scans if at_ns > 2 * SECOND]
    assert {reading.quality for scan in since for reading in scan.readings.values()} == {Quality.BAD}
    assert [len(each.notes) for each in pod.io.health()] == [0, 1, 0]
    assert scan.readings["XWT-101"].cause is Cause.CONFIGURATION_ERROR


def busy(times: int) -> Callable[[bytes, bytes], Replies]:
    """The desk's spoil: that often a device is busy when it shall show who it is."""
    left = [times]

    def refuse(request: bytes, reply: bytes) -> Replies:
        if request != WHO.frame or not left[0]:
            return prompt(request, reply)
        left[0] -= 1
        return [(TURNAROUND_NS, sealed(request[0], 0x83, 6))]

    return refuse


def test_who_is_busy_once_is_asked_again_at_once_and_is_no_stranger() -> None:
    pod = pod_with(20)
    pod.desk.spoil = busy(1)

    scan = pod.run(1.0)

    assert scan.acks["FV-101"].open_frac == 1.0
    assert scan.readings["WT-101"].quality is Quality.GOOD
    assert (pod.io.health()[0].notes, pod.io.health()[0].faults) == ((), {"exception": 1})


def test_a_module_that_stays_busy_is_left_alone_until_its_outputs_must_have_fallen() -> None:
    pod = pod_with(20, held=0b11)
    pod.desk.spoil = busy(1000)

    scan = pod.run(10.0)

    asked = [at_ns for at_ns, _ in pod.sent_to(1)]
    assert max(b - a for a, b in pairwise(asked)) > 2 * SECOND
    assert {frame[1] for _, frame in pod.sent_to(1)} == {3}
    assert (pod.module.held, pod.module.released) == (0, 1)
    assert scan.readings["WT-101"].quality is Quality.GOOD


def test_what_a_stranger_showed_last_is_told_and_withdrawn_when_it_shows_the_right_words() -> None:
    pod = pod_with(4711)
    shown, told = iter((20, 21, 22, 4711)), []

    def change(frame: bytes, reply: bytes) -> Replies:
        number = next(shown, None) if frame == WHO.frame else None  # then the register holds the watchdog again
        return prompt(frame, reply if number is None else sealed(1, 3, 2, words(number)))

    pod.desk.spoil = change
    for until_s in (5, 15, 25, 45):
        pod.run(until_s)
        told.append([note[:17] for note in pod.io.health()[0].notes])

    assert told == [["unit 1 shows 0014"], ["unit 1 shows 0015"], ["unit 1 shows 0016"], []]
    assert pod.module.held == 1


def test_after_the_port_was_open_again_who_it_is_comes_before_what_it_shall_do() -> None:
    pod = pod_with(20)
    pod.run(3.0)

    pod.io.lines[0].reconnected(pod.desk.now_ns)
    pod.run(3.5)

    assert [frame[1] for _, frame in pod.sent_to(1, 3 * SECOND)][:2] == [3, 15]


def with_numberless() -> Pod:
    """Unit 1 has a number; the module at unit 4 and the load cells at unit 2 have none."""
    four = DeviceConfig("XM-4", "io_module_8", "A", 4, 2.0, {"output_0": "FV-104", "position_0": "ZT-104"})
    pod = Pod(known(20, module()), cells(2), four)
    pod.slave.modules |= {1: Module(watchdog_count=20), 4: Module(watchdog_count=20)}
    pod.wanted = {"FV-101": 1.0, "FV-104": 1.0}
    pod.run(3.48)  # just before a tick: whoever is sick is asked after that
    return pod


@pytest.mark.parametrize("away_s", [0.0, 10.0])
def test_on_a_port_that_leads_elsewhere_who_has_no_number_is_neither_written_nor_believed(away_s: float) -> None:
    pod = with_numberless()
    pod.slave.dead |= {1, 2, 4} if away_s else set()
    pod.run(3.48 + away_s)
    since_ns = pod.desk.now_ns
    pod.slave.dead.clear()
    pod.slave.modules |= {1: Module(watchdog_count=4711), 4: Module(watchdog_count=20)}

    pod.io.lines[0].reconnected(since_ns)
    scan = pod.run(3.48 + away_s + 20.0)

    assert {frame[1] for unit in (1, 2, 4) for _, frame in pod.sent_to(unit, since_ns)} <= {3, 4}
    assert pod.slave.modules[4].held == 0
    later = [scan for at_ns, scan in pod.scans if at_ns >= since_ns]
    taken = [r for scan in later for r in scan.readings.values() if r.quality is not Quality.BAD]
    assert [reading for reading in taken if reading.taken_ns > since_ns] == []
    assert scan.readings["WT-101"].cause is Cause.CONFIGURATION_ERROR


def test_a_port_that_was_opened_again_on_the_right_line_loses_no_value() -> None:
    pod = with_numberless()
    since_ns = pod.desk.now_ns

    pod.io.lines[0].reconnected(since_ns)
    scan = pod.run(6.0)

    later = [scan for at_ns, scan in pod.scans if at_ns >= since_ns]
    assert {r.quality for scan in later for tag, r in scan.readings.items() if tag[:2] == "WT"} == {Quality.GOOD}
    assert (scan.acks["FV-101"].open_frac, scan.acks["FV-104"].open_frac) == (1.0, 1.0)


def test_many_with_a_number_that_are_silent_keep_who_has_none_waiting_for_two_seconds_at_most() -> None:
    silent = range(10, 26)
    pod = Pod(cells(2), *(known(5, cells(unit, f"U{unit}")) for unit in silent))
    pod.slave.dead |= {2, *silent}
    pod.run(10.0)
    pod.slave.dead.remove(2)

    for second in range(10, 60, 5):  # as a port is opened on which nobody answers
        pod.io.lines[0].reconnected(pod.desk.now_ns)
        pod.run(second + 5.0)

    assert pod.io.scan(pod.desk.now_ns).readings["WT-101"].quality is Quality.GOOD


def test_a_device_that_was_dead_shows_who_it_is_before_an_output_opens() -> None:
    pod = pod_with(20)
    pod.run(3.0)
    pod.slave.dead.add(1)
    pod.run(15.0)
    pod.slave.dead.clear()
    since_ns = pod.desk.now_ns

    scan = pod.run(25.0)

    functions = [frame[1] for _, frame in pod.sent_to(1, since_ns)]
    assert functions.index(3) < functions.index(15)
    assert scan.acks["FV-101"].open_frac == 1.0


def test_a_dead_module_on_a_port_that_was_opened_again_is_told_nothing_before_it_has_shown_who_it_is() -> None:
    # It died under an order to open; by now it is told its fail state, once a tick. Then the port is opened again,
    # and may lead elsewhere: from there on it is asked who it is, as often, and nothing else.
    pod = pod_with(20)
    pod.run(3.0)
    pod.slave.dead.add(1)
    pod.wanted = {"FV-101": 0.0}
    pod.run(20.0)
    before = [frame[1] for at_ns, frame in pod.sent_to(1) if at_ns >= 15 * SECOND]
    pod.io.lines[0].reconnected(pod.desk.now_ns)
    pod.run(30.0)
    after = [frame[1] for at_ns, frame in pod.sent_to(1) if at_ns >= 20 * SECOND]
    pod.slave.dead.clear()
    pod.run(33.0)
    back = [frame[1] for at_ns, frame in pod.sent_to(1) if at_ns >= 30 * SECOND]

    assert set(before) == {15} and len(before) >= 8
    assert set(after) <= {3, 4} and len(after) >= 15  # 4: in another shape, as it owes the answer to the first 3
    assert back[back.index(15) - 1] == 3


def test_two_adapters_swapped_are_refused_on_both_lines() -> None:
    """Line A's port leads to the module of line B and the other way round: the same type at the same unit."""
    for meant, there in ((1001, 1002), (1002, 1001)):
        pod = Pod(known(meant, module()), cells(2))
        pod.slave.modules[1] = Module(watchdog_count=there)
        pod.wanted = {"FV-101": 1.0}

        scan = pod.run(10.0)

        assert pod.module.held == 0
        assert all(reading.quality is Quality.BAD for reading in scan.readings.values())


def test_whoever_owes_a_reply_is_asked_in_another_shape_first() -> None:
    def lose_one(request: bytes, reply: bytes) -> Replies:
        return [] if pod.slave.requests == 4 else prompt(request, reply)

    pod = Pod(cells(2), spoil=lose_one)
    pod.run(3.0)

    counts = [int.from_bytes(frame[4:6], "big") for _, frame in pod.sent_to(2)]
    assert counts[3:6] == [9, 1, 9]


def test_a_late_reply_is_counted_as_late() -> None:
    pod = Pod(cells(2), spoil=lambda q, r: [(240 * MS if pod.slave.requests == 4 else TURNAROUND_NS, r)])

    pod.run(3.0)

    assert pod.io.health()[0].late == 1


def test_a_probe_of_every_shape_that_is_owed_takes_the_oldest_again() -> None:
    device = Device("D", "A", 2, 0, 0)
    device.asks_with([read_request(2, 4, 0, 2)])
    shapes = []
    for _ in range(3):
        request = device.probe()
        shapes.append(request.head[2])
        device.missed(Verdict.TIMEOUT, request, 0, 0)

    assert shapes == [2, 4, 2]


def holed() -> tuple[Block, list[Point]]:
    points = [Point(f"T{at}", "input", at, "u16", "1", 0.0, 65535.0) for at in (0, 1, 8, 9)]
    return Block(BlockPlan("input", 0, 10, TICK_NS, tuple(points)), Device("D", "A", 2, 0, 0), TICK_NS, {}), points


def test_a_block_without_its_holes_reads_every_point_and_nothing_else() -> None:
    block, points = holed()

    parts = block.without_holes()

    assert [(p.plan.first, p.plan.count) for p in parts] == [(0, 2), (8, 2)]
    assert [point for part in parts for point in part.plan.points] == points
    assert all(part.without_holes() == [part] for part in parts)


@pytest.mark.parametrize("code", [2, 3])
def test_refused_holes_are_read_round_for_good_and_the_technician_is_told(code: int) -> None:
    """The module's own block: positions 0 and 1, outputs at 8, switches at 9; the registers between are refused."""

    def refuse(request: bytes, reply: bytes) -> Replies:
        first, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
        if request[1] == 4 and first <= 5 < first + count:
            return prompt(request, sealed(request[0], 0x84, code))
        return prompt(request, reply)

    pod = Pod(module(), spoil=refuse)
    pod.wanted = {"FV-101": 1.0}

    scan = pod.run(5.0)

    reads = [(frame[3], frame[5]) for _, frame in pod.sent_to(1) if frame[1] == 4]
    assert reads[:3] == [(0, 10), (8, 2), (0, 2)]
    assert (0, 10) not in reads[1:]
    assert scan.acks["FV-101"].open_frac == 1.0
    assert pod.io.health()[0].faults == {"exception": 1}
    assert pod.io.health()[0].notes == (f"refuses input 0..9 (exception {code}): read without its holes from now on",)


@pytest.mark.parametrize(("every_s", "up_s"), [(1.0, 0.353), (1.5, 0.257), (1.0, 0.079)])
def test_a_plug_that_is_loose_keeps_no_module_from_being_told_to_close(every_s: float, up_s: float) -> None:
    """Each question who is there feeds the watchdog: with witnesses asked before the image it held for ever."""
    pod = Pod(known(20, module()), *(known(7, cells(10 + k, f"U{k}")) for k in range(6)))
    pod.slave.modules[1] = Module(watchdog_count=20)
    pod.slave.fixed = {10 + k: [0] * 9 for k in range(6)}
    register, answer = pod.slave.register, pod.slave.answer
    gone = [False]

    def numbered(unit: int, function: int, address: int) -> int:
        return 7 if function == 3 and unit >= 10 else register(unit, function, address)

    def reached(frame: bytes, now_ns: int) -> bytes:
        return SILENT if gone[0] else answer(frame, now_ns)

    pod.slave.register, pod.slave.answer = numbered, reached  # type: ignore[method-assign]
    pod.wanted = {"FV-101": 1.0}
    pod.run(9.54)
    assert pod.module.held == 1
    pod.wanted = {"FV-101": 0.0}
    for k in range(8):
        gone[0] = True
        pod.run(9.54 + k * every_s + every_s - up_s)
        gone[0] = False
        pod.io.lines[0].reconnected(pod.desk.now_ns)
        pod.run(9.54 + (k + 1) * every_s)

    assert pod.module.held == 0 or pod.desk.now_ns - pod.module.fed_ns > 2 * SECOND


def test_a_port_on_which_nobody_answers_is_in_doubt_once_every_five_seconds() -> None:
    pod = Pod(module(), cells(2))
    line = pod.io.lines[0]
    pod.slave.dead |= {1, 2}
    pod.run(30.0)
    now_ns = pod.desk.now_ns

    assert line.wants_reopening(now_ns)
    line.reconnected(now_ns)
    assert not line.wants_reopening(now_ns + REOPEN_AFTER_NS - 1)
    assert line.wants_reopening(now_ns + REOPEN_AFTER_NS)


def test_a_port_with_one_living_device_is_not_in_doubt() -> None:
    pod = Pod(module(), cells(2))
    pod.slave.dead.add(1)
    pod.run(30.0)

    assert not pod.io.lines[0].wants_reopening(pod.desk.now_ns)


def test_three_misses_within_a_moment_are_no_death() -> None:
    device = Device("D", "A", 2, 0, 0)
    request = read_request(2, 4, 0, 1)
    for _ in range(3):
        device.missed(Verdict.TIMEOUT, request, 0, 0)
    assert device.condition.name == "SUSPECT"

    device.missed(Verdict.TIMEOUT, request, SECOND, 0)

    assert device.condition.name == "DEAD"


def test_devices_that_died_together_are_not_probed_together() -> None:
    retries = []
    for name in ("WM-A", "WM-B", "LM-201", "LM-202"):
        device = Device(name, "A", 2, 0, 0)
        for k in range(8):
            device.missed(Verdict.TIMEOUT, read_request(2, 4, 0, 1), k * SECOND, 0)
        retries.append(device.retry_ns)

    assert len(dict.fromkeys(retries)) == 4
    assert max(retries) - min(retries) < 2 * SECOND


def test_a_module_that_lost_its_settings_unnoticed_has_them_again_within_a_minute() -> None:
    pod = Pod(module(), cells(2))
    pod.run(5.0)
    pod.module.watchdog_count = 0  # its supply dipped between two reads; outputs were off anyway

    pod.run(66.0)

    assert pod.module.watchdog_count == 20


def test_a_request_cut_off_by_a_lost_port_leaves_no_answer_to_the_next() -> None:
    """What is in flight is never cancelled: the line waits it out, and its late answer falls into the silence."""

    def late_once(request: bytes, reply: bytes) -> Replies:
        return [(200 * MS, reply)] if slave.requests == 4 else prompt(request, reply)

    pod = Pod(cells(2), spoil=late_once)
    slave: Slave = pod.slave
    pod.desk.run(SECOND + 60 * MS, pod.tick)
    pod.io.lines[0].reconnected(pod.desk.now_ns)

    pod.run(3.0)

    assert pod.io.health()[0].faults == {"timeout": 1}
    assert pod.io.scan(pod.desk.now_ns).readings["WT-101"].value == 25.0
