"""The slaves of the campaign's line, and the faults that befall their answers.

Job: one relay module and three devices whose every register tells unit, table, address and the number of the exchange
in which it was read, so that no wrong value can pass for a right one; which fault an exchange suffers, and what is
heard then. Neighbours: `faults` (what a fault does), `desk` (asks), `campaign` (the oracle reads `told`). Must not
know the master.

One fault at a time per device: while bytes of a device are still on their way, its exchanges are not spoilt again.
A very late device answers in order: what it is asked meanwhile it answers after what it owes. A straggler is passed
by: the device goes on answering, the late answer comes in between (out of the store of a radio modem, say).
"""

import struct
from collections import Counter
from random import Random
from typing import NamedTuple

from sim_hardware.instruments import Device
from sim_hardware.io_module import IoModule8
from sim_hardware.line_campaign import faults
from sim_hardware.line_campaign.faults import DECLARED_LATE_NS, KINDS, MS, TURNAROUND_NS, WEIGHTS, Exchange, Frames
from sim_hardware.rtu_codec import READ_HOLDINGS, READ_INPUTS, crc16, parse, seal
from sim_hardware.slave import Slave

MODULE_UNIT, IMAGE_AT = 1, 8
REGISTERS = 64
WATCHDOG_S = 2.0
_NUMBERS = 128  # exchanges that a register tells apart
_REMEMBERED = 1024


def told(unit: int, function: int, address: int, number: int) -> int:
    """What a register holds in exchange `number`: 2 bits unit, 1 bit table, 6 bits address, 7 bits number."""
    return (unit & 3) << 14 | (function == READ_HOLDINGS) << 13 | address << 7 | number % _NUMBERS


class Teller(Device):
    """A device with 64 input and 64 holding registers, each telling where and when it was read."""

    inputs_size = REGISTERS
    holdings_size = REGISTERS
    _FORM = struct.Struct(f">{REGISTERS}H")

    def __init__(self, unit: int) -> None:
        self.number = 0
        self._firsts = {
            function: [told(unit, function, address, 0) for address in range(REGISTERS)]
            for function in (READ_INPUTS, READ_HOLDINGS)
        }

    def inputs(self) -> bytes:
        """Told in this exchange."""
        return self._words(READ_INPUTS)

    def holdings(self) -> bytes:
        """Told in this exchange."""
        return self._words(READ_HOLDINGS)

    def _words(self, function: int) -> bytes:
        number = self.number % _NUMBERS
        return self._FORM.pack(*[first | number for first in self._firsts[function]])


class Heard(NamedTuple):
    """One exchange as it went: what befell it, the good reply, and what was on the wire instead."""

    number: int
    unit: int
    kind: str  # "" = nothing
    reply: bytes
    frames: Frames
    outputs: int  # as the module held them when it was asked

    @property
    def collides(self) -> bool:
        """Whether bytes of its length that are not the reply fit a check sequence all the same."""
        return any(
            data != self.reply
            and len(data) == len(self.reply)
            and crc16(data[:-2]) == int.from_bytes(data[-2:], "little")
            for _, data in self.frames
        )


