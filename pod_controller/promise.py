"""Configurations in which the guard's promise cannot be given, found by the guard's own sums.

Every vessel is put to its best case (empty, every element proved shut) with everything around it at its worst (all
sources full). If even then some scenario carries it over its lip, no controller could prevent it: refused, with the
scenario and by how many kg.

Neighbours: `config_checks` calls it last. Must not know how the sums are made.
"""

from pod_controller.config import Fault, PodConfig
from pod_controller.kernels import records, terms
from pod_controller.topology import Topology, build


def faults(config: PodConfig) -> list[Fault]:
    """E123 per vessel that can be carried over its lip from empty, E126 for a history too short for the leases."""
    topology = build(config)
    plant = topology.table[0]
    found = []
    for e in range(plant.n_elements):
        if plant.elements[e].lease_s >= records.HISTORY * plant.tick_s:
            text = (
                f"= {plant.tick_s}: {topology.elements[e]} may live {plant.elements[e].lease_s:.1f} s on an old command"
            )
            found.append(
                Fault(("control", "tick_s"), 126, f"{text}; the history holds {records.HISTORY} ticks: raise it")
            )
    for v in range(plant.n_vessels):
        over_kg, scenario = best_case_over_kg(topology, v)
        if over_kg > 0.0:
            text = (
                f"cannot be kept from spilling: even empty, with every inlet shut, {scenario_text(topology, scenario)}"
            )
            remedy = (
                f"brings it {over_kg:.1f} kg over its capacity: enlarge it by that, or add a second element in series"
            )
            found.append(Fault(("vessel", v), 123, f"{topology.vessels[v]} {text} {remedy}"))
    return found


def best_case_over_kg(topology: Topology, v: int) -> tuple[float, int]:
    """(Phi - C, scenario) of vessel v when it is empty and shut, and everything else is full."""
    plant = topology.table[0]
    table = records.table(records.STATE)
    state = table[0]
    for u in range(plant.n_vessels):
        state.bound_kg[u] = min(plant.vessels[u].capacity_kg, plant.vessels[u].weir_kg)
    state.bound_kg[v] = max(plant.vessels[v].level_error_kg)
    for c in range(plant.n_chutes):
        state.content_bound_kg[c] = plant.chutes[c].capacity_kg
    terms.weigh(plant, state)
    return float(state.trial_kg[v] - plant.vessels[v].capacity_kg), int(state.trial_scenario[v])


def scenario_text(topology: Topology, scenario: int) -> str:
    """A scenario code of the guard in words."""
    if scenario >= terms.CAUSED:
        return f"module {topology.causes[scenario - terms.CAUSED]} holding its elements open"
    if scenario >= terms.JAMMED:
        return f"one element of {topology.intakes[scenario - terms.JAMMED]} stuck open"
    return "what no inlet can stop"
