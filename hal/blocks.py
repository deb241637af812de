"""A coalesced read: one prebuilt request, its period, and the points inside its reply.

Job: keep the request, the due time and the decoders of one block, and put fresh or BAD Readings
into the table of its line.
Neighbours: ``planner`` makes the plan, ``line`` decides when a block is read.
Must not know: the state of the line or of other blocks.
"""

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hal.description import Table
from hal.device import Device
from hal.modbus import READ_FUNCTION, read_request
from hal.outputs import OutputModule
from hal.points import Point, decoder
from hal.values import Cause, Quality, Reading

STALE_PERIODS = 3
_REPLY_HEAD = 3  # unit, function, byte count


@dataclass(frozen=True)
class BlockPlan:
    """Which addresses of one table are read together, how often, and for which points."""

    table: Table
    first: int
    count: int
    period_ns: int
    points: tuple[Point, ...]


class Block:
    """Mutable state of one block. due_ns: not read before; deadline_ns orders what is due."""

    __slots__ = (
        "_decoders",
        "_readings",
        "_stale",
        "_tick_ns",
        "_words_of",
        "device",
        "due_ns",
        "fast",
        "module",
        "period_ns",
        "plan",
        "request",
        "taken_ns",
        "words",
    )

    def __init__(self, plan: BlockPlan, device: Device, tick_ns: int, readings: dict[str, Reading]) -> None:
        self.device = device
        self._tick_ns = tick_ns
        self.module: OutputModule | None = None  # whose output image this block shows
        self.request = read_request(device.unit, READ_FUNCTION[plan.table], plan.first, plan.count)
        self.period_ns = plan.period_ns
        self.fast = plan.period_ns <= tick_ns
        self.due_ns = 0
        self.taken_ns = 0
        self._stale = True
        self._readings = readings
        self.plan = plan
        self.words: Sequence[int] = ()  # of the newest sound reply, as people may want to see them
        self._words_of = _words_of(plan)
        self._decoders = tuple((point.tag, decoder(point, plan.first, plan.count)) for point in plan.points)
        for point in plan.points:
            readings[point.tag] = Reading(point.tag, math.nan, Quality.BAD, Cause.INITIAL_VALUE, 0)

    @property
    def span(self) -> str:
        """What it reads, for people."""
        return f"{self.plan.table} {self.plan.first}..{self.plan.first + self.plan.count - 1}"

    def without_holes(self) -> "list[Block]":
        """Blocks that read what the points need and no more; only itself when nothing can be left out."""
        plan = self.plan
        needed = [(min(p.addresses()), max(p.addresses()), p) for p in plan.points]
        ends = [(first, last) for first, last, _ in needed]
        if self.module is not None:
            image = self.module.image_words()
            ends.append((plan.first + image[0], plan.first + image[-1]))
        runs = _runs(ends)
        if runs == [(plan.first, plan.first + plan.count - 1)]:
            return [self]
        return [self._part(low, high, [p for first, last, p in needed if low <= first <= high]) for low, high in runs]

    def _part(self, low: int, high: int, points: "list[Point]") -> "Block":
        plan = BlockPlan(self.plan.table, low, high - low + 1, self.plan.period_ns, tuple(points))
        part = Block(plan, self.device, self._tick_ns, self._readings)
        module = self.module
        if module is not None and low <= self.plan.first + module.image_words()[0] <= high:
            module.shown_from(self.plan.first + module.image_words()[0] - low)
            part.module, self.module = module, None
        return part

    def sent(self, now_ns: int) -> None:
        """Its request goes out. Fast blocks wait for the next tick, a little longer than it should take."""
        if self.fast:
            self.due_ns = now_ns + self.period_ns + self.period_ns // 4
            return
        self.due_ns += self.period_ns
        if self.due_ns <= now_ns:
            self.due_ns = now_ns + self.period_ns

    def accept(self, reply: bytes, taken_ns: int) -> Sequence[int]:
        """Decode a reply that passed every check; returns its words."""
        words = self.words = self._words_of(reply)
        readings = self._readings
        for tag, judge in self._decoders:
            value, quality, cause = judge(words)
            readings[tag] = Reading(tag, value, quality, cause, taken_ns)
        self.taken_ns = taken_ns
        self._stale = False
        return words

    def refuse(self, cause: Cause) -> None:
        """Every point BAD, keeping the time of its last sample."""
        for tag, _ in self._decoders:
            self._readings[tag] = Reading(tag, math.nan, Quality.BAD, cause, self.taken_ns)
        self._stale = True

    def age(self, now_ns: int) -> None:
        """BAD NO_COMMUNICATION when nothing new came for STALE_PERIODS, or the device is dead."""
        if self._stale:
            if self.device.dead:
                self.refuse(Cause.NO_COMMUNICATION)
        elif self.device.dead or now_ns - self.taken_ns > STALE_PERIODS * self.period_ns:
            self.refuse(Cause.NO_COMMUNICATION)


def _runs(ends: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches of addresses (first, last), those that touch or overlap joined."""
    runs: list[tuple[int, int]] = []
    for first, last in sorted(ends):
        if runs and first <= runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], max(runs[-1][1], last))
        else:
            runs.append((first, last))
    return runs


def _words_of(plan: BlockPlan) -> Callable[[bytes], Sequence[int]]:
    """From a sound reply to its registers, or to its bits as 0 and 1."""
    if plan.table in {"input", "holding"}:
        form = struct.Struct(f">{plan.count}H")
        return lambda reply: form.unpack_from(reply, _REPLY_HEAD)
    count = plan.count
    return lambda reply: [reply[_REPLY_HEAD + k // 8] >> k % 8 & 1 for k in range(count)]
