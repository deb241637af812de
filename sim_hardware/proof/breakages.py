"""Deliberate faults in the guard's source: every term of the inequality deleted, and slips of other kinds.

`TERMS` and `SLIPS` must each be noticed by some obligation. `MARGINS` must not: terms that the guard could do without,
kept as margin, each with why; one that is noticed is no margin any more and has to move up.

Neighbours: `interpreter` plants them, `report` counts. A text that no longer stands in its kernel is an error.
"""

from sim_hardware.proof.interpreter import Breakage

TERMS = [
    Breakage("lease in the tail", "closing_tail_kg", "element.lease_s * open_frac + ", ""),
    Breakage("stroke in the tail", "closing_tail_kg", " + element.stroke_s / 2.0 * travel_frac * travel_frac", ""),
    Breakage("sampling step T/2S", "closing_tail_kg", "open_frac + tick_s / (2.0 * element.stroke_s)", "open_frac"),
    Breakage(
        "tail after the tick", "still_to_pass_kg", " + closing_tail_kg(rate_kg_s, p.elements[e], x_frac, p.tick_s)", ""
    ),
    Breakage("the tick itself", "still_to_pass_kg", "p.tick_s * rate_kg_s * open_frac + ", ""),
    Breakage("envelope a", "still_to_pass_kg", "max(s.envelope_frac[e], x_frac)", "x_frac"),
    Breakage("older commands in x", "opened_frac", "max(s.live_frac[e], s.env", "max(0.0, s.env"),
    Breakage("closing takes time", "opened_frac", "s.envelope_frac[e] - p.tick_s / p.elements[e].stroke_s", "0.0"),
    Breakage("hold-up M", "weigh_vessel", " + vessel.hold_up_kg", ""),
    Breakage("Psi", "weigh_vessel", " + vessel.psi_kg", ""),
    Breakage("U", "weigh_vessel", "s.bound_kg[v] + ", ""),
    Breakage("jam reserve", "weigh_vessel", "healthy_kg + jam_kg", "healthy_kg"),
    Breakage("common cause", "weigh_vessel", "if s.caused_kg[c] > worst_kg", "if False and s.caused_kg[c] > worst_kg"),
    Breakage("dilution ratio", "weigh_vessel", "healthy_kg += reach * s.intake_kg[i]", "healthy_kg += s.intake_kg[i]"),
    Breakage("own element stuck", "weigh_intake", "min(sum_kg + extra_kg, least_kg)", "min(sum_kg, least_kg)"),
    Breakage("shared element stuck", "weigh_intake", "max(own_stuck_kg, min(sum_kg, second_kg))", "own_stuck_kg"),
    Breakage("second element stuck too", "weigh_intake", "max(least_kg, kg)", "kg"),
    Breakage(
        "members of a cause", "weigh_intake", "most_kg if p.causes[c].member[p.flows[f].element] != 0 else kg", "kg"
    ),
    Breakage("members among the shared", "weigh_intake", "if p.causes[c].member[intake.shared[k]] == 0:", "if True:"),
    Breakage("content of the source", "stuck_kg", " + min(held_kg, p.vessels[v].weir_kg)", ""),
    Breakage("drawn off weirs by one fault", "weigh_vessel", " + p.intakes[i].over_kg[v]", ""),
    Breakage("drawn off weirs by a cause", "weigh_vessel", " + p.causes[c].over_kg[v]", ""),
    Breakage("drawn off weirs above the source", "stuck_kg", " + p.intakes[i].over_kg[v]", ""),
    Breakage("hold-up of the source", "stuck_kg", "p.vessels[v].hold_up_kg + ", ""),
    Breakage("Psi of the source", "stuck_kg", " + p.vessels[v].psi_kg", ""),
    Breakage("what people fill", "stuck_kg", "is_fed and ", ""),
    Breakage(
        "error of a position that is shut",
        "bound_element",
        "max(live, min(most_frac, left_frac))",
        "live",
    ),
    Breakage("what closes a circle", "weigh", "s.intake_worst_kg[i] = ENDLESS_KG", "s.intake_worst_kg[i] = 0.0"),
    Breakage("inlets above the source", "stuck_kg", "kg += p.intakes[i].reach_ratio[v] * worst_kg", "kg += 0.0"),
    Breakage(
        "causes above the source",
        "stuck_kg",
        "worst_kg = max(worst_kg, s.intake_cause_kg[i, c])",
        "worst_kg = worst_kg",
    ),
    Breakage("largest bag", "lid_most_kg", "chute.largest_bag_kg + ", ""),
    Breakage("what passes the lid", "lid_most_kg", " + chute.lid_pass_kg_s * delay_s", ""),
    Breakage("age of the weight", "lid_most_kg", "s.content_age_s[c] + ", ""),
    Breakage("lease of the lid", "lid_most_kg", " + p.elements[chute.lid].lease_s", ""),
    Breakage("lock time of the lid", "lid_most_kg", " + chute.lid_lock_s", ""),
    Breakage("a tick until the lid is told", "lid_most_kg", " + p.tick_s", ""),
    Breakage("bag under a lid not locked", "chute_most_kg", "s.lid_open[c] != 0 or ", ""),
    Breakage("bag since the weighing", "chute_most_kg", " or s.sealed[c] == 0", ""),
    Breakage("error of the weight", "bound_chute", " + chute.content_error_kg", ""),
    Breakage("level of the switch", "bound_chute", "max(chute.high_kg, max(0.0, kg)", "max(0.0, max(0.0, kg)"),
    Breakage("age of the switch", "bound_chute", "age_s = max(age_s, switch_s)", "age_s = age_s"),
    Breakage("sealed since the switch", "bound_chute", "min(taken_ns, f.high_ns[c])", "taken_ns"),
    Breakage("level error", "sample_most_kg", " + vessel.level_error_kg[i]", ""),
    Breakage("inflow since the sample", "sample_most_kg", " + since_kg", ""),
    Breakage("dead reckoning", "bound_vessel", "s.bound_kg[v] += inflow_kg", "s.bound_kg[v] += 0.0"),
    Breakage("time in dead reckoning", "observe", "s.inflow_bound_kg_s[v] * max(elapsed_s, p.tick_s)", "0.0"),
    Breakage("early frames", "observe", "max(elapsed_s, p.tick_s)", "elapsed_s"),
    Breakage("a gap in time", "observe", "inflow_kg += p.vessels[v].capacity_kg", "inflow_kg += 0.0"),
    Breakage("closing in a gap in time", "observe", "settled_s = 0.0", "settled_s = p.longest_gap_s"),
    Breakage(
        "one stuck in dead reckoning",
        "passing_kg_s",
        "max(min(sum_kg_s + extra_kg_s, least_kg_s), ",
        "max(min(sum_kg_s, least_kg_s), ",
    ),
    Breakage("shared stuck in dead reckoning", "passing_kg_s", "min(sum_kg_s, second_kg_s)", "0.0"),
    Breakage(
        "cause in dead reckoning",
        "passing_kg_s",
        "most_kg_s = max(most_kg_s, s.caused_kg_s[c])",
        "most_kg_s = most_kg_s",
    ),
    Breakage("reach in dead reckoning", "commit", "p.intakes[i].reach_ratio[v] * rate_kg_s", "rate_kg_s"),
    Breakage("error of a position", "bound_element", "seen + element.position_error_frac", "seen"),
    Breakage(
        "commands since the position",
        "bound_element",
        "max(most_frac, live)",
        "most_frac",
    ),
    Breakage(
        "lease of older commands", "live_frac", "since_ns - successor_ns > lease_ns", "since_ns - successor_ns > 0"
    ),
    Breakage(
        "commands before the start",
        "live_frac",
        "if k > s.ticks:\n            return 1.0",
        "if k > s.ticks:\n            return 0.0",
    ),
]

