"""Watching a training step: what is told, in which order, and that nothing is left of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations import initialisation, watching
from implementations.declarations import Step
from implementations.mlp import mlp_numpy
from implementations.mlp.spec import MLPSpec
from implementations.mlp.steps import STEPS
from tests.support import ROOT, batches

LAYERS = ROOT / "implementations" / "layers"
SPEC = MLPSpec().changed(features=5, hidden=(4,), classes=3, batch=6)


def model() -> Any:
    made = mlp_numpy.MLP(SPEC)
    made.load_state(initialisation.initial_state(SPEC))
    return made


def events_of_a_step(made: Any) -> list[str]:
    events: list[str] = []
    with watching.watched(made, STEPS, events.append, lambda step: events.append(f"/{step}")):
        made.train_step(batches.typed(batches.one(SPEC), SPEC.dtype))
    return events


def test_steps_begin_and_end_in_the_order_of_the_network() -> None:
    events = events_of_a_step(model())
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
    events_of_a_step(made)
    assert vars(mlp_numpy) == before
    assert set(vars(made)) == attributes


def test_a_step_that_fails_ends_and_nothing_is_left() -> None:
    events: list[str] = []
    before = vars(mlp_numpy).copy()
    made = model()
    with (
        pytest.raises(ValueError, match="matmul"),
        watching.watched(made, STEPS, events.append, lambda s: events.append(f"/{s}")),
    ):
        made.train_step({"x": np.zeros((6, 99), np.float32), "y": np.zeros(6, np.int64)})
    assert events == ["dense", "/dense"]
    assert vars(mlp_numpy) == before


@pytest.mark.parametrize("family", ["numpy", "cupy", "torch"])
@pytest.mark.parametrize("step", [step for step in STEPS if step.layer], ids=lambda step: step.name)
def test_functions_are_found_under_every_heading_of_a_layer(family: str, step: Step) -> None:
    functions = watching._functions(str(LAYERS / f"{step.layer}_{family}.py"), step.name)
    assert {under for under, _ in functions} <= {step.name, "backward"}
    assert step.name in {under for under, _ in functions}


def test_the_way_back_of_a_layer_is_backward() -> None:
    assert ("backward", "backward_to_input") in watching._functions(str(LAYERS / "dense/dense_numpy.py"), "dense")


def test_a_tuned_page_has_its_functions_under_its_own_headings() -> None:
    path = str(Path(mlp_numpy.__file__).with_name("mlp_numpy_tuned.py"))
    functions = watching._functions(path)
    assert {under for under, _ in functions} <= {step.name for step in STEPS}
    assert ("batch_norm", "batch_norm") in functions
