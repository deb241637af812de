import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hal.errors import PodError
from sim_hardware import params, plant_records
from sim_hardware import plant_records as rec
from sim_hardware.fast_tier import field_records
from sim_hardware.params import Start, fresh_pod, plant_params
from sim_hardware.plant_records import Row, table
from sim_hardware.pod_plant import Plant

pytestmark = pytest.mark.timeout(60)  # whichever test comes first in a cold cache compiles the plant

S = 1_000_000_000
NO_FAULTS = table(rec.FAULT, 0)
USUAL = Start()
FRONT = ("SC-121", "FV-122", "FV-123", "FV-124")


class Stand:
    """A plant with its tables in reach."""

    def __init__(self, start: Start = USUAL, events: list[tuple[int, int, int, float]] | None = None) -> None:
        self.params = plant_params(0)
        self.pod = fresh_pod(self.params, start)
        self.plant = Plant(self.params, self.pod, np.array(events or [], dtype=rec.EVENT), NO_FAULTS)

    @property
    def row(self) -> Row:
        return self.pod[0]

    def drive(self, *tags: str, on: bool = True) -> None:
        for tag in tags:
            self.plant.set_drive(tag, on)

    def to(self, seconds: float) -> None:
        self.plant.advance_to(round(seconds * S))


def bag(at_s: float, chute: int, kg: float) -> tuple[int, int, int, float]:
    return round(at_s * S), rec.BAG, chute, kg


def test_locked_lid_refuses_a_bag() -> None:
    stand = Stand(events=[bag(1.0, 0, 5.0)])

    stand.to(2.0)

    figures = stand.plant.figures()
    assert figures.refused_kg == 5.0
    assert figures.sources["chute_1"].refused_kg == 5.0
    assert stand.row.content_kg[0] == 0.0


def test_lid_lets_bags_pass_until_it_is_locked() -> None:
    stand = Stand(events=[bag(10.9, 0, 3.0), bag(11.1, 0, 4.0)])
    stand.drive("XY-111")
    stand.to(10.0)

    stand.drive("XY-111", on=False)
    locked_before = stand.plant.probe("ZSC-111")()
    stand.to(12.0)

    assert locked_before == 0.0
    assert stand.plant.probe("ZSC-111")() == 1.0
    assert stand.row.content_kg[0] == 3.0
    assert stand.plant.figures().refused_kg == 4.0


def test_what_is_over_a_chutes_lip_is_spilled() -> None:
    stand = Stand(events=[bag(2.0 + k, 1, 9.0) for k in range(5)])
    stand.drive("XY-112")

    stand.to(10.0)

    figures = stand.plant.figures()
    assert figures.accepted_kg == 45.0
    assert figures.vessels["chute_2"].spilled_kg == pytest.approx(5.0)
    assert figures.vessels["chute_2"].max_level_frac == 1.0


def test_gates_travel_linearly_with_a_stroke_of_their_own() -> None:
    strokes_s = {1.0 / float(plant_params(seed)[0].open_per_s[c]) for seed in range(20) for c in range(4)}
    stand = Stand()
    stroke_s = 1.0 / float(stand.params[0].open_per_s[rec.GATE])

    stand.drive("FV-101")
    stand.to(stroke_s / 4.0)
    quarter_frac = stand.plant.probe("ZT-101")()
    stand.to(stroke_s)

    assert len(strokes_s) == 80
    assert all(8.0 <= stroke_s <= 20.0 for stroke_s in strokes_s)
    assert quarter_frac == pytest.approx(0.25, abs=1e-9)
    assert stand.plant.probe("ZT-101")() == pytest.approx(1.0, abs=1e-9)


def open_gates(stand: Stand, kg: float) -> None:
    stand.row.content_kg[:4] = kg
    stand.drive("FV-101", "FV-102", "FV-103", "FV-104")


def test_throat_caps_all_gates_together_at_half_a_kg_per_second() -> None:
    stand = Stand()
    stand.drive(*FRONT, "FV-101", "FV-102", "FV-103", "FV-104")
    stand.to(30.0)
    stand.row.content_kg[:4] = 40.0
    stand.plant.jam("FV-101", 1.0)

    stand.to(90.0)

    assert 160.0 - stand.row.content_kg[:4].sum() == pytest.approx(30.0)


