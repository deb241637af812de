"""The page of a run: it keeps what was seen, loses no spike, needs nothing from outside, and draws without an error."""

import hashlib
import json
import re
import subprocess
import sys
from functools import cache
from importlib.resources import files
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pod_controller import config, topology
from sim_hardware import sampler_kernel as kern
from sim_hardware import scenarios
from sim_hardware.fast_tier import tier_a
from sim_hardware.params import plant_params
from sim_hardware.report import page
from sim_hardware.report.contents import Run, contents
from sim_hardware.report.packing import pack_range, pack_runs, unpack_range, unpack_runs
from sim_hardware.sampler import Sampler, round_up_s
from sim_hardware.verbs.outcome import as_json

POD = Path(scenarios.__file__).parent / "reference" / "pod.toml"
PODCTL = [sys.executable, "-m", "pod_controller"]
UPLOT = {  # release 1.6.32 as published
    "LICENSE": "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
HOME_OF_UPLOT = "https://github.com/leeoniya/uPlot"  # in the comment at the head of the vendored file
CHROMIUM = (
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--enable-logging=stderr"),
    *("--virtual-time-budget=3000", "--window-size=1440,4000", "--dump-dom"),
)
DRAG = """{
  const over = document.querySelectorAll(".u-over")[2], at = over.getBoundingClientRect();
  const send = (name, x, target = over) => target.dispatchEvent(new MouseEvent(name, {
    clientX: at.left + x, clientY: at.top + 40, movementX: 9, movementY: 1, bubbles: true, button: 0, buttons: 1 }));
  const steps = [["mouseenter", 200], ["mousemove", 200], ["mousedown", 200], ["mousemove", 300], ["mousemove", 420]];
  [...steps, ["mouseup", 420, document]].forEach((step, k) => setTimeout(() => send(...step), 300 + 100 * k));
}"""
SECONDS = st.lists(st.floats(-1e5, 1e5, allow_nan=False), min_size=1, max_size=50)


@cache
def seen(name: str = "festival", policy: str = "guarded", duration_s: float = 10800.0) -> tuple[Run, tier_a.Result]:
    pod = topology.build(config.load(POD))
    drawn = scenarios.draw(name, 0, len(pod.chutes), duration_s)
    sampler = Sampler(pod, duration_s)
    result = tier_a.run(pod, drawn, 0, policy, options=tier_a.Options(sampler=sampler))
    return Run(as_json(result, 0.0, 0), result.figures, sampler, plant_params(0), drawn.faults, name), result


def embedded(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="run">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])  # type: ignore[no-any-return]  # json


@pytest.mark.parametrize("name", UPLOT)
def test_uplot_is_as_published_with_its_licence(name: str) -> None:
    vendored = files("sim_hardware.report").joinpath("uplot", name).read_bytes()

    assert hashlib.sha256(vendored).hexdigest() == UPLOT[name]


@given(low=SECONDS, spans=SECONDS, step=st.sampled_from([1e-4, 0.01, 1.0]))
def test_extremes_come_back_to_half_a_step(low: list[float], spans: list[float], step: float) -> None:
    n = min(len(low), len(spans))
    least = np.array(low[:n])
    most = least + np.abs(spans[:n])

    back = unpack_range(pack_range(least, most, step))

    assert np.abs(back.low - least).max() <= step * 0.51
    assert np.abs(back.high - most).max() <= step * 0.51


def test_intervals_in_which_nothing_was_seen_stay_empty() -> None:
    back = unpack_range(pack_range(np.array([1.0, np.inf, 3.0]), np.array([2.0, -np.inf, 3.0]), 0.5))

    assert np.isnan(back.low[1])
    assert back.high[0] == 2.0
    assert back.low[2] == 3.0


@given(st.lists(st.integers(-2, 3)))
def test_runs_come_back(values: list[int]) -> None:
    assert unpack_runs(pack_runs(values)) == values


