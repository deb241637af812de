"""The chain of the journal shows every change, down to one bit, and names the entry."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hal.errors import PodError
from pod_controller.journal_chain import GENESIS, Draft, Entry, follow, forge
from pod_controller.journal_disk import SystemDisk
from pod_controller.journal_keeper import Keeper
from pod_controller.journal_reader import entries, reading, verify
from pod_controller.journal_store import DROP_AT_ONCE, Reserve

CHAIN = forge(GENESIS, [Draft(n, "T", "state", "pod", f"{n}", "why") for n in range(20)], "boot")


def flipped(data: bytes, bit: int) -> bytes:
    at = bit // 8 % len(data)
    return data[:at] + bytes([data[at] ^ 1 << bit % 8]) + data[at + 1 :]


def journal_of(path: Path, count: int, keep: Reserve | None = None) -> Path:
    keeper = Keeper(SystemDisk(), path, "boot", str, keep or Reserve(ballast_bytes=4096))
    for first in range(0, count, 500):
        drafts = [Draft(n, "T", "state", "pod", f"{n}", "why") for n in range(first, min(count, first + 500))]
        keeper.write(drafts, (), first)
    keeper.close(count)
    return path


def test_an_untouched_chain_holds() -> None:
    assert follow(GENESIS, CHAIN).broken is None


@given(place=st.integers(0, len(CHAIN) - 1), field=st.sampled_from(Entry._fields), bit=st.integers(0, 5000))
def test_any_single_bit_flipped_is_found_at_its_entry(place: int, field: str, bit: int) -> None:
    entry = CHAIN[place]
    value = getattr(entry, field)
    changed = value ^ 1 << bit % 63 if isinstance(value, int) else flipped(value, bit)
    row = tuple(changed if name == field else getattr(entry, name) for name in Entry._fields)

    broken = follow(GENESIS, [*CHAIN[:place], (row[0], row[1], row[2]), *CHAIN[place + 1 :]]).broken

    assert broken is not None
    assert broken.seq == place + 1


@given(st.permutations(range(len(CHAIN))), st.integers(0, len(CHAIN)))
def test_entries_moved_or_taken_out_are_found(order: list[int], count: int) -> None:
    rows = [CHAIN[n] for n in order[:count]]

    followed = follow(GENESIS, rows)

    assert (followed.broken is None) == (rows == CHAIN[: len(rows)])


@given(bit=st.integers(0, 8 * 40_000))
def test_a_bit_flipped_in_the_file_never_gives_another_entry(
    tmp_path_factory: pytest.TempPathFactory, bit: int
) -> None:
    path = journal_of(tmp_path_factory.mktemp("flip") / "journal.db", 60)
    with reading(path) as database:
        before = list(entries(database))

    path.write_bytes(flipped(path.read_bytes(), bit))

    try:
        verdict = verify(path)
        with reading(path) as database:
            after = list(entries(database))
    except PodError:
        return
    assert verdict.broken is not None or after == before


def test_an_end_cut_off_is_found_by_the_mirror(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "journal.db", 60)
    database = SystemDisk().connect(path)
    database.execute("DELETE FROM entry WHERE seq > 55")
    database.close()

    broken = verify(path).broken

    assert broken is not None
    assert broken.seq == 56


def test_what_is_kept_is_bounded_and_the_rest_still_verifies(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "journal.db", 3 * DROP_AT_ONCE + 500, Reserve(entries=1000, ballast_bytes=4096))

    verdict = verify(path)

    assert verdict.broken is None
    assert 1000 <= verdict.entries_count <= 1000 + DROP_AT_ONCE
    assert verdict.first.seq > 0


def test_a_start_that_no_entry_explains_is_found(tmp_path: Path) -> None:
    path = journal_of(tmp_path / "journal.db", 60)
    database = SystemDisk().connect(path)
    database.execute("INSERT INTO base SELECT seq, hash FROM entry WHERE seq = 10")
    database.execute("DELETE FROM entry WHERE seq <= 10")
    database.close()

    broken = verify(path).broken

    assert broken is not None
    assert broken.seq == 11
