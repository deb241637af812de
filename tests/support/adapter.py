"""A serial adapter between a served line and a core: a pseudo-terminal of its own that can be pulled out and put back.

Neighbours: tests/wire. It carries bytes both ways on a thread and hides nothing: pulled, its port is gone as that of a
real adapter is; put back, it may lead to another line.
"""

import contextlib
import os
import select
import tty
from pathlib import Path
from threading import Thread
from typing import Self


class Adapter:
    """The port `path`, leading to a line of the served hardware while it is plugged in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.sent: list[bytes] = []  # towards the devices, since it was plugged in last
        self._near = self._far = self._wake = -1
        self._thread: Thread | None = None

    def plug(self, line: Path) -> Self:
        """Plug it in, leading to line."""
        self.sent.clear()
        self._near, other = os.openpty()
        self._far = os.open(line, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(other)
        tty.setraw(self._far)
        self.path.symlink_to(os.ttyname(other))
        self._wake, asleep = os.pipe()[::-1]
        self._thread = Thread(target=self._carry, args=(other, asleep))
        self._thread.start()
        return self

    def pull(self) -> None:
        """Pull it out: its port is gone, and whoever had it open is told so."""
        if self._thread is None:
            return
        self.path.unlink()
        os.close(self._wake)
        self._thread.join()
        self._thread = None
        os.close(self._near)
        os.close(self._far)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pull()

    def _carry(self, other: int, asleep: int) -> None:
        """Until it is pulled. Our own end of the port stays open until then: EIO comes of nobody having it open."""
        with contextlib.ExitStack() as ends:
            for descriptor in (other, asleep):
                ends.callback(os.close, descriptor)
            while True:
                ready, _, _ = select.select([self._near, self._far, asleep], [], [])
                if asleep in ready:
                    return
                if self._near in ready:
                    data = os.read(self._near, 4096)
                    self.sent.append(data)
                    os.write(self._far, data)
                if self._far in ready:
                    os.write(self._near, os.read(self._far, 4096))
