"""Which device is it? What it says of itself, and which descriptions of the library fit what it serves.

Job: ask functions 43/14 and 17, and read what each description calls readable; only reads. Neighbours: `asking`,
`description` (the library). Must not know: pods. Sources: Modbus application protocol V1.1b3, 6.13 and 6.21.

A description fits when every range of it can be read and at least half of its points show a value inside their limits
(a free terminal shows none): that is a hint, not a proof, as two types may share a map.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hal.bus.asking import Answer, BusPort, free_form, known
from hal.description import Description, PointSpec, Readable, known_types, load
from hal.device_facts import Identity as DeviceIdentity
from hal.modbus import READ_FUNCTION, Verdict, read_request
from hal.points import decode, resolve
from hal.values import Quality

_OBJECTS = {0: "vendor", 1: "product", 2: "revision", 3: "url", 4: "name", 5: "model", 6: "application"}
_IDENTIFY = bytes((43, 14, 1, 0))  # basic identification from its first object on
_SERVER_ID = bytes((17,))
_OBJECTS_AT = 7
_BIT_TABLES = ("coil", "discrete")


class Fit(NamedTuple):
    """How well one description fits: points that show a sound value, of all that can be read."""

    type: str
    good_count: int
    point_count: int
    register_count: int  # that the description promises, all of them there
    exact: bool  # one register beyond each range is refused, as described
    fits: bool
    why_not: str


class Identity(NamedTuple):
    """What one unit says and which types it may be, best first."""

    unit: int
    says: dict[str, str]
    fits: tuple[Fit, ...]

    @property
    def guess(self) -> str:
        """The type that fits best; empty when none does, or when several fit alike."""
        fitting = [fit for fit in self.fits if fit.fits]
        if not fitting:
            return ""
        return fitting[0].type if len(fitting) == 1 or _rank(fitting[0]) < _rank(fitting[1]) else ""


def identify(port: BusPort, unit: int, timeout_ns: int, types: Iterable[str] = ()) -> Identity:
    """Ask one unit who it is; types to try, all of the library by default."""
    asker = _Asker(port, unit, timeout_ns)
    says = _objects(port.ask(free_form(unit, _IDENTIFY), timeout_ns))
    server = port.ask(free_form(unit, _SERVER_ID), timeout_ns)
    if server.verdict is Verdict.ACCEPTED and len(server.pdu) > 2:
        says["server id"] = _printable(server.pdu[2:])
    described = [(name, load(name)) for name in (*types,) or known_types()]
    found = [_fit(asker, name, each) for name, each in described if each.protocol == "modbus_rtu"]
    return Identity(unit, says, tuple(sorted(found, key=_rank)))


def _rank(fit: Fit) -> tuple[bool, bool, int, int]:
    """Fitting ones first, exact ones before others, then by how many points are sound, then by registers.

    A type of one point fits many devices: what explains more of the device is the better guess.
    """
    return (not fit.fits, not fit.exact, -fit.good_count, -fit.register_count)


class _Asker:
    """Reads of one unit, none of them twice."""

    def __init__(self, port: BusPort, unit: int, timeout_ns: int) -> None:
        self._port, self._unit, self._timeout_ns = port, unit, timeout_ns
        self._kept: dict[tuple[str, int, int], Answer] = {}

    def read(self, table: str, first: int, count: int) -> Answer:
        """One read; what was asked before is remembered."""
        key = (table, first, count)
        if key not in self._kept:
            request = read_request(self._unit, READ_FUNCTION[table], first, count)
            self._kept[key] = self._port.ask(known(request), self._timeout_ns)
        return self._kept[key]


def _fit(asker: _Asker, name: str, description: Description) -> Fit:
    """Read what the description promises and judge every point."""
    ranges: list[tuple[Readable, list[int]]] = []
    exact = True
    if description.identity is not None and not _shows(asker, description.identity):
        return Fit(name, 0, len(description.point), 0, False, False, "its identity registers show another device")
    points = [p for p in description.point if p.access == "read" and p.table in READ_FUNCTION]
    for promised in description.readable:
        words: list[int] = []
        for first in range(promised.first, promised.last + 1, description.max_registers):
            count = min(description.max_registers, promised.last + 1 - first)
            answer = asker.read(promised.table, first, count)
            if answer.verdict is not Verdict.ACCEPTED:
                what = f"{promised.table} {first} x{count}: {_outcome(answer)}"
                return Fit(name, 0, len(points), 0, False, False, what)
            words += _words(promised.table, answer.pdu, count)
        ranges.append((promised, words))
        exact = exact and promised.last < 65535 and _ends(asker, promised)
    good = [point.name for point in points if _is_sound(point, ranges)]
    bad = [point.name for point in points if point.name not in good]
    why_not = f"out of its limits: {', '.join(bad[:4])}" if bad else ""
    register_count = sum(promised.last + 1 - promised.first for promised in description.readable)
    return Fit(name, len(good), len(points), register_count, exact, bool(good) and len(good) >= len(bad), why_not)


def _shows(asker: _Asker, identity: DeviceIdentity) -> bool:
    """Whether the registers that name the type hold its words."""
    answer = asker.read(identity.table, identity.address, len(identity.words))
    if answer.verdict is not Verdict.ACCEPTED:
        return False
    return _words(identity.table, answer.pdu, len(identity.words)) == list(identity.words)


def _ends(asker: _Asker, promised: Readable) -> bool:
    """Whether the table really ends where the description says."""
    return asker.read(promised.table, promised.last + 1, 1).refusal == 2


def _is_sound(spec: PointSpec, ranges: list[tuple[Readable, list[int]]]) -> bool:
    point = resolve(spec, "XX-1", None)
    for promised, words in ranges:
        if promised.table == spec.table and promised.first <= spec.address <= promised.last:
            return decode(point, words, promised.first, 0).quality is not Quality.BAD
    return False


def _words(table: str, pdu: bytes, count: int) -> list[int]:
    data = pdu[2:]
    if table in _BIT_TABLES:
        return [data[k // 8] >> k % 8 & 1 for k in range(count)]
    return [int.from_bytes(data[2 * k : 2 * k + 2], "big") for k in range(count)]


def _objects(answer: Answer) -> dict[str, str]:
    """Texts of an identification; empty when the unit has none."""
    found: dict[str, str] = {}
    if answer.verdict is not Verdict.ACCEPTED:
        return found
    pdu, at = answer.pdu, _OBJECTS_AT
    while at + 2 <= len(pdu):
        number, size = pdu[at], pdu[at + 1]
        found[_OBJECTS.get(number, f"object {number}")] = _printable(pdu[at + 2 : at + 2 + size])
        at += 2 + size
    return found


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}" for byte in data)


def _outcome(answer: Answer) -> str:
    return f"refused ({answer.refusal})" if answer.refusal else answer.verdict.name.lower()
