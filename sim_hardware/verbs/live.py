"""The live view of a simulated pod on a terminal, and plain progress lines where there is none.

Levels, gates, lids, who is refused and why, time to the lip. Looks only at what the controller itself believes, so
that it shows what a field engineer would see. Neighbours: `cli` chooses a view. Must not change anything.
"""

import math
from typing import Protocol

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table as Grid
from rich.text import Text

from hal.clock import Clock
from pod_controller.telling import level_fracs, position_text, refusal_text, time_to_lip_s
from sim_hardware.pod import NS, SimulatedPod

REFRESH_NS = NS // 8
PROGRESS_EVERY_S = 3600.0
BAR = 30


class View(Protocol):
    """Something that looks at a pod after each tick."""

    def look(self, pod: SimulatedPod, now_ns: int) -> None:
        """One tick has passed."""

    def close(self) -> None:
        """The run is over."""


class PlainView:
    """A line on stderr for each simulated hour."""

    def __init__(self) -> None:
        self._next_s = PROGRESS_EVERY_S

    def look(self, pod: SimulatedPod, now_ns: int) -> None:
        """Print when an hour has passed."""
        if now_ns < self._next_s * NS:
            return
        self._next_s += PROGRESS_EVERY_S
        fracs = level_fracs(pod.app.topology, pod.app.loop.state)
        levels = ", ".join(f"{name} {frac:.0%}" for name, frac in fracs.items())
        click.echo(f"{now_ns / NS / 3600.0:5.1f} h  {pod.app.loop.modes.state.value:9}  {levels}", err=True)

    def close(self) -> None:
        """Nothing to give back."""


class LiveView:
    """The whole pod on one screen, refreshed a few times a second of wall time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_ns = 0
        self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
        self._live.start()

    def look(self, pod: SimulatedPod, now_ns: int) -> None:
        """Redraw if the last picture is old."""
        wall_ns = self._clock.now_ns()
        if wall_ns >= self._next_ns:
            self._next_ns = wall_ns + REFRESH_NS
            self._live.update(screen(pod, now_ns), refresh=True)

    def close(self) -> None:
        """Give the terminal back."""
        self._live.stop()


def screen(pod: SimulatedPod, now_ns: int) -> Group:
    """One picture of the pod."""
    state = pod.app.loop.modes.state.value
    head = Text(f"{pod.scenario.name}  {now_ns / NS / 3600.0:.3f} h  {state}  policy {pod.policy}", style="bold")
    figures = pod.plant.figures()
    foot = Text(
        f"arrived {figures.arrived_kg:.0f} kg  accepted {figures.accepted_kg:.0f}  refused {figures.refused_kg:.0f}  "
        f"processed {figures.processed_kg:.0f}  spilled {figures.spilled_kg:.1f}"
    )
    return Group(head, _vessels(pod), _chutes(pod), foot)


def _vessels(pod: SimulatedPod) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    for column in ("vessel", "level", "", "at most kg", "time to lip"):
        grid.add_column(column)
    for v, (name, frac) in enumerate(level_fracs(pod.app.topology, pod.app.loop.state).items()):
        filled = round(BAR * min(1.0, max(0.0, frac)))
        left_s = time_to_lip_s(pod.app.topology, pod.app.loop.state, v)
        full = bool(pod.app.loop.state["full"][0, v])
        grid.add_row(
            name,
            "█" * filled + "·" * (BAR - filled),
            f"{frac:6.1%}",
            "counts as full" if full else f"{float(pod.app.loop.state['bound_kg'][0, v]):.0f}",
            "-" if math.isinf(left_s) else f"{left_s:.0f} s",
        )
    return grid


def _chutes(pod: SimulatedPod) -> Grid:
    grid = Grid(box=None, pad_edge=False)
    for column in ("chute", "kg", "lid", "gate", "why"):
        grid.add_column(column)
    topology, permit = pod.app.topology, pod.app.loop.permit
    chutes = topology.table["chutes"][0]
    for c, name in enumerate(topology.chutes):
        content_kg = float(pod.app.loop.state["last_content_kg"][0, c])
        lid, gate = int(chutes[c]["lid"]), int(chutes[c]["gate"])
        reason = "" if permit is None else refusal_text(permit["rule"][0, gate], permit["rule"][0, lid])
        positions = [position_text(topology, pod.app.loop.state, e) for e in (lid, gate)]
        grid.add_row(name, f"{content_kg:5.1f}", *positions, reason)
    return grid
