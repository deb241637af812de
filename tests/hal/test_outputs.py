"""Outputs: written, read back, compared; leases end; a doubtful module is left alone until it has let go."""

import math
from itertools import pairwise

import pytest
from hal_desk import MS, SECOND, TICK_NS, TURNAROUND_NS, Pod, Replies, cells, module, prompt, sealed
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.device import Condition, Device
from hal.errors import PodError
from hal.outputs import OutputModule, OutputPlan
from hal.values import Cause, Command, Quality


def test_a_command_is_acknowledged_by_read_back_with_its_own_issue_time() -> None:
    pod = Pod(module(), cells(2))
    pod.wanted = {"FV-101": 1.0, "FV-103": 0.0}

    scan = pod.run(3.4)

    ack = scan.acks["FV-101"]
    assert (ack.open_frac, ack.issued_ns) == (1.0, 3 * SECOND)
    assert 3 * SECOND < ack.taken_ns < 3 * SECOND + 50 * MS
    assert scan.acks["FV-103"].open_frac == 0.0
    assert pod.module.held == 0b01


def test_there_is_no_ack_before_a_command() -> None:
    pod = Pod(module())

    assert pod.run(2.0).acks == {}


@pytest.mark.parametrize(("open_frac", "held"), [(1.0, 1), (0.51, 1), (0.5, 0), (math.nan, 0), (-1.0, 0)])
def test_only_more_than_half_opens(open_frac: float, held: int) -> None:
    pod = Pod(module())
    pod.wanted = {"FV-101": open_frac}

    pod.run(1.2)

    assert pod.module.held == held


def test_a_command_already_expired_is_written_as_the_fail_state() -> None:
    pod = Pod(module())
    pod.lease_ns = 0
    pod.wanted = {"FV-101": 1.0}

    scan = pod.run(2.2)

    assert pod.module.held == 0
    assert scan.acks["FV-101"].open_frac == 0.0


def test_silence_of_the_controller_closes_when_the_lease_ends() -> None:
    pod = Pod(module(), cells(2))
    pod.wanted = {"FV-101": 1.0, "FV-103": 1.0}
    pod.run(2.0)
    assert pod.module.held == 0b11

    pod.desk.run(4 * SECOND)  # nobody ticks; the line polls on and feeds the watchdog

    assert pod.module.held == 0
    assert [at_ns for at_ns, frame in pod.sent_to(1, 2 * SECOND + MS) if frame[1] == 15] == [2 * SECOND + pod.lease_ns]


def test_a_renewed_command_does_not_end_with_its_first_lease() -> None:
    pod = Pod(module())
    pod.lease_ns = 600 * MS
    pod.wanted = {"FV-101": 1.0}

    pod.run(10.0)

    assert all(frame[7] == 1 for at_ns, frame in pod.sent_to(1, SECOND) if frame[1] == 15)


def test_an_unmapped_output_is_always_written_as_zero() -> None:
    pod = Pod(module())
    pod.module.held = 0xFF
    pod.wanted = {"FV-101": 1.0, "FV-103": 1.0}

    pod.run(3.0)

    assert {frame[7] & 0b11111100 for _, frame in pod.sent_to(1) if frame[1] == 15} == {0}


def longest_silence_ns(pod: Pod, since_ns: int) -> int:
    times = [at_ns for at_ns, _ in pod.sent_to(1, since_ns)]
    return max(b - a for a, b in pairwise(times))


def test_a_module_whose_read_back_differs_is_not_polled_until_its_watchdog_has_expired() -> None:
    pod = Pod(module(), cells(2))
    pod.wanted = {"FV-101": 1.0}
    pod.run(3.0)
    pod.module.deaf = True
    pod.wanted = {"FV-101": 0.0}

    pod.run(10.0)

    assert pod.module.released == 1
    assert pod.module.held == 0
    assert longest_silence_ns(pod, 3 * SECOND) > 2 * SECOND
    opened = [ack for at_ns, s in pod.scans for ack in s.acks.values() if ack.open_frac == 1.0]
    assert max(ack.issued_ns for ack in opened) == 3 * SECOND


def test_a_module_that_echoes_and_ignores_is_named() -> None:
    pod = Pod(module(), cells(2))
    pod.module.deaf = True
    pod.wanted = {"FV-101": 1.0}

    pod.run(10.0)

    health = pod.io.health()[0]
    assert health.notes == ("unit 1 took image 0x01 and showed 0x00: does it obey, and is its supply there?",)
    assert health.faults["disobeyed"] >= 1


