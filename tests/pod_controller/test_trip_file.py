"""What has tripped outlives the core: over restarts, power cuts and damage; what cannot be known counts as latched."""

import errno
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logged_disk import LoggedDisk, images
from scan_pod import ScanPod, tripped_twice
from virtual_core import VirtualCore

from pod_controller.cause_effect.kept import Kept, KeptBypass, Stood, kept_of, text_of
from pod_controller.core import Request
from pod_controller.journal_disk import SystemDisk
from pod_controller.trip_file import SLOT_BYTES, TripFile

pytestmark = pytest.mark.timeout(60)  # a cold cache compiles the kernels first

NS = 1_000_000_000
MEMORY_FILES = Path("/dev/shm")  # a sync costs nothing there
JACKET, GUARD, UNKNOWN, TAKEN_OUT = 162, 181, 195, 192


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY_FILES if MEMORY_FILES.is_dir() else tmp_path) as name:
        yield Path(name)


def at_once(task: Callable[[], None]) -> bool:
    task()
    return True


def file_of(folder: Path, boot: str = "boot", disk: SystemDisk | None = None) -> TripFile:
    return TripFile(disk or SystemDisk(), folder / "journal.db", boot, at_once)


def restarted(before: ScanPod, same_clock: bool = True) -> ScanPod:
    """The pod under another core that has the text of what stood, and nothing else."""
    kept = kept_of(text_of(before.loop.trips.kept("boot", before.now_ns)))
    assert kept is not None
    after = ScanPod()
    after.values = dict(before.values)
    after.now_ns = before.now_ns if same_clock else NS
    after.loop.trips.recall(kept, same_clock, after.now_ns)
    return after


def tripped() -> ScanPod:
    """Two latched trips, the jacket's first; both causes have gone since."""
    pod = tripped_twice()
    pod.values.update({"TT-302": 38.0, "ZS-121": 1.0})
    pod.run(5.0)
    assert pod.trips == [JACKET, GUARD]
    return pod


@pytest.mark.parametrize("same_clock", [True, False])
def test_a_restart_lifts_no_latch_and_keeps_what_tripped_first(same_clock: bool) -> None:
    pod = restarted(tripped(), same_clock)
    assert all(x.since_ns <= pod.now_ns for x in pod.loop.trips.standing)
    pod.start()
    pod.run(60.0)

    assert [(x.watch.row.id, x.first_out, x.cause_stands) for x in pod.loop.trips.standing] == [
        (JACKET, True, False),
        (GUARD, False, False),
    ]
    assert (pod.rule("heater"), pod.rule("macerator")) == (JACKET, GUARD)
    assert [(x.thing, x.value) for x in pod.paper.drafts if x.kind == "trip"][:2] == [
        ("162 pod", "kept"),
        ("181 throat", "kept"),
    ]
    assert pod.loop.request(pod.now_ns, "reset", "looked at both", "anna")
    pod.run(1.0)
    assert pod.trips == []


def test_a_restart_over_and_over_lifts_nothing_and_ends_no_bypass_late_or_early() -> None:
    pod = tripped()
    pod.loop.trips.begin_bypass("gate_2", 600, "taken out", "anna", pod.now_ns)
    pod.run(1.0)
    end_ns = pod.loop.trips.bypass.until_ns if pod.loop.trips.bypass else 0

    for _ in range(20):
        pod = restarted(pod)
        pod.run(2.0)

    assert pod.trips[:2] == [JACKET, GUARD] and TAKEN_OUT in pod.trips
    assert pod.loop.state["envelope_frac"][0, pod.topology.element("gate_2")] == 1.0
    assert pod.loop.trips.bypass is not None and abs(pod.loop.trips.bypass.until_ns - end_ns) <= 20 * NS // 2
    pod.run(600.0)
    assert TAKEN_OUT not in pod.trips


def test_a_bypass_that_ran_out_while_no_core_ran_is_over() -> None:
    pod = ScanPod()
    pod.start()
    pod.loop.trips.begin_bypass("PT-312", 60, "new port", "anna", pod.now_ns)
    kept = pod.loop.trips.kept("boot", pod.now_ns)
    after = ScanPod()
    after.now_ns = pod.now_ns + 50 * NS
    after.loop.trips.recall(kept, True, after.now_ns)

    after.run(8.0)
    assert after.loop.trips.bypass is not None
    after.run(4.0)

    assert after.loop.trips.bypass is None


