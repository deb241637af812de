"""Records a run while it happens: every frame and permit of `step`, in chunks, written by somebody else.

A tick only appends some kilobytes to a list; compressing and writing are a task handed to `submit` (the journal's
thread on a pod, in line on virtual time). A task that is not taken is a gap; the recording goes on after it by itself.

Neighbours: wraps the Step that `loop` is given; `recording` is the format. Must not know what is decided.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hal.errors import PodError
from pod_controller.config import PodConfig
from pod_controller.kernels.records import Table
from pod_controller.loop import Step
from pod_controller.recording import Chunk, header_of, pack_chunk, pack_end, pack_header
from pod_controller.step import Event

CHUNK_TICKS = 64
LARGEST_BYTES = 64 << 20
NOT_WRITABLE = 421
Submit = Callable[[Callable[[], None]], bool]


class RecordingFile:
    """A recording being appended to. When it is too large it becomes FILE.old and a new one begins."""

    def __init__(self, path: Path, header: dict[str, Any], largest_bytes: int = LARGEST_BYTES) -> None:
        self.trouble = ""  # why nothing is written any more
        self._path = path
        self._header = header
        self._largest_bytes = largest_bytes
        self._size = 0

    def begin(self) -> None:
        """Make the file with its header. Raises OSError."""
        data = pack_header(self._header)
        self._path.write_bytes(data)
        self._size = len(data)

    def append(self, chunk: Chunk) -> None:
        """Write one chunk; what goes wrong is kept in trouble and ends the recording."""
        self._write(pack_chunk(chunk))

    def end(self, ticks: int) -> None:
        """Say that this is all."""
        self._write(pack_end(ticks))

    def _write(self, data: bytes) -> None:
        if self.trouble:
            return
        try:
            if self._size > self._largest_bytes:
                self._path.replace(self._path.with_name(self._path.name + ".old"))
                self._size = 0
            if self._size == 0:
                self.begin()
            with self._path.open("ab", buffering=0) as file:
                file.write(data)
            self._size += len(data)
        except OSError as error:
            self.trouble = f"recording {self._path}: {error}"


class Recorder:
    """Watches one Step."""

    def __init__(self, file: RecordingFile, submit: Submit) -> None:
        self.gaps = 0
        self._file = file
        self._submit = submit
        self._tick = 0
        self._first_tick = 0
        self._continues = False
        self._plant: Table | None = None
        self._after: Table | None = None
        self._plant_bytes = self._state_bytes = b""
        self._frames: list[bytes] = []
        self._permits: list[bytes] = []

    @property
    def trouble(self) -> str:
        """Why the recording is not whole; empty if it is."""
        return self._file.trouble or (f"{self.gaps} chunks were not taken in time" if self.gaps else "")

    def watch(self, decide: Step) -> Step:
        """The same decision, recorded."""

        def recorded(plant: Table, state: Table, frame: Table) -> tuple[Table, Table, list[Event]]:
            self._begin_tick(plant, state)
            after, permit, events = decide(plant, state, frame)
            self._frames.append(frame.tobytes())
            self._permits.append(permit.tobytes())
            self._after = after
            self._tick += 1
            if len(self._frames) >= CHUNK_TICKS:
                self._hand_over()
            return after, permit, events

        return recorded

    def close(self) -> None:
        """Hand over what is left, and the end mark. The Recorder's trouble says whether all of it was taken."""
        self._hand_over()
        self._submit(partial(self._file.end, self._tick))

    def _begin_tick(self, plant: Table, state: Table) -> None:
        is_same = state is self._after
        if self._frames and (not is_same or plant is not self._plant):
            self._hand_over()
        if not self._frames:
            self._first_tick, self._continues = self._tick, is_same and self._continues
            self._plant, self._plant_bytes, self._state_bytes = plant, plant.tobytes(), state.tobytes()

    def _hand_over(self) -> None:
        if not self._frames:
            return
        chunk = Chunk(
            self._first_tick, self._continues, self._plant_bytes, self._state_bytes, self._frames, self._permits
        )
        self._continues = self._submit(partial(self._file.append, chunk))
        self.gaps += not self._continues
        self._frames, self._permits = [], []


def in_line(path: Path, config: PodConfig, config_text: str, policy: str) -> Recorder:
    """A recorder that writes when it is told, for virtual time. Raises PodError E421 if it cannot begin or go on."""
    file = RecordingFile(path, header_of(config, config_text, policy))
    try:
        file.begin()
    except OSError as error:
        raise PodError(NOT_WRITABLE, f"recording {path}: {error.strerror}: name a file that can be written") from error

    def at_once(task: Callable[[], None]) -> bool:
        task()
        if file.trouble:
            raise PodError(NOT_WRITABLE, f"{file.trouble}: free some space, or record elsewhere")
        return True

    return Recorder(file, at_once)
