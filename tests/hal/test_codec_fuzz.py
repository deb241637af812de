"""Random and mutated answers to every codec: nothing raises, and what is believed wrongly is what chance explains.

A sample in ordinary runs, a million per codec with --full. Dialogues of probes: test_probe_line.py.
"""

import math
import random
from collections.abc import Iterator

import pytest

from hal.blocks import Block, BlockPlan
from hal.description import known_types, load
from hal.device import Device
from hal.device_facts import ContinuousFormat
from hal.line import Send
from hal.modbus import Verdict, coils_request, crc16, judge, judge_body, read_request
from hal.points import Point, decoder, resolve
from hal.serial_instruments import WeightDecoder, checksum
from hal.tcp_line import ModbusTcpLine
from hal.values import Quality
from sim_hardware.io_module import IoModule8
from sim_hardware.rtu_codec import RequestFramer
from sim_hardware.slave import LineOfSlaves, Slave

pytestmark = pytest.mark.campaign
REQUEST = read_request(7, 4, 0, 6)
BODY = REQUEST.head + bytes(range(12))
REPLY = BODY + crc16(BODY).to_bytes(2, "little")
CRC_CHANCE, SUM_CHANCE = 1 / 65536, 1 / 128
DECODERS = [
    decoder(Point("T", "input", 0, kind, "1", -1e6, 1e6, high_first=high_first), 0, 6)
    for kind in ("u16", "s16", "u8", "s8", "bcd", "u32", "s32", "f32", "bit")
    for high_first in (True, False)
]


def runs(depth: str) -> int:
    return 1_000_000 if depth == "full" else 20_000


def most(mean: float) -> float:
    """Far beyond what chance gives (more than 99.9 % of a Poisson distribution)."""
    return mean + 4.0 * math.sqrt(mean) + 4.0


def mutated(sound: bytes, dice: random.Random, count: int) -> Iterator[bytes]:
    """What a bad line makes of a sound frame, and now and then anything at all."""
    for _ in range(count):
        data, kind = bytearray(sound), dice.randrange(7)
        at = dice.randrange(len(data))
        if kind == 0:
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            data[at : at + dice.randrange(1, 5)] = dice.randbytes(dice.randrange(1, 5))
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            data[at:at] = dice.randbytes(dice.randrange(1, 4))
        elif kind == 4:
            data[at:] = dice.randbytes(len(data) - at)
        elif kind == 5:
            data += data[: dice.randrange(1, len(data))]
        else:
            data = bytearray(dice.randbytes(dice.randrange(40)))
        yield bytes(data)


def test_replies_of_a_serial_line(depth: str) -> None:
    tried = wrong = 0
    for reply in mutated(REPLY, random.Random(1), runs(depth)):
        verdict = judge(REQUEST, reply)
        tried += len(reply) == len(REPLY) and reply != REPLY
        wrong += verdict is Verdict.ACCEPTED and reply != REPLY
        assert verdict is not Verdict.ACCEPTED or (crc16(reply) == 0 and len(reply) == len(REPLY))

    assert wrong <= most(tried * CRC_CHANCE)


def test_replies_of_a_tcp_server(depth: str) -> None:
    for body in mutated(BODY, random.Random(2), runs(depth)):
        verdict = judge_body(REQUEST, body)
        assert verdict is not Verdict.PARTIAL
        assert verdict is not Verdict.ACCEPTED or (body.startswith(REQUEST.head) and len(body) == len(BODY))


