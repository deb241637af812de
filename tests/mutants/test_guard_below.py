"""A vessel stays within its lip also with all that stands above it behind one element: the gates above must know."""

from typing import Any

import pytest

from pod_controller.kernels.commit import commit
from pod_controller.kernels.guard import guard
from pod_controller.kernels.observe import observe
from pod_controller.kernels.records import FRAME, OWN, PERMIT, STATE, WISH, table
from sim_hardware.attack.piping import may_be_promised, without_weirs
from sim_hardware.guard_trial import plant_builder as plants
from sim_hardware.guard_trial.plant_builder import Moves

NS = 1_000_000_000


def upper_fills(ticks: int) -> float:
    """A gate into a vessel of 150 kg, one pump from it to one of 200 kg that holds 120: how full the upper one gets."""
    plant = plants.empty_plant()
    p = plant[0]
    plants.add_vessel(p, 150.0)
    plants.add_vessel(p, 200.0)
    gate = plants.add_element(p, OWN, Moves(4.0, 2.0, 2.0))
    plants.add_chute(p, plants.add_intake(p, {0: 1.0}, 0.5), gate, 0.5, 40.0)
    pump = plants.add_element(p, OWN, Moves(2.0, 1.0, 2.0))
    plants.add_flow(p, plants.add_intake(p, {1: 1.0}, 1.0), pump, 1.0, source=0)
    assert may_be_promised(plant, without_weirs(plant))
    state, frame, wish, permit = (table(kind) for kind in (STATE, FRAME, WISH, PERMIT))
    f: Any = frame[0]
    held_kg, at_frac, wish[0].n_order, wish[0].open_frac[gate] = 20.0, 0.0, 1, 1.0
    for tick in range(ticks):
        f.now_ns, f.elapsed_s, f.execute = (1000 + tick) * NS // 2, 0.5, 1
        f.level_ns[:] = f.position_ns[:] = f.content_ns[:] = f.now_ns - NS // 10
        f.verified_ns[:], f.level_kg[0], f.level_kg[1] = f.now_ns - NS // 2, held_kg, 120.0
        f.position_frac[gate], f.content_kg[0] = at_frac, 20.0
        observe(plant[0], state[0], frame[0])
        guard(plant[0], state[0], frame[0], wish[0], permit[0])
        commit(plant[0], state[0], permit[0])
        at_frac = min(1.0, at_frac + 0.25) if permit[0].grant_frac[gate] > 0.0 else max(0.0, at_frac - 0.125)
        held_kg += 0.25 * at_frac
    return held_kg


@pytest.mark.campaign
def test_a_gate_closes_when_all_above_would_not_fit_below() -> None:
    assert upper_fills(600) + 120.0 <= 200.0
