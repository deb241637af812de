"""One tag, step by step, as a running core tells it; and how values may move."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from virtual_core import REFERENCE, VirtualCore

from hal.errors import PodError
from hal.values import Cause, Quality, Reading, Scan
from pod_controller.answers import Answers
from pod_controller.cli_tag import lines_of
from pod_controller.config import PodConfig, load
from pod_controller.config_checks import faults
from pod_controller.config_signals import Signal
from pod_controller.kernels import records
from pod_controller.signal_watch import SignalWatch
from pod_controller.topology import Topology, build

S = 1_000_000_000
pytestmark = pytest.mark.timeout(120)  # whichever test comes first in a cold cache compiles the plant
STEPS = ["decode", "marks", "scale", "calibration", "range", "rate", "stuck", "age"]


class Watchless:
    """A clock of a core that stands still."""

    def __init__(self, core: VirtualCore) -> None:
        self._core = core

    def now_ns(self) -> int:
        return self._core.now_ns

    def utc_label(self) -> str:
        return "2026-03-01T12:00:00Z"

    def sleep_until_ns(self, when_ns: int) -> None:
        raise AssertionError(when_ns)


@pytest.fixture(scope="module")
def core() -> Iterator[VirtualCore]:
    made = VirtualCore()
    made.run(30.0)
    yield made
    made.close()


def ask(core: VirtualCore, tag: str) -> dict[str, Any]:
    line = json.dumps({"v": 1, "do": "tag", "tag": tag}).encode()
    answer = Answers(core.core, Watchless(core)).to(line, "test")
    assert isinstance(answer, bytes)
    told: dict[str, Any] = json.loads(answer)
    return told


def test_a_level_is_shown_from_its_words_to_the_vote(core: VirtualCore) -> None:
    told = ask(core, "LT-201")

    assert (told["device"], told["source"]["function"], len(told["source"]["words"])) == ("LM-201", 4, 2)
    assert [stage["stage"] for stage in told["stages"]] == STEPS
    assert told["stages"][0]["value"] == int(told["source"]["words"][0], 16)
    assert told["vote"]["vessel"] == "buffer"
    assert len(told["vote"]["sensors"]) == 3
    assert told["substitute"] == ""


def test_every_input_of_the_pod_ends_at_the_reading_it_shows(core: VirtualCore) -> None:
    snapshot = core.core.snapshot
    assert snapshot is not None
    for tag, reading in snapshot.scan.readings.items():
        told = ask(core, tag)
        assert told["chain"]["quality"] == told["reading"]["quality"] == reading.quality.name, tag
        if reading.quality is not Quality.BAD:
            assert told["chain"]["value"] == pytest.approx(told["reading"]["value"])
        assert lines_of(told)[0].startswith(tag)


def test_an_output_is_shown_with_its_proof(core: VirtualCore) -> None:
    told = ask(core, "FV-101")

    assert told["kind"] == "output"
    assert told["proved"]["open_frac"] in (0.0, 1.0)
    assert "read back" in lines_of(told)[1]


def test_an_unknown_tag_names_the_known_ones(core: VirtualCore) -> None:
    with pytest.raises(PodError, match=r"E473 .*'LT-999'.*LT-201"):
        ask(core, "LT-999")


def test_a_dead_transmitter_says_where_the_chain_ends() -> None:
    dead = VirtualCore()
    dead.run(10.0)
    dead.pod.field_side.inject("device_dead", "LM-201")
    dead.run(15.0)

    told = ask(dead, "LT-201")
    dead.close()

    assert told["reading"]["cause"] == "NO_COMMUNICATION"
    assert told["stages"][-1]["stage"] == "age"
    assert told["chain"]["quality"] == "BAD"
    assert any(line.startswith("! age") for line in lines_of(told))


RULES = (
    Signal(tag="LT-201", rate_max_per_s=0.1),
    Signal(tag="LT-202", stuck_s=10.0, stuck_band_value=0.001, moves_with=("gate_1",)),
)


def topology(*rules: Signal) -> Topology:
    return build(config(*rules))


def config(*rules: Signal) -> PodConfig:
    return load(REFERENCE).model_copy(update={"signal": rules})


def scan(tag: str, value: float, now_ns: int, quality: Quality = Quality.GOOD) -> Scan:
    return Scan({tag: Reading(tag, value, quality, Cause.NONE, now_ns)}, {})


def granted(open_frac: float) -> np.ndarray[Any, Any]:
    permit = records.table(records.PERMIT)
    permit["grant_frac"][0, 0] = open_frac
    return permit


def play(watch: SignalWatch, tag: str, values: list[float], grants: list[float]) -> list[Quality]:
    """One sample a second."""
    found = []
    for k, (value, grant) in enumerate(zip(values, grants, strict=True)):
        judged = watch.judge(scan(tag, value, k * S), granted(grant), k * S)
        found.append(judged.readings[tag].quality)
    return found


def test_a_jump_is_uncertain_for_a_while_and_then_believed() -> None:
    watch = SignalWatch(topology(*RULES))

    found = play(watch, "LT-201", [1.0, 1.05, 1.5, *[1.5] * 8], [0.0] * 11)

    assert found == [Quality.GOOD] * 2 + [Quality.UNCERTAIN] * 5 + [Quality.GOOD] * 4


def test_standing_still_while_a_gate_is_open_is_uncertain_until_it_moves() -> None:
    watch = SignalWatch(topology(*RULES))

    found = play(watch, "LT-202", [1.0] * 20 + [1.1, 1.1], [0.0] * 5 + [1.0] * 17)

    assert found[:16] == [Quality.GOOD] * 16
    assert found[16:20] == [Quality.UNCERTAIN] * 4
    assert found[20:] == [Quality.GOOD] * 2


def test_standing_still_with_everything_shut_is_fine() -> None:
    watch = SignalWatch(topology(*RULES))

    assert set(play(watch, "LT-202", [1.0] * 60, [0.0] * 60)) == {Quality.GOOD}


def test_a_bad_reading_stays_bad_and_starts_the_count_again() -> None:
    watch, found = SignalWatch(topology(*RULES)), []
    for k in range(30):
        quality = Quality.BAD if k == 12 else Quality.GOOD
        judged = watch.judge(scan("LT-202", 1.0, k * S, quality), granted(1.0), k * S)
        found.append(judged.readings["LT-202"].quality)

    assert found[:11] == [Quality.GOOD] * 11
    assert found[11:13] == [Quality.UNCERTAIN, Quality.BAD]
    assert found[13:24] == [Quality.GOOD] * 11
    assert found[24:] == [Quality.UNCERTAIN] * 6


def test_without_rules_a_scan_passes_untouched() -> None:
    before = scan("LT-201", 1.0, S)

    assert SignalWatch(topology()).judge(before, None, S) is before


@pytest.mark.parametrize(
    ("rule", "code", "told"),
    [
        (Signal(tag="LT-299", rate_max_per_s=1.0), 112, "did you mean"),
        (Signal(tag="LT-201", stuck_s=5.0), 104, "needs the elements that should move it"),
        (Signal(tag="LT-201", stuck_s=5.0, moves_with=("gate_99",)), 111, "is no element of this pod"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(rule: Signal, code: int, told: str) -> None:
    found = faults(config(rule))

    assert [fault.code for fault in found] == [code]
    assert told in found[0].text


def test_a_level_that_moves_faster_than_its_rule_loses_its_vote() -> None:
    pod = VirtualCore()
    pod.core.loop.adopt(build(config(Signal(tag="LT-202", rate_max_per_s=1e-9))))
    pod.run(30.0)

    told = ask(pod, "LT-202")
    pod.close()

    rate = next(stage for stage in told["stages"] if stage["stage"] == "rate")
    assert (rate["verdict"], rate["cause"]) == ("UNCERTAIN", "SENSOR_NOT_ACCURATE")
    assert "limit 1e-09" in rate["says"]
    assert told["reading"]["quality"] == told["chain"]["quality"] == "UNCERTAIN"
    assert told["vote"]["rule"] == "the larger of two"
