"""A desk for the field side: one line on virtual time with a small slave whose every answer may be spoilt.

Job: drive a Line byte for byte without I/O, check the silence before every frame, and know which
value every register had at which request, so that a wrong value cannot pass for a right one.
Neighbours: tests/hal. Must not know: hal.modbus or pymodbus (its codec is its own).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

from hal.description import DeviceConfig, Hardware, LineConfig
from hal.line import Line, Send
from hal.pod_io import build
from hal.values import Command, Scan

MS = 1_000_000
SECOND = 1_000_000_000
TICK_NS = 500 * MS
TURNAROUND_NS = 4 * MS
Replies = list[tuple[int, bytes]]
Spoil = Callable[[bytes, bytes], Replies]  # request, good reply -> delayed replies
SILENT: bytes = b""
IMAGE_AT = 8  # input register with the outputs as held


def crc(data: bytes) -> bytes:
    """CRC-16 of the serial line specification, bit by bit, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value.to_bytes(2, "little")


def sealed(*parts: bytes | int) -> bytes:
    """Bytes and small numbers joined, with their CRC."""
    body = b"".join(bytes((part,)) if isinstance(part, int) else part for part in parts)
    return body + crc(body)


def words(*values: int) -> bytes:
    """Registers as they go over the wire."""
    return b"".join((value & 0xFFFF).to_bytes(2, "big") for value in values)


def told(unit: int, function: int, address: int, requests: int) -> int:
    """A register value that says where and when it was read."""
    return unit * 12000 + address * 100 + (50 if function == 3 else 0) + requests % 50


def prompt(request: bytes, reply: bytes) -> Replies:
    """The good reply after the usual turnaround, or nothing."""
    return [(TURNAROUND_NS, reply)] if reply else []


@dataclass
class Module:
    """Outputs with a watchdog: any good request feeds it, its end releases all."""

    watchdog_count: int = 0
    held: int = 0
    fed_ns: int = 0
    deaf: bool = False  # echoes writes and does nothing
    stubborn: bool = False  # echoes a new watchdog time and keeps the old one
    released: int = 0

    def look(self, now_ns: int) -> None:
        """What happened since the last request, then feed."""
        if self.watchdog_count and self.held and now_ns - self.fed_ns > self.watchdog_count * 100 * MS:
            self.held = 0
            self.released += 1
        self.fed_ns = now_ns


@dataclass
class Slave:
    """All units of a line. Register values carry unit, address and the number of the request."""

    modules: dict[int, Module] = field(default_factory=dict)
    fixed: dict[int, list[int]] = field(default_factory=dict)  # unit -> input registers
    dead: set[int] = field(default_factory=set)
    requests: int = 0

    def register(self, unit: int, function: int, address: int) -> int:
        """What a register holds at this request: its unit, table, address and the number of the request."""
        module = self.modules.get(unit)
        if module is not None and function == 4 and address == IMAGE_AT:
            return module.held
        if unit in self.fixed:
            return self.fixed[unit][address]
        return told(unit, function, address, self.requests)

    def answer(self, frame: bytes, now_ns: int) -> bytes:
        """The one good reply to a request, or nothing."""
        assert frame[-2:] == crc(frame[:-2]), "the master sent a frame with a bad CRC"
        self.requests += 1
        unit, function = frame[0], frame[1]
        if unit in self.dead:
            return SILENT
        module = self.modules.get(unit)
        if module is not None:
            module.look(now_ns)
        address, count = int.from_bytes(frame[2:4], "big"), int.from_bytes(frame[4:6], "big")
        if function == 3 and module is not None and (address, count) == (0, 1):
            return sealed(unit, 3, 2, words(module.watchdog_count))
        if function in (3, 4):
            told_words = words(*(self.register(unit, function, address + k) for k in range(count)))
            return sealed(unit, function, 2 * count, told_words)
        if module is None:
            return sealed(unit, function | 0x80, 1)
        if function == 16 and not module.stubborn:
            module.watchdog_count = int.from_bytes(frame[7:9], "big")
        elif function == 15 and not module.deaf:
            module.held = frame[7]
        return sealed(frame[:6])


class Tickable(Protocol):
    """What the desk calls at every tick."""

    def __call__(self, now_ns: int) -> None: ...


