"""Virtual time: bytes arrive when the wire would have carried them, in an order that one run repeats from another."""

from collections.abc import Callable, Mapping

import pytest

from hal.errors import PodError
from hal.line import Line, Send, Wait
from sim_hardware.executive import Executive, Port
from sim_hardware.indicator import IndicatorLine, WeighIndicator
from sim_hardware.io_module import IoModule8
from sim_hardware.rtu_codec import seal
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.station import NEVER_NS, Station
from sim_hardware.troubles.wire_faults import make

MS_NS = 1_000_000
SECOND_NS = 1000 * MS_NS
READ = seal(1, bytes.fromhex("040000000B"))
ALL_ON = seal(1, bytes.fromhex("0F0000000801FF"))


class Script:
    """A line that sends set frames at set times and notes what arrives."""

    name = "A"

    def __init__(self, sends: Mapping[int, bytes]) -> None:
        self.sends = sorted(sends.items())
        self.arrived: list[tuple[int, bytes]] = []
        self.asked = 0

    def next_action(self, now_ns: int) -> Send | Wait:
        self.asked += 1
        if not self.sends:
            return Wait(NEVER_NS)
        when_ns, data = self.sends[0]
        if when_ns > now_ns:
            return Wait(when_ns)
        self.sends.pop(0)
        return Send(data)

    def receive(self, data: bytes, now_ns: int) -> None:
        self.arrived.append((now_ns, data))


class Plant:
    """Notes when it was brought along; its one quantity is the time."""

    def __init__(self) -> None:
        self.visits_ns: list[int] = []

    def advance_to(self, now_ns: int) -> None:
        assert not self.visits_ns or now_ns > self.visits_ns[-1]
        self.visits_ns.append(now_ns)

    def time_s(self) -> float:
        return self.visits_ns[-1] / SECOND_NS if self.visits_ns else 0.0


def nothing(now_ns: int) -> None:
    pass


def line_of_one(drive: Callable[[int, bool], None] = lambda channel, on: None) -> LineOfSlaves:
    return LineOfSlaves("A", {"XM": Slave(1, IoModule8(drive, {}, {}, 2.0), turnaround_s=0.004)})


def executive(
    line: Line, station: Station, plant: Plant, tick: Callable[[int], None] = nothing, baud: int = 38400
) -> Executive:
    return Executive([Port(line, station, baud)], plant, tick, 500 * MS_NS)


