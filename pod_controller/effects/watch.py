"""Every intake of a pod, held against the levels: which of its pumps, gates and valves turn and move nothing.

An intake runs while all of its elements in series are granted open and shown open by their feedback, and have been for
SETTLED_S. Its sources are the chutes whose gates are open (their lids proved locked) or its vessel; its targets are the
vessels it leads to. What others may bring or take counts with their whole rates, for as long as they are not proved
shut and AFTER_S longer; what comes or goes over a weir is not known.

Neighbours: `balance` weighs, `commissioning.workshop` runs it after each tick, `commissioning.discrepancy` tells. Must
not know lines or registers, nor decide anything.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from hal.values import Quality
from pod_controller.config import Intake, PodConfig
from pod_controller.effects.balance import Balance, Finding, Seen, Side
from pod_controller.kernels.records import Record, Table
from pod_controller.topology import Topology

NS = 1_000_000_000
SETTLED_S = 3.0
AFTER_S = 60.0  # what has passed an element may still be on its way
LEAST_END_FRAC = 0.02
RESIDUE_ERRORS = 4.0  # a chute with less than so many times its error may hold nothing that can fall
WEIR_RATIO = 0.9  # a vessel filled beyond this share of its weir may be running over it
GOOD = int(Quality.GOOD)
CHUTES = "what is in the open chutes"

Flags = Sequence[bool]


class Told(NamedTuple):
    """What became known of an intake."""

    intake: str
    began: bool
    text: str


class _Watched:
    """One intake: the rows of its elements and vessels, its balance, and how long it has been running."""

    def __init__(self, topology: Topology, intake: Intake) -> None:
        vessels = {name: v for v, name in enumerate(topology.vessels)}
        chutes = topology.table["chutes"][0]
        self.intake = intake
        self.chutes = [topology.chutes.index(name) for name in intake.from_chutes]
        self.lids = [int(chutes["lid"][c]) for c in self.chutes]
        own = [int(chutes["gate"][c]) for c in self.chutes]
        self.own = own or ([topology.element(intake.element)] if intake.element else [])
        self.shared = [topology.element(name) for name in intake.shared]
        self.source = vessels[intake.from_vessel] if intake.from_vessel is not None else -1
        self.targets = {vessels[name]: ratio for name, ratio in intake.to.items()}
        self.places = [v for v in (self.source, *self.targets) if v >= 0]  # vessels at which it is looked
        self.residue_kg = [RESIDUE_ERRORS * topology.config.chute[c].content_error_kg for c in self.chutes]
        self.balance = Balance(_sides(topology.config, intake))
        self.running, self.since_ns = 0, 0
        self.passed_ns = -1  # when something may have passed last
        self.texts: dict[int, str] = {}  # by way of running, what it does not move

    def take_over(self, old: "_Watched") -> None:
        """How it runs, and what is known of it."""
        self.running, self.since_ns, self.passed_ns, self.texts = old.running, old.since_ns, old.passed_ns, old.texts
        self.balance.findings = old.balance.findings

    def key(self, granted: Flags, is_open: Flags, is_shut: Flags, now_ns: int) -> int:
        """Which of its own elements are open, one bit each (without any: 1); 0 while it does not run whole."""
        key = 0 if self.own else 1
        for k, e in enumerate(self.own):
            if granted[e] and is_open[e]:
                key |= 1 << k
            elif not is_shut[e]:
                key = -1
                break
        if key < 0 or not all(granted[e] and is_open[e] for e in self.shared):
            key = 0
        if key != self.running:
            self.running, self.since_ns = key, now_ns
        return key if now_ns - self.since_ns >= SETTLED_S * NS else 0

    def may_pass(self, is_shut: Flags) -> bool:
        """Whether its elements leave it a way."""
        if any(is_shut[e] for e in self.shared):
            return False
        return not self.own or not all(is_shut[e] for e in self.own)

    def effect_of(self, e: int) -> str:
        """Of one of its elements: yes, NO, - for not yet, "not visible". A gate that ran alone is judged by that."""
        findings, bit = self.balance.findings, 1 << self.own.index(e) if e in self.own else 0
        keys = [key for key in findings if not bit or key & bit]
        known = [findings[key] is None for key in ([bit] if bit in keys else keys)]
        if not known:
            return "-" if self.balance.visible_s < math.inf else "not visible"
        return "yes" if any(known) else "NO"


def _sides(config: PodConfig, intake: Intake) -> list[Side]:
    """Where it is looked: at the chutes together or the vessel it is fed from, and at every vessel it leads to."""
    vessels = {vessel.name: vessel for vessel in config.vessel}
    found = []
    if intake.from_chutes:
        errors_kg = [chute.content_error_kg for chute in config.chute if chute.name in intake.from_chutes]
        found.append(Side(CHUTES, True, intake.rate_kg_s, (sum(errors_kg),)))
    if intake.from_vessel is not None:
        errors = tuple(level.error_kg for level in vessels[intake.from_vessel].levels)
        is_known = not any(vessel.overflow_to == intake.from_vessel for vessel in config.vessel)
        found.append(Side(intake.from_vessel, True, intake.rate_kg_s, errors, is_known=is_known))
    for name, ratio in intake.to.items():
        errors = tuple(level.error_kg for level in vessels[name].levels)
        vessel, is_known = vessels[name], vessels[name].overflow_to is None
        found.append(Side(name, False, intake.rate_kg_s * ratio, errors, vessel.hold_up_kg, is_known))
    return found


class Effects:
    """All intakes of one pod. `look` once a tick; for those that do not run it is quick."""

    def __init__(self, topology: Topology) -> None:
        config = topology.config
        self._elements = topology.elements
        self._watched = [_Watched(topology, intake) for intake in config.intake]
        ends = [max(LEAST_END_FRAC, element.position_error_frac) for element in config.element]
        self._open_fracs = [1.0 - end_frac for end_frac in ends]
        self._is_fed_by_weir = [any(x.overflow_to == name for x in config.vessel) for name in topology.vessels]
        self._weirs_kg = [x.weir_kg * WEIR_RATIO if x.weir_kg is not None else math.inf for x in config.vessel]

    def under(self, topology: Topology) -> "Effects":
        """The same intakes with other figures: what is known of them stands, every window begins anew."""
        renewed = Effects(topology)
        for old, new in zip(self._watched, renewed._watched, strict=True):
            new.take_over(old)
        return renewed

    def look(self, frame: Table, state: Table, permit: Table) -> list[Told]:
        """What became known with this tick."""
        f, now_ns, told = frame[0], int(frame["now_ns"][0]), []
        granted = (permit["grant_frac"][0] > 0.0).tolist()
        is_shut: Flags = state["proved_shut"][0].tolist()
        at = zip(f["position_frac"].tolist(), f["position_quality"].tolist(), self._open_fracs, strict=False)
        is_open = [quality == GOOD and frac >= least_frac for frac, quality, least_frac in at]
        for watched in self._watched:
            if watched.may_pass(is_shut):
                watched.passed_ns = now_ns
        for watched in self._watched:
            key, balance = watched.key(granted, is_open, is_shut, now_ns), watched.balance
            if key == 0 and balance.is_at_rest:
                continue
            if balance.look(now_ns, key, self._seen(watched, key, f, state[0], is_shut)):
                told += self._told(watched, key)
        return told

    def standing(self) -> list[str]:
        """What is known to move nothing, in words."""
        return [text for watched in self._watched for text in watched.texts.values()]

    def unseen(self) -> list[str]:
        """Intakes whose effect no level can show."""
        return [watched.intake.name for watched in self._watched if watched.balance.visible_s == math.inf]

    def of(self, element: str) -> str:
        """What is known of an element's effect: yes, NO, - for not yet, "not visible"; empty if it moves nothing."""
        e = self._elements.index(element)
        said = [watched.effect_of(e) for watched in self._watched if e in (*watched.own, *watched.shared)]
        return next((word for word in ("NO", "yes", "-") if word in said), "not visible") if said else ""

    def _seen(self, watched: _Watched, key: int, f: Record, state: Record, is_shut: Flags) -> list[Seen]:
        seen = [self._chutes(watched, key, f, is_shut)] if watched.chutes else []
        return seen + [self._vessel(watched, v, f, state) for v in watched.places]

    def _chutes(self, watched: _Watched, key: int, f: Record, is_shut: Flags) -> Seen:
        """The open chutes together. People may throw something in unless every lid of them is proved locked."""
        content_kg, locked = 0.0, True
        for k, c in enumerate(watched.chutes):
            if key >> k & 1:
                locked = locked and bool(is_shut[watched.lids[k]])
                enough = f["content_quality"][c] == GOOD and f["content_kg"][c] >= watched.residue_kg[k]
                content_kg += float(f["content_kg"][c]) if enough else math.nan
        known_kg = None if math.isnan(content_kg) else content_kg
        return Seen((known_kg,), 0.0 if locked else math.inf, 0.0)

    def _vessel(self, watched: _Watched, v: int, f: Record, state: Record) -> Seen:
        now_ns, gain_kg_s, loss_kg_s = int(f["now_ns"]), 0.0, 0.0
        for other in self._watched:
            if other is not watched and other.passed_ns >= 0:
                if now_ns - other.passed_ns <= AFTER_S * NS:
                    gain_kg_s += other.intake.rate_kg_s * other.targets.get(v, 0.0)
                if other.source == v and other.passed_ns == now_ns:
                    loss_kg_s += other.intake.rate_kg_s
        if self._is_fed_by_weir[v]:
            gain_kg_s = math.inf
        if float(state["level_kg"][v]) > self._weirs_kg[v]:
            loss_kg_s = math.inf
        is_good = (f["level_quality"][v] == GOOD).tolist()
        levels = zip(f["level_kg"][v].tolist(), is_good, strict=True)
        sensors = len(watched.balance.sides[self._place(watched, v)].errors_kg)
        return Seen(tuple(kg if good else None for kg, good in levels)[:sensors], gain_kg_s, loss_kg_s)

    def _place(self, watched: _Watched, v: int) -> int:
        return watched.places.index(v) + (1 if watched.chutes else 0)

    def _told(self, watched: _Watched, key: int) -> list[Told]:
        """Begun or ended; that something moves as it should is nobody's news."""
        finding = watched.balance.findings.get(key)
        if finding is not None:
            text = self._text(watched, key, finding)
            watched.texts = {**watched.texts, key: text}  # a new table: whoever asks is in another thread
            return [Told(watched.intake.name, True, text)]
        ended = watched.texts.get(key, "")
        watched.texts = {other: text for other, text in watched.texts.items() if other != key}
        return [Told(watched.intake.name, False, ended)] if ended else []

    def _text(self, watched: _Watched, key: int, finding: Finding) -> str:
        own = [e for k, e in enumerate(watched.own) if key >> k & 1]
        names = ", ".join(self._elements[e] for e in (*own, *watched.shared))
        way = "fell" if finding.is_source else "rose"
        todo = "a belt, a coupling, a blocked line, or a valve that does not do what its feedback says"
        if watched.chutes:
            todo = f"a bridge in the chute, or {todo}"
        return (
            f"{watched.intake.name}: {names} open and turn, and {finding.side} {way} by at most"
            f" {max(finding.seen_kg, 0.0):.1f} kg in {finding.ran_s:.0f} s, where half of the rate is"
            f" {finding.due_kg:.1f} kg: {todo}"
        )
