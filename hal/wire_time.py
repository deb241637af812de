"""How long bytes take on a serial line, and how long it must be silent between frames.

Job: the times that follow from a baud rate and the framing of a character. A line without a rate (TCP) has neither.
Neighbours: ``line``, ``budget`` and ``runner`` reckon with them.
Must not know: protocols beyond that, or the present time.
"""

BITS_PER_CHAR = 10  # 8N1
CHAR_BITS = {"8N1": BITS_PER_CHAR, "8E1": 11, "8O1": 11, "8N2": 11}  # start, eight, parity, stop
_FIXED_SILENCE_NS = 1_750_000  # Modbus over serial line V1.02, 2.5.1.1: above 19200 baud


def char_ns(baud: int, char_bits: int = BITS_PER_CHAR) -> int:
    """Time of one character on the wire."""
    return char_bits * 1_000_000_000 // baud if baud else 0


def silence_ns(baud: int) -> int:
    """t3.5: 3.5 characters of 11 bits up to 19200 baud, 1.75 ms above."""
    if not baud:
        return 0
    return _FIXED_SILENCE_NS if baud > 19200 else 38_500_000_000 // baud
