"""What happened to a pod and why: decisions, states, requests by people, in a chain that shows if an entry was changed.

The loop and everybody else tell it through the protocol `Journal`, which never raises for what a disk does and says
in `health` how it stands. `SqliteJournal` writes in line, for runs on virtual time; on a pod `journal_writer` does the
same on a thread of its own, so that no tick waits.

Neighbours: `loop` and `control_socket` tell; `journal_keeper` writes; `podctl journal` reads. Must not know kernels.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from pod_controller.cause_effect.table import SENTENCES
from pod_controller.journal_chain import Draft, Sample
from pod_controller.journal_disk import Disk, MemoryDisk, SystemDisk
from pod_controller.journal_keeper import Health, Keeper
from pod_controller.promise import scenario_text
from pod_controller.step import Event
from pod_controller.topology import Topology

NO_FILE = ":memory:"


class Journal(Protocol):
    """What everybody tells, and how the journal itself is. No call blocks or raises for what a disk does."""

    def decisions(self, now_ns: int, events: Sequence[Event]) -> None:
        """Elements whose grant or rule changed at now_ns."""

    def state(self, now_ns: int, before: str, after: str) -> None:
        """The pod went from one state to another."""

    def note(self, now_ns: int, kind: str, thing: str, value: str, why: str, who: str) -> None:
        """Anything else: a request by a person, a start, an alarm. who: the person or the part that did it."""

    def telemetry(self, now_ns: int, name: str, value: float) -> None:
        """A measured value worth keeping while there is room."""

    def health(self, now_ns: int) -> Health:
        """How the journal is; cheap, for every tick."""

    def close(self, now_ns: int) -> None:
        """Write what waits, as far as the disk lets it, and let go."""


class Scribe:
    """Puts what happened into drafts of entries."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology

    def decisions(self, now_ns: int, utc: str, events: Sequence[Event]) -> list[Draft]:
        """One draft per event."""
        names, vessels = self._topology.elements, self._topology.vessels
        return [
            Draft(
                now_ns,
                utc,
                "decision",
                names[event.element],
                f"{event.grant_frac:g}",
                self._why(event),
                rule=event.rule,
                vessel=vessels[event.vessel] if event.vessel >= 0 else None,
            )
            for event in events
        ]

    @staticmethod
    def state(now_ns: int, utc: str, before: str, after: str) -> list[Draft]:
        """The draft for a change of the pod's state."""
        return [Draft(now_ns, utc, "state", "pod", after, f"was {before}")]

    def _why(self, event: Event) -> str:
        if event.scenario > 0:
            return f"{SENTENCES[event.rule]} ({scenario_text(self._topology, event.scenario)})"
        return SENTENCES[event.rule]


class SqliteJournal:
    """The journal written in line, one transaction per call; NO_FILE for one that is gone with its process."""

    def __init__(
        self,
        path: Path | str,
        topology: Topology,
        utc: Callable[[int], str],
        boot: str = "virtual",
        disk: Disk | None = None,
    ) -> None:
        """Utc labels a monotonic time for people; boot names the clock those times belong to."""
        chosen = disk or (MemoryDisk() if str(path) == NO_FILE else SystemDisk())
        self._keeper = Keeper(chosen, Path(path), boot, utc)
        self._scribe = Scribe(topology)
        self._utc = utc

    def decisions(self, now_ns: int, events: Sequence[Event]) -> None:
        """One entry per event."""
        if events:
            self._keeper.write(self._scribe.decisions(now_ns, self._utc(now_ns), events), (), now_ns)

    def state(self, now_ns: int, before: str, after: str) -> None:
        """One entry for a change of the pod's state."""
        self._keeper.write(self._scribe.state(now_ns, self._utc(now_ns), before, after), (), now_ns)

    def note(self, now_ns: int, kind: str, thing: str, value: str, why: str, who: str) -> None:
        """One entry of any kind."""
        self._keeper.write([Draft(now_ns, self._utc(now_ns), kind, thing, value, why, who)], (), now_ns)

    def telemetry(self, now_ns: int, name: str, value: float) -> None:
        """One sample."""
        self._keeper.write((), [Sample(now_ns, self._utc(now_ns), name, value)], now_ns)

    def health(self, now_ns: int) -> Health:
        """How the last write went."""
        return self._keeper.health

    def close(self, now_ns: int = 0) -> None:
        """Write what waits and close."""
        self._keeper.close(now_ns)
