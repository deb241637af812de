"""A sump pump that sticks on while gas and pressure push the digester over its weir: the bin keeps its lip."""

from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from pod_controller import config, topology
from sim_hardware import scenarios
from sim_hardware.fast_tier import tier_a

POD = Path(str(files("sim_hardware").joinpath("reference/pod.toml")))
FULL_BIN = {"bin": {"start_kg": 700.0}, "digester": {"start_waste_kg": 0.0}}  # lip 800
STUCK = "gate_jam@SC-411:from=600,open=1.0"
BLOCKED = ("gas_blocked@burner:from=600", "gas_blocked@flare:from=600")

pytestmark = pytest.mark.campaign


@cache
def pod() -> topology.Topology:
    return topology.build(config.load(POD))


@pytest.mark.parametrize("faults", [(STUCK,), (STUCK, BLOCKED[0]), (STUCK, *BLOCKED)])
def test_the_bin_keeps_its_lip(faults: tuple[str, ...]) -> None:
    drawn = scenarios.draw("festival", 0, 4, None, True)

    result = tier_a.run(pod(), drawn, 0, faults=faults, options=tier_a.Options(plant=FULL_BIN))

    assert result.figures.spilled_kg == 0.0
    assert result.figures.vessels["bin"].max_level_frac > 0.9  # it does come close
