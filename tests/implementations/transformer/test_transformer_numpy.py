"""What the NumPy file promises besides its formulas: prediction, masks, number types, NaN, memory, and whose arrays are whose."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from implementations import initialisation, text
from implementations.equivalence import strays, tolerances
from implementations.train import train
from implementations.transformer.spec import TransformerSpec
from implementations.transformer.transformer_numpy import Transformer
from tests.support import batches
from tests.support.transformer.small_models import SHAPES, oracle, small_spec

each_shape = pytest.mark.parametrize("shape", SHAPES)


def loaded(spec: Any, **options: Any) -> Transformer:
    model = Transformer(spec, **options)
    model.load_state(initialisation.hot_state(spec))
    return model


@each_shape
def test_prediction_depends_neither_on_neighbours_nor_on_dropout_nor_on_what_was_read_before(shape):
    spec = small_spec(**SHAPES[shape])
    model, batch = oracle(spec), batches.one(spec)
    together = {"logits": model.predict(batch)}
    alone = [model.predict(batches.samples(batch, slice(b, b + 1))) for b in range(spec.batch)]
    assert together["logits"].shape == spec.predictions()["logits"]
    assert (
        tolerances.relative_distance("logits", {"logits": np.concatenate(alone)}, together)
        <= tolerances.ORACLE["reference"]
    )
    assert np.array_equal(model.predict(batch), together["logits"])


@pytest.mark.parametrize("rates", [{}, {"dropout": 0.0}, {"attention_dropout": 0.0}, SHAPES["nothing dropped"]])
def test_a_prediction_is_the_training_steps_forward_pass_where_nothing_is_dropped_alone(rates):
    spec = small_spec(**rates)
    model, batch = loaded(spec), batches.one(spec)
    logits, _ = model.forward(batch)
    assert np.array_equal(model.predict(batch), logits) == (rates == SHAPES["nothing dropped"])


@pytest.mark.parametrize("heads", [1, 2, 6])
@pytest.mark.parametrize("shape", ["tokens, every", "rows, every"])
def test_what_comes_later_moves_no_logit_by_a_bit_and_every_one_from_there_on(shape, heads):
    spec = small_spec(**SHAPES[shape], heads=heads, batch=64)
    model, batch = oracle(spec), batches.one(spec)
    for t in range(spec.length):
        other = batch | {"x": batch["x"].copy()}
        other["x"][:, t] = (other["x"][:, t] + 1) % spec.vocabulary if spec.vocabulary else -other["x"][:, t]
        moved = (model.predict(other) != model.predict(batch)).any(axis=-1)
        np.testing.assert_array_equal(moved, np.broadcast_to(np.arange(spec.length) >= t, moved.shape))


@pytest.mark.parametrize("step", [0, 2, 4])
@pytest.mark.parametrize("outputs", ["mean", "every"])
def test_nan_goes_in_and_comes_out_from_its_position_on(outputs, step):
    """Before it, where a weight of 0 meets it, it may come out or not."""
    spec = small_spec(**SHAPES["rows, every"] | {"outputs": outputs})
    batch = batches.one(spec)
    batch["x"][2, step, 1] = np.nan
    logits = np.isnan(oracle(spec).predict(batch))
    assert logits[2, step:].all() if outputs == "every" else logits[2].all()
    assert not logits[:2].any()
    model = oracle(spec)
    assert np.isnan(model.repeat_step(batch, strays.masks(spec, spec.batch)))
    assert all(np.isnan(value).any() for name, value in model.state().items() if ":" not in name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("optimizer", [{"kind": "adamw"}, {"kind": "sgd", "momentum": 0.5}], ids=["adamw", "sgd"])
@each_shape
def test_number_type_is_kept(shape, optimizer, dtype):
    spec = small_spec(**SHAPES[shape], optimizer=optimizer)
    model, batch = loaded(spec, dtype=dtype), batches.typed(batches.one(spec), dtype)
    results = {"loss": model.train_step(batch), "logits": model.predict(batch)} | model.draw_masks(spec.batch)
    results |= {name: value for name, value in model.state().items() if name != "step"}
    assert {name: value.dtype for name, value in results.items()} == dict.fromkeys(results, np.dtype(dtype))


@each_shape
def test_inputs_are_not_written_to_and_the_state_is_a_copy(shape):
    spec = small_spec(**SHAPES[shape])
    batch, masks, state = batches.one(spec), strays.masks(spec, spec.batch), initialisation.hot_state(spec)
    before = [value.copy() for value in (batch | masks | state).values()]
    model = oracle(spec, state)
    taken = model.state()
    model.repeat_step(batch, masks)
    model.predict(batch)
    assert all(map(np.array_equal, before, (batch | masks | state).values()))
    assert all(np.array_equal(taken[name], value) for name, value in state.items())


@each_shape
def test_a_step_draws_the_masks_that_draw_masks_shows(shape):
    spec = small_spec(**SHAPES[shape])
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


def test_the_sum_of_a_positions_gradients_is_that_of_its_tokens():
    """Both tables are added: where every token is another one, and one sample, they have one and the same gradient."""
    spec = small_spec(length=5, batch=1, dropout=0.0)
    state = initialisation.zeroed_slots(spec, initialisation.hot_state(spec))
    model, batch = oracle(spec, state), batches.one(spec) | {"x": np.array([[3, 0, 6, 1, 4]])}
    model.repeat_step(batch, strays.masks(spec, 1))
    tokens, positions = (model.state()[f"velocity:{table}.weight"] for table in ("embedding", "positions"))
    np.testing.assert_array_equal(tokens[[3, 0, 6, 1, 4]], positions)
    assert positions.any(axis=1).all()
    assert not tokens[[2, 5]].any()


def test_it_learns_the_digits():
    """Piece by piece, to the share of its metric."""
    spec = TransformerSpec.preset("digits").changed(batch=32)
    assert any(
        epoch.metric >= spec.metric.target == 0.97 for epoch in train("transformer", "numpy", spec=spec, epochs=40)
    )


def test_it_learns_to_tell_the_next_character():
    """In a part of one pass, better than from how often each character stands in the text, which leaves 4.7 bits."""
    spec, pages = TransformerSpec().changed(length=32, width=32), text.topics(32)
    part = dataclasses.replace(pages, x_train=pages.x_train[:4800], y_train=pages.y_train[:4800])
    (epoch,) = train("transformer", "numpy", spec=spec, dataset=part, epochs=1)
    assert epoch.metric < 4.4
