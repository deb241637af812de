"""ADM1 as published, on a file's feed: `python -m sim_hardware.adm1`.

`simulate` runs one digester through the rows of an influent; `observed` says what its state amounts to in the names and
units of the published tables: acids' ions, free ammonia, pH, partial pressures, and the gas flow as the report states
it, k_p (P - P_atm) P / P_atm.

Neighbours: `files`, `parameters`, `solver`; `digester` builds on this. Must not know the pod.
"""

import csv
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from hal.clock import SystemClock
from hal.errors import PodError
from sim_hardware import cli_science
from sim_hardware.adm1 import parameters as adm1_parameters
from sim_hardware.adm1 import records as r
from sim_hardware.adm1.files import Influent, read_influent, read_initial
from sim_hardware.adm1.model import gas_outflow_m3_d, hydrogen_ions
from sim_hardware.adm1.records import Row, Table, Vector
from sim_hardware.adm1.solver import SHORTEST_D, advance

E_STUCK = 460
E_UNWRITTEN = 461
NEUTRAL_S_H = 1e-7
LIMITS = {"--days": (0.0, 1e6), "--rtol": (1e-12, 1e-2)}

Look = Callable[[float, Row], None]  # t_d, DIGESTION


def start(parameters: Table, initial: Vector) -> Table:
    """One row of DIGESTION at the 29 states of initial (order of STATES), without feed."""
    digestion = r.table(r.DIGESTION)
    digestion[0].y = initial
    digestion[0].S_H = hydrogen_ions(parameters[0], initial, NEUTRAL_S_H)
    return digestion


def simulate(parameters: Table, digestion: Table, influent: Influent, days: float, rtol: float, look: Look) -> None:
    """Run digestion for days; look is called at 0 and at the end of each row (constant feed: daily).

    Raises PodError E460 when no step is short enough.
    """
    p, s, w = parameters[0], digestion[0], r.table(r.WORKSPACE)[0]
    look(0.0, s)
    begin_d = 0.0
    for row, end_d in _pieces(influent, days):
        s.feed, s.Q = influent.feed[row], influent.Q[row]
        if not advance(p, s, w, end_d - begin_d, rtol):
            limit = f"no step of {SHORTEST_D:g} d or more meets rtol = {rtol:g}"
            raise PodError(E_STUCK, f"ADM1 stopped between day {begin_d:g} and {end_d:g}: {limit}")
        begin_d = end_d
        look(end_d, s)


def _pieces(influent: Influent, days: float) -> list[tuple[int, float]]:
    """(row, day on which it ends) up to days."""
    if influent.is_constant:
        ends_d = [float(day) for day in range(1, math.ceil(days))]
        return [(0, end_d) for end_d in [*ends_d, days] if days > 0.0]
    begins_d = influent.start_d.tolist()
    ends_d = [min(end_d, days) for end_d in (*begins_d[1:], math.inf)]
    return [(row, ends_d[row]) for row, begin_d in enumerate(begins_d) if begin_d < days]


def observed(p: Row, s: Row) -> dict[str, float]:
    """The published figures of a state: keys of `steady_state` in the reference file."""
    y, S_H = s.y, float(s.S_H)
    figures = {name: float(y[at]) for at, name in enumerate(r.LIQUID)}
    for acid, name in enumerate(("S_va_ion", "S_bu_ion", "S_pro_ion", "S_ac_ion")):
        figures[name] = float(p.K_a[acid] * y[r.ACID[acid]] / (p.K_a[acid] + S_H))
    figures["S_hco3_ion"] = float(p.K_a_co2 * y[r.S_IC] / (p.K_a_co2 + S_H))
    figures["S_nh3"] = float(p.K_a_IN * y[r.S_IN] / (p.K_a_IN + S_H))
    figures["S_co2"] = float(S_H * y[r.S_IC] / (p.K_a_co2 + S_H))
    figures["S_nh4_ion"] = float(S_H * y[r.S_IN] / (p.K_a_IN + S_H))
    figures |= {name: float(y[r.LIQUIDS + gas]) for gas, name in enumerate(r.GAS)}
    partial = [float(y[r.LIQUIDS + gas] * p.bar_per[gas]) for gas in range(r.GASES)]
    pressure = sum(partial) + float(p.p_h2o)
    figures["pH"] = -math.log10(S_H)
    figures["q_gas_m3_d_at_Patm"] = float(gas_outflow_m3_d(p, y)) * pressure / float(p.P_atm)
    return figures | {"p_ch4_bar": partial[1], "p_co2_bar": partial[2]}


def _changes(assignments: tuple[str, ...]) -> dict[str, float]:
    changes = {}
    for text in assignments:
        name, equals, value = (part.strip() for part in text.partition("="))
        try:
            changes[name] = float(value)
        except ValueError as error:
            raise click.UsageError(f"--set {text}: write NAME=NUMBER") from error
        if not equals:
            raise click.UsageError(f"--set {text}: write NAME=NUMBER")
    return changes


def check_ranges(values: Mapping[str, float], limits: Mapping[str, tuple[float, float]]) -> None:
    """A usage error that names the first option outside its limits; NaN is outside."""
    for option, value in values.items():
        low, high = limits[option]
        if not low <= value <= high:
            raise click.UsageError(f"{option} = {value:g} is outside {low:g} to {high:g}")


def _write(path: Path, rows: list[dict[str, float]]) -> None:
    try:
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise PodError(E_UNWRITTEN, f"{path}: the trajectory cannot be written: {error.strerror}") from error


@click.command("python -m sim_hardware.adm1")
@click.option(
    "--influent", required=True, type=click.Path(path_type=Path), help="CSV of ADM1 names and Q; t_d if it varies."
)
@click.option("--initial", required=True, type=click.Path(path_type=Path), help="JSON object of the 29 states.")
@click.option("--days", required=True, type=float)
@click.option("--rtol", type=float, default=1e-8, show_default=True, help="Error per step, of each state.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="A parameter, V_liq, V_gas or T_K.")
@click.option("--trajectory", type=click.Path(path_type=Path), help="CSV of the way there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(**asked: Any) -> None:
    """Anaerobic Digestion Model No. 1 (BSM2) under a feed from a file."""
    check_ranges({"--days": asked["days"], "--rtol": asked["rtol"]}, LIMITS)
    parameters = adm1_parameters.build(_changes(asked["assignments"]))
    influent = read_influent(asked["influent"])
    digestion = start(parameters, read_initial(asked["initial"]))
    rows: list[dict[str, float]] = []
    p, s, path = parameters[0], digestion[0], asked["trajectory"]

    def look(t_d: float, now: Row) -> None:
        if path is not None:
            rows.append({"t_d": t_d} | observed(p, now))

    advance(p, start(parameters, s.y)[0], r.table(r.WORKSPACE)[0], 0.0, 1e-6)  # compiles: not part of wall_s
    clock = SystemClock()
    begun_ns = clock.now_ns()
    simulate(parameters, digestion, influent, asked["days"], asked["rtol"], look)
    wall_s = (clock.now_ns() - begun_ns) * 1e-9
    if path is not None:
        _write(path, rows)
    cli_science.show(observed(p, s) | {"steps": int(s.steps), "wall_s": wall_s}, as_json=asked["as_json"])
