"""The digester in words: class, rule and cap as `status`, `why` and the journal tell them."""

from pathlib import Path
from typing import Any

import pytest
from plant_bench import REFERENCE

from pod_controller import telling, topology
from pod_controller.cli_views import why_parts
from pod_controller.config import load
from pod_controller.kernels import records, rules
from pod_controller.kernels.records import Table
from pod_controller.topology import Topology

NS = 1_000_000_000


@pytest.fixture(scope="module")
def pod() -> Topology:
    return topology.build(load(REFERENCE))


def slowed(fos_tac_ratio: float = 0.35) -> Table:
    state = records.table(records.STATE)
    s = state[0]
    s.feed_rule, s.feed_rule_ns, s.feed_cap_kg_s = rules.FEED_SLOWED, 5 * NS, 900.0 / 86400.0
    s.fos_tac_ratio, s.risk_ratio = fos_tac_ratio, 0.9
    return state


def test_a_slowed_feed_is_told_with_rule_class_and_since_when(pod: Topology) -> None:
    told = telling.digester(pod, slowed(), 65 * NS)

    assert told is not None
    assert (told["rule"], told["since_s"], told["feed_cap_kg_24h"]) == (41, 60.0, 900.0)
    assert told["fos_tac_class"] == "0.3 to 0.4"
    assert told["why"].startswith(rules.TEXT[41])
    assert "FOS/TAC 0.35 + 0.05 of 0.3/0.4/0.6, risk 0.90, at most 900 kg in 24 h" in told["why"]


@pytest.mark.parametrize(("ratio", "name"), [(0.29, "below 0.3"), (0.3, "0.3 to 0.4"), (0.41, "above 0.4")])
def test_classes_are_those_of_a_laboratory(pod: Topology, ratio: float, name: str) -> None:
    assert telling.fos_tac_class(pod, ratio) == name


def test_nothing_is_told_before_the_first_look_or_without_the_table(pod: Topology, tmp_path: Path) -> None:
    bare = tmp_path / "pod.toml"
    bare.write_text(REFERENCE.read_text("utf-8").split("[digestion]")[0], "utf-8")

    assert telling.digester(pod, records.table(records.STATE), NS) is None
    assert telling.digester(topology.build(load(bare)), slowed(), NS) is None


def test_why_shows_the_feed_first(pod: Topology) -> None:
    feed = telling.digester(pod, slowed(), 65 * NS)
    answer: dict[str, Any] = {"state": "EXECUTE", "feed": feed, "inlets": [], "vessels": []}

    titles = [title for title, _ in why_parts(answer, with_terms=True)]

    assert titles[1] == "digester  FOS/TAC 0.35 (0.3 to 0.4)  risk 0.90"
    assert titles[2].startswith("  rule 41 for 60 s: the feed is slowed")


def test_a_digester_that_is_not_seen_has_no_figures(pod: Topology) -> None:
    state = slowed(0.0)
    state[0].feed_rule, state[0].unseen_s = rules.FEED_BLIND, 21600.0

    told = telling.digester(pod, state, 65 * NS)
    assert told is not None
    titles = [
        title
        for title, _ in why_parts({"state": "EXECUTE", "feed": told, "inlets": [], "vessels": []}, with_terms=True)
    ]

    assert [told[key] for key in ("fos_tac", "fos_tac_class", "risk", "acids_mmol_l", "alkalinity_mmol_l")] == [
        None
    ] * 5
    assert titles[1] == "digester  FOS/TAC -  risk -  not seen"
    assert told["why"] == f"{rules.TEXT[rules.FEED_BLIND]}; at most 900 kg in 24 h"
