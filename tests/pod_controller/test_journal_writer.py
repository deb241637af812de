"""The journal's thread: nothing a disk does reaches the tick, and what it could not write is told."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from ailing_disk import TROUBLES, AilingDisk

from hal.clock import SystemClock
from pod_controller.config import load
from pod_controller.journal_keeper import Health
from pod_controller.journal_reader import entries, reading, verify
from pod_controller.journal_store import Reserve
from pod_controller.journal_writer import ENTRY_JOBS, SAMPLES, TASKS, JournalThread
from pod_controller.step import Event
from pod_controller.topology import Topology, build

NS = 1_000_000_000
LATE_S = 0.005
TICKS = 300
PACE_S = 0.004
CLOCK = SystemClock()


@pytest.fixture(scope="module")
def topology() -> Topology:
    return build(load(Path(str(files("sim_hardware").joinpath("reference/pod.toml")))))


@pytest.fixture
def disk() -> Iterator[AilingDisk]:
    disk = AilingDisk()
    yield disk
    disk.go_on.set()


def journal_on(disk: AilingDisk, folder: Path, topology: Topology) -> JournalThread:
    return JournalThread(folder / "journal.db", topology, CLOCK, disk, Reserve(ballast_bytes=4096))


def wait_for(health_of: Callable[[], Health], wanted: Callable[[Health], bool]) -> Health:
    end_ns = CLOCK.now_ns() + 8 * NS
    while not wanted(health_of()) and CLOCK.now_ns() < end_ns:
        CLOCK.sleep_until_ns(CLOCK.now_ns() + NS // 100)
    assert wanted(health_of()), health_of()
    return health_of()


def slowest_tick_s(journal: JournalThread, topology: Topology) -> float:
    """The longest that one tick's worth of telling takes."""
    events = [Event(e, 1.0, 1, -1, 0) for e in range(len(topology.elements))]
    slowest_ns = 0
    for _ in range(TICKS):
        begun_ns = CLOCK.now_ns()
        journal.decisions(begun_ns, events)
        journal.state(begun_ns, "IDLE", "EXECUTE")
        journal.telemetry(begun_ns, "level_kg", 1.0)
        journal.health(begun_ns)
        ended_ns = CLOCK.now_ns()
        slowest_ns = max(slowest_ns, ended_ns - begun_ns)
        CLOCK.sleep_until_ns(ended_ns + int(PACE_S * NS))
    return slowest_ns * 1e-9


@pytest.mark.bench
@pytest.mark.parametrize("trouble", ["", *TROUBLES, "hanging"])
def test_no_tick_waits_for_the_disk(tmp_path: Path, topology: Topology, disk: AilingDisk, trouble: str) -> None:
    journal = journal_on(disk, tmp_path, topology)
    wait_for(lambda: journal.health(CLOCK.now_ns()), lambda health: health.last_seq > 0)
    disk.trouble = trouble if trouble != "hanging" else ""
    if trouble == "hanging":
        disk.hangs.set()

    # A machine that is busy elsewhere can be late by itself, once or twice; a call that waits is late every time.
    is_on_time = any(slowest_tick_s(journal, topology) < LATE_S for _ in range(3))
    later_ns = 30 * NS if trouble == "hanging" else 0

    assert is_on_time
    wait_for(lambda: journal.health(CLOCK.now_ns() + later_ns), lambda health: health.degraded == bool(trouble))
    disk.trouble = ""
    disk.hangs.clear()
    disk.go_on.set()
    journal.close(CLOCK.now_ns())
    assert verify(tmp_path / "journal.db").broken is None


@pytest.mark.wire
def test_entries_that_waited_for_a_hanging_disk_are_written(
    tmp_path: Path, topology: Topology, disk: AilingDisk
) -> None:
    journal = journal_on(disk, tmp_path, topology)
    wait_for(lambda: journal.health(CLOCK.now_ns()), lambda health: health.last_seq > 0)
    disk.hangs.set()
    for n in range(50):
        journal.note(n, "request", "pod", str(n), "test", "a person")
    hanging = wait_for(lambda: journal.health(CLOCK.now_ns() + 30 * NS), lambda health: health.degraded)

    disk.hangs.clear()
    disk.go_on.set()
    journal.close(CLOCK.now_ns())

    assert "has not answered" in hanging.reason
    with reading(tmp_path / "journal.db") as database:
        assert [row["value"] for row in entries(database) if row["kind"] == "request"] == [str(n) for n in range(50)]


@pytest.mark.wire
def test_queues_are_bounded_and_entries_outlast_telemetry(tmp_path: Path, topology: Topology, disk: AilingDisk) -> None:
    disk.hangs.set()
    journal = journal_on(disk, tmp_path, topology)
    CLOCK.sleep_until_ns(CLOCK.now_ns() + NS // 5)

    for n in range(SAMPLES + 10):
        journal.telemetry(n, "level_kg", 1.0)
    for n in range(ENTRY_JOBS + 10):
        journal.state(n, "IDLE", "EXECUTE")
    taken = [journal.submit(lambda: None) for _ in range(TASKS + 1)]
    lost_count = journal.health(CLOCK.now_ns()).lost_count
    disk.hangs.clear()
    disk.go_on.set()
    journal.close(CLOCK.now_ns())

    assert taken == [True] * TASKS + [False]
    assert lost_count == 10
    assert journal.health(CLOCK.now_ns()).lost_samples_count == 10
    with reading(tmp_path / "journal.db") as database:
        assert [row["value"] for row in entries(database) if row["kind"] == "gap"] == ["10"]


VICTIM = """
import sys
from pathlib import Path
from pod_controller.journal_chain import Draft
from pod_controller.journal_disk import SystemDisk
from pod_controller.journal_keeper import Keeper
keeper = Keeper(SystemDisk(), Path(sys.argv[1]), "boot", str)
for n in range(10**9):
    keeper.write([Draft(n, "T", "state", "pod", str(n), "why")] * (1 + n % 3), (), n)
    print(keeper.health.last_seq, flush=True)
"""


@pytest.mark.campaign
def test_a_killed_writer_leaves_all_it_acknowledged(tmp_path: Path, depth: str) -> None:
    path, dice = tmp_path / "journal.db", random.Random(1)
    for _ in range(100 if depth == "full" else 6):
        victim = subprocess.Popen(
            [sys.executable, "-c", VICTIM, str(path)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert victim.stdout is not None
        acknowledged = int(victim.stdout.readline())
        CLOCK.sleep_until_ns(CLOCK.now_ns() + int(dice.random() * 0.1 * NS))
        victim.send_signal(signal.SIGKILL)
        rest = victim.communicate()[0].split("\n")[:-1]
        acknowledged = int(rest[-1]) if rest else acknowledged

        verdict = verify(path)

        assert verdict.broken is None
        assert verdict.end.seq >= acknowledged
