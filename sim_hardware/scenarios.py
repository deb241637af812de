"""What happens to a pod: a scenario file, and the one run of it that a seed draws.

The file says what arrives, how full the pod starts, who draws by-product, what breaks and what must hold. `draw` makes
the list of bags and draws, once per seed and identical in every tier and under every policy: a shut lid changes
nothing about who comes. To add a scenario: one file in scenarios/.

Neighbours: `arrivals` draws the bags, `faults` reads what breaks, tiers and verbs run it. Must not know the controller.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hal.errors import PodError
from sim_hardware import faults
from sim_hardware.arrivals import Convoy, People, Profile, bags, convoy_bags, draws, queue_at_lids
from sim_hardware.biology.settings import Settings
from sim_hardware.params import Start
from sim_hardware.plant_records import Table
from sim_hardware.streams import stream

BAD_SCENARIO = 155
NS = 1_000_000_000
_ENDING = ".toml"

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Mass = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Begin(_Table):
    buffer_frac: Share
    byproduct_frac: Share
    fed_waste_kg: Mass  # fed evenly over the 24 h before


class ScenarioFile(_Table):
    """One scenario as written."""

    title: str
    family: str = ""  # names the random streams: scenarios of one family see the same arrivals
    duration_h: float = Field(gt=0.0, le=1000.0, allow_inf_nan=False)
    day_starts_h: float = Field(ge=0.0, lt=24.0, allow_inf_nan=False)  # time of day at the start of the run
    start: _Begin
    arrivals: Profile
    convoy: Convoy | None = None
    people: People | None = None
    faults: tuple[str, ...] = ()
    one_of_faults: tuple[str, ...] = ()  # one of these, drawn per seed
    biology: Settings | None = None  # without it gas and light are stand-ins
    must_hold: Mapping[str, Mapping[str, float]] = {}  # policy -> figure_min or figure_max -> bound


@dataclass(frozen=True)
class Scenario:
    """One run: everything that does not depend on the controller. events: EVENT rows, sorted."""

    name: str
    seed: int
    duration_s: float
    start: Start
    fed_waste_kg: float
    events: Table
    faults: tuple[faults.Fault, ...]
    must_hold: Mapping[str, Mapping[str, float]]
    biology: Settings | None = None
    day_starts_h: float = 0.0
    convoy_s: float | None = None  # when the first truck comes


def names() -> list[str]:
    """The scenarios that come with the pod and last hours."""
    return _in_folder("scenarios")


def long_names() -> list[str]:
    """Those that last days and weeks, with biology."""
    return _in_folder("scenarios/long")


def accident_names() -> list[str]:
    """Accidents of others on this pod, with biology and its gas line."""
    return _in_folder("scenarios/accidents")


def _in_folder(folder: str) -> list[str]:
    entries = files("sim_hardware").joinpath(folder).iterdir()
    return sorted(entry.name.removesuffix(_ENDING) for entry in entries if entry.name.endswith(_ENDING))


def load(name: str) -> ScenarioFile:
    """A scenario by name, or from a path ending in .toml. PodError 155 says what is wrong."""
    try:
        text = Path(name).read_text("utf-8") if name.endswith(_ENDING) else _packaged(name)
        return ScenarioFile.model_validate(tomllib.loads(text))
    except OSError as error:
        raise PodError(BAD_SCENARIO, f"scenario {name}: cannot read it: {error.strerror}: check the path") from None
    except tomllib.TOMLDecodeError as error:
        raise PodError(BAD_SCENARIO, f"scenario {name}: not TOML: {error}: correct the file") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PodError(BAD_SCENARIO, f"scenario {name}: {where}: {first['msg']}: correct the file") from None


def draw(name: str, seed: int, chutes: int, duration_s: float | None = None, biology: bool | None = None) -> Scenario:
    """The run of a scenario that this seed gives, for a pod with this many chutes; duration_s cuts it short.

    biology: with or without, whatever the file says; with it and no table [biology] in the file, an ordinary digester.
    """
    file = load(name)
    living = (file.biology or Settings()) if biology else file.biology if biology is None else None
    whole_s = file.duration_h * 3600.0
    own_name = Path(name).name.removesuffix(_ENDING)
    family = file.family or own_name
    found = bags(file.arrivals, family, seed, whole_s, chutes)
    convoy = convoy_bags(file.convoy, family, seed, chutes) if file.convoy is not None else []
    found += convoy
    events = queue_at_lids(found)
    if file.people is not None:
        events += draws(file.people, family, seed, file.day_starts_h, whole_s)
    texts = list(file.faults)
    if file.one_of_faults:
        texts.append(file.one_of_faults[int(stream(own_name, "one_of_faults", seed).integers(len(file.one_of_faults)))])
    return Scenario(
        name=own_name,
        seed=seed,
        duration_s=whole_s if duration_s is None else duration_s,
        start=Start(file.start.buffer_frac, file.start.byproduct_frac),
        fed_waste_kg=file.start.fed_waste_kg,
        events=faults.sort_events(faults.rows_of_events(events)),
        faults=tuple(faults.parse(text) for text in texts),
        must_hold=file.must_hold,
        biology=living,
        day_starts_h=file.day_starts_h,
        convoy_s=min((bag.at_s for bag in convoy), default=None),
    )


def joined_at(drawn: Scenario, start_s: float) -> Scenario:
    """The same run from start_s on, in the state in which it begins: what would have come before never came."""
    start_ns = round(start_s * faults.NS)
    events = drawn.events[drawn.events["at_ns"] >= start_ns].copy()
    events["at_ns"] -= start_ns
    moved = (_moved(fault, start_s) for fault in drawn.faults if fault.until_ns > start_ns)
    convoy_s = None if drawn.convoy_s is None else drawn.convoy_s - start_s
    left_s = max(0.0, drawn.duration_s - start_s)
    hour_h = drawn.day_starts_h + start_s / 3600.0
    found = replace(drawn, events=events, faults=tuple(moved), convoy_s=convoy_s, day_starts_h=hour_h)
    return replace(found, duration_s=left_s)


def _moved(fault: faults.Fault, start_s: float) -> faults.Fault:
    from_s = max(0.0, fault.from_s - start_s)
    until_s = None if fault.for_s is None else fault.from_s + fault.for_s - start_s
    return replace(fault, from_s=from_s, for_s=None if until_s is None else until_s - from_s)


def _packaged(name: str) -> str:
    folders = {"scenarios": names(), "scenarios/long": long_names(), "scenarios/accidents": accident_names()}
    for folder, known in folders.items():
        if name in known:
            return files("sim_hardware").joinpath(folder, name + _ENDING).read_text("utf-8")
    every = [known for row in folders.values() for known in row]
    raise PodError(BAD_SCENARIO, f"scenario {name!r} is not known: {faults.nearest(name, every)}")