class Desk:
    """Virtual time for one line: 10 bits per character both ways, replies in whole frames."""

    def __init__(self, line: Line, baud: int, slave: Slave, spoil: Spoil = prompt) -> None:
        self.line, self.slave, self.spoil = line, slave, spoil
        self.char_ns = 10 * SECOND // baud
        self.silence_ns = 1_750_000 if baud > 19200 else 38_500_000_000 // baud
        self.now_ns = 0
        self.sent: list[tuple[int, bytes]] = []
        self.count_of_end: dict[int, int] = {}  # end of a request -> its number
        self._heap: list[tuple[int, int, bytes]] = []
        self._order = 0
        self._busy_ns = -SECOND  # end of the last byte seen on the wire
        self._sent_end_ns = 0
        self._tick_ns = 0
        self._frame = b""

    def run(self, until_ns: int, tick: Tickable | None = None) -> None:
        """Let time pass; tick(now_ns) at multiples of TICK_NS, after all that is due then."""
        while self.now_ns < until_ns:
            wake_ns = self._ask()
            event_ns = self._heap[0][0] if self._heap else until_ns
            if tick is not None and self._tick_ns <= min(wake_ns, event_ns, until_ns):
                self.now_ns = self._tick_ns
                tick(self.now_ns)
                self._tick_ns += TICK_NS
                continue
            self.now_ns = min(wake_ns, event_ns, until_ns)
            while self._heap and self._heap[0][0] <= self.now_ns:
                _, _, data = heappop(self._heap)
                self._busy_ns = max(self._busy_ns, self.now_ns)
                self.line.receive(data, self.now_ns)

    def inject(self, data: bytes, end_ns: int) -> None:
        """Bytes from nowhere whose arrival ends at end_ns."""
        self._order += 1
        heappush(self._heap, (end_ns, self._order, data))

    def _ask(self) -> int:
        """Until when nothing of ours happens."""
        if self._frame and self.now_ns >= self._sent_end_ns:
            self._deliver()
        if self._frame:
            return self._sent_end_ns
        action = self.line.next_action(self.now_ns)
        if not isinstance(action, Send):
            assert action.until_ns > self.now_ns, "the line wants to wait for the past"
            return action.until_ns
        assert self.now_ns - self._busy_ns >= self.silence_ns, "no silence of t3.5 before a frame"
        self._frame = action.data
        self._sent_end_ns = self._busy_ns = self.now_ns + len(action.data) * self.char_ns
        self.sent.append((self.now_ns, action.data))
        return self._sent_end_ns

    def _deliver(self) -> None:
        frame, self._frame = self._frame, b""
        reply = self.slave.answer(frame, self._sent_end_ns)
        self.count_of_end[self._sent_end_ns] = self.slave.requests
        for delay_ns, data in self.spoil(frame, reply):
            self.inject(data, self._sent_end_ns + delay_ns + len(data) * self.char_ns)


MODULE_TAGS = {
    "output_0": "FV-101",
    "output_1": "FV-103",
    "position_0": "ZT-101",
    "position_1": "ZT-103",
    "switch_2": "ZSC-111",
}
CELL_TAGS = {"weight_0": "WT-101", "weight_1": "WT-103"}


def wiring(*devices: DeviceConfig, baud: int = 38400, tick_s: float = 0.5) -> Hardware:
    """One Modbus line A with these devices."""
    return Hardware((LineConfig("A", "modbus_rtu", "/dev/pod-bus-A", baud),), devices, tick_s)


def module(watchdog_s: float = 2.0) -> DeviceConfig:
    """The relay module at unit 1."""
    return DeviceConfig("XM-A", "io_module_8", "A", 1, watchdog_s, MODULE_TAGS)


def cells(unit: int = 2, prefix: str = "") -> DeviceConfig:
    """A load cell amplifier."""
    return DeviceConfig(f"WM-{unit}", "load_cell_4ch", "A", unit, 0.0, {k: prefix + t for k, t in CELL_TAGS.items()})


class Pod:
    """One line on the desk, ticking: every tick scans, then orders what ``wanted`` says."""

    def __init__(self, *devices: DeviceConfig, baud: int = 38400, spoil: Spoil = prompt) -> None:
        self.io = build(wiring(*devices, baud=baud))
        self.slave = Slave(modules={1: Module()}, fixed={2: [0, 25000, 0, 1500, 0, 0, 0, 0, 0]})
        self.desk = Desk(self.io.lines[0], baud, self.slave, spoil)
        self.wanted: dict[str, float] = {}
        self.scans: list[tuple[int, Scan]] = []
        self.lease_ns = SECOND

    @property
    def module(self) -> Module:
        """The outputs at unit 1 as the device holds them."""
        return self.slave.modules[1]

    def tick(self, now_ns: int) -> None:
        """Scan and order."""
        self.scans.append((now_ns, self.io.scan(now_ns)))
        end_ns = now_ns + self.lease_ns
        self.io.apply([Command(tag, frac, now_ns, end_ns) for tag, frac in self.wanted.items()], now_ns)

    def run(self, until_s: float) -> Scan:
        """Tick until then; the scan at the end."""
        self.desk.run(round(until_s * SECOND), self.tick)
        return self.io.scan(self.desk.now_ns)

    def sent_to(self, unit: int, since_ns: int = 0) -> list[tuple[int, bytes]]:
        """Frames sent to one unit."""
        return [(at_ns, frame) for at_ns, frame in self.desk.sent if frame[0] == unit and at_ns >= since_ns]
