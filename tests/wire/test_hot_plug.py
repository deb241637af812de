"""Adapters pulled out, put back and swapped while a core runs, on pseudo-terminals: told, survived, refused.

Neighbours: `hal.runner` (who reopens), `hal.device` (who is who). The lines A and B of the reference pod look alike: a
relay module at unit 1 and load cells at unit 2 of each. Only their serial numbers tell them apart.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from adapter import Adapter
from wire_pod import Process, WirePod, wait_until

from pod_controller.commissioning.live import Live
from sim_hardware.rtu_codec import WRITE_COILS, WRITE_HOLDING, WRITE_HOLDINGS, parse

pytestmark = [pytest.mark.wire, pytest.mark.timeout(120)]
WRITES = (WRITE_COILS, WRITE_HOLDING, WRITE_HOLDINGS)


@pytest.fixture
def adapters(tmp_path: Path) -> Iterator[dict[str, Adapter]]:
    with Adapter(tmp_path / "port-a") as a, Adapter(tmp_path / "port-b") as b:
        yield {"A": a, "B": b}


@pytest.fixture
def pod(served: Path, tmp_path: Path, adapters: dict[str, Adapter]) -> WirePod:
    made = WirePod(served, tmp_path)
    for name, adapter in adapters.items():
        made.move(rf'port = ".*/{name}"', f'port = "{adapter.path}"')
    return made


def status(pod: WirePod) -> dict[str, Any]:
    return Live(pod.config.with_name("control.sock")).ask({"do": "status", "of_ticks": 1})


def unwell(pod: WirePod) -> str:
    return "\n".join(status(pod)["unwell"])


def believed(pod: WirePod) -> list[str]:
    """Devices of lines A and B of which something is good."""
    return [x["device"] for line in status(pod)["lines"][:2] for x in line["devices"] if not x["not_good"]]


def functions(adapter: Adapter) -> list[int]:
    """What was asked of the devices behind an adapter; frames of this size come through whole."""
    return [request.function for request in map(parse, adapter.sent) if request is not None]


def written(adapter: Adapter) -> set[int]:
    """Which writes went to the devices behind an adapter."""
    return set(functions(adapter)) & set(WRITES)


@contextmanager
def running(pod: WirePod, served: Path, adapters: dict[str, Adapter]) -> Iterator[Process]:
    """A core whose pod executes, every adapter in its own line."""
    for name, adapter in adapters.items():
        adapter.plug(served / name)
    with pod.core() as core:
        pod.begin()
        yield core


def test_an_adapter_that_was_pulled_and_put_back_is_used_again_once_its_devices_have_shown_who_they_are(
    pod: WirePod, served: Path, adapters: dict[str, Adapter]
) -> None:
    with running(pod, served, adapters) as core:
        adapters["B"].pull()
        wait_until(lambda: "line B: port" in unwell(pod) and "plug it in" in unwell(pod), "line B is missed")
        adapters["B"].plug(served / "B")
        wait_until(lambda: bool(written(adapters["B"])), "its module is told what to do again")
        wait_until(lambda: not unwell(pod), "everything is well again")
        asked = functions(adapters["B"])
        assert status(pod)["state"] == "EXECUTE"
        assert "Traceback" not in core.text
    assert 3 in asked[: next(k for k, function in enumerate(asked) if function in WRITES)]


def test_two_adapters_swapped_while_a_core_runs_are_refused_by_name_and_nothing_is_written_to_them(
    pod: WirePod, served: Path, adapters: dict[str, Adapter]
) -> None:
    with running(pod, served, adapters) as core:
        for adapter in adapters.values():
            adapter.pull()
        adapters["A"].plug(served / "B")
        adapters["B"].plug(served / "A")
        wait_until(lambda: all(f"line {x}: XM-{x} unit 1 shows" in unwell(pod) for x in "AB"), "both are refused")
        wait_until(lambda: not believed(pod), "nothing of them is believed")
        told = unwell(pod)

        assert "line A: XM-A unit 1 shows 0811 0102, not 0811 0101: are two adapters swapped" in told
        assert "line B: XM-B unit 1 shows 0811 0101, not 0811 0102: are two adapters swapped" in told
        core.end(signal.SIGTERM)
    assert not any(map(written, adapters.values()))
