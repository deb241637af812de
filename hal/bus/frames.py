"""Modbus frames as they pass, whoever sent them: cut from a stream of bytes, and told in words.

Job: `Cutter` finds frames by length and check sequence where nobody says which bytes are a question and which an
answer; `tell` words one frame. Both take any bytes and never raise. Neighbours: `asking` and the monitor use them.
Must not know: ports, time, devices. Source: Modbus application protocol V1.1b3, section 6.
"""

from typing import NamedTuple

from hal.modbus import EXCEPTION_BIT, crc16

LONGEST = 256
LEAST = 4  # unit, function, check sequence
_CRC_LEN = 2
_TABLE_OF = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
_NAMES = {
    **{code: f"read {table}" for code, table in _TABLE_OF.items()},
    5: "write one coil",
    6: "write one holding",
    7: "read exception status",
    8: "diagnostics",
    15: "write coil",
    16: "write holding",
    17: "report server id",
    22: "mask holding",
    23: "write and read holding",
    43: "read device identification",
}
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    5: "acknowledged, busy",
    6: "busy",
    8: "memory parity",
    10: "gateway: no path",
    11: "gateway: no answer from the device",
}
_QUESTION_LEN = {**dict.fromkeys((1, 2, 3, 4, 5, 6, 8), 8), 7: 4, 17: 4, 22: 10, 43: 7}
_ANSWER_LEN = {**dict.fromkeys((5, 6, 8, 15, 16), 8), 7: 5, 22: 10}
_COUNTED = frozenset({1, 2, 3, 4, 17, 23})  # answers: a byte count behind the function
_BYTE_COUNT_AT = {15: 6, 16: 6, 23: 10}  # questions that carry values
_OBJECTS_AT = 8  # of an identification: where its first object begins
QUESTION, ANSWER, REFUSAL, GARBAGE = "question", "answer", "refusal", "garbage"


class Frame(NamedTuple):
    """Bytes that belong together, what they are, and in words."""

    data: bytes
    kind: str
    unit: int | None
    text: str


def question_len(data: bytes) -> int:
    """Length of the question that begins here; 0 = no such function, -1 = more bytes are needed to say."""
    if len(data) < 2:
        return -1
    function = data[1]
    if function in _BYTE_COUNT_AT:
        at = _BYTE_COUNT_AT[function]
        return at + 1 + data[at] + _CRC_LEN if len(data) > at else -1
    return _QUESTION_LEN.get(function, 0)


def answer_len(data: bytes) -> int:
    """Length of the answer that begins here; 0 = no such function, -1 = more bytes are needed to say."""
    if len(data) < 2:
        return -1
    function = data[1]
    if function & EXCEPTION_BIT:
        return 5 if function & ~EXCEPTION_BIT in _NAMES else 0
    if function in _COUNTED:
        return 3 + data[2] + _CRC_LEN if len(data) > 2 else -1
    if function == 43:
        return _identification_len(data)
    return _ANSWER_LEN.get(function, 0)


def _identification_len(data: bytes) -> int:
    """An identification ends behind its last object: number of objects, then id, length and text of each."""
    if len(data) < _OBJECTS_AT:
        return -1
    at = _OBJECTS_AT
    for _ in range(data[_OBJECTS_AT - 1]):
        if len(data) < at + 2:
            return -1
        at += 2 + data[at + 1]
    return at + _CRC_LEN


