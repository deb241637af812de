"""Phi of every vessel in every scenario by exact fractions: the inequality once more, by enumeration.

Nothing stuck, each single element stuck, each common cause; no arithmetic of the kernel is shared. Neighbour: the
tests of terms and guard compare. It must not use floats after the tables are read.
"""

from collections.abc import Iterable
from fractions import Fraction

from pod_controller.kernels.records import Record

ENDLESS = Fraction(10) ** 30
Stuck = frozenset[int]
Known = dict[int, Fraction]  # the worst of each intake, worked out once


def worst_phi_kg(p: Record, s: Record) -> list[Fraction]:
    """Phi of each vessel in its worst scenario, at asked_frac and envelope_frac of the state."""
    known: Known = {}
    sums = [phi_kg(p, s, frozenset(), known)]
    sums += [_more(phi_kg(p, s, frozenset([e]), known), _drawn_kg(p, e)) for e in range(p.n_elements)]
    sums += [_more(phi_kg(p, s, held, known), p.causes[c].over_kg) for c, held in enumerate(causes(p))]
    return [max(row[v] for row in sums) for v in range(p.n_vessels)]


def _more(found: list[Fraction], over_kg: Iterable[float]) -> list[Fraction]:
    """With what this fault draws off weirs."""
    return [kg + Fraction(float(more_kg)) for kg, more_kg in zip(found, over_kg, strict=False)]


def _drawn_kg(p: Record, e: int) -> list[float]:
    """The most that an intake in which element e stands draws off weirs, for each vessel."""
    rows = [p.intakes[i].over_kg for i in range(p.n_intakes) if e in _elements(p, i)]
    return [max((float(row[v]) for row in rows), default=0.0) for v in range(p.n_vessels)]


def _elements(p: Record, i: int) -> set[int]:
    intake = p.intakes[i]
    own = {int(p.flows[f].element) for f in intake.flows[: intake.n_flows]}
    return own | {int(e) for e in intake.shared[: intake.n_shared]}


def causes(p: Record) -> list[Stuck]:
    return [frozenset(e for e in range(p.n_elements) if p.causes[c].member[e]) for c in range(p.n_causes)]


def phi_kg(p: Record, s: Record, stuck: Stuck, known: Known) -> list[Fraction]:
    """Phi of each vessel in one scenario."""
    intakes = [intake_kg(p, s, i, stuck, known) for i in range(p.n_intakes)]
    found = []
    for v in range(p.n_vessels):
        row = p.vessels[v]
        held_kg = Fraction(float(s.bound_kg[v])) + Fraction(float(row.hold_up_kg)) + Fraction(float(row.psi_kg))
        found.append(held_kg + sum(_reach(p, i, v) * kg for i, kg in enumerate(intakes)))
    return found


def intake_kg(p: Record, s: Record, i: int, stuck: Stuck, known: Known) -> Fraction:
    """What one intake still passes: its flows together, capped by each healthy element behind them."""
    intake = p.intakes[i]
    total = Fraction(0)
    for k in range(intake.n_flows):
        f = int(intake.flows[k])
        e = int(p.flows[f].element)
        kg = element_kg(p, s, e, float(p.flows[f].rate_kg_s))
        total += max(kg, stuck_kg(p, s, f, known)) if e in stuck else kg
    caps = [int(intake.shared[k]) for k in range(intake.n_shared) if int(intake.shared[k]) not in stuck]
    return min([total, *(element_kg(p, s, e, float(intake.shared_rate_kg_s)) for e in caps)])


def element_kg(p: Record, s: Record, e: int, rate_kg_s: float) -> Fraction:
    """phi(x) = T R max(a, x) + B(x)."""
    tick_s, rate = Fraction(float(p.tick_s)), Fraction(rate_kg_s)
    asked, envelope = Fraction(float(s.asked_frac[e])), Fraction(float(s.envelope_frac[e]))
    return tick_s * rate * max(envelope, asked) + tail_kg(p, e, rate, asked)


def tail_kg(p: Record, e: int, rate: Fraction, open_frac: Fraction) -> Fraction:
    """B(x), x' taken on through the lease for an open/close relay."""
    if open_frac <= 0:
        return Fraction(0)
    row = p.elements[e]
    stroke_s, lease_s = Fraction(float(row.stroke_s)), Fraction(float(row.lease_s))
    if not row.positioner:
        open_frac = min(Fraction(1), open_frac + lease_s / Fraction(float(row.fast_stroke_s)))
    travel = open_frac + Fraction(float(p.tick_s)) / (2 * stroke_s)
    return rate * (lease_s * open_frac + stroke_s / 2 * travel * travel)


def stuck_kg(p: Record, s: Record, f: int, known: Known) -> Fraction:
    """What a flow delivers with its own element stuck: all that its source holds and can still get."""
    flow = p.flows[f]
    if flow.chute >= 0:
        return chute_kg(p, s, int(flow.chute))
    if flow.source < 0:
        return ENDLESS
    v = int(flow.source)
    row = p.vessels[v]
    kg = min(Fraction(float(row.capacity_kg if s.full[v] else s.bound_kg[v])), Fraction(float(row.weir_kg)))
    kg += Fraction(float(row.hold_up_kg)) + Fraction(float(row.psi_kg))
    for i in range(int(flow.intake)):
        if _reach(p, i, v) > 0:
            kg += _reach(p, i, v) * worst_intake_kg(p, s, i, known) + Fraction(float(p.intakes[i].over_kg[v]))
    return kg


def worst_intake_kg(p: Record, s: Record, i: int, known: Known) -> Fraction:
    """What one intake still passes in its worst scenario."""
    if i not in known:
        alone = [frozenset([e]) for e in range(p.n_elements)]
        known[i] = max(intake_kg(p, s, i, stuck, known) for stuck in [frozenset[int](), *alone, *causes(p)])
    return known[i]


def chute_kg(p: Record, s: Record, c: int) -> Fraction:
    """The weight behind a sealed lid; else also a bag and what passes the lid until it is locked."""
    row = p.chutes[c]
    kg = Fraction(float(s.content_bound_kg[c]))
    if s.lid_open[c] or not s.sealed[c]:
        parts = (s.content_age_s[c], p.tick_s, p.elements[row.lid].lease_s, row.lid_lock_s)
        kg += Fraction(float(row.largest_bag_kg))
        kg += Fraction(float(row.lid_pass_kg_s)) * sum(Fraction(float(part)) for part in parts)
    return min(kg, Fraction(float(row.capacity_kg)))


def _reach(p: Record, i: int, v: int) -> Fraction:
    return Fraction(float(p.intakes[i].reach_ratio[v]))
