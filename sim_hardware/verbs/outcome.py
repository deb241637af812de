"""What a run came to: the JSON object and the lines that `podctl sim` prints.

Neighbours: `tier_a` and `pod` make Results, `cli` prints. Must not know how a run was made.
"""

from collections.abc import Mapping
from typing import Any

from sim_hardware.fast_tier.tier_a import Result
from sim_hardware.pod_plant import Figures

EXIT_FINE, EXIT_SPILLED = 0, 3
NOTHING_KG = 1e-9
DIGITS = 9


def as_json(result: Result, wall_s: float, overruns: int) -> dict[str, Any]:
    """The public keys; kg are wet waste up to the buffer, the vessel's own content behind it."""
    figures = result.figures
    row = {
        "scenario": result.scenario,
        "seed": result.seed,
        "policy": result.policy,
        "tier": result.tier,
        "tick_s": result.tick_s,
        "simulated_s": result.simulated_s,
        "wall_s": round(wall_s, 3),
        "ticks": result.ticks,
        "arrived_kg": _kg(figures.arrived_kg),
        "accepted_kg": _kg(figures.accepted_kg),
        "refused_kg": _kg(figures.refused_kg),
        "processed_kg": _kg(figures.processed_kg),
        "held_start_kg": _kg(figures.held_start_kg),
        "held_kg": _kg(figures.held_kg),
        "spilled_kg": _kg(figures.spilled_kg),
        "balance_error_kg": figures.balance_error_kg,
        "guard_closures": result.guard_closures,
        "closed_s": result.closed_s,
        "max_level_frac": figures.max_level_frac,
        "overruns": overruns,
        "outputs_at_fail": result.outputs_at_fail,
        "trace_sha256": result.trace_sha256,
        "sources": {name: _row(vars(source)) for name, source in figures.sources.items()},
        "vessels": {name: _row(vars(vessel)) for name, vessel in figures.vessels.items()},
    }
    return row if figures.biology is None else row | {"biology": dict(figures.biology)}


def as_lines(result: Result, wall_s: float, overruns: int) -> list[str]:
    """The same for people."""
    figures = result.figures
    fullest = max(figures.vessels.items(), key=lambda item: item[1].max_level_frac)
    spilled = {name: vessel.spilled_kg for name, vessel in figures.vessels.items() if vessel.spilled_kg > NOTHING_KG}
    where = ", ".join(f"{name} {kg:.1f} kg" for name, kg in spilled.items()) or "nothing, anywhere"
    return [
        f"{result.scenario}, seed {result.seed}, policy {result.policy}, tier {result.tier}: "
        f"{result.simulated_s / 3600.0:.2f} h in {wall_s:.1f} s",
        f"waste   arrived {figures.arrived_kg:.1f} kg, accepted {figures.accepted_kg:.1f}, "
        f"refused {figures.refused_kg:.1f}, processed {figures.processed_kg:.1f}, held {figures.held_kg:.1f}",
        f"spilled {where}",
        f"guard   closed {result.guard_closures} times, {result.closed_s:.0f} s in all; "
        f"fullest: {fullest[0]} at {fullest[1].max_level_frac:.1%}",
        f"outputs {'all at their fail state' if result.outputs_at_fail else 'NOT all at their fail state'}; "
        f"{overruns} overruns; balance error {figures.balance_error_kg:.1e} kg",
        *_living_lines(figures),
        f"trace   {result.trace_sha256}",
    ]


def _living_lines(figures: Figures) -> list[str]:
    """Digester, gas and light at the end; nothing without biology."""
    b = figures.biology
    if b is None:
        return []
    worst = max(b["balance_error_ratio"].values())
    return [
        f"biology pH {b['ph']:.2f}, FOS/TAC {b['fos_tac_ratio']:.3f} (laboratory {b['laboratory_fos_tac_ratio']:.3f}), "
        f"CH4 {b['ch4_frac']:.1%}, foam {b['foam_m']:.2f} m; light {b['light_frac']:.2f}, {b['luminous']}",
        f"gas     burner {b['burner_m3']:.1f} m3, flare {b['flare_m3']:.1f}, relief {b['relief_m3']:.1f}; "
        f"worst balance misses {worst:.1e}; state {b['state_sha256'][:16]}",
    ]


CONTROLLERS_OWN = (
    *("policy", "tick_s", "ticks", "guard_closures", "closed_s", "overruns", "outputs_at_fail", "trace_sha256"),
)


def hardware_result(name: str, seed: int, simulated_s: float, figures: Figures) -> Result:
    """A run without a controller: what only a controller knows is empty, and null in the JSON object."""
    return Result(
        scenario=name,
        seed=seed,
        policy="",
        tier="c",
        tick_s=0.0,
        simulated_s=simulated_s,
        ticks=0,
        figures=figures,
        guard_closures=0,
        closed_s=0.0,
        outputs_at_fail=False,
        trace_sha256="",
        trace_changes=0,
    )


def hardware_as_json(result: Result, wall_s: float) -> dict[str, Any]:
    """The public keys of a run without a controller; without a scenario its name is null."""
    row = as_json(result, wall_s, 0)
    return row | dict.fromkeys(CONTROLLERS_OWN) | {"scenario": result.scenario or None}


def hardware_as_lines(result: Result) -> list[str]:
    """The same for people."""
    figures = result.figures
    fullest = max(figures.vessels.items(), key=lambda item: item[1].max_level_frac)
    return [
        f"{result.scenario or 'a standing pod'}, seed {result.seed}: the hardware alone for {result.simulated_s:.1f} s",
        f"waste   arrived {figures.arrived_kg:.1f} kg, accepted {figures.accepted_kg:.1f}, "
        f"refused {figures.refused_kg:.1f}, processed {figures.processed_kg:.1f}, held {figures.held_kg:.1f}",
        f"spilled {figures.spilled_kg:.1f} kg; fullest: {fullest[0]} at {fullest[1].max_level_frac:.1%}",
    ]


def exit_code(result: Result) -> int:
    """3 when anything spilled."""
    return EXIT_SPILLED if result.figures.spilled_kg > NOTHING_KG else EXIT_FINE


def _kg(value: float) -> float:
    return round(value, DIGITS)


def _row(values: Mapping[str, float]) -> dict[str, float]:
    return {key: _kg(value) for key, value in values.items()}
