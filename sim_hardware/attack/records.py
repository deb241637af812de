"""What is true of an attacked plant (WORLD), and where a game stands (RUN).

Neighbours: `world` fills both, `play` and `strikes` read the one and write the other. Must not know the guard's state.
"""

from typing import Any

import numpy as np

from pod_controller.kernels.records import (
    MAX_CHUTES,
    MAX_ELEMENTS,
    MAX_FLOWS,
    MAX_INTAKES,
    MAX_LEVELS,
    MAX_VESSELS,
)

NS = 1_000_000_000
RANDOM, GREEDY, EVOLVED = 0, 1, 2
STRATEGIES = ("random", "greedy", "evolved")
BY_CHANCE = -1.0


def _record(*fields: tuple[Any, ...]) -> np.dtype[Any]:
    return np.dtype((np.record, np.dtype(list(fields), align=True)))


WORLD = _record(
    ("seed", "i8"),
    ("steps", "i8"),  # of physics per tick
    ("sampled_at", "i8"),  # the step whose values the next frame shows
    # how the vessels hang together, in their own order: everything runs to a later one
    ("below", "i8", (MAX_VESSELS,)),  # where a vessel overflows into; -1 it has no weir
    ("share", "f8", (MAX_INTAKES, MAX_VESSELS)),  # of what an intake passes; of a pump together 1
    ("drain_kg_s", "f8", (MAX_VESSELS,)),
    ("filled_frac", "f8"),  # every vessel at the beginning
    ("drain_ticks", "i8"),  # the drain rests for every third of such spells
    ("pump_ticks", "i8"),  # and pumps are not wished in every third of these
    ("bias_kg", "f8", (MAX_VESSELS, MAX_LEVELS)),
    ("period_ticks", "i8", (MAX_VESSELS, MAX_LEVELS)),  # how often a level is sampled
    ("float_kg", "f8", (MAX_VESSELS,)),
    ("content_bias_kg", "f8", (MAX_CHUTES,)),
    ("open_s", "f8", (MAX_ELEMENTS,)),
    ("close_s", "f8", (MAX_ELEMENTS,)),
    ("lease_s", "f8", (MAX_ELEMENTS,)),
    ("module", "i8", (MAX_ELEMENTS,)),
    ("write_step", "i8", (MAX_ELEMENTS,)),  # the step at which a command arrives
    ("hold_up_kg", "f8", (MAX_VESSELS,)),  # own, without what comes over a weir
    ("psi_kg", "f8", (MAX_VESSELS,)),
    ("over_weir_kg", "f8", (MAX_VESSELS,)),  # what a pressure step pushes over its weir
    ("high_kg", "f8", (MAX_CHUTES,)),  # its high-level switch is on from here
    ("rate_ratio", "f8"),  # of what is declared; above 1 only beyond the promise
    ("older_ticks", "i8"),  # a level's age is so much more than it says; beyond the promise
    # people and pumps
    ("fill_from_frac", "f8"),  # a chute asks to be emptied above this
    ("fill_to_frac", "f8"),  # and no more below this
    ("bag_chance", "f8"),  # per step, that what waits over an open lid falls in
    ("arrive_chance", "f8"),  # per step, that hold-up arrives all at once
    # the attack
    ("strategy", "i8"),
    ("faults", "i8", (3,)),  # of every strike
    ("threshold", "f8"),  # a strike waits for this share of the best moment so far
    ("delay_ticks", "i8"),  # and so much longer
    ("lead_ticks", "i8"),  # what lies or is silent does so this long before something sticks open
    ("target", "i8"),  # the vessel to be spilled; -1 the one most threatened
    ("aim", "f8"),  # which element, which sensor, how far: 0..1, or by chance
    ("lie", "f8"),
    ("reach", "f8"),  # which module loses its writes; all above 0.4
    ("pretends", "i8"),  # a stuck element's feedback shows where a healthy one would be
    ("stops_draining", "i8"),  # with the strike nothing is drawn from the vessel struck at any more
    ("surprises", "i8"),  # Psi comes with the first strike, and not when it is worst
    ("surge_ticks", "i8"),  # and takes so long; 0 all at once
    ("episode_ticks", "i8"),  # how long a strike lasts until it is mended
    ("rest_ticks", "i8"),  # and how long nothing breaks afterwards
    ("gap_ticks", "i8"),
    ("goes_on", "i8"),  # after a spill, too
    ("steady", "i8"),  # the pod's own shedding asks: no attack, a surge to be served
)

