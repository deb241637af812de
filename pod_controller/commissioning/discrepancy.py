"""Whether every output does what it is told: wished, commanded, acknowledged, verified by its effect.

    wished        somebody asked for it, or nobody did (the rule of the permit)
    commanded     what the guard granted, and the newest command that went out
    acknowledged  a read-back of its module showed that command, within the lease
    verified      its feedback (position, speed, lock switch) is there, after the time its travel may take
    effect        what it is in the way of moves, as far as levels can tell (`effects`)

An output that is not, after that time, is a discrepancy: told once when it begins and once when it ends. The first of
those that stand together is marked first-out: the others may be its consequences. Neighbours: `workshop` runs it after
each tick, `answers` and `status` tell. Must not know how to write or to read a register, nor decide anything.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hal.values import Ack, Quality, Reading, Scan
from pod_controller.effects.watch import Effects
from pod_controller.kernels.records import Table
from pod_controller.kernels.rules import NOT_EXECUTE, NOT_WISHED
from pod_controller.topology import Topology

NS = 1_000_000_000
LEAST_END_FRAC = 0.02
SLACK_TICKS = 2  # a read-back is a tick old, and so is a position


class News(NamedTuple):
    """A discrepancy that began or ended."""

    element: str
    began: bool
    text: str


class _Watched:
    """One element: its tags, how long it may take, and since when it was told what it is told now."""

    __slots__ = (
        "ack_ns",
        "commanded",
        "element",
        "end_frac",
        "fault",
        "feedback",
        "is_lock",
        "settle_ns",
        "since_ns",
        "tags",
    )

    def __init__(self, topology: Topology, e: int) -> None:
        config = topology.config.element[e]
        tick_ns = round(topology.config.control.tick_s * NS)
        lease_ns = round(float(topology.table["elements"]["lease_s"][0, e]) * NS)
        self.element, self.tags = config.name, config.commands
        self.feedback, self.is_lock = config.position_tag or config.locked_tag, config.locked_tag is not None
        self.end_frac = max(LEAST_END_FRAC, config.position_error_frac)
        self.ack_ns = lease_ns + SLACK_TICKS * tick_ns
        self.settle_ns = self.ack_ns + round(config.stroke_s * NS) + SLACK_TICKS * tick_ns
        self.commanded = -1.0
        self.since_ns = 0
        self.fault = ""

    def take_over(self, old: "_Watched") -> None:
        """What it is told, since when, and what is wrong with it."""
        self.commanded, self.since_ns, self.fault = old.commanded, old.since_ns, old.fault

    def told_to(self, commanded_frac: float, now_ns: int) -> None:
        """What it is told in this tick."""
        if commanded_frac != self.commanded:
            self.commanded, self.since_ns = commanded_frac, now_ns

    def is_frac(self, readings: Mapping[str, Reading]) -> float | None:
        """Where its feedback says it is, 0 its fail state; None without a good one."""
        reading = readings.get(self.feedback or "")
        if reading is None or reading.quality is not Quality.GOOD:
            return None
        return 1.0 - reading.value if self.is_lock else reading.value


class Discrepancies:
    """All elements of one pod. `look` once a tick; it is quick, for most of them nothing has changed."""

    def __init__(self, topology: Topology) -> None:
        self._watched = [_Watched(topology, e) for e in range(len(topology.elements))]
        self.effects = Effects(topology)
        self.first_out = ""  # the element whose discrepancy came first of those that stand
        self._since_ns: dict[str, int] = {}

    def adopt(self, topology: Topology) -> None:
        """From the next look on with other figures: same rows, same names. What is known stands."""
        renewed = [_Watched(topology, e) for e in range(len(topology.elements))]
        for old, new in zip(self._watched, renewed, strict=True):
            new.take_over(old)
        self._watched, self.effects = renewed, self.effects.under(topology)

    def look(self, scan: Scan, permit: Table, now_ns: int) -> list[News]:
        """Compare command and effect of every element; what began or ended."""
        news: list[News] = []
        grants = permit["grant_frac"][0].tolist()
        for e, watched in enumerate(self._watched):
            watched.told_to(grants[e], now_ns)
            fault = self._fault(watched, scan, now_ns)
            if fault == watched.fault:
                continue
            if not fault or not watched.fault:
                news.append(News(watched.element, bool(fault), fault or watched.fault))
            watched.fault = fault
            self._note(watched.element, bool(fault), now_ns)
        return news

    def rows(self, topology: Topology, scan: Scan, permit: Table, now_ns: int) -> list[dict[str, Any]]:
        """Every output as it is, for whoever asks; a command beside what came of it, never instead of it."""
        return [
            self._row(watched, tag, scan, permit, e, now_ns)
            for e, watched in enumerate(self._watched)
            for tag in topology.command_tags[e]
        ]

    def standing(self) -> list[str]:
        """Every discrepancy that stands, the first-out first."""
        found = [w for w in self._watched if w.fault]
        found.sort(key=lambda w: (w.element != self.first_out, self._since_ns.get(w.element, 0)))
        own = [f"{w.fault}{' (first out)' if w.element == self.first_out and len(found) > 1 else ''}" for w in found]
        return own + self.effects.standing()

    def _note(self, element: str, stands: bool, now_ns: int) -> None:
        if stands:
            self._since_ns.setdefault(element, now_ns)
            self.first_out = self.first_out or element
        else:
            self._since_ns.pop(element, None)
            if element == self.first_out and not self._since_ns:
                self.first_out = ""

    def _fault(self, watched: _Watched, scan: Scan, now_ns: int) -> str:
        """What is wrong with one element; empty if nothing, or if it may still be on its way."""
        word, told_ns = "open" if watched.commanded > 0.0 else "shut", now_ns - watched.since_ns
        if told_ns > watched.ack_ns:
            for tag in watched.tags:
                shown = acknowledged(scan.acks.get(tag), watched, now_ns)
                if shown is False:
                    return f"{watched.element}: its module does not show that {tag} was told to be {word}"
        if told_ns <= watched.settle_ns or watched.feedback is None:
            return ""
        is_frac = watched.is_frac(scan.readings)
        if is_frac is None:
            return f"{watched.element}: told to be {word}, and {watched.feedback} cannot be read"
        if abs(is_frac - watched.commanded) <= watched.end_frac:
            return ""
        told = f"{watched.element}: told to be {word} for more than {watched.settle_ns / NS:.0f} s"
        return f"{told}, and {watched.feedback} says {is_frac:.0%}"

    def _row(self, watched: _Watched, tag: str, scan: Scan, permit: Table, e: int, now_ns: int) -> dict[str, Any]:
        rule, told_ns = int(permit["rule"][0, e]), now_ns - watched.since_ns
        shown, is_frac = acknowledged(scan.acks.get(tag), watched, now_ns), watched.is_frac(scan.readings)
        return {
            "output": tag,
            "element": watched.element,
            "wished": None if rule == NOT_EXECUTE else rule != NOT_WISHED,
            "commanded": watched.commanded,
            "commanded_for_s": round(told_ns / NS, 1),
            "acknowledged": shown,
            "feedback": watched.feedback,
            "is_frac": is_frac,
            "verified": None if is_frac is None else abs(is_frac - watched.commanded) <= watched.end_frac,
            "effect": self.effects.of(watched.element) or None,
            "settles_in_s": round(max(0, watched.settle_ns - told_ns) / NS, 1),
            "discrepancy": watched.fault or None,
            "first_out": bool(watched.fault) and watched.element == self.first_out,
        }


def acknowledged(ack: Ack | None, watched: _Watched, now_ns: int) -> bool | None:
    """Whether a read-back shows what is commanded; None while there is none of that command yet."""
    if ack is None or now_ns - ack.taken_ns > watched.ack_ns:
        return False if now_ns - watched.since_ns > watched.ack_ns else None
    if ack.issued_ns < watched.since_ns:
        return None if now_ns - watched.since_ns <= watched.ack_ns else False
    return (ack.open_frac > 0.5) == (watched.commanded > 0.0)
