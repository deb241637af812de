"""Plants as tables without TOML, and a bench that puts one through the kernels step by step.

Neighbours: `plant_builder` adds rows; the kernel tests draw plants and states here; `any_bits` supplies hostile values,
`tank_run` plausible frames. It must not know what the guard ought to answer.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from pod_controller.kernels import records
from pod_controller.kernels.commit import commit
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import FREE, OWN, SHARED, Table
from sim_hardware.guard_trial import plant_builder as plants
from sim_hardware.guard_trial.plant_builder import NO_WEIR_KG, Draw, Moves

NS = 1_000_000_000
TICK_NS = NS // 2
START_NS = 1000 * NS
REFERENCE = Path(__file__).parents[2] / "sim_hardware" / "reference" / "pod.toml"


class Bench:
    """One plant and the desk on which a tick is decided, whose parts are seen as tables of their own."""

    def __init__(self, plant: Table, desk: Table) -> None:
        self.plant = plant
        self.desk = desk
        self.state, self.frame, self.wish, self.permit = (desk[name] for name in ("state", "frame", "wish", "permit"))

    def copy(self) -> "Bench":
        return Bench(self.plant, self.desk.copy())

    def observe(self) -> None:
        observe(self.plant[0], self.state[0], self.frame[0])

    def guard(self) -> npt.NDArray[np.float64]:
        guard(self.plant[0], self.state[0], self.frame[0], self.wish[0], self.permit[0])
        return self.grants()

    def tick(self) -> npt.NDArray[np.float64]:
        """Observe, guard the wish that stands in the bench, commit; the grants."""
        self.observe()
        grants = self.guard()
        commit(self.plant[0], self.state[0], self.permit[0])
        return grants

    def grants(self) -> npt.NDArray[np.float64]:
        count = int(self.plant[0].n_elements)
        return np.array(self.permit["grant_frac"][0, :count])

    def wish_everything(self, open_frac: float = 1.0) -> None:
        """Every element wished, flows in the order of the table."""
        self.wish["open_frac"][0] = open_frac
        self.wish[0].n_order = self.plant[0].n_flows
        self.wish["order"][0] = np.arange(records.MAX_FLOWS)


def bench(plant: Table) -> Bench:
    """A bench whose state is that of a core just started."""
    return Bench(plant, records.table(records.DESK))


def empty_plant(tick_s: float = 0.5) -> Table:
    """A plant without rows, whose chutes share as the reference pod's do."""
    plant = plants.empty_plant(tick_s)
    d = plant[0].shedding
    d.start_kg, d.stop_kg, d.wait_s, d.run_on_s, d.open_at_once = 5.0, 0.5, 60.0, 5.0, records.MAX_CHUTES
    d.turn_s, d.horizon_s, d.deficit_limit_kg = 60.0, 30.0, 40.0
    return plant


def adversarial_plant(draw: Draw, inlets: int = 16, positioner: bool = False) -> Table:
    """The plant on which shortcuts were found out: a small vessel, many gates, nothing shared behind them."""
    plant = empty_plant()
    p = plant[0]
    buffer = plants.add_vessel(p, 300.0)
    i = plants.add_intake(p, {buffer: 1.0}, 8.0)
    for _ in range(inlets):
        stroke_s = draw.uniform(8.0, 20.0)
        moves = Moves(stroke_s, stroke_s * draw.uniform(0.25, 0.6), draw.uniform(2.0, 4.0), positioner)
        gate = plants.add_element(p, OWN, moves)
        plants.add_chute(p, i, gate, draw.uniform(0.3, 0.8), draw.uniform(35.0, 50.0))
    return plant


def reach_through(weirs: list[bool], v: int, ratio: float) -> dict[int, float]:
    """A vessel and, through weirs, those below it."""
    reach = {v: ratio}
    while weirs[v]:
        v += 1
        reach[v] = ratio
    return reach


