"""The food-waste digester under overload: `python -m sim_hardware.digester`.

ADM1 with two things a sewage works does not need: a feed counted as carbohydrate, protein, lipid and inert, and a
*methanogen condition* f, a factor on the maximum rates (k_m) of the degraders of propionate, acetate and hydrogen. With
the published rates (f = 1) no overload of this vessel ever turns it sour; plants that lack trace elements behave like
0.45 to 0.7. FOS/TAC is what a laboratory titrates: volatile acids as mg acetic acid over bicarbonate as mg CaCO3.

A run: 300 d of the feed from the published initial state with the same f, then the feed's flow times the overload, the
state read every hour; crossings are interpolated between hours.

Neighbours: `adm1` (the model), `adm1.files` (checks), reference/digester_feed.json (the pod's own feed). Must not know
the pod's pumps or the controller.
"""

import json
import math
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from hal.errors import PodError
from sim_hardware import cli_science
from sim_hardware.adm1 import parameters as adm1_parameters
from sim_hardware.adm1 import records as r
from sim_hardware.adm1 import simulation as adm1
from sim_hardware.adm1.files import FLOW, Influent, numbers, read_object
from sim_hardware.adm1.records import Row, Table, Vector
from sim_hardware.adm1.solver import advance

E_FEED = 144
OWN_FEED = "reference/digester_feed.json"
START = "reference/adm1_reference_A_rosen_jeppsson_2006.json"
VESSEL = ("V_liq", "V_gas", "T_K")
METHANOGENS = ("k_m_pro", "k_m_ac", "k_m_h2")
NOMINAL_D = 300.0
READ_D = 1.0 / 24.0
RTOL = 1e-6
FOS_TAC_LEVELS = (0.3, 0.4, 0.6, 0.8)
SOUR_PH = 6.5
# Titration counts every acid as acetic (60 g/mol) and bicarbonate as CaCO3 (50 g per charge).
ACETIC_MG_PER_KMOL_M3, CALCITE_MG_PER_KMOL_M3 = 60_000.0, 50_000.0


class Feed(NamedTuple):
    """What flows in and into what: concentrations in the order of LIQUID, parameters that differ from the published."""

    content: Vector
    flow_m3_d: float
    changes: dict[str, float]


class Seen(NamedTuple):
    """One reading of the digester."""

    fos_tac_ratio: float
    ph: float
    ch4_frac: float
    gas_m3_d: float


def read_feed(path: Path) -> Feed:
    """A feed from a JSON file: influent, conditions (Q, V_liq, V_gas, T_K), and parameters where they differ."""
    found = read_object(path)
    parts: dict[str, Any] = {"parameters": {}} | found
    for part in ("influent", "conditions", "parameters"):
        if not isinstance(parts.get(part), dict):
            raise PodError(E_FEED, f"{path}: has no object '{part}': see {OWN_FEED} for the form")
    influent = numbers(parts["influent"], r.LIQUID, f"{path} influent")
    conditions = numbers(parts["conditions"], (FLOW, *VESSEL), f"{path} conditions")
    missing = [name for name in (FLOW, *VESSEL) if name not in conditions]
    if missing:
        raise PodError(E_FEED, f"{path} conditions: lacks {', '.join(missing)}")
    known = tuple(adm1_parameters.published())
    changes = numbers(parts["parameters"], known, f"{path} parameters") | {name: conditions[name] for name in VESSEL}
    return Feed(np.array([influent.get(name, 0.0) for name in r.LIQUID]), conditions[FLOW], changes)


def own_feed() -> Feed:
    """The pod's own feed at its design load."""
    with as_file(files("sim_hardware").joinpath(OWN_FEED)) as path:
        return read_feed(path)


def parameters(feed: Feed, methanogen_frac: float) -> Table:
    """PARAMETERS of ADM1 for a feed's vessel and a methanogen condition (1 = published rates)."""
    rates = dict(adm1_parameters.published()) | feed.changes
    return adm1_parameters.build(feed.changes | {name: methanogen_frac * rates[name] for name in METHANOGENS})


