"""What is on the page: figures, series, lanes, rules and happenings of one run, as one JSON object.

Everything physical is the truth of the simulated plant; bounds, openings and rules are what the controller saw and
decided. Neighbours: `sampler` holds what was seen, `packing` shortens it, `page` embeds it. Must not know HTML.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from pod_controller.cause_effect.table import SENTENCES
from pod_controller.kernels import rules
from pod_controller.topology import Topology
from sim_hardware import plant_records as rec
from sim_hardware import sampler_kernel as kern
from sim_hardware.faults import NEVER_NS, Fault
from sim_hardware.layout import vessel_names
from sim_hardware.params import ENDLESS_KG
from sim_hardware.pod_plant import Figures
from sim_hardware.report.digester_view import digester_view
from sim_hardware.report.packing import pack_range, pack_runs
from sim_hardware.sampler import MODES, NS, RULES, Sampler, round_up_s

ORDINARY = (rules.NOT_WISHED, rules.GRANTED)
ARRIVAL_BARS = 200
SIGNALS = {  # name -> signal of the plant, resolution
    "gas_m3_h": (rec.GAS_FLOW, 1e-4),
    "pressure_mbar": (rec.GAS_PRESSURE, 1e-2),
    "light_frac": (rec.LIGHT, 1e-4),
    "oxygen_mg_l": (rec.OXYGEN, 1e-3),
    "digester_degc": (rec.TEMP, 1e-3),
    "jacket_degc": (rec.JACKET, 1e-3),
}
LIVING = {  # only of a pod with biology
    "ph": (rec.PH, 1e-3),
    "ch4_frac": (rec.METHANE, 1e-4),
    "fos_tac_ratio": (rec.FOS_TAC, 1e-3),
    "foam_m": (rec.FOAM, 1e-4),
    "density_ratio": (rec.DENSITY, 1e-4),
}


class Run(NamedTuple):
    """What a page is made from: the outcome in the words of the verb, what was seen, what was made to go wrong."""

    outcome: Mapping[str, Any]
    figures: Figures
    sampler: Sampler
    params: rec.Table
    faults: Sequence[Fault]
    title: str


def contents(run: Run) -> dict[str, Any]:
    """Everything, ready for json.dumps."""
    sampler = run.sampler
    accounts = sampler.samples.accounts
    spilled = accounts[:, kern.SPILLED : kern.PROCESSED]
    return {
        "title": run.title,
        "outcome": dict(run.outcome),
        "interval_s": sampler.interval_s,
        "intervals": sampler.intervals,
        "vessels": _vessels(run),
        "signals": {name: _channel(sampler, _other(signal), scale) for name, (signal, scale) in _shown(run).items()},
        "chutes": [_chute(sampler, c, name) for c, name in enumerate(sampler.topology.chutes)],
        "bar_s": _bar_intervals(sampler) * sampler.interval_s,
        "accepted": _sums(sampler, accounts[:, kern.ARRIVED : kern.REFUSED] - accounts[:, kern.REFUSED : kern.SPILLED]),
        "refused": _sums(sampler, accounts[:, kern.REFUSED : kern.SPILLED]),
        "processed": _sums(sampler, accounts[:, kern.PROCESSED :]),
        "spilled": _sums(sampler, spilled) if spilled.any() else None,
        "feed": digester_view(sampler) if sampler.topology.config.digestion else None,
        "lanes": _lanes(sampler),
        "rules": _rules(sampler),
        "sentences": {str(rule): SENTENCES[rule] for rule in RULES},
        "happenings": _happenings(run),
        "happenings_lost": int(sampler.samples.head[0].lost),
    }


def _shown(run: Run) -> dict[str, tuple[int, float]]:
    return SIGNALS if run.figures.biology is None else SIGNALS | LIVING


def _vessels(run: Run) -> list[dict[str, Any]]:
    """Every vessel with a lip: level, the guard's bound, lip and weir, what it spilled."""
    sampler, p = run.sampler, run.params[0]
    bounds = _bound_channels(sampler.topology)
    has_float = run.outcome["policy"] != "open"  # the pod as it was at the festival had none
    found = []
    for name, vessel in vessel_names(len(sampler.topology.chutes)).items():
        lip_kg, weir_kg = float(p.lip_kg[vessel]), float(p.weir_kg[vessel])
        step_kg = 10.0 ** np.floor(np.log10(lip_kg / 5000.0))
        row = {
            "name": name,
            "lip_kg": lip_kg,
            "weir_kg": None if weir_kg >= ENDLESS_KG else weir_kg,
            "float_kg": float(p.float_on_kg) if vessel == rec.BUFFER and has_float else None,
            "level": _channel(sampler, kern.CONTENT + vessel, step_kg),
            "bound": _channel(sampler, bounds[name], step_kg, 2.0 * lip_kg) if name in bounds else None,
            "kept_kg": _kept_kg(sampler.topology, name),
            "max_level_frac": run.figures.vessels[name].max_level_frac,
            "spilled_waste_kg": run.figures.vessels[name].spilled_kg,
            "spilled_kg": float(sampler.samples.accounts[sampler.intervals, kern.SPILLED + vessel]),
        }
        found.append(row)
    return found


