"""Before outputs are armed: compile, compare with stored answers, and close the kernels to further compilation.

A small made-up plant is driven through a fixed pseudo-random run; the SHA-256 over every permit and the last state
must be the one stored in `kernels/known_answer.txt`. A wrong bit anywhere (compiler, cache, processor) keeps the
outputs off.

Neighbours: `podctl kernels` and `app` call `warm`. Must not know any real pod.
"""

import hashlib
from importlib import resources
from typing import NamedTuple

from pod_controller.kernels import compile as compiler
from pod_controller.kernels import records
from pod_controller.kernels.cycle import cycle
from pod_controller.kernels.records import Record

TICKS = 400
_STORED = "known_answer.txt"


class Report(NamedTuple):
    """What `warm` found."""

    answer: str
    expected: str
    cache_hits: int
    cache_misses: int
    cache_path: str

    @property
    def passed(self) -> bool:
        """True if this machine gives the stored bits."""
        return self.answer == self.expected


def warm() -> Report:
    """Compile (or load) all kernels, run the self-test, seal the cache and close. Does not raise on a wrong answer."""
    answer = known_answer()
    expected = resources.files("pod_controller.kernels").joinpath(_STORED).read_text().strip()
    hits, misses = compiler.cache_counts()
    compiler.seal()  # now: a core that is killed shall not have compiled in vain
    compiler.close()
    return Report(answer, expected, hits, misses, str(compiler.code_home()))


def known_answer() -> str:
    """SHA-256 of the fixed run."""
    plant, desk = records.table(records.PLANT), records.table(records.DESK)
    d = desk[0]
    _fill_plant(plant[0])
    digest = hashlib.sha256()
    draw = _Draws(20261125)
    for tick in range(TICKS):
        _fill_frame(d.frame, d.state, draw, tick)
        cycle(plant, desk)
        digest.update(d.permit.tobytes())
    digest.update(d.state.tobytes())
    return digest.hexdigest()


class _Draws:
    """A linear congruential generator of its own, so that no library can change the run (Knuth's MMIX constants)."""

    def __init__(self, seed: int) -> None:
        self._word = seed

    def frac(self) -> float:
        """The next number in 0..1, a multiple of 2**-32."""
        self._word = (self._word * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self._word >> 32) / 2.0**32


def _fill_plant(p: Record) -> None:
    """Three chutes, a shared throat, a buffer, a positioner feeding a vessel at its weir, a tank below."""
    p.tick_s, p.fresh_s, p.longest_gap_s = 0.5, 1.6, 32.0
    p.n_vessels, p.n_elements, p.n_flows, p.n_intakes, p.n_chutes, p.n_causes = 3, 10, 4, 2, 3, 2
    for v, (capacity_kg, weir_kg) in enumerate(((300.0, 1e30), (900.0, 800.0), (2000.0, 1e30))):
        vessel = p.vessels[v]
        vessel.capacity_kg, vessel.weir_kg, vessel.stale_s, vessel.n_levels = capacity_kg, weir_kg, 10.0, 3
        vessel.hold_up_kg, vessel.psi_kg = 6.0, 2.0 * v
        vessel.level_error_kg[:] = 4.0
    p.vessels[0].has_float = 1
    for e in range(10):
        element = p.elements[e]
        element.stroke_s, element.fast_stroke_s, element.lease_s = 4.0 + e, 1.0 + e, 2.5
        element.position_error_frac = 0.02
        element.role = records.LID if 3 <= e < 6 else records.OWN if e < 3 or e == 8 else records.SHARED
    p.elements[8].positioner = 1
    for c in range(3):
        chute, flow = p.chutes[c], p.flows[c]
        chute.capacity_kg, chute.content_error_kg, chute.largest_bag_kg = 40.0, 0.5, 10.0
        chute.lid_pass_kg_s, chute.lid_lock_s, chute.gate, chute.lid = 1.0, 1.0, c, 3 + c
        chute.weight_ratio, chute.high_kg = 1.0 + c, 8.0 * c
        flow.element, flow.rate_kg_s, flow.chute, flow.source = c, 0.5, c, -1
        p.intakes[0].flows[c] = c
    throat, feed = p.intakes[0], p.intakes[1]
    throat.n_flows, throat.n_shared, throat.shared_rate_kg_s = 3, 2, 0.5
    throat.shared[0], throat.shared[1], throat.reach_ratio[0] = 6, 7, 2.0
    feed.n_flows, feed.n_shared, feed.shared_rate_kg_s, feed.flows[0], feed.shared[0] = 1, 1, 0.8, 3, 9
    feed.reach_ratio[1], feed.reach_ratio[2] = 1.0, 1.0
    p.flows[3].element, p.flows[3].intake, p.flows[3].rate_kg_s = 8, 1, 0.8
    p.flows[3].chute, p.flows[3].source = -1, 0
    feed.over_kg[1], p.causes[1].over_kg[1] = 5.0, 9.0
    p.causes[0].member[0], p.causes[0].member[6], p.causes[1].member[1], p.causes[1].member[7] = 1, 1, 1, 1
    _fill_control(p)


