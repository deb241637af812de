"""`podctl bench`: figures beside their goals; a missed goal is printed as missed, and is no failure.

Neighbours: the `bench_*` modules measure. Benches that other parts of the project promise are refused until they exist.
Must not know how anything is measured.
"""

import json
import platform
import sys
from typing import TYPE_CHECKING, Any

import click

from sim_hardware.verbs.cli_guard import guard

if TYPE_CHECKING:
    from sim_hardware.bench.core import Row

PROMISED = ("surge", "clairvoyant")


class _Benches(click.Group):
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The bench's command; one that is only promised says so."""
        if cmd_name in PROMISED:
            raise click.UsageError(f"bench {cmd_name} is not built yet; built: {', '.join(self.list_commands(ctx))}")
        return super().get_command(ctx, cmd_name)


@click.group(cls=_Benches)
def bench() -> None:
    """Measure, and print each goal beside its figure."""


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--tiny", is_flag=True, help="Run everything once and briefly: shows that it works; figures mean little.")
def core(as_json: bool, tiny: bool) -> int:
    """Speed of the simulation tiers and of the kernel, start, memory."""
    from sim_hardware.bench import core as bench_core
    from sim_hardware.to_c.twin import compiler_version

    compiler = compiler_version()
    rows: list[Row] = []
    for name, measure in bench_core.steps(bench_core.TINY if tiny else bench_core.Sizes()):
        click.echo(f"bench core: {name} ...", err=True)
        rows.extend(measure())
    return _tell("core", rows, as_json, compiler)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--tiny", is_flag=True, help="A few cycles: shows that it works; figures mean little.")
def cycle(as_json: bool, tiny: bool) -> int:
    """A line's cycle on metered pseudo-terminals beside wire, turnaround and t3.5, and beside pymodbus' client."""
    from sim_hardware.bench import line_cycle as bench_line_cycle

    click.echo("bench cycle: lines of the reference pod in real time ...", err=True)
    rows = bench_line_cycle.rows(3 if tiny else bench_line_cycle.CYCLES)
    return _tell("cycle", rows, as_json)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--tiny", is_flag=True, help="The quickest line, a few scans: shows that it works; figures mean little.")
def scan(as_json: bool, tiny: bool) -> int:
    """Ten devices with sixty tags at 9600, 19200 and 115200 baud: scan, shed write, a dead device; other clients."""
    from sim_hardware.line_scan import figures

    click.echo("bench scan: ten devices on metered pseudo-terminals in real time ...", err=True)
    return _tell("scan", figures.rows((115200,), 3, 2, 6) if tiny else figures.rows(), as_json)


@bench.command()
@click.option("--transactions", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--baud", type=click.Choice(["9600", "19200", "38400", "115200"]), default="38400", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def line(transactions: int, seed: int, baud: str, as_json: bool) -> int:
    """Random faults on one line, on virtual time: no wrong value may come out as GOOD."""
    from sim_hardware.line_campaign.figures import figures

    click.echo(f"bench line: {transactions:,} transactions, one fault in five of them ...", err=True)
    found = figures(transactions, seed, int(baud))
    if as_json:
        click.echo(json.dumps(found))
        return 0
    for name, value in found.items():
        shown = f"{value:,.4g}" if isinstance(value, float) else value
        if not isinstance(value, dict):
            click.echo(f"{name}: {shown}")
    for instrument, counts in found["without_check_sequence"].items():
        told = ", ".join(f"{k} {v:,.4g}" for k, v in counts.items() if k != "met")
        click.echo(f"{instrument}: {'met' if counts['met'] else 'MISSED'} ({told})")
    click.echo("\n".join(f"  {kind}: {ms:,.0f} ms of line time" for kind, ms in found["cost_ms_by_kind"].items()))
    return 0


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--tiny", is_flag=True, help="One day: shows that it works; figures mean little.")
@click.option(
    "--observer", is_flag=True, help="Judge the controller's digester model on ADM1; exit 1 for a goal missed."
)
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True, help="With --observer.")
def biology(as_json: bool, tiny: bool, observer: bool, seed: int) -> int:
    """The digester's model under a feed that changes every quarter of an hour, beside scipy's LSODA."""
    if observer:
        from sim_hardware.sourness.rows import rows as judged

        click.echo("bench biology: overloads and surges of the digester, drawn by seed ...", err=True)
        found = judged(8, 2, seed) if tiny else judged(120, 24, seed)
        _tell("biology", found, as_json)
        return 0 if all(row.met for row in found) else 1
    from sim_hardware.bench import biology as bench_biology

    click.echo("bench biology: days of the digester, then the same with LSODA ...", err=True)
    rows = bench_biology.rows(1, 1) if tiny else bench_biology.rows()
    return _tell("biology", rows, as_json)


@bench.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
@click.option("--seconds", "duration_s", type=click.FloatRange(min=1.0), default=60.0, show_default=True)
def lateness(as_json: bool, duration_s: float) -> int:
    """How late a core's ticks are at 100 ms beside four processes that take all they get, and beside cyclictest."""
    from sim_hardware.bench import lateness as bench_lateness

    click.echo(f"bench lateness: a core with ticks of 100 ms for {duration_s:.0f} s ...", err=True)
    return _tell("lateness", bench_lateness.rows(duration_s), as_json)


def _tell(name: str, rows: "list[Row]", as_json: bool, compiler: str = "") -> int:
    """One JSON object, a table on a terminal, or plain lines."""
    if as_json:
        click.echo(json.dumps({"bench": name, "rows": [row._asdict() for row in rows], "machine": _machine(compiler)}))
    elif sys.stdout.isatty():
        _show(rows, name)
    else:
        click.echo("\n".join(_line(row) for row in rows))
    return 0


bench.add_command(guard)


def _machine(compiler: str) -> dict[str, Any]:
    import numba

    return {"processor": _processor(), "python": platform.python_version(), "numba": numba.__version__, "c": compiler}


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith(("model name", "Model"))]
    except OSError:
        names = []
    return names[0] if names else platform.machine()


def _sides(row: "Row") -> tuple[str, str, str]:
    """Figure, goal and verdict as words."""
    bound = "at least" if row.unit.startswith(("simulated", "times", "of hours right", "d ahead")) else "at most"
    return f"{row.figure:,.4g} {row.unit}", f"{bound} {row.goal:,.4g}", "met" if row.met else "MISSED"


def _line(row: "Row") -> str:
    figure, goal, verdict = _sides(row)
    return f"{row.name}: {figure}; goal {goal}: {verdict} ({_detail(row)})"


def _detail(row: "Row") -> str:
    """What a figure was made from, numbers short."""
    numbers = (int, float)
    return ", ".join(
        f"{key} {value:,.4g}" if isinstance(value, numbers) else f"{key} {value}" for key, value in row.detail.items()
    )


def _show(rows: "list[Row]", bench_name: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "figure", "goal", "", "from", title=f"podctl bench {bench_name}")
    for row in rows:
        figure, goal, verdict = _sides(row)
        table.add_row(row.name, figure, goal, f"[green]{verdict}" if row.met else f"[red]{verdict}", _detail(row))
    Console().print(table)