def test_every_change_of_what_stands_is_one_to_write_down() -> None:
    pod, seen = ScanPod(), [0]

    def is_told(what: Callable[[], object]) -> bool:
        seen.append(pod.loop.trips.changes)
        what()
        return pod.loop.trips.changes > seen[-1]

    pod.start()
    assert not is_told(lambda: pod.run(5.0))
    assert is_told(lambda: pod.loop.trips.begin_bypass("gate_2", 600, "taken out", "anna", pod.now_ns))
    assert is_told(lambda: pod.run(1.0))
    assert is_told(lambda: pod.loop.trips.end_bypass("put back", "anna"))
    assert is_told(lambda: pod.run(4.0))
    pod.values["TT-302"] = 70.0
    assert is_told(lambda: pod.run(8.0))
    pod.values["TT-302"] = 38.0
    assert not is_told(lambda: pod.run(8.0))
    assert is_told(lambda: pod.loop.trips.reset(pod.now_ns))
    assert is_told(lambda: pod.loop.trips.recall(WRONG[-1], True, pod.now_ns))


def test_a_bypass_lasts_on_another_boots_clock_for_as_long_as_was_left() -> None:
    pod = ScanPod()
    pod.start()
    pod.loop.trips.begin_bypass("PT-312", 600, "new port", "anna", pod.now_ns)
    pod.run(100.0)

    pod = restarted(pod, same_clock=False)

    bypass = pod.loop.trips.bypass
    assert bypass is not None and (bypass.thing, bypass.reason, bypass.who) == ("PT-312", "new port", "anna")
    assert (bypass.until_ns - pod.now_ns) / NS == pytest.approx(500.0, abs=1.0)
    pod.run(1.0)
    assert [pod.grant(f"lid_{n}") for n in (1, 2, 3, 4)] == [0.0] * 4


def test_a_trip_that_ends_by_itself_waits_its_time_again_after_a_restart() -> None:
    pod = ScanPod()
    pod.start()
    pod.values["LSH-303"] = 1.0
    pod.run(10.0)
    pod.values["LSH-303"] = 0.0

    pod = restarted(pod)
    pod.run(590.0)
    assert pod.trips == [131]
    pod.run(20.0)

    assert pod.trips == []


WRONG = (
    Kept("boot", (Stood(162, "pod", "jacket of another pod", 1, True),)),
    Kept("boot", (), KeptBypass("gate_9", 10 * NS, 9.0, "taken out", "anna")),
    Kept("boot", (), None, is_whole=False),
)


@pytest.mark.parametrize("kept", WRONG)
def test_what_fits_nothing_of_this_pod_or_is_damaged_latches_everything_by_name(kept: Kept) -> None:
    pod = ScanPod()
    pod.loop.trips.recall(kept, True, pod.now_ns)
    pod.start_without_lids()

    assert pod.trips == [UNKNOWN]
    assert {pod.rule(name) for name in pod.topology.elements} == {UNKNOWN}
    (told,) = [x.why for x in pod.paper.drafts if x.kind == "trip"]
    assert "keeps everything until reset" in told
    pod.loop.request(pod.now_ns, "reset", "looked at all of it", "anna")
    pod.run(1.0)
    assert pod.trips == []


_names = st.text(max_size=40)
_stood = st.builds(Stood, st.integers(), _names, _names, st.integers(), st.booleans())
_bypass = st.builds(KeptBypass, _names, st.integers(), st.floats(-1e6, 1e6), _names, _names)


