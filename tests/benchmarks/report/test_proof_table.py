"""The table of proofs: what stands in which column, and how whose fault a failure is shows."""

import pytest

from benchmarks.records.record import Check, Configuration, ProofRecord
from benchmarks.report import proof_table

WHO = Configuration(model="mlp", framework="keras-torch", variant="stock", threads=2)


def check(group: str, error: float = 0.5, budget: float = 1.0, name: str = "hot state", limit: str = "") -> Check:
    return Check(check=name, group=group, tensor="t", error=error, budget=budget, passed=error <= budget, limit=limit)


def proof(*checks: Check) -> ProofRecord:
    return ProofRecord(who=WHO, axes={"batch": 32}, block=0, checks=[check("logits"), *checks])


@pytest.mark.parametrize(
    ("of", "column"),
    [
        (check("null tensors"), "gradients"),
        (check("parameters from slots"), "parameters"),
        (check("loss", name="restarted run"), "long runs"),
        (check("keep rate", name="generator"), "dropout"),
        (check("mask keep rate"), "dropout"),
        (check("replay"), proof_table.CONDUCT),
        (check("results stay", name="manners"), proof_table.CONDUCT),
    ],
)
def test_every_check_has_a_column(of: Check, column: str) -> None:
    assert proof_table.column_of(of) == column


def test_equal_unequal_and_a_limit_of_the_frameworks_own() -> None:
    failed = check("statistics", error=2.0)
    limit = check("statistics", error=2.0, limit="variance of features far from zero")
    assert proof_table.verdict(proof()) == "equal"
    assert proof_table.verdict(proof(failed)) == "UNEQUAL"
    assert proof_table.verdict(proof(limit)) == "limit"
    assert proof_table.verdict(proof(limit, failed)) == "UNEQUAL"


def test_the_table_has_a_row_per_proof_and_says_what_failed_and_whose_it_is() -> None:
    limit = check("statistics", error=2.0, name="features far from zero", limit="variance of features far from zero")
    shown = proof_table.render([proof(), proof(check("gradients", error=3.0), limit)])
    rows = [line for line in shown.splitlines() if "keras-torch (stock)" in line and "batch 32" in line]
    assert len([row for row in rows if " plain " in row]) == 2
    assert "✗ 3" in shown
    assert "limit 2" in shown
    assert "(keras-torch's own: variance of features far from zero)" in shown
    assert "gradients: t off by 3, allowed 1\n" in shown


def test_what_has_no_bound_is_reported_and_not_judged() -> None:
    shown = proof_table.render(
        [proof(check("adopted choices", 3, 64), check("spread as timed", 1e-7, float("inf"), name="determinism"))]
    )
    assert "adopted 3 choices" in shown
    assert "differ by 1e-07" in shown
    assert "Failed" not in shown


def test_all_proofs_in_one_line() -> None:
    limit = check("statistics", error=900.0, limit="variance of features far from zero")
    assert proof_table.summary([proof(), proof(limit)]) == (
        "2 proofs: 1 equal, 1 equal but for a limit of the framework's own; 3 checks, the worst at 0.5 of its budget "
        "(keras-torch (stock) float32, hot state, logits: t)"
    )
    failed = proof(check("statistics", error=float("nan")), check("loss", error=9.0))
    assert "1 UNEQUAL; 3 checks, the worst at nan of its budget" in proof_table.summary([failed])
