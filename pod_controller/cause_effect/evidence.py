"""What the causes look at in one tick: readings, which elements do not obey, and levels that no single liar can move.

Neighbours: `trips` renews it before the step, with the state of the tick before; `causes` ask it. Must not know rows.
"""

from collections.abc import Mapping

from hal.values import Quality, Reading, Scan
from pod_controller.kernels import records
from pod_controller.kernels.records import Table
from pod_controller.topology import Topology

NS = 1_000_000_000
GOOD = int(Quality.GOOD)


class Evidence:
    """One tick's view; lists go by the rows of the plant table."""

    def __init__(self, topology: Topology) -> None:
        p = topology.table[0]
        n = len(topology.elements)
        rows = [p["elements"][e] for e in range(n)]
        self.now_ns = 0
        self.readings: Mapping[str, Reading] = {}
        self.told = [False] * n  # the newest command is not its fail state
        self.since_ns = [-1] * n  # of that
        self.at_rest = [False] * n  # told its fail state, and shut for all the controller knows
        self.not_shut = [False] * n  # told to shut, and further open than the slowest honest stroke explains
        self.not_moving = [False] * n  # told to open, by a verified command, and still at its fail state
        self.seen_open = [False] * n
        self.level_kg: list[float] = [0.0] * len(topology.vessels)  # median of three, larger of two, of good sensors
        self.votes = [0] * len(topology.vessels)  # how many made it; below two it says nothing
        self._stroke_s = [float(row["stroke_s"]) for row in rows]
        self._error_frac = [float(row["position_error_frac"]) for row in rows]
        self._grace_s = [float(row["lease_s"]) + float(p["fresh_s"]) for row in rows]
        self._start_frac = [1.0] * n
        self._held_ns = [-1] * n  # since when told and verified without a break
        self._fresh_ns = int(float(p["fresh_s"]) * NS)
        self._cut = [_cut_by(topology, e) for e in range(n)]
        self._levels = [len(tags) for tags in topology.level_tags]

    def renew(self, scan: Scan, frame: Table, state: Table, now_ns: int) -> None:
        """Look at a new scan, the frame made of it, and what was commanded until now."""
        self.now_ns, self.readings = now_ns, scan.readings
        ticks = int(state["ticks"][0])
        commands = state["command_frac"][0, (ticks - 1) % records.HISTORY].tolist()
        frac, taken = frame["position_frac"][0].tolist(), frame["position_ns"][0].tolist()
        quality, verified = frame["position_quality"][0].tolist(), frame["verified_ns"][0].tolist()
        envelope, floats = state["envelope_frac"][0].tolist(), frame["float_on"][0].tolist()
        for e in range(len(self.told)):
            told = ticks > 0 and commands[e] > 0.0
            seen = quality[e] == GOOD and 0 <= now_ns - taken[e] <= self._fresh_ns
            if told != self.told[e] or self.since_ns[e] < 0:
                self.told[e], self.since_ns[e] = told, now_ns
                self._start_frac[e] = frac[e] if seen else 1.0
            self.at_rest[e] = not told and ticks > 0 and envelope[e] == 0.0
            self.seen_open[e] = seen and frac[e] > self._error_frac[e]
            self.not_shut[e] = not told and self.seen_open[e] and frac[e] > self._most_frac(e)
            is_cut = self._cut[e] >= 0 and floats[self._cut[e]] != 0
            held = self._must_move(e, told and not is_cut and 0 <= now_ns - verified[e] <= self._fresh_ns)
            self.not_moving[e] = held and seen and not self.seen_open[e]
        self._vote(frame)

    def is_good(self, tag: str) -> bool:
        """True if that tag can be believed now."""
        reading = self.readings.get(tag)
        return reading is not None and reading.quality == GOOD

    def is_lost(self, tag: str) -> bool:
        """True if it cannot."""
        return not self.is_good(tag)

    def is_on(self, tag: str) -> bool:
        """True if a contact is known to be made."""
        reading = self.readings.get(tag)
        return reading is not None and reading.quality == GOOD and reading.value >= 0.5

    def good(self, tag: str) -> float | None:
        """A good value, else None."""
        reading = self.readings.get(tag)
        return reading.value if reading is not None and reading.quality == GOOD else None

    def _most_frac(self, e: int) -> float:
        """How far open element e may still be: it shuts at its slowest stroke once no older command can be alive."""
        closing_s = (self.now_ns - self.since_ns[e]) * 1e-9 - self._grace_s[e]
        left_frac = self._start_frac[e] if closing_s <= 0.0 else self._start_frac[e] - closing_s / self._stroke_s[e]
        return max(0.0, left_frac) + 2.0 * self._error_frac[e]

    def _must_move(self, e: int, is_held: bool) -> bool:
        """True once an element whose command is in force without a break must have left its fail state."""
        if not is_held:
            self._held_ns[e] = -1
            return False
        if self._held_ns[e] < 0:
            self._held_ns[e] = self.now_ns
        leave_s = self._grace_s[e] + 2.0 * self._error_frac[e] * self._stroke_s[e]
        return (self.now_ns - self._held_ns[e]) * 1e-9 > leave_s

    def _vote(self, frame: Table) -> None:
        kg, quality = frame["level_kg"][0].tolist(), frame["level_quality"][0].tolist()
        for v, sensors in enumerate(self._levels):
            good = sorted(kg[v][i] for i in range(sensors) if quality[v][i] == GOOD)
            self.votes[v] = len(good)
            if good:
                self.level_kg[v] = good[1] if len(good) > 1 else good[0]


def _cut_by(topology: Topology, e: int) -> int:
    """The vessel whose wired float takes the power of element e; -1 if none does."""
    for v, vessel in enumerate(topology.config.vessel):
        if vessel.float_tag is not None and topology.elements[e] in vessel.float_cuts:
            return v
    return -1