@given(st.builds(Kept, _names, st.lists(_stood, max_size=5).map(tuple), st.none() | _bypass, st.just(True)))
def test_what_stands_comes_back_from_its_text_and_from_its_file(kept: Kept) -> None:
    assert kept_of(text_of(kept)) == kept

    with tempfile.TemporaryDirectory(dir=MEMORY_FILES if MEMORY_FILES.is_dir() else None) as name:
        file_of(Path(name), kept.boot).keep(1, lambda boot: kept, 0)
        found = file_of(Path(name)).recall()

    assert found == kept._replace(is_whole=False)  # only one of the two slots has been written


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), st.lists
).map(str))  # fmt: skip
def test_no_text_raises(text: str) -> None:
    assert kept_of(text) is None or isinstance(kept_of(text), Kept)


def test_a_new_pod_has_nothing_latched_and_one_that_lost_its_record_has_everything(tmp_path: Path) -> None:
    new = file_of(tmp_path).recall()
    again = file_of(tmp_path).recall()
    (tmp_path / "journal.db").write_bytes(b"there was a core here")
    (tmp_path / "journal.db.trips").unlink()

    assert (new, again) == (Kept("boot"), Kept("boot"))
    assert not file_of(tmp_path).recall().is_whole


@pytest.mark.parametrize("at", [0, 3, 30, SLOT_BYTES, SLOT_BYTES + 3, SLOT_BYTES + 40])
def test_a_flipped_bit_in_either_slot_is_found_and_the_other_slot_is_still_believed(tmp_path: Path, at: int) -> None:
    kept = Kept("boot", (Stood(JACKET, "pod", "pod", 5, True),))
    file_of(tmp_path).recall()
    file = file_of(tmp_path)
    file.recall()
    for change in (1, 2):
        file.keep(change, lambda boot: kept, 0)
    data = bytearray((tmp_path / "journal.db.trips").read_bytes())
    data[at] ^= 1
    (tmp_path / "journal.db.trips").write_bytes(data)

    assert file_of(tmp_path).recall() == kept._replace(is_whole=False)


def test_more_than_a_slot_holds_is_no_record_and_leaves_the_one_before(tmp_path: Path) -> None:
    few = Kept("boot", (Stood(JACKET, "pod", "pod", 5, True),))
    many = Kept("boot", tuple(Stood(k, "vessel", "x" * 40, k, False) for k in range(1000)))
    file = file_of(tmp_path)
    file.recall()
    file.keep(1, lambda boot: few, 0)
    file.keep(2, lambda boot: many, 0)

    assert file_of(tmp_path).recall() == few._replace(is_whole=False)


def test_a_record_that_is_gone_is_made_anew_with_its_name_before_its_content(tmp_path: Path) -> None:
    disk = LoggedDisk()

    file_of(tmp_path, disk=disk).keep(1, Kept, 0)

    assert [op.kind for op in disk.log] == ["create", "sync", "write", "sync"]


class BrokenDisk(SystemDisk):
    """Fails to write, or to read, while it is told to."""

    def __init__(self) -> None:
        self.fails, self.tried_count = True, 0

    def write(self, path: Path, offset: int, data: bytes) -> None:
        self.tried_count += 1
        if self.fails:
            raise OSError(errno.ENOSPC, "No space left on device")
        super().write(path, offset, data)

    def read(self, path: Path) -> bytes:
        if self.fails and path.exists():
            raise OSError(errno.EIO, "Input/output error")
        return super().read(path)


