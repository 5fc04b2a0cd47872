"""The proof of a network whose gradients are clipped: what is seen on one side of where that begins alone, and a coarse arithmetic."""

from typing import Any

import pytest

from implementations.contract import Arrays
from implementations.equivalence.kit import CLIPPING, Kit
from implementations.frameworks import numpy_adapter
from implementations.layers.clipping import clipping_numpy as clipping
from implementations.rnn.rnn_numpy import RNN
from tests.mutation.low_precision import emulated
from tests.support.rnn.small_models import SHAPES, small_spec

KIT = Kit("rnn", "numpy", numpy_adapter, "cpu")
each_shape = pytest.mark.parametrize(
    ("cell", "shape"), [("lstm", "rows, last"), ("gru", "tokens, every"), ("tanh", "rows, every")]
)


def failing(model: Any, spec: Any) -> dict[str, set[str]]:
    """By start that fails, the groups of what fails there."""
    failed: dict[str, set[str]] = {}
    for check in KIT.steps(KIT.candidate(spec, model), KIT.starts(spec)):
        if not check.passed:
            failed.setdefault(check.check, set()).add(check.group)
    return failed


class Unclipped(RNN):
    """Its gradients are as long as they are."""

    def clipped(self, gradients: Arrays) -> Arrays:
        """All of it."""
        return gradients


class Summed(RNN):
    """Its gradients are those of the sum over all steps, where the loss is their mean."""

    def clipped(self, gradients: Arrays) -> Arrays:
        """Of longer ones, which shows only where they are not clipped."""
        return super().clipped({name: g * self.spec.length for name, g in gradients.items()})


class OneByOne(RNN):
    """Each tensor is clipped by its own norm."""

    def clipped(self, gradients: Arrays) -> Arrays:
        """Not by that of all together."""
        return {name: clipping.clip({name: g}, self.spec.clip_norm)[name] for name, g in gradients.items()}


@each_shape
@pytest.mark.parametrize("clip_norm", [0.01, 100.0])
def test_what_is_right_is_right_on_both_sides(cell: str, shape: str, clip_norm: float) -> None:
    spec = small_spec(**SHAPES[shape], cell=cell, clip_norm=clip_norm, precision="float32")
    assert failing(RNN(spec), spec) == {}


def test_gradients_that_nobody_clips_are_noticed_where_others_are_clipped_alone() -> None:
    spec = small_spec(clip_norm=100.0)
    assert set(failing(Unclipped(spec), spec)) == {CLIPPING}


def test_gradients_of_another_scale_are_noticed_where_they_are_not_clipped_alone() -> None:
    spec = small_spec(clip_norm=0.01)
    assert failing(Summed(spec), spec) == {CLIPPING: {"gradients", "change of parameters", "parameters"}}


@pytest.mark.parametrize("clip_norm", [0.01, 100.0])
def test_another_norm_is_noticed(clip_norm: float) -> None:
    spec = small_spec(clip_norm=clip_norm)
    assert failing(OneByOne(spec), spec)


@each_shape
def test_a_coarse_arithmetic_is_proved(cell: str, shape: str) -> None:
    spec = small_spec(**SHAPES[shape], cell=cell, precision="tf32")
    assert failing(emulated("tf32", RNN)(spec), spec) == {}
