"""The controller's lines and the simulated slaves against each other, byte for byte on virtual time."""

import pytest
from reference_field import Steady, hardware, steady_field

from hal import pod_io
from hal.values import Ack, Cause, Command, Quality, Reading, Scan
from sim_hardware.executive import Executive
from sim_hardware.wiring import output_tags, probe_tags

SECOND_NS = 1_000_000_000
TICK_NS = SECOND_NS // 2
pytestmark = pytest.mark.scenario


class Hand:
    """A plant that is the hand of a clock."""

    now_ns = 0

    def advance_to(self, now_ns: int) -> None:
        self.now_ns = now_ns


class Bench:
    """PodIO on the reference wiring; every tick scans, then commands what `wanted` says."""

    def __init__(self, watchdog_s: float = 2.0) -> None:
        self.steady: Steady = steady_field(watchdog_s)
        self.field = self.steady.field
        self.pod = pod_io.build(hardware())
        self.wanted: dict[str, float] = {}
        self.newest: Scan | None = None
        self.hand = Hand()
        self.executive = Executive(self.field.ports(self.pod.lines), self.hand, self.tick, TICK_NS)

    def tick(self, now_ns: int) -> None:
        self.newest = self.pod.scan(now_ns)
        wanted = self.wanted.items()
        self.pod.apply([Command(tag, frac, now_ns, now_ns + 2 * TICK_NS) for tag, frac in wanted], now_ns)

    def run(self, until_s: float) -> Scan:
        self.executive.run_until(round(until_s * SECOND_NS))
        assert self.newest is not None
        return self.newest

    def reading(self, tag: str) -> Reading:
        assert self.newest is not None
        return self.newest.readings[tag]


def test_every_tag_is_good_after_a_second_and_shows_what_is_there() -> None:
    bench = Bench()

    scan = bench.run(1.0)

    assert {tag: scan.readings[tag].quality for tag in probe_tags()} == dict.fromkeys(probe_tags(), Quality.GOOD)
    shown = {tag: scan.readings[tag].value for tag in probe_tags()}
    assert shown == pytest.approx(bench.steady.values, abs=0.011)


def test_a_commanded_output_is_proved_within_two_ticks() -> None:
    bench = Bench()
    bench.run(5.0)
    bench.wanted = {"FV-101": 1.0, "XA-901": 0.0}

    scan = bench.run(6.5)

    assert scan.acks["FV-101"] == Ack("FV-101", 1.0, 6 * SECOND_NS, scan.acks["FV-101"].taken_ns)
    assert bench.steady.driven == [("FV-101", True)]
    assert scan.acks["XA-901"].open_frac == 0.0


@pytest.mark.parametrize("kind", ["line_dead", "device_dead", "write_lost"])
def test_outputs_fall_by_the_watchdog_when_orders_do_not_arrive(kind: str) -> None:
    bench = Bench()
    bench.wanted = dict.fromkeys(output_tags(), 1.0)
    bench.run(5.0)
    assert all(bench.field.held(tag) for tag in output_tags())

    bench.field.inject(kind, "A" if kind == "line_dead" else "XM-A")
    bench.run(8.0)

    fallen = {tag for tag, on in bench.steady.driven if not on}
    assert len(fallen) == 8
    assert not any(bench.field.held(tag) for tag in fallen)
    assert bench.field.held("FV-102")


def test_a_dead_line_turns_its_tags_bad_and_comes_back() -> None:
    bench = Bench()
    bench.run(3.0)

    bench.field.inject_at(bench.executive, 3 * SECOND_NS, 20 * SECOND_NS, "line_dead", "B")
    bench.run(10.0)

    assert bench.reading("LT-201")[2:4] == (Quality.BAD, Cause.NO_COMMUNICATION)
    assert bench.reading("WT-101").quality is Quality.GOOD
    bench.run(60.0)
    assert bench.reading("LT-201").quality is Quality.GOOD


def test_an_ignored_write_is_never_proved() -> None:
    bench = Bench()
    bench.wanted = {"FV-101": 0.0}
    bench.run(2.0)
    bench.field.inject("write_ignored", "XM-A")
    bench.wanted = {"FV-101": 1.0}

    scan = bench.run(6.0)

    assert scan.acks["FV-101"].open_frac == 0.0
    assert bench.steady.driven == []


