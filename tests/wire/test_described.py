"""Devices made from their descriptions, on pseudo-terminals in real time: a probe that is asked, a command ordered."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from hal.clock import SystemClock
from hal.description import DeviceConfig, Hardware, LineConfig, load
from hal.pod_io import build
from hal.runner import precise_loop, run
from hal.transport import transport_of
from hal.values import Quality
from pod_controller.cli import main
from sim_hardware.described.device import DescribedDevice
from sim_hardware.described.ezo import EzoProbe
from sim_hardware.slave import LineOfSlaves, Slave
from sim_hardware.station import Station
from sim_hardware.wire import WireBench, Wired

pytestmark = pytest.mark.wire


class Still:
    """A plant in which nothing moves."""

    def advance_to(self, now_ns: int) -> None:
        del now_ns


@contextmanager
def on_a_terminal(station: Station) -> Iterator[str]:
    """The path of a port with this station behind it, served by a loop of its own."""
    places: list[str] = []
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        bench = WireBench({"A": Wired(station, 9600)}, Still(), SystemClock())
        places.append((await bench.start())["A"])
        ready.set()
        await stop.wait()
        await bench.stop()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10.0)
        yield places[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_a_probe_is_set_up_and_read_through_a_real_port() -> None:
    probe = EzoProbe("A", "AE-1", [lambda: 6.5])
    with on_a_terminal(probe) as path:
        line = LineConfig("A", "ascii", path, 9600)
        device = DeviceConfig("AE-1", "atlas_ezo_ph", "A", 1, 0.0, {"ph": "AT-1"})
        io, clock, stop = build(Hardware((line,), (device,), 0.5)), SystemClock(), asyncio.Event()
        until_ns = clock.now_ns() + 20_000_000_000

        def tick(now_ns: int) -> None:
            if io.scan(now_ns).readings["AT-1"].quality is Quality.GOOD or now_ns > until_ns:
                stop.set()

        async def drive() -> None:
            await run([(io.lines[0], 9600)], [transport_of(line)], tick, 100_000_000, clock, stop)

        with asyncio.Runner(loop_factory=precise_loop) as runner:
            runner.run(drive())

    assert io.scan(clock.now_ns()).readings["AT-1"].value == 6.5
    assert probe.commands[:2] == ["*OK,1", "C,0"]


def test_a_command_is_ordered_on_a_free_line(capsys: pytest.CaptureFixture[str]) -> None:
    device = DescribedDevice(load("dini_argeo_dgt4x"))
    with on_a_terminal(LineOfSlaves("A", {"X": Slave(3, device)})) as path:
        place = ("--port", path, "--unit", "3", "--listen", "0.05", "--yes", "--json")
        done = main(["bus", "order", "dini_argeo_dgt4x", "preset_tare", "1000", *place])
        told = json.loads(capsys.readouterr().out)

    assert (done, told["done"], told["exchanges"]) == (0, True, 4)
    assert device.writes == {0: 1, 1: 1, 2: 1}


def test_a_probe_is_calibrated_on_a_free_line_and_the_proof_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    probe = EzoProbe("A", "AE-1", [lambda: 6.97])
    with on_a_terminal(probe) as path:
        place = ("--port", path, "--yes", "--json")
        done = main(["bus", "probe", "atlas_ezo_ph", "Cal,mid,7.00", "--proof", "Cal,?", *place])
        told = json.loads(capsys.readouterr().out)
        wrong = main(["bus", "probe", "atlas_ezo_ph", "Cal,medium,7.00", *place])
        why = json.loads(capsys.readouterr().out)["why"]

    assert (done, told["done"], told["answers"]) == (0, True, [[], ["?Cal,1"], ["?Cal,1"]])
    assert probe.calibrated == {"mid": 7.0}
    assert wrong == 1
    assert "does not know 'Cal,medium,7.00'" in why
