"""The controller's digester model on ADM1, a short sample: classes right, surges survived, feeds keep their solids."""

import numpy as np
import pytest

from pod_controller.topology import Topology
from sim_hardware import digester
from sim_hardware.adm1 import records as r
from sim_hardware.sourness import overloads, rows, surge
from sim_hardware.sourness.overloads import Overload
from sim_hardware.sourness.scoring import EDGES, Errors, estimates, score
from sim_hardware.sourness.surge import Surge

pytestmark = pytest.mark.timeout(120)  # the first call compiles
SURGE = Surge(0.56, "protein", 3.0, 3.0)


@pytest.fixture(scope="module")
def pod() -> Topology:
    return rows.reference_pod()


@pytest.fixture(scope="module")
def runs() -> list[overloads.Readings]:
    return [overloads.readings(run) for run in overloads.drawn(8, seed=7)]


def test_class_is_right_in_nine_hours_of_ten(pod: Topology, runs: list[overloads.Readings]) -> None:
    found = score(pod, runs)

    assert found.right_frac >= 0.9
    assert found.hours.sum(axis=1).min() > 10  # every class is there to be told


def test_a_model_fed_with_a_wrong_ph_is_found_out(pod: Topology, runs: list[overloads.Readings]) -> None:
    assert score(pod, runs, Errors(ph=-0.2)).right_frac < 0.8


def test_estimate_warns_a_day_before_the_ph(pod: Topology) -> None:
    shown = overloads.readings(Overload(0.5, "design", 4.5, overloads.DAYS))

    found = estimates(pod, shown)

    sour = int(np.flatnonzero(shown[:, 3] < digester.SOUR_PH)[0])
    warned = int(np.flatnonzero(found >= EDGES[1])[0])
    assert (sour - warned) * overloads.ROW_D > 1.0


def test_cap_keeps_a_surge_below_where_the_level_alone_drives_it(pod: Topology) -> None:
    capped, by_level = (surge.play(pod, SURGE, capped=capped) for capped in (True, False))

    assert not capped.crashed
    assert capped.above_h < 6.0 < by_level.above_h
    assert capped.fed_kg > 0.9 * by_level.fed_kg


@pytest.mark.parametrize("kind", list(overloads.KINDS))
def test_another_make_of_feed_has_the_same_volatile_solids(kind: str) -> None:
    feed = digester.own_feed()
    other = overloads.of_kind(feed, kind)

    solids = [
        sum(each.content[r.LIQUID.index(name)] / cod for cod, names in SOLIDS for name in names)
        for each in (feed, other)
    ]

    assert solids[1] == pytest.approx(solids[0])
    assert (other.content == feed.content).all() == (kind == "design")


SOLIDS = ((1.19, ("S_su", "X_ch")), (1.42, ("S_aa", "X_pr")), (2.88, ("X_li",)))
