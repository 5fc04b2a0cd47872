"""The rule: what passes, what fails, and what nothing can be said of."""

from typing import cast

import numpy as np
import pytest

from implementations.contract import Spec
from implementations.declarations import Tensor
from implementations.equivalence import tolerances
from implementations.equivalence.tolerances import FACTOR, MOST_BUDGET, Check, Yardstick

U = tolerances.UNIT_ROUNDOFF["float32"]


class WithTensors:
    """A parameter with a slot, one without, and a statistic."""

    def tensors(self) -> dict[str, Tensor]:
        return {
            "w": Tensor((2,), "parameter"),
            "b": Tensor((2,), "parameter"),
            "mean": Tensor((2,), "statistic"),
            "m:w": Tensor((2,), "slot", "w"),
        }


SPEC = cast(Spec, WithTensors())
"""Nothing else of a specification is asked for here."""


def yardstick(stray: float = 0.0, terms: float | None = None) -> Yardstick:
    names = ["logits", "w", "b", "change of w", "change of b", "mean", "m:w"]
    wanted = {name: np.array([3.0, 4.0]) for name in names}
    return Yardstick(wanted, dict.fromkeys(names, stray), U, {} if terms is None else {"m:w": terms})


def judged(error: float, rule: Yardstick, extreme: bool = False) -> dict[str, Check]:
    """Verdicts by group, where every number is off by this share of its tensor."""
    found = {name: value * (1 + error) for name, value in rule.expected.items()}
    return {check.group: check for check in tolerances.judge("start", found, rule, SPEC, "gradients", extreme)}


def test_the_budget_is_the_factor_times_what_is_typical_and_at_least_a_rounding() -> None:
    assert yardstick(stray=1e-3).budget("w", 5.0) == FACTOR * 1e-3 / 5
    assert yardstick(stray=0.0).budget("w", 5.0) == FACTOR * U


@pytest.mark.parametrize(("times", "passed"), [(0.9, True), (1.1, False)])
def test_an_error_passes_up_to_its_budget(times: float, passed: bool) -> None:
    verdicts = judged(times * FACTOR * 1e-3 / 5, yardstick(stray=1e-3))
    assert set(verdicts) == {"logits", "parameters", "change of parameters", "statistics", "gradients"}
    assert {check.passed for check in verdicts.values()} == {passed}


def test_nothing_is_certified_where_a_zero_gradient_might_pass() -> None:
    stray = 1.01 * MOST_BUDGET * 5 / FACTOR
    verdicts = judged(0.0, yardstick(stray))
    assert set(verdicts) == {"certifiable"}
    assert not verdicts["certifiable"].passed


def test_under_extremes_what_cannot_be_certified_is_said_and_fails_nothing_and_all_else_is_judged() -> None:
    stray = 1.01 * MOST_BUDGET * 5 / FACTOR
    verdict = judged(0.0, yardstick(stray), extreme=True)["not certified"]
    assert verdict.error > MOST_BUDGET
    assert verdict.passed
    rule = Yardstick(yardstick().expected, dict.fromkeys(yardstick().stray, 0.0) | {"logits": stray}, U)
    verdicts = judged(1.1 * FACTOR * U, rule, extreme=True)
    assert verdicts["not certified"].tensor == "logits"
    assert not verdicts["statistics"].passed


def test_what_stands_in_a_slot_or_cannot_be_told_under_extremes_is_let_off() -> None:
    stray = 1.01 * MOST_BUDGET * 5 / FACTOR
    names = {
        check.tensor for check in tolerances.judge("start", {}, yardstick(stray), SPEC) if check.group == "certifiable"
    }
    assert names <= {"logits", "b", "change of b", "mean", "m:w"}
    rule = Yardstick({"b": np.ones(2), "mean": np.ones(2)}, {"b": 1.0, "mean": 0.0}, U)
    assert {c.tensor for c in tolerances.judge("start", rule.expected, rule, SPEC, extreme=True)} == {"mean"}
    assert {c.tensor for c in tolerances.judge("start", rule.expected, rule, SPEC)} == {"mean", "b"}


