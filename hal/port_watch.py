"""A port with somebody looking on: is it open, since when, and why not.

Job: pass every call on to the transport it stands before, and remember for people how it went.
Neighbours: ``transport`` behind, ``runner`` before; the core tells what is remembered.
Must not know: protocols, lines, when to reopen.
"""

import os
from pathlib import Path

from hal.transport import Transport

_TERMINALS = Path("/sys/class/tty")
_QUICK_MS = 1


def latency_advice(port: str, terminals: Path = _TERMINALS) -> str:
    """What to do about an adapter that holds bytes back; empty when it does not, or has no such timer.

    FTDI adapters collect for 16 ms unless told otherwise, and every transaction waits for that.
    """
    timer = terminals / Path(port).resolve().name / "device" / "latency_timer"
    try:
        held_ms = int(timer.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return ""
    if held_ms <= _QUICK_MS:
        return ""
    return f"its adapter holds bytes back for {held_ms} ms: set latency_timer = 1 (units/99-pod.rules does)"


class WatchedPort:
    """A Transport that remembers. Read its fields from anywhere; only the runner calls it."""

    def __init__(self, line: str, port: str, transport: Transport, opens_at_once: bool = True) -> None:
        """opens_at_once: false for a connection, which is there only when something has come over it."""
        self.line, self.port = line, port
        self._opens_at_once = opens_at_once
        self.is_open = False
        self.opened_count = 0
        self.last_error = "no answer yet"
        self.advice = ""  # what a person could do about an adapter that slows its line
        self._transport = transport

    def open(self) -> int:
        """Open; what cannot be opened is remembered and raised."""
        try:
            descriptor = self._transport.open()
        except OSError as error:
            self._lost(error)
            raise
        if self._opens_at_once:
            self._found()
        return descriptor

    def read(self) -> bytes:
        """What has arrived."""
        try:
            data = self._transport.read()
        except OSError as error:
            self._lost(error)
            raise
        if data and not self.is_open:
            self._found()
        return data

    def write(self, data: bytes) -> None:
        """Hand all bytes over."""
        try:
            self._transport.write(data)
        except OSError as error:
            self._lost(error)
            raise

    def close(self) -> None:
        """Give the port back."""
        self.is_open = False
        self._transport.close()

    def _found(self) -> None:
        self.is_open = True
        self.opened_count += 1
        self.advice = latency_advice(self.port)

    def _lost(self, error: OSError) -> None:
        self.is_open = False
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        self.last_error = reason or type(error).__name__
