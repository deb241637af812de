"""The campaign of `podctl bench line`: a master of `hal`, an oracle, and what is counted.

Job: run so many exchanges under random faults and look at every value and every Ack that comes out. A value is right
when the register held it in the exchange whose request ended at the value's time stamp. A wrong GOOD value must be a
shown collision of the check sequence (its bytes differ from the reply and still fit); those of a second device with
the same address are told apart, as no protocol can. Neighbours: `far_end`, `desk`, `bench_line` (the figures as rows).
Must not know how the master works inside.
"""

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from hal.blocks import Block, BlockPlan
from hal.description import Table
from hal.device import Device
from hal.line import ModbusLine
from hal.outputs import OutputModule, OutputPlan
from hal.pod_io import PodIO
from hal.points import Point
from hal.values import Ack, Command, Quality, Reading
from sim_hardware.line_campaign.desk import Desk
from sim_hardware.line_campaign.detection import Detection
from sim_hardware.line_campaign.far_end import IMAGE_AT, MODULE_UNIT, WATCHDOG_S, FarEnd, Heard, told
from sim_hardware.line_campaign.faults import DECLARED_LATE_NS, KINDS, MS, UNDETECTABLE
from sim_hardware.rtu_codec import READ_HOLDINGS, READ_INPUTS

BAUD = 38400
TICK_NS = 500 * MS
FAULT_FRAC = 0.2  # of the exchanges
OUTPUTS = ("FV-101", "FV-103")
_NS = 1_000_000_000
# Unit, table, first address, count: the same unit with the same count, another count, another table.
SPANS: tuple[tuple[int, Table, int, int], ...] = (
    (1, "input", IMAGE_AT, 2),
    (2, "input", 0, 4),
    (2, "input", 20, 4),
    (2, "input", 40, 7),
    (2, "holding", 20, 4),
    (3, "input", 20, 4),
    (3, "holding", 20, 4),
    (4, "input", 30, 1),
    (4, "input", 50, 1),
)


class Wrong(NamedTuple):
    """One value that was not what the register held, and the exchange whose time stamp it carries."""

    tag: str
    value: float
    true_word: int
    heard: Heard


class Result(NamedTuple):
    """What came of a campaign. lost_ms: line time that faults cost, by kind."""

    transactions: int
    by_kind: Counter[str]
    good: int
    acks: int
    wrong: list[Wrong]
    expected_collisions_count: float
    undetected: int
    expected_undetected_count: float
    implausible: int
    late_detected: Counter[str]
    lost_ms: dict[str, float]
    simulated_s: float


def master(baud: int) -> tuple[ModbusLine, PodIO]:
    """A line with a relay module and three devices, every block read in every tick."""
    line = ModbusLine("A", baud, True, TICK_NS)
    for unit in sorted({span[0] for span in SPANS}):
        device = Device(f"D-{unit}", "A", unit, 5 * MS, DECLARED_LATE_NS)
        blocks = []
        for _, table, first, count in (span for span in SPANS if span[0] == unit):
            points = tuple(_point(unit, table, first + k) for k in range(count))
            blocks.append(Block(BlockPlan(table, first, count, TICK_NS, points), device, TICK_NS, line.readings))
        tags = tuple((tag, bit) for bit, tag in enumerate(OUTPUTS))
        plan = OutputPlan(0, 8, tags, 0, round(WATCHDOG_S * _NS), round(WATCHDOG_S * 10), 0)
        line.add(device, blocks, OutputModule(plan, device, line.acks) if unit == MODULE_UNIT else None)
    return line, PodIO([line], {})


def _point(unit: int, table: Table, address: int) -> Point:
    """A tag that says where it is from; every fourth has a range around what it can tell in truth."""
    tag = f"{unit}.{table}.{address}"
    if unit == MODULE_UNIT or address % 4:
        return Point(tag, table, address, "u16", "1", 0.0, 65535.0)
    truth = told(unit, READ_HOLDINGS if table == "holding" else READ_INPUTS, address, 0)
    return Point(tag, table, address, "u16", "1", float(truth), float(truth + 127))


