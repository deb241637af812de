"""The file of a recorded run: every frame that was decided on, every permit that came of it, and all they depend on.

    magic, header (JSON: configuration, names, layouts, stamp of the kernels), chunk, chunk, ..., end mark

A chunk holds the plant table and the state before its first tick, so each can be replayed by itself; frames and permits
are differences between ticks, column by column, compressed. Every part has a checksum; the file is only appended to, so
what a cut leaves is a shorter recording.

Neighbours: `recorder` writes, `replay` reads. Must not know what a record means.
"""

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hal.errors import PodError
from pod_controller.config import PodConfig
from pod_controller.kernels import records
from pod_controller.kernels.records import Table
from pod_controller.topology import Topology, build

SCHEMA_VERSION = 1
MAGIC = b"PODREC1\n"
LENGTH = struct.Struct("<II")  # bytes, checksum
CHUNK = struct.Struct("<4sIIQIB")  # mark, bytes, checksum, first tick, ticks, continues
CHUNK_MARK, END_MARK = b"CHNK", b"DONE"
LONGEST_CHUNK = 64 << 20
LAYOUTS = {"plant": records.PLANT, "state": records.STATE, "frame": records.FRAME, "permit": records.PERMIT}
NOT_READABLE, NOT_A_RECORDING, OTHER_LAYOUT = 421, 422, 423


class Chunk(NamedTuple):
    """Some ticks in a row. plant and state as they were before the first; one row of bytes per tick."""

    first_tick: int
    continues: bool  # state is what the chunk before ends with
    plant: bytes
    state: bytes
    frames: Sequence[bytes]
    permits: Sequence[bytes]


class Recording(NamedTuple):
    """A recording as far as it can be read. damage: why it ends early; empty for one that was closed."""

    header: dict[str, Any]
    chunks: list[Chunk]
    damage: str


def header_of(config: PodConfig, config_text: str, policy: str = "guarded") -> dict[str, Any]:
    """What a run depends on, apart from its frames."""
    return {
        "schema": SCHEMA_VERSION,
        "program": _program(),
        "policy": policy,
        "kernels": kernels_stamp(),
        "layouts": layouts(),
        "rows": rows_of(build(config)),
        "config_sha256": hashlib.sha256(config_text.encode()).hexdigest(),
        "config": config_text,
    }


def rows_of(topology: Topology) -> dict[str, Any]:
    """What each row of a frame stands for: two configurations share frames only if these are equal."""
    return {
        "vessels": list(topology.vessels),
        "elements": list(topology.elements),
        "chutes": list(topology.chutes),
        "levels": [list(tags) for tags in topology.level_tags],
        "kg_per_unit": [list(row) for row in topology.level_kg_per_unit],
        "positions": list(topology.position_tags),
        "locks": list(topology.locked_tags),
        "floats": list(topology.float_tags),
        "contents": list(topology.content_tags),
        "highs": list(topology.high_tags),
    }


def layouts() -> dict[str, str]:
    """One hash per record type: bytes mean something only together with their layout."""
    return {name: hashlib.sha256(repr(kind.descr).encode()).hexdigest()[:16] for name, kind in LAYOUTS.items()}


def kernels_stamp() -> str:
    """One hash over the sources of everything that decides."""
    digest = hashlib.sha256()
    for source in sorted(Path(records.__file__).parent.glob("*.py")):
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    return digest.hexdigest()


def pack_header(header: dict[str, Any]) -> bytes:
    """The beginning of a file."""
    text = json.dumps(header, sort_keys=True).encode()
    return MAGIC + LENGTH.pack(len(text), zlib.crc32(text)) + text


def pack_chunk(chunk: Chunk) -> bytes:
    """One chunk as it stands in the file."""
    raw = b"".join([chunk.plant, chunk.state, _columns(chunk.frames), _columns(chunk.permits)])
    return _pack(CHUNK_MARK, zlib.compress(raw, 6), chunk.first_tick, len(chunk.frames), chunk.continues)


def pack_end(ticks: int) -> bytes:
    """The mark of a recording that was closed after so many ticks."""
    return _pack(END_MARK, b"", ticks, 0, True)


