"""`podctl journal`: what a pod did and why, for people and for scripts, and whether anybody changed it.

Neighbours: `journal_reader`. Must not know the loop.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hal.clock import SystemClock

if TYPE_CHECKING:
    from pod_controller.journal_reader import Verdict

EXIT_FAILED = 1
DEFAULT_FILE = Path("/var/lib/podctl/journal.db")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
COLUMNS = ("seq", "utc", "kind", "thing", "value", "why")


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="The journal of this pod's TOML.")
@click.option("--since", help="From entry 120, from 90s, 30m, 2h or 3d ago, or from 2026-03-01T12:00 (UTC).")
@click.option("--verify", "is_check", is_flag=True, help="Follow the chain of hashes instead; exit 1 if it breaks.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line; with --verify one object.")
def journal(file: Path | None, config_path: Path | None, since: str | None, is_check: bool, as_json: bool) -> int:
    """Show a pod's journal FILE, or verify that nothing in it was changed."""
    from pod_controller import journal_reader

    path = _path(file, config_path)
    if is_check:
        verdict = journal_reader.verify(path)
        click.echo(json.dumps(_as_object(path, verdict)) if as_json else _as_sentence(path, verdict))
        return EXIT_FAILED if verdict.broken else 0
    first_seq, first_utc = _start(since)
    with journal_reader.reading(path) as database:
        found = journal_reader.entries(database)
        _show((row for row in found if row["seq"] >= first_seq and row["utc"] >= first_utc), as_json)
    return 0


def _path(file: Path | None, config_path: Path | None) -> Path:
    if file is not None and config_path is not None:
        raise click.UsageError("give the journal's FILE or its pod's --config, not both")
    if config_path is None:
        return file or DEFAULT_FILE
    from pod_controller.config import load

    return load(config_path).control.journal


def _start(since: str | None) -> tuple[int, str]:
    """The first number and the first label that are wanted."""
    if since is None:
        return 0, ""
    if since.isdecimal():
        return int(since), ""
    ago = re.fullmatch(r"(\d{1,9})([smhd])", since)
    if ago:
        now = datetime.fromisoformat(SystemClock().utc_label())
        try:
            return 0, (now - timedelta(**{UNITS[ago[2]]: int(ago[1])})).isoformat(timespec="milliseconds")
        except OverflowError:
            return 0, ""
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        text = f"--since {since}: give an entry's number, 90s, 30m, 2h, 3d, or a time such as 2026-03-01T12:00"
        raise click.UsageError(text) from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return 0, moment.isoformat(timespec="milliseconds")


def _show(rows: Iterable[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    elif sys.stdout.isatty():
        _show_table(rows)
    else:
        for row in rows:
            click.echo("  ".join(_cells(row)))


def _show_table(rows: Iterable[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*COLUMNS, box=None, pad_edge=False)
    for row in rows:
        style = "bold red" if row["kind"] == "gap" else ""
        table.add_row(*(Text(cell, style=style) for cell in _cells(row)))
    Console().print(table)


def _cells(row: dict[str, Any]) -> Iterator[str]:
    """The columns of one entry as text that no terminal obeys."""
    who = "" if row.get("who") in (None, "core") else f" [{row['who']}]"
    where = f" at {row['vessel']}" if row.get("vessel") else ""
    shown = row | {"why": f"{row['why']}{where}{who}"}
    for column in COLUMNS:
        yield "".join(letter if letter.isprintable() else "?" for letter in str(shown.get(column, "")))


def _as_object(path: Path, verdict: "Verdict") -> dict[str, Any]:
    broken, mirror = verdict.broken, verdict.mirror
    return {
        "file": str(path),
        "ok": broken is None,
        "entries": verdict.entries_count,
        "first": verdict.first.seq + 1,
        "last": verdict.end.seq,
        "hash": verdict.end.digest.hex(),
        "mirror": None if mirror is None else mirror.seq,
        "first_bad": None if broken is None else {"seq": broken.seq, "why": broken.why},
    }


def _as_sentence(path: Path, verdict: "Verdict") -> str:
    if verdict.broken:
        return (
            f"{path}: entry {verdict.broken.seq} {verdict.broken.why}; {verdict.entries_count} entries before it hold"
        )
    mirror = "no mirror of the head" if verdict.mirror is None else f"mirror at {verdict.mirror.seq}"
    span = f"{verdict.first.seq + 1} to {verdict.end.seq}"
    return f"{path}: {verdict.entries_count} entries, {span}, hold together; {mirror}; hash {verdict.end.digest.hex()}"
