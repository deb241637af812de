"""What a scenario may say of the biology, and what waste is made of.

`Settings` is the table [biology] of a scenario file; `content` turns shares of carbohydrate, protein, lipid and inert
into ADM1's states. Neighbours: `start` fills the tables with it, reference/biology.toml has the figures. Must not know
the plant.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim_hardware.adm1 import records as r
from sim_hardware.adm1.records import Vector

Hours = Annotated[float, Field(ge=0.0, le=1000.0, allow_inf_nan=False)]
Waste = Literal["kitchen", "festival", "summer", "winter"]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Weather(_Table):
    """[biology.weather]: the mean is the plant's ambient temperature."""

    swing_k: Annotated[float, Field(ge=0.0, le=20.0)] = 0.0
    coldest_h: Annotated[float, Field(ge=0.0, lt=24.0)] = 5.0  # time of day
    snap_k: Annotated[float, Field(ge=0.0, le=40.0)] = 0.0
    snap_from_h: Hours = 0.0
    snap_for_h: Hours = 0.0


class Settings(_Table):
    """[biology] of a scenario: condition of the methanogens, waste, foam, weather."""

    methanogen_frac: Annotated[float, Field(gt=0.0, le=2.0, allow_inf_nan=False)] = 1.0
    foam_prone_ratio: Annotated[float, Field(gt=0.0, le=10.0, allow_inf_nan=False)] = 1.0
    waste: Waste = "kitchen"
    festival_from_h: Hours = 0.0  # the festival's waste is fed for festival_for_h from here on
    festival_for_h: Hours = 0.0
    weather: Weather = Weather()


def content(table: Mapping[str, Any], waste: str) -> Vector:
    """Kg COD (kmol for S_IC, S_IN, S_cat, S_an) per kg of wet waste, in the order of LIQUID.

    table: [waste] of biology.toml. COD by mass of each kind; a part of carbohydrate and protein is dissolved already.
    """
    cod = {
        kind: share * solids_kg_kg(table) * table["cod_kg_kg"][kind]
        for kind, share in [*table["shares"][waste].items(), ("acetic", table["acetic_frac"])]
    }
    dissolved = table["dissolved_frac"]
    states = {
        "S_su": dissolved * cod["carbohydrate"],
        "S_aa": dissolved * cod["protein"],
        "S_ac": cod["acetic"],
        "X_ch": (1.0 - dissolved) * cod["carbohydrate"],
        "X_pr": (1.0 - dissolved) * cod["protein"],
        "X_li": cod["lipid"],
        "X_I": cod["inert"],
        "S_IC": table["carbon_kmol_m3"] / 1000.0,
        "S_IN": table["nitrogen_kmol_m3"] / 1000.0,
        "S_cat": table["cation_kmol_m3"] / 1000.0,
        "S_an": table["anion_kmol_m3"] / 1000.0,
    }
    return np.array([states.get(name, 0.0) for name in r.LIQUID])


def solids_kg_kg(table: Mapping[str, Any]) -> float:
    """Volatile solids per kg of wet waste."""
    return float(table["solids_frac"] * table["volatile_frac"])