def test_a_disk_that_fails_is_told_and_tried_again_every_second_and_never_raises(tmp_path: Path) -> None:
    disk = BrokenDisk()
    file = file_of(tmp_path, disk=disk)
    assert file.recall() == Kept("boot")  # neither record nor journal
    kept = Kept("boot", (Stood(JACKET, "pod", "pod", 5, True),))
    for tick in range(6):
        file.keep(1, lambda boot: kept, tick * NS // 2)
    assert "No space left on device" in file.trouble
    assert disk.tried_count == 3  # at the start, and once a second in three
    assert not file_of(tmp_path, disk=disk).recall().is_whole

    disk.fails = False
    file.keep(1, lambda boot: kept, 5 * NS)
    file.keep(1, lambda boot: kept, 7 * NS)

    assert file.trouble == ""
    assert file_of(tmp_path).recall().stood == kept.stood


def test_a_core_whose_writer_takes_nothing_asks_again_at_the_next_tick(tmp_path: Path) -> None:
    answers = iter([False, True])
    tasks: list[Callable[[], None]] = []

    def submit(task: Callable[[], None]) -> bool:
        tasks.append(task)
        return next(answers)

    file = TripFile(SystemDisk(), tmp_path / "journal.db", "boot", submit)
    for tick in range(4):
        file.keep(1, Kept, tick)

    assert len(tasks) == 2


def states() -> list[Kept]:
    """Trips come one by one, then a reset lifts the first two; then others come."""
    stood: tuple[Stood, ...] = ()
    found = []
    for k in range(14):
        stood = (*stood, Stood(100 + k, "vessel", f"tank_{k}" * 12, k, k == 0)) if k != 7 else stood[2:]
        found.append(Kept("boot", stood))
    return found


@pytest.mark.campaign
def test_no_power_cut_forgets_a_trip_that_the_disk_has_taken(folder: Path, depth: str) -> None:
    written, cut = folder / "written", folder / "cut"
    written.mkdir()
    cut.mkdir()
    disk, told = LoggedDisk(), states()
    file = file_of(written, disk=disk)
    file.recall()
    disk.acknowledge(0)
    (cut / "journal.db").touch()
    for change, kept in enumerate(told, start=1):
        file.keep(change, lambda boot, kept=kept: kept, 0)  # type: ignore[misc]
        disk.acknowledge(change)
    count, forgotten, unknown = 0, [], 0

    for image in images(disk.log, 40 if depth == "full" else 6, 1):
        count += 1
        record = cut / "journal.db.trips"
        record.unlink(missing_ok=True)
        for name, data in image.files.items():
            (cut / name).write_bytes(data)
        found = file_of(cut).recall()
        unknown += not found.is_whole
        acknowledged = told[image.acknowledged - 1] if image.acknowledged else Kept("boot")
        after = told[image.acknowledged] if image.acknowledged < len(told) else acknowledged
        lifted = set(acknowledged.stood) - set(after.stood)
        if found.is_whole and not set(acknowledged.stood) - lifted <= set(found.stood):
            forgotten.append(f"cut before write {image.position}, {image.model}: {found}")
        elif found.is_whole and found.stood not in (acknowledged.stood, after.stood):
            forgotten.append(f"cut before write {image.position}, {image.model}: a state that never was")

    assert not forgotten, "\n".join(forgotten[:5])
    assert count > 400 and 0 < unknown < count // 2


def test_the_same_cuts_find_a_record_that_is_written_over_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pod_controller.trip_file._check", lambda text: "x")  # no check: a torn line passes
    disk = LoggedDisk()
    file = file_of(folder, disk=disk)
    file.recall()
    for change, kept in enumerate(states(), start=1):
        file.keep(change, lambda boot, kept=kept: kept, 0)  # type: ignore[misc]
    cut = folder / "cut"
    cut.mkdir()
    (cut / "journal.db").touch()
    wrong = 0

    for image in images(disk.log, 10, 1):
        (cut / "journal.db.trips").unlink(missing_ok=True)
        for name, data in image.files.items():
            (cut / name).write_bytes(data)
        found = file_of(cut).recall()
        wrong += found.is_whole and found.stood not in [kept.stood for kept in states()] and bool(found.stood)

    assert wrong


def test_a_core_writes_what_trips_and_the_next_one_takes_it_up(tmp_path: Path) -> None:
    first, second = VirtualCore(scenario="quiet_day"), VirtualCore(scenario="quiet_day")
    first.core.trip_file = file_of(tmp_path)
    first.core.loop.trips.recall(first.core.trip_file.recall(), True, 0)
    first.run(10.0)
    first.core.ask(Request("bypass", "new seal", "anna", thing="gate_1", for_s=600))
    first.run(1.0)

    second.core.trip_file = file_of(tmp_path)
    second.core.loop.trips.recall(second.core.trip_file.recall(), True, 0)
    second.run(20.0)

    assert TAKEN_OUT in [x.watch.row.id for x in second.core.loop.trips.standing]
    gate = second.core.loop.topology.element("gate_1")
    assert second.core.loop.state["envelope_frac"][0, gate] == 1.0
    assert second.core.snapshot is not None and second.core.snapshot.bypass is not None