class Cutter:
    """Frames out of a stream that carries both directions; what is no frame comes out as garbage."""

    def __init__(self) -> None:
        self._pending = b""
        self._garbage = b""
        self._asked: tuple[int, int] | None = None  # unit and function of the question before

    def feed(self, data: bytes) -> list[Frame]:
        """Frames that data completes, in order."""
        self._pending += data
        found: list[Frame] = []
        while self._pending:
            length, waits = self._fit()
            if length:
                self._throw(found)
                found.append(self._named(self._pending[:length]))
                self._pending = self._pending[length:]
            elif waits and len(self._pending) < LONGEST:
                break
            else:
                self._garbage += self._pending[:1]
                self._pending = self._pending[1:]
        return found

    def silence(self) -> list[Frame]:
        """The line has been quiet: what is left will not be completed any more."""
        found: list[Frame] = []
        while self._pending:
            self._garbage += self._pending[:1]
            rest, self._pending = self._pending[1:], b""
            found += self.feed(rest)
        self._throw(found)
        return found

    def _throw(self, found: list[Frame]) -> None:
        if self._garbage:
            found.append(Frame(self._garbage, GARBAGE, None, f"no frame: {self._garbage.hex(' ')}"))
            self._garbage = b""

    def _fit(self) -> tuple[int, bool]:
        """Length of the frame at the beginning with a good check sequence, and whether one may still come."""
        waits = False
        for length in (answer_len(self._pending), question_len(self._pending)):
            if length < 0 or len(self._pending) < length <= LONGEST:
                waits = True
            elif length and crc16(self._pending[:length]) == 0:
                return length, False
        return 0, waits

    def _named(self, data: bytes) -> Frame:
        """Question or answer, by length; where both fit, an answer follows its question."""
        about = (data[0], data[1])
        is_question = question_len(data) == len(data)
        if answer_len(data) == len(data):
            is_question = is_question and self._asked != about
        self._asked = about if is_question else None
        return tell(data, is_question)


def tell(data: bytes, is_question: bool) -> Frame:
    """One frame in words, by its direction; bytes that are none come back as garbage."""
    wanted = question_len(data) if is_question else answer_len(data)
    if len(data) < LEAST or (wanted > 0 and wanted != len(data)):
        return Frame(data, GARBAGE, None, f"no frame: {data.hex(' ')}")
    if crc16(data) != 0:
        text = f"bad check sequence, should be {crc16(data[:-2]).to_bytes(2, 'little').hex(' ')}"
        return Frame(data, GARBAGE, None, f"{text}: {data.hex(' ')}")
    unit, function, body = data[0], data[1], data[2:-_CRC_LEN]
    if function & EXCEPTION_BIT and not is_question:
        what = _NAMES.get(function & ~EXCEPTION_BIT, f"function {function & ~EXCEPTION_BIT}")
        code = body[0] if body else 0
        return Frame(data, REFUSAL, unit, f"{what}: refused, {code} {EXCEPTIONS.get(code, 'unknown code')}")
    words = _question_words(function, body) if is_question else _answer_words(function, body)
    return Frame(
        data, QUESTION if is_question else ANSWER, unit, f"{_NAMES.get(function, f'function {function}')}{words}"
    )


def _question_words(function: int, body: bytes) -> str:
    """Address, count and values of a question."""
    if function not in _NAMES or function in (7, 17, 43) or len(body) < 4:
        return ""
    address, second = int.from_bytes(body[:2], "big"), int.from_bytes(body[2:4], "big")
    if function in _TABLE_OF:
        return f" {address} x{second}"
    if function in (5, 6):
        return f" {address} = {second:#06x}"
    if function in (15, 16):
        return f" {address} x{second} = {_values(function == 15, body[5:])}"
    return f" {body.hex(' ')}"


def _answer_words(function: int, body: bytes) -> str:
    """Values of an answer."""
    if function in _TABLE_OF:
        return f": {_values(function <= 2, body[1:])}"
    if function in (15, 16):
        return f" {int.from_bytes(body[:2], 'big')} x{int.from_bytes(body[2:4], 'big')}: done"
    if function in (5, 6):
        return f" {int.from_bytes(body[:2], 'big')} = {int.from_bytes(body[2:4], 'big'):#06x}: done"
    return f": {body.hex(' ')}"


def _values(are_bits: bool, data: bytes) -> str:
    if are_bits:
        return " ".join(f"{byte:08b}"[::-1] for byte in data)
    return " ".join(f"{int.from_bytes(data[k : k + 2], 'big'):#06x}" for k in range(0, len(data) - 1, 2))
