"""The only door to serial ports.

Job: open one port exclusively with its line's settings, give and take bytes without waiting, say
plainly when the port is gone.
Neighbours: ``runner`` owns one transport per line.
Must not know: protocols, lines, when to reopen.
"""

import contextlib
import os
from typing import Protocol

import serial

from hal.description import LineConfig
from hal.errors import Code, PodError

_READ_MOST = 4096


class Transport(Protocol):
    """Bytes in and out of one port. OSError from any call means that the port is gone."""

    def open(self) -> int:
        """Open the port and give its file descriptor, for waiting."""
        ...

    def read(self) -> bytes:
        """What has arrived; empty when nothing has."""
        ...

    def write(self, data: bytes) -> None:
        """Hand all bytes to the operating system."""
        ...

    def close(self) -> None:
        """Give the port back; closing twice is fine."""
        ...


class SerialTransport:
    """A serial port at 8N1, held exclusively: a second master would steal replies."""

    def __init__(self, config: LineConfig) -> None:
        self._config = config
        self._port: serial.Serial | None = None

    def open(self) -> int:
        """Open and empty the port; serial.SerialException (an OSError) when it cannot be had."""
        port = serial.Serial(self._config.port, self._config.baud, timeout=0, write_timeout=0, exclusive=True)
        with contextlib.suppress(OSError, ValueError, NotImplementedError, AttributeError):
            port.set_low_latency_mode(True)  # else USB adapters deliver in batches of 16 ms
        port.reset_input_buffer()
        self._port = port
        return int(port.fileno())

    def read(self) -> bytes:
        """What has arrived. An end of file is a vanished adapter, not silence."""
        try:
            data = os.read(self._open_port().fileno(), _READ_MOST)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError(f"port {self._config.port} has gone away")
        return data

    def write(self, data: bytes) -> None:
        """Hand all bytes over; a port that takes only some of them counts as gone."""
        written = os.write(self._open_port().fileno(), data)
        if written != len(data):
            raise ConnectionResetError(f"port {self._config.port} took {written} of {len(data)} bytes")

    def close(self) -> None:
        """Give the port back."""
        port, self._port = self._port, None
        if port is not None:
            with contextlib.suppress(OSError):
                port.close()

    def _open_port(self) -> serial.Serial:
        if self._port is None:
            raise PodError(
                Code.PORT_UNAVAILABLE,
                f"port {self._config.port} of line {self._config.name} is not open: open it first",
            )
        return self._port
