"""Decides again on the frames of a recording: the same permits bit for bit, or where and what differs.

The frames are those of the run as it was. Under another configuration they answer "what would have been decided on what
was seen then", not "what would have happened". Neighbours: `recording` reads, `step` decides, `cli_replay` shows. Must
not know files or lines.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hal.errors import PodError
from pod_controller.cause_effect.table import SENTENCES
from pod_controller.kernels import records
from pod_controller.kernels.records import Table
from pod_controller.loop import Step
from pod_controller.recording import Chunk, Recording, rows_of, table_of
from pod_controller.step import first_state
from pod_controller.topology import Topology

OTHER_ROWS = 424


class Difference(NamedTuple):
    """One element at one tick, as recorded and as decided again; element "state": the permits are still the same."""

    tick: int
    now_ns: int
    element: str
    recorded_frac: float
    recorded_rule: str
    replayed_frac: float
    replayed_rule: str


class Replayed(NamedTuple):
    """What deciding again came to."""

    ticks: int
    differing_ticks: int
    elements: dict[str, int]  # ticks in which each element differs, those that do
    first: Difference | None
    gaps: int  # places where ticks are missing, each entered with the recorded state

    @property
    def is_identical(self) -> bool:
        """Every permit the same, bit for bit."""
        return self.first is None


def replay(recording: Recording, decide: Step, plant: Table | None = None) -> Replayed:
    """Decide on every frame again, with plant instead of the recorded table if given."""
    again = _Again(decide, plant, recording.header["rows"]["elements"])
    for chunk in recording.chunks:
        again.follow(chunk)
    return Replayed(again.ticks, again.differing_ticks, again.elements, again.first, again.gaps)


def plant_of(recording: Recording, topology: Topology) -> Table:
    """The table of another configuration. Raises PodError E424 if its rows are not those of the recorded frames."""
    recorded, other = recording.header["rows"], rows_of(topology)
    for what, rows in other.items():
        if rows != recorded[what]:
            text = f"the recording's {what} are {_short(recorded[what])}, the configuration's are {_short(rows)}"
            raise PodError(OTHER_ROWS, f"{text}: frames fit only a configuration with the same rows and tags")
    return topology.table


class _Again:
    """The decisions made again so far, beside the recorded ones."""

    def __init__(self, decide: Step, plant: Table | None, names: Sequence[str]) -> None:
        self.ticks = self.differing_ticks = self.gaps = 0
        self.elements: dict[str, int] = {}
        self.first: Difference | None = None
        self._decide = decide
        self._plant = plant
        self._names = names
        self._state = first_state()
        self._next_tick = 0

    def follow(self, chunk: Chunk) -> None:
        """All ticks of one chunk."""
        if self.ticks and chunk.first_tick != self._next_tick:
            self.gaps += 1
        continues = chunk.continues and chunk.first_tick == self._next_tick and self.ticks > 0
        if self._plant is None and continues and self.first is None and not _same_state(self._state, chunk.state):
            self.first = Difference(chunk.first_tick, -1, "state", 0.0, "", 0.0, "")
        if self._plant is None or not continues:
            self._state = table_of(records.STATE, chunk.state)
        plant = table_of(records.PLANT, chunk.plant) if self._plant is None else self._plant
        for k, (frame, permit) in enumerate(zip(chunk.frames, chunk.permits, strict=True)):
            self._tick(plant, chunk.first_tick + k, frame, permit)
        self._next_tick = chunk.first_tick + len(chunk.frames)

    def _tick(self, plant: Table, tick: int, frame_bytes: bytes, permit_bytes: bytes) -> None:
        frame = table_of(records.FRAME, frame_bytes)
        self._state, permit, _ = self._decide(plant, self._state, frame)
        self.ticks += 1
        if permit.tobytes() == permit_bytes:
            return
        self.differing_ticks += 1
        recorded = table_of(records.PERMIT, permit_bytes)
        for e in _differing(recorded, permit):
            name = self._names[e] if e < len(self._names) else f"row {e}"
            self.elements[name] = self.elements.get(name, 0) + 1
            if self.first is None:
                self.first = _difference(tick, int(frame["now_ns"][0]), name, e, recorded, permit)


def _same_state(state: Table, recorded: bytes) -> bool:
    """Equal in every field, bit for bit; the bytes that align fields are nobody's and not copied by numpy."""
    return state.tobytes() == recorded or bool(
        (
            np.frombuffer(state.tobytes(), np.uint8)[_STATE_BYTES] == np.frombuffer(recorded, np.uint8)[_STATE_BYTES]
        ).all()
    )


def _used(kind: np.dtype[Any]) -> npt.NDArray[np.bool_]:
    """Which bytes of a record belong to a field."""
    if kind.subdtype is not None:
        item, shape = kind.subdtype
        return np.tile(_used(item), int(np.prod(shape)))
    used = np.zeros(kind.itemsize, dtype=bool)
    if kind.fields is None:
        used[:] = True
        return used
    for item, at, *_ in kind.fields.values():
        used[at : at + item.itemsize] = _used(item)
    return used


_STATE_BYTES = _used(records.STATE)


def _differing(one: Table, other: Table) -> list[int]:
    """Rows in which any field of two permits has other bits."""
    rows = np.zeros(records.MAX_ELEMENTS, dtype=bool)
    for field in records.PERMIT.names or ():
        a, b = (
            np.ascontiguousarray(x[field][0]).view(np.uint8).reshape(records.MAX_ELEMENTS, -1) for x in (one, other)
        )
        rows |= (a != b).any(axis=1)
    return [int(e) for e in np.flatnonzero(rows)]


def _difference(tick: int, now_ns: int, name: str, e: int, recorded: Table, replayed: Table) -> Difference:
    texts = [SENTENCES.get(int(x["rule"][0, e]), f"rule {int(x['rule'][0, e])}") for x in (recorded, replayed)]
    fracs = [float(x["grant_frac"][0, e]) for x in (recorded, replayed)]
    return Difference(tick, now_ns, name, fracs[0], texts[0], fracs[1], texts[1])


def _short(rows: object) -> str:
    text = str(rows)
    return text if len(text) <= 120 else f"{text[:117]}..."
