"""What a bad line does to one frame, as finite sets of results: each kind can be drawn from, and counted out.

Neighbours: `unchecked`. Must not know formats.
"""

from collections.abc import Callable, Iterator
from random import Random

KINDS = ("bit", "byte", "lost", "doubled", "cut", "noise_before", "noise_after")
_NOISE_BYTES = (0x00, 0x02, 0x0D, 0x20, 0x31, 0x7F, 0xFF)


def variants(kind: str, frame: bytes) -> list[bytes]:
    """Every result of one kind of spoiling, each as likely as the others."""
    return list(_VARIANTS[kind](frame))


def spoil(kind: str, frame: bytes, random: Random) -> bytes:
    """One of them."""
    return random.choice(variants(kind, frame)) if kind != "byte" else _another_byte(frame, random)


def _another_byte(frame: bytes, random: Random) -> bytes:
    at = random.randrange(len(frame))
    return _with(frame, at, (frame[at] + random.randint(1, 255)) % 256)


def _with(frame: bytes, at: int, byte: int) -> bytes:
    return frame[:at] + bytes((byte,)) + frame[at + 1 :]


def _bits(frame: bytes) -> Iterator[bytes]:
    return (_with(frame, at, frame[at] ^ 1 << bit) for at in range(len(frame)) for bit in range(8))


def _bytes(frame: bytes) -> Iterator[bytes]:
    return (_with(frame, at, byte) for at in range(len(frame)) for byte in range(256) if byte != frame[at])


def _lost(frame: bytes) -> Iterator[bytes]:
    return (frame[:at] + frame[at + 1 :] for at in range(len(frame)))


def _doubled(frame: bytes) -> Iterator[bytes]:
    return (frame[: at + 1] + frame[at:] for at in range(len(frame)))


def _cut(frame: bytes) -> Iterator[bytes]:
    return (frame[:at] for at in range(1, len(frame)))


def _noise_before(frame: bytes) -> Iterator[bytes]:
    return (bytes((byte,)) + frame for byte in _NOISE_BYTES)


def _noise_after(frame: bytes) -> Iterator[bytes]:
    return (frame + bytes((byte,)) for byte in _NOISE_BYTES)


_VARIANTS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "bit": _bits,
    "byte": _bytes,
    "lost": _lost,
    "doubled": _doubled,
    "cut": _cut,
    "noise_before": _noise_before,
    "noise_after": _noise_after,
}
