"""Commands that take their declared time, positions sampled before they arrive: nothing is believed shut too early.

No fault at all. Ten pumps lift into one tank; five run and are told to close while the other five are asked for. Each
position is sampled a millisecond after the tick, so 0.3 s before the CLOSE of that tick arrives, and tells the truth.
"""

from typing import NamedTuple

import pytest

from pod_controller.network import Moves, Network, Path, Reading
from pod_controller.step import first_state, step

NS = 1_000_000_000
TICK_S, LATENCY_S, OPENS_S, SHUTS_S, UNSEATS_S, STEP_S = 0.5, 0.3, 0.3, 60.0, 0.2, 0.01
LIP_KG, SOURCE_KG = 1000.0, 40.0
FIRST, SECOND = [f"a{k}" for k in range(5)], [f"b{k}" for k in range(5)]


class Pump:
    """An element that gets its commands late, leaves its seat after a moment, and opens fast and shuts slowly."""

    def __init__(self) -> None:
        self.at_frac = self.told_frac = self.still_s = 0.0
        self.left_kg = SOURCE_KG - 2.0
        self._coming: list[tuple[float, float]] = []

    def command(self, open_frac: float) -> None:
        self._coming.append((LATENCY_S, open_frac))

    def pump_kg(self) -> float:
        self._coming = [(left_s - STEP_S, frac) for left_s, frac in self._coming]
        while self._coming and self._coming[0][0] <= 1e-9:
            self.told_frac = self._coming.pop(0)[1]
        self.still_s = self.still_s + STEP_S if self.told_frac > self.at_frac else 0.0
        if self.told_frac <= self.at_frac:
            self.at_frac = max(self.told_frac, self.at_frac - STEP_S / SHUTS_S)
        elif self.still_s > UNSEATS_S:
            self.at_frac = min(self.told_frac, self.at_frac + STEP_S / OPENS_S)
        kg = min(STEP_S * self.at_frac, self.left_kg)
        self.left_kg -= kg
        return kg


class Played(NamedTuple):
    """The most that the tank held, and how far its sum rose in one tick while nobody filled the sources."""

    highest_kg: float
    granted: set[str]


def network(positioner: bool) -> Network:
    made = Network(tick_s=TICK_S, fresh_s=1.5, latency_s=LATENCY_S)
    made.vessel("tank", capacity_kg=LIP_KG, error_kg=1.0)
    moves = Moves(stroke_s=SHUTS_S, fast_stroke_s=OPENS_S, watchdog_s=2.0, positioner=positioner)
    for name in (*FIRST, *SECOND):
        made.vessel(f"source_{name}", capacity_kg=SOURCE_KG, error_kg=1.0)
        made.path(Path(name, to="tank", rate_kg_s=1.0, moves=moves, source=f"source_{name}"))
        made.path(Path(f"tap_{name}", to=f"source_{name}", rate_kg_s=0.01, moves=moves, behind=[f"stop_{name}"]))
    return made


def play(made: Network, held_kg: float, sampled_every: int) -> Played:
    plant, state = made.plant(), first_state()
    pumps = {name: Pump() for name in (*FIRST, *SECOND)}
    seen, seen_ns, highest_kg, granted = dict.fromkeys(made.elements, 0.0), 0, held_kg, set()
    for tick in range(240):
        now_ns = (tick + 1) * NS // 2
        held = {"tank": held_kg} | {f"source_{name}": pump.left_kg for name, pump in pumps.items()}
        frame = made.frame(state, now_ns, {name: [Reading(kg, now_ns)] * 3 for name, kg in held.items()})
        made.see(frame, {name: Reading(at, seen_ns) for name, at in seen.items()}, verified_ns=now_ns - NS // 2)
        wished = FIRST if tick == 20 else SECOND if tick > 21 else []
        state, permit, _ = step(plant, state, frame, made.asking(dict.fromkeys(wished, 1.0)))
        openings = made.openings(permit)
        granted |= {name for name in pumps if openings[name] > 0.0}
        for name, pump in pumps.items():
            pump.command(openings[name])
        if tick % sampled_every == 0:
            seen |= {name: pump.at_frac for name, pump in pumps.items()}
            seen_ns = now_ns + NS // 1000
        for _ in range(round(TICK_S / STEP_S)):
            held_kg += sum(pump.pump_kg() for pump in pumps.values())
        highest_kg = max(highest_kg, held_kg)
    return Played(highest_kg, granted)


@pytest.mark.parametrize("sampled_every", [1, 2, 3])
@pytest.mark.parametrize("positioner", [True, False])
@pytest.mark.parametrize("held_kg", [740.0, 780.0, 820.0])
def test_a_close_on_its_way_is_not_taken_for_one_that_has_arrived(
    held_kg: float, positioner: bool, sampled_every: int
) -> None:
    played = play(network(positioner), held_kg, sampled_every)

    assert played.highest_kg <= LIP_KG
    assert held_kg > 800.0 or set(FIRST) <= played.granted
