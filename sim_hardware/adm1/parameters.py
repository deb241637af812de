"""ADM1's parameters: read from the published table, changed by name, turned into what the kernels use.

Formulas: Rosen & Jeppsson (2006), "Aspects on ADM1 implementation within the BSM2 framework". The carbon and nitrogen
columns of the Petersen matrix are not typed: they close the balance of every process from the contents C_ and N_.

Neighbours: `records` names the fields. Must not know influents, commands or the pod.
"""

import math
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from hal.errors import PodError
from sim_hardware.adm1 import records as r
from sim_hardware.adm1.records import Table

TABLE = "reference/adm1_parameters_bsm2.csv"
E_PARAMETER = 140
KELVIN_LOW, KELVIN_HIGH = 273.15, 373.15
_NOT_NUMBERS = ("Q_in_case_A", "pH_inhibition_form", "gas_flow")  # rows of the table that describe
_ABOVE_ZERO = ("V_liq", "V_gas", "R", "T_base", "T_op", "P_atm", "K_")
_ANY_SIGN = ("pH_", "pK")


@cache
def published() -> Mapping[str, float]:
    """Name to value, as in the table of the BSM2 report; T_op in kelvin, p_h2o left out (it follows from T_op)."""
    values = {}
    text = files("sim_hardware").joinpath(TABLE).read_text("utf-8")
    for line in text.splitlines():
        name, _, rest = line.partition(",")
        if line.startswith("#") or name in ("name", "p_h2o", *_NOT_NUMBERS):
            continue
        dividend, _, divisor = rest.split(",")[0].partition("/")
        values[name] = float(dividend) / float(divisor or 1.0)
    return values


def build(changes: Mapping[str, float]) -> Table:
    """One row of PARAMETERS: the published values with changes by name; T_K is another name of T_op.

    Raises PodError E140 for an unknown name or a value that the model has no meaning for.
    """
    v = dict(published())
    for name, value in changes.items():
        known = "T_op" if name == "T_K" else name
        if known not in v and known != "p_h2o":
            nearest = min([*v, "p_h2o", "T_K"], key=lambda other: _distance(name, other))
            raise PodError(E_PARAMETER, f"{name} is not a parameter of ADM1: did you mean {nearest}?")
        _check(known, value)
        v[known] = value
    if not KELVIN_LOW <= v["T_op"] <= KELVIN_HIGH:
        raise PodError(E_PARAMETER, f"T_K = {v['T_op']:g} is outside {KELVIN_LOW} to {KELVIN_HIGH} K")
    for group in ("aa", "ac", "h2"):
        low, high = v[f"pH_LL_{group}"], v[f"pH_UL_{group}"]
        if not low < high:
            raise PodError(E_PARAMETER, f"pH_LL_{group} = {low:g} is not below pH_UL_{group} = {high:g}")
    made = r.table(r.PARAMETERS)
    p = made[0]
    p.V_liq, p.V_gas, p.K_S_IN, p.k_dec = v["V_liq"], v["V_gas"], v["K_S_IN"], v["k_dec_all_X"]
    p.k_La, p.k_p, p.P_atm, p.RT = v["k_La"], v["k_p"], v["P_atm"], v["R"] * v["T_op"]
    _fill_kinetics(p, v)
    _fill_equilibria(p, v)
    _fill_petersen(p, v)
    return made


