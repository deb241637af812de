"""`podctl bench line`: a campaign's figures beside their goal.

Goal: no wrong GOOD value but shown collisions of the check sequence, and of those no more than chance gives (99.9 % of
a Poisson distribution with the expected number); every fault noted in time; of instruments without a check sequence no
more wrong values than two spoilt frames among three make. Neighbours: `campaign` and `unchecked` run, `cli_bench`
prints. Must not know how faults are made.
"""

from typing import Any

from sim_hardware.line_campaign import unchecked
from sim_hardware.line_campaign.campaign import BAUD, Campaign, Result
from sim_hardware.line_campaign.worth import poisson_limit

GOAL = "wrong_good: shown collisions only, within 99.9 % Poisson of their expectation; late_detected: 0;"
GOAL += " without a check sequence: passed and wrong_good within 99.9 % Poisson of theirs"
_LEAST_FRAMES = 400


def figures(transactions: int, seed: int, baud: int = BAUD) -> dict[str, Any]:
    """Run a campaign; the document of `podctl bench line --json`.

    Instruments without a check sequence get a frame each for every fifty transactions.
    """
    found = document(Campaign(seed, baud=baud).run(transactions), seed, baud)
    others = unchecked.document(max(transactions // 50, _LEAST_FRAMES), seed)
    met = found["met"] and all(each["met"] for each in others.values())
    return found | {"without_check_sequence": others, "met": met}


def document(result: Result, seed: int, baud: int) -> dict[str, Any]:
    """Counts since the start. wrong_good counts frames, as its expectation does; each may carry several values.

    Cost is line time lost, from request to readiness.
    """
    shown = sum(wrong.heard.collides for wrong in result.wrong)
    frames = sorted({wrong.heard.number for wrong in result.wrong})
    limit = poisson_limit(result.expected_collisions_count)
    faults = result.by_kind.total()
    return {
        "bench": "line",
        "transactions": result.transactions,
        "faults": faults,
        "wrong_good": len(frames),
        "wrong_good_values": len(result.wrong),
        "wrong_good_values_of_shown_collisions": shown,
        "wrong_good_expected_collisions": result.expected_collisions_count,
        "wrong_good_limit": limit,
        "undetected_values": result.undetected,
        "undetected_values_expected": result.expected_undetected_count,
        "implausible_values": result.implausible,
        "late_detected": sum(result.late_detected.values()),
        "late_detected_by_kind": dict(sorted(result.late_detected.items())),
        "cost_ms_per_fault": sum(result.lost_ms.values()) / faults if faults else 0.0,
        "cost_ms_by_kind": {kind: result.lost_ms.get(kind, 0.0) / n for kind, n in sorted(result.by_kind.items())},
        "faults_by_kind": dict(sorted(result.by_kind.items())),
        "good_values": result.good,
        "acks": result.acks,
        "simulated_s": result.simulated_s,
        "baud": baud,
        "seed": seed,
        "goal": GOAL,
        "met": shown == len(result.wrong) and len(frames) <= limit and not result.late_detected.total(),
    }
