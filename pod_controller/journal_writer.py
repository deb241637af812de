"""The journal of a pod: the one thread of the core, so that a slow disk never delays a tick.

The tick puts jobs into bounded queues and goes on; the thread takes whatever is there and makes one batch of it. When a
queue is full the new job is counted as lost: telemetry and recordings have short queues and go first, entries a long
one. Nothing that decides runs here.

Neighbours: `journal_keeper` writes, `recorder` hands over its chunks. Must not know what an entry is about.
"""

import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from hal.clock import Clock
from pod_controller.journal import Scribe
from pod_controller.journal_chain import Draft, Sample
from pod_controller.journal_disk import Disk, SystemDisk, boot_id
from pod_controller.journal_keeper import Health, Keeper
from pod_controller.journal_store import Reserve
from pod_controller.step import Event
from pod_controller.topology import Topology

NS = 1_000_000_000
ENTRY_JOBS = 4_096  # half an hour at two a second
SAMPLES = 1_024
TASKS = 8
GATHER_S = 0.02  # what one tick says in several calls becomes one batch
IDLE_S = 1.0
SLOW_NS = 2 * NS  # a batch that takes longer is worth telling
CLOSE_S = 5.0
# The thread may hold the interpreter for one interval before a tick that wants it gets it (the default is 5 ms).
SWITCH_INTERVAL_S = 0.0005

T = TypeVar("T")
Drafts = Callable[[], list[Draft]]


class JournalThread:
    """A Journal whose calls only append to queues; made and told by one thread, the one that ticks."""

    def __init__(
        self, path: Path, topology: Topology, clock: Clock, disk: Disk | None = None, keep: Reserve | None = None
    ) -> None:
        """Starts the thread; the file is opened there, so that even a disk that hangs does not delay the start."""
        self._clock = clock
        self._scribe = Scribe(topology)
        self._entries: deque[Drafts] = deque()
        self._samples: deque[Sample] = deque()
        self._tasks: deque[Callable[[], None]] = deque()
        self._missed_entries = self._missed_samples = self._missed_counted = self._missed_samples_counted = 0
        self._busy_since_ns = 0  # 0: waits for work
        self._is_closing = False
        self._wake = threading.Event()
        boot = boot_id()
        self._keeper = Keeper(disk or SystemDisk(), path, boot, lambda _: clock.utc_label(), keep)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self.note(clock.now_ns(), "start", "core", boot, "the core has started", "core")
        self._thread.start()

    def decisions(self, now_ns: int, events: Sequence[Event]) -> None:
        """One entry per event."""
        if events:
            self._put(partial(self._scribe.decisions, now_ns, self._clock.utc_label(), events))

    def state(self, now_ns: int, before: str, after: str) -> None:
        """One entry for a change of the pod's state."""
        self._put(partial(self._scribe.state, now_ns, self._clock.utc_label(), before, after))

    def note(self, now_ns: int, kind: str, thing: str, value: str, why: str, who: str) -> None:
        """One entry of any kind."""
        draft = Draft(now_ns, self._clock.utc_label(), kind, thing, value, why, who)
        self._put(lambda: [draft])

    def telemetry(self, now_ns: int, name: str, value: float) -> None:
        """One sample, if there is room for it."""
        if len(self._samples) >= SAMPLES:
            self._missed_samples += 1
            return
        self._samples.append(Sample(now_ns, self._clock.utc_label(), name, value))
        self._wake.set()

    def submit(self, task: Callable[[], None]) -> bool:
        """Let the thread do something after its next batch; False if too many wait. The task must not raise."""
        if len(self._tasks) >= TASKS:
            return False
        self._tasks.append(task)
        self._wake.set()
        return True

    def health(self, now_ns: int) -> Health:
        """How the journal is, also while its thread hangs in the disk."""
        health = self._keeper.health
        waiting = health.waiting_count + len(self._entries)
        lost = health.lost_count + self._missed_entries - self._missed_counted
        health = health._replace(waiting_count=waiting, lost_count=lost)
        since_ns = self._busy_since_ns
        if since_ns and now_ns - since_ns > SLOW_NS:
            text = f"the disk has not answered for {(now_ns - since_ns) // NS} s, {waiting} entries wait"
            return health._replace(degraded=True, reason=text)
        if not self._thread.is_alive() and not self._is_closing:
            return health._replace(degraded=True, reason="the journal's thread has ended: restart the core")
        return health

    def close(self, now_ns: int) -> None:
        """Write what waits; gives a hanging disk CLOSE_S and then leaves it."""
        self._is_closing = True
        self._wake.set()
        self._thread.join(CLOSE_S)

    def _put(self, job: Drafts) -> None:
        if len(self._entries) >= ENTRY_JOBS:
            self._missed_entries += 1
            return
        self._entries.append(job)
        self._wake.set()

    def _run(self) -> None:
        gather = threading.Event()  # never set: a wait that takes GATHER_S
        while not self._is_closing:
            if self._wake.wait(IDLE_S):
                gather.wait(GATHER_S)
            self._wake.clear()
            self._busy_since_ns = self._clock.now_ns()
            self._write_batch()
            self._busy_since_ns = 0
        self._write_batch()
        self._keeper.close(self._clock.now_ns())

    def _write_batch(self) -> None:
        drafts = [draft for job in _take(self._entries) for draft in job()]
        samples = _take(self._samples)
        missed, missed_samples = self._missed_entries, self._missed_samples
        self._keeper.miss(missed - self._missed_counted, missed_samples - self._missed_samples_counted)
        self._missed_counted, self._missed_samples_counted = missed, missed_samples
        self._keeper.write(drafts, samples, self._clock.now_ns())
        for task in _take(self._tasks):
            task()


def _take(queue: "deque[T]") -> "list[T]":
    """Everything that is in a queue now; the other side may go on appending."""
    return [queue.popleft() for _ in range(len(queue))]