TROUBLES: list[tuple[str, dict[str, float]]] = [
    *(("late_reply", {"delay_s": delay_s}) for delay_s in (0.02, 0.05, 0.1, 0.15, 0.2, 0.24)),
    *(("duplicate_reply", {"gap_s": gap_s}) for gap_s in (0.0, 0.01, 0.05, 0.2)),
    *(("truncated_reply", {"kept_bytes": kept_bytes}) for kept_bytes in (1.0, 4.0, 8.0)),
    *(("wrong_unit", {"unit": unit}) for unit in (1.0, 2.0, 3.0)),
    ("crc_errors", {"probability_frac": 0.5, "seed": 1}),
    ("device_busy", {}),
    ("device_failure", {}),
    ("write_lost", {}),
    ("write_ignored", {}),
]


@pytest.mark.parametrize(("kind", "parameters"), TROUBLES)
@pytest.mark.parametrize("target", ["B", "XM-B", "LM-202"])
def test_no_trouble_makes_one_answer_pass_for_another(kind: str, parameters: dict[str, float], target: str) -> None:
    bench = Bench()
    bench.wanted = {"FV-102": 1.0}
    bench.field.inject_at(bench.executive, 0, 20 * SECOND_NS, kind, target, **parameters)

    for tick in range(1, 120):
        scan = bench.run(0.5 * tick)
        good = {tag: reading.value for tag, reading in scan.readings.items() if reading.quality is Quality.GOOD}
        assert good == pytest.approx({tag: bench.steady.values[tag] for tag in good}, abs=0.011)

    assert all(bench.reading(tag).quality is Quality.GOOD for tag in probe_tags())
    assert bench.field.held("FV-102")


@pytest.mark.parametrize("delay_s", [0.01, 0.03, 0.045, 0.06, 0.1, 0.15, 0.2, 0.24])
@pytest.mark.parametrize("kind", ["late_reply", "duplicate_reply"])
def test_a_good_reading_is_no_older_than_its_time_stamp_says(kind: str, delay_s: float) -> None:
    bench = Bench()
    bench.steady.probes["LT-202"] = lambda: bench.hand.now_ns / SECOND_NS
    parameter = "delay_s" if kind == "late_reply" else "gap_s"
    for k in range(4):
        period_ns = 4 * SECOND_NS
        begin_ns = k * period_ns + SECOND_NS
        bench.field.inject_at(bench.executive, begin_ns, begin_ns + 2 * SECOND_NS, kind, "B", **{parameter: delay_s})

    for tick in range(2, 38):
        reading = bench.run(0.5 * tick).readings["LT-202"]
        if reading.quality is Quality.GOOD:
            assert reading.taken_ns / SECOND_NS - 0.1 <= reading.value <= reading.taken_ns / SECOND_NS + 1e-5


def test_a_frozen_module_keeps_its_outputs_and_is_noticed() -> None:
    bench = Bench()
    bench.wanted = {"FV-101": 1.0}
    bench.run(5.0)

    bench.field.inject("module_frozen", "XM-A")
    scan = bench.run(20.0)

    assert bench.field.held("FV-101")
    assert bench.reading("ZT-101").quality is Quality.BAD
    assert scan.acks["FV-101"].taken_ns <= 5 * SECOND_NS


def test_a_module_fresh_from_the_factory_gets_its_watchdog_set() -> None:
    bench = Bench(watchdog_s=0.0)
    assert bench.field.devices["XM-A"].holdings()[:4] == bytes(4)

    bench.run(2.0)

    assert bench.pod.watchdogs_verified()
    assert bench.field.devices["XM-A"].holdings()[:4] == (20).to_bytes(2, "big") + bytes(2)


def test_safe_state_is_proved_by_read_back_of_every_output() -> None:
    bench = Bench()
    bench.wanted = dict.fromkeys(output_tags(), 1.0)
    bench.run(5.0)

    bench.wanted = {}
    bench.pod.safe_state(bench.executive.now_ns)
    assert not bench.pod.outputs_at_fail()
    bench.run(6.0)

    assert bench.pod.outputs_at_fail()
    assert not any(bench.field.held(tag) for tag in output_tags())


def test_two_runs_give_the_same_scans() -> None:
    def run() -> list[Scan]:
        bench = Bench()
        bench.field.inject("crc_errors", "A", probability_frac=0.2, seed=3)
        bench.field.inject("crc_errors", "W", probability_frac=0.2, seed=4)
        bench.wanted = {"FV-101": 1.0}
        return [Scan(dict(scan.readings), dict(scan.acks)) for scan in (bench.run(0.5 * k) for k in range(1, 60))]

    assert repr(run()) == repr(run())
