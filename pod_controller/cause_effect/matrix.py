"""The table on one pod, for a safety engineer: causes down, elements across.

Neighbours: `cli_cause_effect` prints it, the tests hold every row of it. Must not know how a row is followed.
"""

from collections.abc import Sequence
from typing import Any

from pod_controller.cause_effect.causes import Watch, watches
from pod_controller.cause_effect.table import ROWS, TESTED
from pod_controller.topology import Topology

BY_COMMAND = "podctl bypass"


def document(topology: Topology) -> dict[str, Any]:
    """Everything, for --json: rows with their watches on this pod, and rows that nothing here is fitted for."""
    made = watches(topology)
    rows = [_row(row.id, [watch for watch in made if watch.row is row], topology) for row in ROWS]
    return {
        "pod": topology.config.pod.name,
        "elements": list(topology.elements),
        "rows": rows,
        "not_fitted": [row["id"] for row in rows if not row["watches"]],
        "never_stopped": "the gas path to flare or burner is passive: no row names it",
    }


def _row(number: int, mine: Sequence[Watch], topology: Topology) -> dict[str, Any]:
    row = next(each for each in ROWS if each.id == number)
    return {
        "id": row.id,
        "hazard": row.hazard,
        "cause": row.says,
        "for_s": row.for_s,
        "effect": row.effect,
        "latched": row.latched,
        "clear_s": row.clear_s,
        "reset": "podctl reset" if row.latched else "by itself",
        "todo": row.todo,
        "tested": f"{TESTED}[{row.id}]",
        "watches": [
            {
                "unit": watch.site.unit.name,
                "tags": list(watch.site.tags),
                "limit": watch.site.limit,
                "elements": [topology.elements[e] for e in watch.elements],
            }
            for watch in mine
        ],
    }


def lines(topology: Topology) -> list[str]:
    """The same as text: a legend of columns, one line per watch, then what is not fitted."""
    legend = [f"  {chr(ord('a') + e) if e < 26 else e} {name}" for e, name in enumerate(topology.elements)]
    across = "".join(chr(ord("a") + e % 26) for e in range(len(topology.elements)))
    found = ["effects: X = kept at its fail state", *legend, ""]
    found.append(f"{'id':>3} {'haz':3} {across}  {'latch':5} {'for':>5}  cause, tag, limit")
    for watch in watches(topology):
        row, site = watch.row, watch.site
        marks = "".join("X" if e in watch.elements else "." for e in range(len(topology.elements)))
        latch = "reset" if row.latched else "auto"
        tags = ", ".join(site.tags)
        cause = f"{site.unit.name}: {row.says}" + (f" [{tags} {site.limit}]" if tags else f" [{site.limit}]")
        found.append(f"{row.id:>3} {row.hazard:3} {marks}  {latch:5} {row.for_s:>4g}s  {cause}")
    text = document(topology)
    fitted = [f"{row['id']} ({row['cause']})" for row in text["rows"] if not row["watches"]]
    found += ["", f"not fitted on this pod: {'; '.join(fitted) or 'nothing'}"]
    return [*found, f"never stopped: {text['never_stopped']}", f"tested: {TESTED}, one drive for each row"]
