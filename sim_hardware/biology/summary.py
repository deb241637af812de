"""What became of the biology in a run, for the result of `podctl sim`: findings, gas, balances, a fingerprint.

The fingerprint covers every bit of the biology's state but its scratch, so that two runs with the same one went the
same way. Neighbours: `readings`, `balances`; `pod_plant` asks. Must not know how results are shown.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from hal.errors import PodError
from sim_hardware.biology.balances import balances
from sim_hardware.biology.luminous import diagnosis
from sim_hardware.biology.readings import read
from sim_hardware.biology.records import BURNER, FLARE, RELIEF
from sim_hardware.plant_records import Table

E_STUCK = 460
SCRATCH = ("workspace", "place", "slope")
SHOWN = (
    *("ph", "ch4_frac", "fos_tac_ratio", "laboratory_fos_tac_ratio", "acid_kg_m3", "load_kg_m3"),
    *("pressure_mbar", "foam_m", "temp_degc", "light_frac", "density_ratio", "oxygen_mg_l"),
)


def summary(params: Table, pod: Table) -> Mapping[str, Any] | None:
    """None for a pod without biology. PodError 460 when ADM1's solver gave up on the way."""
    if params[0].biology.period_ns == 0:
        return None
    b = pod[0].biology
    if b.stuck > 0:
        raise PodError(E_STUCK, f"the digester's model could not be solved in {b.stuck} minutes: look at its feed")
    now = read(pod)._asdict()
    volumes_m3 = b.gas_out_m3
    return {
        **{name: now[name] for name in SHOWN},
        "luminous": diagnosis(now["light_frac"], now["density_ratio"], now["oxygen_mg_l"]),
        "burner_m3": float(volumes_m3[BURNER]),
        "flare_m3": float(volumes_m3[FLARE]),
        "relief_m3": float(volumes_m3[RELIEF]),
        "balance_error_ratio": {balance.quantity: balance.error_ratio for balance in balances(params, pod)},
        "state_sha256": fingerprint(pod),
    }


def fingerprint(pod: Table) -> str:
    """SHA-256 over the biology's state."""
    digest = hashlib.sha256()
    biology = pod["biology"]
    for name in biology.dtype.names or ():
        if name not in SCRATCH:
            digest.update(biology[name].tobytes())
    return digest.hexdigest()
