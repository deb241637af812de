"""The answer to "how are you": state, punctuality, lines and devices, vessels, chutes; and whether all of it is well.

Made from one tick's snapshot, in the control socket's thread. Neighbours: `core` publishes snapshots, `telling` has the
words. Must not change anything.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from hal.device import Condition, Health
from hal.port_watch import WatchedPort
from hal.values import Quality, Scan
from pod_controller import journal_keeper, telling
from pod_controller.cause_effect.bypass import Bypass
from pod_controller.cause_effect.trips import Standing
from pod_controller.commissioning.book import InForce
from pod_controller.commissioning.discrepancy import Discrepancies
from pod_controller.kernels.records import Table
from pod_controller.line_alarms import Alarm
from pod_controller.punctuality import Punctuality
from pod_controller.topology import Topology


class Snapshot(NamedTuple):
    """One tick, as it was decided. Nothing in it is written after it was published."""

    now_ns: int
    tick: int
    mode: str
    leaving: bool
    topology: Topology
    scan: Scan
    state: Table
    permit: Table
    watchdogs_verified: bool
    trips: tuple[Standing, ...] = ()
    bypass: Bypass | None = None


class Surroundings(NamedTuple):
    """What does not come with a tick."""

    started_ns: int
    scheduling: str
    punctuality: Punctuality
    ports: Sequence[WatchedPort]
    health: tuple[Health, ...]
    notices: Sequence[str]  # what a person should know, newest last
    journal: journal_keeper.Health
    recording: str  # what is wrong with the recording; empty if nothing
    trip_file: str  # and with the record of what has tripped
    calibrations: InForce
    discrepancies: Discrepancies
    alarms: tuple[Alarm, ...]


def status(snapshot: Snapshot, around: Surroundings, of_ticks: int) -> dict[str, Any]:
    """The whole document. Keys may be added, not renamed; null where a figure would be endless or unknown."""
    topology, state = snapshot.topology, snapshot.state
    lines = [_line(port, topology, snapshot.scan, around.health) for port in around.ports]
    worst = _unwell(snapshot, lines, around)
    return {
        "pod": topology.config.pod.name,
        "state": "LEAVING" if snapshot.leaving else snapshot.mode,
        "waits_for": telling.waits_for(topology, state) if snapshot.mode == "STOPPED" else [],
        "well": not worst,
        "unwell": worst,
        "tick": snapshot.tick,
        "tick_s": topology.config.control.tick_s,
        "uptime_s": round((snapshot.now_ns - around.started_ns) * 1e-9, 3),
        "overruns": around.punctuality.overruns,
        "lateness": around.punctuality.lateness(of_ticks)._asdict(),
        "worst_lateness_ms": round(around.punctuality.worst_ns * 1e-6, 3),
        "scheduling": around.scheduling,
        "watchdogs_verified": snapshot.watchdogs_verified,
        "trips": [_trip(standing, snapshot) for standing in snapshot.trips],
        "bypass": _bypass(snapshot),
        "alarms": [alarm.told(snapshot.now_ns) for alarm in around.alarms],
        "journal": around.journal._asdict(),
        "recording": around.recording or "well",
        "lines": lines,
        "vessels": [_vessel(topology, state, v) for v in range(len(topology.vessels))],
        "chutes": [_chute(topology, state, snapshot.permit, c) for c in range(len(topology.chutes))],
        "outputs": around.discrepancies.rows(topology, snapshot.scan, snapshot.permit, snapshot.now_ns),
        "calibrations": around.calibrations.rows(snapshot.now_ns),
        "digester": telling.digester(topology, state, snapshot.now_ns),
        "notices": list(around.notices),
    }


def _unwell(snapshot: Snapshot, lines: Sequence[dict[str, Any]], around: Surroundings) -> list[str]:
    """What needs a person, one sentence each."""
    found = [f"the pod is {snapshot.mode}: `podctl reset`, after you know why"] if snapshot.mode == "ABORTED" else []
    found += [_trip_text(standing) for standing in snapshot.trips if standing.watch.row.cause != "bypassed"]
    if snapshot.bypass is not None:
        bypass, left_s = snapshot.bypass, (snapshot.bypass.until_ns - snapshot.now_ns) * 1e-9
        found.append(f"{bypass.thing} is bypassed by {bypass.who}, {left_s / 60.0:.0f} min left: {bypass.reason}")
    found += [alarm.in_words() for alarm in around.alarms]
    alarmed = {alarm.thing for alarm in around.alarms}
    for line in lines:
        if not line["open"]:
            found.append(f"line {line['line']}: port {line['port']} is not there ({line['error']}): plug it in")
            continue
        found += [
            f"line {line['line']}: {device['device']} {note}" for device in line["devices"] for note in device["notes"]
        ]
        dead = [x["device"] for x in line["devices"] if x["condition"] == Condition.DEAD.name]
        dead = [name for name in dead if name not in alarmed]
        if dead and f"line {line['line']}" not in alarmed:
            found += _dead_texts(line, dead)
    found += [f"journal: {text}" for text in (around.journal.reason, around.journal.alarm) if text]
    found += [f"{around.recording}: replay will have a hole"] if around.recording else []
    found += [f"{around.trip_file}: a restart would not know what has tripped"] if around.trip_file else []
    found += around.calibrations.unwell(snapshot.now_ns)
    found += around.discrepancies.standing()
    topology, state = snapshot.topology, snapshot.state
    unseen = [telling.unseen_text(topology, state, v) for v in range(len(topology.vessels))]
    return found + [text for text in unseen if text and snapshot.mode != "STOPPED"]


def _dead_texts(line: dict[str, Any], dead: Sequence[str]) -> list[str]:
    """Who does not answer, and whose answers cannot be believed: two different walks for a technician."""
    faults = {device["device"]: device["faults"] for device in line["devices"]}
    spoilt = [name for name in dead if 2 * faults[name].get("timeout", 0) < sum(faults[name].values())]
    silent = [name for name in dead if name not in spoilt]
    found = []
    if silent:
        found.append(f"line {line['line']}: no answer from {', '.join(silent)}: check power, terminals, address")
    if spoilt:
        text = "check terminals, termination, shield, and for a second device with its address"
        found.append(f"line {line['line']}: answers of {', '.join(spoilt)} cannot be believed: {text}")
    return found


def _trip_text(standing: Standing) -> str:
    row, site = standing.watch.row, standing.watch.site
    first = " (first out)" if standing.first_out else ""
    over = "" if standing.cause_stands else " (its cause has gone)"
    saw = f" ({standing.seen})" if standing.seen else ""
    return f"trip {row.id} {site.unit.name}{first}: {row.says}{saw}{over}: {row.todo}"


def _trip(standing: Standing, snapshot: Snapshot) -> dict[str, Any]:
    row, site = standing.watch.row, standing.watch.site
    return {
        "id": row.id,
        "hazard": row.hazard,
        "unit": site.unit.name,
        "tags": list(site.tags),
        "limit": site.limit,
        "says": row.says,
        "seen": standing.seen,
        "todo": row.todo,
        "since_s": round((snapshot.now_ns - standing.since_ns) * 1e-9, 3),
        "cause_stands": standing.cause_stands,
        "latched": row.latched,
        "first_out": standing.first_out,
        "elements": [snapshot.topology.elements[e] for e in standing.watch.elements],
    }


def _bypass(snapshot: Snapshot) -> dict[str, Any] | None:
    bypass = snapshot.bypass
    if bypass is None:
        return None
    left_s = round((bypass.until_ns - snapshot.now_ns) * 1e-9, 1)
    return {"thing": bypass.thing, "left_s": left_s, "reason": bypass.reason, "who": bypass.who}


def _line(port: WatchedPort, topology: Topology, scan: Scan, health: tuple[Health, ...]) -> dict[str, Any]:
    mine = [device for device in topology.config.device if device.line == port.line]
    healths = {each.device: each for each in health}
    return {
        "line": port.line,
        "port": port.port,
        "open": port.is_open,
        "opened_count": port.opened_count,
        "error": None if port.is_open else port.last_error,
        "devices": [_device(device.name, device.tags.values(), scan, healths.get(device.name)) for device in mine],
    }


def _device(name: str, tags: Any, scan: Scan, health: Health | None) -> dict[str, Any]:
    """One device. An instrument that only sends has no condition of its own: its reading's quality stands for it."""
    read = [scan.readings[tag] for tag in tags if tag in scan.readings]
    worst = max((reading.quality for reading in read), default=Quality.GOOD)
    condition = (Condition.DEAD if worst is Quality.BAD else Condition.OK) if health is None else health.condition
    return {
        "device": name,
        "condition": condition.name,
        "answered": None if health is None else health.answered,
        "faults": {} if health is None else dict(health.faults),
        "late": 0 if health is None else health.late,
        "notes": [] if health is None else list(health.notes),
        "not_good": {x.tag: [x.quality.name, x.cause.name] for x in read if x.quality is not Quality.GOOD},
    }


