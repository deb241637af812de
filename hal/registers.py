"""Bare numbers in registers and back: types, order of words and bytes, halves of a register, decimal digits.

Job: ``raw_reader`` gives a function from words to the number in them, ``raw_words`` the words that hold a number.
Neighbours: ``points`` puts scales, limits and quality around them. Must not know: what a number means.
"""

import math
import struct
from collections.abc import Callable, Sequence
from typing import NamedTuple

NAN = math.nan
_SMALLEST = 1e-20  # no instrument means less: its words are swapped, and it must not pass for an empty tank
_PAIR = struct.Struct(">HH")
_DOUBLES = {"u32": struct.Struct(">I"), "s32": struct.Struct(">i"), "f32": struct.Struct(">f")}
_BYTES = ("u8", "s8")

RawReader = Callable[[Sequence[int]], float]


class Form(NamedTuple):
    """How a number stands in its registers: type, number of registers, order of words and of bytes, half, bit."""

    type: str
    width: int
    high_first: bool = True
    swapped_bytes: bool = False
    high_byte: bool = False
    bit: int = 0


def raw_reader(form: Form, at: int) -> RawReader:
    """The bare number in the registers from place ``at`` on, before any scale; NaN where they hold none."""
    if form.swapped_bytes:
        plain, width = raw_reader(form._replace(swapped_bytes=False), 0), form.width
        return lambda words: plain([_swapped(word) for word in words[at : at + width]])
    if form.width == 1:
        return _word_reader(form, at)
    packing = _DOUBLES[form.type]
    first, second = (at, at + 1) if form.high_first else (at + 1, at)

    def double(words: Sequence[int]) -> float:
        number: float = packing.unpack(_PAIR.pack(words[first], words[second]))[0]
        return NAN if 0.0 < abs(number) < _SMALLEST else number

    return double


def raw_words(form: Form, raw: float) -> tuple[int, ...]:
    """Registers that hold the finite number ``raw``, clamped to what the type can show; of a byte only its half."""
    whole = form.type != "f32"
    packed = _whole(form, raw).to_bytes(2 * form.width, "big") if whole else _DOUBLES["f32"].pack(raw)
    words = tuple(int.from_bytes(packed[k : k + 2], "big") for k in range(0, len(packed), 2))
    words = tuple(map(_swapped, words)) if form.swapped_bytes else words
    return words if form.high_first else words[::-1]


def _whole(form: Form, raw: float) -> int:
    """The registers as one whole number."""
    if form.type == "bcd":
        return int(str(min(max(round(raw), 0), 9999)), 16)
    bits = 8 if form.type in _BYTES else 16 * form.width
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if form.type[0] == "s" else (0, 2**bits - 1)
    number: int = min(max(round(raw), lowest), highest) % 2**bits
    return number << 8 if form.type in _BYTES and form.high_byte else number


def _word_reader(form: Form, at: int) -> RawReader:
    """The number in one register, or in one half of it."""
    shift, bit = 8 if form.high_byte else 0, form.bit
    readers: dict[str, RawReader] = {
        "bit": lambda words: words[at] >> bit & 1,
        "u16": lambda words: words[at],
        "s16": lambda words: words[at] - 65536 if words[at] > 32767 else words[at],
        "u8": lambda words: words[at] >> shift & 0xFF,
        "s8": lambda words: ((words[at] >> shift & 0xFF) ^ 0x80) - 0x80,
        "bcd": lambda words: _decimal(words[at]),
    }
    return readers[form.type]


def _decimal(word: int) -> float:
    """Four decimal digits, one in each half byte; NaN when one is none."""
    shown = f"{word:04x}"
    return int(shown) if shown.isdigit() else NAN


def _swapped(word: int) -> int:
    return (word & 0xFF) << 8 | word >> 8
