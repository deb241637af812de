"""What comes over weirs by itself: all of it has room at the end of its chain, or where a stuck pump can send it."""

from pathlib import Path

import numpy as np
import pytest
from edited_pod import edited
from hypothesis import given
from hypothesis import strategies as st
from plant_bench import REFERENCE

from pod_controller.config import load
from pod_controller.kernels import records
from pod_controller.kernels.terms import closing_tail_kg
from pod_controller.topology import Topology, build
from pod_controller.topology_weirs import NOWHERE, fill_weirs

BY_ITSELF_KG = 3000.0 + 980.0  # of the reference pod's digester: gas and foam, and a pressure step over the sealed leg
ALONE = [('element = "sump_pump"\nshared = ["sump_valve"]\n', 'element = "sump_pump"\n')]


def reference(changes: list[tuple[str, str]], folder: Path) -> Topology:
    path = folder / "pod.toml"
    path.write_text(edited(changes))
    return build(load(path))


def drawn_kg(t: Topology) -> dict[str, float]:
    over_kg = t.table[0].intakes[t.intakes.index("separator")].over_kg
    return {name: float(over_kg[v]) for v, name in enumerate(t.vessels) if over_kg[v] > 0.0}


def test_the_end_of_the_chain_has_room_for_all_that_comes_by_itself() -> None:
    t = build(load(REFERENCE))

    assert float(t.table[0].vessels[t.vessels.index("storage")].psi_kg) == BY_ITSELF_KG
    assert float(t.table[0].vessels[t.vessels.index("digester")].psi_kg) == 3000.0


def test_a_pump_with_a_valve_behind_it_draws_only_what_passes_until_that_has_closed() -> None:
    t = build(load(REFERENCE))
    p = t.table[0]
    passes_kg = 0.5 * p.tick_s + closing_tail_kg(0.5, p.elements[t.element("sump_valve")], 1.0, p.tick_s)

    assert drawn_kg(t) == {"bin": pytest.approx(0.1 * passes_kg)}
    assert drawn_kg(t)["bin"] < 1.0


def test_a_lone_pump_that_sticks_sends_a_tenth_of_it_to_the_bin(tmp_path: Path) -> None:
    t = reference(ALONE, tmp_path)

    assert drawn_kg(t) == {"bin": pytest.approx(0.1 * BY_ITSELF_KG)}  # none to storage: it has room for all already
    causes = {name: t.table[0].causes[c] for c, name in enumerate(t.causes)}
    assert float(causes["XM-C"].over_kg[t.vessels.index("bin")]) == pytest.approx(0.1 * BY_ITSELF_KG)
    assert not causes["XM-A"].over_kg.any()


def test_a_common_cause_of_pump_and_valve_draws_all_of_it(tmp_path: Path) -> None:
    air = '[[cause]]\nname = "air"\nelements = ["sump_pump", "sump_valve"]\n\n[shedding]\n'
    t = reference([("[shedding]\n", air)], tmp_path)

    assert drawn_kg(t) == {"bin": pytest.approx(0.1 * BY_ITSELF_KG)}


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[int], list[tuple[float, float, float]], int, dict[int, float]]:
    """Who overflows into whom (only further down), what each holds up, a pump's source, and where it sends to."""
    count = draw(st.integers(2, 6))
    below = [draw(st.sampled_from([NOWHERE, *range(v + 1, count)])) for v in range(count)]
    kg = st.sampled_from([0.0, 1.0, 30.0])
    own = [draw(st.tuples(kg, kg, kg if below[v] != NOWHERE else st.just(0.0))) for v in range(count)]
    source = draw(st.integers(0, count - 2))
    to = draw(st.dictionaries(st.integers(source + 1, count - 1), st.sampled_from([0.1, 0.9, 1.0, 1.4]), min_size=1))
    return below, own, source, to


def path_of(below: list[int], v: int) -> list[int]:
    return [v] if below[v] == NOWHERE else [v, *path_of(below, below[v])]


@given(chains(), st.sampled_from([0.0, 0.3, 1.0]), st.booleans())
def test_whatever_a_stuck_pump_draws_there_is_room_for_it(
    chain: tuple[list[int], list[tuple[float, float, float]], int, dict[int, float]], share: float, caused: bool
) -> None:
    below, own, source, to = chain
    p = records.table(records.PLANT)[0]
    p.tick_s, p.n_vessels, p.n_elements, p.n_intakes, p.n_flows, p.n_causes = 0.5, len(below), 1, 1, 1, int(caused)
    p.causes[0].member[0] = 1
    for v, (hold_up_kg, psi_kg, _) in enumerate(own):
        p.vessels[v].hold_up_kg, p.vessels[v].psi_kg = hold_up_kg, psi_kg
    p.intakes[0].n_flows, p.flows[0].source = 1, source
    for target, ratio in to.items():
        for v in path_of(below, target):
            p.intakes[0].reach_ratio[v] += ratio
    fill_weirs(p, below, [over_kg for _, _, over_kg in own])

    # The same mass, followed by hand: of what comes to the source from above, the pump takes a share.
    arrived_kg = np.zeros(len(below))
    for v, row in enumerate(own):
        arrived_kg[v] += row[0] + row[1]
        if below[v] == NOWHERE:
            continue
        coming_kg = sum(row)
        way = path_of(below, v)
        taken_kg = share * coming_kg if source in way[1:-1] else 0.0
        arrived_kg[way[-1]] += coming_kg - taken_kg
        for target, ratio in to.items():
            for u in path_of(below, target):
                arrived_kg[u] += ratio * taken_kg
    for v in range(len(below)):
        room_kg = p.vessels[v].hold_up_kg + p.vessels[v].psi_kg
        more_kg = p.causes[0].over_kg[v] if caused else p.intakes[0].over_kg[v]
        assert arrived_kg[v] <= room_kg + more_kg + 1e-9
