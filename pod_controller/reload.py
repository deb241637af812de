"""A configuration read again while the pod runs: what may change at a tick boundary, and what needs a restart.

Figures of sharing, feeding, transfers, heating and the chutes' weights may change under a running pod: the guard has
the last word over all of them. Wiring, plant, names and times may not. Both or none: one change that needs a restart
keeps the whole old configuration. Neighbours: the core's process reads, `core` applies. Must not know the loop.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pod_controller.config import ConfigFaults, PodConfig, load
from pod_controller.config_faults import name_of
from pod_controller.topology import Topology, build

_MAY_CHANGE = {
    "shedding": (
        "start_kg", "stop_kg", "wait_s", "run_on_s", "open_at_once", "turn_s", "horizon_s", "deficit_limit_kg",
    ),
    "feeding": (
        "setpoint_frac", "gain_per_s", "integral_s", "feed_max_kg_s", "shot_min_s", "shot_max_s", "budget_kg_24h",
    ),
    "transfer": ("start_kg", "stop_kg"),
    "thermostat": ("setpoint_degc", "band_degc"),
    "chute": ("weight_ratio",),
    "digestion": (
        "fos_tac_slow_ratio", "fos_tac_hold_ratio", "fos_tac_stop_ratio", "fos_tac_band_ratio",
        "fos_tac_error_ratio", "stop_ph", "carried_s", "full_kg_24h", "held_kg_24h",
    ),
}  # fmt: skip


class Reload(NamedTuple):
    """What reading the file again came to; topology is None when the old one stays."""

    topology: Topology | None
    texts: tuple[str, ...]


def read_again(path: Path, config: PodConfig) -> Reload:
    """Read and check the file; never raises for what stands in it."""
    try:
        new = load(path)
    except ConfigFaults as faults:
        return Reload(None, (*faults.lines, "kept the configuration that runs: correct the lines above"))
    changes = list(differences(config.model_dump(), new.model_dump()))
    if not changes:
        return Reload(None, ("the file says what runs already: nothing changed",))
    stuck = [change for change in changes if not _may_change(change.path)]
    if stuck:
        texts = [f"{change.text()} needs a restart" for change in stuck]
        return Reload(None, (*texts, "kept the configuration that runs, whole: stop, restart the core, start"))
    return Reload(build(new), tuple(change.text() for change in changes))


class Change(NamedTuple):
    """One value that differs."""

    path: tuple[str | int, ...]
    old: Any
    new: Any

    def text(self) -> str:
        """As people write it."""
        return f"{name_of(self.path)} was {_clip(self.old)}, is {_clip(self.new)}"


def differences(old: Any, new: Any, path: tuple[str | int, ...] = ()) -> Iterator[Change]:
    """Every leaf that differs; tables and lists that differ in shape count as one."""
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old.keys() == new.keys():
        for key in old:
            yield from differences(old[key], new[key], (*path, key))
    elif _is_list(old) and _is_list(new) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differences(before, after, (*path, index))
    elif old != new:
        yield Change(path, old, new)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _may_change(path: tuple[str | int, ...]) -> bool:
    return path[-1] in _MAY_CHANGE.get(str(path[0]), ()) and len(path) > 1


def _clip(value: Any) -> str:
    return f"{value!r}"[:60]