@pytest.mark.parametrize("baud", [9600, 19200, 38400, 115200])
def test_a_reply_arrives_after_both_wire_times_and_the_turnaround(baud: int) -> None:
    script = Script({100 * MS_NS: READ})

    executive(script, line_of_one(), Plant(), baud=baud).run_until(SECOND_NS)

    ((arrived_ns, reply),) = script.arrived
    request_ns, reply_ns = (len(frame) * 10 * SECOND_NS // baud for frame in (READ, reply))
    assert len(reply) == 27
    assert arrived_ns == 100 * MS_NS + request_ns + 4 * MS_NS + reply_ns


def test_a_tick_sees_what_arrived_at_its_own_instant() -> None:
    probe = Script({0: READ})
    executive(probe, line_of_one(), Plant()).run_until(SECOND_NS)
    trip_ns = probe.arrived[0][0]
    script = Script({500 * MS_NS - trip_ns: READ, 500 * MS_NS + 1: READ})
    seen: list[int] = []

    executive(script, line_of_one(), Plant(), lambda now_ns: seen.append(len(script.arrived))).run_until(SECOND_NS)

    assert seen == [0, 1, 2]


def test_ticks_come_at_their_multiples_from_zero() -> None:
    ticks: list[int] = []

    run = executive(Script({}), line_of_one(), Plant(), ticks.append)
    run.run_until(SECOND_NS)
    run.run_until(1700 * MS_NS)

    assert ticks == [0, 500 * MS_NS, 1000 * MS_NS, 1500 * MS_NS]
    assert run.now_ns == 1700 * MS_NS


def test_a_tick_finds_the_plant_at_its_own_time() -> None:
    plant = Plant()
    shown_s: list[float] = []

    executive(Script({}), line_of_one(), plant, lambda now_ns: shown_s.append(plant.time_s())).run_until(SECOND_NS)

    assert shown_s == [0.0, 0.5, 1.0]


def test_what_a_tick_orders_leaves_at_once() -> None:
    script = Script({})

    def tick(now_ns: int) -> None:
        script.sends.append((now_ns, READ))

    executive(script, line_of_one(), Plant(), tick).run_until(700 * MS_NS)

    assert [now_ns // (500 * MS_NS) for now_ns, _ in script.arrived] == [0, 1]
    assert script.arrived[1][0] < 520 * MS_NS


def test_a_line_that_puts_off_its_wish_is_asked_at_the_later_time() -> None:
    script = Script({700 * MS_NS: READ})

    def tick(now_ns: int) -> None:
        script.sends = [(900 * MS_NS, READ)] if now_ns == 500 * MS_NS else script.sends

    executive(script, line_of_one(), Plant(), tick).run_until(950 * MS_NS)

    ((arrived_ns, _),) = script.arrived
    assert 900 * MS_NS < arrived_ns < 920 * MS_NS


def test_an_output_falls_at_the_very_end_of_its_watchdog_though_nobody_asks() -> None:
    plant = Plant()
    driven: list[tuple[float, bool]] = []
    script = Script({40 * MS_NS: ALL_ON})

    station = line_of_one(lambda channel, on: driven.append((plant.time_s(), on)) if channel == 0 else None)
    executive(script, station, plant).run_until(10 * SECOND_NS)

    written_s = 0.04 + (len(ALL_ON) * 10 * SECOND_NS // 38400) / SECOND_NS
    assert [on for _, on in driven] == [True, False]
    assert [when_s for when_s, _ in driven] == pytest.approx([written_s, written_s + 2.0], abs=1e-9)


def test_a_read_shows_a_plant_less_than_a_tenth_of_a_second_old() -> None:
    plant = Plant()
    ages_s: list[float] = []
    script = Script(dict.fromkeys(range(0, 900 * MS_NS, 37 * MS_NS), READ))
    station = line_of_one()
    receive = station.receive

    def noting(data: bytes, now_ns: int) -> list[tuple[float, bytes]]:
        ages_s.append(now_ns / SECOND_NS - plant.time_s())
        return receive(data, now_ns)

    station.receive = noting  # type: ignore[method-assign]  # the station under test, watched
    executive(script, station, plant).run_until(SECOND_NS)

    assert len(ages_s) == 25
    assert 0.0 <= min(ages_s) <= max(ages_s) < 0.1


def test_a_waiting_line_is_not_asked_in_vain() -> None:
    script = Script({9 * SECOND_NS: READ})

    executive(script, line_of_one(), Plant()).run_until(10 * SECOND_NS)

    assert script.asked < 30  # 21 ticks, one wake, one frame sent, one answer


def test_a_line_that_waits_for_the_past_is_a_mistake() -> None:
    class Stuck(Script):
        def next_action(self, now_ns: int) -> Send | Wait:
            return Wait(now_ns)

    with pytest.raises(PodError, match="E982 line A waits"):
        executive(Stuck({}), line_of_one(), Plant()).run_until(SECOND_NS)


def test_doubled_answers_follow_each_other_on_the_wire() -> None:
    script = Script({0: READ})
    station = line_of_one()
    station.inject(make("duplicate_reply"))

    executive(script, station, Plant()).run_until(SECOND_NS)

    (first_ns, frame), (second_ns, again) = script.arrived
    assert frame == again
    assert second_ns - first_ns == len(frame) * 10 * SECOND_NS // 38400


def test_a_fault_begins_and_ends_at_its_time() -> None:
    script = Script(dict.fromkeys(range(0, 5 * SECOND_NS, SECOND_NS), READ))
    station = line_of_one()
    run = executive(script, station, Plant())
    run.at(1 * SECOND_NS, lambda now_ns: station.inject(make("line_dead")))
    run.at(3 * SECOND_NS, lambda now_ns: station.clear("line_dead"))

    run.run_until(5 * SECOND_NS)

    assert [now_ns // SECOND_NS for now_ns, _ in script.arrived] == [0, 3, 4]


def test_an_event_in_the_past_is_a_mistake() -> None:
    run = executive(Script({}), line_of_one(), Plant())
    run.run_until(SECOND_NS)

    with pytest.raises(PodError, match="E981"):
        run.at(SECOND_NS - 1, nothing)


def test_a_module_that_recovers_from_a_hang_drops_its_outputs_at_once() -> None:
    driven: list[bool] = []
    station = line_of_one(lambda channel, on: driven.append(on))
    run = executive(Script({0: ALL_ON}), station, Plant())
    run.at(SECOND_NS, lambda now_ns: station.inject(make("module_frozen"), "XM"))
    run.at(8 * SECOND_NS, lambda now_ns: station.clear("module_frozen", "XM"))

    run.run_until(8 * SECOND_NS - 1)
    assert driven == [True] * 8
    run.run_until(8 * SECOND_NS)
    assert driven == [True] * 8 + [False] * 8


def test_indicator_frames_arrive_whole_seven_times_a_second() -> None:
    script = Script({})
    plant = Plant()
    station = IndicatorLine("W", "WI", WeighIndicator(plant.time_s, 1000.0))

    executive(script, station, plant, baud=9600).run_until(2 * SECOND_NS)

    wire_ns = 18 * 10 * SECOND_NS // 9600
    starts_ns = [now_ns - wire_ns for now_ns, _ in script.arrived]
    assert starts_ns == [k * (SECOND_NS // 7) for k in range(1, 14)]
    assert [int(frame[4:10]) for _, frame in script.arrived] == [round(k * 10 / 7) for k in range(1, 14)]


def test_two_runs_are_the_same_run() -> None:
    def run() -> tuple[list[tuple[int, bytes]], list[int]]:
        plant = Plant()
        script = Script({now_ns: READ if now_ns % 3 else ALL_ON for now_ns in range(0, 20 * SECOND_NS, 43_210_987)})
        station = line_of_one()
        station.inject(make("crc_errors", probability_frac=0.3, seed=5))
        station.inject(make("late_reply", delay_s=0.03))
        executive(script, station, plant).run_until(20 * SECOND_NS)
        return script.arrived, plant.visits_ns

    assert run() == run()