SLIPS = [
    Breakage("vote: smaller of two", "bound_vessel", "mid if votes == 3 else high", "mid if votes == 3 else low"),
    Breakage("vote: smallest of three", "bound_vessel", "mid if votes == 3 else high", "low if votes == 3 else high"),
    Breakage("vote: one lowers", "bound_vessel", "if votes >= 2:", "if votes >= 1:"),
    Breakage("vote: uncertain samples count", "bound_vessel", "if f.level_quality[v, i] != GOOD:", "if False:"),
    Breakage("vote: one does not raise", "bound_vessel", "max(s.bound_kg[v], raised_kg)", "s.bound_kg[v]"),
    Breakage("blind: never full", "bound_vessel", "1 if blind or (", "1 if (False and blind) or ("),
    Breakage("blind: time not counted", "bound_vessel", "s.blind_s[v] += elapsed_s", "s.blind_s[v] += 0.0"),
    Breakage("float ignored", "bound_vessel", " or (vessel.has_float == 1 and f.float_on[v] != 0)", ""),
    Breakage("restart: empty", "bound_vessel", "s.bound_kg[v] = vessel.capacity_kg", "s.bound_kg[v] = 0.0"),
    Breakage("sample from the future", "sample_most_kg", " or taken_ns > f.now_ns", ""),
    Breakage(
        "stale sample used", "sample_most_kg", "if not (f.now_ns - taken_ns) * 1e-9 <= vessel.stale_s:", "if False:"
    ),
    Breakage(
        "off by one tick of inflow",
        "inflow_since_kg",
        "s.command_ns[slot] <= taken_ns",
        "s.command_ns[slot] <= taken_ns + 1000000000",
    ),
    Breakage("bad position used", "bound_element", "f.position_quality[e] == GOOD and fresh", "fresh"),
    Breakage(
        "verified too early",
        "bound_element",
        "[(s.ticks - 1) % HISTORY], verified_before_ns)",
        "[(s.ticks - 1) % HISTORY], f.verified_ns[e])",
    ),
    Breakage(
        "verified before it arrived",
        "bound_element",
        "f.position_ns[e], known_ns)",
        "f.position_ns[e], s.verified_ns[e])",
    ),
    Breakage(
        "verified at any time",
        "bound_element",
        " if f.position_ns[e] >= s.command_ns[(s.ticks - 1) % HISTORY] else -1",
        "",
    ),
    Breakage("shut while a command lives", "bound_element", "1 if s.envelope_frac[e] == 0.0 else 0", "1"),
    Breakage(
        "closing twice as fast", "bound_element", "elapsed_s / element.stroke_s", "2.0 * elapsed_s / element.stroke_s"
    ),
    Breakage("relay half open", "holdable_frac", "if wish_frac >= 1.0:", "if wish_frac >= 0.5:"),
    Breakage("gate without its lid", "raise_flow", "flow.chute >= 0 and s.locked_ns[flow.chute] < 0", "False"),
    Breakage("gate into a full vessel", "raise_flow", "if full >= 0:", "if False:"),
    Breakage("shared element into a full vessel", "raise_shared", "if full >= 0:", "if False:"),
    Breakage("lid over an open gate", "raise_lid", "s.proved_shut[chute.gate] == 0 or ", ""),
    Breakage("lid with its gate", "raise_lid", " or g.grant_frac[chute.gate] > 0.0", ""),
    Breakage("lid without room", "raise_lid", " + lid_most_kg(p, s, c)", ""),
    Breakage("lid locked by an old weight", "bound_chute", " and taken_ns >= s.locked_ns[c]", ""),
    Breakage("any grant offends nobody", "offended", "leads = leads_to(p, s, e, v)", "leads = False"),
    Breakage("worse where it is over", "offended", "s.trial_kg[v] > s.phi_kg[v]", "False"),
    Breakage("tested against the old Phi", "accept", "s.phi_kg[v] = s.trial_kg[v]", "s.phi_kg[v] = s.phi_kg[v]"),
    Breakage("fits if one fits", "everything_fits", "return False", "return v > 0"),
    Breakage("the half that failed", "largest_fitting_frac", "return fits_frac", "return fails_frac"),
    Breakage("refused, left under test", "fitting_frac", "opened_frac(p, s, e, grant_frac)", "wish_frac"),
    Breakage("lid leads nowhere", "leads_to", "p.chutes[flow.chute].lid == e", "False"),
    Breakage("nothing leads on through a pump", "leads_to", "if source >= 0 and ", "if False and "),
    Breakage("shared element leads nowhere", "leads_to", "if p.intakes[i].shared[k] == e:", "if False:"),
    Breakage(
        "a cause leads nowhere", "may_pass", "most_kg = max(most_kg, s.intake_cause_kg[i, c])", "most_kg = most_kg"
    ),
    Breakage("kept though it does not fit", "guard", "if everything_fits(p, s):", "if True:"),
    Breakage("granted while stopped", "guard", "if f.execute != 1:", "if False:"),
    Breakage("measured in one place only", "measure", "e == EVERY or intake.shared[k] == e", "e == EVERY"),
    Breakage("one intake forgotten", "commit", "for i in range(p.n_intakes):", "for i in range(p.n_intakes - 1):"),
    Breakage("command not remembered", "commit", "= g.grant_frac[e]", "= 0.0"),
]

MARGINS = {
    Breakage(
        "relay opens on through the lease", "closing_tail_kg", "if element.positioner == 0:", "if False:"
    ): "a granted relay, and one with a living command, count as fully open already (opened_frac)",
    Breakage(
        "reach of the jam", "stuck_kg", "is_fed and s.full[v] == 0", "is_fed"
    ): "U is sound for a vessel that counts as full, too; it then only stops lowering",
}
