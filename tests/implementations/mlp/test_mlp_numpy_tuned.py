"""What the tuned NumPy implementation promises beside its results, which the conformance tests hold it to."""

import tracemalloc
from typing import Any

import pytest

from implementations import initialisation
from implementations.mlp import mlp_numpy
from implementations.mlp.mlp_numpy_tuned import TunedMLP
from implementations.mlp.spec import MLPSpec
from tests.support import batches

LARGE = MLPSpec().changed(features=300, hidden=(512, 400), batch=256)
BUFFERS = 2**17
"""NumPy's own: an operation that has to go row by row takes one of 8,192 numbers for itself, whatever the arrays' size."""


def peak_bytes(model: Any, spec: MLPSpec) -> int:
    """Of a training step, above what was held before it."""
    model.load_state(initialisation.initial_state(spec))
    batch = batches.typed(batches.one(spec), spec.dtype)
    for _ in range(3):
        model.train_step(batch)
    tracemalloc.start()
    model.train_step(batch)
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    model.train_step(batch)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak - before


@pytest.mark.parametrize(
    "changes", [{}, {"batch_norm": False}, {"dropout": 0.0}, {"optimizer": {"kind": "adamw"}}, {"precision": "float64"}]
)
def test_a_step_allocates_no_array(changes: dict[str, Any]) -> None:
    spec = LARGE.changed(**changes)
    assert peak_bytes(TunedMLP(spec), spec) < BUFFERS
    assert peak_bytes(mlp_numpy.MLP(spec), spec) > 10 * BUFFERS, "the measurement would not see an array"


def test_of_the_sizes_that_it_was_given_it_keeps_two() -> None:
    model = TunedMLP(LARGE)
    model.load_state(initialisation.initial_state(LARGE))
    batch = batches.typed(batches.one(LARGE), LARGE.dtype)
    for rows in (256, 1, 7, 256, 9):
        model.predict(batches.samples(batch, slice(rows)))
    assert len(model.rooms) == 2
