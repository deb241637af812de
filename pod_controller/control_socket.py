"""The local socket that answers questions and takes requests: a thread and an event loop of its own, bounded all round.

Whatever clients do costs them their connection and the core nothing: lines, clients, answers in flight and the pace of
both accepting and answering are limited; whoever is slow, silent or talks nonsense is dropped; when all places are
taken, the one that has been quiet longest makes room. Permission 0660. Neighbours: `answers` knows what to say; the
core's process opens, starts and stops it. Must not know what a request means.
"""

import asyncio
import contextlib
import os
import pwd
import socket
import stat
import struct
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Protocol

from hal.errors import PodError
from pod_controller.answers import good, refusal
from pod_controller.core import BUSY, REFUSED, Log

CLIENTS_MOST = 32
LINE_MOST = 4096
IDLE_S = 10.0
DRAIN_S = 2.0
ANSWER_S = 25.0  # a request waits for a tick, which may be 5 s long
PACE_S = 0.004  # between two connections, and between two answers to anybody
CANNOT_OPEN, SECOND_CORE, LINE_TOO_LONG = 438, 439, 440
_CREDENTIALS = struct.Struct("3i")


class Answerer(Protocol):
    """What stands behind the socket."""

    def to(self, line: bytes, who: str) -> "bytes | Future[str]":
        """The answer to one line, now or later. PodError refuses."""


class ControlSocket:
    """One listening socket; `open` in the process's first moments, `start` before the control thread goes first."""

    def __init__(self, path: Path, log: Log) -> None:
        self._path, self._log = path, log
        self._answers: Answerer
        self._listener: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, name="control-socket", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._turn = asyncio.Lock()
        self._clients: dict[asyncio.Task[None], None] = {}  # quiet longest first

    def open(self) -> None:
        """Bind and listen. PodError E438 when that is not possible, E439 when another core answers there."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._clear_stale()
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
            before = os.umask(0o117)
            try:
                listener.bind(str(self._path))
            finally:
                os.umask(before)
            listener.listen(64)
        except OSError as error:
            reason = error.strerror or str(error)
            raise PodError(
                CANNOT_OPEN, f"control socket {self._path}: {reason}: check [control] socket and its folder"
            ) from None
        listener.setblocking(False)
        self._listener = listener

    def start(self, answers: Answerer) -> None:
        """Begin to answer."""
        self._answers = answers
        self._thread.start()

    def stop(self) -> None:
        """Drop everybody and take the name away."""
        if self._loop is not None and self._thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it has just ended by itself
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=2.0)
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            self._path.unlink(missing_ok=True)

    def _clear_stale(self) -> None:
        """A name left behind by a core that was killed is taken away; one that answers is left alone."""
        try:
            mode = self._path.lstat().st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise FileExistsError(None, "is there and is not a socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1.0)
            try:
                probe.connect(str(self._path))
            except ConnectionRefusedError:
                self._path.unlink()
                return
        raise PodError(SECOND_CORE, f"another core answers at {self._path}: one pod has one core; stop that one first")

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        accepting = asyncio.create_task(self._accept())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait((accepting, stopping), return_when=asyncio.FIRST_COMPLETED)
        tasks = [accepting, stopping, *self._clients]
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        if not self._stop.is_set():
            text = f"control socket {self._path} is closed ({results[0]!r}): the pod goes on; restart the core"
            self._log.warning(text)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        assert self._listener is not None
        while True:
            try:
                connection, _ = await loop.sock_accept(self._listener)
            except OSError:  # no descriptor left for it: later
                await asyncio.sleep(0.1)
                continue
            while len(self._clients) >= CLIENTS_MOST:
                quiet = next(iter(self._clients))
                del self._clients[quiet]
                quiet.cancel()
            task = asyncio.create_task(self._attend(connection))
            self._clients[task] = None
            task.add_done_callback(self._gone)
            await asyncio.sleep(PACE_S)

    def _gone(self, task: asyncio.Task[None]) -> None:
        self._clients.pop(task, None)
        if not task.cancelled() and task.exception() is not None:
            self._log.warning(f"control socket: a client was dropped for {task.exception()!r}: please report this")

    async def _attend(self, connection: socket.socket) -> None:
        """One client, until it leaves or is dropped."""
        try:
            reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LINE_MOST)
        except OSError:
            connection.close()
            return
        try:
            who = _who(connection)
            writer.transport.set_write_buffer_limits(high=0)  # drain waits until the last byte has gone
            while await self._exchange(reader, writer, who):
                self._touch()
        except (OSError, EOFError, TimeoutError):
            return
        finally:
            writer.transport.abort()

    def _touch(self) -> None:
        """The client served last is the last to be sent away."""
        task = asyncio.current_task()
        if task is not None and task in self._clients:
            del self._clients[task]
            self._clients[task] = None

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, who: str) -> bool:
        """One line and its answer; False when the client has to go."""
        try:
            line = await asyncio.wait_for(reader.readuntil(b"\n"), IDLE_S)
            async with self._turn:
                await asyncio.sleep(PACE_S)
                answer = self._answers.to(line, who)
            welcome, reply = True, answer if isinstance(answer, bytes) else await _later(answer)
        except asyncio.LimitOverrunError:
            text = f"a line may have {LINE_MOST} bytes: send less"
            welcome, reply = False, refusal(PodError(LINE_TOO_LONG, text))
        except PodError as error:
            welcome, reply = error.code in (REFUSED, BUSY), refusal(error)
        writer.write(reply)
        await asyncio.wait_for(writer.drain(), DRAIN_S)
        return welcome


async def _later(answer: "Future[str]") -> bytes:
    """What the core's next tick says."""
    try:
        return good({"state": await asyncio.wait_for(asyncio.wrap_future(answer), ANSWER_S)})
    except TimeoutError:
        raise PodError(BUSY, f"no tick has considered the request within {ANSWER_S:.0f} s: look at status") from None


def _who(connection: socket.socket) -> str:
    """The user at the other end, by the kernel's word."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(credentials)
    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"