def read(path: Path) -> Recording:
    """Everything up to the first damage. Raises PodError E421 to E423 if not even the header can be used."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise PodError(NOT_READABLE, f"recording {path}: {error.strerror}: check its name and permissions") from None
    header, at = _header(path, data)
    chunks: list[Chunk] = []
    try:
        for chunk in _chunks(data, at):
            chunks.append(chunk)
    except ValueError as error:
        return Recording(header, chunks, str(error))
    return Recording(header, chunks, "")


def table_of(kind: np.dtype[Any], data: bytes) -> Table:
    """One record from its bytes."""
    table = records.table(kind)
    table.view(np.uint8)[:] = np.frombuffer(data, dtype=np.uint8)
    return table


def _header(path: Path, data: bytes) -> tuple[dict[str, Any], int]:
    at = len(MAGIC) + LENGTH.size
    if data[: len(MAGIC)] != MAGIC or len(data) < at:
        raise PodError(NOT_A_RECORDING, f"recording {path}: it does not begin like one; podctl sim --record makes them")
    size, check = LENGTH.unpack_from(data, len(MAGIC))
    text = data[at : at + size]
    if len(text) != size or zlib.crc32(text) != check:
        raise PodError(NOT_A_RECORDING, f"recording {path}: its header is damaged, nothing in it can be replayed")
    header = json.loads(text)
    if header["schema"] != SCHEMA_VERSION or header["layouts"] != layouts():
        made_by = f"recording {path}: made by {header['program']} with other records than this program has"
        raise PodError(OTHER_LAYOUT, f"{made_by}: replay it with that release")
    return header, at + size


def _chunks(data: bytes, at: int) -> Iterator[Chunk]:
    """Chunks from at on. Raises ValueError at the first byte that is not as it was written."""
    while True:
        if len(data) - at < CHUNK.size:
            raise ValueError(f"it ends at byte {at} without its end mark: the run was cut off")
        mark, size, check, first_tick, ticks, continues = CHUNK.unpack_from(data, at)
        payload = data[at + CHUNK.size : at + CHUNK.size + size]
        if mark not in (CHUNK_MARK, END_MARK) or size > LONGEST_CHUNK or continues > 1:
            raise ValueError(f"it is damaged at byte {at}: no chunk begins there")
        if len(payload) < size:
            raise ValueError(f"it ends at byte {len(data)}, inside the chunk that begins with tick {first_tick}")
        if _pack(mark, payload, first_tick, ticks, bool(continues))[: CHUNK.size] != data[at : at + CHUNK.size]:
            raise ValueError(
                f"the chunk at byte {at}, ticks from {first_tick} on, does not give its checksum {check:08x}"
            )
        at += CHUNK.size + size
        if mark == END_MARK:
            return
        yield _unpack(payload, first_tick, ticks, bool(continues))


def _unpack(payload: bytes, first_tick: int, ticks: int, continues: bool) -> Chunk:
    sizes = {name: kind.itemsize for name, kind in LAYOUTS.items()}
    raw = zlib.decompress(payload)
    lengths = [sizes["plant"], sizes["state"], sizes["frame"] * ticks, sizes["permit"] * ticks]
    if len(raw) != sum(lengths):
        raise ValueError(f"the chunk of tick {first_tick} holds {len(raw)} bytes instead of {sum(lengths)}")
    parts, at = [], 0
    for length in lengths:
        parts.append(raw[at : at + length])
        at += length
    return Chunk(first_tick, continues, parts[0], parts[1], _rows(parts[2], ticks), _rows(parts[3], ticks))


def _columns(rows: Sequence[bytes]) -> bytes:
    """What changed from row to row, column by column: mostly zeros, which compress to nothing."""
    table = np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(len(rows), -1).copy()
    table[1:] ^= table[:-1].copy()
    return table.T.tobytes()


def _rows(columns: bytes, ticks: int) -> list[bytes]:
    table = np.frombuffer(columns, dtype=np.uint8).reshape(-1, ticks).T.copy()
    np.bitwise_xor.accumulate(table, axis=0, out=table)
    return [row.tobytes() for row in table]


def _pack(mark: bytes, payload: bytes, first_tick: int, ticks: int, continues: bool) -> bytes:
    bare = CHUNK.pack(mark, len(payload), 0, first_tick, ticks, continues)
    check = zlib.crc32(payload, zlib.crc32(bare))
    return CHUNK.pack(mark, len(payload), check, first_tick, ticks, continues) + payload


def _program() -> str:
    try:
        return f"biorecycling-pod {version('biorecycling-pod')}"
    except PackageNotFoundError:
        return "biorecycling-pod, not installed"