def _fill_control(p: Record) -> None:
    r, d = p.regulator, p.shedding
    r.vessel, r.feed_flow, r.setpoint_kg, r.gain_per_s, r.integral_s = 0, 3, 60.0, 0.001, 3600.0
    r.shot_kg_s, r.shot_min_s, r.shot_max_s, r.feed_max_kg_s = 0.8, 5.0, 20.0, 0.5
    r.budget_kg, r.slot_s, r.slurry_ratio = 900.0, 900.0, 2.0
    d.intake, d.start_kg, d.stop_kg, d.wait_s, d.run_on_s, d.open_at_once = 0, 12.0, 0.5, 60.0, 5.0, 2
    d.turn_s, d.horizon_s, d.deficit_limit_kg = 30.0, 60.0, 40.0
    p.thermostat.element = -1
    _fill_digestion(p.digestion)


def _fill_digestion(d: Record) -> None:
    """A digester whose model steps every 5 s, so that the run sees its stages."""
    d.present, d.step_s, d.fresh_s, d.carried_s, d.liquid_kg, d.gas_most_m3_h = 1, 5.0, 3.0, 5.0, 900.0, 40.0
    d.gas_mmol_m3, d.gas_bar, d.vapour_frac, d.temp_degc, d.stop_ph = 39_640.0, 1.0155, 0.0548, 35.0, 6.8
    d.co2_mmol_l_bar, d.co2_per_k, d.carbonic_ratio, d.transfer_per_d = 27.1, 0.023, 4.9, 200.0
    d.organics_in_g_l, d.acids_in_mmol_l, d.alkalinity_in_mmol_l = 150.0, 30.0, 200.0
    d.mu1_per_d, d.ks1_g_l, d.mu2_per_d, d.ks2_mmol_l, d.ki2_mmol_l, d.peak_mmol_l = 1.2, 7.1, 0.74, 9.28, 256.0, 48.7
    d.k1_ratio, d.k2_mmol_g, d.k3_mmol_g, d.k6_mmol_g = 42.1, 570.0, 447.0, 453.0
    d.acids_gain_per_d, d.alkalinity_gain_per_d, d.activity_gain_per_d = 4000.0, 100.0, 100.0
    d.limit_ratio[0], d.limit_ratio[1], d.limit_ratio[2], d.band_ratio, d.error_ratio = 0.3, 0.4, 0.6, 0.02, 0.01
    d.full_kg_s, d.held_kg_s, d.n_blind, d.blind_degc[1] = 0.3, 0.05, 2, 30.0
    d.blind_kg_s[1, 0], d.blind_kg_s[1, 1] = 0.1, 0.05


def _fill_frame(f: Record, s: Record, draw: _Draws, tick: int) -> None:
    """Samples around what the state believes, with faults now and then; positions follow the commands."""
    f.now_ns = 1_000_000_000 + tick * 500_000_000
    f.elapsed_s = 0.5
    f.execute = 1 if tick > 20 else 0
    f.trip[tick % 10] = 111 if 100 < tick < 160 and tick % 7 < 2 else 0
    for v in range(3):
        f.float_on[v] = 1 if draw.frac() < 0.01 else 0
        for i in range(3):
            f.level_kg[v, i] = (150.0 + 600.0 * v) * (0.4 + 0.9 * tick / TICKS) + 6.0 * (draw.frac() - 0.5)
            f.level_ns[v, i] = f.now_ns - int(2e9 * draw.frac())
            f.level_quality[v, i] = int(2.2 * draw.frac())
    for e in range(10):
        commanded = s.command_frac[(s.ticks - 1) % records.HISTORY, e]
        f.position_frac[e] = commanded if draw.frac() < 0.98 else draw.frac()
        f.position_ns[e] = f.now_ns - int(0.4e9 * draw.frac())
        f.position_quality[e] = 0 if draw.frac() < 0.97 else 2
        f.verified_ns[e] = f.now_ns - 500_000_000 if draw.frac() < 0.97 else -1
    for c in range(3):
        f.content_kg[c] = 45.0 * draw.frac()
        f.content_ns[c] = f.now_ns - int(1e9 * draw.frac())
        f.content_quality[c] = int(1.05 * draw.frac() * 2.0) if draw.frac() < 0.05 else 0
        f.high_on[c] = 1 if draw.frac() < 0.02 else 0
        f.high_ns[c] = f.now_ns - int(2e9 * draw.frac())
    f.gas_m3_h, f.ch4_frac, f.ph = 6.0 * draw.frac(), 0.5 + 0.2 * draw.frac(), 6.75 + draw.frac()
    f.gas_ns = f.ch4_ns = f.ph_ns = f.now_ns - int(4e9 * draw.frac())
    f.temp_degc = 25.0 + 12.0 * draw.frac()
