"""[protection]: the signals and limits of the cause-and-effect table that are not levels or positions.

What is left out is not fitted: its rows do not exist on this pod, and `podctl cause-effect` says so. Limits trip, they
do not control. Neighbours: `config` holds it, `cause_effect` reads it. Must not know rows.
"""

from typing import Annotated

from pydantic import Field

from pod_controller.config_types import Array, ConfigTable, Name, Tag

Celsius = Annotated[float, Field(ge=-40.0, le=150.0)]
Kelvin = Annotated[float, Field(gt=0.0, le=100.0)]
Pressure = Annotated[float, Field(ge=-100.0, le=500.0)]
Percent = Annotated[float, Field(gt=0.0, le=100.0)]


class Companion(ConfigTable):
    """[[protection.companion]]: a position that must show shut whenever that element is told to shut."""

    tag: Tag
    element: Name


class Protection(ConfigTable):
    """[protection]"""

    pressure_tag: Tag | None = None  # gas, mbar over the air outside
    pressure_high_mbar: Pressure = 20.0
    pressure_low_mbar: Pressure = 1.0
    temp_high_degc: Celsius = 45.0  # of the vessel that the thermostat heats
    jacket_tag: Tag | None = None
    jacket_high_degc: Celsius = 65.0
    jacket_warm_k: Kelvin = 5.0  # while the heater runs the jacket is warmer than the vessel by at least this
    jacket_settles_s: Annotated[float, Field(ge=10.0, le=86400.0)] = 1500.0
    methane_tag: Tag | None = None
    methane_high_pct: Percent = 20.0  # of the lower explosive limit
    sulfide_tag: Tag | None = None
    sulfide_high_ppm: Annotated[float, Field(gt=0.0, le=1000.0)] = 10.0
    foam_tag: Tag | None = None  # a foam probe in the fed vessel: 1 = foam
    guard_tags: Array[Tag] = Field(default=(), max_length=2)  # the cutter's guard, two channels: 1 = shut
    power_tag: Tag | None = None  # the outputs' supply: 1 = there
    companion: Array[Companion] = Field(default=(), max_length=8)