def test_stopped_macerator_fills_its_hold_up_and_then_nothing_leaves_the_chutes() -> None:
    stand = Stand()
    open_gates(stand, 30.0)

    stand.to(120.0)

    assert stand.row.content_kg[rec.THROAT] == pytest.approx(6.0)
    assert stand.row.content_kg[:4].sum() == pytest.approx(114.0)


def test_macerator_passes_on_while_it_runs_down() -> None:
    stand = Stand()
    stand.drive(*FRONT)
    stand.to(10.0)
    stand.row.content_kg[rec.THROAT] = 6.0
    stand.drive("SC-121", on=False)

    stand.to(20.0)

    # 0.5 kg/s over a run-down of 4 s that falls linearly: 1.0 kg.
    assert 6.0 - stand.row.content_kg[rec.THROAT] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(("valves", "water_kg"), [(("FV-123", "FV-124"), 10.0), (("FV-123",), 0.0), ((), 0.0)])
def test_dilution_needs_both_water_valves(valves: tuple[str, ...], water_kg: float) -> None:
    stand = Stand()
    stand.drive("SC-121", "FV-122", *valves)
    stand.to(10.0)
    stand.row.content_kg[0] = 10.0
    stand.drive("FV-101")

    stand.to(120.0)

    assert stand.row.buffer_waste_kg == pytest.approx(100.0)
    assert stand.row.supplied_kg == pytest.approx(water_kg)


def test_float_chain_stops_the_front_without_the_computer_and_leaves_the_feed_pump() -> None:
    stand = Stand(Start(buffer_frac=0.9))
    open_gates(stand, 400.0)
    stand.drive(*FRONT)

    stand.to(300.0)
    level_kg = float(stand.row.content_kg[rec.BUFFER])
    stand.drive("SC-211", "FV-212")
    stand.to(330.0)

    assert 565.0 < level_kg < 570.0
    assert stand.row.float_on == 0
    assert stand.plant.figures().spilled_kg == 0.0
    assert stand.row.processed_kg > 0.0


def test_without_float_chain_the_buffer_spills_waste_and_water_as_mixed() -> None:
    stand = Stand(Start(buffer_frac=0.9, float_chain=False))
    open_gates(stand, 400.0)
    stand.drive(*FRONT)

    stand.to(600.0)

    spilled_kg = float(stand.row.spilled_kg[rec.BUFFER])
    assert spilled_kg > 100.0
    assert stand.plant.figures().spilled_kg == pytest.approx(spilled_kg / 2.0, rel=1e-3)
    assert stand.plant.figures().vessels["buffer"].max_level_frac == 1.0


def test_full_digester_passes_its_feed_on_to_sump_and_storage() -> None:
    stand = Stand(Start(buffer_frac=0.9))
    stand.row.content_kg[rec.SUMP] = 350.0
    stand.drive("SC-211", "FV-212")

    stand.to(600.0)

    fed_kg = float(stand.row.fed_kg)
    assert fed_kg > 400.0
    assert stand.row.content_kg[rec.DIGESTER] == 40000.0
    assert stand.row.content_kg[rec.SUMP] == 360.0
    assert stand.row.content_kg[rec.STORAGE] == pytest.approx(3000.0 + fed_kg - 10.0)
    assert stand.row.processed_kg == pytest.approx(fed_kg / 2.0)


def test_separator_sends_a_tenth_to_the_bin() -> None:
    stand = Stand()
    stand.drive("SC-411", "FV-412")

    stand.to(100.0)

    pumped_kg = 100.0 - float(stand.row.content_kg[rec.SUMP])
    assert pumped_kg == pytest.approx(0.5 * (100.0 - 3.0 / 2.0))  # the valve opens in 3 s, the pump is quicker
    assert stand.row.content_kg[rec.BIN] == pytest.approx(240.0 + 0.1 * pumped_kg)


