"""[digestion] of a pod's TOML: the digester's instruments, its model, and how sour it may become.

Neighbours: `config` holds the table, `topology_digestion` puts it into the kernels' records; `config_contradictions`
says what must hold between its values. Must not know kernels.
"""

from typing import Annotated

from pydantic import Field

from pod_controller.config_types import Array, ConfigTable, Mass, MassOrZero, Tag


class Blind(ConfigTable):
    """What is fed at most without evidence of the digester, from a temperature on: free, slowed, held, stopped."""

    temp_degc: float = Field(ge=0.0, le=70.0)
    feed_kg_24h: Annotated[tuple[MassOrZero, MassOrZero, MassOrZero, MassOrZero], Field(strict=False)]


class DigestionModel(ConfigTable):
    """[digestion.model]: AM2 and the chemistry its instruments are read with; names and units of records.DIGESTION."""

    gas_bar: float = Field(ge=0.8, le=1.5)
    vapour_frac: float = Field(ge=0.0, le=0.3)
    temp_degc: float = Field(ge=15.0, le=60.0)
    co2_mmol_l_bar: float = Field(ge=10.0, le=60.0)
    co2_per_k: float = Field(ge=0.0, le=0.05)
    carbonic_ratio: float = Field(ge=1.0, le=20.0)
    transfer_per_d: float = Field(ge=1.0, le=1e4)
    organics_in_g_l: float = Field(gt=0.0, le=1000.0)
    acids_in_mmol_l: float = Field(ge=0.0, le=2000.0)
    alkalinity_in_mmol_l: float = Field(gt=0.0, le=2000.0)
    mu1_per_d: float = Field(gt=0.0, le=20.0)
    ks1_g_l: float = Field(gt=0.0, le=100.0)
    mu2_per_d: float = Field(gt=0.0, le=20.0)
    ks2_mmol_l: float = Field(gt=0.0, le=1000.0)
    ki2_mmol_l: float = Field(gt=0.0, le=1e5)
    k1_ratio: float = Field(gt=0.0, le=1e4)
    k2_mmol_g: float = Field(gt=0.0, le=1e5)
    k3_mmol_g: float = Field(gt=0.0, le=1e5)
    k6_mmol_g: float = Field(gt=0.0, le=1e5)
    acids_gain_per_d: float = Field(gt=0.0, le=200.0)
    alkalinity_gain_per_d: float = Field(ge=0.0, le=200.0)
    activity_gain_per_d: float = Field(ge=0.0, le=200.0)


class Digestion(ConfigTable):
    """[digestion]: how sour the digester may become before the feed is slowed, held and stopped."""

    gas_tag: Tag
    ch4_tag: Tag
    ph_tag: Tag
    liquid_kg: Mass
    gas_most_m3_h: float = Field(gt=0.0, le=1e5)
    step_s: float = Field(ge=5.0, le=600.0)
    fresh_s: float = Field(ge=1.0, le=600.0)
    carried_s: float = Field(ge=60.0, le=86400.0)
    fos_tac_slow_ratio: float = Field(gt=0.0, le=5.0)
    fos_tac_hold_ratio: float = Field(gt=0.0, le=5.0)
    fos_tac_stop_ratio: float = Field(gt=0.0, le=5.0)
    fos_tac_band_ratio: float = Field(ge=0.0, le=0.5)
    fos_tac_error_ratio: float = Field(ge=0.0, le=0.5)
    stop_ph: float = Field(ge=5.0, le=8.0)
    full_kg_24h: Mass
    held_kg_24h: MassOrZero
    blind: Array[Blind] = Field(min_length=1, max_length=6)
    model: DigestionModel
