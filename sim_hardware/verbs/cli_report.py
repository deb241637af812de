"""`podctl sim --report FILE.html`: refuse a page that cannot be written before the run, write it after.

Neighbours: `cli` runs in between, `sampler` looks, `report` makes the page. Must not know how a run is made.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pod_controller.config import PodConfig
    from sim_hardware.faults import Fault
    from sim_hardware.pod_plant import Figures
    from sim_hardware.sampler import Sampler


def begin(path: Path | None, config: "PodConfig", duration_s: float) -> "Sampler | None":
    """What will look at the run; None if no page was asked for. UnwritablePage if it could not be written."""
    if path is None:
        return None
    from pod_controller import topology
    from sim_hardware.report import page
    from sim_hardware.sampler import Sampler

    page.refuse_unwritable(path)
    return Sampler(topology.build(config), duration_s)


def end(
    path: Path,
    sampler: "Sampler",
    figures: "Figures",
    outcome: Mapping[str, Any],
    faults: "Sequence[Fault]",
    title: str,
) -> None:
    """Write the page of a run that is over; an interrupted run is shown as far as it came."""
    from sim_hardware.params import plant_params
    from sim_hardware.report import page
    from sim_hardware.report.contents import Run, contents

    params = plant_params(int(outcome["seed"]))
    page.write(path, contents(Run(outcome, figures, sampler, params, faults, title)))
