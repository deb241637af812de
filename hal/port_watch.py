"""A port with somebody looking on: is it open, since when, and why not.

Job: pass every call on to the transport it stands before, and remember for people how it went.
Neighbours: ``transport`` behind, ``runner`` before; the core tells what is remembered.
Must not know: protocols, lines, when to reopen.
"""

import os

from hal.transport import Transport


class WatchedPort:
    """A Transport that remembers. Read its fields from anywhere; only the runner calls it."""

    def __init__(self, line: str, port: str, transport: Transport, opens_at_once: bool = True) -> None:
        """opens_at_once: false for a connection, which is there only when something has come over it."""
        self.line, self.port = line, port
        self._opens_at_once = opens_at_once
        self.is_open = False
        self.opened_count = 0
        self.last_error = "no answer yet"
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

    def _lost(self, error: OSError) -> None:
        self.is_open = False
        reason = os.strerror(error.errno) if error.errno else " ".join(str(error).split())
        self.last_error = reason or type(error).__name__
