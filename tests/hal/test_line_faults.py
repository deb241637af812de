"""Every fault of a serial line, byte for byte: never a wrong GOOD value, never a wrong Ack."""

from collections.abc import Callable
from random import Random

import pytest
from crowded_line import Span, Trial, crowd
from hal_desk import (
    MS,
    TICK_NS,
    TURNAROUND_NS,
    Desk,
    Module,
    Pod,
    Replies,
    Slave,
    cells,
    crc,
    sealed,
    words,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.device import Condition
from hal.line import ModbusLine
from hal.values import Cause, Quality

LATE_NS = 240 * MS  # later than the time-out, not later than declared


def noise(random: Random, most: int = 9) -> bytes:
    return random.randbytes(random.randint(1, most))


def resealed(reply: bytes, at: int, value: int) -> bytes:
    body = bytearray(reply[:-2])
    body[at] = value
    return sealed(bytes(body))


def longer(reply: bytes) -> bytes:
    """A sound reply with one register more (or, for a write, two bytes more)."""
    if reply[1] > 4:
        return sealed(reply[:-2], 0, 0)
    return sealed(reply[:2], reply[2] + 2, reply[3:-2], words(4242))


def shorter(reply: bytes) -> bytes:
    """A sound reply with one register less."""
    if reply[1] > 4:
        return sealed(reply[:-4])
    return sealed(reply[:2], reply[2] - 2, reply[3:-4])


def second_master(unit: int, random: Random) -> Replies:
    """Somebody else asks the same device for four registers, and is answered."""
    request, reply = sealed(unit, 4, 0, 60, 0, 4), sealed(unit, 4, 8, words(4242, 4243, 4244, 4245))
    at_ns = random.randint(10, 400) * MS
    return [(at_ns, request), (at_ns + len(request) * 260_416 + TURNAROUND_NS, reply)]


def spoil_one(kind: str, request: bytes, reply: bytes, random: Random) -> Replies:
    """The replies that a spoilt transaction gives, as (delay, bytes)."""
    soon = TURNAROUND_NS
    other = request[0] % 247 + 1
    one: dict[str, Callable[[], Replies]] = {
        "late": lambda: [(LATE_NS, reply)],
        "late_twice": lambda: [(150 * MS, reply), (LATE_NS, reply)],
        "duplicate": lambda: [(soon, reply + reply)],
        "duplicate_after_a_pause": lambda: [(soon, reply), (soon + 3 * MS, reply)],
        "short": lambda: [(soon, shorter(reply))],
        "long": lambda: [(soon, longer(reply))],
        "wrong_unit": lambda: [(soon, resealed(reply, 0, other))],
        "wrong_unit_then_good": lambda: [(soon, resealed(reply, 0, other)), (soon + 30 * MS, reply)],
        "wrong_function": lambda: [(soon, resealed(reply, 1, 3 if reply[1] != 3 else 4))],
        "wrong_echo": lambda: [(soon, resealed(reply, 3, reply[3] ^ 1 if reply[1] > 4 else reply[3]))],
        "own_echo": lambda: [(-len(request) * 260_416, request)],
        "own_echo_then_reply": lambda: [(-len(request) * 260_416, request), (soon, reply)],
        "late_own_echo": lambda: [(0, request)],
        "noise_before": lambda: [(soon, noise(random) + reply)],
        "noise_well_before": lambda: [(MS, noise(random, 2)), (soon + 6 * MS, reply)],
        "noise_after": lambda: [(soon, reply + noise(random))],
        "noise_only": lambda: [(soon, noise(random, 40))],
        "bad_crc": lambda: [(soon, reply[:-2] + bytes((reply[-2] ^ 1, reply[-1])))],
        "truncated": lambda: [(soon, reply[: random.randint(1, len(reply) - 1)])],
        "two_merged": lambda: [(soon, bytes(a & b for a, b in zip(reply, resealed(reply, 0, other), strict=True)))],
        "silent": lambda: [],
        "exception": lambda: [(soon, sealed(reply[0], reply[1] | 0x80, random.choice([1, 2, 3, 4, 5, 6, 10, 11])))],
        "early": lambda: [(-3 * MS, reply)],
        "babble": lambda: [(soon, reply), (random.randint(10, 400) * MS, noise(random, 40))],
        "second_master": lambda: [(soon, reply), *second_master(request[0], random)],
    }
    return one[kind]()


# fmt: off
KINDS = [
    "late", "late_twice", "duplicate", "duplicate_after_a_pause", "short", "long", "wrong_unit", "wrong_unit_then_good",
    "wrong_function", "wrong_echo", "own_echo", "own_echo_then_reply", "late_own_echo", "noise_before",
    "noise_well_before", "noise_after", "noise_only", "bad_crc", "truncated", "two_merged", "silent", "exception",
    "early", "babble", "second_master",
]
# fmt: on

# The same unit with the same count, another count, another function.
SPANS: list[Span] = [
    (1, "input", 8, 4),
    (1, "input", 20, 4),
    (1, "input", 30, 4),
    (1, "input", 40, 7),
    (1, "holding", 20, 4),
    (3, "input", 20, 4),
    (3, "holding", 20, 4),
    (3, "input", 50, 7),
]


def trial(kinds: list[str], chance: float, seed: int) -> Trial:
    """A module with outputs and four more blocks, and a second unit with three."""
    line = crowd(ModbusLine("A", 38400, True, TICK_NS), SPANS)
    slave = Slave(modules={1: Module(watchdog_count=20)})
    return Trial(
        line, lambda spoil: Desk(line, 38400, slave, spoil), lambda desk: desk.now_ns, spoil_one, kinds, chance, seed
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_fault_makes_a_wrong_value_or_a_wrong_ack(kind: str) -> None:
    one = trial([kind], chance=0.2, seed=1)

    one.run(60.0)

    assert one.count[kind] > 10
    assert one.good > 100


def test_a_random_campaign_of_all_faults_gives_no_wrong_value() -> None:
    all_of_them = trial(KINDS, chance=0.15, seed=7)

    all_of_them.run(1000.0)

    assert all_of_them.slave.requests > 3500
    assert all_of_them.count.total() > 450
    assert all_of_them.good > 13000
    assert all_of_them.acks > 350


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 240), st.binary(min_size=1, max_size=40)), max_size=6))
def test_bytes_that_fail_the_checks_never_give_a_good_value(chunks: list[tuple[int, bytes]]) -> None:
    unsound = [(delay_ms * MS, data) for delay_ms, data in chunks if data[-2:] != crc(data[:-2])]
    pod = Pod(cells(2), spoil=lambda request, reply: unsound)

    scan = pod.run(8.0)

    assert {r.quality for _, s in pod.scans for r in s.readings.values()} == {Quality.BAD}
    assert scan.readings["WT-101"].cause is Cause.NO_COMMUNICATION