class LostEchoes:
    """From since_ns on, the echoes of so many writes of outputs are lost; the writes themselves arrive or not."""

    def __init__(self, count: int, since_ns: int) -> None:
        self.left, self.since_ns = count, since_ns
        self.pod = Pod(module(), cells(2), cells(3, "X"), spoil=self._spoil)
        self.pod.slave.fixed[3] = self.pod.slave.fixed[2]

    def _spoil(self, request: bytes, reply: bytes) -> Replies:
        if request[1] != 15 or self.pod.desk.now_ns < self.since_ns or not self.left:
            return prompt(request, reply)
        self.left -= 1
        return []


def test_one_lost_echo_is_mended_within_its_tick() -> None:
    trial = LostEchoes(1, since_ns=4 * SECOND)
    pod = trial.pod
    pod.wanted = {"FV-101": 1.0}

    scan = pod.run(4.5)

    assert (scan.acks["FV-101"].open_frac, scan.acks["FV-101"].issued_ns) == (1.0, 4 * SECOND)
    assert pod.module.released == 0
    assert pod.io.health()[0].faults == {"timeout": 1}
    assert pod.io.health()[0].condition is Condition.OK


def test_healthy_devices_are_read_before_a_write_is_repeated_and_the_module_is_not_asked_between() -> None:
    trial = LostEchoes(1, since_ns=4 * SECOND)
    pod = trial.pod

    pod.run(4.5)

    order = [(frame[0], frame[1]) for at_ns, frame in pod.desk.sent if at_ns >= 4 * SECOND]
    assert order == [(1, 15), (2, 4), (3, 4), (1, 15), (1, 4), (1, 3)]  # and last, whether it kept its watchdog


def test_a_write_repeated_without_an_echo_leaves_the_module_alone_until_it_has_let_go() -> None:
    trial = LostEchoes(2, since_ns=4 * SECOND)
    pod = trial.pod
    pod.wanted = {"FV-101": 1.0}

    scan = pod.run(10.0)

    tries = [at_ns for at_ns, frame in pod.sent_to(1, 4 * SECOND) if frame[1] == 15]
    assert tries[1] - tries[0] < 350 * MS
    assert tries[2] - tries[1] > 2200 * MS
    assert longest_silence_ns(pod, 4 * SECOND) == tries[2] - tries[1]
    assert pod.module.released == 1
    assert pod.module.held == 1
    assert scan.acks["FV-101"].issued_ns > 6 * SECOND


def test_a_module_that_shall_open_and_stays_mute_is_not_repeated_to_at_every_try() -> None:
    trial = LostEchoes(1000, since_ns=4 * SECOND)
    trial.pod.wanted = {"FV-101": 1.0}

    trial.pod.run(30.0)

    tries = [at_ns for at_ns, frame in trial.pod.sent_to(1, 4 * SECOND) if frame[1] == 15]
    gaps = [b - a for a, b in pairwise(tries)]
    assert gaps[0] < 350 * MS
    assert min(gaps[1:]) > 2200 * MS


def test_what_is_repeated_is_the_newest_order() -> None:
    trial = LostEchoes(1, since_ns=4 * SECOND)
    pod = trial.pod
    pod.wanted = {"FV-101": 1.0}
    pod.run(4.1)
    pod.io.safe_state(pod.desk.now_ns)

    pod.desk.run(pod.desk.now_ns + 400 * MS)

    assert [frame[7] for _, frame in pod.sent_to(1, 4 * SECOND) if frame[1] == 15] == [1, 0]
    assert pod.io.outputs_at_fail()


def test_a_refused_write_is_treated_like_one_not_echoed() -> None:
    def refuse(request: bytes, reply: bytes) -> Replies:
        return [(TURNAROUND_NS, sealed(1, 0x8F, 4) if request[1] == 15 and request[7] else reply)]

    pod = Pod(module(), spoil=refuse)
    pod.wanted = {"FV-101": 1.0}

    scan = pod.run(10.0)

    assert longest_silence_ns(pod, 0) > 2200 * MS
    assert all(ack.open_frac == 0.0 for ack in scan.acks.values())


def test_the_watchdog_is_set_when_it_differs_and_verified_by_reading() -> None:
    pod = Pod(module())
    assert not pod.io.watchdogs_verified()

    pod.run(0.3)

    assert [frame[1] for _, frame in pod.sent_to(1) if frame[1] in (3, 16)] == [3, 16, 3]
    assert pod.module.watchdog_count == 20
    assert pod.io.watchdogs_verified()


def test_a_watchdog_that_is_right_is_not_written() -> None:
    pod = Pod(module())
    pod.module.watchdog_count = 20

    pod.run(0.3)

    assert [frame[1] for _, frame in pod.sent_to(1) if frame[1] in (3, 16)] == [3]
    assert pod.io.watchdogs_verified()


