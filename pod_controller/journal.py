"""Every change of a decision and why, in SQLite: one row per event, readable with any SQLite tool.

Neighbours: `loop` writes, `podctl journal` will read. A port: here in line, committed once a tick at most; a writer
that cannot delay a tick stands behind the same two calls on a real pod. Must not know kernels.
"""

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from hal.errors import PodError
from pod_controller.kernels.rules import TEXT
from pod_controller.promise import scenario_text
from pod_controller.step import Event
from pod_controller.topology import Topology

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    seq INTEGER PRIMARY KEY,
    mono_ns INTEGER NOT NULL,
    utc TEXT NOT NULL,
    kind TEXT NOT NULL,
    thing TEXT NOT NULL,
    value TEXT NOT NULL,
    rule INTEGER,
    vessel TEXT,
    why TEXT NOT NULL
)
"""
INSERT = "INSERT INTO entry (mono_ns, utc, kind, thing, value, rule, vessel, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class Journal(Protocol):
    """What the loop tells."""

    def decisions(self, now_ns: int, events: Sequence[Event]) -> None:
        """Elements whose grant or rule changed at now_ns."""

    def state(self, now_ns: int, before: str, after: str) -> None:
        """The pod went from one state to another."""


class SqliteJournal:
    """The journal as one SQLite file (":memory:" for none)."""

    def __init__(self, path: Path | str, topology: Topology, utc: Callable[[int], str]) -> None:
        """Utc labels a monotonic time for people. Raises PodError E401 if the file cannot be opened or written."""
        self._topology = topology
        self._utc = utc
        try:
            self._db = sqlite3.connect(path)
            self._db.execute("PRAGMA synchronous=EXTRA")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(SCHEMA)
            self._db.commit()
        except sqlite3.Error as error:
            text = f"journal {path}: {error}: check the folder, its permissions and free space"
            raise PodError(401, text) from error

    def decisions(self, now_ns: int, events: Sequence[Event]) -> None:
        """One row per event."""
        if not events:
            return
        utc = self._utc(now_ns)
        names, vessels = self._topology.elements, self._topology.vessels
        rows = [
            (
                now_ns,
                utc,
                "decision",
                names[event.element],
                f"{event.grant_frac:g}",
                event.rule,
                vessels[event.vessel] if event.vessel >= 0 else None,
                self._why(event),
            )
            for event in events
        ]
        self._db.executemany(INSERT, rows)
        self._db.commit()

    def state(self, now_ns: int, before: str, after: str) -> None:
        """One row for a change of the pod's state."""
        row = (now_ns, self._utc(now_ns), "state", "pod", after, None, None, f"was {before}")
        self._db.execute(INSERT, row)
        self._db.commit()

    def close(self) -> None:
        """Commit and close."""
        self._db.commit()
        self._db.close()

    def _why(self, event: Event) -> str:
        if event.scenario > 0:
            return f"{TEXT[event.rule]} ({scenario_text(self._topology, event.scenario)})"
        return TEXT[event.rule]
