"""Bugs as people make them, planted into the kernels' source one by one: each must fall to a check, by name."""

from typing import NamedTuple

import pytest

from sim_hardware.mutants.checks import caught_by
from sim_hardware.mutants.engine import Names, plain_kernels, source


class Bug(NamedTuple):
    """What stands there, what a tired person might have written, and the check that must notice."""

    module: str
    right: str
    wrong: str
    check: str


BUGS = {
    "sign of the closing tail": Bug(
        "terms",
        "+ closing_tail_kg(rate_kg_s, p",
        "- closing_tail_kg(rate_kg_s, p",
        "statements",
    ),
    "unit: nanoseconds taken for milliseconds": Bug(
        "observe",
        "lease_s * 1e9",
        "lease_s * 1e6",
        "bounds",
    ),
    "unit: age in microseconds": Bug(
        "observe",
        "position_ns[e]) * 1e-9",
        "position_ns[e]) * 1e-6",
        "bounds",
    ),
    "missing term: the lease": Bug(
        "terms",
        "rate_kg_s * (element.lease_s * open_frac + ",
        "rate_kg_s * (",
        "statements",
    ),
    "missing term: the sampling step": Bug(
        "terms",
        "open_frac + tick_s / (2.0 * element.stroke_s)",
        "open_frac",
        "statements",
    ),
    "missing term: the hold-up": Bug(
        "terms",
        "s.bound_kg[v] + vessel.hold_up_kg +",
        "s.bound_kg[v] +",
        "statements",
    ),
    "missing term: a jam": Bug(
        "terms",
        "worst_kg = healthy_kg + jam_kg",
        "worst_kg = healthy_kg",
        "statements",
    ),
    "missing term: a common cause": Bug(
        "terms",
        "if s.caused_kg[c] > worst_kg:",
        "if False:",
        "statements",
    ),
    "missing term: the bag under an open lid": Bug(
        "terms",
        "kg += lid_most_kg(p, s, c)",
        "kg += 0.0",
        "statements",
    ),
    "missing term: the sensor's error": Bug(
        "observe",
        " + vessel.level_error_kg[i] + since_kg",
        " + since_kg",
        "bounds",
    ),
    "stale data: a level without its age": Bug(
        "observe",
        "level_error_kg[i] + since_kg",
        "level_error_kg[i]",
        "bounds",
    ),
    "stale data: never blind": Bug(
        "observe",
        "s.blind_s[v] += elapsed_s",
        "s.blind_s[v] = 0.0",
        "bounds",
    ),
    "swapped sensor: one sensor counted three times": Bug(
        "observe",
        "kg = f.level_kg[v, i]\n",
        "kg = f.level_kg[v, 0]\n",
        "bounds",
    ),
    "a vote of the smallest": Bug(
        "observe",
        "mid if votes == 3 else high",
        "low",
        "bounds",
    ),
    "one sensor may lower the bound": Bug(
        "observe",
        "s.bound_kg[v] = max(s.bound_kg[v], raised_kg)",
        "s.bound_kg[v] = raised_kg",
        "bounds",
    ),
    "off by one tick: the command before the last": Bug(
        "observe",
        "slot = (s.ticks - k) % HISTORY\n        if s.command_frac",
        "slot = (s.ticks - k - 1) % HISTORY\n        if s.command_frac",
        "bounds",
    ),
    "off by one tick: the inflow bound of no tick": Bug(
        "observe",
        "s.inflow_bound_kg_s[v] * max(elapsed_s, p.tick_s)",
        "s.inflow_bound_kg_s[v] * (elapsed_s - p.tick_s)",
        "bounds",
    ),
    "NaN order: a content that is no number is light": Bug(
        "observe",
        "known = known and kg >= -chute.capacity_kg and kg <= 2.0 * chute.capacity_kg",
        "known = known and not kg < -chute.capacity_kg and not kg > 2.0 * chute.capacity_kg",
        "totality",
    ),
    "NaN order: a wish that is no number is granted": Bug(
        "guard",
        "if not wish_frac > 0.0:",
        "if wish_frac <= 0.0:",
        "totality",
    ),
    "lost lease: only the last command counts": Bug(
        "observe",
        "if since_ns - successor_ns > lease_ns:",
        "if k > 1:",
        "bounds",
    ),
    "wrong fail state: unknown is shut after a start": Bug(
        "observe",
        "if k > s.ticks:\n            return 1.0",
        "if k > s.ticks:\n            return 0.0",
        "restart",
    ),
    "wrong fail state: an empty vessel after a start": Bug(
        "observe",
        "s.bound_kg[v] = vessel.capacity_kg\n",
        "s.bound_kg[v] = 0.0\n",
        "restart",
    ),
    "the airlock forgets the lid": Bug(
        "guard",
        "s.locked_ns[flow.chute] < 0:",
        "s.locked_ns[flow.chute] < -1:",
        "statements",
    ),
    "the lid forgets the gate": Bug(
        "guard",
        "if s.proved_shut[chute.gate] == 0 or g.grant_frac[chute.gate] > 0.0:",
        "if False:",
        "statements",
    ),
    "a full vessel is fed": Bug(
        "ways",
        "reach_ratio[v] > 0.0 and s.full[v] != 0:",
        "reach_ratio[v] < 0.0:",
        "statements",
    ),
    "a stopped pod moves": Bug(
        "guard",
        "if f.execute != 1:",
        "if f.execute < 0:",
        "statements",
    ),
    "more than wished": Bug(
        "guard",
        "return min(wish_frac, 1.0)",
        "return 1.0",
        "statements",
    ),
    "refused without need": Bug(
        "guard",
        "s.live_frac[e], s.envelope_frac[e] - ",
        "s.live_frac[e], 0.2 + s.envelope_frac[e] - ",
        "statements",
    ),
    "nothing is ever granted": Bug(
        "guard",
        "g.grant_frac[e] = grant_frac",
        "g.grant_frac[e] = 0.0",
        "bounds",
    ),
}


def planted(bug: Bug) -> Names:
    def edit(module: str, text: str) -> str:
        return text.replace(bug.right, bug.wrong) if module == bug.module else text

    return plain_kernels(edit)


@pytest.mark.campaign
def test_no_check_finds_anything_in_the_kernels_as_they_are() -> None:
    assert caught_by(plain_kernels()) == {}


@pytest.mark.campaign
@pytest.mark.parametrize("bug", BUGS.values(), ids=BUGS.keys())
def test_a_planted_bug_is_caught_by_its_named_check(bug: Bug) -> None:
    assert source(bug.module).count(bug.right) == 1, "the source has moved on: plant the bug anew"

    assert bug.check in caught_by(planted(bug))