@pytest.mark.parametrize("drip_ms", [0, 1, 5])
def test_a_reply_that_drips_in_byte_by_byte_is_taken(drip_ms: int) -> None:
    def drip(request: bytes, reply: bytes) -> Replies:
        start = TURNAROUND_NS
        gap = max(drip_ms * MS, 260_416)
        return [(start + k * gap, reply[k : k + 1]) for k in range(len(reply))]

    pod = Pod(cells(2), spoil=drip if drip_ms < 5 else lambda q, r: [(4 * MS, r[:3]), (30 * MS, r[3:])])

    assert pod.run(1.0).readings["WT-101"].value == 25.0


def test_a_byte_in_the_silence_after_a_good_frame_spoils_it() -> None:
    pod = Pod(cells(2), spoil=lambda q, r: [(TURNAROUND_NS, r), (TURNAROUND_NS + len(r) * 260_416 + MS, b"\0")])

    assert pod.run(3.0).readings["WT-101"].quality is Quality.BAD


@pytest.mark.parametrize(
    ("code", "cause"),
    [(1, Cause.CONFIGURATION_ERROR), (2, Cause.CONFIGURATION_ERROR), (4, Cause.DEVICE_FAILURE)],
)
def test_a_refusal_says_why_at_once(code: int, cause: Cause) -> None:
    pod = Pod(cells(2), spoil=lambda q, r: [(TURNAROUND_NS, sealed(q[0], q[1] | 0x80, code))])

    reading = pod.run(0.4).readings["WT-101"]

    assert (reading.quality, reading.cause) == (Quality.BAD, cause)


def test_a_busy_device_is_asked_again_soon_and_is_not_called_dead() -> None:
    answers = iter([6, 6, 5])

    def busy(request: bytes, reply: bytes) -> Replies:
        code = next(answers, 0)
        return [(TURNAROUND_NS, sealed(request[0], request[1] | 0x80, code) if code else reply)]

    pod = Pod(cells(2), spoil=busy)
    scan = pod.run(0.45)

    assert scan.readings["WT-101"].value == 25.0
    assert pod.io.health()[0].condition is Condition.OK


def test_faults_are_counted_by_what_they_were() -> None:
    pod = Pod(cells(2), spoil=lambda q, r: [(TURNAROUND_NS, r[:-2] + b"\0\0")])

    pod.run(3.0)

    assert pod.io.health()[0].faults == {"bad_crc": 4}
    assert pod.io.health()[0].condition is Condition.DEAD
