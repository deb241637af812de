"""The only door to serial ports and to the connections of Modbus TCP lines.

Job: open one port exclusively with its line's settings, or connect to one server; give and take bytes
without waiting, say plainly when the port or the connection is gone.
Neighbours: ``runner`` owns one transport per line.
Must not know: protocols, lines, when to reopen.
"""

import contextlib
import os
import socket
import termios
from typing import Protocol

import serial

from hal.description import LineConfig
from hal.errors import Code, PodError

_READ_MOST = 4096
_CONNECT_TRIES = 1  # SYNs after the first: gives up after 3 s, else a host that comes back waits minutes
_GONE_AFTER_MS = 3000  # nothing acknowledged for so long: the cable is out, whatever the socket believes


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
    """A serial port with its line's rate and framing, held exclusively: a second master would steal replies."""

    def __init__(self, config: LineConfig) -> None:
        self._config = config
        self._port: serial.Serial | None = None

    def open(self) -> int:
        """Open and empty the port; serial.SerialException (an OSError) when it cannot be had."""
        port = self._opened()
        with contextlib.suppress(OSError, ValueError, NotImplementedError, AttributeError):
            port.set_low_latency_mode(True)  # else USB adapters deliver in batches of 16 ms
        port.reset_input_buffer()
        self._port = port
        return int(port.fileno())

    def _opened(self) -> serial.Serial:
        """The port, if it took the framing; drivers refuse what they cannot, or drop it silently (pseudo-terminals)."""
        config = self._config
        _, parity, stop_bits = config.framing
        port = serial.Serial(None, config.baud, 8, parity, int(stop_bits), timeout=0, write_timeout=0, exclusive=True)
        port.port = config.port
        try:
            port.open()
            modes = termios.tcgetattr(port.fileno())[2]
        except termios.error:
            modes = 0
        if bool(modes & termios.PARENB) != (parity != "N") or bool(modes & termios.CSTOPB) != (stop_bits == "2"):
            port.close()
            raise OSError(f"it cannot do {config.baud} baud {config.framing}")
        return port

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


class TcpTransport:
    """A connection to one Modbus TCP server. open only begins to connect: nothing here waits.

    What is written before the connection stands is lost, as on a cable that is not plugged in; a
    connection refused, reset or silent for 3 s shows as an OSError of a later call.
    """

    def __init__(self, config: LineConfig) -> None:
        self._config = config
        self._socket: socket.socket | None = None

    def open(self) -> int:
        """Begin to connect; OSError when there is no way at all (no route, no such address)."""
        family = socket.AF_INET6 if ":" in self._config.host else socket.AF_INET
        link = socket.socket(family, socket.SOCK_STREAM)
        try:
            link.setblocking(False)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, _CONNECT_TRIES)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE_AFTER_MS)
            with contextlib.suppress(BlockingIOError):
                link.connect((self._config.host, self._config.tcp_port))
        except OSError:
            link.close()
            raise
        self._socket = link
        return link.fileno()

    def read(self) -> bytes:
        """What has arrived. An end of the stream is a server that has left."""
        try:
            data = self._open_socket().recv(_READ_MOST)
        except BlockingIOError:
            return b""
        if not data:
            raise ConnectionResetError(f"{self._config.host}:{self._config.tcp_port} has closed the connection")
        return data

    def write(self, data: bytes) -> None:
        """Hand all bytes over; a connection that takes only some of them counts as gone."""
        link = self._open_socket()
        try:
            sent = link.send(data)
        except BlockingIOError:
            if not _is_connected(link):
                return
            sent = 0
        if sent != len(data):
            raise ConnectionResetError(f"{self._config.host}:{self._config.tcp_port} takes no more bytes")

    def close(self) -> None:
        """Give the connection back."""
        link, self._socket = self._socket, None
        if link is not None:
            link.close()

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise PodError(
                Code.PORT_UNAVAILABLE,
                f"connection {self._config.host}:{self._config.tcp_port} of line {self._config.name} is not open:"
                " open it first",
            )
        return self._socket


def _is_connected(link: socket.socket) -> bool:
    try:
        link.getpeername()
    except OSError:
        return False
    return True


def transport_of(config: LineConfig) -> Transport:
    """The transport that a line's protocol needs, not yet open."""
    return TcpTransport(config) if config.protocol == "modbus_tcp" else SerialTransport(config)