def test_a_module_that_does_not_show_its_watchdog_is_never_verified() -> None:
    pod = Pod(module(), spoil=lambda q, r: [(TURNAROUND_NS, sealed(1, 0x83, 2) if q[1] == 3 else r)])

    pod.run(5.0)

    assert not pod.io.watchdogs_verified()


def test_a_longer_watchdog_that_cannot_be_changed_is_never_verified() -> None:
    pod = Pod(module())
    pod.module.watchdog_count = 100
    pod.module.stubborn = True

    pod.run(5.0)

    assert not pod.io.watchdogs_verified()


@pytest.mark.parametrize(("count", "writes_most"), [(100, 8), (10, 2)])
def test_a_module_that_keeps_its_own_watchdog_time_does_not_have_the_line_to_itself(
    count: int, writes_most: int
) -> None:
    pod = Pod(module(), cells(2), cells(3, "X"))
    pod.module.watchdog_count, pod.module.stubborn = count, True
    pod.slave.dead.add(3)
    pod.run(10.0)
    pod.slave.dead.clear()

    scan = pod.run(30.0)

    assert scan.readings["WT-101"].quality is Quality.GOOD
    assert scan.readings["XWT-101"].cause is not Cause.NO_COMMUNICATION  # who was dead is asked too
    assert 1 <= len([frame for _, frame in pod.sent_to(1) if frame[1] == 16]) <= writes_most


def test_a_module_that_never_answers_about_its_watchdog_is_read_all_the_same() -> None:
    def mute(request: bytes, reply: bytes) -> Replies:
        return [] if request[0] == 1 and request[1] in (3, 16) else prompt(request, reply)

    pod = Pod(module(), cells(2), spoil=mute)
    pod.wanted = {"FV-101": 1.0, "FV-103": 0.0}

    scan = pod.run(30.0)

    assert scan.readings["ZSC-111"].quality is Quality.GOOD
    assert scan.acks["FV-103"].open_frac == 0.0
    assert pod.module.held == 0
    assert pod.io.lines[0].lost_ns < 4 * SECOND  # type: ignore[attr-defined]  # a ModbusLine counts what faults cost


def test_a_lost_answer_about_the_watchdog_is_asked_for_again_at_once() -> None:
    lost = iter((True,))
    pod = Pod(module(), spoil=lambda q, r: [] if q[1] == 3 and next(lost, False) else prompt(q, r))
    pod.wanted = {"FV-101": 1.0}

    pod.run(2.5)

    assert pod.module.held == 1


def test_nothing_is_energised_before_the_watchdog_has_shown_to_be_set() -> None:
    pod = Pod(module())
    pod.module.watchdog_count, pod.module.stubborn = 100, True
    pod.wanted = {"FV-101": 1.0, "FV-103": 0.0}

    scan = pod.run(10.0)

    assert {frame[7] for _, frame in pod.sent_to(1) if frame[1] == 15} == {0}
    assert "FV-101" not in scan.acks  # it shows its fail state, which is not what it was told
    assert scan.acks["FV-103"].open_frac == 0.0
    assert [note for note in pod.io.health()[0].notes if "does not hold its watchdog time" in note]


@pytest.mark.parametrize("stubborn", [False, True])
def test_a_module_back_from_the_dead_without_its_settings_is_energised_only_when_it_has_them_again(
    stubborn: bool,
) -> None:
    pod = Pod(module(), cells(2))
    pod.wanted = {"FV-101": 1.0}
    pod.run(5.0)
    pod.slave.dead.add(1)
    pod.run(12.0)
    pod.slave.dead.clear()
    pod.module.watchdog_count, pod.module.held, pod.module.stubborn = 0, 0, stubborn
    held_by: list[int] = []  # the watchdog under which an output was energised

    def look(request: bytes, reply: bytes) -> Replies:
        held_by.extend([pod.module.watchdog_count] * bool(pod.module.held))
        return prompt(request, reply)

    pod.desk.spoil = look

    scan = pod.run(25.0)

    assert set(held_by) == (set() if stubborn else {20})
    assert (scan.acks["FV-101"].taken_ns > 20 * SECOND) is not stubborn


def test_a_module_whose_supply_dipped_for_a_moment_has_its_settings_again_before_they_are_needed() -> None:
    pod = Pod(module(), cells(2))
    pod.wanted = {"FV-101": 0.0}
    pod.run(5.1)
    pod.slave.dead.add(1)
    pod.module.watchdog_count = 0
    pod.run(5.7)
    pod.slave.dead.clear()
    assert pod.io.health()[0].condition is Condition.SUSPECT

    pod.run(6.6)

    assert pod.module.watchdog_count == 20


