"""A Modbus device made from its description: nothing but the registers, functions and habits that the file tells.

Job: answer what the described device would answer, refuse what it would refuse (functions, holes, requests too long),
hold outputs, fall to the fail state when its own timer runs out, play the confirmations of its commands.
Neighbours: slave.py asks for registers, bench.py wires it; the description is data of the field side, its decoder is
not used here: numbers become words by code of this file. Must not know: frames, lines, tags.
"""

import struct
from collections.abc import Iterable, Mapping

from hal.description import Description, PointSpec
from hal.device_facts import DeviceCommand
from sim_hardware.instruments import Device, RefusedError
from sim_hardware.rtu_codec import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, READ_HOLDINGS, READ_INPUTS, Request
from sim_hardware.station import NEVER_NS

_TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input", 5: "coil", 6: "holding", 15: "coil", 16: "holding"}
_LETTERS = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "f32": "f"}
_NS = 1_000_000_000


class DescribedDevice(Device):
    """One device of the described type, healthy when new: no mark set, every register else 0.

    refused: how often it answered with an exception of its own. writes: how often each holding register was written.
    stubborn: it echoes writes and does nothing.
    """

    def __init__(self, description: Description) -> None:
        """Registers as the description lists them."""
        self.description = description
        self.refused = 0
        self.writes: dict[int, int] = {}
        self.stubborn = False
        self._words: dict[str, dict[int, int]] = {"holding": {}, "input": {}, "coil": {}, "discrete": {}}
        for table, addresses in _addresses(description):
            self._words[table].update(dict.fromkeys(addresses, 0))
        self._readable = {(r.table, a) for r in description.readable for a in range(r.first, r.last + 1)}
        self._outputs = [point for point in description.point if point.access == "write"]
        self._writable = set(_writable(description))
        self._played = {command.name: 0 for command in description.command}
        self._fed_ns = self._now_ns = 0
        for table in self._words:
            setattr(self, f"{table}s_size", max(self._words[table], default=-1) + 1)
        self._heal()
        self._drop()

    def refuses(self, request: Request) -> int:
        """The exception that the described device answers with; 0 = none."""
        code = self._refusal(request)
        self.refused += code != 0
        return code

    def _refusal(self, request: Request) -> int:
        description, table = self.description, _TABLES.get(request.function, "")
        functions = description.functions or (1, 2, 3, 4, 5, 6, 15, 16)
        if request.function not in functions or not self._words.get(table):
            return ILLEGAL_FUNCTION
        if request.function in (READ_HOLDINGS, READ_INPUTS) and request.quantity > description.max_registers:
            return ILLEGAL_VALUE
        allowed = self._writable if request.is_write else self._readable
        span = range(request.address, request.address + request.quantity)
        return 0 if all((table, address) in allowed for address in span) else ILLEGAL_ADDRESS

    def set(self, table: str, registers: Mapping[int, int]) -> None:
        """Let registers (or bits) show these words from now on."""
        self._words[table].update(registers)

    def show(self, spec: PointSpec, value: float) -> None:
        """Let a point show a value, in its unit, rounded to a count."""
        scale = spec.scale if spec.scale_from is None else next(iter(spec.scale_from.scales.values()))
        number = (value - spec.offset) / scale
        if spec.negative is not None:
            self._mark(spec.table, spec.negative.address, spec.negative.mask, spec.negative.mask if number < 0 else 0)
            number = abs(number)
        self.set_raw(spec, number)

    def set_raw(self, spec: PointSpec, raw: float) -> None:
        """Let the registers of a point hold a bare number."""
        words = self._words[spec.table]
        if spec.type == "bit":
            bit = max(spec.bit, 0)
            words[spec.address] = words[spec.address] & ~(1 << bit) | int(raw) << bit
            return
        if spec.type in ("u8", "s8"):
            shift = 8 if spec.byte == "high" else 0
            self._mark(spec.table, spec.address, 0xFF << shift, (round(raw) & 0xFF) << shift)
            return
        if spec.type == "bcd":
            words[spec.address] = int(f"{round(raw):04d}", 16)
            return
        letter = _LETTERS[spec.type]
        data = struct.pack(f">{letter}", raw if letter == "f" else round(raw))
        pairs = [data[k : k + 2] for k in range(0, len(data), 2)]
        pairs = [pair[::-1] for pair in pairs] if spec.byte_order == "low_first" else pairs
        pairs = pairs[::-1] if spec.word_order == "low_first" else pairs
        words.update({spec.address + k: int.from_bytes(pair, "big") for k, pair in enumerate(pairs)})

    def swap(self, spec: PointSpec) -> None:
        """Exchange the two words of a point, as a device does whose word order is set otherwise."""
        words, at = self._words[spec.table], spec.address
        words[at], words[at + 1] = words[at + 1], words[at]

    def shown(self, address: int) -> int:
        """What a holding register holds."""
        return self._words["holding"][address]

    def output(self, spec: PointSpec) -> bool:
        """Whether an output is held energised."""
        return self._words[spec.table][spec.address] == (1 if spec.table == "coil" else spec.raw_on)

    def heard(self, now_ns: int) -> None:
        """Any good request feeds a timer that can be set."""
        self.advance(now_ns)
        if not self.description.fixed_watchdog_s:
            self._fed_ns = now_ns

    def due_ns(self) -> int:
        """When the outputs drop unless somebody asks before."""
        watchdog_ns = self._watchdog_ns()
        return self._fed_ns + watchdog_ns if watchdog_ns and any(map(self.output, self._outputs)) else NEVER_NS

    def advance(self, now_ns: int) -> None:
        """Let its own timer run out."""
        self._now_ns = now_ns
        watchdog_ns = self._watchdog_ns()
        if watchdog_ns and self.honours_watchdog and now_ns - self._fed_ns >= watchdog_ns:
            self._drop()

    def coils(self) -> int:
        """Image of the coils."""
        return sum((word & 1) << address for address, word in self._words["coil"].items())

    def discretes(self) -> int:
        """Image of the discrete inputs."""
        return sum((word & 1) << address for address, word in self._words["discrete"].items())

    def holdings(self) -> bytes:
        """Image of the holding registers."""
        return self._image("holding")

    def inputs(self) -> bytes:
        """Image of the input registers; the one that shows the outputs, too."""
        shown = self.description.read_back
        if shown is not None and shown.table == "input":
            self._words["input"][shown.address] = self.coils()
        return self._image("input")

    def write_coils(self, address: int, count: int, image: int) -> None:
        """Set outputs."""
        if not self.stubborn:
            self.set("coil", {address + k: image >> k & 1 for k in range(count)})
            self._fed_ns = self._now_ns

    def write_holdings(self, address: int, values: bytes) -> None:
        """Set registers; a command that is complete gets its confirmation."""
        words = struct.unpack(f">{len(values) // 2}H", values)
        register = self.description.watchdog
        if register is not None and address == register.address and words[0] > register.max_count:
            raise RefusedError(ILLEGAL_VALUE)
        for k, word in enumerate(words):
            self.writes[address + k] = self.writes.get(address + k, 0) + 1
            if not self.stubborn:
                self._words["holding"][address + k] = word
        if not self.stubborn:
            self._fed_ns = self._now_ns
            for command in self.description.command:
                self._play(command, address, words)

    def _play(self, command: DeviceCommand, address: int, words: tuple[int, ...]) -> None:
        """One step further in a command, if this write is its next one."""
        steps, at = command.step, self._played[command.name]
        if steps[at].address != address or steps[at].words not in ((), words):
            return
        at += 1
        while at < len(steps) and steps[at].do == "confirm":
            for k, word in enumerate(steps[at].words):
                self._mark(steps[at].table, steps[at].address + k, steps[at].mask, word & steps[at].mask)
            at += 1
        self._played[command.name] = at % len(steps)

    def _watchdog_ns(self) -> int:
        if self.description.fixed_watchdog_s:
            return round(self.description.fixed_watchdog_s * _NS)
        register = self.description.watchdog
        return 0 if register is None else round(self._words["holding"][register.address] * register.scale_s * _NS)

    def _drop(self) -> None:
        """Outputs to the fail state, where the device is set to do that."""
        safe = self.description.fail_position
        if safe is not None and self._words["holding"][safe.address] != safe.safe:
            return
        for spec in self._outputs:
            self._words[spec.table][spec.address] = 0 if spec.table == "coil" else spec.raw_off

    def _heal(self) -> None:
        """Words in which no point has anything to complain of."""
        for spec in self.description.point:
            for mark in spec.marks:
                if mark.differs is not None:
                    self._mark(spec.table, mark.address, mark.mask, mark.differs)
            for mark in spec.marks:
                if mark.equals is not None and self._words[spec.table][mark.address] & mark.mask == mark.equals:
                    lowest = mark.mask & -mark.mask
                    self._mark(spec.table, mark.address, lowest, ~mark.equals & lowest)
            if spec.scale_from is not None:
                key = next(iter(spec.scale_from.scales))
                self._mark(spec.table, spec.scale_from.address, spec.scale_from.mask, key)
            if spec.signal is not None:
                self._words[spec.table][spec.signal.address] = 0xFFFF
        if self.description.fail_position is not None:
            self._words["holding"][self.description.fail_position.address] = self.description.fail_position.safe
        identity = self.description.identity
        if identity is not None:
            self.set(identity.table, {identity.address + k: word for k, word in enumerate(identity.words)})

    def _mark(self, table: str, address: int, mask: int, bits: int) -> None:
        word = self._words[table].get(address, 0)
        self._words[table][address] = word & ~mask & 0xFFFF | bits & mask

    def _image(self, table: str) -> bytes:
        words = self._words[table]
        image = bytearray(2 * (max(words, default=-1) + 1))
        for address, word in words.items():
            image[2 * address : 2 * address + 2] = word.to_bytes(2, "big")
        return bytes(image)


def _addresses(description: Description) -> Iterable[tuple[str, Iterable[int]]]:
    """Every address that the description speaks of, by table."""
    for readable in description.readable:
        yield readable.table, range(readable.first, readable.last + 1)
    for table, address in _writable(description):
        yield table, (address,)


def _writable(description: Description) -> Iterable[tuple[str, int]]:
    """What may be written: outputs, the timer, the fail position, and what commands write."""
    for point in description.point:
        if point.access == "write":
            yield point.table, point.address
    if description.watchdog is not None:
        yield "holding", description.watchdog.address
    if description.fail_position is not None:
        yield "holding", description.fail_position.address
    for command in description.command:
        for step in command.step:
            if step.do == "write":
                yield from ((step.table, step.address + k) for k in range(max(1, len(step.words))))
