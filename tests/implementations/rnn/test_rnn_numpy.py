"""What the NumPy file promises besides its formulas: prediction, masks, number types, NaN, memory, and whose arrays are whose."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from implementations import initialisation, text
from implementations.equivalence import strays, tolerances
from implementations.rnn.rnn_numpy import RNN
from implementations.rnn.spec import RNNSpec
from implementations.train import train
from tests.support import batches
from tests.support.rnn.small_models import CELLS, SHAPES, oracle, small_spec

every_network = pytest.mark.parametrize(("cell", "shape"), [(cell, shape) for cell in CELLS for shape in SHAPES])


def loaded(spec: Any, **options: Any) -> RNN:
    model = RNN(spec, **options)
    model.load_state(initialisation.hot_state(spec))
    return model


@every_network
def test_prediction_depends_neither_on_neighbours_nor_on_dropout_nor_on_what_was_read_before(cell, shape):
    spec = small_spec(**SHAPES[shape], cell=cell, dropout=0.5)
    model, batch = oracle(spec), batches.one(spec)
    together = {"logits": model.predict(batch)}
    alone = [model.predict(batches.samples(batch, slice(b, b + 1))) for b in range(spec.batch)]
    assert together["logits"].shape == spec.predictions()["logits"]
    assert (
        tolerances.relative_distance("logits", {"logits": np.concatenate(alone)}, together)
        <= tolerances.ORACLE["reference"]
    )
    assert np.array_equal(model.predict(batch), together["logits"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("optimizer", [{"kind": "adamw"}, {"kind": "sgd", "momentum": 0.5}], ids=["adamw", "sgd"])
@every_network
def test_number_type_is_kept(cell, shape, optimizer, dtype):
    spec = small_spec(**SHAPES[shape], cell=cell, optimizer=optimizer)
    model, batch = loaded(spec, dtype=dtype), batches.typed(batches.one(spec), dtype)
    results = {"loss": model.train_step(batch), "logits": model.predict(batch)} | model.draw_masks(spec.batch)
    results |= {name: value for name, value in model.state().items() if name != "step"}
    assert {name: value.dtype for name, value in results.items()} == dict.fromkeys(results, np.dtype(dtype))


@pytest.mark.parametrize("step", [0, 2, 4])
@pytest.mark.parametrize("outputs", ["last", "every"])
@pytest.mark.parametrize("cell", CELLS)
def test_nan_goes_in_and_comes_out_from_its_step_on(cell, outputs, step):
    spec = small_spec(cell=cell, outputs=outputs)
    batch = batches.one(spec)
    batch["x"][2, step, 1] = np.nan
    reached = np.zeros((spec.batch, spec.length), bool)
    reached[2, step:] = True
    logits = oracle(spec).predict(batch)
    assert np.array_equal(
        np.isnan(logits), np.repeat((reached if outputs == "every" else reached[:, -1])[..., None], 4, axis=-1)
    )
    model = oracle(spec)
    assert np.isnan(model.repeat_step(batch, strays.masks(spec, spec.batch)))
    assert all(np.isnan(value).any() for name, value in model.state().items() if ":" not in name)


@every_network
def test_inputs_are_not_written_to_and_the_state_is_a_copy(cell, shape):
    spec = small_spec(**SHAPES[shape], cell=cell)
    batch, masks, state = batches.one(spec), strays.masks(spec, spec.batch), initialisation.hot_state(spec)
    before = [value.copy() for value in (batch | masks | state).values()]
    model = oracle(spec, state)
    taken = model.state()
    model.repeat_step(batch, masks)
    model.predict(batch)
    assert all(map(np.array_equal, before, (batch | masks | state).values()))
    assert all(np.array_equal(taken[name], value) for name, value in state.items())


@every_network
def test_a_step_draws_the_masks_that_draw_masks_shows(cell, shape):
    spec = small_spec(**SHAPES[shape], cell=cell)
    drawing, given = loaded(spec), oracle(spec)
    for batch in initialisation.batches(spec, 3):
        before = drawing.random_state()
        loss = drawing.train_step(batch)
        drawing.set_random_state(before)
        masks = drawing.draw_masks(spec.batch)
        assert {name: mask.shape for name, mask in masks.items()} == {
            name: mask.shape for name, mask in spec.masks(spec.batch).items()
        }
        assert given.repeat_step(batch, masks) == loss
    assert all(np.array_equal(given.state()[name], value) for name, value in drawing.state().items())


def test_nothing_is_carried_from_batch_to_batch():
    """A step after another batch is the step itself, once the state and the masks are put back."""
    spec = small_spec()
    model, (first, other) = loaded(spec), initialisation.batches(spec, 2)
    generator = model.random_state()
    losses = []
    for between in (False, True):
        if between:
            model.train_step(other)
            model.predict(other)
        model.load_state(initialisation.hot_state(spec))
        model.set_random_state(generator)
        losses.append(model.train_step(first))
    assert losses[0] == losses[1]


@pytest.mark.parametrize("cell", CELLS)
def test_it_learns_the_digits(cell):
    """Read row by row, to the share of its metric."""
    spec = RNNSpec().changed(cell=cell, hidden=(96,), optimizer={"kind": "adam", "learning_rate": 0.003})
    assert any(epoch.metric >= spec.metric.target == 0.97 for epoch in train("rnn", "numpy", spec=spec, epochs=30))


def test_it_learns_to_tell_the_next_character():
    """In a part of one pass, better than from how often each character stands in the text, which leaves 4.7 bits."""
    spec, pages = RNNSpec.preset("text").changed(features=16, hidden=(48,), length=32), text.topics(32)
    part = dataclasses.replace(pages, x_train=pages.x_train[:3200], y_train=pages.y_train[:3200])
    (epoch,) = train("rnn", "numpy", spec=spec, dataset=part, epochs=1)
    assert epoch.metric < 4.4
