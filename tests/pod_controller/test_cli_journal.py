"""podctl journal: what happened, for people and scripts, and one clear answer to whether it was changed."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from hal.errors import PodError
from pod_controller.cli_journal import journal
from pod_controller.journal_chain import Draft
from pod_controller.journal_disk import SystemDisk
from pod_controller.journal_keeper import Keeper
from pod_controller.journal_store import Reserve

UTC = "2026-03-01T12:00:{:02}.000+00:00"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "journal.db"
    keeper = Keeper(SystemDisk(), path, "boot", str, Reserve(ballast_bytes=4096))
    made = [Draft(n, UTC.format(n), "state", "pod", "IDLE", f"why {n}") for n in range(1, 30)]
    made.append(Draft(30, UTC.format(30), "request", "hold", "HELD", "\x1b[31mred\nline", "Ada"))
    keeper.write(made, (), 0)
    keeper.close(0)
    return path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(journal, arguments, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return int(result.return_value), result.stdout


def change_entry(path: Path, seq: int) -> None:
    database = sqlite3.connect(path)
    database.execute("UPDATE entry SET body = replace(body, 'IDLE', 'HELD') WHERE seq = ?", (seq,))
    database.commit()
    database.close()


def test_json_is_one_object_a_line_with_everything(file: Path) -> None:
    code, text = run(str(file), "--json")
    rows = [json.loads(line) for line in text.splitlines()]

    assert code == 0
    assert [row["seq"] for row in rows] == list(range(1, 31))
    assert {"utc", "mono_ns", "boot", "kind", "thing", "value", "why", "who", "rule", "vessel", "hash"} <= rows[
        0
    ].keys()


@pytest.mark.parametrize(
    ("since", "first"), [("28", 28), ("2026-03-01T12:00:29", 29), ("2026-03-01T13:00:29+01:00", 29), ("99999999d", 1)]
)
def test_since_takes_a_number_or_a_time(file: Path, since: str, first: int) -> None:
    _, text = run(str(file), "--json", "--since", since)

    assert json.loads(text.splitlines()[0])["seq"] == first


def test_text_for_people_obeys_no_control_characters_and_names_who(file: Path) -> None:
    _, text = run(str(file), "--since", "30")

    assert "\x1b" not in text
    assert len(text.splitlines()) == 1
    assert "[Ada]" in text


def test_verify_of_an_untouched_journal_is_fine(file: Path) -> None:
    code, text = run(str(file), "--verify", "--json")
    verdict: dict[str, Any] = json.loads(text)

    assert code == 0
    assert (verdict["ok"], verdict["entries"], verdict["mirror"], verdict["first_bad"]) == (True, 30, 30, None)


def test_verify_names_the_first_bad_entry_and_fails(file: Path) -> None:
    change_entry(file, 17)

    code, text = run(str(file), "--verify")
    code_json, text_json = run(str(file), "--verify", "--json")

    assert code == code_json == 1
    assert "entry 17 " in text
    assert json.loads(text_json)["first_bad"]["seq"] == 17


@pytest.mark.parametrize(("content", "code"), [(None, 411), (b"", 412), (b"no database" * 99, 412)])
def test_what_is_no_journal_is_an_error_that_says_so(tmp_path: Path, content: bytes | None, code: int) -> None:
    path = tmp_path / "other.db"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(PodError) as caught:
        run(str(path))

    assert caught.value.code == code
    assert str(path) in caught.value.message


def test_a_journal_left_half_written_by_a_cut_is_read_without_touching_it(file: Path) -> None:
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode=TRUNCATE")
    database.execute("PRAGMA cache_size=1")
    database.execute("BEGIN IMMEDIATE")
    database.execute("UPDATE entry SET body = body || hex(randomblob(4000))")
    hot = file.with_name(file.name + "-journal")
    cut, cut_journal = file.read_bytes(), hot.read_bytes()
    database.execute("ROLLBACK")
    database.close()
    file.write_bytes(cut)
    hot.write_bytes(cut_journal)

    code, _ = run(str(file), "--verify")

    assert code == 0
    assert file.read_bytes() == cut
