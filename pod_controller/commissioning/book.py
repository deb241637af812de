"""The calibrations that count in a running core: read at its start, or when a technician asks between two runs.

Neighbours: `core_process` reads it, `core` puts the curves into their places, `status` tells; `judge` refuses what
contradicts the configuration. Must not know the loop.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from hal.calibration import NEVER_NS, Applied, Place
from hal.calibration_file import Book, applied, clock_is_wrong, load
from hal.clock import Clock
from pod_controller.commissioning import judge
from pod_controller.config import ConfigFaults, PodConfig
from pod_controller.config_checks import as_lines

DAY_NS = 86_400_000_000_000
WARN_DAYS = 14.0


class InForce(NamedTuple):
    """The curves in force, when each falls due, and what is odd about them."""

    curves: Mapping[str, Applied]
    book: Book
    oddities: tuple[str, ...] = ()

    def rows(self, now_ns: int) -> list[dict[str, Any]]:
        """One row per tag that has a curve or should have one, for `status`."""
        return [self._row(tag, applied_to, now_ns) for tag, applied_to in self.curves.items()]

    def unwell(self, now_ns: int) -> list[str]:
        """What needs a person."""
        found = list(self.oddities)
        for tag, x in self.curves.items():
            if x.curve is None:
                found.append(f"{tag} needs a calibration and has none: UNCERTAIN until `podctl calibrate {tag}`")
            elif now_ns >= x.due_ns:
                found.append(f"the calibration of {tag} is out of date: UNCERTAIN until `podctl calibrate {tag}`")
        return found

    def _row(self, tag: str, x: Applied, now_ns: int) -> dict[str, Any]:
        known = self.book.active(tag)
        left_d = None if x.due_ns == NEVER_NS else round((x.due_ns - now_ns) / DAY_NS, 2)
        overdue, soon = left_d is not None and left_d <= 0.0, left_d is not None and left_d < WARN_DAYS
        state = "missing" if known is None else "out of date" if overdue else "due soon" if soon else "in force"
        return {
            "tag": tag,
            "state": state,
            "name": known.name if known else None,
            "due_utc": known.due_utc.isoformat() if known else None,
            "due_in_d": left_d,
            "residual": known.residual_value if known else None,
            "drift": known.drift_value if known else None,
        }


def places(config: PodConfig) -> dict[str, Place]:
    """A place in the signal chain for every instrument that can be calibrated."""
    return {tag: Place() for tag in judge.instruments(config)}


def book_path(path: Path, config: PodConfig) -> Path:
    """The book of the pod whose configuration stands at path."""
    named = config.calibration.file
    return path.with_suffix(".calibration.json") if named is None else path.parent / named


def read(path: Path, config: PodConfig, clock: Clock) -> InForce:
    """The book beside a configuration as it is now. PodError E333; ConfigFaults E170 to E172, all of them."""
    book = judged(path, config)
    return in_force(config, book, datetime.fromisoformat(clock.utc_label()), clock.now_ns())


def judged(path: Path, config: PodConfig) -> Book:
    """The book beside a configuration. PodError E333; ConfigFaults E170 to E172, all of them."""
    book = load(book_path(path, config))
    found = list(judge.faults(config, book))
    if found:
        raise ConfigFaults(as_lines(path, path.read_text("utf-8"), found))
    return book


def in_force(config: PodConfig, book: Book, now_utc: datetime, now_ns: int) -> InForce:
    """Curves by tag, those that are required and missing too. A curve of a tag that is not wired is told, not used."""
    known = judge.instruments(config)
    curves = {tag: Applied("one that is required and not there", None) for tag in config.calibration.required}
    oddities = []
    for tag in book.in_force:
        x = book.active(tag)
        if x is None:
            continue
        if tag not in known:
            oddities.append(f"the book has a calibration of {tag}, which is no analogue input of this pod: not used")
            continue
        curves[tag] = applied(x, now_utc, now_ns)
        if clock_is_wrong(x, now_utc):
            text = f"the civil clock says {now_utc:%Y-%m-%d}, before {tag} was calibrated ({x.made_utc:%Y-%m-%d})"
            oddities.append(f"{text}: set it; until then nobody knows when that falls due")
    return InForce(curves, book, tuple(oddities))
