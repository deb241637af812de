"""The one pure function between a scan and the commands: (plant, state, frame) -> (state, permit, events).

Same input, same bits; no clock, no I/O, nothing remembered outside the state. Works for any tank network that
`topology` can put into a table: levels and positions in, openings out.

Neighbours: `loop` calls it with frames from readings, the simulator with frames from anywhere. Must not know tags.
"""

from collections.abc import Callable
from typing import NamedTuple

from pod_controller.kernels import records
from pod_controller.kernels.cycle import cycle
from pod_controller.kernels.records import Table

Decide = Callable[[Table, Table], None]


class Event(NamedTuple):
    """A decision about one element that differs from the tick before. Indices are rows of the plant table."""

    element: int
    grant_frac: float
    rule: int
    vessel: int  # the vessel that binds, -1 none
    scenario: int


def first_state() -> Table:
    """The state of a core that has just started: nothing is known, so everything may be open and full."""
    return records.table(records.STATE)


def step(plant: Table, state: Table, frame: Table, decide: Decide = cycle) -> tuple[Table, Table, list[Event]]:
    """One tick. plant, state, frame: one record each, not changed; decide: the compiled cycle.

    Returns the next state, the permit, and one Event per element whose grant or rule changed. Never raises for any
    bits in frame; the permit is then one that closes.
    """
    desk = records.table(records.DESK)
    desk["state"] = state
    desk["frame"] = frame
    decide(plant, desk)
    return desk["state"], desk["permit"], _events(plant, state, desk["permit"])


def _events(plant: Table, before: Table, permit: Table) -> list[Event]:
    ticks = int(before["ticks"][0])
    n = int(plant["n_elements"][0])
    rules, grants = permit["rule"][0, :n], permit["grant_frac"][0, :n]
    old_rules, old_grants = before["rule"][0, :n], before["command_frac"][0, (ticks - 1) % records.HISTORY, :n]
    if ticks > 0 and rules.tobytes() == old_rules.tobytes() and grants.tobytes() == old_grants.tobytes():
        return []
    changed = [e for e in range(n) if ticks == 0 or rules[e] != old_rules[e] or grants[e] != old_grants[e]]
    row = permit[0]
    return [Event(e, float(grants[e]), int(rules[e]), int(row["vessel"][e]), int(row["scenario"][e])) for e in changed]
