"""How long bytes take on a serial line, and how long it must be silent between frames.

Job: the two times that follow from a baud rate. A line without one (TCP) has neither: both are 0.
Neighbours: ``line``, ``budget`` and ``runner`` reckon with them.
Must not know: protocols beyond that, or the present time.
"""

BITS_PER_CHAR = 10  # 8N1
_FIXED_SILENCE_NS = 1_750_000  # Modbus over serial line V1.02, 2.5.1.1: above 19200 baud


def char_ns(baud: int) -> int:
    """Time of one character on the wire."""
    return BITS_PER_CHAR * 1_000_000_000 // baud if baud else 0


def silence_ns(baud: int) -> int:
    """t3.5: 3.5 characters of 11 bits up to 19200 baud, 1.75 ms above."""
    if not baud:
        return 0
    return _FIXED_SILENCE_NS if baud > 19200 else 38_500_000_000 // baud
