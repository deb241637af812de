"""Eight accidents of others on this pod: what the guard and the trips do, and when.

ARIA 47989, 42038 and Clapham stand among the festival's scenarios; the five that need gas have biology and its gas
line. Each runs whole in the fast tier, and byte for byte as far as the response that matters.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from pod_controller.config import PodConfig, load
from pod_controller.topology import build
from sim_hardware import scenarios
from sim_hardware.biology.records import BURNER, FLARE, RELIEF
from sim_hardware.fast_tier import tier_a
from sim_hardware.pod import NS, SimulatedPod

pytestmark = pytest.mark.campaign
FESTIVAL_ACCIDENTS = ("aria_42038", "aria_47989", "clapham_2012")
RELIEF_MBAR = 15.0


@cache
def config() -> PodConfig:
    return load(Path(str(files("sim_hardware").joinpath("reference/pod.toml"))))


class Watched:
    """One accident, and what was seen of it: pressure, rows that tripped and when, grants of the feed."""

    def __init__(self, name: str, duration_s: float, stop_s: float = -1.0) -> None:
        self.most_mbar = 0.0
        self.tripped_s: dict[int, float] = {}
        self.ended_s: dict[int, float] = {}
        self.feed_s: list[float] = []
        self.lid_opened_s: list[float] = []
        self._stop_s = stop_s
        self.pod = SimulatedPod(config(), scenarios.draw(name, 0, len(config().chute), duration_s))
        self._feed = self.pod.app.topology.element("feed_pump")
        self._lid = self.pod.app.topology.element("lid_1")
        self.pod.run(self._look)

    def out_m3(self, path: int) -> float:
        """What left by burner, flare or relief."""
        return float(self.pod.plant.records[1][0].biology.gas_out_m3[path])

    def flow_m3_h(self, path: int) -> float:
        return float(self.pod.plant.records[1][0].biology.path_m3_h[path])

    def _look(self, pod: SimulatedPod, now_ns: int) -> None:
        now_s, loop = now_ns / NS, pod.app.loop
        if now_s == self._stop_s:
            assert loop.request(now_ns, "hold", "gas alarm", "anna")
        assert loop.permit is not None
        self.most_mbar = max(self.most_mbar, float(pod.plant.records[1][0].biology.gauge_mbar))
        standing = {trip.watch.row.id for trip in loop.trips.standing}
        for number in sorted(standing):
            self.tripped_s.setdefault(number, now_s)
        for number in self.tripped_s:
            if number not in standing:
                self.ended_s[number] = now_s
        if loop.permit["grant_frac"][0, self._feed] > 0.0:
            self.feed_s.append(now_s)
        if loop.permit["grant_frac"][0, self._lid] > 0.0:
            self.lid_opened_s.append(now_s)

    def spilled_kg(self) -> float:
        return self.pod.result().figures.spilled_kg


def test_all_eight_accidents_are_here() -> None:
    names = [*FESTIVAL_ACCIDENTS, *scenarios.accident_names()]

    assert len(names) == 8
    assert set(names) <= {*scenarios.names(), *scenarios.accident_names()}


@pytest.mark.parametrize("name", scenarios.accident_names())
def test_no_accident_spills_in_the_fast_tier(name: str, depth: str) -> None:
    for seed in range(20 if depth == "full" else 1):
        result = tier_a.run(build(config()), scenarios.draw(name, seed, len(config().chute)), seed, "guarded")

        assert result.figures.spilled_kg == 0.0
        assert result.figures.balance_error_kg < 1e-6


def test_a_flare_that_never_opens_stops_feed_and_heat_and_the_relief_opens() -> None:
    seen = Watched("aria_49983", 2700.0)

    assert 600.0 < seen.tripped_s[151] < 2700.0, "by pressure alone, within minutes"
    assert not [at_s for at_s in seen.feed_s if at_s > 2000.0], "the feed stays off"
    assert seen.out_m3(RELIEF) > 0.0 and seen.most_mbar < RELIEF_MBAR + 0.5
    assert not [at_s for at_s in seen.lid_opened_s if at_s > 605.0], "over an indeterminate gate no lid unlocks"
    assert seen.spilled_kg() == 0.0


def test_a_relief_full_of_foam_leaves_the_flare_which_nothing_can_shut() -> None:
    seen = Watched("aria_215484", 1500.0)

    assert seen.out_m3(FLARE) > 0.0 and seen.out_m3(RELIEF) == 0.0
    assert seen.most_mbar < 12.0, "the roof holds, and no trip is needed for it"
    assert 151 not in seen.tripped_s
    assert seen.spilled_kg() == 0.0


def test_a_person_who_stops_the_pod_shuts_no_flare() -> None:
    seen = Watched("aria_49833", 1500.0, stop_s=900.0)

    assert seen.flow_m3_h(BURNER) == 0.0 and seen.flow_m3_h(FLARE) > 0.0
    assert seen.out_m3(RELIEF) == 0.0
    assert not [at_s for at_s in seen.feed_s if at_s > 900.0]
    assert seen.spilled_kg() == 0.0


def test_an_analyser_that_drifts_negative_isolates_nothing() -> None:
    seen = Watched("aria_153479", 1500.0)

    assert seen.flow_m3_h(BURNER) > 0.0
    assert seen.out_m3(RELIEF) == 0.0 and seen.most_mbar < 8.0
    assert not seen.tripped_s
    assert seen.spilled_kg() == 0.0


def test_an_unusual_feed_in_one_go_is_turned_away_at_the_lids_and_needs_nobody() -> None:
    seen = Watched("aria_50072", 1800.0)
    figures = seen.pod.result().figures

    assert figures.refused_kg > 10.0
    assert seen.spilled_kg() == 0.0
    assert set(seen.tripped_s) <= {111}, "nothing latches"
