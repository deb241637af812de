"""The only place that asks the operating system for the time.

Job: monotonic nanoseconds for everything that decides; civil time only as a label.
Neighbours: ``runner`` and the composition root hold a Clock; everything else gets now_ns.
Must not know: what the time is used for.
"""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """A source of control time and of labels for people."""

    def now_ns(self) -> int:
        """Monotonic time in nanoseconds; its zero means nothing."""
        ...

    def sleep_until_ns(self, when_ns: int) -> None:
        """Wait until that monotonic time; not at all if it has passed."""
        ...

    def utc_label(self) -> str:
        """Civil time as ISO 8601 in UTC, for logs and journals only."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now_ns(self) -> int:
        """Monotonic time in nanoseconds."""
        return time.monotonic_ns()

    def sleep_until_ns(self, when_ns: int) -> None:
        """Wait until that monotonic time; not at all if it has passed."""
        time.sleep(max(0, when_ns - time.monotonic_ns()) * 1e-9)

    def utc_label(self) -> str:
        """Civil time in UTC with milliseconds, such as 2026-03-01T12:04:31.250+00:00."""
        return datetime.now(UTC).isoformat(timespec="milliseconds")
