"""[[signal]]: how a tag may move; and what of it contradicts the rest.

Neighbours: `config` holds the table, `config_names` asks for faults, `signal_watch` lives by it. Must not know TOML.
"""

from pydantic import Field

from pod_controller.config_types import Array, ConfigTable, Name, Tag


class Signal(ConfigTable):
    """[[signal]]: what one input may not do. 0 switches a check off.

    rate_max_per_s: fastest true change, in the unit of the tag. stuck_s: how long it may stay within stuck_band_value
    while any of the elements in moves_with is granted open.
    """

    tag: Tag
    rate_max_per_s: float = Field(default=0.0, ge=0.0, le=1e6)
    stuck_s: float = Field(default=0.0, ge=0.0, le=86400.0)
    stuck_band_value: float = Field(default=0.0, ge=0.0, le=1e6)
    moves_with: Array[Name] = Field(default=(), max_length=8)
