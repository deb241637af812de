"""The service manager's side of staying alive: "ready", "still ticking", "stopping".

Job: one datagram per message to the socket that systemd names in NOTIFY_SOCKET (sd_notify(3)); without one, nothing.
Neighbours: the core's tick calls it, nobody else may. Must not know what is ready. A message that cannot be sent is
lost and never waited for: a slow manager must not delay a tick.
"""

import contextlib
import socket
from collections.abc import Mapping


class ServiceManager:
    """Tells the service manager how the process is; the address comes from its environment."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        if address.startswith(("/", "@")):
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)
            self._address = "\0" + address[1:] if address.startswith("@") else address

    @property
    def listens(self) -> bool:
        """Whether there is a service manager to tell."""
        return self._socket is not None

    def ready(self, text: str) -> None:
        """The service is up; text is what `systemctl status` shows."""
        self._send(f"READY=1\nSTATUS={text}")

    def alive(self) -> None:
        """Once a tick: the watchdog's food."""
        self._send("WATCHDOG=1")

    def tell(self, text: str) -> None:
        """What `systemctl status` shows from now on."""
        self._send(f"STATUS={text}")

    def stopping(self, text: str) -> None:
        """The service has begun to leave."""
        self._send(f"STOPPING=1\nSTATUS={text}")

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.sendto(message.encode(), self._address)