RUN = _record(
    ("until", "i8"),  # the tick at which the game ends
    ("now_ns", "i8"),
    ("decided_ns", "i8"),
    ("tick", "i8"),
    ("held_kg", "f8", (MAX_VESSELS,)),
    ("coming_kg", "f8", (MAX_VESSELS,)),  # past the last element, not yet arrived: never more than the hold-up
    ("surging_kg", "f8", (MAX_VESSELS,)),  # of a surprise that has begun, still to come
    ("stepping_kg", "f8", (MAX_VESSELS,)),  # and over the weir
    ("total_kg", "f8", (MAX_VESSELS,)),  # with all that may still come by itself
    ("older_kg", "f8", (MAX_VESSELS, 16)),  # what was held so many ticks ago
    ("seen_kg", "f8", (MAX_VESSELS, MAX_LEVELS)),
    ("seen_ns", "i8", (MAX_VESSELS, MAX_LEVELS)),
    ("content_kg", "f8", (MAX_CHUTES,)),
    ("waiting_kg", "f8", (MAX_CHUTES,)),  # what people hold over a lid
    ("emptying", "i1", (MAX_CHUTES,)),
    ("seen_content_kg", "f8", (MAX_CHUTES,)),
    ("seen_high", "i1", (MAX_CHUTES,)),
    ("sampled_ns", "i8"),
    ("at_frac", "f8", (MAX_ELEMENTS,)),
    ("shown_frac", "f8", (MAX_ELEMENTS,)),  # where a healthy one would be
    ("seen_frac", "f8", (MAX_ELEMENTS,)),
    ("sent_frac", "f8", (MAX_ELEMENTS,)),
    ("told_frac", "f8", (MAX_ELEMENTS,)),
    ("lost_ns", "i8", (MAX_ELEMENTS,)),  # when the first write was lost; -1 none is
    ("verified_ns", "i8", (MAX_ELEMENTS,)),
    # what is broken now; -1 nothing
    ("stuck", "i1", (MAX_ELEMENTS,)),
    ("pours", "i1", (MAX_FLOWS,)),  # nothing healthy stands in a flow's way
    ("n_pours", "i8"),
    ("lying_element", "i8"),
    ("lost_module", "i8"),
    ("liar_vessel", "i8"),
    ("liar_level", "i8"),
    ("liars", "i8"),
    ("lie_kg", "f8"),
    ("blind_vessel", "i8"),
    ("dead_vessel", "i8"),
    ("dead_level", "i8"),
    ("mute", "i8"),
    ("weightless", "i8"),
    ("light_chute", "i8"),
    ("light_kg", "f8"),
    ("low_chute", "i8"),  # its high-level switch never comes on
    ("blocked_vessel", "i8"),
    ("gap_left", "i8"),
    ("restart", "i8"),
    ("struck", "i1"),
    ("wait_ticks", "i8"),  # a strike has been decided and comes so much later; -1 none has
    ("stick_tick", "i8"),  # what sticks open does so then; -1 it has, or nothing will
    ("target", "i8"),  # the vessel struck at
    ("until_tick", "i8"),  # of the strike, or of the rest
    ("promised", "f8"),  # the best moment to strike so far, as share of a capacity
    ("at_strike_kg", "f8", (MAX_VESSELS,)),
    ("recovered", "i1", (MAX_VESSELS,)),  # drawn down since the last strike: its reserve stands again
    ("surprised", "i1", (MAX_VESSELS,)),  # its Psi has come already
    ("draw", "i8"),
    # what is counted
    ("ticks", "i8"),
    ("plant_steps", "i8"),
    ("strikes", "i8"),
    ("spilled_kg", "f8"),
    ("spilled_tick", "i8"),
    ("spilled_vessel", "i8"),
    ("least_margin_kg", "f8"),  # with all that may still come by itself, that instant
    ("chute_over_kg", "f8"),
    ("passed_kg", "f8"),
    ("came_kg", "f8"),  # from outside: bags, supplies, dilution, surprises
    ("left_kg", "f8"),  # drained, or over the lip of a chute
    ("highest_kg", "f8", (MAX_VESSELS,)),
    ("held_sum_kg", "f8", (MAX_VESSELS,)),  # over the ticks
    ("strokes", "f8"),  # full ones of gates and pumps, there and back counted as two
)
