"""`podctl proof`: everything is proved from the kernels' source, and what is wrong on purpose is refuted."""

import json

import pytest
import z3
from click.testing import CliRunner

from hal.errors import PodError
from pod_controller.kernels.terms import closing_tail_kg
from sim_hardware.proof import report
from sim_hardware.proof.breakages import MARGINS, SLIPS, TERMS
from sim_hardware.proof.interpreter import Breakage, Interpreter, Rec
from sim_hardware.proof.prover import PROVED, REFUTED, UNDECIDED, VACUOUS, Case, Obligation, settle
from sim_hardware.verbs.cli_proof import proof

QUICK = ("vote", "series", "stuck_source", "time_between_frames", "chain_with_weirs", "tail_recursion")


def obligation(name: str) -> Obligation:
    return next(x for x in report.OBLIGATIONS if x.name == name)


@pytest.mark.parametrize("name", QUICK)
def test_an_obligation_is_proved(name: str) -> None:
    finding = settle(obligation(name))

    assert (finding.result, finding.example) == (PROVED, "")


@pytest.mark.parametrize(
    ("name", "planted"),
    [
        ("inflow_after_closing", Breakage("no lease", "closing_tail_kg", "element.lease_s * open_frac + ", "")),
        ("vote", Breakage("smaller of two", "bound_vessel", "mid if votes == 3 else high", "low")),
        ("series", Breakage("no second element", "weigh_intake", "max(least_kg, kg)", "kg")),
        ("stuck_source", Breakage("no hold-up", "stuck_kg", "p.vessels[v].hold_up_kg + ", "")),
    ],
)
def test_a_planted_wrong_term_is_refuted_with_a_counterexample(name: str, planted: Breakage) -> None:
    finding = settle(obligation(name), planted)

    assert finding.result == REFUTED
    assert "=" in finding.example


def test_hypotheses_that_contradict_each_other_prove_nothing() -> None:
    x = z3.Real("x")
    empty = Obligation("empty", "nothing", lambda _: iter([Case("empty", [x > 0, x < 0], [x == 7])]))

    assert settle(empty).result == VACUOUS


def test_a_breakage_whose_text_has_gone_is_an_error() -> None:
    with pytest.raises(PodError, match="mend the breakage"):
        settle(obligation("vote"), Breakage("gone", "bound_vessel", "no such text", ""))


def test_the_source_executed_on_numbers_gives_the_kernel_its_own_answer() -> None:
    element = Rec(lease_s=2.5, stroke_s=4.0, fast_stroke_s=1.0, positioner=1)

    for open_frac in (0.0, 0.25, 1.0):
        assert float(Interpreter().run(closing_tail_kg, 0.5, element, open_frac, 0.5)) == closing_tail_kg.py_func(  # type: ignore[attr-defined] # numba's dispatcher keeps the function
            0.5, element, open_frac, 0.5
        )


def test_every_breakage_has_a_name_of_its_own() -> None:
    names = [x.name for x in (*TERMS, *SLIPS, *MARGINS)]

    assert len(set(names)) == len(names)


@pytest.mark.campaign
def test_the_whole_proof_holds_and_every_deliberate_fault_is_refuted() -> None:
    result = CliRunner().invoke(proof, ["--json"], standalone_mode=False)
    found = json.loads(result.stdout)

    assert result.return_value == 0, (found["unnoticed"], found["no_margin_after_all"])
    assert {row["result"] for row in found["obligations"]} == {PROVED}
    assert found["mutants_refuted"] == len(TERMS) + len(SLIPS)
    assert found["assumptions"]
    assert UNDECIDED not in json.dumps(found["obligations"])