def test_registers_of_every_type(depth: str) -> None:
    dice = random.Random(3)
    for _ in range(runs(depth) // len(DECODERS)):
        words = [dice.choice((0, 1, 0x7FC0, 0x7F80, 0x8000, 0xFFFF, dice.randrange(65536))) for _ in range(6)]
        for judge_words in DECODERS:
            value, quality, _ = judge_words(words)
            assert (quality is Quality.BAD) == math.isnan(value)
            assert quality is Quality.BAD or -1e6 <= value <= 1e6


def test_frames_of_an_indicator(depth: str) -> None:
    body = b"\x02\x23\x30\x20  1234     0\r"
    sound = body + bytes((checksum(body),))
    tried = wrong = 0
    for data in mutated(sound, random.Random(4), runs(depth)):
        weight = WeightDecoder(ContinuousFormat()).feed(data)
        tried += data != sound
        wrong += weight is not None and weight.quality is Quality.GOOD and weight.gross_kg != 123.4

    assert wrong <= most(tried * SUM_CHANCE)


@pytest.mark.parametrize("tare", [False, True], ids=["short", "17 bytes"])
def test_frames_of_an_indicator_without_a_checksum_never_raise(depth: str, tare: bool) -> None:
    stream = WeightDecoder(ContinuousFormat(tare=tare, checksum=False))
    for data in mutated(b"\x02\x23\x30\x20  1234" + b"     0" * tare + b"\r", random.Random(5), runs(depth)):
        weight = stream.feed(data)
        assert weight is None or math.isnan(weight.gross_kg) == (weight.quality is Quality.BAD)


def described() -> list[tuple[Point, int]]:
    """Every register point of the library, as some pod may have it, and how many words around it are read."""
    found = []
    for name in known_types():
        for spec in load(name).point:
            if spec.table in ("input", "holding") and spec.access == "read":
                point = resolve(spec, spec.name, (0.0, 10.0) if spec.span is not None else None)
                found.append((point, max(point.addresses()) - min(point.addresses()) + 1))
    return found


def test_registers_of_every_described_device(depth: str) -> None:
    dice, points = random.Random(6), described()
    decoders = [(point, count, decoder(point, min(point.addresses()), count)) for point, count in points]
    assert len(decoders) > 60

    for _ in range(runs(depth) // len(decoders)):
        for point, count, judge_words in decoders:
            words = [dice.choice((0, 1, 0x7FFF, 0x8000, 0xFFFF, dice.randrange(65536))) for _ in range(count)]
            value, quality, _ = judge_words(words)
            assert (quality is Quality.BAD) == math.isnan(value)
            assert quality is Quality.BAD or point.low <= value <= point.high, (point.tag, words)


def test_streams_of_a_tcp_server(depth: str) -> None:
    """Cut into frames by the line itself: only a whole frame with the number in flight may be believed."""
    dice, now_ns, believed = random.Random(8), 0, 0
    tick_ns = 100_000_000
    line = ModbusTcpLine("C", tick_ns)
    device = Device("D", "C", 7, 5_000_000, 50_000_000)
    point = Point("T", "input", 0, "u16", "1", 0.0, 65535.0)
    line.add(device, [Block(BlockPlan("input", 0, 6, tick_ns, (point,)), device, tick_ns, line.readings)], None)
    for data in mutated(b"\0\x01\0\0" + len(BODY).to_bytes(2, "big") + BODY, dice, runs(depth)):
        now_ns += dice.randrange(1, tick_ns)
        line.begin_tick(now_ns)
        action = line.next_action(now_ns)
        number = action.data[:2] if isinstance(action, Send) else b"\0\0"
        line.receive(number + data[2:] if dice.random() < 0.7 else data, now_ns + 1)
        line.next_action(now_ns + 2)
        line.collect(now_ns + 2)
        reading = line.readings["T"]
        believed += reading.quality is Quality.GOOD
        assert math.isnan(reading.value) == (reading.quality is Quality.BAD)

    assert believed > 0  # some are left sound, and the line recovers


def test_questions_to_a_slave(depth: str) -> None:
    """The other role: what a bad line makes of a question is never obeyed, and nothing raises."""
    dice, module = random.Random(9), IoModule8(lambda channel, on: None, {}, {}, 2.0)
    station, framer = LineOfSlaves("A", {"XM": Slave(7, module)}), RequestFramer()
    sound = coils_request(7, 0, [True] * 8).frame
    obeyed = tried = done = 0
    for data in mutated(sound, dice, runs(depth)):
        tried += data != sound
        frames = [*framer.feed(data), framer.silence()]
        before = module.held
        for frame in frames:
            assert all(len(answer) <= 256 for _, answer in station.receive(frame, 0))
        done += module.held != before
        obeyed += module.held != before and sound not in data
        module.power_cycle(0)

    assert done > obeyed
    assert obeyed <= most(tried * CRC_CHANCE)