def _check(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise PodError(E_PARAMETER, f"{name} = {value} is not a finite number")
    if value < 0.0 and not name.startswith(_ANY_SIGN):
        raise PodError(E_PARAMETER, f"{name} = {value:g} is below zero")
    if value == 0.0 and name.startswith(_ABOVE_ZERO):
        raise PodError(E_PARAMETER, f"{name} = 0 must be above zero")


def _distance(name: str, other: str) -> float:
    from difflib import SequenceMatcher

    return -SequenceMatcher(None, name.lower(), other.lower()).ratio()


def _fill_kinetics(p: r.Row, v: Mapping[str, float]) -> None:
    p.k_first = [v[f"k_{name}"] for name in ("dis", "hyd_ch", "hyd_pr", "hyd_li")]
    groups = ("su", "aa", "fa", "c4", "c4", "pro", "ac", "h2")
    p.k_m = [v[f"k_m_{group}"] for group in groups]
    p.K_S = [v[f"K_S_{group}"] for group in groups]
    p.per_K_I_h2 = [1.0 / v[f"K_I_h2_{group}"] if f"K_I_h2_{group}" in v else 0.0 for group in groups]
    p.per_K_I_nh3 = 1.0 / v["K_I_nh3"]
    for row, group in enumerate(("aa", "ac", "h2")):
        low, high = v[f"pH_LL_{group}"], v[f"pH_UL_{group}"]
        p.K_pH[row] = 10.0 ** (-(low + high) / 2.0)
        p.n_pH[row] = 3.0 / (high - low)


def _fill_equilibria(p: r.Row, v: Mapping[str, float]) -> None:
    """Van 't Hoff from T_base to T_op; heats of reaction in J/mol, 100 R is the gas constant in J/(mol K)."""
    per_kelvin = 1.0 / v["T_base"] - 1.0 / v["T_op"]
    warmth = per_kelvin / (100.0 * v["R"])
    p.K_a = [10.0 ** -v[f"pKa_{acid}"] for acid in ("va", "bu", "pro", "ac")]
    p.K_a_co2 = 10.0 ** -v["pKa_co2"] * math.exp(7646.0 * warmth)
    p.K_a_IN = 10.0 ** -v["pKa_IN"] * math.exp(51965.0 * warmth)
    p.K_w = 10.0 ** -v["pKw_base"] * math.exp(55900.0 * warmth)
    p.p_h2o = v.get("p_h2o", 0.0313 * math.exp(5290.0 * per_kelvin))
    content = (16.0, 64.0, 1.0)  # kg COD per kmol of H2 and CH4; CO2 is counted in kmol
    henry = (("h2", -4180.0), ("ch4", -14240.0), ("co2", -19410.0))
    for gas, (name, heat) in enumerate(henry):
        p.dissolved[gas] = content[gas] * v[f"K_H_{name}_base"] * math.exp(heat * warmth)
        p.bar_per[gas] = p.RT / content[gas]


def _fill_petersen(p: r.Row, v: Mapping[str, float]) -> None:
    carbon, nitrogen = contents(v)
    at = 0
    for process, row in enumerate([*_breakdown(v), *_uptakes(v), *_decays()]):
        closed = dict(row)
        closed["S_IC"] = -sum(carbon.get(name, 0.0) * share for name, share in row.items())
        closed["S_IN"] = -sum(nitrogen.get(name, 0.0) * share for name, share in row.items())
        for name, share in closed.items():
            if share != 0.0:
                p.entry_state[at], p.entry[at] = r.STATES.index(name), share
                at += 1
        p.first_entry[process + 1] = at


def contents(v: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Kmol of carbon and of nitrogen per kg COD of each state."""
    names = {"S_I": "sI", "X_I": "xI", "X_xc": "xc", "X_ch": "ch", "X_pr": "pr", "X_li": "li", "S_ch4": "ch4"}
    names |= {f"S_{name}": name for name in ("su", "aa", "fa", "va", "bu", "pro", "ac")}
    biomass = [f"X_{name}" for name in ("su", "aa", "fa", "c4", "pro", "ac", "h2")]
    carbon = {state: v[f"C_{name}"] for state, name in names.items()} | dict.fromkeys(biomass, v["C_bac"])
    nitrogen = {"X_xc": v["N_xc"], "S_I": v["N_I"], "X_I": v["N_I"], "X_pr": v["N_aa"], "S_aa": v["N_aa"]}
    return carbon, nitrogen | dict.fromkeys(biomass, v["N_bac"])


def _breakdown(v: Mapping[str, float]) -> list[dict[str, float]]:
    """Disintegration and the three hydrolyses."""
    parts = {"S_I": "sI", "X_I": "xI", "X_ch": "ch", "X_pr": "pr", "X_li": "li"}
    return [
        {"X_xc": -1.0} | {state: v[f"f_{part}_xc"] for state, part in parts.items()},
        {"X_ch": -1.0, "S_su": 1.0},
        {"X_pr": -1.0, "S_aa": 1.0},
        {"X_li": -1.0, "S_su": 1.0 - v["f_fa_li"], "S_fa": v["f_fa_li"]},
    ]


def _uptakes(v: Mapping[str, float]) -> list[dict[str, float]]:
    """Sugars, amino acids, fatty acids, valerate, butyrate, propionate, acetate, hydrogen."""
    products = {
        "su": ("bu", "pro", "ac", "h2"),
        "aa": ("va", "bu", "pro", "ac", "h2"),
        "fa": ("ac", "h2"),
        "va": ("pro", "ac", "h2"),
        "bu": ("ac", "h2"),
        "pro": ("ac", "h2"),
    }
    rows = []
    for eaten, made in products.items():
        group = "c4" if eaten in ("va", "bu") else eaten
        left = 1.0 - v[f"Y_{group}"]
        row = {f"S_{eaten}": -1.0, f"X_{group}": v[f"Y_{group}"]}
        rows.append(row | {f"S_{product}": left * v[f"f_{product}_{eaten}"] for product in made})
    for eaten in ("ac", "h2"):
        rows.append({f"S_{eaten}": -1.0, f"X_{eaten}": v[f"Y_{eaten}"], "S_ch4": 1.0 - v[f"Y_{eaten}"]})
    return rows


def _decays() -> list[dict[str, float]]:
    return [{f"X_{name}": -1.0, "X_xc": 1.0} for name in ("su", "aa", "fa", "c4", "pro", "ac", "h2")]
