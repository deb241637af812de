"""Frames in a file that Wireshark opens: pcapng, one interface a line, decoded without any setting.

Job: write frames as they come, read them back. Neighbours: `podctl bus capture` and `monitor --from`. Must not know:
ports, cores. Sources: pcapng (draft-ietf-opsawg-pcapng, blocks 1, 6 and section header), link type 252 (a frame behind
tags that name its dissector), Wireshark's exported PDU tags (epan/exported_pdu.h).

RTU frames are for the dissector mbrtu, TCP ones for mbtcp. Addresses are made up: 10.0.0.UNIT is the device, 10.0.1.1
the master; port 503 (RTU) or 502 (TCP) is the device's, so that question and answer can be told apart.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from hal.description import LineConfig
from hal.errors import Code, PodError

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_MAGIC, _UPPER_PDU = 0x1A2B3C4D, 252
_IF_NAME, _IF_DESCRIPTION, _IF_RESOLUTION, _COMMENT, _FLAGS = 2, 3, 9, 1, 2
_NANOSECONDS = b"\x09"
_IN, _OUT = 1, 2
_TAG_DISSECTOR, _TAG_SOURCE, _TAG_TARGET, _TAG_PORT_TYPE, _TAG_SOURCE_PORT, _TAG_TARGET_PORT = 12, 20, 21, 24, 25, 26
_TCP = 2
_MASTER_IP, _MASTER_PORT = bytes((10, 0, 1, 1)), 50000
_DISSECTOR = {"modbus_rtu": (b"mbrtu", 503), "modbus_tcp": (b"mbtcp", 502), "ascii": (b"data", 503)}
_HEAD = struct.Struct("<II")
_WORD = struct.Struct("<I")
_MOST_BLOCK = 1 << 20
_FRAMING_LEN = 12  # of a block: kind and length, and the length again


class Recorded(NamedTuple):
    """One frame of a file: its line, when (ns since 1970), from the master or not, its bytes."""

    line: str
    protocol: str
    epoch_ns: int
    sent: bool
    data: bytes


class FrameFile:
    """A file being written. Every frame is whole in it as soon as it was added."""

    def __init__(self, file: BinaryIO, lines: list[LineConfig]) -> None:
        self._file = file
        self._index = {line.name: k for k, line in enumerate(lines)}
        self._protocol = {line.name: line.protocol for line in lines}
        file.write(_block(_SECTION, struct.pack("<IHHq", _MAGIC, 1, 0, -1)))
        for line in lines:
            speed = (
                f"{line.protocol}, {line.baud} baud {line.framing}"
                if line.baud
                else f"{line.protocol} {line.host}:{line.tcp_port}"
            )
            options = [
                (_IF_NAME, line.name.encode()),
                (_IF_DESCRIPTION, speed.encode()),
                (_IF_RESOLUTION, _NANOSECONDS),
            ]
            file.write(_block(_INTERFACE, struct.pack("<HHI", _UPPER_PDU, 0, 0) + _options(options)))
        file.flush()

    def add(self, line: str, epoch_ns: int, sent: bool, data: bytes, unit: int | None, comment: str = "") -> None:
        """One frame; a comment shows in Wireshark's packet comments."""
        packet = _tags(self._protocol[line], sent, unit or 0) + data
        size, direction = len(packet), struct.pack("<I", _OUT if sent else _IN)
        options = [(_FLAGS, direction)] + ([(_COMMENT, comment.encode())] if comment else [])
        high, low = divmod(epoch_ns, 1 << 32)
        head = struct.pack("<IIIII", self._index[line], high, low, size, size)
        self._file.write(_block(_PACKET, head + _padded(packet) + _options(options)))
        self._file.flush()


def recorded(path: Path) -> Iterator[Recorded]:
    """Frames of a file that `podctl bus capture` wrote. PodError 224 for anything else; a cut end is the end."""
    try:
        return frames_in(path.read_bytes(), str(path))
    except OSError as error:
        raise PodError(Code.BUS_FILE, f"{path}: {error.strerror}: check the path") from None


