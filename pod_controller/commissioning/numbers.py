"""A number from a command line or a prompt that can be reckoned with.

Neighbours: `cli_calibrate`. Must not know what it is the number of.
"""

import math
from typing import Any

import click


class Number(click.ParamType[float]):
    """A number that can be reckoned with: not nan, not endless; of an option, above zero."""

    name = "number"

    def __init__(self, is_positive: bool = False) -> None:
        self._is_positive = is_positive

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. click complains of anything else, and a prompt asks again."""
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number) or (self._is_positive and number <= 0.0):
            what = f"is no number{' above zero' if self._is_positive else ''}"
            self.fail(f"{value!r} {what}: digits only, with a point as in 20.5, and no unit behind", param, ctx)
        return number
