"""`podctl bench`: every figure stands beside its goal, a missed goal is no failure, unbuilt benches say so."""

import json
import shutil
from itertools import groupby

import pytest
from click.testing import CliRunner, Result

from sim_hardware.bench.ratio import Work, ratio
from sim_hardware.verbs.cli_bench import PROMISED, bench

ROWS = {
    "tier_a_quiet_day",
    "tier_a_festival",
    "tier_a_with_biology",
    "tier_b_quiet_day",
    "tier_b_festival",
    "kernel_tick_4_chutes",
    "kernel_tick_8_chutes",
    "warm_start_to_armed",
    "resident_memory",
    "podctl_version",
}
needs_gcc = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing: deploy/ci-packages.txt")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(bench, arguments, standalone_mode=False)


@needs_gcc
@pytest.mark.bench
def test_core_prints_each_goal_beside_its_figure_as_json() -> None:
    result = run("core", "--tiny", "--json")

    assert (result.return_value, result.exception) == (0, None)
    report = json.loads(result.stdout)
    assert {row["name"] for row in report["rows"]} == ROWS
    for row in report["rows"]:
        assert row["figure"] > 0.0
        better = row["figure"] >= row["goal"] if row["unit"].startswith("simulated") else row["figure"] <= row["goal"]
        assert row["met"] is better, row


@needs_gcc
@pytest.mark.bench
def test_core_prints_plain_lines_when_piped() -> None:
    result = run("core", "--tiny")

    lines = result.stdout.splitlines()
    assert {line.split(":")[0] for line in lines} == ROWS
    assert all("; goal at " in line and (": met (" in line or ": MISSED (" in line) for line in lines)
    assert len(result.stderr.splitlines()) >= len(lines) - 1


@pytest.mark.parametrize("name", PROMISED)
def test_a_bench_that_is_only_promised_says_so(name: str) -> None:
    result = run(name, "--json")

    assert str(result.exception).startswith(f"bench {name} is not built yet; built: ")


def test_a_ratio_alternates_a_b_b_a() -> None:
    order: list[str] = []
    one = Work(lambda: None, lambda: order.append("a"), 1)
    other = Work(lambda: None, lambda: order.append("b"), 1)

    found = ratio(one, other, repeats=1)

    changes = "".join(name for name, _ in groupby(order))
    assert changes == "ababa"  # twice to learn how long a block must be, then a, b and b, a
    assert found.ratio > 0.0


def test_a_detail_may_be_words_or_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    from sim_hardware.bench import lateness as bench_lateness
    from sim_hardware.bench.core import Row

    row = Row("late", 1.0, "ms", 5.0, True, {"scheduling": "ordinary", "peer": {"max_us": 2.0}, "of": 1200.0})
    monkeypatch.setattr(bench_lateness, "rows", lambda duration_s: [row])

    said = CliRunner().invoke(bench, ["lateness"], standalone_mode=False).stdout

    assert "scheduling ordinary, peer {'max_us': 2.0}, of 1,200" in said
