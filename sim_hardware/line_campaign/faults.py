"""What can happen to one exchange on a line, as bytes: a function per fault, drawn by name.

Job: a request and the good reply in, what is heard instead out, as (delay after the request's end, bytes). `garbled`
and `merged` may by chance fit the 16 bits of the check sequence; nobody can tell then, and their expected number is
counted. Rows of the field notes' fault matrix; what happens by itself (babble, a second master, a brown-out) comes as
bytes that nobody asked for, or as a changed device.

Neighbours: `far_end` draws. Must not know the master, lines, or what registers mean.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from sim_hardware.rtu_codec import seal

MS = 1_000_000
TURNAROUND_NS = 4 * MS
DECLARED_LATE_NS = 250 * MS  # what the descriptions of this line's devices allow
COLLISION_FRAC = 2.0**-16  # of random bytes behind a good head, whatever they are
Frames = list[tuple[int, bytes]]


class Exchange(NamedTuple):
    """One request, its good reply, and what another device of the same address would have said."""

    random: Random
    request: bytes
    reply: bytes
    stranger: bytes
    char_ns: int

    @property
    def is_read(self) -> bool:
        """Whether the reply carries registers."""
        return self.request[1] <= 4

    def noise(self, most_bytes: int = 9) -> bytes:
        """Some random bytes."""
        return self.random.randbytes(self.random.randint(1, most_bytes))

    def pause_ns(self, least_ms: int, most_ms: int) -> int:
        """Some time."""
        return self.random.randint(least_ms * MS, most_ms * MS)

    def resealed(self, at: int, value: int) -> bytes:
        """The reply with another byte and a check sequence that fits."""
        body = bytearray(self.reply[:-2])
        body[at] = value
        return seal(body[0], bytes(body[1:]))


def _prompt(data: bytes) -> Frames:
    return [(TURNAROUND_NS, data)]


def _late(x: Exchange) -> Frames:
    return [(x.pause_ns(50, 248), x.reply)]


def _duplicate_later(x: Exchange) -> Frames:
    return [*_prompt(x.reply), (TURNAROUND_NS + x.pause_ns(1, 200), x.reply)]


def _short(x: Exchange) -> Frames:
    unit, body = x.reply[0], x.reply[1:-2]
    return _prompt(seal(unit, bytes((body[0], body[1] - 2)) + body[2:-2] if x.is_read else body[:-2]))


def _long(x: Exchange) -> Frames:
    unit, body = x.reply[0], x.reply[1:-2]
    more = x.random.randbytes(2)
    return _prompt(seal(unit, bytes((body[0], body[1] + 2)) + body[2:] + more if x.is_read else body + more))


def _other_unit(x: Exchange) -> bytes:
    return x.resealed(0, (x.reply[0] + x.random.randint(1, 254)) % 256)


def _wrong_function(x: Exchange) -> Frames:
    other = {3: 4, 4: 3, 15: 16, 16: 15}[x.reply[1]]
    return _prompt(x.resealed(1, other))


def _wrong_echo(x: Exchange) -> Frames:
    """Another address or count in the echo of a write; for a read another count of bytes with the same bytes."""
    return _prompt(x.resealed(2 if x.is_read else x.random.randint(2, 5), x.reply[2] ^ x.random.randint(1, 255)))


def _own_echo(x: Exchange) -> Frames:
    return [(-len(x.request) * x.char_ns, x.request)]


def _bits(x: Exchange) -> Frames:
    """One to three bits: CRC-16 finds every one of them in frames of this length."""
    hurt = bytearray(x.reply)
    for bit in x.random.sample(range(8 * len(hurt)), x.random.randint(1, 3)):
        hurt[bit >> 3] ^= 1 << (bit & 7)
    return _prompt(bytes(hurt))


def _burst(x: Exchange) -> Frames:
    """Two neighbouring bytes: a burst of up to 16 bits, which CRC-16 always finds."""
    hurt = bytearray(x.reply)
    at = x.random.randrange(len(hurt) - 1)
    hurt[at] ^= x.random.randint(1, 255)
    hurt[at + 1] ^= x.random.randint(0, 255)
    return _prompt(bytes(hurt))


def _garbled(x: Exchange) -> Frames:
    """A good head, then random bytes to the end."""
    head_len = 3 if x.is_read else 6
    return _prompt(x.reply[:head_len] + x.random.randbytes(len(x.reply) - head_len))


def _merged(x: Exchange) -> Frames:
    """Two devices with one address at the same moment: the wire carries a 0 where either sends one."""
    return _prompt(bytes(a & b for a, b in zip(x.reply, x.stranger, strict=True)))


def _exception(x: Exchange) -> Frames:
    code = x.random.choice((1, 2, 3, 4, 5, 6, 10, 11))
    return _prompt(seal(x.reply[0], bytes((x.reply[1] | 0x80, code))))


def _noise_well_before(x: Exchange) -> Frames:
    return [(MS, x.noise(2)), (TURNAROUND_NS + 6 * MS, x.reply)]


SPOILT: dict[str, Callable[[Exchange], Frames]] = {
    "late": _late,
    "late_twice": lambda x: [*_late(x), *_late(x)],
    "duplicate": lambda x: _prompt(x.reply + x.reply),
    "duplicate_later": _duplicate_later,
    "short": _short,
    "long": _long,
    "wrong_unit": lambda x: _prompt(_other_unit(x)),
    "wrong_unit_then_good": lambda x: [*_prompt(_other_unit(x)), (TURNAROUND_NS + x.pause_ns(8, 60), x.reply)],
    "wrong_function": _wrong_function,
    "wrong_echo": _wrong_echo,
    "own_echo": _own_echo,
    "own_echo_then_reply": lambda x: [*_own_echo(x), *_prompt(x.reply)],
    "late_own_echo": lambda x: [(0, x.request)],
    "noise_before": lambda x: _prompt(x.noise() + x.reply),
    "noise_well_before": _noise_well_before,
    "noise_after": lambda x: _prompt(x.reply + x.noise()),
    "noise_only": lambda x: _prompt(x.noise(40)),
    "bit_errors": _bits,
    "burst": _burst,
    "garbled": _garbled,
    "truncated": lambda x: _prompt(x.reply[: x.random.randint(1, len(x.reply) - 1)]),
    "merged": _merged,
    "silent": lambda x: [],
    "exception": _exception,
    "early": lambda x: [(-3 * MS, x.reply)],
}
"""Faults of one exchange; each but `exception` is one that the master must not believe."""

BY_CHANCE = ("garbled", "merged")
SLOW = ("very_late", "straggler")  # later than declared: in order behind it, or passing it by
BY_ITSELF = ("babble", "second_master", "brown_out")
UNDETECTABLE = ("address_twice",)
KINDS = (*SPOILT, *SLOW, *BY_ITSELF, *UNDETECTABLE)
WEIGHTS = tuple({"garbled": 8, "merged": 4}.get(kind, 1) for kind in KINDS)
