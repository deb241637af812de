"""Follows the cause-and-effect table once a tick: what has tripped, what latches, what tripped first.

    mark     before the step: a trip becomes the row id of its elements in FRAME, an element in HAND becomes open
    reset    by a person: latched trips whose cause has gone are lifted, the others stay
    bypass   by a person, one at a time
    kept     what stands, for `recall` by the next core: a restart lifts nothing

A latch is given up by `reset` alone. Neighbours: the loop calls it, `causes` watch, the kernels obey FRAME's `trip`.
Must not know what the guard makes of it.
"""

from typing import NamedTuple

import numpy as np

from hal.errors import PodError
from hal.values import Scan
from pod_controller.cause_effect import bypass as maintenance
from pod_controller.cause_effect.bypass import IN_FORCE, Bypass
from pod_controller.cause_effect.causes import Watch, watches
from pod_controller.cause_effect.evidence import NS, Evidence
from pod_controller.cause_effect.kept import Kept, KeptBypass, Stood
from pod_controller.kernels import records
from pod_controller.kernels.records import Table
from pod_controller.topology import Topology

COUNTS_AS_OPEN = ("hand", "out_of_service")
FORGOTTEN = "forgotten"
DECLARED = ("out_of_service", "bypassed", FORGOTTEN)  # by a person or by the start, not seen


class News(NamedTuple):
    """One change, for the journal. value: tripped, cleared, reset, begun, ended or expired."""

    thing: str
    value: str
    why: str
    who: str


class Standing(NamedTuple):
    """One trip that stands."""

    watch: Watch
    since_ns: int
    cause_stands: bool
    first_out: bool
    seen: str  # by which of several signs; empty where a row has one, or after a restart


