"""Configurations in which the guard's promise cannot be given, found by the guard's own sums.

Every vessel is put to its best case (empty, every element proved shut) with everything around it at its worst (all
sources full). If even then some scenario carries it over its lip, no controller could prevent it: refused, with the
scenario and by how many kg. A chute is put to its best case too (weighed just now): what it may hold while one more bag
still has room is what it can collect.

Neighbours: `config_checks` calls it last. Must not know how the sums are made.
"""

import math
from collections.abc import Iterator

from pod_controller.config import Fault
from pod_controller.hands import BY_HAND
from pod_controller.kernels import records, terms
from pod_controller.kernels.records import Record, Table
from pod_controller.topology import Topology

NO_LIMIT_KG = 1e-3 * terms.ENDLESS_KG  # a share of what never ends


def faults(topology: Topology) -> list[Fault]:
    """E123 a vessel carried over its lip from empty, E126 a history too short, E127 a chute or its switch."""
    plant = topology.table[0]
    found = list(_chutes(topology))
    for e in range(plant.n_elements):
        if plant.elements[e].lease_s >= records.HISTORY * plant.tick_s:
            text = (
                f"= {plant.tick_s}: {topology.elements[e]} may live {plant.elements[e].lease_s:.1f} s on an old command"
            )
            found.append(
                Fault(("control", "tick_s"), 126, f"{text}; the history holds {records.HISTORY} ticks: raise it")
            )
    for v in range(plant.n_vessels):
        over_kg, scenario = best_case_over_kg(topology.table, v)
        if over_kg > 0.0:
            text = (
                f"cannot be kept from spilling: even empty, with every inlet shut, {scenario_text(topology, scenario)}"
            )
            over = f"brings it {over_kg:.1f} kg over its capacity: enlarge it by that, or"
            if over_kg > NO_LIMIT_KG:
                over = "brings without end (a supply, or a circle of flows):"
            over += f" {remedy(plant, v, scenario)}"
            found.append(Fault(("vessel", v), 123, f"{topology.vessels[v]} {text} {over}"))
    return found


def remedy(plant: Record, v: int, scenario: int) -> str:
    """What would mend a vessel that cannot be promised, beside a larger one; with the terms that no element stops."""
    if scenario != terms.HEALTHY:
        return "add a second element in series that no common cause opens with the first"
    vessel = plant.vessels[v]
    parts = f"U {max(vessel.level_error_kg):.1f} kg of error, M {vessel.hold_up_kg:.1f} kg, Psi {vessel.psi_kg:.1f} kg"
    return f"shorten what its lines hold up, or give pressure, gas and foam an overflow_to with weir_kg ({parts})"


def best_case_over_kg(plant_table: Table, v: int) -> tuple[float, int]:
    """(Phi - C, scenario) of vessel v when it is empty and shut, and everything else is full."""
    plant = plant_table[0]
    table = records.table(records.STATE)
    state = table[0]
    for u in range(plant.n_vessels):
        state.bound_kg[u] = min(plant.vessels[u].capacity_kg, plant.vessels[u].weir_kg)
    state.bound_kg[v] = max(plant.vessels[v].level_error_kg)
    for c in range(plant.n_chutes):
        state.content_bound_kg[c] = plant.chutes[c].capacity_kg
    terms.weigh(plant, state)
    return float(state.trial_kg[v] - plant.vessels[v].capacity_kg), int(state.trial_scenario[v])


def _chutes(topology: Topology) -> Iterator[Fault]:
    """E127: no room for the largest bag, or for what [shedding] waits for."""
    config = topology.config
    rooms = [collected_kg(topology, c) for c in range(len(config.chute))]
    for c, chute in enumerate(config.chute):
        over_kg = chute.high_kg + _switch_late_kg(topology, c) - chute.capacity_kg
        if rooms[c] >= 0.0 and over_kg > 0.0:
            text = f"= {chute.high_kg}: {chute.high_tag} comes too late: with one more bag and what passes until"
            remedy = f"{chute.lid} is locked the chute holds {over_kg:.1f} kg over its capacity: lower it by that"
            yield Fault(("chute", c, "high_kg"), 127, f"{text} {remedy}")
    for c, (chute, room_kg) in enumerate(zip(config.chute, rooms, strict=True)):
        if room_kg < 0.0:
            text = f"= {chute.capacity_kg}: even empty there is no room for a bag of {chute.largest_bag_kg} kg, what"
            remedy = f"passes until {chute.lid} is locked and the error of its weight: enlarge it by {-room_kg:.1f} kg"
            yield Fault(("chute", c, "capacity_kg"), 127, f"{text} {remedy}, or its lid never unlocks")
    if config.shedding is None or not rooms or min(rooms) < 0.0:
        return
    least_kg = math.floor(10.0 * min(rooms)) / 10.0
    if config.shedding.start_kg > least_kg:
        name = config.chute[rooms.index(min(rooms))].name
        text = f"= {config.shedding.start_kg}: {name} keeps its lid locked above {least_kg:.1f} kg, having no room for"
        remedy = f"one more bag, and would never ask to be emptied by weight: set it to at most {least_kg:.1f}"
        yield Fault(("shedding", "start_kg"), 127, f"{text} {remedy}")


def _switch_late_kg(topology: Topology, c: int) -> float:
    """The most that comes into chute c after its content passed the high-level switch, seen as late as allowed."""
    state = records.table(records.STATE)[0]
    state.content_age_s[c] = topology.table[0].fresh_s
    return float(terms.lid_most_kg(topology.table[0], state, c))


def collected_kg(topology: Topology, c: int) -> float:
    """The weight of chute c, just taken, up to which the guard may unlock its lid; negative: it never may."""
    chute = topology.table[0].chutes[c]
    bag_kg = terms.lid_most_kg(topology.table[0], records.table(records.STATE)[0], c)
    return float(chute.capacity_kg - chute.content_error_kg - bag_kg)


def scenario_text(topology: Topology, scenario: int) -> str:
    """A scenario code of the guard in words."""
    if scenario >= terms.CAUSED:
        name = (*topology.causes, *[BY_HAND] * records.MAX_CAUSES)[scenario - terms.CAUSED]
        if name == BY_HAND:
            return BY_HAND
        kind = "common cause" if name in [cause.name for cause in topology.config.cause] else "module"
        return f"{kind} {name} holding its elements open"
    if scenario >= terms.JAMMED:
        return f"one element of {topology.intakes[scenario - terms.JAMMED]} stuck open"
    return "what no inlet can stop"
