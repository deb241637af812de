"""What hangs at the far end of one line, as the executive and the pseudo-terminals see it.

Job: the one interface between "somebody drives time" (executive.py, wire.py) and "somebody answers
bytes" (slave.py, indicator.py). Neighbours: those four. Must not know: protocols, plant, lines of the
controller.
"""

from collections.abc import Callable
from typing import Protocol

NEVER_NS = 2**63 - 1
"""An instant that does not come (same value as the lines of the controller use)."""

Probe = Callable[[], float]
"""A physical quantity as it is now, in the tag's unit; NaN = the sensing element gives nothing."""

Reply = tuple[float, bytes]
"""Seconds from the end of the request (or from now) to the first bit of the answer; the bytes."""


class Station(Protocol):
    """Everything wired to the far end of one line."""

    name: str

    def receive(self, data: bytes, now_ns: int) -> list[Reply]:
        """Answer one frame whose last bit arrived at now_ns; no answer is an empty list."""
        ...

    def due_ns(self) -> int:
        """Next instant at which something happens here without a request; NEVER_NS = nothing."""
        ...

    def advance(self, now_ns: int) -> list[Reply]:
        """Let happen what was due until now_ns; returns what the devices say by themselves."""
        ...
