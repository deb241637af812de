"""Everything that can be made to go wrong, each a small named thing with a target, a time and parameters.

`parse` reads `KIND@TARGET:from=..,for=..,k=v`; `plan` turns what was read into rows for the plant, rows for the field
layer of the fast tier, and injections for the devices on the wire. To add a kind: a row of CATALOGUE, and its effect in
`plant.switch_fault`, `field` or `troubles.wire_faults`.

Neighbours: `scenarios` and the command line name faults here; `plant`, `field` and `wiring` carry them out. Must not
know what a controller makes of them. Group ids are those of the project's fault catalogue (S sensor, A actuator,
B bus, P power); T is a technician at work.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from hal.errors import PodError
from sim_hardware import plant_records as rec
from sim_hardware.plant_records import Table
from sim_hardware.troubles.targets import Targets

UNKNOWN_KIND, BAD_FAULT, UNKNOWN_TARGET, UNFIT_TIER = 151, 152, 153, 154
NS = 1_000_000_000
NEVER_NS = 2**63 - 1
RELEASE_S = 20.0  # how long a bridge that gives way stays a torrent (surge suite, family S03)
FEEDBACK = {"honest": rec.HONEST, "lies": rec.LIES, "absent": rec.ABSENT}
WAYS = {"lost": 0, "ignored": 1}

Value = float | str


class Kind(NamedTuple):
    """One row of the catalogue. parameters: name -> default; target: which names it may sit on."""

    name: str
    group: str
    code: int
    target: str
    parameters: Mapping[str, Value]
    tiers: str
    text: str


def _kind(name: str, group: str, code: int, target: str, text: str, tiers: str = "ab", **defaults: Value) -> Kind:
    return Kind(name, group, code, target, MappingProxyType(defaults), tiers, text)


CATALOGUE: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        _kind(
            "gate_jam",
            "A1",
            rec.GATE_JAM,
            "actuator",
            "stuck where it is (open=-1) or at open=0..1; feedback=honest|lies|absent",
            open=-1.0,
            feedback="honest",
        ),
        _kind(
            "release",
            "S03",
            rec.RELEASE,
            "chute",
            "a bridge holds the waste for the time given, then lets go at k kg/s for 20 s",
            k=2.0,
        ),
        _kind("sensor_dead", "S1", rec.SENSOR_DEAD, "signal", "shows nothing"),
        _kind("sensor_frozen", "S3", rec.SENSOR_FROZEN, "signal", "shows what it showed when it froze"),
        _kind("sensor_bias", "S6", rec.SENSOR_BIAS, "signal", "shows k kg too much", k=-60.0),
        _kind("sensor_drift", "S7", rec.SENSOR_DRIFT, "signal", "drifts by k kg per hour", k=-20.0),
        _kind("sensor_gain", "S8", rec.SENSOR_GAIN, "signal", "shows k times what it senses", k=1.1),
        _kind(
            "standard",
            "T1",
            rec.STANDARD,
            "signal",
            "no fault: a technician holds it at a standard of k (kg, mg/l, ...) instead of the process",
            k=20.0,
        ),
        _kind("field_power_lost", "P4", rec.FIELD_POWER_LOST, "pod", "no output moves anything; instruments live on"),
        _kind("gas_blocked", "A14", rec.GAS_BLOCKED, "gas path", "burner, flare or relief passes nothing"),
        _kind(
            "lost_writes",
            "B18",
            rec.LOST_WRITES,
            "device",
            "writes have no effect; how=lost (not answered) or ignored (answered, A20)",
            how="lost",
        ),
        _kind("line_dead", "B2", rec.LINE_DEAD, "line", "nothing passes on the line"),
        _kind("device_dead", "B1", rec.DEVICE_DEAD, "device", "does not answer; its outputs fall by its watchdog"),
        _kind("module_frozen", "A18", rec.MODULE_FROZEN, "device", "silent, outputs as they were, no watchdog"),
        _kind("crc_errors", "B3", rec.CRC_ERRORS, "device", "a bit flips in a share p of the answers", "b", p=0.1),
        _kind(
            "wrong_address",
            "B14",
            rec.WRONG_ADDRESS,
            "device",
            "answers at address unit instead of its own",
            "b",
            unit=247.0,
        ),
        _kind("late_replies", "B8", rec.LATE_REPLIES, "device", "answers come delay seconds late", "b", delay=0.3),
    )
}
_TIME_KEYS = ("from", "for")


@dataclass(frozen=True)
class Fault:
    """One fault as asked for. for_s None = for ever."""

    kind: Kind
    target: str
    from_s: float
    for_s: float | None
    values: Mapping[str, Value]

    @property
    def from_ns(self) -> int:
        """When it begins."""
        return round(self.from_s * NS)

    @property
    def until_ns(self) -> int:
        """When it ends; far beyond any run if never."""
        return NEVER_NS if self.for_s is None else self.from_ns + round(self.for_s * NS)


class FieldFault(NamedTuple):
    """A fault of devices or lines for the fast tier: which devices, and when."""

    code: int
    devices: tuple[str, ...]
    from_ns: int
    until_ns: int
    way: int


class WireFault(NamedTuple):
    """The same for simulated devices: arguments of `FieldSide.inject_at`."""

    kind: str
    target: str
    from_ns: int
    until_ns: int
    parameters: Mapping[str, float]


@dataclass(frozen=True)
class Plan:
    """What a list of faults does to the plant (rows and events), to the fast tier's field, and to the wire."""

    rows: Table
    events: Table
    field: tuple[FieldFault, ...]
    wire: tuple[WireFault, ...]
    only_on_the_wire: tuple[str, ...]


