"""Order and peace on a line: writes first, silence kept, and sick devices cost their neighbours nothing."""

from itertools import pairwise

from hal_desk import MS, SECOND, TICK_NS, TURNAROUND_NS, Desk, Pod, Replies, Slave, cells, module, sealed, wiring
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.description import DeviceConfig
from hal.device import Condition
from hal.line import Wait
from hal.pod_io import build
from hal.values import Cause, Command, Quality


def frames_between(pod: Pod, start_ns: int, end_ns: int) -> list[tuple[int, int]]:
    """Unit and function of every frame sent in that time."""
    return [(frame[0], frame[1]) for at_ns, frame in pod.desk.sent if start_ns <= at_ns < end_ns]


def test_a_tick_writes_then_reads_the_module_then_the_rest() -> None:
    pod = Pod(cells(2), module())

    pod.run(3.0)

    assert frames_between(pod, 2 * SECOND, 2 * SECOND + TICK_NS) == [(1, 15), (1, 4), (2, 4)]


def test_the_first_word_to_a_module_is_its_fail_state() -> None:
    pod = Pod(cells(2), module())
    pod.module.held = 0xFF

    pod.run(0.1)

    assert pod.desk.sent[0][1] == sealed(1, 15, 0, 0, 0, 8, 1, 0)
    assert pod.module.held == 0


def test_a_write_waits_for_the_transaction_in_flight_only() -> None:
    pod = Pod(module(), cells(2), cells(3, "X"), baud=9600)
    pod.run(2.0)
    pod.desk.run(2 * SECOND + 40 * MS, pod.tick)

    pod.io.apply([Command("FV-101", 1.0, pod.desk.now_ns, 9 * SECOND)], pod.desk.now_ns)
    pod.desk.run(2 * SECOND + 110 * MS)

    assert pod.module.held == 0b01


@settings(max_examples=30)
@given(st.sampled_from([9600, 19200, 38400, 115200]), st.lists(st.integers(0, 400), max_size=30), st.integers(0, 2**31))
def test_t3_5_of_silence_precedes_every_frame_whatever_arrives(baud: int, at_ms: list[int], seed: int) -> None:
    pod = Pod(module(), cells(2), baud=baud)
    for k, ms in enumerate(at_ms):
        pod.desk.inject(bytes((seed >> k & 0xFF,)), ms * 5 * MS + 1)

    pod.run(2.5)  # the desk itself refuses a frame without silence before it

    assert pod.desk.sent