def test_a_shorter_watchdog_that_cannot_be_changed_will_do() -> None:
    pod = Pod(module())
    pod.module.watchdog_count = 10
    pod.module.stubborn = True

    pod.run(5.0)

    assert pod.io.watchdogs_verified()


def test_a_module_that_was_away_is_verified_again() -> None:
    pod = Pod(module())
    pod.run(2.0)
    pod.slave.dead.add(1)
    pod.run(20.0)
    pod.slave.dead.clear()
    pod.module.watchdog_count = 0  # back from the factory's settings

    pod.run(30.0)

    assert pod.module.watchdog_count == 20
    assert pod.io.watchdogs_verified()


def test_safe_state_is_proved_only_by_read_back() -> None:
    pod = Pod(module(), cells(2))
    pod.wanted = {"FV-101": 1.0}
    pod.run(3.0)
    assert not pod.io.outputs_at_fail()

    pod.io.safe_state(pod.desk.now_ns)
    at_once = pod.io.outputs_at_fail()
    pod.desk.run(pod.desk.now_ns + 60 * MS)

    assert not at_once
    assert pod.io.outputs_at_fail()
    assert pod.module.held == 0


def test_a_read_back_from_before_safe_state_proves_nothing() -> None:
    pod = Pod(module())
    pod.run(2.2)

    pod.io.safe_state(pod.desk.now_ns)

    assert not pod.io.outputs_at_fail()


def test_outputs_are_not_at_fail_when_opened_again_or_never_made_safe() -> None:
    pod = Pod(module())
    pod.run(1.0)
    never = pod.io.outputs_at_fail()

    pod.io.safe_state(pod.desk.now_ns)
    pod.desk.run(pod.desk.now_ns + 60 * MS)
    pod.io.apply([Command("FV-101", 1.0, pod.desk.now_ns, 9 * SECOND)], pod.desk.now_ns)

    assert not never
    assert not pod.io.outputs_at_fail()


def test_a_module_that_holds_on_is_not_at_fail() -> None:
    pod = Pod(module(watchdog_s=0.0))
    pod.wanted = {"FV-101": 1.0}
    pod.run(2.0)
    pod.module.deaf = True

    pod.io.safe_state(pod.desk.now_ns)
    pod.desk.run(pod.desk.now_ns + 3 * SECOND)

    assert not pod.io.outputs_at_fail()


def test_a_command_for_no_output_is_a_mistake() -> None:
    pod = Pod(module())

    with pytest.raises(PodError, match=r"E401 command for LT-999.*FV-101"):
        pod.io.apply([Command("LT-999", 1.0, 0, SECOND)], 0)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=3, max_size=12))
def test_an_ack_always_shows_the_newest_order_of_its_issue_time(orders: list[tuple[bool, bool]]) -> None:
    pod = Pod(module())
    issued: dict[int, dict[str, float]] = {}

    def tick(now_ns: int) -> None:
        on = orders[now_ns // TICK_NS % len(orders)]
        pod.wanted = {"FV-101": float(on[0]), "FV-103": float(on[1])}
        issued[now_ns] = dict(pod.wanted)
        pod.tick(now_ns)

    pod.desk.run(6 * SECOND, tick)

    acks = [ack for _, scan in pod.scans for ack in scan.acks.values()]
    assert len(acks) > 10
    assert all(issued[ack.issued_ns][ack.tag] == ack.open_frac for ack in acks)
    assert all(ack.issued_ns < ack.taken_ns for ack in acks)


def test_a_fail_position_is_set_with_the_watchdog_and_both_are_verified() -> None:
    plan = OutputPlan(0, 1, (("FV-1", 0),), 0, 2 * SECOND, 20, 8, fail_position=(6, 0))
    module = OutputModule(plan, Device("XM", "A", 1, 0, 0), {})
    shown, asked = {8: 0, 6: 1}, []

    while module.watchdog_due:
        frame = module.watchdog_request().frame
        address = int.from_bytes(frame[2:4], "big")
        asked.append((frame[1], address))
        if frame[1] == 16:
            shown[address] = int.from_bytes(frame[7:9], "big")
            assert not module.watchdog_verified
        module.watchdog_reply(bytes((1, frame[1], 2)) + shown[address].to_bytes(2, "big"))

    assert asked == [(3, 8), (16, 8), (3, 8), (3, 6), (16, 6), (3, 6)]
    assert module.watchdog_verified
    assert shown == {8: 20, 6: 0}
