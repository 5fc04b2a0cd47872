"""What sets an implementation back: a step that costs it more than the fastest, or nothing of its steps."""

import pytest

from benchmarks.analysis import answer, ranking
from benchmarks.analysis.answer import Reason
from benchmarks.records.record import Record
from tests.support import report_text
from tests.support.synthetic import cell, measured, profile

NUMPY, TORCH = cell("numpy"), cell("torch")


def reason(noise: float = 0.0, **torch_steps: float) -> Reason:
    """Why PyTorch takes 600 µs where NumPy takes 300 µs, by its watched steps, by so much longer or shorter from block to block; each of
    NumPy's takes 100 µs.
    """
    records: list[Record] = measured([(NUMPY, 3e-4), (TORCH, 6e-4)], noise=0.002)
    for block in range(6):
        for of, steps in ((NUMPY, dict.fromkeys(("dense", "relu", "loss"), 1e-4)), (TORCH, torch_steps)):
            steps = {name: seconds * (1 + noise * (-1) ** block) for name, seconds in steps.items()}
            records.append(profile(of, block).model_copy(update={"watched_s": 6e-4, "steps_s": steps}))
    results = report_text.gathered(records)
    (group,) = ranking.comparison_groups(results)
    (found,) = answer.reasons(results, group)
    return found


def test_the_step_that_costs_it_most_beyond_the_fastest_is_named() -> None:
    found = reason(dense=2.5e-4, relu=2e-4, loss=0.5e-4)
    assert found.step == "dense"
    assert (found.step_s, found.best_step_s) == pytest.approx((2.5e-4, 1e-4))


def test_a_step_that_the_fastest_does_not_have_counts_whole() -> None:
    found = reason(dense=1.5e-4, dropout=0.9e-4)
    assert (found.step, found.best_step_s) == ("dropout", 0.0)


def test_a_step_that_costs_it_no_more_than_the_fastest_is_no_reason() -> None:
    assert reason(dense=1e-4, relu=0.9e-4, loss=0.9e-4).step == ""
    assert reason().step == ""


def test_a_step_that_costs_it_more_within_the_noise_is_no_reason() -> None:
    assert reason(noise=0.3, dense=1.1e-4, relu=1e-4, loss=1e-4).step == ""
    assert reason(noise=0.3, dense=1.1e-4, relu=2.5e-4, loss=1e-4).step == "relu"