def _kept_kg(topology: Topology, name: str) -> float:
    """Room that the guard keeps free in a vessel for what no inlet can stop, and for what is on its way."""
    if name not in topology.vessels:
        return 0.0
    vessel = topology.table["vessels"][0, topology.vessels.index(name)]
    return float(vessel["psi_kg"] + vessel["hold_up_kg"])


def _bound_channels(topology: Topology) -> dict[str, int]:
    bounds = {name: kern.CHUTE_BOUND + c for c, name in enumerate(topology.chutes)}
    return bounds | {name: kern.BOUND + v for v, name in enumerate(topology.vessels)}


def _other(signal: int) -> int:
    return kern.OTHERS + signal - rec.GAS_FLOW


def _channel(sampler: Sampler, channel: int, scale: float, most_kg: float = ENDLESS_KG) -> dict[str, Any]:
    """One channel's extremes; what counts as endless is shown at most_kg."""
    n = sampler.intervals
    low, high = (table[:n, channel] for table in (sampler.samples.low, sampler.samples.high))
    return dict(pack_range(np.where(np.isfinite(low), np.minimum(low, most_kg), low), np.minimum(high, most_kg), scale))


def _sums(sampler: Sampler, accounts_kg: rec.Table) -> dict[str, Any]:
    """Running sums at the end of each interval, added up."""
    sums_kg = accounts_kg[1 : sampler.intervals + 1].sum(axis=1)
    return dict(pack_range(sums_kg, sums_kg, 0.01))


def _bar_intervals(sampler: Sampler) -> int:
    bar_s = round_up_s(sampler.intervals * sampler.interval_s / ARRIVAL_BARS)
    return max(1, math.ceil(bar_s / sampler.interval_s))


def _chute(sampler: Sampler, c: int, name: str) -> dict[str, Any]:
    """What came to a chute in each bar, accepted and refused, in kg."""
    edges = [*range(0, sampler.intervals, _bar_intervals(sampler)), sampler.intervals]
    arrived_kg = np.diff(sampler.samples.accounts[edges, kern.ARRIVED + c])
    refused_kg = np.diff(sampler.samples.accounts[edges, kern.REFUSED + c])
    rounded = {"accepted_kg": (arrived_kg - refused_kg).round(2), "refused_kg": refused_kg.round(2)}
    return {"name": name} | {key: values.tolist() for key, values in rounded.items()}


