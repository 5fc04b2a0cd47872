"""Processes share what the proof's perturbed runs find; large networks are judged as small ones are."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from implementations.equivalence import proof, strays, tolerances
from implementations.equivalence.kit import Kit
from implementations.equivalence.repetition import Repetition
from implementations.frameworks import numpy_adapter
from implementations.mlp.spec import MLPSpec
from tests.mutation.faults.mlp import SIZE as SMALL
from tests.support.mlp.relu_sides import at_zero, leaning
from tests.support.mlp.small_models import Oracle

SPEC = MLPSpec(**SMALL)


@pytest.fixture(autouse=True)
def all_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "LARGE_FLOPS", 1)


@pytest.fixture
def kit(tmp_path: Path) -> Kit:
    return Kit("mlp", "numpy", numpy_adapter, "cpu", shared=strays.Shared(tmp_path))


def repetition(kit: Kit, spec: MLPSpec = SPEC, precision: str = "float32", **options: Any) -> Repetition:
    start = kit.starts(spec)[0]
    return Repetition(Oracle(spec), spec, start, strays.masks(spec, start.samples), precision, **options)


@pytest.mark.parametrize("precision", ["float64", "float32", "tf32", "bfloat16"])
def test_shared_strays_are_those_of_every_other_mask(kit: Kit, precision: str) -> None:
    """Sixteen runs of a network this small scatter by some ten percent; a budget is 8 times as wide."""
    spec = SPEC.changed(batch=256, precision=precision)
    one = repetition(kit, spec, precision)
    other = replace(one, masks={name: np.roll(mask, 1, axis=0) for name, mask in one.masks.items()})
    expected = other.reference()
    alone, reach = other.strayed(
        expected, {name: branch.choice for name, branch in other.oracle.branches().items()}, tolerances.PERTURBATIONS
    )
    shared, shared_reach = strays.find(one)
    large = [name for name, stray in alone.items() if stray and np.size(expected[name]) > 100]
    assert len(large) > 10
    for name in large:
        assert 0.5 < shared[name] / alone[name] < 2, name
    for name in reach:
        assert 0.5 < shared_reach[name] / reach[name] < 2


def test_they_are_found_once_for_a_start_and_a_precision(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    find = mock.Mock(wraps=strays.find)
    monkeypatch.setattr(strays, "find", find)
    for model in (None, None):
        assert all(check.passed for check in kit.steps(kit.candidate(SPEC, model), kit.starts(SPEC)))
    assert [call.args[0].start.check for call in find.call_args_list] == ["hot state", "zeroed slots"]
    kit.steps(kit.candidate(SPEC.changed(batch=16)), kit.starts(SPEC.changed(batch=16))[:1])
    assert find.call_count == 3


def test_what_is_wrong_is_noticed_by_them_too(kit: Kit) -> None:
    class Wrong(kit.model_class):  # type: ignore[name-defined]  # a fixture's class
        def update(self, gradients: Any) -> None:
            super().update(gradients | {"norm1.gamma": gradients["norm1.gamma"] * (1 + 1e-4)})

    checks = kit.steps(kit.candidate(SPEC, Wrong(SPEC)), kit.starts(SPEC))
    assert {check.group for check in checks if not check.passed} >= {"slots", "gradients"}


@pytest.mark.parametrize(
    ("large_flops", "nearer"), [(10**9, 0), (1, 0), (1, 20)], ids=["tiny", "large", "others nearer"]
)
def test_where_a_models_word_on_its_relus_is_wrong_within_rounding_the_right_side_is_searched(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, large_flops: int, nearer: int
) -> None:
    """As where the sides are told by another compiled program than the step."""
    monkeypatch.setattr(strays, "LARGE_FLOPS", large_flops)
    spec = SPEC.changed(dropout=0.0, hidden=(32, 16))
    model = leaning(1.5e-6)(spec)
    oracle_says = {name: branch.choice for name, branch in _branches(kit, spec, nearer).items()}
    monkeypatch.setattr(model, "choices", lambda batch: oracle_says)
    checks = proof.prove_step(kit.candidate(spec, model), Oracle(spec), at_zero(kit, spec, 5e-7, nearer), kit.shared)
    assert all(check.passed for check in checks)
    assert [check.error for check in checks if check.group == proof.FLIPS] == [1]


def _branches(kit: Kit, spec: MLPSpec, nearer: int) -> Any:
    start, oracle = at_zero(kit, spec, 5e-7, nearer), Oracle(spec)
    oracle.load_state(start.state)
    oracle.repeat_step(start.batch, {})
    return oracle.branches()


def test_it_cannot_talk_itself_out_of_a_side_beyond_rounding(kit: Kit) -> None:
    spec = SPEC.changed(dropout=0.0)
    start = at_zero(kit, spec, 1e-2)
    checks = proof.prove_step(kit.candidate(spec, leaning(2e-2)(spec)), Oracle(spec), start, kit.shared)
    assert not all(check.passed for check in checks)


def test_without_locks_they_are_found_all_the_same(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> None:
        raise OSError("No locks available")

    monkeypatch.setattr("implementations.equivalence.strays.fcntl.flock", none)
    assert all(check.passed for check in kit.steps(kit.candidate(SPEC), kit.starts(SPEC)))


@pytest.mark.parametrize("small", [False, True])
def test_from_an_extreme_start_the_largest_of_four_ways_is_shared(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    if small:
        monkeypatch.setattr(strays, "LARGE_FLOPS", 10**9)
    start = replace(kit.starts(SPEC)[0], extreme=True)
    one = Repetition(Oracle(SPEC), SPEC, start, strays.masks(SPEC, start.samples), "float32")
    ways = []
    wrapped = Repetition.strayed

    def strayed(self: Repetition, *arguments: Any, **how: Any) -> strays.Strays:
        ways.append((how["alike"], how["folded"]))
        return wrapped(self, *arguments, **how)

    monkeypatch.setattr(Repetition, "strayed", strayed)
    shared, _ = strays.find(one)
    assert sorted(ways) == [(False, False), (False, True), (True, False), (True, True)]
    alone, _ = one.strayed(
        one.reference(), {n: b.choice for n, b in one.oracle.branches().items()}, 8, alike=False, folded=False
    )
    assert all(shared[name] >= 0.5 * stray for name, stray in alone.items())


@pytest.mark.parametrize("large_flops", [10**9, 1], ids=["tiny", "large"])
def test_where_shared_strays_are_too_small_those_of_the_masks_decide(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, large_flops: int
) -> None:
    """The masks of one step may let rounding further than those of another: a gradient that is nearly zero is divided by Adam."""
    monkeypatch.setattr(strays, "LARGE_FLOPS", large_flops)
    monkeypatch.setattr(strays, "find", lambda repetition: _none(repetition))
    own = mock.Mock(wraps=Repetition.own_strays)
    monkeypatch.setattr(Repetition, "own_strays", lambda self, *given: own(self, *given))
    assert all(check.passed for check in kit.steps(kit.candidate(SPEC), kit.starts(SPEC)))
    assert own.call_count == 2


def _none(repetition: Repetition) -> strays.Strays:
    """As if rounding moved nothing."""
    expected = repetition.reference()
    return dict.fromkeys(expected, 0.0), dict.fromkeys(repetition.oracle.branches(), 0.0)
