"""The page that is signed when a pod is handed over: devices, calibrations, strokes, outputs, what is still open.

One HTML file that needs nothing else, made to be printed. Neighbours: `cli_handover` gathers and writes; `judge` knows
what should be there. Must not know sockets or files.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any, NamedTuple

from hal.calibration_file import Book
from hal.description import load as load_description
from pod_controller.commissioning import judge
from pod_controller.config import Element, PodConfig
from pod_controller.config_checks import spill_elements
from pod_controller.config_faults import name_of

STYLE = """
body{font:11pt sans-serif;margin:2em auto;max-width:60em;color:#000}
h1{font-size:18pt}h2{font-size:13pt;margin:1.4em 0 .3em}
table{border-collapse:collapse;width:100%}th{background:#eee}
td,th{border:1px solid #999;padding:.2em .5em;text-align:left;vertical-align:top}
.open{border:2px solid #000;padding:.5em 1em .5em 2em}.sign td{height:3.5em;width:33%}
@media print{body{margin:0}tr{page-break-inside:avoid}}
"""
Rows = Sequence[Sequence[str]]


class Pod(NamedTuple):
    """All that goes on the page. status and outputs are the core's answers; None when it did not answer."""

    config: PodConfig
    config_name: str
    config_sha256: str
    book: Book
    now_utc: datetime
    versions: str
    status: Mapping[str, Any] | None
    outputs: Mapping[str, Any] | None


def page(pod: Pod) -> str:
    """The whole document."""
    still = open_points(pod)
    parts = [
        f"<h1>Handover of pod {escape(pod.config.pod.name)}</h1>",
        _table(("", ""), _head(pod)),
        "<h2>Still open</h2>",
        _list(still) if still else "<p>Nothing.</p>",
        "<h2>Devices</h2>",
        _table(("device", "line", "unit", "type", "watchdog", "state"), _devices(pod)),
        "<h2>Calibrations in force</h2>",
        _table(("tag", "curve", "made", "by", "standards", "residual + drift", "guard", "due"), _calibrations(pod)),
        "<h2>Strokes</h2>",
        _table(("element", "opens", "shuts", "configured", "stroked", "by"), _strokes(pod)),
        "<h2>Signatures</h2>",
        _signatures(),
    ]
    title = f"<title>Handover of pod {escape(pod.config.pod.name)}</title>"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{title}<style>{STYLE}</style>{"".join(parts)}</html>\n'
    )


def open_points(pod: Pod) -> list[str]:
    """Everything that a person should know before signing."""
    found = [f"{name_of(fault.path)} {fault.text}" for fault in judge.faults(pod.config, pod.book)]
    for tag in pod.config.calibration.required:
        if pod.book.active(tag) is None:
            found.append(f"{tag} needs a calibration and has none")
    for tag in pod.book.in_force:
        x = pod.book.active(tag)
        if x is not None and x.due_utc <= pod.now_utc:
            found.append(f"the calibration of {tag} was due on {x.due_utc:%Y-%m-%d}")
    duty = spill_elements(pod.config)
    for element in pod.config.element:
        is_seen = element.position_tag is not None or element.locked_tag is not None
        if element.name in duty and is_seen and pod.book.stroke(element.name) is None:
            found.append(f"{element.name} ({element.commands[0]}) can let waste in and was never stroked")
    if pod.status is None:
        found.append("the core did not answer: the state of devices and outputs is not known")
    else:
        found += [str(text) for text in pod.status["unwell"]]
        if not pod.status["watchdogs_verified"]:
            found.append("not every output module has shown that its own watchdog is set")
    return found + [str(text) for text in (pod.outputs or {}).get("discrepancies", ())]


def _head(pod: Pod) -> Rows:
    state = (
        "not answering" if pod.status is None else f"{pod.status['state']}, up {pod.status['uptime_s'] / 3600:.1f} h"
    )
    watchdogs = (
        "not known" if pod.status is None else "verified" if pod.status["watchdogs_verified"] else "NOT verified"
    )
    return (
        ("made", f"{pod.now_utc:%Y-%m-%d %H:%M} UTC"),
        ("configuration", f"{pod.config_name}, SHA-256 {pod.config_sha256}"),
        ("software", pod.versions),
        ("core", state),
        ("output watchdogs", watchdogs),
    )


def _devices(pod: Pod) -> Rows:
    conditions = {x["device"]: x for line in (pod.status or {"lines": ()})["lines"] for x in line["devices"]}
    rows = []
    for device in pod.config.device:
        known = load_description(device.type)
        condition = conditions.get(device.name)
        state = "-" if condition is None else ", ".join([condition["condition"], *condition["not_good"]])
        made = f"{known.manufacturer} {known.model}" + (
            "" if known.tried_on_hardware else ", not yet tried on hardware"
        )
        watchdog = f"{device.watchdog_s:g} s" if device.watchdog_s else "-"
        rows.append((device.name, device.line, str(device.unit), made, watchdog, state))
    return rows


def _calibrations(pod: Pod) -> Rows:
    known, rows = judge.instruments(pod.config), []
    for tag in sorted({*pod.book.in_force, *pod.config.calibration.required}):
        x, instrument = pod.book.active(tag), known.get(tag)
        if x is None:
            rows.append((tag, "none", *[""] * 6))
            continue
        promised = "-"
        if instrument is not None and instrument.declared is not None:
            promised = f"{instrument.declared.limit_value:.4g}{x.unit_behind}"
        standards = ", ".join(f"{point.standard or '?'} = {point.true_value:g}" for point in x.points)
        figures = f"{x.residual_value:.4g} + {x.drift_value or 0.0:.4g}{x.unit_behind}"
        figures += f" (history new: {x.replaced})" if x.replaced else ""
        days = (f"{x.made_utc:%Y-%m-%d}", x.person, standards, figures, promised, f"{x.due_utc:%Y-%m-%d}")
        rows.append((tag, f"{x.name}, {x.method}", *days))
    return rows


def _strokes(pod: Pod) -> Rows:
    rows = []
    for element in pod.config.element:
        limits = f"{element.fast_stroke_s:g} to {element.stroke_s:g} s"
        x = pod.book.stroke(element.name)
        if x is not None:
            times = (
                _time(x.open_s, x.open_at_most_s, element),
                _time(x.close_s, x.close_at_most_s, element),
                limits,
                f"{x.made_utc:%Y-%m-%d}",
                x.person,
            )
            rows.append((f"{element.name} ({x.tag})", *times))
        elif element.position_tag is not None or element.locked_tag is not None:
            rows.append((f"{element.name} ({element.commands[0]})", "-", "-", limits, "never", ""))
    return rows


def _time(least_s: float, most_s: float, element: Element) -> str:
    return f"{least_s:.2f} s" if element.locked_tag is None else f"{least_s:.2f} to {most_s:.2f} s"


def _table(columns: Sequence[str], rows: Rows) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in columns) if any(columns) else ""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>" if rows else "<p>None.</p>"


def _list(texts: Sequence[str]) -> str:
    return '<ul class="open">' + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def _signatures() -> str:
    who = ("Technician", "Operator", "Witness")
    rows = "".join(f"<td>{name}<br><br>name, date, signature</td>" for name in who)
    return f'<table class="sign"><tr>{rows}</tr></table>'
