"""A crowded line whose answers are spoilt by chance: every value and every Ack is checked at every tick.

Neighbours: `hal_desk` carries the bytes and knows what each register held; tests/hal/test_line_faults.py spoils a
serial line, test_tcp_line.py a stream. It must not know what a fault looks like in bytes, nor how a request is stamped.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from hal_desk import IMAGE_AT, MS, SECOND, TICK_NS, TURNAROUND_NS, Desk, Replies, Spoil, told

from hal.blocks import Block, BlockPlan
from hal.description import Table
from hal.device import Device
from hal.line import ModbusLine
from hal.outputs import OutputModule, OutputPlan
from hal.pod_io import PodIO
from hal.points import Point
from hal.tcp_line import ModbusTcpLine
from hal.values import Command, Quality, Scan

Crowded = TypeVar("Crowded", ModbusLine, ModbusTcpLine)
Span = tuple[int, Table, int, int]  # unit, table, first address, count
SpoilOne = Callable[[str, bytes, bytes, Random], Replies]  # kind, request, good reply
OUTPUTS = ("FV-101", "FV-103")


def crowd(line: Crowded, spans: Sequence[Span]) -> Crowded:
    """The line with the blocks of spans, all of them fast; unit 1 has outputs too."""
    for unit in sorted({span[0] for span in spans}):
        device = Device(f"D-{unit}", line.name, unit, 5 * MS, 250 * MS)
        blocks = []
        for _, table, first, count in (span for span in spans if span[0] == unit):
            tags = [(f"{unit}.{table}.{first + k}", first + k) for k in range(count)]
            points = tuple(Point(tag, table, at, "u16", "1", 0.0, 65535.0) for tag, at in tags)
            blocks.append(Block(BlockPlan(table, first, count, TICK_NS, points), device, TICK_NS, line.readings))
        plan = OutputPlan(0, 8, tuple((tag, bit) for bit, tag in enumerate(OUTPUTS)), 0, 2 * SECOND, 20, 0)
        line.add(device, blocks, OutputModule(plan, device, line.acks) if unit == 1 else None)
    return line


class Trial:
    """One run. begin: the desk of the line, given a way to spoil; stamp_ns: what values of this request carry."""

    def __init__(
        self,
        line: ModbusLine,
        begin: Callable[[Spoil], Desk],
        stamp_ns: Callable[[Desk], int],
        spoil_one: SpoilOne,
        kinds: list[str],
        chance: float,
        seed: int,
    ) -> None:
        self.random, self.kinds, self.chance = Random(seed), kinds, chance
        self.count = Counter[str]()
        self.good = self.acks = 0
        self.desk = begin(self._spoil)
        self.slave = self.desk.slave
        self.io = PodIO([line], {})
        self._stamp_ns, self._spoil_one = stamp_ns, spoil_one
        self._asked: dict[int, tuple[int, int]] = {}  # stamp of a request -> its number, outputs as held then

    def run(self, until_s: float) -> None:
        """Let time pass, with a look and an order at every tick."""
        self.desk.run(round(until_s * SECOND), self.tick)

    def _spoil(self, request: bytes, reply: bytes) -> Replies:
        self._asked[self._stamp_ns(self.desk)] = (self.slave.requests, self.slave.modules[1].held)
        if self.random.random() >= self.chance:
            return [(TURNAROUND_NS, reply)]
        kind = self.random.choice(self.kinds)
        self.count[kind] += 1
        return self._spoil_one(kind, request, reply, self.random)

    def tick(self, now_ns: int) -> None:
        """Check what came, order something new."""
        self.check(self.io.scan(now_ns))
        wanted = [(tag, float(self.random.random() < 0.5)) for tag in OUTPUTS]
        self.io.apply([Command(tag, frac, now_ns, now_ns + SECOND) for tag, frac in wanted], now_ns)

    def check(self, scan: Scan) -> None:
        """A GOOD value is what the register held at the request with that stamp, an Ack was true then."""
        for tag, reading in scan.readings.items():
            if reading.quality is Quality.BAD:
                assert math.isnan(reading.value)
                continue
            unit, table, address = tag.split(".")
            number, held = self._asked[reading.taken_ns]
            register = told(int(unit), 3 if table == "holding" else 4, int(address), number)
            assert reading.value == (held if tag == f"1.input.{IMAGE_AT}" else register), tag
            self.good += 1
        for bit, tag in enumerate(OUTPUTS):
            ack = scan.acks.get(tag)
            if ack is not None:
                assert ack.open_frac == float(self._asked[ack.taken_ns][1] >> bit & 1)
                self.acks += 1