def parse(text: str) -> Fault:
    """`KIND@TARGET:from=..,for=..,k=v` (seconds) as a Fault; PodError 151 or 152 says what is wrong."""
    head, _, tail = text.partition(":")
    name, at, target = head.partition("@")
    kind = CATALOGUE.get(name)
    if kind is None:
        raise PodError(UNKNOWN_KIND, f"fault {text!r}: kind {name!r} is not known: {nearest(name, CATALOGUE)}")
    if not at or not target:
        if kind.target != "pod":
            raise PodError(BAD_FAULT, f"fault {text!r}: no target: write {name}@{kind.target.upper()}:from=..,for=..")
        target = "pod"
    values: dict[str, Value] = dict(kind.parameters)
    times_s: dict[str, float] = {}
    for part in filter(None, tail.split(",")):
        key, _, value = (piece.strip() for piece in part.partition("="))
        if key in _TIME_KEYS:
            times_s[key] = _number(text, key, value, 0.0)
        elif key in values:
            values[key] = _value(text, key, value, values[key])
        else:
            known = [*_TIME_KEYS, *kind.parameters]
            raise PodError(BAD_FAULT, f"fault {text!r}: {name} has no parameter {key!r}: {nearest(key, known)}")
    return Fault(kind, target, times_s.get("from", 0.0), times_s.get("for"), MappingProxyType(values))


def plan(faults: Sequence[Fault], targets: Targets) -> Plan:
    """Faults against the names of one pod. PodError 153 names a target that does not exist and its nearest."""
    rows: list[tuple[int, int, float, int]] = []
    events: list[tuple[int, int, int, float]] = []
    field: list[FieldFault] = []
    wire: list[WireFault] = []
    for fault in faults:
        known = targets.known(fault.kind.target)
        if fault.target not in known:
            thing = f"fault {fault.kind.name}@{fault.target}: no {fault.kind.target} of this pod"
            raise PodError(UNKNOWN_TARGET, f"{thing}: {nearest(fault.target, known)}")
        if fault.kind.code < rec.LOST_WRITES:
            events += _edges(fault, len(rows))
            rows.append(_row(fault, targets))
            continue
        devices = targets.devices_at(fault.target)
        way = WAYS[str(fault.values.get("how", "lost"))]
        field.append(FieldFault(fault.kind.code, devices, fault.from_ns, fault.until_ns, way))
        wire += [
            WireFault(_wire_kind(fault), target, fault.from_ns, fault.until_ns, _wire_parameters(fault))
            for target in targets.wire_targets(fault.target, devices)
        ]
    only_b = tuple(sorted({fault.kind.name for fault in faults if "a" not in fault.kind.tiers}))
    return Plan(np.array(rows, dtype=rec.FAULT), sort_events(rows_of_events(events)), tuple(field), tuple(wire), only_b)


def sort_events(events: Table) -> Table:
    """By time; at one instant in the order given."""
    return events[events["at_ns"].argsort(kind="stable")]


def _edges(fault: Fault, row: int) -> list[tuple[int, int, int, float]]:
    edges = [(fault.from_ns, rec.FAULT_ON, row, 0.0)]
    if fault.for_s is not None:
        edges.append((fault.until_ns, rec.FAULT_OFF, row, 0.0))
        if fault.kind.code == rec.RELEASE:
            edges.append((fault.until_ns + round(RELEASE_S * NS), rec.FAULT_END, row, 0.0))
    return edges


def _row(fault: Fault, targets: Targets) -> tuple[int, int, float, int]:
    """A FAULT row: drift per second inside, and a jam's opening as k."""
    code, values = fault.kind.code, fault.values
    amount = values.get("open", values.get("k", 0.0))
    per_s = 3600.0 if code == rec.SENSOR_DRIFT else 1.0
    feedback = FEEDBACK[str(values.get("feedback", "honest"))]
    return code, targets.known(fault.kind.target)[fault.target], float(amount) / per_s, feedback


def _wire_kind(fault: Fault) -> str:
    if fault.kind.code == rec.LOST_WRITES:
        return "write_lost" if fault.values["how"] == "lost" else "write_ignored"
    return "late_reply" if fault.kind.code == rec.LATE_REPLIES else fault.kind.name


def _wire_parameters(fault: Fault) -> dict[str, float]:
    if fault.kind.code == rec.CRC_ERRORS:
        return {"probability_frac": float(fault.values["p"])}
    if fault.kind.code == rec.LATE_REPLIES:
        return {"delay_s": float(fault.values["delay"])}
    if fault.kind.code == rec.WRONG_ADDRESS:
        return {"unit": float(fault.values["unit"])}
    return {}


def rows_of_events(events: Sequence[tuple[int, int, int, float]]) -> Table:
    """EVENT rows from (at_ns, kind, index, kg)."""
    return np.array(events, dtype=rec.EVENT)


def _value(text: str, key: str, value: str, default: Value) -> Value:
    if isinstance(default, float):
        return _number(text, key, value, -1e6)
    choices = FEEDBACK if key == "feedback" else WAYS
    if value in choices:
        return value
    raise PodError(BAD_FAULT, f"fault {text!r}: {key} = {value!r}: {nearest(value, choices)}")


def _number(text: str, key: str, value: str, low: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if low <= number <= 1e9:
        return number
    raise PodError(BAD_FAULT, f"fault {text!r}: {key} = {value!r} must be a number of at least {low:g}: correct it")


def nearest(name: str, known: Iterable[str]) -> str:
    """Advice on a name that is not known: the one it resembles, or all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
    return f"did you mean {close[0]!r}?" if close else f"choose one of {', '.join(names)}"
