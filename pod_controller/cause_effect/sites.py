"""Where a cause sits on this pod: a unit, the tags it is seen by, its limit in words, and the test of one tick.

Neighbours: `causes` and `causes_of_process` make them. Must not know rows.
"""

from collections.abc import Callable
from typing import NamedTuple

from pod_controller.cause_effect.effects import Unit
from pod_controller.cause_effect.evidence import Evidence


class Site(NamedTuple):
    """One cause on one unit. A bypass of one of the tags suspends it. seen: which of several signs a trip had."""

    unit: Unit
    tags: tuple[str, ...]
    limit: str
    test: Callable[[Evidence], bool]
    seen: Callable[[Evidence], str] | None = None