def test_a_dead_device_never_costs_its_neighbours_a_period() -> None:
    pod = Pod(module(), cells(2), cells(3, "X"), cells(4, "Y"))
    pod.slave.fixed |= {3: pod.slave.fixed[2], 4: pod.slave.fixed[2]}
    pod.run(5.0)
    pod.slave.dead.add(3)

    scan = pod.run(120.1)

    assert scan.readings["XWT-101"].cause is Cause.NO_COMMUNICATION
    for unit, function in ((1, 15), (1, 4), (2, 4), (4, 4)):
        times = [at_ns for at_ns, frame in pod.sent_to(unit, SECOND) if frame[1] == function]
        assert len(times) == 239  # one in each tick from 1 s to 120 s
        assert max(b - a for a, b in pairwise(times)) < TICK_NS + 300 * MS
        assert len({at_ns // TICK_NS for at_ns in times}) == len(times)


def test_a_dead_module_that_has_let_go_is_told_its_fail_state_once_per_tick() -> None:
    pod = Pod(module(), cells(2))
    pod.run(2.0)
    pod.slave.dead.add(1)

    pod.run(62.0)

    tries = pod.sent_to(1, 5 * SECOND)
    assert {(frame[1], frame[7]) for _, frame in tries} == {(15, 0)}
    assert 112 <= len(tries) <= 115
    assert len({at_ns // TICK_NS for at_ns, _ in tries}) == len(tries)
    assert len({at_ns // TICK_NS for at_ns, _ in pod.sent_to(2, 2 * SECOND)}) == 120


def test_a_dead_module_that_shall_open_is_tried_about_every_watchdog_time_and_costs_its_neighbours_nothing() -> None:
    pod = Pod(module(), cells(2))
    pod.wanted = {"FV-101": 1.0}
    pod.run(2.0)
    pod.slave.dead.add(1)

    pod.run(62.0)

    tries = pod.sent_to(1, 3 * SECOND)
    assert {frame[1] for _, frame in tries} == {15}
    assert 20 <= len(tries) <= 30  # about every watchdog time
    assert len({at_ns // TICK_NS for at_ns, _ in pod.sent_to(2, 2 * SECOND)}) == 120


def test_a_module_without_watchdog_is_tried_once_per_tick() -> None:
    pod = Pod(module(watchdog_s=0.0), cells(2))
    pod.run(2.0)
    pod.slave.dead.add(1)

    pod.run(32.0)

    tries = pod.sent_to(1, 4 * SECOND)
    assert 54 <= len(tries) <= 57
    assert len({at_ns // TICK_NS for at_ns, _ in tries}) == len(tries)


def test_a_dead_device_is_probed_ever_more_seldom_and_comes_back() -> None:
    pod = Pod(cells(2), cells(3, "X"))
    pod.slave.fixed[3] = pod.slave.fixed[2]
    pod.slave.dead.add(3)
    pod.run(60.0)
    gaps = [b - a for a, b in pairwise([at_ns for at_ns, _ in pod.sent_to(3, 2 * SECOND)])]

    pod.slave.dead.clear()
    scan = pod.run(80.0)

    assert all(earlier <= later + SECOND for earlier, later in pairwise(gaps))
    assert gaps[-1] > 15 * SECOND
    assert scan.readings["XWT-101"].value == 25.0
    assert pod.io.health()[1].condition is Condition.OK


def test_readings_go_bad_after_three_periods_without_news() -> None:
    pod = Pod(cells(2))
    pod.run(5.0)
    pod.slave.dead.add(2)
    last_ns = pod.io.scan(5 * SECOND).readings["WT-101"].taken_ns

    pod.run(7.0)

    for now_ns, scan in pod.scans:
        reading = scan.readings["WT-101"]
        if now_ns - last_ns > 3 * TICK_NS:
            assert (reading.quality, reading.cause) == (Quality.BAD, Cause.NO_COMMUNICATION)
            assert reading.taken_ns == last_ns
    assert pod.scans[-1][1].readings["WT-101"].quality is Quality.BAD


def test_a_tag_never_read_is_bad_and_initial() -> None:
    reading = Pod(cells(2)).io.scan(0).readings["WT-101"]

    assert (reading.quality, reading.cause, reading.taken_ns) == (Quality.BAD, Cause.INITIAL_VALUE, 0)


def test_a_reading_is_stamped_with_the_end_of_its_request() -> None:
    pod = Pod(cells(2))
    scan = pod.run(3.0)

    at_ns, frame = pod.desk.sent[-1]

    assert scan.readings["WT-101"].taken_ns == at_ns + len(frame) * pod.desk.char_ns


def test_a_late_answer_falls_into_the_quiet_and_is_thrown_away() -> None:
    def late_once(request: bytes, reply: bytes) -> Replies:
        return [(240 * MS if pod.slave.requests == 4 else TURNAROUND_NS, reply)]

    pod = Pod(cells(2), spoil=late_once)
    pod.run(2.0)

    (late_ns, _), (next_ns, _) = pod.desk.sent[3], pod.desk.sent[4]
    assert next_ns - late_ns > 250 * MS
    assert pod.io.health()[0].faults == {"timeout": 1}


def test_a_fast_device_on_an_unpaced_port_may_answer_at_once() -> None:
    hardware = wiring(cells(2))
    lines = (hardware.lines[0].__class__("A", "modbus_rtu", "/dev/x", 38400, paced=False),)
    io = build(hardware.__class__(lines, hardware.devices, 0.5))
    slave = Slave(fixed={2: [0, 25000, 0, 0, 0, 0, 0, 0, 0]})
    desk = Desk(io.lines[0], 38400, slave, lambda q, r: [(-6 * MS, r)])

    desk.run(SECOND // 4)

    assert io.scan(desk.now_ns).readings["WT-101"].value == 25.0


def test_an_idle_line_waits_and_does_not_spin() -> None:
    pod = Pod(cells(2))
    pod.run(0.4)

    action = pod.io.lines[0].next_action(pod.desk.now_ns)

    assert isinstance(action, Wait)
    assert action.until_ns > pod.desk.now_ns + 100 * MS


def test_the_same_run_twice_sends_the_same_bytes() -> None:
    sent = []
    for _ in range(2):
        pod = Pod(module(), cells(2), cells(3, "X"))
        pod.run(20.0)
        sent.append(pod.desk.sent)

    assert sent[0] == sent[1]


def test_two_dead_devices_are_not_both_tried_in_one_tick() -> None:
    pod = Pod(module(), cells(2), cells(3, "X"), cells(4, "Y"))
    pod.slave.fixed |= {3: pod.slave.fixed[2], 4: pod.slave.fixed[2]}
    pod.slave.dead |= {3, 4}

    pod.run(60.1)

    times = [at_ns for at_ns, _ in pod.sent_to(2, SECOND)]
    assert len({at_ns // TICK_NS for at_ns in times}) == len(times) == 119
    assert max(at_ns % TICK_NS for at_ns in times) < 40 * MS  # no trial lasts into the next tick


def test_a_device_that_is_always_busy_goes_bad_by_age() -> None:
    pod = Pod(cells(2))
    pod.run(2.0)
    pod.desk.spoil = lambda q, r: [(TURNAROUND_NS, sealed(q[0], q[1] | 0x80, 6))]

    reading = pod.run(5.0).readings["WT-101"]

    assert pod.io.health()[0].condition is Condition.OK
    assert (reading.quality, reading.cause) == (Quality.BAD, Cause.NO_COMMUNICATION)


def test_a_dead_device_is_bad_before_the_age_of_its_slow_readings_says_so() -> None:
    pod = Pod(DeviceConfig("AM", "analog_8ch", "A", 3, 0.0, {"current_0": "I"}))
    pod.slave.fixed[3] = [12000] * 8
    pod.run(3.0)
    pod.slave.dead.add(3)

    reading = pod.run(6.0).readings["I"]

    assert pod.desk.now_ns - reading.taken_ns < 3 * 2 * SECOND
    assert reading.cause is Cause.NO_COMMUNICATION
