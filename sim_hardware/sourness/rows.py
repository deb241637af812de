"""The figures of `podctl bench biology --observer`: the digester's model judged on ADM1, its cap judged on surges.

Neighbours: `scoring` and `surge` measure, `cli_bench` shows the rows. Must not know how rows are shown.
"""

from collections.abc import Sequence
from importlib.resources import as_file, files
from statistics import median
from typing import Any

from pod_controller import topology
from pod_controller.config import load
from pod_controller.topology import Topology
from sim_hardware.bench.core import Row
from sim_hardware.sourness import overloads, surge
from sim_hardware.sourness.overloads import Overload, Readings
from sim_hardware.sourness.scoring import Errors, score
from sim_hardware.sourness.surge import Outcome, Surge

RIGHT_FRAC = 0.9
LEAD_D = 1.0
HIGH_H = 6.0
FLOOD_RATIO, FLOOD_D = 6.0, 5.0  # what the 24-hour budget would never let through: only the cap is left
INSTRUMENTS = {  # declared errors of the pod's instruments, one after the other
    "ph_low": Errors(ph=-0.02),
    "ph_high": Errors(ph=0.02),
    "ch4_low": Errors(ch4_frac=-0.01),
    "ch4_high": Errors(ch4_frac=0.01),
    "gas_low": Errors(gas_ratio=0.95),
    "gas_high": Errors(gas_ratio=1.05),
}


def reference_pod() -> Topology:
    """The tables of the reference pod."""
    with as_file(files("sim_hardware").joinpath("reference/pod.toml")) as path:
        return topology.build(load(path))


def rows(count: int, surges: int, seed: int) -> list[Row]:
    """Judge on so many drawn overloads and surges."""
    pod = reference_pod()
    chosen = overloads.drawn(count, seed)
    return [*class_rows(pod, chosen, [overloads.readings(run) for run in chosen]), *surge_rows(pod, surges, seed)]


def class_rows(pod: Topology, chosen: Sequence[Overload], runs: Sequence[Readings]) -> list[Row]:
    """How often the class is right, over all and by make of feed; how long before the pH."""
    whole = score(pod, runs)
    below, between, above = whole.right_of_class_frac
    always_low = float(whole.hours[0].sum() / whole.hours.sum())
    by_kind = {
        f"right_{kind}_frac": score(pod, own).right_frac
        for kind in overloads.KINDS
        if (own := [shown for run, shown in zip(chosen, runs, strict=True) if run.kind == kind])
    }
    detail: dict[str, Any] = {"runs": len(runs), "hours": int(whole.hours.sum())}
    detail |= {"right_below_frac": below, "right_between_frac": between, "right_above_frac": above}
    detail |= by_kind | {"always_saying_below_frac": always_low}
    detail |= {f"{name}_frac": score(pod, runs, errors).right_frac for name, errors in INSTRUMENTS.items()}
    found = [
        Row("fos_tac_class", whole.right_frac, "of hours right", RIGHT_FRAC, whole.right_frac >= RIGHT_FRAC, detail)
    ]
    if whole.lead_h:
        lead_d = median(whole.lead_h) / 24.0
        leads = {"runs": len(whole.lead_h), "least_d": min(whole.lead_h) / 24.0, "most_d": max(whole.lead_h) / 24.0}
        found.append(Row("fos_tac_before_ph", lead_d, "d ahead", LEAD_D, lead_d >= LEAD_D, leads))
    return found


def surge_rows(pod: Topology, count: int, seed: int) -> list[Row]:
    """Crashes with the cap on where a constant nominal feed does not crash, and hours above 0.4, worst event."""
    events = surge.drawn(count, seed)
    found = [(event, surge.play(pod, event, capped=True), surge.play_constant(event)) for event in events]
    sound = [(event, capped) for event, capped, constant in found if not constant.crashed]
    crashes = sum(capped.crashed for _, capped in sound)
    high_h = max((capped.above_h for _, capped in sound), default=0.0)
    uncapped = [surge.play(pod, event, capped=False) for event, _ in sound]
    detail = _compared(sound, uncapped)
    flood = [event._replace(arrival_ratio=FLOOD_RATIO, surge_d=FLOOD_D) for event in events[: max(1, count // 4)]]
    saved = [surge.play(pod, event, capped=True, budget=False) for event in flood]
    lost = [surge.play(pod, event, capped=False, budget=False) for event in flood]
    floods: dict[str, Any] = {"events": len(flood), "crashes_uncapped": sum(each.crashed for each in lost)}
    floods |= {"lowest_ph": min(each.lowest_ph for each in saved), "most_fos_tac_ratio": _most(saved)}
    drowned = sum(each.crashed for each in saved)
    return [
        Row("crashes_in_surges", float(crashes), "crashes", 0.0, crashes == 0, detail),
        Row("hours_above_0.4", high_h, "h in the worst event", HIGH_H, high_h <= HIGH_H, detail),
        Row("crashes_without_budget", float(drowned), "crashes", 0.0, drowned == 0, floods),
    ]


def _most(outcomes: Sequence[Outcome]) -> float:
    return max(each.most_fos_tac_ratio for each in outcomes)


def _compared(sound: Sequence[tuple[Surge, Outcome]], uncapped: Sequence[Outcome]) -> dict[str, Any]:
    fed_kg = sum(capped.fed_kg for _, capped in sound)
    return {
        "events": len(sound),
        "lowest_ph": min((capped.lowest_ph for _, capped in sound), default=0.0),
        "lowest_ph_uncapped": min((each.lowest_ph for each in uncapped), default=0.0),
        "hours_uncapped_h": max((each.above_h for each in uncapped), default=0.0),
        "fed_of_uncapped_frac": fed_kg / max(1.0, sum(each.fed_kg for each in uncapped)),
    }
