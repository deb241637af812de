"""A festival at the digester: arrivals of three times the nominal, the controller's own regulator, ADM1 behind it.

Everything before the digester is one buffer that takes what arrives while it has room. The regulator and the model are
the shipped kernels, tick by tick; the digester sees what the feed pump passed in each five minutes. Three ways to feed:
as capped by the model, as the level alone asks (the 24-hour budget stays), and a constant 330 kg/d.

Neighbours: `overloads` has the feeds, `rows` prints. Must not know levels' sensors, chutes or the guard.
"""

from collections.abc import Callable
from typing import NamedTuple

from hal.errors import PodError
from pod_controller.kernels import records
from pod_controller.kernels.compile import kernel
from pod_controller.kernels.records import HISTORY, Record, Table
from pod_controller.kernels.regulate import regulate
from pod_controller.topology import Topology
from sim_hardware import digester
from sim_hardware.adm1 import records as r
from sim_hardware.adm1 import simulation as adm1
from sim_hardware.adm1.solver import advance
from sim_hardware.digester import SOUR_PH, Seen
from sim_hardware.sourness.overloads import KINDS, of_kind
from sim_hardware.streams import stream

FAMILY = "S09_overfeed_acid"
ROW_S = 300.0
DAY_S = 86400.0
CALM_D, DAYS = 1.0, 10.0
NOMINAL_KG_D = 330.0
ROOM_KG = 500.0  # of the buffer's 600: what the guard keeps free
RTOL = 1e-4
ENDLESS_KG = 1e9
HIGH_RATIO = 0.4  # of FOS/TAC


Feeding = Callable[[bool, Seen], float]  # kg fed in a row, from whether it surges and what is shown


class Surge(NamedTuple):
    """One event: condition of the methanogens, make of what arrives, how many times the nominal, how long."""

    methanogen_frac: float
    kind: str
    arrival_ratio: float
    surge_d: float


class Outcome(NamedTuple):
    """What became of the digester."""

    lowest_ph: float
    above_h: float  # with FOS/TAC above 0.4
    fed_kg: float
    most_fos_tac_ratio: float

    @property
    def crashed(self) -> bool:
        """Whether the pH fell below 6.5."""
        return self.lowest_ph < SOUR_PH


@kernel
def feed_ticks(p: Record, d: Record, arriving_kg_s: float, ticks: int) -> float:
    """Kg fed in so many ticks; the buffer is STATE's level, what finds no room is not counted."""
    s = d.state
    fed_kg = 0.0
    buffer = p.regulator.vessel
    pump = p.flows[p.regulator.feed_flow].element
    for _ in range(ticks):
        d.frame.now_ns += int(p.tick_s * 1e9)
        d.frame.gas_ns = d.frame.now_ns
        d.frame.ch4_ns = d.frame.now_ns
        d.frame.ph_ns = d.frame.now_ns
        s.share_kg_s[0] = arriving_kg_s
        d.wish.n_order = 0
        regulate(p, s, d.frame, d.wish)
        passed_kg = 0.0
        if s.shot_on != 0:
            passed_kg = min(s.level_kg[buffer], p.regulator.shot_kg_s * p.tick_s)
        s.command_frac[s.ticks % HISTORY, pump] = 1.0 if s.shot_on != 0 else 0.0
        room_kg = ROOM_KG - s.level_kg[buffer]
        s.level_kg[buffer] += min(room_kg, arriving_kg_s * p.regulator.slurry_ratio * p.tick_s) - passed_kg
        s.ticks += 1
        fed_kg += passed_kg
    return fed_kg


def drawn(count: int, seed: int, lowest_frac: float = 0.55, highest_frac: float = 0.7) -> list[Surge]:
    """Surges of S09 at three times the nominal arrivals, a day to four long."""
    names = list(KINDS)
    found = []
    for k in range(count):
        draw = stream(FAMILY, f"surge/{k}", seed)
        found.append(
            Surge(float(draw.uniform(lowest_frac, highest_frac)), names[k % 4], 3.0, float(draw.uniform(1.0, 4.0)))
        )
    return found


def play(pod: Topology, event: Surge, *, capped: bool, budget: bool = True) -> Outcome:
    """The controller feeds. capped False: without its digester model; budget False: without its 24-hour budget."""
    plant: Table = pod.table.copy()
    plant[0].digestion.present = 1 if capped else 0
    if not budget:
        plant[0].regulator.budget_kg = ENDLESS_KG
    desk = records.table(records.DESK)
    d = desk[0]
    d.state.level_kg[plant[0].regulator.vessel] = 120.0
    d.state.slot_kg[: records.BUDGET_SLOTS - 1] = 2.0 * NOMINAL_KG_D / (records.BUDGET_SLOTS - 1)
    ticks = round(ROW_S / float(plant[0].tick_s))
    d.frame.temp_degc = plant[0].digestion.temp_degc

    def fed_kg(surging: bool, shown: Seen) -> float:
        d.frame.gas_m3_h, d.frame.ch4_frac, d.frame.ph = shown.gas_m3_d / 24.0, shown.ch4_frac, shown.ph
        ratio = event.arrival_ratio if surging else 1.0
        return float(feed_ticks(plant[0], d, ratio * NOMINAL_KG_D / DAY_S, ticks))

    return _run(event, fed_kg)


def play_constant(event: Surge) -> Outcome:
    """330 kg/d of waste whatever comes, made like what arrives."""
    return _run(event, lambda _surging, _shown: 2.0 * NOMINAL_KG_D * ROW_S / DAY_S)


def _run(event: Surge, fed_kg: Feeding) -> Outcome:
    feed = digester.own_feed()
    other = of_kind(feed, event.kind)
    made = digester.parameters(feed, event.methanogen_frac)
    digestion = digester.nominal(feed, made)
    p, s, w = made[0], digestion[0], r.table(r.WORKSPACE)[0]
    lowest_ph, most_ratio, above_h, total_kg = 14.0, 0.0, 0.0, 0.0
    for row in range(round(DAYS * DAY_S / ROW_S)):
        surging = CALM_D <= row * ROW_S / DAY_S < CALM_D + event.surge_d
        shown = digester.seen(p, s)
        passed_kg = fed_kg(surging, shown)
        lowest_ph, most_ratio = min(lowest_ph, shown.ph), max(most_ratio, shown.fos_tac_ratio)
        above_h += ROW_S / 3600.0 if shown.fos_tac_ratio > HIGH_RATIO else 0.0
        total_kg += passed_kg
        s.feed, s.Q = (other if surging else feed).content, passed_kg / 1000.0 * DAY_S / ROW_S
        if not advance(p, s, w, ROW_S / DAY_S, RTOL):
            raise PodError(adm1.E_STUCK, f"the digester's model stopped in row {row} of a surge")
    return Outcome(lowest_ph, above_h, total_kg, most_ratio)