def test_a_tensor_that_is_zero_in_theory_is_measured_by_its_terms() -> None:
    rule = yardstick(stray=1.0, terms=1e4)
    verdict = judged(0.5, rule)["null tensors"]
    assert verdict.tensor == "m:w"
    assert verdict.passed
    assert not judged(100 * FACTOR, rule)["null tensors"].passed


@pytest.mark.parametrize("found", [{}, {"mean": np.ones(3)}, {"mean": np.array([np.nan, 4.0])}])
def test_what_is_missing_misshapen_or_not_a_number_fails(found: dict[str, np.ndarray]) -> None:
    rule = Yardstick({"mean": np.array([3.0, 4.0])}, {"mean": 0.0}, U)
    assert [check.passed for check in tolerances.judge("start", found, rule, SPEC)] == [False]


def test_sample_losses_are_measured_by_the_largest_logit() -> None:
    wanted = {"logits": np.array([[-200.0, 7.0]]), "sample losses": np.array([1e-9, 2e-9, 0.0, 0.0])}
    assert Yardstick(wanted, {}, U).scale("sample losses") == 2 * 200
    assert Yardstick(wanted | {"logits": np.array([[0.1]])}, {}, U).scale("sample losses") == 2


def test_what_frameworks_flush_counts_as_zero() -> None:
    rule = Yardstick({"mean": np.array([1e-40, 0.0])}, {"mean": 0.0}, U)
    (check,) = tolerances.judge("start", {"mean": np.zeros(2)}, rule, SPEC)
    assert check.passed


def test_elementwise_sees_one_element_among_many() -> None:
    value = np.full(100_000, 2.0)
    found = value.copy()
    wanted = {"w": (value, np.abs(value), 0.0)}
    assert tolerances.elementwise("s", "g", {"w": found}, wanted, U)[0].passed
    found[123] *= 1 + 2 * FACTOR * U
    assert not tolerances.elementwise("s", "g", {"w": found}, wanted, U)[0].passed


def test_constants_are_allowed_the_rounding_of_double_precision_and_no_more() -> None:
    value, double = np.array([1.0]), tolerances.UNIT_ROUNDOFF["float64"]
    wanted = {"w": (value, np.array([1e-9]), np.array([1000.0]))}
    near, far = (value * (1 + times * FACTOR * 1000 * double) for times in (0.9, 1.2))
    assert tolerances.elementwise("s", "g", {"w": near}, wanted, U)[0].passed
    assert not tolerances.elementwise("s", "g", {"w": far}, wanted, U)[0].passed


@pytest.mark.parametrize(
    ("error", "passed"), [(0.9 * tolerances.DRIFT, True), (1.1 * tolerances.DRIFT, False), (np.nan, False)]
)
def test_drift(error: float, passed: bool) -> None:
    wanted = {"w": np.array([3.0, 4.0])}
    (check,) = tolerances.drift("free run", {"w": wanted["w"] * (1 + error)}, wanted, SPEC)
    assert check.passed is passed


def test_excess_and_the_worst_of_a_group() -> None:
    checks = [Check("s", "g", "a", 1.0, 2.0), Check("s", "g", "b", 3.0, 2.0), Check("s", "h", "c", np.nan, 1.0)]
    assert [check.excess for check in checks] == [0.5, 1.5, np.inf]
    assert [check.tensor for check in tolerances.worst_by_group(checks)] == ["b", "c"]
    assert tolerances.total_excess(checks[:2]) == 0.5
    assert (Check("s", "g", "t", 0.0, 0.0).excess, Check("s", "g", "t", 1.0, 0.0).excess) == (0.0, np.inf)


@pytest.mark.parametrize(("off", "passed"), [(1, True), (8, True), (9, False)])
def test_below_the_smallest_normal_number_a_rounding_is_as_large_as_there(off: int, passed: bool) -> None:
    quantum = float(np.finfo(np.float32).smallest_subnormal)
    value = np.array([14 * quantum])
    expected = {"w": (value, np.abs(value), 0.0)}
    unit = tolerances.UNIT_ROUNDOFF["float32"]
    (check,) = tolerances.elementwise("c", "g", {"w": value + off * quantum / 2}, expected, unit)
    assert check.passed == passed
