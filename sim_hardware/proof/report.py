"""The whole proof: every obligation, every breakage, what is taken as given, and whether all of it is as it must be.

Neighbours: `cli_proof` prints. Must not know how anything is proved.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sim_hardware.proof import chutes, grants, intakes, invariant, levels, openings, tails
from sim_hardware.proof.assumptions import ASSUMPTIONS
from sim_hardware.proof.breakages import MARGINS, SLIPS, TERMS
from sim_hardware.proof.interpreter import Breakage
from sim_hardware.proof.prover import PROVED, REFUTED, Finding, Obligation, settle

OBLIGATIONS: list[Obligation] = [
    *tails.OBLIGATIONS,
    *openings.OBLIGATIONS,
    *levels.OBLIGATIONS,
    *chutes.OBLIGATIONS,
    *intakes.OBLIGATIONS,
    *grants.OBLIGATIONS,
    *invariant.OBLIGATIONS,
]
MUTANT_LIMIT_MS = 5_000


class Noticed(NamedTuple):
    """What became of one breakage: the obligation that refutes it, or None."""

    breakage: Breakage
    by: str | None


def prove(told: Callable[[Finding], None] = lambda _: None) -> list[Finding]:
    """Settle every obligation on the kernels as they stand."""
    findings = []
    for obligation in OBLIGATIONS:
        findings.append(settle(obligation))
        told(findings[-1])
    return findings


def notice(breakage: Breakage, findings: Iterable[Finding]) -> Noticed:
    """Find an obligation that refutes a breakage, among those that read the broken kernel; quickest first."""
    reading = {finding.name: finding.ms for finding in findings if breakage.kernel in finding.read}
    for obligation in sorted((x for x in OBLIGATIONS if x.name in reading), key=lambda x: (reading[x.name], x.name)):
        if settle(obligation, breakage, MUTANT_LIMIT_MS).result == REFUTED:
            return Noticed(breakage, obligation.name)
    return Noticed(breakage, None)


def report(told: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Everything as one JSON object; `held` is true if all is proved and every breakage is noticed."""
    findings = prove(lambda x: told(f"{x.name}: {x.result}, {x.ms} ms {x.example}".rstrip()))
    noticed = [notice(breakage, findings) for breakage in (*TERMS, *SLIPS)]
    margins = [notice(breakage, findings) for breakage in MARGINS]
    says = {obligation.name: obligation.says for obligation in OBLIGATIONS}
    missed = [x.breakage.name for x in noticed if x.by is None]
    no_margin = [x.breakage.name for x in margins if x.by is not None]
    return {
        "obligations": [
            {"name": x.name, "result": x.result, "ms": x.ms, "says": says[x.name]}
            | ({"example": x.example} if x.example else {})
            for x in findings
        ],
        "assumptions": ASSUMPTIONS,
        "mutants_refuted": len(noticed) - len(missed),
        "mutants": len(noticed),
        "refuted_by": {x.breakage.name: x.by for x in noticed if x.by is not None},
        "unnoticed": missed,
        "margins": {x.name: why for x, why in MARGINS.items()},
        "no_margin_after_all": no_margin,
        "held": all(x.result == PROVED for x in findings) and not missed and not no_margin,
    }
