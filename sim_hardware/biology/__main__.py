"""Whether every balance closes: `python -m sim_hardware.biology`.

The living part alone, fed minute by minute: *quiet* at the design load, *surge* with three times as much on the second
to fourth day of every week, *overload* with six times as much and poor methanogens, which turns it sour.

Neighbours: `alone` runs, `balances` counts. Must not know the controller.
"""

from typing import Any, NamedTuple

import click

from sim_hardware import cli_science
from sim_hardware.biology.alone import Alone
from sim_hardware.biology.balances import balances
from sim_hardware.biology.settings import Settings
from sim_hardware.biology.summary import summary

NOMINAL_KG = 330.0 / 1440.0  # per minute
MINUTES_D = 1440
SURGE_DAYS = (1, 2, 3)
DIGITS = 6


class Case(NamedTuple):
    """A feed: load_ratio times the design load, all the time or on the days of the surge."""

    methanogen_frac: float
    load_ratio: float
    always: bool


CASES = {"quiet": Case(1.0, 1.0, True), "surge": Case(0.7, 3.0, False), "overload": Case(0.55, 6.0, True)}


def feed_kg(case: Case, minute: int) -> float:
    """Wet waste in one minute."""
    surging = case.always or minute // MINUTES_D % 7 in SURGE_DAYS
    return NOMINAL_KG * (case.load_ratio if surging else 1.0)


def run_case(case: Case, days: int) -> dict[str, Any]:
    """Balances and findings after so many days."""
    alone = Alone(Settings(methanogen_frac=case.methanogen_frac))
    for minute in range(days * MINUTES_D):
        alone.minute(feed_kg(case, minute))
    rows = {
        balance.quantity: {name: float(value) for name, value in balance._asdict().items() if name != "quantity"}
        | {"error_ratio": balance.error_ratio}
        for balance in balances(alone.params, alone.pod)
    }
    found = summary(alone.params, alone.pod)
    assert found is not None
    shown = {name: found[name] for name in ("ph", "fos_tac_ratio", "ch4_frac", "burner_m3", "flare_m3")}
    return {"balances": rows, **shown, "state_sha256": found["state_sha256"]}


@click.command("python -m sim_hardware.biology")
@click.option("--days", type=click.IntRange(1, 3650), default=30, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def command(days: int, as_json: bool) -> None:
    """COD, carbon, nitrogen, slurry, water and heat of the digester: in, out, still there, and what is missing."""
    cases = {name: run_case(case, days) for name, case in CASES.items()}
    if as_json:
        cli_science.show({"days": days, **cases}, as_json=True)
        return
    for name, found in cases.items():
        ends = f"pH {found['ph']:.2f}, FOS/TAC {found['fos_tac_ratio']:.3g}, CH4 {found['ch4_frac']:.1%}"
        cli_science.line(f"{name}, {days} d: {ends}")
        for quantity, row in found["balances"].items():
            sides = "  ".join(f"{side} {row[side]:.{DIGITS}g}" for side in ("start", "entered", "left", "end"))
            cli_science.line(f"  {quantity:<9}{sides}  missing {row['error_ratio']:.1e} of it")


if __name__ == "__main__":
    raise SystemExit(cli_science.run(command))