def _vessel(topology: Topology, state: Table, v: int) -> dict[str, Any]:
    s, vessel = state[0], topology.table["vessels"][0, v]
    left_s = telling.time_to_lip_s(topology, state, v)
    return {
        "vessel": topology.vessels[v],
        "level_kg": round(float(s["level_kg"][v]), 3),
        "level_frac": round(float(s["level_kg"][v] / vessel["capacity_kg"]), 5),
        "at_most_kg": round(float(s["bound_kg"][v]), 3),
        "capacity_kg": round(float(vessel["capacity_kg"]), 3),
        "counts_as_full": telling.unseen_text(topology, state, v) or None,
        "blind_s": round(float(s["blind_s"][v]), 3) if s["blind_s"][v] < 1e9 else None,
        "time_to_lip_s": None if math.isinf(left_s) else round(left_s, 1),
    }


def _chute(topology: Topology, state: Table, permit: Table, c: int) -> dict[str, Any]:
    chute = topology.table["chutes"][0, c]
    gate, lid = int(chute["gate"]), int(chute["lid"])
    return {
        "chute": topology.chutes[c],
        "content_kg": round(float(state["last_content_kg"][0, c]), 3),
        "lid": telling.position_text(topology, state, lid),
        "gate": telling.position_text(topology, state, gate),
        "why": telling.refusal_text(permit["rule"][0, gate], permit["rule"][0, lid]),
    }