def frames_in(data: bytes, name: str) -> Iterator[Recorded]:
    """The same of a file's bytes."""
    if not _is_ours(data):
        raise PodError(Code.BUS_FILE, f"{name} is no frame file of podctl bus capture: name one that it wrote")
    return _frames(data)


def _is_ours(data: bytes) -> bool:
    return len(data) >= 12 and _HEAD.unpack_from(data)[0] == _SECTION and _WORD.unpack_from(data, 8)[0] == _MAGIC


def cut_count(path: Path) -> int:
    """Bytes at the end of such a file that are no whole block: cut there, or spoilt. 0 when it cannot be read."""
    try:
        data = path.read_bytes()
    except OSError:
        return 0
    return len(data) - sum(_FRAMING_LEN + len(body) for _, body in _blocks(data))


def _frames(data: bytes) -> Iterator[Recorded]:
    lines: list[str] = []
    for kind, body in _blocks(data):
        if kind == _INTERFACE:
            lines.append(_name(body))
        elif kind == _PACKET and (found := _packet(body, lines)) is not None:
            yield found


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Kind and body of each whole block."""
    at = 0
    while at + _FRAMING_LEN <= len(data):
        kind, size = _HEAD.unpack_from(data, at)
        if not _FRAMING_LEN <= size <= _MOST_BLOCK or size % 4 or at + size > len(data):
            return
        yield kind, data[at + 8 : at + size - 4]
        at += size


def _packet(body: bytes, lines: list[str]) -> Recorded | None:
    """A frame without its tags; None for what is not one of ours."""
    index, high, low, size, _ = struct.unpack_from("<IIIII", body)
    packet, at, protocol, port = body[20 : 20 + size], 0, "", 0
    while at + 4 <= len(packet):
        tag, length = struct.unpack_from(">HH", packet, at)
        value = packet[at + 4 : at + 4 + length]
        at += 4 + length
        if tag == 0:
            break
        if tag == _TAG_DISSECTOR:
            protocol = next((name for name, (own, _) in _DISSECTOR.items() if value.rstrip(b"\0") == own), "")
        if tag == _TAG_SOURCE_PORT and length >= 4:
            port = int.from_bytes(value[:4], "big")
    if not protocol or index >= len(lines):
        return None
    return Recorded(lines[index], protocol, high << 32 | low, port == _MASTER_PORT, packet[at:])


def _name(body: bytes) -> str:
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from("<HH", body, at)
        if code == _IF_NAME:
            return body[at + 4 : at + 4 + length].decode("utf-8", "replace")
        at += 4 + length + -length % 4
    return ""


def _tags(protocol: str, sent: bool, unit: int) -> bytes:
    dissector, own_port = _DISSECTOR[protocol]
    device_ip = bytes((10, 0, 0, unit & 0xFF))
    ends = [(_MASTER_IP, _MASTER_PORT), (device_ip, own_port)]
    (source, source_port), (target, target_port) = ends if sent else ends[::-1]
    rows = [
        (_TAG_DISSECTOR, dissector),
        (_TAG_SOURCE, source),
        (_TAG_TARGET, target),
        (_TAG_PORT_TYPE, _TCP.to_bytes(4, "big")),
        (_TAG_SOURCE_PORT, source_port.to_bytes(4, "big")),
        (_TAG_TARGET_PORT, target_port.to_bytes(4, "big")),
        (0, b""),
    ]
    return b"".join(struct.pack(">HH", tag, len(_padded(value))) + _padded(value) for tag, value in rows)


def _options(rows: list[tuple[int, bytes]]) -> bytes:
    return b"".join(struct.pack("<HH", code, len(value)) + _padded(value) for code, value in [*rows, (0, b"")])


def _block(kind: int, body: bytes) -> bytes:
    size = 12 + len(_padded(body))
    return _HEAD.pack(kind, size) + _padded(body) + struct.pack("<I", size)


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
