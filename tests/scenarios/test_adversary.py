"""The guard against an adversary that does not share its table: two faults at once on 16 inlets and 300 kg."""

import numpy as np
import pytest
from plant_bench import adversarial_plant

from sim_hardware.guard_trial.adversary import campaign_run, world_of

RELAY_SEEDS = 200
POSITIONER_SEEDS = 50  # each opening is searched for: slower
TICKS = 2400

pytestmark = pytest.mark.campaign


def spills(jams: bool, loses_writes: bool, positioner: bool = False, lease: bool = True) -> list[float]:
    """Kg over the lip in each run that spilled; lease: whether the guard's table knows how long a command may live."""
    found = []
    for seed in range(POSITIONER_SEEDS if positioner else RELAY_SEEDS):
        plant = adversarial_plant(np.random.default_rng(seed), positioner=positioner)
        world = world_of(plant, seed, jams, loses_writes)
        if not lease:
            plant["elements"]["lease_s"] = 0.0
        run = campaign_run(plant, world, TICKS)
        if run.spilled_kg > 0.0:
            found.append(float(run.spilled_kg))
    return found


@pytest.mark.parametrize("positioner", [False, True], ids=["relays", "positioners"])
@pytest.mark.parametrize(("jams", "loses_writes"), [(True, True), (True, False), (False, True)])
def test_nothing_spills_with_a_jam_and_lost_writes(jams: bool, loses_writes: bool, positioner: bool) -> None:
    assert spills(jams, loses_writes, positioner) == []


@pytest.mark.parametrize("positioner", [False, True], ids=["relays", "positioners"])
def test_the_same_campaign_spills_without_the_lease_term(positioner: bool) -> None:
    found = spills(jams=True, loses_writes=True, positioner=positioner, lease=False)

    assert len(found) >= 5
    assert max(found) > 1.0


def test_the_adversary_strikes_and_the_vessel_comes_close_to_its_lip() -> None:
    """Else the campaign would prove nothing."""
    runs = []
    for seed in range(RELAY_SEEDS):
        plant = adversarial_plant(np.random.default_rng(seed))
        runs.append(campaign_run(plant, world_of(plant, seed), TICKS))

    assert sum(int(run.struck) for run in runs) > RELAY_SEEDS / 2
    assert max(float(run.highest_kg) for run in runs) > 295.0
