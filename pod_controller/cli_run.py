"""`podctl run`: the controller, until a signal ends it.

Neighbours: `core_process` is the process; here its log lines reach stderr, from a thread of their own, so that whoever
reads them slowly delays nothing. Must not know what runs.
"""

import queue
import threading
from pathlib import Path

import click

from hal.clock import Clock, SystemClock
from hal.errors import PodError

EXIT_CONFIGURATION = 78
LINES_MOST = 256


class StderrLog:
    """Lines to stderr with a time label; when nobody takes them, the newest are dropped and counted."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: queue.Queue[str | None] = queue.Queue(LINES_MOST)
        self._dropped = 0
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def info(self, text: str, /) -> None:
        """Good to know."""
        self._put(f"{self._clock.utc_label()}  {text}")

    def warning(self, text: str, /) -> None:
        """Somebody should look."""
        self._put(f"{self._clock.utc_label()}  ! {text}")

    def close(self) -> None:
        """Write what is left, for a second at most."""
        self._put(None)
        self._thread.join(timeout=1.0)

    def _put(self, line: str | None) -> None:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            lost, self._dropped = self._dropped, 0
            try:
                click.echo(f"({lost} lines were not written)\n{line}" if lost else line, err=True)
            except OSError:  # nobody reads stderr any more
                continue


@click.command()
@click.option("--config", "path", required=True, type=click.Path(path_type=Path), help="The pod's TOML.")
def run(path: Path) -> int:
    """Run the controller of a pod until a signal ends it."""
    from pod_controller.config import ConfigFaults, load  # the compiler comes in with it

    try:
        config = load(path)
    except ConfigFaults as faults:
        for line in faults.lines:
            click.echo(line, err=True)
        return EXIT_CONFIGURATION
    from pod_controller.core_process import CoreProcess

    clock = SystemClock()
    log = StderrLog(clock)
    try:
        log.info(f"pod {config.pod.name}: kernels, journal, socket")
        process = CoreProcess(path, config, clock, log)
        with process:
            log.info(f"ticking every {config.control.tick_s:g} s; ask with podctl status --config {path}")
            return process.run()
    except ConfigFaults as faults:  # what the book of calibrations found and the configuration does not allow for
        for line in faults.lines:
            click.echo(line, err=True)
        return EXIT_CONFIGURATION
    except PodError as error:
        if 200 <= error.code < 400:  # wiring that cannot work is a fault of the configuration: no use in a restart
            click.echo(f"{path}: {error}", err=True)
            return EXIT_CONFIGURATION
        raise
    finally:
        log.close()
