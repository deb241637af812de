"""Points of a calibration from a file, for a bench without a terminal: TOML, or JSON of the same shape.

    person = "R. Okafor"
    valid_days = 365
    [[point]]
    standard = "M1 20 kg, No. 12"
    true = 20.0
    raw = 20.9            # and if known: spread, doubt, check

Neighbours: `cli_calibrate`. Must not know how a curve is fitted.
"""

import json
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hal.calibration import Method
from hal.calibration_file import Taken
from hal.errors import PodError
from pod_controller.config_faults import told

UNUSABLE = 475


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Point(_Table):
    """One [[point]], with the short names that a technician writes."""

    true_value: float = Field(alias="true")
    raw_value: float = Field(alias="raw")
    standard: str = Field(default="", max_length=200)
    spread_value: float = Field(default=0.0, ge=0.0, alias="spread")
    doubt_value: float = Field(default=0.0, ge=0.0, alias="doubt")
    is_check: bool = Field(default=False, alias="check")


class Points(_Table):
    """The whole file; what it leaves out is taken from the command line."""

    point: tuple[Point, ...] = Field(min_length=1, max_length=40)
    person: str = ""
    name: str = ""
    method: Method | None = None
    valid_days: int | None = Field(default=None, ge=1, le=3660)
    replaced: str = ""
    limit_value: float | None = Field(default=None, gt=0.0, alias="limit")  # of the residual, in the point's unit

    def taken(self) -> list[Taken]:
        """The points as they go into a calibration."""
        return [Taken.model_validate(point.model_dump()) for point in self.point]


def load(path: Path) -> Points:
    """Read and check. PodError E475 says what is wrong and where."""
    try:
        text = path.read_text("utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return Points.model_validate(document)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "is no text in UTF-8"
        why = f"{why}: name a file of points"
    except RecursionError:
        why = "is nested too deep: correct it"
    except ValidationError as error:
        found = error.errors(include_url=False)
        first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])  # a slip, not a lack
        why = told(first, first["loc"], Points)[1]
    except ValueError as error:  # no TOML, no JSON, or a number of thousands of digits
        why = f"{error}: correct it"
    raise PodError(UNUSABLE, f"{path}: {why}; RUNBOOK 12 shows such a file")