class Trips:
    """All rows on one pod, and what stands of them."""

    def __init__(self, topology: Topology) -> None:
        self.watches = watches(topology)
        self.bypass: Bypass | None = None
        self._topology = topology
        self._evidence = Evidence(topology)
        n = len(self.watches)
        self._seen = [(w, watch) for w, watch in enumerate(self.watches) if watch.row.cause not in DECLARED]
        self._began_ns = [-1] * n  # of the cause
        self._gone_ns = [-1] * n  # since when the cause of a trip has gone
        self._since_ns: dict[int, int] = {}  # watch -> when it tripped, oldest first
        self._saw: dict[int, str] = {}
        self._first_out = -1
        self._marks = np.zeros(records.MAX_ELEMENTS, np.int16)
        self._news: list[News] = []
        self.changes = 0  # of what stands, and of the bypass

    def hide(self, scan: Scan, now_ns: int) -> Scan:
        """The scan without the sensor under work; a bypass that has expired ends here."""
        if self.bypass is not None and now_ns >= self.bypass.until_ns:
            self._end_bypass("expired", "time is up", "core")
        return maintenance.hide(scan, self.bypass)

    def mark(self, scan: Scan, frame: Table, state: Table, now_ns: int) -> list[News]:
        """Look at the scan and put what stands into FRAME. state: of the tick before. Returns what changed."""
        self._evidence.renew(scan, frame, state, now_ns)
        changed = False
        declared = self.bypass is not None or bool(self._since_ns)
        for w, watch in enumerate(self.watches) if declared else self._seen:
            holds = watch.site.test(self._evidence) if self.bypass is None else self._holds(watch)
            if holds or w in self._since_ns or self._began_ns[w] >= 0:
                changed = self._follow(w, watch, holds, now_ns) or changed
        if changed:
            self._renew()
        if self._since_ns:
            frame["trip"][0] = self._marks
            self._count_as_open(frame, now_ns)
        news, self._news = self._news, []
        return news

    @property
    def standing(self) -> tuple[Standing, ...]:
        """Every trip that stands, oldest first."""
        return tuple(
            Standing(self.watches[w], since_ns, self._began_ns[w] >= 0, w == self._first_out, self._saw.get(w, ""))
            for w, since_ns in self._since_ns.items()
        )

    def reset(self, now_ns: int, reason: str = "", who: str = "") -> int:
        """Lift latched trips whose cause has gone for long enough; how many. Those whose cause stands stay."""
        ready = [w for w in self._since_ns if self.watches[w].row.latched and self._has_gone(w, now_ns)]
        for w in ready:
            self._lift(w, "reset", reason, who)
        if ready:
            self._renew()
        return len(ready)

    def kept(self, boot: str, now_ns: int) -> Kept:
        """What stands, for the next core; boot: which clock now_ns belongs to."""
        stood = tuple(
            Stood(watch.row.id, watch.site.unit.kind, watch.site.unit.name, since_ns, first_out)
            for watch, since_ns, _, first_out, _ in self.standing
        )
        bypass = self.bypass
        if bypass is None:
            return Kept(boot, stood)
        left_s = (bypass.until_ns - now_ns) / NS
        return Kept(boot, stood, KeptBypass(bypass.thing, bypass.until_ns, left_s, bypass.reason, bypass.who))

    def recall(self, kept: Kept, same_clock: bool, now_ns: int) -> None:
        """Take up what stood before a restart. What cannot be read, or sits on nothing of this pod, is row 195.

        same_clock: its times and now_ns belong to one boot of the machine.
        """
        unknown = "" if kept.is_whole else "the record of what stood is damaged or gone"
        places = {(x.row.id, x.site.unit.kind, x.site.unit.name): w for w, x in enumerate(self.watches)}
        for stood in kept.stood:
            w = places.get((stood.row, stood.kind, stood.unit))
            if w is None:
                unknown = f"{stood.row} {stood.unit} stood, and is no row of this pod"
                continue
            self._since_ns[w] = stood.since_ns if same_clock else now_ns
            self._first_out = w if stood.first_out else self._first_out
            self._tell(self.watches[w], "kept", "it stood before the restart", "core")
        if kept.bypass is not None:
            unknown = self._take_up(kept.bypass, same_clock, now_ns) or unknown
        if unknown:
            w = next(w for w, x in enumerate(self.watches) if x.row.cause == FORGOTTEN)
            self._since_ns.setdefault(w, now_ns)
            self._tell(self.watches[w], "tripped", f"{unknown}: keeps everything until reset", "core")
        if self._since_ns:
            self._renew()

    def _take_up(self, kept: KeptBypass, same_clock: bool, now_ns: int) -> str:
        """Go on with the bypass: to its end on the same clock, for as long as was left on another. What hinders it."""
        left_s = (kept.until_ns - now_ns) / NS if same_clock else kept.left_s
        lasts_s = max(1, min(round(left_s), maintenance.LONGEST_S))
        try:
            self.bypass = maintenance.begin(self._topology, kept.thing, lasts_s, (kept.reason, kept.who), now_ns)
        except PodError as error:
            return str(error)
        self._news.append(News(f"bypass {kept.thing}", "kept", f"for {lasts_s} s after a restart", kept.who))
        return ""

    def why_kept(self) -> str:
        """Why a reset lifts nothing, or not all."""
        left = [watch for watch, *_ in self.standing if watch.row.latched]
        shown = ", ".join(f"{x.row.id} {x.site.unit.name} ({x.row.says})" for x in left[:3])
        return f"the cause stands still, or went just now: {shown}" if left else "no trip is latched"

    def begin_bypass(self, thing: str, lasts_s: int, reason: str, who: str, now_ns: int) -> Bypass:
        """Begin the one bypass. PodError E450 while another is in force, E451, E452 (see `bypass`)."""
        if self.bypass is not None:
            text = f"{self.bypass.thing} is bypassed by {self.bypass.who}: one at a time"
            raise PodError(IN_FORCE, f"{text}; end that one first (podctl bypass --end)")
        self.bypass = maintenance.begin(self._topology, thing, lasts_s, (reason, who), now_ns)
        self.changes += 1
        self._news.append(News(f"bypass {thing}", "begun", f"for {lasts_s} s: {reason}", who))
        return self.bypass

    def end_bypass(self, reason: str, who: str) -> bool:
        """End the bypass; False if there is none."""
        if self.bypass is None:
            return False
        self._end_bypass("ended", reason, who)
        return True

    def _end_bypass(self, how: str, reason: str, who: str) -> None:
        assert self.bypass is not None
        self._news.append(News(f"bypass {self.bypass.thing}", how, reason, who))
        self.bypass = None
        self.changes += 1

    def _holds(self, watch: Watch) -> bool:
        """One cause while a bypass is in force."""
        bypass, cause = self.bypass, watch.row.cause
        assert bypass is not None
        if cause == "bypassed":
            return True
        if cause == "out_of_service":
            return bypass.element == watch.site.unit.row
        if cause == "hand" and bypass.thing in watch.site.tags:
            return True  # whose switch is not heard, is in other hands
        if bypass.thing in watch.site.tags or (bypass.element >= 0 and bypass.thing == watch.site.unit.name):
            return False
        return watch.site.test(self._evidence)

    def _follow(self, w: int, watch: Watch, holds: bool, now_ns: int) -> bool:
        """Move one watch on; True if it tripped or ended."""
        if not holds:
            self._began_ns[w] = -1
            if self._gone_ns[w] < 0:
                self._gone_ns[w] = now_ns
            if w in self._since_ns and not watch.row.latched and self._has_gone(w, now_ns):
                self._lift(w, "cleared", "its cause has gone", "core")
                return True
            return False
        if self._began_ns[w] < 0:
            self._began_ns[w] = now_ns
        self._gone_ns[w] = -1
        if w in self._since_ns or now_ns - self._began_ns[w] < watch.row.for_s * NS:
            return False
        if not self._since_ns:
            self._first_out = w
        self._since_ns[w] = now_ns
        first = ", first out" if w == self._first_out else ""
        names = ", ".join(self._topology.elements[e] for e in watch.elements) or "nothing"
        latched = "until reset" if watch.row.latched else "while it lasts"
        if watch.site.seen is not None:
            self._saw[w] = watch.site.seen(self._evidence)
        saw = self._saw.get(w, watch.site.limit)
        self._tell(watch, "tripped", f"{watch.row.says} ({saw}){first}: keeps {names} {latched}", "core")
        return True

    def _has_gone(self, w: int, now_ns: int) -> bool:
        gone_ns = self._gone_ns[w]
        return gone_ns >= 0 and now_ns - gone_ns >= self.watches[w].row.clear_s * NS

    def _lift(self, w: int, how: str, why: str, who: str) -> None:
        del self._since_ns[w]
        self._saw.pop(w, None)
        if not self._since_ns:
            self._first_out = -1
        self._tell(self.watches[w], how, why, who)

    def _tell(self, watch: Watch, value: str, why: str, who: str) -> None:
        self._news.append(News(f"{watch.row.id} {watch.site.unit.name}", value, why, who))

    def _renew(self) -> None:
        """Each element's row: the one that tripped first."""
        self.changes += 1
        self._marks[:] = 0
        for w in reversed(self._since_ns):
            self._marks[list(self.watches[w].elements)] = self.watches[w].row.id

    @property
    def in_other_hands(self) -> tuple[int, ...]:
        """Elements that do not shut when told, because people hold them: in HAND, or taken out."""
        return tuple(
            self.watches[w].site.unit.row
            for w in self._since_ns
            if self.watches[w].row.cause in COUNTS_AS_OPEN and self._began_ns[w] >= 0
        )

    def _count_as_open(self, frame: Table, now_ns: int) -> None:
        """An element in other hands is where it does most harm."""
        for e in self.in_other_hands:
            frame["position_frac"][0, e] = 1.0
            frame["position_quality"][0, e] = 0
            frame["position_ns"][0, e] = now_ns
