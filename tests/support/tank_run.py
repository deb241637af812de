"""A small tank simulation beside a bench: gates that really open, levels that really rise; plausible frames.

Neighbours: `plant_bench` holds plant and records; tests replay the frames. Floats of Python only, so that a recorded
run is the same whatever decides. It must not know how anything is decided: it follows the permits it is given.
"""

import numpy as np
from any_bits import HOSTILE
from plant_bench import NS, START_NS, TICK_NS, Bench

FAULT_SHARE = 0.02


class TankRun:
    """Content of vessels and chutes, positions of elements; `frame` shows them, `flow` moves them by one tick."""

    def __init__(self, b: Bench, seed: int) -> None:
        p = b.plant[0]
        self._bench = b
        self._draw = np.random.default_rng(seed)
        self._now_ns = START_NS
        self.held_kg = [float(p.vessels[v].capacity_kg) * 0.5 for v in range(p.n_vessels)]
        self.content_kg = [float(p.chutes[c].capacity_kg) * 0.5 for c in range(p.n_chutes)]
        self.at_frac = [0.0] * int(p.n_elements)

    def frame(self) -> None:
        """Put what the instruments show into the bench's frame, with a fault in some cells now and then."""
        p, f, draw = self._bench.plant[0], self._bench.frame[0], self._draw
        f.elapsed_s, f.now_ns, f.execute = 0.5, self._now_ns, 1
        taken_ns = self._now_ns - NS // 10
        f.level_quality[:], f.position_quality[:], f.content_quality[:] = 0, 0, 0
        f.level_ns[:], f.position_ns[:], f.content_ns[:], f.high_ns[:] = (taken_ns,) * 4
        f.float_on[:] = 0
        f.verified_ns[:] = self._now_ns - TICK_NS
        for v, kg in enumerate(self.held_kg):
            f.level_kg[v] = kg + draw.uniform(-1.0, 1.0, 3) * p.vessels[v].level_error_kg
        f.position_frac[: len(self.at_frac)] = self.at_frac
        f.content_kg[: len(self.content_kg)] = self.content_kg
        f.temp_degc = 35.0 + 2.0 * draw.random()
        f.gas_m3_h, f.ch4_frac, f.ph = 8.0 * draw.random(), 0.4 + 0.3 * draw.random(), 6.7 + 1.1 * draw.random()
        f.gas_ns, f.ch4_ns, f.ph_ns, f.ph_quality = taken_ns, taken_ns, taken_ns, 0
        if draw.random() < FAULT_SHARE * 10:
            self._spoil()
        self._now_ns += TICK_NS

    def _spoil(self) -> None:
        """One field of the frame gets hostile cells."""
        table, draw = self._bench.frame, self._draw
        names = (
            "level_kg",
            "level_quality",
            "position_frac",
            "position_quality",
            "content_kg",
            "verified_ns",
            "level_ns",
            "gas_m3_h",
            "ph",
            "ph_quality",
        )
        name = names[int(draw.integers(len(names)))]
        cells = table[name].reshape(-1)
        hit = draw.random(cells.size) < 0.3
        if cells.dtype.kind == "f":
            cells[hit] = draw.choice(np.array(HOSTILE), size=int(hit.sum()))
        else:
            cells[hit] = draw.choice(np.array([-1, 0, 1, 2, START_NS]), size=int(hit.sum()))

    def flow(self) -> None:
        """One tick: elements follow the permit, flows pass, chutes fill, the last vessel drains."""
        p = self._bench.plant[0]
        grants = self._bench.grants()
        for e, granted_frac in enumerate(grants.tolist()):
            rise, fall = 0.5 / float(p.elements[e].fast_stroke_s), 0.5 / float(p.elements[e].stroke_s)
            at_frac = self.at_frac[e]
            self.at_frac[e] = (
                min(granted_frac, at_frac + rise) if granted_frac > at_frac else max(granted_frac, at_frac - fall)
            )
        for f in range(p.n_flows):
            self._pass(f)
        for c in range(p.n_chutes):
            if self.at_frac[int(p.chutes[c].lid)] > 0.0:
                room_kg = float(p.chutes[c].capacity_kg) - self.content_kg[c]
                self.content_kg[c] += min(room_kg, 0.4 * float(self._draw.random()))
        self.held_kg[-1] = max(0.0, self.held_kg[-1] - 0.3)

    def _pass(self, f: int) -> None:
        p = self._bench.plant[0]
        flow = p.flows[f]
        intake = p.intakes[int(flow.intake)]
        shared = [self.at_frac[int(e)] for e in intake.shared[: intake.n_shared]]
        kg = 0.5 * float(flow.rate_kg_s) * min([self.at_frac[int(flow.element)], *shared])
        if flow.chute >= 0:
            kg = min(kg, self.content_kg[int(flow.chute)])
            self.content_kg[int(flow.chute)] -= kg
        elif flow.source >= 0:
            kg = min(kg, self.held_kg[int(flow.source)])
            self.held_kg[int(flow.source)] -= kg
        for v in range(p.n_vessels):
            self.held_kg[v] = min(float(p.vessels[v].weir_kg), self.held_kg[v] + float(intake.reach_ratio[v]) * kg)