def test_dosing_takes_a_fifth_from_storage_and_overflows_into_the_byproduct_tank() -> None:
    stand = Stand()
    stand.drive("SC-711", "FV-712")

    stand.to(3600.0)

    dosed_kg = float(stand.row.content_kg[rec.BYPRODUCT]) - 500.0
    assert dosed_kg == pytest.approx(15.0, abs=0.01)
    assert 3000.0 - stand.row.content_kg[rec.STORAGE] == pytest.approx(0.2 * dosed_kg)


def test_people_draw_no_more_than_is_there() -> None:
    stand = Stand(Start(byproduct_frac=0.007), events=[(S, rec.DRAW, 0, 5.0), (2 * S, rec.DRAW, 0, 5.0)])

    stand.to(3.0)

    assert stand.row.drawn_kg == pytest.approx(7.0)


def test_nominal_feed_gives_its_gas_and_keeps_its_heat_at_two_fifths_duty() -> None:
    stand = Stand()
    s = stand.row
    on_s = 0.0
    for hour in range(1, 73):
        s.buffer_waste_kg, s.buffer_water_kg = 15.0, 15.0
        s.content_kg[rec.BUFFER] = 30.0
        s.content_kg[rec.STORAGE] = 3000.0
        on = bool(s.temp_degc < 35.0)
        stand.drive("TY-303", on=on)
        on_s += 3600.0 if on else 0.0
        stand.drive("SC-211", "FV-212")
        stand.to(3600.0 * hour)

    nominal_m3_h = 0.169 * 330.0 / 24.0
    assert stand.plant.probe("FT-311")() == pytest.approx(nominal_m3_h, rel=0.15)
    assert 34.8 < float(s.temp_degc) < 35.3
    assert on_s / (72 * 3600.0) == pytest.approx(0.4, abs=0.05)


def test_dead_field_power_drops_every_output_and_locks_the_lids() -> None:
    stand = Stand()
    stand.drive("FV-101", "XY-112")
    stand.to(30.0)
    row = table(rec.FAULT)
    row[0].kind = rec.FIELD_POWER_LOST

    stand.plant.switch(row, rec.FAULT_ON)
    stand.to(60.0)

    assert stand.plant.probe("ZT-101")() == 0.0
    assert stand.plant.probe("ZSC-112")() == 1.0


def test_honest_instruments_stay_within_their_declared_errors() -> None:
    stand = Stand()
    kg_per_unit = {"WT-203": 1.0, "LT-201": 500.0, "LT-202": 500.0}
    worst_kg = dict.fromkeys(kg_per_unit, 0.0)
    for minute in range(1, 200):
        stand.to(60.0 * minute)
        for tag, per_unit in kg_per_unit.items():
            worst_kg[tag] = max(worst_kg[tag], abs(stand.plant.probe(tag)() * per_unit - 180.0))
        assert abs(stand.plant.probe("LT-501")() - 3000.0) <= 50.0

    assert all(0.5 < error_kg <= 4.0 for error_kg in worst_kg.values())


def test_probe_and_output_names_are_checked() -> None:
    stand = Stand()

    with pytest.raises(PodError, match="E150 plant: LT-999"):
        stand.plant.probe("LT-999")
    with pytest.raises(PodError, match="E150 plant: FV-999"):
        stand.plant.set_drive("FV-999", True)


def settle(step_s: float) -> Stand:
    stand = Stand(events=[bag(200.0, 2, 6.0)])
    stand.row.content_kg[:4] = (20.0, 8.0, 0.0, 3.0)
    stand.drive(*FRONT, "FV-101", "FV-102", "SC-211", "FV-212", "SC-711", "FV-712")
    for k in range(1, round(300.0 / step_s) + 1):
        stand.to(step_s * k)
    return stand


def test_how_time_is_cut_up_hardly_changes_what_flows() -> None:
    coarse, fine, finest = settle(0.5), settle(0.1), settle(0.01)

    for v in range(rec.VESSELS):
        assert coarse.row.content_kg[v] == pytest.approx(fine.row.content_kg[v], abs=1e-6)
        assert fine.row.content_kg[v] == pytest.approx(finest.row.content_kg[v], abs=0.06)


