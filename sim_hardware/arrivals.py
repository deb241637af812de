"""Who comes when with how much: bags over a day, a convoy of trucks, people who draw by-product.

Figures of the pod (bag sizes, shares of the chutes, what passes a lid) come from reference/surge_suite.toml. Every
quantity has a random stream of its own. Neighbours: `scenarios` asks, `streams` draws. Must not know the plant.
"""

import math
from collections.abc import Sequence
from functools import cache
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from sim_hardware import plant_records as rec
from sim_hardware.params import reference
from sim_hardware.streams import stream, uniform

NS = 1_000_000_000
GRID_S = 60.0
Event = tuple[int, int, int, float]  # at_ns, kind, index, kg

Hours = Annotated[float, Field(ge=0.0, le=1000.0, allow_inf_nan=False)]
Mass = Annotated[float, Field(gt=0.0, le=1e6, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Peak(_Table):
    """A meal: a raised cosine around at_h, width_h from foot to foot, with a share of all bags."""

    at_h: Hours
    width_h: Annotated[float, Field(gt=0.0, le=100.0, allow_inf_nan=False)]
    share_frac: Share


class Profile(_Table):
    """[arrivals]: total_kg is the expected total; what the peaks leave comes evenly."""

    total_kg: Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
    peaks: tuple[Peak, ...] = ()


class Convoy(_Table):
    """[convoy]: trucks within a window that starts between these hours; the rest is family S02 of the suite."""

    starts_h: tuple[Hours, Hours]


class People(_Table):
    """[people]: by-product drawn in portions between two times of day."""

    drawn_kg_d: Mass
    portion_kg: Mass
    day_h: tuple[Hours, Hours]


class Bag(NamedTuple):
    """One bag on its way to a chute."""

    at_s: float
    chute: int
    kg: float


def bags(profile: Profile, family: str, seed: int, duration_s: float, chutes: int) -> list[Bag]:
    """A Poisson stream of bags whose rate follows the profile, in the order of time."""
    count = int(stream(family, "bag_count", seed).poisson(profile.total_kg / mean_bag_kg()))
    times_s = _times_s(profile, duration_s, np.sort(stream(family, "bag_times", seed).uniform(size=count)))
    sizes_kg = _sizes_kg(family, "bag_kg", seed, count)
    shares = _shares(chutes)
    where = np.searchsorted(np.cumsum(shares)[:-1], stream(family, "bag_chutes", seed).uniform(size=count), "right")
    return [Bag(float(t), int(c), float(kg)) for t, c, kg in zip(times_s, where, sizes_kg, strict=True)]


def convoy_bags(convoy: Convoy, family: str, seed: int, chutes: int) -> list[Bag]:
    """Trucks that dump into one or two chutes, each dump as the bags it is made of."""
    ranges: Any = reference("surge_suite.toml")["family"]["S02_truck_convoy"]
    first_s = 3600.0 * uniform(family, "convoy_start", seed, *convoy.starts_h)
    dumps = _whole(family, "dump_count", seed, ranges["dump_count"])
    used = min(chutes, _whole(family, "dump_chutes", seed, ranges["dump_chutes"]))
    places = stream(family, "convoy_chutes", seed).permutation(chutes)[:used]
    times_s = first_s + stream(family, "dump_times", seed).uniform(0.0, ranges["dump_window_s"], dumps)
    whole_kg = stream(family, "dump_kg", seed).uniform(ranges["dump_kg"][0], ranges["dump_kg"][1], dumps)
    turns = stream(family, "dump_places", seed).integers(used, size=dumps)
    found = []
    for d in range(dumps):
        left_kg = float(whole_kg[d])
        for size_kg in _sizes_kg(family, f"dump_bags/{d}", seed, 200):
            kg = min(left_kg, float(size_kg))
            if kg <= 0.0:
                break
            found.append(Bag(float(times_s[d]), int(places[turns[d]]), kg))
            left_kg -= kg
    return found


def queue_at_lids(found: Sequence[Bag]) -> list[Event]:
    """Bags as events, each as late as its lid makes it: at most one largest bag + lid_pass x t passes in any t.

    A token bucket per chute: filled with one largest bag, refilled at the lid's rate; whoever finds too little waits.
    """
    pod = reference("surge_suite.toml")["pod"]
    largest_kg, pass_kg_s = pod["bag_kg"]["max"], pod["lid_pass_kg_s"]
    level_kg: dict[int, float] = {}
    last_s: dict[int, float] = {}
    events = []
    for bag in sorted(found, key=lambda bag: bag.at_s):
        now_s = max(bag.at_s, last_s.get(bag.chute, 0.0))
        kg = level_kg.get(bag.chute, largest_kg) + pass_kg_s * (now_s - last_s.get(bag.chute, now_s))
        kg = min(largest_kg, kg)
        if kg < bag.kg:
            now_s += (bag.kg - kg) / pass_kg_s
            kg = bag.kg
        level_kg[bag.chute] = kg - bag.kg
        last_s[bag.chute] = now_s
        events.append((math.ceil(now_s * NS), rec.BAG, bag.chute, bag.kg))
    return events


def draws(people: People, family: str, seed: int, day_starts_h: float, duration_s: float) -> list[Event]:
    """Portions of by-product at random times of day."""
    open_h, shut_h = people.day_h
    per_day = round(people.drawn_kg_d / people.portion_kg)
    random = stream(family, "draw_times", seed)
    events = []
    for day in range(math.ceil((day_starts_h + duration_s / 3600.0) / 24.0)):
        hours_h = np.sort(random.uniform(open_h, shut_h, per_day)) + 24.0 * day - day_starts_h
        events += [
            (round(3600.0 * NS * float(h)), rec.DRAW, 0, people.portion_kg)
            for h in hours_h
            if 0.0 <= h * 3600.0 < duration_s
        ]
    return events


@cache
def mean_bag_kg() -> float:
    """Mean of a gamma cut at its largest bag: x f(x) below, the largest bag for the tail (midpoint rule)."""
    bag = reference("surge_suite.toml")["pod"]["bag_kg"]
    scale_kg = bag["mean"] / bag["shape"]
    x = (np.arange(20000) + 0.5) * (bag["max"] / 20000)
    density = x ** (bag["shape"] - 1.0) * np.exp(-x / scale_kg) / (math.gamma(bag["shape"]) * scale_kg ** bag["shape"])
    inside = density * (bag["max"] / 20000)
    return float((x * inside).sum() + bag["max"] * (1.0 - inside.sum()))


def _sizes_kg(family: str, key: str, seed: int, count: int) -> npt.NDArray[np.float64]:
    bag = reference("surge_suite.toml")["pod"]["bag_kg"]
    sizes_kg = stream(family, key, seed).gamma(bag["shape"], bag["mean"] / bag["shape"], count)
    return np.minimum(sizes_kg, float(bag["max"]))


def _shares(chutes: int) -> npt.NDArray[np.float64]:
    """The suite's shares for its own number of chutes; for any other number a falling series of the same kind."""
    table = reference("surge_suite.toml")["pod"]["chute_share"]
    shares = np.array(table if len(table) == chutes else [chutes - c for c in range(chutes)], dtype=float)
    return np.asarray(shares / shares.sum(), dtype=float)


def _times_s(profile: Profile, duration_s: float, uniforms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Uniform numbers through the inverse of the profile's distribution, on a grid of minutes."""
    edges_s = np.linspace(0.0, duration_s, max(2, round(duration_s / GRID_S) + 1))
    middle_h = (edges_s[1:] + edges_s[:-1]) / 7200.0
    rate = np.full(len(middle_h), max(0.0, 1.0 - sum(peak.share_frac for peak in profile.peaks)) / len(middle_h))
    for peak in profile.peaks:
        phase = np.clip((middle_h - peak.at_h) / peak.width_h, -0.5, 0.5)
        bump = 1.0 + np.cos(2.0 * np.pi * phase)
        rate += peak.share_frac * bump / max(bump.sum(), 1e-12)
    return np.interp(uniforms, np.concatenate([[0.0], np.cumsum(rate) / rate.sum()]), edges_s)


def _whole(family: str, key: str, seed: int, limits: Sequence[int]) -> int:
    return int(stream(family, key, seed).integers(limits[0], limits[1] + 1))
