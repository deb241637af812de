"""The hardware by itself, for whoever wants to be its master: `podctl sim --serve DIR`.

Job: the devices of a pod in real time on pseudo-terminals and loopback servers, links to them and the two files that
describe them in one folder, until somebody ends it. Neighbours: `hardware` and `wire` (the devices), `point_map` and
`config` (the files), `cli` prints. Must not know: the controller's side of a line, how results are shown.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from hal.clock import SystemClock
from hal.errors import Code, PodError
from hal.runner import precise_loop
from pod_controller.config import PodConfig
from sim_hardware.hardware import NS, Hardware
from sim_hardware.serving.config import as_toml, moved
from sim_hardware.serving.point_map import map_of
from sim_hardware.wire import WireBench

CONFIG, MAP = "pod.toml", "map.json"


class Served(NamedTuple):
    """How long it ran, and whether Ctrl-C ended it."""

    elapsed_s: float
    interrupted: bool


class _Ending:
    """What ends the serving: a signal, or time."""

    def __init__(self) -> None:
        self.interrupted = False
        self._asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._loop.add_signal_handler(signal.SIGINT, self._interrupt)
        self._loop.add_signal_handler(signal.SIGTERM, self._asked.set)

    async def wait(self, duration_s: float | None) -> None:
        """Return at a signal, or after duration_s (None: never by itself)."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._asked.wait(), duration_s)

    def close(self) -> None:
        """Give the signals back."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._loop.remove_signal_handler(number)

    def _interrupt(self) -> None:
        self.interrupted = True
        self._asked.set()


def serve(
    config: PodConfig, hardware: Hardware, folder: Path, duration_s: float | None, ready: Callable[[], None]
) -> Served:
    """Serve until a signal or duration_s; ready() is called once everything can be used.

    PodError 206 when the folder cannot be used, or when the machine has no pseudo-terminals left.
    """
    _warm(hardware)
    with _own(folder) as own, asyncio.Runner(loop_factory=precise_loop) as loop:
        try:
            return loop.run(_serve(config, hardware, own, duration_s, ready))
        except OSError as error:
            text = f"serving in {folder}: {error.strerror or error}: check the folder, and free pseudo-terminals"
            raise PodError(Code.PORT_UNAVAILABLE, text) from error


async def _serve(
    config: PodConfig, hardware: Hardware, folder: Path, duration_s: float | None, ready: Callable[[], None]
) -> Served:
    ending = _Ending()
    bench = hardware.bench(SystemClock())
    links: dict[str, str] = {}
    try:
        links = await _open(config, hardware, bench, folder)
        hardware.schedule_faults(bench)
        ready()
        await ending.wait(duration_s)
        elapsed_ns = bench.now_ns()
        bench.bring_plant(elapsed_ns)
    finally:
        for name in links:
            (folder / name).unlink(missing_ok=True)
        await bench.stop()
        ending.close()
    return Served(elapsed_ns / NS, ending.interrupted)


async def _open(config: PodConfig, hardware: Hardware, bench: WireBench, folder: Path) -> dict[str, str]:
    """Start the bench, link the terminals and write both files; returns the links by line."""
    places = await bench.start()
    links = {line.name: str(folder / line.name) for line in config.line if line.protocol != "modbus_tcp"}
    for name, link in links.items():
        path = Path(link)
        if path.exists() and not path.is_symlink():
            raise PodError(Code.PORT_UNAVAILABLE, f"{path} is in the way and no link: move it, or name another folder")
        _fresh(path).unlink(missing_ok=True)
        _fresh(path).symlink_to(places[name])
        os.replace(_fresh(path), path)
    found = {**places, **links}
    _write(folder / CONFIG, as_toml(moved(config, folder, found)))
    _write(folder / MAP, json.dumps(map_of(config, hardware, found), indent=1) + "\n")
    return links


def _write(path: Path, text: str) -> None:
    """Under another name first, so that whoever looks finds the old file or the whole new one."""
    _fresh(path).write_text(text, "utf-8")
    os.replace(_fresh(path), path)


def _fresh(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


@contextlib.contextmanager
def _own(folder: Path) -> Iterator[Path]:
    """The folder, made if need be and held for us alone; its absolute path."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        text = f"folder {folder}: {error.strerror}: name one that can be made and written"
        raise PodError(Code.PORT_UNAVAILABLE, text) from None
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder.absolute()
    except BlockingIOError:
        raise PodError(Code.PORT_UNAVAILABLE, f"folder {folder} is being served already: name another one") from None
    finally:
        os.close(held)


def _warm(hardware: Hardware) -> None:
    """Compile before time runs: a compiler at work would keep every answer late."""
    hardware.plant.advance_to(0)
    hardware.plant.probe("LT-201")()
    hardware.plant.set_drive("XA-901", False)