class Campaign:
    """One run. `check` may be called at any time; `result` at the end."""

    def __init__(
        self, seed: int, kinds: Sequence[str] = KINDS, fault_frac: float = FAULT_FRAC, baud: int = BAUD
    ) -> None:
        self._random = Random(seed)
        self.line, self.io = master(baud)
        self.far_end = FarEnd(Random(seed + 1), fault_frac, 10_000_000_000 // baud, tuple(kinds))
        self.desk = Desk(self.line, self.far_end, baud)
        self.wrong: list[Wrong] = []
        self.good = self.acks = self.undetected = self.implausible = 0
        self._seen: dict[str, Reading] = {}
        self._seen_acks: dict[str, Ack] = {}
        self._where = {
            f"{unit}.{table}.{first + k}": (unit, READ_HOLDINGS if table == "holding" else READ_INPUTS, first + k)
            for unit, table, first, count in SPANS
            for k in range(count)
        }
        self._late = Detection(self.line, self.far_end, self.desk)

    def run(self, transactions: int) -> Result:
        """Tick until so many requests have been made."""
        while self.far_end.exchanges < transactions:
            self.tick()
        self.desk.run(self.desk.now_ns + 5 * _NS, self._late.look)
        self.check()
        return self._result()

    def tick(self) -> None:
        """Look at all that came, order something new, let a tick pass."""
        now_ns = self.desk.now_ns
        self.check()
        wanted = [(tag, float(self._random.random() < 0.5)) for tag in OUTPUTS]
        self.io.apply([Command(tag, frac, now_ns, now_ns + _NS) for tag, frac in wanted], now_ns)
        self.desk.run(now_ns + TICK_NS, self._late.look)

    def check(self) -> None:
        """Every new value, every new Ack."""
        scan = self.io.scan(self.desk.now_ns)
        for tag, reading in scan.readings.items():
            if reading is not self._seen.get(tag):
                self._seen[tag] = reading
                self._judge(tag, reading)
        for bit, tag in enumerate(OUTPUTS):
            ack = scan.acks.get(tag)
            if ack is not None and ack is not self._seen_acks.get(tag):
                self._seen_acks[tag] = ack
                self.acks += 1
                heard = self.far_end.heard[ack.taken_ns]
                self._compare(tag, ack.open_frac, heard.outputs >> bit & 1, heard)

    def _judge(self, tag: str, reading: Reading) -> None:
        heard = self.far_end.heard.get(reading.taken_ns)
        if reading.quality is Quality.BAD:
            if heard is not None and heard.kind in UNDETECTABLE and reading.taken_ns:
                self.implausible += 1
            return
        assert heard is not None, f"{tag} is stamped with a moment at which nothing was asked"
        unit, function, address = self._where[tag]
        if unit == MODULE_UNIT:
            truth = heard.outputs if address == IMAGE_AT else 0
        else:
            truth = told(unit, function, address, heard.number)
        self.good += 1
        self._compare(tag, reading.value, truth, heard)

    def _compare(self, tag: str, value: float, true_word: int, heard: Heard) -> None:
        if value == true_word:
            return
        if heard.kind in UNDETECTABLE:
            self.undetected += 1
        else:
            self.wrong.append(Wrong(tag, value, true_word, heard))

    def _expected_undetected(self) -> float:
        """Of random words from a stranger, those that differ from the truth and are plausible."""
        expected = 0.0
        for unit, table, first, count in SPANS:
            read = (unit, READ_HOLDINGS if table == "holding" else READ_INPUTS, first, count)
            ranges = [_point(unit, table, first + k) for k in range(count)]
            expected += self.far_end.strangers[read] * sum((point.high - point.low) / 65536.0 for point in ranges)
        return expected

    def _result(self) -> Result:
        return Result(
            self.far_end.exchanges, self.far_end.count, self.good, self.acks, self.wrong,
            self.far_end.expected_collisions, self.undetected, self._expected_undetected(), self.implausible,
            self._late.late, {kind: ns * 1e-6 for kind, ns in sorted(self._late.lost_ns.items())},
            self.desk.now_ns * 1e-9,
        )  # fmt: skip