def test_intervals_are_lengths_that_people_read() -> None:
    assert [round_up_s(length_s) for length_s in (0.2, 9.6, 864.0, 200_000.0)] == [1, 10, 900, 259_200]


@pytest.mark.campaign
def test_a_run_that_is_looked_at_is_the_same_run() -> None:
    _, result = seen()
    pod = topology.build(config.load(POD))

    assert tier_a.run(pod, scenarios.draw("festival", 0, len(pod.chutes), 10800.0), 0) == result


@pytest.mark.campaign
def test_fewer_intervals_keep_every_extreme() -> None:
    fine, _ = seen()
    pod = fine.sampler.topology
    drawn = scenarios.draw("festival", 0, len(pod.chutes), 10800.0)
    coarse = Sampler(pod, drawn.duration_s, intervals=20)

    tier_a.run(pod, drawn, 0, options=tier_a.Options(sampler=coarse))

    assert coarse.intervals <= 20
    n = fine.sampler.intervals
    assert (coarse.samples.low[: coarse.intervals].min(axis=0) == fine.sampler.samples.low[:n].min(axis=0)).all()
    assert (coarse.samples.high[: coarse.intervals].max(axis=0) == fine.sampler.samples.high[:n].max(axis=0)).all()


@pytest.mark.campaign
@pytest.mark.parametrize("policy", ["guarded", "open"])
def test_the_highest_level_of_every_vessel_is_on_the_page(policy: str) -> None:
    run, result = seen("festival", policy)

    data = embedded(page.html(contents(run)))

    for vessel in data["vessels"]:
        level = unpack_range(vessel["level"])
        figure_kg = result.figures.vessels[vessel["name"]].max_level_frac * vessel["lip_kg"]
        assert np.nanmax(level.high) == pytest.approx(figure_kg, abs=vessel["level"]["scale"])


@pytest.mark.campaign
def test_the_page_carries_the_outcome_and_adds_up_to_it() -> None:
    run, result = seen()

    data = embedded(page.html(contents(run)))

    assert data["outcome"] == run.outcome
    assert sum(sum(c["accepted_kg"]) for c in data["chutes"]) == pytest.approx(result.figures.accepted_kg, abs=1.0)
    assert unpack_range(data["processed"]).high[-1] == pytest.approx(result.figures.processed_kg, abs=0.01)
    assert len(unpack_range(data["accepted"]).high) == data["intervals"]
    assert data["sentences"]["10"].startswith("a vessel downstream counts as full")


@pytest.mark.campaign
def test_every_element_is_accounted_for_in_every_interval() -> None:
    run, _ = seen()
    samples = run.sampler.samples
    elements = len(run.sampler.topology.elements)

    assert (samples.rule_ticks[:, :elements].sum(axis=2) == samples.ticks[:, None]).all()
    assert (samples.shown_ticks[:, :elements].sum(axis=2) == samples.ticks[:, None]).all()
    assert samples.ticks.sum() == pytest.approx(21601, abs=6)


