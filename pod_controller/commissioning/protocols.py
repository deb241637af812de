"""What a technician does to calibrate a kind of instrument: which standards, in which order, with which words.

    weight   zero, span, and if wanted the span weight on every corner (checked, not fitted)
    level    empty, full
    ph       buffers 7, 4 and 10: two slopes, told in percent of the ideal electrode, and the offset at 7
    points   two standards or more, asked for one by one

Neighbours: `cli_calibrate` asks the questions, `hal.calibration` fits. Must not know a terminal or a file.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from hal.calibration import Method, Standard
from pod_controller.commissioning.judge import Instrument

Kind = Literal["weight", "level", "ph", "points"]
CORNERS = ("front left", "front right", "back right", "back left")
BUFFERS_PH = (7.0, 4.0, 10.0)
NEUTRAL_PH = 7.0


class Step(NamedTuple):
    """One standard: what to do, its value if that is known, whether it is only a check and may be left out."""

    name: str
    says: str
    true_value: float | None
    is_check: bool = False
    may_be_left_out: bool = False


def kind_of(instrument: Instrument) -> Kind:
    """By unit and tag (ISA-5.1: W weight, L level)."""
    if instrument.spec.unit.lower() == "ph":
        return "ph"
    return {"W": "weight", "L": "level"}.get(instrument.tag[0], "points")  # type: ignore[return-value]  # both are kinds


def method_of(kind: Kind, points: int) -> Method:
    """Buffers and many points give pieces, two points and weights a line."""
    return "piecewise" if kind == "ph" or (kind == "points" and points > 3) else "line"


def steps(kind: Kind, corners: bool = False) -> list[Step]:
    """The standards of a kind, in order; of `points` only the first two (more may follow)."""
    if kind == "weight":
        found = [
            Step("zero", "empty it; nothing may touch or lean on it", 0.0),
            Step("span", "put test weights in the middle, at least half of what it shall ever hold", None),
        ]
        text = "the same weights on the {} corner"
        return found + [Step(f"corner {c}", text.format(c), None, True, True) for c in (CORNERS if corners else ())]
    if kind == "level":
        return [
            Step("empty", "empty the vessel, or lift the probe out", 0.0),
            Step("full", "fill to a mark that was measured with a dip stick", None),
        ]
    if kind == "ph":
        return [Step(f"pH {ph:g}", f"rinse, then put it into buffer {ph:g}, and wait", ph) for ph in BUFFERS_PH]
    return [Step(f"point {k}", "bring it to a standard that you know", None) for k in (1, 2)]


def electrode_text(points: Sequence[Standard]) -> str:
    """Slope in percent of the ideal on both sides of pH 7, and the offset there; empty without that buffer."""
    neutral = next((s for s in points if abs(s.true_value - NEUTRAL_PH) < 0.2), None)
    if neutral is None:
        return ""
    parts = [f"offset {neutral.raw_value - neutral.true_value:+.2f} pH at {neutral.true_value:g}"]
    for s in sorted(points, key=lambda s: s.true_value):
        if s is not neutral and not s.is_check:
            slope_pct = 100.0 * (s.raw_value - neutral.raw_value) / (s.true_value - neutral.true_value)
            parts.append(f"slope {slope_pct:.1f} % to pH {s.true_value:g}")
    return ", ".join(parts)