class FarEnd:
    """Everything at the far end; `heard` has the last exchanges by the end of their request."""

    def __init__(self, random: Random, fault_frac: float, char_ns: int, kinds: tuple[str, ...] = KINDS) -> None:
        self.module = IoModule8(lambda channel, on: None, {}, {}, WATCHDOG_S)
        self.tellers = {unit: Teller(unit) for unit in (2, 3, 4)}
        self.count: Counter[str] = Counter()
        self.heard: dict[int, Heard] = {}
        self.exchanges = 0
        self.expected_collisions = 0.0
        self.strangers: Counter[tuple[int, int, int, int]] = Counter()  # unit, function, first, count of their answers
        self._random, self._fault_frac, self._char_ns = random, fault_frac, char_ns
        self._kinds = kinds
        self._weights = [WEIGHTS[KINDS.index(kind)] for kind in kinds]
        self._slaves = {MODULE_UNIT: Slave(MODULE_UNIT, self.module)}
        self._slaves |= {unit: Slave(unit, teller) for unit, teller in self.tellers.items()}
        self._owes_ns = dict.fromkeys(self._slaves, 0)  # until when bytes of this unit may still come
        self._answers_ns = dict.fromkeys(self._slaves, 0)  # before that a very late device answers nothing new

    def answer(self, request: bytes, now_ns: int) -> Frames:
        """What is heard after a request that ended at now_ns; delays count from there."""
        asked = parse(request)
        if asked is None:
            return []
        unit = request[0]
        self.exchanges += 1
        self.module.advance(now_ns)
        reply = self._say(request, unit, self.exchanges, now_ns)
        outputs = self.module.held
        kind = self._draw(unit, now_ns)
        frames = self._befall(kind, request, reply, now_ns)
        if frames == [(TURNAROUND_NS, reply)] and kind != "brown_out":
            kind = ""  # by chance what was to be sent anyway
        if kind:
            self.count[kind] += 1
        wait_ns = max(0, self._answers_ns[unit] - now_ns) if kind != "very_late" else 0
        frames = [(delay_ns + wait_ns, data) for delay_ns, data in frames]
        if frames:
            gone_ns = max(delay_ns + len(data) * self._char_ns for delay_ns, data in frames)
            self._owes_ns[unit] = max(self._owes_ns[unit], now_ns + gone_ns)
        self._remember(now_ns, Heard(self.exchanges, unit, kind, reply, frames, outputs))
        return frames

    def _say(self, request: bytes, unit: int, number: int, now_ns: int) -> bytes:
        asked = parse(request)
        assert asked is not None
        if unit in self.tellers:
            self.tellers[unit].number = number
        slave = self._slaves[unit]
        slave.device.heard(now_ns)
        return seal(unit, slave.execute(asked))

    def _stranger(self, request: bytes, reply: bytes) -> bytes:
        """The answer of another device with the same address: sound, and of random values; a write is echoed alike."""
        if request[1] > READ_INPUTS:
            return reply
        return seal(reply[0], reply[1:3] + self._random.randbytes(len(reply) - 5))

    def _draw(self, unit: int, now_ns: int) -> str:
        if now_ns < self._owes_ns[unit] or self._random.random() >= self._fault_frac:
            return ""
        return self._random.choices(self._kinds, self._weights)[0]

    def _befall(self, kind: str, request: bytes, reply: bytes, now_ns: int) -> Frames:
        good = [(TURNAROUND_NS, reply)]
        if not kind or reply[1] & 0x80:
            return good
        random = self._random
        if kind in faults.SPOILT:
            x = Exchange(random, request, reply, self._stranger(request, reply), self._char_ns)
            if kind in faults.BY_CHANCE and x.is_read:
                self.expected_collisions += faults.COLLISION_FRAC
            return faults.SPOILT[kind](x)
        if kind in faults.SLOW:
            delay_ns = DECLARED_LATE_NS + random.randint(20 * MS, 3000 * MS)
            if kind == "very_late":
                self._answers_ns[request[0]] = now_ns + delay_ns
            return [(delay_ns, reply)]
        if kind == "address_twice":
            first, count = int.from_bytes(request[2:4], "big"), int.from_bytes(request[4:6], "big")
            self.strangers[request[0], request[1], first, count] += 1
            return [(TURNAROUND_NS, self._stranger(request, reply))]
        return good + self._by_itself(kind, request, now_ns)

    def _by_itself(self, kind: str, request: bytes, now_ns: int) -> Frames:
        """Something beside the exchange, up to a second later."""
        later_ns = self._random.randint(10 * MS, 1000 * MS)
        if kind == "babble":
            return [(later_ns, self._random.randbytes(self._random.randint(1, 40)))]
        if kind == "brown_out":
            self.module.power_cycle(now_ns)
            self.module.write_holdings(0, bytes(4))
            return []
        free = [unit for unit in sorted(self.tellers) if self._owes_ns[unit] <= now_ns]
        if not free:
            return []  # one fault at a time per device
        unit = self._random.choice(free)
        count = self._random.choice((4, 7))
        foreign = seal(unit, bytes((READ_INPUTS, 0, self._random.randrange(40), 0, count)))
        reply = self._say(foreign, unit, self.exchanges + _NUMBERS // 2, now_ns)
        foreign_ns = len(foreign) * self._char_ns + TURNAROUND_NS
        self._owes_ns[unit] = now_ns + later_ns + 2 * foreign_ns + len(reply) * self._char_ns
        return [(later_ns, foreign), (later_ns + foreign_ns, reply)]

    def _remember(self, now_ns: int, heard: Heard) -> None:
        self.heard[now_ns] = heard
        if len(self.heard) > _REMEMBERED:
            del self.heard[next(iter(self.heard))]
