"""The answers of a core as people read them: tables on a terminal, plain lines in a pipe.

Neighbours: `cli_control` asks and calls. Must not know where an answer comes from, nor compute anything but layout.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from hal.clock import Clock
from hal.errors import PodError

BAR = 24
GAP = "  "

Answer = Mapping[str, Any]
Rows = Sequence[Sequence[str]]


def show_status(answer: Answer) -> None:
    """Print one status."""
    _show(status_parts(answer))


def show_why(answer: Answer, *, with_terms: bool) -> None:
    """Print why inlets are as they are; with_terms: what the vessels they reach are made of, too."""
    _show(why_parts(answer, with_terms=with_terms))


def watch(ask: Callable[[], Answer], clock: Clock, period_ns: int, as_json: bool) -> None:
    """Ask and show for ever; a core that is gone is waited for."""
    if sys.stdout.isatty() and not as_json:
        _watch_live(ask, clock, period_ns)
    for answer in _stream(ask, clock, period_ns):
        if as_json:
            click.echo(json.dumps(answer))
        else:
            click.echo(_short(answer))
        sys.stdout.flush()


def _stream(ask: Callable[[], Answer], clock: Clock, period_ns: int) -> Iterator[Answer]:
    while True:
        began_ns = clock.now_ns()
        try:
            yield ask()
        except PodError as error:
            yield {"v": 1, "ok": False, "code": error.code, "text": str(error)}
        clock.sleep_until_ns(began_ns + period_ns)


def _watch_live(ask: Callable[[], Answer], clock: Clock, period_ns: int) -> None:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

    console = Console()
    with Live(console=console, auto_refresh=False, screen=True) as live:
        for answer in _stream(ask, clock, period_ns):
            parts = status_parts(answer) if answer["ok"] else [(str(answer["text"]), ())]
            live.update(Group(*(_grid(rows) if rows else Text(title) for title, rows in parts)), refresh=True)


def _short(answer: Answer) -> str:
    """One line of a watch in a pipe."""
    if not answer["ok"]:
        return str(answer["text"])
    levels = " ".join(f"{x['vessel']}={x['level_frac']:.1%}" for x in answer["vessels"])
    unwell = f"  ! {'; '.join(answer['unwell'])}" if answer["unwell"] else ""
    return f"{answer['utc']}  {answer['state']}  tick {answer['tick']}  {levels}{unwell}"


Part = tuple[str, Rows]  # a title line without rows, or rows without a title


def status_parts(answer: Answer) -> list[Part]:
    """A status as title lines and tables."""
    late = answer["lateness"]
    head = f"{answer['pod']}  {answer['state']}  tick {answer['tick']} every {answer['tick_s']:g} s  {answer['utc']}"
    ticking = (
        f"late p50 {late['p50_ms']:.1f}  p99.9 {late['p99_9_ms']:.1f}  worst {answer['worst_lateness_ms']:.1f} ms"
        f"  overruns {answer['overruns']}  {answer['scheduling']}"
    )
    parts: list[Part] = [(head, ()), (ticking, ())]
    if answer["age_s"] > 2.5 * answer["tick_s"]:
        parts.append((f"! the last tick is {answer['age_s']:.1f} s old: the core hangs", ()))
    parts += [(f"! {text}", ()) for text in answer["unwell"]]
    parts += [(f"waits for {text}", ()) for text in answer["waits_for"][:8]]
    parts.append(("", [("line", "port", "", "devices"), *(_line_row(line) for line in answer["lines"])]))
    columns = ("vessel", "level", "", "at most kg", "lip kg", "time to lip")
    parts.append(("", [columns, *(_vessel_row(vessel) for vessel in answer["vessels"])]))
    parts += _feed(answer["digester"])
    chutes = [(x["chute"], f"{x['content_kg']:.1f}", x["lid"], x["gate"], x["why"]) for x in answer["chutes"]]
    parts.append(("", [("chute", "kg", "lid", "gate", "why"), *chutes]))
    return parts + [(f"- {text}", ()) for text in answer["notices"][-3:]]


def _line_row(line: Answer) -> tuple[str, ...]:
    sick = [
        f"{x['device']} {x['condition'] if x['condition'] != 'OK' else ', '.join(x['not_good'])}"
        for x in line["devices"]
        if x["condition"] != "OK" or x["not_good"]
    ]
    state = "open" if line["open"] else f"gone: {line['error']}"
    return (line["line"], line["port"], state, "; ".join(sick) or f"{len(line['devices'])} well")


def _vessel_row(vessel: Answer) -> tuple[str, ...]:
    filled = round(BAR * min(1.0, max(0.0, vessel["level_frac"])))
    left_s = vessel["time_to_lip_s"]
    return (
        vessel["vessel"],
        f"{vessel['level_frac']:.1%}",
        "█" * filled + "·" * (BAR - filled),
        "counts as full" if vessel["counts_as_full"] else f"{vessel['at_most_kg']:.0f}",
        f"{vessel['capacity_kg']:.0f}",
        "-" if left_s is None else f"{left_s:.0f} s",
    )


def why_parts(answer: Answer, *, with_terms: bool) -> list[Part]:
    """Why, as title lines and tables."""
    parts: list[Part] = [(f"the pod is {answer['state']}", ()), *_feed(answer["feed"])]
    if not with_terms:
        rows = [(x["inlet"], x["position"], str(x["rule"]), x["vessel"], x["opens"]) for x in answer["inlets"]]
        parts.append(("", [("inlet", "is", "rule", "binds", "what would open it"), *rows]))
        return [*parts, ("podctl why INLET tells rule, scenario and the terms", ())]
    for x in answer["inlets"]:
        parts.append(
            (f"{x['inlet']} is {x['position']}, granted {x['grant_frac']:.0%}: rule {x['rule']}, {x['why']}", ())
        )
        worst = f"{x['vessel']}, {x['scenario']}: opened, up to {x['phi_if_open_kg']:.1f} kg"
        parts.append((f"  binds: {worst}", ()))
        parts.append((f"  opens: {x['opens']}", ()))
    for vessel in answer["vessels"]:
        parts += _terms(vessel)
    return parts


def _feed(told: Answer | None) -> list[Part]:
    """What is believed of the digester, and why the feed is as it is since when; nothing without [digestion]."""
    if told is None:
        return []
    if told["fos_tac"] is None:
        believed = "digester  FOS/TAC -  risk -  not seen"
    else:
        believed = f"digester  FOS/TAC {told['fos_tac']:.2f} ({told['fos_tac_class']})  risk {told['risk']:.2f}"
        believed += f"  unseen for {told['unseen_s']:.0f} s" if told["unseen_s"] > 0.0 else ""
    return [(believed, ()), (f"  rule {told['rule']} for {told['since_s']:.0f} s: {told['why']}", ())]


def _terms(vessel: Answer) -> list[Part]:
    rows: list[tuple[str, ...]] = [("", "kg still to pass", "if stuck", "in the worst case")]
    for intake in vessel["intakes"]:
        figures = (f"{intake[key]:.1f}" for key in ("still_to_pass_kg", "stuck_kg", "worst_kg"))
        rows.append((f"intake {intake['intake']}", *figures))
        rows += [
            (
                f"  {x['inlet']}",
                f"{x['still_to_pass_kg']:.1f}",
                "-" if x["stuck_kg"] is None else "endless" if x["stuck_kg"] > 1e9 else f"{x['stuck_kg']:.1f}",
                "",
            )
            for x in intake["inlets"]
        ]
    title = (
        f"{vessel['vessel']}: U {vessel['u_kg']:.1f} + M {vessel['m_kg']:.1f} + Psi {vessel['psi_kg']:.1f}"
        f" + over weirs {vessel['over_kg']:.1f} + inlets"
        f" = Phi {vessel['phi_kg']:.1f} kg; lip C {vessel['capacity_kg']:.1f}; worst: {vessel['scenario']}"
    )
    return [(title, ()), ("", rows)]


def _show(parts: Sequence[Part]) -> None:
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False)
        for title, rows in parts:
            console.print(_grid(rows) if rows else Text(title))
        return
    for title, rows in parts:
        click.echo("\n".join(_aligned(rows)) if rows else title)


def _grid(rows: Rows) -> Any:
    from rich.table import Table

    grid = Table(box=None, pad_edge=False)
    for column in rows[0]:
        grid.add_column(column)
    for row in rows[1:]:
        grid.add_row(*row)
    return grid


def _aligned(rows: Rows) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
