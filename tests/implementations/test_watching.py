"""Watching a training step: what is told, in which order, and that nothing is left of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations import registry, watching
from implementations.mlp import mlp_numpy, parameters
from implementations.mlp.spec import MLPSpec
from implementations.mlp.steps import STEPS

SPEC = MLPSpec().changed(features=5, hidden=(4,), classes=3, batch=6)


def model() -> Any:
    made = mlp_numpy.MLP(SPEC)
    made.load_state(parameters.initial_state(SPEC))
    return made


def told(made: Any) -> list[str]:
    events: list[str] = []
    (batch,) = parameters.batches(SPEC, 1)
    with watching.watched(made, events.append, lambda step: events.append(f"/{step}")):
        made.train_step(batch[0].astype(np.float32), batch[1])
    return events


def test_steps_begin_and_end_in_the_order_of_the_network() -> None:
    events = told(model())
    first = list(dict.fromkeys(step for step in events if not step.startswith("/")))
    assert first == [step.name for step in STEPS]
    depth = 0
    for step in events:
        depth += -1 if step.startswith("/") else 1
        assert depth >= 0
    assert depth == 0


def test_nothing_is_left_of_it() -> None:
    before, made = vars(mlp_numpy).copy(), model()
    attributes = set(vars(made))
    told(made)
    assert vars(mlp_numpy) == before
    assert set(vars(made)) == attributes


def test_a_step_that_fails_ends_and_nothing_is_left() -> None:
    events: list[str] = []
    before = vars(mlp_numpy).copy()
    made = model()
    with (
        pytest.raises(ValueError, match="matmul"),
        watching.watched(made, events.append, lambda s: events.append(f"/{s}")),
    ):
        made.train_step(np.zeros((6, 99), np.float32), np.zeros(6, np.int64))
    assert events == ["dense", "/dense"]
    assert vars(mlp_numpy) == before


@pytest.mark.parametrize("framework", ["numpy", "cupy", "torch"])
def test_functions_are_found_under_every_heading_but_the_models(framework: str) -> None:
    path = str(Path(mlp_numpy.__file__).with_name(f"mlp_{framework}.py"))
    functions = watching._functions(path)
    assert {step for step, _ in functions} <= {step.name for step in STEPS}
    assert ("loss", "cross_entropy") in functions
    assert registry.source_file("mlp", framework) == f"implementations.mlp.mlp_{framework}"