def _lanes(sampler: Sampler) -> list[dict[str, Any]]:
    """Elements with a feedback: percent of each interval seen open; -1 mostly without feedback, -2 not looked at."""
    topology, samples, n = sampler.topology, sampler.samples, sampler.intervals
    lanes = []
    for e, name in enumerate(topology.elements):
        if topology.position_tags[e] is None and topology.locked_tags[e] is None:
            continue
        shown, ticks = samples.shown_ticks[:n, e], samples.ticks[:n]
        share_pct = np.ceil(100.0 * shown[:, kern.OPEN] / np.maximum(1, ticks)).astype(np.int64)
        share_pct[shown[:, kern.UNSEEN] * 2 > ticks] = -1
        share_pct[ticks == 0] = -2
        tag = topology.locked_tags[e] or topology.position_tags[e]
        kind = "lid" if topology.locked_tags[e] else "gate" if name in _gates(topology) else "other"
        lanes.append({"name": name, "tag": tag, "kind": kind, "open_pct": pack_runs(share_pct)})
    return lanes


def _gates(topology: Topology) -> list[str]:
    chutes = topology.table["chutes"]["gate"][0, : len(topology.chutes)]
    return [topology.elements[e] for e in chutes]


def _rules(sampler: Sampler) -> list[dict[str, Any]]:
    """For each element that was ever refused: seconds by rule, and by interval the rule that refused it longest."""
    topology, n = sampler.topology, sampler.intervals
    tick_s = float(topology.table[0].tick_s)
    refusing = [k for k, rule in enumerate(RULES) if rule not in ORDINARY]
    found = []
    for e, name in enumerate(topology.elements):
        ticks = sampler.samples.rule_ticks[:n, e]
        held = ticks[:, refusing]
        if not held.any():
            continue
        longest = np.array(RULES)[np.array(refusing)[held.argmax(axis=1)]]
        by_rule = {str(rule): float(ticks[:, k].sum() * tick_s) for k, rule in enumerate(RULES) if ticks[:, k].any()}
        shown = np.where(held.any(axis=1), longest, rules.GRANTED)
        found.append({"name": name, "by_rule_s": by_rule, "rule": pack_runs(shown)})
    return found


def _happenings(run: Run) -> list[dict[str, Any]]:
    """State changes, floats, vessels counted as full, spills, faults; by time, those of one moment and kind in one."""
    head = run.sampler.samples.head[0]
    rows = [_happening(run.sampler, row) for row in run.sampler.samples.happenings[: int(head.happened)]]
    for fault in run.faults:
        name = f"{fault.kind.name}@{fault.target}"
        rows.append(Happening(fault.from_ns / NS, "fault", True, name, f"begins: {fault.kind.text}"))
        if fault.until_ns < NEVER_NS:
            rows.append(Happening(fault.until_ns / NS, "fault", False, name, "ends"))
    end_s = run.sampler.intervals * run.sampler.interval_s
    found: dict[tuple[Any, ...], list[str]] = {}
    for row in sorted((row for row in rows if row.at_s <= end_s), key=lambda row: row.at_s):
        found.setdefault((row.at_s, row.kind, row.on, row.text), []).append(row.thing)
    return [
        {"at_s": at_s, "kind": kind, "on": on, "things": things, "text": f"{', '.join(things)} {text}"}
        for (at_s, kind, on, text), things in found.items()
    ]


class Happening(NamedTuple):
    """Something that began (on) or ended."""

    at_s: float
    kind: str
    on: bool
    thing: str
    text: str


def _happening(sampler: Sampler, row: rec.Row) -> Happening:
    topology = sampler.topology
    at_s, index, on = int(row.at_ns) / NS, int(row.index), bool(row.on)
    if row.kind == kern.MODE:
        return Happening(at_s, "state", True, "pod", f"is {MODES[int(row.on)].value}")
    if row.kind == kern.FEED:
        return Happening(at_s, "feed", on, "feed", f"follows rule {index}: {rules.TEXT[index]}")
    if row.kind == kern.FLOAT:
        name = f"{topology.float_tags[index]} of {topology.vessels[index]}"
        return Happening(at_s, "float", on, name, "on, or cannot be read" if on else "off")
    if row.kind == kern.FULL:
        return Happening(at_s, "full", on, topology.vessels[index], "counts as full" if on else "no longer full")
    names = {vessel: name for name, vessel in vessel_names(len(topology.chutes)).items()}
    return Happening(at_s, "spill", True, names.get(index, "macerator"), "begins to spill")