def random_plant(draw: Draw) -> Table:
    """2-16 chutes through at most two shared elements into the first of 1-5 vessels; pumps and weirs lead down."""
    plant = empty_plant()
    p = plant[0]
    vessels = int(draw.integers(1, 6))
    weirs = [v + 1 < vessels and draw.random() < 0.4 for v in range(vessels)]
    for v in range(vessels):
        capacity_kg = draw.uniform(150.0, 3000.0)
        plants.add_vessel(
            p, capacity_kg, capacity_kg * 0.9 if weirs[v] else NO_WEIR_KG, levels=int(draw.integers(2, 4))
        )
        row = p.vessels[v]
        row.hold_up_kg, row.psi_kg = draw.uniform(0.0, 8.0), draw.uniform(0.0, 8.0)
        row.has_float = int(draw.random() < 0.5)
    shared = tuple(plants.drawn_element(p, draw, SHARED) for _ in range(int(draw.integers(0, 3))))
    top = plants.add_intake(p, reach_through(weirs, 0, draw.uniform(0.5, 2.0)), 1.0, shared)
    for _ in range(int(draw.integers(2, 17))):
        plants.add_chute(p, top, plants.drawn_element(p, draw, OWN), draw.uniform(0.05, 0.8), draw.uniform(25.0, 40.0))
    for v in range(1, vessels):
        valve = tuple(plants.drawn_element(p, draw, SHARED) for _ in range(int(draw.integers(0, 2))))
        rate_kg_s = draw.uniform(0.05, 1.0)
        i = plants.add_intake(p, reach_through(weirs, v, 1.0), rate_kg_s, valve)
        plants.add_flow(p, i, plants.drawn_element(p, draw, OWN), rate_kg_s, source=v - 1)
    plants.add_element(p, FREE, Moves(1.0, 1.0, 2.0))
    for c in range(int(draw.integers(0, 4))):
        p.causes[c].member[: p.n_elements] = draw.random(int(p.n_elements)) < 0.3
        p.n_causes += 1
    for row in (*p.intakes[: p.n_intakes], *p.causes[: p.n_causes]):  # drawn off weirs by one fault
        row.over_kg[:vessels] = draw.uniform(0.0, 50.0) * (draw.random(vessels) < 0.3)
    for i in range(p.n_intakes):
        p.intakes[i].over_kg[p.intakes[i].reach_ratio == 0.0] = 0.0
    return plant


def reference_plant() -> Table:
    from pod_controller.config import load
    from pod_controller.topology import build

    return build(load(REFERENCE)).table


def arrange(b: Bench, draw: Draw, filled: tuple[float, float] = (0.0, 1.0)) -> None:
    """A state as `observe` could have left it, drawn freely; filled: range of content over capacity per vessel."""
    p, s = b.plant[0], b.state[0]
    s.ticks = 100
    for e in range(p.n_elements):
        s.envelope_frac[e] = draw.choice([0.0, 0.0, draw.random(), 1.0])
        s.proved_shut[e] = int(s.envelope_frac[e] == 0.0)
    for v in range(p.n_vessels):
        s.bound_kg[v] = min(p.vessels[v].capacity_kg * draw.uniform(*filled), p.vessels[v].weir_kg)
        s.full[v] = int(draw.random() < 0.1)
    for c in range(p.n_chutes):
        s.locked_ns[c] = START_NS if s.proved_shut[p.chutes[c].lid] and draw.random() < 0.8 else -1
        s.sealed[c] = int(s.locked_ns[c] >= 0 and draw.random() < 0.8)
        s.content_bound_kg[c] = draw.uniform(0.0, p.chutes[c].capacity_kg)
        s.content_age_s[c] = draw.uniform(0.0, 2.0)
    b.frame[0].execute = 1
    b.wish_everything()
    b.wish["order"][0, : p.n_flows] = draw.permutation(int(p.n_flows))


def healthy_frame(b: Bench, now_ns: int, filled_frac: float = 0.3) -> None:
    """Everything seen, fresh and shut; every vessel filled alike, every chute a quarter full."""
    p, f = b.plant[0], b.frame[0]
    f.now_ns, f.elapsed_s, f.execute = now_ns, 0.5, 1
    taken_ns = now_ns - NS // 10
    f.level_quality[:], f.position_quality[:], f.content_quality[:], f.float_on[:] = 0, 0, 0, 0
    f.level_ns[:], f.position_ns[:], f.content_ns[:], f.high_ns[:] = (taken_ns,) * 4
    f.verified_ns[:] = now_ns - TICK_NS
    for v in range(p.n_vessels):
        f.level_kg[v] = min(p.vessels[v].capacity_kg, p.vessels[v].weir_kg) * filled_frac
    f.content_kg[:] = b.plant["chutes"]["capacity_kg"][0] / 4.0


def warmed(b: Bench, filled_frac: float = 0.3, ticks: int = 12) -> int:
    """Put the bench through quiet ticks without wishes, so that bounds stand on evidence; the time of the next."""
    now_ns = START_NS
    b.wish["open_frac"][0] = 0.0
    b.wish[0].n_order = 0
    for _ in range(ticks):
        healthy_frame(b, now_ns, filled_frac)
        b.frame["verified_ns"] = b.frame["position_ns"]
        b.tick()
        now_ns += TICK_NS
    healthy_frame(b, now_ns, filled_frac)
    return now_ns
