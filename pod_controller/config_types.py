"""What the tables of a configuration are made of: the base of each, and the kinds of number and name in them.

Neighbours: `config` and `config_digestion` declare the tables. Must not know any table.
"""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

T = TypeVar("T")
# Numbers, text and booleans are strict: "600.0" and true are no numbers. TOML has arrays and text, no tuples and paths.
Array = Annotated[tuple[T, ...], Field(strict=False)]
FilePath = Annotated[Path, Field(strict=False)]
NAME_PATTERN = r"^[A-Za-z0-9_.-]+$"
TAG_PATTERN = r"^[A-Z]{1,5}-\d{1,4}[A-Z]?$"
Name = Annotated[str, Field(min_length=1, max_length=40, pattern=NAME_PATTERN)]
Tag = Annotated[str, Field(min_length=2, max_length=20, pattern=TAG_PATTERN)]
Mass = Annotated[float, Field(gt=0.0, le=1e6)]
MassOrZero = Annotated[float, Field(ge=0.0, le=1e6)]
Rate = Annotated[float, Field(gt=0.0, le=1e4)]
Stroke = Annotated[float, Field(gt=0.0, le=600.0)]
Watchdog = Annotated[float, Field(ge=0.0, le=60.0)]  # seconds; 0 without one
Share = Annotated[float, Field(ge=0.0, le=1.0)]
End = Annotated[float, Field(ge=-1e6, le=1e6)]
Span = Annotated[tuple[End, End], Field(strict=False)]


class ConfigTable(BaseModel):
    """One table of the file: frozen, strict, no unknown key, no infinite number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)
