"""The published quorum circuit in continuous culture: `python -m sim_hardware.culture`.

Buddrus-Schiemann et al. (2014), Pseudomonas putida IsoF in a chemostat, with their names: S nutrient (1 = feed), N
cells/L, A autoinducer and C its complex with the receptor in mol/L, L lactonase (the model's unit), time in h.
Lactonase follows the complex of 2 h ago. Claimed is this circuit, not a calibration of any luminous strain.

Method of steps on a fixed grid that divides the delay: classical Runge-Kutta of order 4; the delayed complex at the
middle of a step is the cubic through values and slopes at its ends, so the order stays 4. All rates are below about 1/h
but the cells' first growth, and 512 steps an hour leave an error near 1e-13 (shown by halving in the tests).

Neighbours: none yet; the pod's luminous reactor builds on it. Must not know the pod.
"""

import json
import math
from functools import cache
from importlib.resources import files
from typing import Any

import click
import numpy as np

from pod_controller.kernels.compile import kernel
from sim_hardware import cli_science
from sim_hardware.adm1.records import Row, Table, Vector
from sim_hardware.adm1.stiff import Matrix

CIRCUIT_FILE = "reference/quorum_sensing_continuous_culture.json"
S, N, A, C, L = range(5)
STATES = ("S", "N", "A", "C", "L")
FEED_S = 1.0  # nutrient is counted in units of the feed
STEPS_PER_H = 512  # a power of two: the grid's times are exact
MOST_H = 100_000.0

# Field of CIRCUIT: key of the file, which adds the unit.
KEYS = {
    **{"D": "D_1_h", "gamma_S": "gamma_S", "K_m": "K_m", "n_S": "n_S", "a": "a_1_h"},
    **{"alpha_A": "alpha_A_mol_cell_h", "beta_A": "beta_A_mol_cell_h", "C1": "C1_mol_L", "n1": "n1"},
    **{"gamma_A": "gamma_A_1_h", "alpha_C": "alpha_C_L_mol_h", "R": "R_mol_L", "gamma_C": "gamma_C_1_h", "K_e": "K_e"},
    **{"alpha_L": "alpha_L", "C2": "C2_mol_L", "n2": "n2", "gamma_L": "gamma_L_1_h", "delay": "delay_h"},
}
CIRCUIT = np.dtype((np.record, [(name, "f8") for name in KEYS]), align=True)


@cache
def _published() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files("sim_hardware").joinpath(CIRCUIT_FILE).read_text("utf-8"))
    return found


def circuit() -> Table:
    """One row of CIRCUIT with the published parameters."""
    made = np.zeros(1, CIRCUIT)
    for name, key in KEYS.items():
        made[0][name] = _published()["parameters"][key]
    return made


def initial() -> Vector:
    """The published state at time 0, which is also the history before it."""
    return np.array(_published()["initial"], dtype=np.float64)


@kernel
def hill(x: float, half: float, n: float) -> float:
    """x^n / (half^n + x^n); zero below zero."""
    if x <= 0.0:
        return 0.0
    return 1.0 / (1.0 + math.pow(half / x, n))


@kernel
def fill_slope(c: Row, y: Vector, delayed_C: float, slope: Vector) -> None:
    """d/dt of the five states, per hour; delayed_C is the complex one delay ago."""
    growth = hill(y[S], c.K_m, c.n_S) * y[N]
    binding = c.alpha_C * (c.R - y[C]) * y[A] - c.gamma_C * y[C]
    made = (c.alpha_A + c.beta_A * hill(y[C], c.C1, c.n1)) * y[N]
    slope[S] = c.D * (FEED_S - y[S]) - c.gamma_S * growth
    slope[N] = c.a * growth - c.D * y[N]
    slope[A] = made - (c.gamma_A + c.D) * y[A] - binding - c.K_e * y[A] * y[L]
    slope[C] = binding
    slope[L] = c.alpha_L * hill(delayed_C, c.C2, c.n2) * y[N] - (c.gamma_L + c.D) * y[L]


@kernel
def trajectory(c: Row, start: Vector, hours: int, steps_per_h: int) -> Matrix:
    """The states at 0, 1, ... hours, one row each; before 0 everything stood at start.

    steps_per_h must make the delay a whole number of steps.
    """
    rows = np.empty((hours + 1, 5))
    rows[0] = start
    delay = round(c.delay * steps_per_h)
    kept = delay + 1
    past_C, past_slope = np.empty(kept), np.empty(kept)
    y, place, k = start.copy(), np.empty(5), np.empty((4, 5))
    h = 1.0 / steps_per_h
    for n in range(hours * steps_per_h):
        past_C[n % kept] = y[C]
        past_slope[n % kept] = c.alpha_C * (c.R - y[C]) * y[A] - c.gamma_C * y[C]
        begin = middle = end = start[C]
        if n >= delay:
            a, b = (n - delay) % kept, (n - delay + 1) % kept
            begin, end = past_C[a], past_C[b]
            middle = 0.5 * (begin + end) + 0.125 * h * (past_slope[a] - past_slope[b])
        fill_slope(c, y, begin, k[0])
        for stage in range(1, 4):
            reach = h if stage == 3 else 0.5 * h
            place[:] = y + reach * k[stage - 1]
            fill_slope(c, place, end if stage == 3 else middle, k[stage])
        y += h / 6.0 * (k[0] + 2.0 * k[1] + 2.0 * k[2] + k[3])
        if (n + 1) % steps_per_h == 0:
            rows[(n + 1) // steps_per_h] = y
    return rows


@click.command("python -m sim_hardware.culture")
@click.option("--hours", required=True, type=float, help="How long; rows come on the hour.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(hours: float, as_json: bool) -> None:
    """The published quorum circuit in continuous culture, from its published start."""
    if not 0.0 <= hours <= MOST_H:
        raise click.UsageError(f"--hours = {hours:g} is outside 0 to {MOST_H:g}")
    states = trajectory(circuit()[0], initial(), int(hours), STEPS_PER_H)
    rows = [{"t_h": t_h} | dict(zip(STATES, row, strict=True)) for t_h, row in enumerate(states.tolist())]
    if as_json:
        cli_science.show({"rows": rows}, as_json=True)
        return
    for row in rows:
        cli_science.line("  ".join(f"{name} {value:.9g}" for name, value in row.items()))


if __name__ == "__main__":
    raise SystemExit(cli_science.run(command))