def nominal(feed: Feed, made: Table) -> Table:
    """DIGESTION after 300 d of the feed from the published initial state."""
    stored = json.loads(files("sim_hardware").joinpath(START).read_text("utf-8"))["initial"]
    digestion = adm1.start(made, np.array([stored[name] for name in r.STATES]))
    steady = Influent(np.zeros(1), feed.content[np.newaxis], np.array([feed.flow_m3_d]), True)
    adm1.simulate(made, digestion, steady, NOMINAL_D, RTOL, lambda _t_d, _s: None)
    return digestion


def seen(p: Row, s: Row) -> Seen:
    """What a laboratory and the gas line show of a state; gas and its methane share are wet, at P_atm and T_K."""
    figures = adm1.observed(p, s)
    acids = sum(max(0.0, float(s.y[r.ACID[at]])) / float(r.COD_PER_KMOL[at]) for at in range(r.ACIDS))
    alkalinity = max(figures["S_hco3_ion"], 1e-12)
    pressure_bar = figures["p_ch4_bar"] + figures["p_co2_bar"] + float(s.y[r.G_H2] * p.bar_per[0] + p.p_h2o)
    return Seen(
        acids * ACETIC_MG_PER_KMOL_M3 / (alkalinity * CALCITE_MG_PER_KMOL_M3),
        figures["pH"],
        figures["p_ch4_bar"] / pressure_bar,
        figures["q_gas_m3_d_at_Patm"],
    )


def overload(feed: Feed, methanogen_frac: float, load_ratio: float, days_d: float) -> list[Seen]:
    """Hourly readings from the nominal state on, the feed's flow times load_ratio at the same composition."""
    made = parameters(feed, methanogen_frac)
    digestion = nominal(feed, made)
    p, s, w = made[0], digestion[0], r.table(r.WORKSPACE)[0]
    s.feed, s.Q = feed.content, load_ratio * feed.flow_m3_d
    readings = [seen(p, s)]
    for hour in range(1, math.floor(days_d / READ_D + 1e-9) + 1):
        if not advance(p, s, w, READ_D, RTOL):
            raise PodError(adm1.E_STUCK, f"the digester's model stopped in hour {hour} of the overload")
        readings.append(seen(p, s))
    return readings


def days_to_rise(hourly: list[float], value: float) -> float | None:
    """Days until an hourly series reaches value, interpolated; 0 when it starts there, None when it never does."""
    for hour, now in enumerate(hourly):
        if now >= value:
            before = hourly[hour - 1] if hour else now
            return (hour - ((now - value) / (now - before) if now > before else 0.0)) * READ_D
    return None


def summary(readings: list[Seen]) -> dict[str, float | None]:
    """The figures of CONTRACTS: when each level was crossed, and what was normal."""
    ratios = [reading.fos_tac_ratio for reading in readings]
    crossed = {f"days_to_fos_tac_{level}": days_to_rise(ratios, level) for level in FOS_TAC_LEVELS}
    sour_d = days_to_rise([-reading.ph for reading in readings], -SOUR_PH)
    normal = readings[0]
    return crossed | {
        f"days_to_ph_{SOUR_PH}": sour_d,
        "fos_tac_nominal": normal.fos_tac_ratio,
        "ph_nominal": normal.ph,
        "ch4_frac_nominal": normal.ch4_frac,
        "gas_m3_d_nominal": normal.gas_m3_d,
    }


RANGES = {"--methanogen-f": (0.0, 2.0), "--overload": (0.0, 100.0), "--days": (0.0, 10_000.0)}


@click.command("python -m sim_hardware.digester")
@click.option("--methanogen-f", required=True, type=float, help="Condition of the methanogens, 1 = published rates.")
@click.option("--overload", "load", required=True, type=float, help="The feed's flow times this.")
@click.option("--days", required=True, type=float)
@click.option("--feed", "feed_path", type=click.Path(path_type=Path), help="JSON; default: the pod's own feed.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(**asked: Any) -> None:
    """A food-waste digester thrown from its nominal steady state into an overload."""
    methanogen_frac, load_ratio, days_d = asked["methanogen_f"], asked["load"], asked["days"]
    adm1.check_ranges({"--methanogen-f": methanogen_frac, "--overload": load_ratio, "--days": days_d}, RANGES)
    feed = own_feed() if asked["feed_path"] is None else read_feed(asked["feed_path"])
    cli_science.show(summary(overload(feed, methanogen_frac, load_ratio, days_d)), as_json=asked["as_json"])


if __name__ == "__main__":
    raise SystemExit(cli_science.run(command))
