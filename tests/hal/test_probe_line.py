"""EZO probes: the dialogue, orders of a person, sleep and restarts, and no garbage that measures anything."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.description import load
from hal.device_facts import ProbeDialogue
from hal.line import Send
from hal.points import Point
from hal.probe_line import Order, ProbeLine, parse_reading
from hal.values import Cause, Quality, Reading
from sim_hardware.described.ezo import EzoProbe
from sim_hardware.executive import Executive, Port

S = 1_000_000_000
PH = Point("AT", "frame", 0, "number", "pH", 0.001, 14.0)
DIALOGUE = load("atlas_ezo_ph").probe


class Pond:
    """A probe on its line, on virtual time; ph is what the water has."""

    def __init__(self) -> None:
        assert DIALOGUE is not None
        self.ph = 7.0
        self.line = ProbeLine("P", 9600, [PH], DIALOGUE, 2 * S)
        self.probe = EzoProbe("P", "AE-1", [lambda: self.ph])
        self.executive = Executive([Port(self.line, self.probe, 9600)], self, lambda _: None, S // 2)

    def advance_to(self, now_ns: int) -> None:
        """Water stands still."""

    def run(self, duration_s: float) -> Reading:
        self.executive.run_until(self.executive.now_ns + round(duration_s * S))
        self.line.collect(self.executive.now_ns)
        return self.line.readings["AT"]

    def hear(self, data: bytes) -> None:
        self.line.receive(data, self.executive.now_ns)

    def restart_aloud(self, now_ns: int) -> None:
        for _, data in self.probe.restart(now_ns):
            self.line.receive(data, now_ns)

    def restart_unheard(self, now_ns: int) -> None:
        self.probe.restart(now_ns)

    def order(self, text: str, proof: str = "", wait_s: float = 12.0) -> Order:
        order = self.line.order(Order(text, proof))
        self.run(wait_s)
        return order


def test_a_new_probe_is_set_up_and_read() -> None:
    pond = Pond()

    reading = pond.run(10.0)

    assert (reading.value, reading.quality) == (7.0, Quality.GOOD)
    assert pond.probe.commands[:2] == ["*OK,1", "C,0"]
    assert pond.probe.due_ns() > 10**18  # it no longer speaks by itself


def test_a_reading_is_as_old_as_its_question() -> None:
    pond = Pond()

    reading = pond.run(10.0)

    assert 0.9 * S <= pond.executive.now_ns - reading.taken_ns <= 4 * S


def test_what_changes_is_seen() -> None:
    pond = Pond()
    pond.run(10.0)
    pond.ph = 5.5

    assert pond.run(5.0).value == 5.5


def test_what_is_left_of_an_answer_cut_off_is_no_part_of_the_next() -> None:
    line, now_ns = ProbeLine("P", 9600, [PH], ProbeDialogue(reading_s=0.9, reply_s=0.3), 2 * S), S

    for heard in (b"7", b"7.02\r*OK\r"):
        while not isinstance(action := line.next_action(now_ns), Send):
            now_ns = action.until_ns
        now_ns += S
        line.receive(heard, now_ns)

    assert line.readings["AT"].value == 7.02  # and not 77.02


def test_a_restart_that_nobody_ordered_sets_it_up_again() -> None:
    pond = Pond()
    pond.run(10.0)
    pond.executive.at(12 * S, pond.restart_aloud)

    reading = pond.run(15.0)

    assert reading.quality is Quality.GOOD
    assert pond.probe.commands.count("C,0") >= 2
    assert pond.probe.due_ns() > 10**18


def test_a_restart_that_was_not_heard_is_found_out() -> None:
    pond = Pond()
    pond.run(10.0)
    pond.executive.at(12 * S, pond.restart_unheard)

    assert pond.run(40.0).quality is Quality.GOOD
    assert pond.probe.due_ns() > 10**18


def test_a_calibration_is_carried_out_and_read_back_twice() -> None:
    pond = Pond()
    pond.run(10.0)

    order = pond.order("Cal,mid,7.00", "Cal,?")

    assert (order.ended, order.failed) == (True, "")
    assert order.answers == [(), ("?Cal,1",), ("?Cal,1",)]
    assert pond.probe.calibrated == {"mid": 7.0}
    assert pond.run(5.0).quality is Quality.GOOD


def test_an_order_that_the_probe_does_not_know_fails_and_says_so() -> None:
    pond = Pond()
    pond.run(10.0)

    order = pond.order("Cal,middle,7")

    assert "does not know 'Cal,middle,7'" in order.failed


def test_an_order_without_an_answer_is_sent_once_only() -> None:
    pond = Pond()
    pond.run(10.0)
    pond.probe.reply_s = 30.0

    order = pond.order("Cal,low,4.00", "Cal,?")

    assert "look whether it took" in order.failed
    assert pond.probe.commands.count("Cal,low,4.00") == 1


def test_sleep_makes_readings_bad_and_an_order_wakes_it() -> None:
    pond = Pond()
    pond.run(10.0)

    slept = pond.order("Sleep")
    asleep = pond.run(1.0)
    woken = pond.order("Status")

    assert slept.ended and not slept.failed
    assert (asleep.quality, asleep.cause) == (Quality.BAD, Cause.OUT_OF_SERVICE)
    assert woken.answers == [("?Status,P,5.038",)]
    assert pond.run(5.0).quality is Quality.GOOD


def test_a_weak_supply_makes_readings_uncertain() -> None:
    pond = Pond()
    pond.run(10.0)
    pond.probe.supply_code = "*UV"

    reading = pond.run(6.0)

    assert (reading.quality, reading.cause) == (Quality.UNCERTAIN, Cause.SENSOR_NOT_ACCURATE)


def test_what_was_measured_on_a_weak_supply_stays_uncertain() -> None:
    pond = Pond()
    pond.run(10.0)
    pond.ph = 9.0
    pond.hear(b"*UV\r")
    pond.run(59.0)
    pond.ph = 5.0

    seen = [pond.run(0.1) for _ in range(80)]

    assert not [each for each in seen if each.quality is Quality.GOOD and each.value == 9.0]
    assert (seen[-1].value, seen[-1].quality) == (5.0, Quality.GOOD)


def test_after_a_silence_no_number_from_before_it_comes_back() -> None:
    line, now_ns = ProbeLine("P", 9600, [PH], ProbeDialogue(reading_s=0.9, reply_s=0.3), 2 * S), S
    seen = []

    for heard, silence_s in ((b"7.00\r*OK\r", 0), (b"7.00\r*OK\r", 0), (b"9.00\r*OK\r", 10)):
        now_ns += silence_s * S
        line.collect(now_ns)
        seen.append(line.readings["AT"].quality)
        while not isinstance(action := line.next_action(now_ns), Send):
            now_ns = action.until_ns
        now_ns += S
        line.receive(heard, now_ns)

    assert seen == [Quality.BAD, Quality.GOOD, Quality.BAD]
    assert line.readings["AT"].value == 9.0


def test_a_silent_probe_goes_bad() -> None:
    pond = Pond()
    pond.run(10.0)
    pond.probe.reading_s = 1000.0

    assert pond.run(30.0).cause is Cause.NO_COMMUNICATION


@pytest.mark.parametrize(
    ("lines", "fields", "numbers"),
    [
        (["7.82"], 1, (7.82,)),
        (["-1.5,97.7"], 2, (-1.5, 97.7)),
        (["7.82", "7.82"], 1, None),
        (["7.82"], 2, None),
        (["7,82"], 1, None),
        (["7.8.2"], 1, None),
        (["nan"], 1, None),
        (["1e5"], 1, None),
        (["+7"], 1, None),
        ([""], 1, None),
        ([], 1, None),
    ],
)
def test_a_reading_is_one_line_of_plain_numbers(
    lines: list[str], fields: int, numbers: tuple[float, ...] | None
) -> None:
    assert parse_reading(lines, fields) == numbers


def is_no_code(garbage: bytes) -> bool:
    """Nothing in it says that the probe sleeps or complains of its supply, which are believed for longer."""
    return not any(code in garbage for code in (b"*SL\r", b"*OV\r", b"*UV\r"))


@settings(max_examples=50)
@given(st.binary(max_size=120).filter(is_no_code), st.floats(0.0, 3.0))
def test_after_any_garbage_it_is_read_again_and_right(garbage: bytes, after_s: float) -> None:
    pond = Pond()
    pond.run(8.0 + after_s)

    pond.hear(garbage)

    reading = pond.run(20.0)
    assert (reading.value, reading.quality) == (7.0, Quality.GOOD)


TEXTS = ("7.0", "*OK", "*ER", "*RS", "*RE", "*SL", "*WA", "*OV", "?Cal,1", "7.0,7.0", "\x00", "9", "")


@settings(max_examples=50)
@given(st.lists(st.sampled_from(TEXTS), max_size=12), st.floats(0.0, 3.0))
def test_after_any_codes_it_is_read_again(texts: list[str], after_s: float) -> None:
    pond = Pond()
    pond.run(8.0 + after_s)

    pond.hear("\r".join(texts).encode("latin-1") + b"\r")
    pond.order("Status")  # a probe that seems to sleep is woken by an order only

    assert pond.run(20.0).quality is not Quality.BAD


@pytest.mark.campaign
@pytest.mark.parametrize("with_order", [False, True])
def test_fuzz_no_bytes_raise_or_give_a_good_value_out_of_range(depth: str, with_order: bool) -> None:
    dice = random.Random(7)
    line = ProbeLine("P", 9600, [PH], DIALOGUE or ProbeDialogue(reading_s=0.9, reply_s=0.3), 2 * S)
    pieces = [text.encode("latin-1") + b"\r" for text in TEXTS] + [b"7.", b"82\r", b"\r", b"*", b"OK\r"]
    now_ns = 0
    for k in range(1_000_000 if depth == "full" else 10_000):
        now_ns += dice.randrange(1, S)
        line.next_action(now_ns)
        data = dice.choice(pieces) if dice.random() < 0.8 else dice.randbytes(dice.randrange(1, 40))
        line.receive(data, now_ns)
        if with_order and k % 97 == 0:
            line.order(Order("Cal,mid,7.00", "Cal,?"))
        line.collect(now_ns)
        reading = line.readings["AT"]
        assert math.isnan(reading.value) == (reading.quality is Quality.BAD)
        assert reading.quality is Quality.BAD or PH.low <= reading.value <= PH.high