def test_plant_at_rest_goes_in_one_step_to_the_same_place() -> None:
    one, many = Stand(), Stand()
    for stand in (one, many):
        stand.drive("TY-303", "XY-111")
    one.to(3600.0)
    for k in range(1, 36001):
        many.to(0.1 * k)

    assert one.row.content_kg.tolist() == many.row.content_kg.tolist()
    assert one.row.temp_degc == pytest.approx(float(many.row.temp_degc), abs=1e-9)
    assert one.row.substrate_kg == many.row.substrate_kg


TAGS = [
    *(f"FV-10{c}" for c in range(1, 5)),
    *(f"XY-11{c}" for c in range(1, 5)),
    *FRONT,
    *("SC-211", "FV-212", "SC-411", "FV-412", "SC-711", "FV-712", "TY-303"),
]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, str, bool]]:
    moves = st.tuples(st.integers(1, 40 * S), st.sampled_from(TAGS), st.booleans())
    return draw(st.lists(moves, min_size=5, max_size=60))


@settings(max_examples=30)
@given(
    history=histories(),
    buffer_frac=st.floats(0.0, 1.0),
    byproduct_frac=st.floats(0.0, 1.0),
    bags=st.lists(st.tuples(st.integers(0, 900 * S), st.integers(0, 3), st.floats(0.01, 10.0)), max_size=60),
    chain=st.booleans(),
    jam=st.sampled_from(TAGS[:4]),
)
def test_mass_is_kept_under_any_drive(
    history: list[tuple[int, str, bool]],
    buffer_frac: float,
    byproduct_frac: float,
    bags: list[tuple[int, int, float]],
    chain: bool,
    jam: str,
) -> None:
    events = [(at_ns, rec.BAG, chute, kg) for at_ns, chute, kg in sorted(bags)]
    stand = Stand(Start(buffer_frac, byproduct_frac, chain), events)
    now_ns = 0

    for k, (wait_ns, tag, on) in enumerate(history):
        now_ns += wait_ns
        stand.plant.advance_to(now_ns)
        stand.drive(tag, on=on)
        if k == 3:
            stand.plant.jam(jam, 0.7, rec.LIES)

    figures = stand.plant.figures()
    assert figures.balance_error_kg < 1e-9
    assert figures.total_error_kg < 1e-6
    assert stand.row.content_kg.min() >= 0.0
    assert figures.held_kg >= 0.0


def test_kernels_see_fields_and_never_numpys_own_attributes() -> None:
    kinds = [rec.PARAMS, rec.POD, rec.EVENT, rec.FAULT, field_records.FIELD, field_records.EDGE, field_records.RUN]
    taken = set(dir(np.record))

    hidden = {name for kind in kinds for name in kind.names or () if name in taken}

    assert not hidden


PLAIN = """
import numpy as np
from sim_hardware import plant_records as rec
from sim_hardware.params import Start, fresh_pod, plant_params
from sim_hardware.plant import begin, change, play
params = plant_params(1)
pod = fresh_pod(params, Start(buffer_frac=0.93))
begin(params, pod)
events = np.array([(7 * 10**9 * k, rec.BAG, k % 4, 1.7) for k in range(1, 20)], dtype=rec.EVENT)
for k in range(1, 241):
    for a in range(rec.MOVING):
        change(pod[0], a, float((k * 7 + a * 3) % 5 > 1))
    play(params, pod, events, np.zeros(0, rec.FAULT), k * 5 * 10**8)
print(pod.tobytes().hex())
"""


def states() -> Iterator[str]:
    for switch in ("0", "1"):
        environment = os.environ | {"NUMBA_DISABLE_JIT": switch}
        yield subprocess.run(
            [sys.executable, "-c", PLAIN], env=environment, capture_output=True, text=True, check=True
        ).stdout


@pytest.mark.scenario
def test_compiled_plant_equals_its_plain_source_bit_for_bit() -> None:
    compiled, plain = states()

    assert compiled == plain
    assert len(compiled) > 1000


def test_reference_files_are_inside_the_package() -> None:
    assert params.reference("plant.toml")["chute"]["count"] == 4
    assert params.reference("surge_suite.toml")["pod"]["chutes"] == 4
    assert plant_records.MAX_CHUTES == 16