@pytest.mark.campaign
def test_what_was_believed_of_the_digester_stands_beside_what_was_true() -> None:
    run, _ = seen("overfed_acid", "guarded", 43200.0)

    feed = contents(run)["feed"]

    believed, true = (unpack_range(feed[name]) for name in ("estimate", "truth"))
    late = slice(len(true.high) // 2, None)
    assert np.isnan(believed.low[0])  # nothing was seen yet
    assert believed.high[late] == pytest.approx(true.high[late], abs=0.05)
    assert unpack_runs(feed["rule"])[-1] == 40
    assert np.isnan(unpack_range(feed["cap_kg_d"]).low[-1])
    assert feed["by_rule_s"]["40"] > 43000.0


@pytest.mark.campaign
def test_a_spill_and_a_fault_are_among_the_events() -> None:
    run, _ = seen("festival", "open")
    kinds = {row["kind"] for row in contents(run)["happenings"]}

    assert {"spill", "state"} <= kinds
    assert run.sampler.samples.accounts[run.sampler.intervals, kern.SPILLED :].sum() > 0.0


@pytest.mark.campaign
def test_the_page_refers_to_nothing_outside() -> None:
    html = page.html(contents(seen()[0]))

    assert set(re.findall(r"(?:https?|wss?|ftp)://[^\s)\"'<]+", html)) == {HOME_OF_UPLOT}
    assert not re.findall(r"\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|importScripts|sendBeacon)\b", html)
    assert not re.findall(r"@import|url\(|<(?:link|img|script)[^>]+(?:src|href)=\"(?!data:)", html)
    assert "default-src 'none'" in html
    assert len(html) < 3_000_000


@pytest.mark.scenario
def test_a_page_that_cannot_be_written_is_one_line_before_the_run(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "page.html"

    done = subprocess.run(
        [*PODCTL, "sim", "festival", "--report", str(target)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert f"--report {target}: No such file or directory" in done.stderr


@pytest.mark.campaign
@pytest.mark.parametrize("tier", ["a", "b"])
def test_podctl_writes_the_page_in_both_tiers(tier: str, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    words = ["sim", "festival", "--tier", tier, "--duration", "900", "--json", "--report", str(target)]

    done = subprocess.run([*PODCTL, *words], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    data = embedded(target.read_text("utf-8"))
    assert data["outcome"] == json.loads(done.stdout)
    assert any(row["text"] == "pod is EXECUTE" for row in data["happenings"])


def browse(target: Path) -> tuple[str, list[str], list[str]]:
    """The page as the browser has it after its scripts, what its console said, and the addresses it asked for."""
    log = target.parent / "net.json"
    flags = [f"--user-data-dir={target.parent / 'profile'}", f"--log-net-log={log}"]
    done = subprocess.run(
        [*CHROMIUM, *flags, target.as_uri()], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stderr
    # The browser asks for things of its own, such as the time of day; those have no page that began them.
    by_pages = r'"initiator":"(?!not an origin)[^"]*".*?"url":"((?:https?|wss?)://[^"]+)"'
    asked = re.findall(by_pages, log.read_text("utf-8"))
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line], asked


needs_chromium = pytest.mark.skipif(which("chromium") is None, reason="no chromium here (deploy/ci-packages.txt)")


@pytest.mark.wire
@needs_chromium
@pytest.mark.parametrize(("policy", "plots"), [("guarded", 22), ("open", 21)])  # open refuses nothing
def test_a_browser_draws_it_without_an_error_or_a_request(policy: str, plots: int, tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    page.write(target, contents(seen("festival", policy)[0]))

    shown, said, asked = browse(target)

    assert not said
    assert not asked
    assert f'data-plots="{plots}"' in shown
    assert len(re.findall(r'<canvas [^>]*role="img" aria-label="[^"]+"', shown)) == plots


@pytest.mark.wire
@needs_chromium
def test_a_request_and_an_error_would_be_noticed(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    spoiled = page.html(contents(seen()[0])).replace("</body>", '<img src="http://127.0.0.1:9/x"></body>')
    target.write_text(spoiled.replace("img-src data:", "img-src *"), "utf-8")

    _, said, asked = browse(target)

    assert said
    assert "http://127.0.0.1:9/x" in asked


@pytest.mark.wire
@needs_chromium
def test_dragging_across_one_plot_zooms_the_page(tmp_path: Path) -> None:
    target = tmp_path / "page.html"
    target.write_text(page.html(contents(seen()[0])).replace("</body>", f"<script>{DRAG}</script></body>"), "utf-8")

    shown, said, _ = browse(target)

    zoomed = re.search(r'id="zoomed" role="status">([\d:]+) to ([\d:]+)<', shown)
    assert not said
    assert zoomed is not None
    assert zoomed[1] < zoomed[2]
