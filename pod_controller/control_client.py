"""The other end of the control socket, for verbs and for programs: send one request, get one answer.

Neighbours: `control_socket` answers; `cli_control` asks. Must not know what an answer says.
"""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from hal.errors import PodError

VERSION = 1
TIMEOUT_S = 30.0  # a request waits for a tick, which may be 5 s long, on a busy machine
ANSWER_MOST = 4_000_000
NOBODY, NO_SENSE = 441, 442
DEFAULT_SOCKET = Path("/run/podctl/control.sock")


class Connection:
    """A connection to one core; a context. PodError E441 when nobody answers, E442 when it makes no sense."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(TIMEOUT_S)
        self._rest = b""

    def __enter__(self) -> Self:
        try:
            self._socket.connect(str(self._path))
        except OSError as error:
            self._socket.close()
            raise self._nobody(error) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request; the answer, refusals included (`ok` is false then)."""
        try:
            self._socket.sendall(json.dumps({"v": VERSION, **request}).encode() + b"\n")
            line = self._line()
        except OSError as error:
            raise self._nobody(error) from None
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or answer.get("v") != VERSION:
            raise PodError(NO_SENSE, f"{self._path} does not speak version {VERSION}: is it a core of this release?")
        return answer

    def _line(self) -> bytes:
        received = bytearray(self._rest)
        while b"\n" not in received:
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError(None, "the connection was closed")
            received += data
            if len(received) > ANSWER_MOST:
                raise PodError(NO_SENSE, f"{self._path} answers without end: is it a core?")
        line, _, rest = bytes(received).partition(b"\n")
        self._rest = rest
        return line

    def _nobody(self, error: OSError) -> PodError:
        ways = {
            PermissionError: "join the socket's group, or ask as root",
            FileNotFoundError: "is the core running? (systemctl status pod-core, or podctl run)",
        }
        way = ways.get(type(error), "is the core running?")
        return PodError(NOBODY, f"nobody answers at {self._path}: {error.strerror or 'no answer'}: {way}")


def socket_of(path: Path) -> Path:
    """The control socket that a configuration names, read without checking the rest. ConfigFaults if it is unreadable.

    The core has checked the whole file; a verb must be quick and must work while the file is being edited.
    """
    from pod_controller.config import ConfigFaults, read

    _, document = read(path)
    control = document.get("control", {})
    named = control.get("socket", DEFAULT_SOCKET) if isinstance(control, dict) else None
    if not isinstance(named, str | Path):
        raise ConfigFaults([f"{path}:1: E106 [control] socket = {named!r}"[:120] + ": must be a path in quotes"])
    return Path(named)
