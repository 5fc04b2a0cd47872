"""What the NumPy file promises besides its formulas: prediction, masks, number types, branches, and whose arrays are whose."""

import numpy as np
import pytest

from implementations import initialisation
from implementations.cnn.cnn_numpy import CNN
from implementations.cnn.spec import CNNSpec
from implementations.equivalence import strays, tolerances
from implementations.train import train
from tests.support import batches
from tests.support.cnn.small_models import SHAPES, oracle, small_spec


def test_prediction_depends_neither_on_neighbours_nor_on_dropout():
    spec = small_spec(**SHAPES["ugly"], dropout=0.5)
    model, batch = oracle(spec), batches.one(spec)
    together = {"logits": model.predict(batch)}
    alone = [model.predict(batches.samples(batch, slice(b, b + 1))) for b in range(spec.batch)]
    assert together["logits"].shape == (spec.batch, spec.classes)
    assert (
        tolerances.relative_distance("logits", {"logits": np.concatenate(alone)}, together)
        <= tolerances.ORACLE["reference"]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_number_type_is_kept(dtype, batch_norm):
    spec = small_spec(**SHAPES["odd"], batch_norm=batch_norm, optimizer={"kind": "adamw"})
    model = CNN(spec, dtype=dtype)
    model.load_state(initialisation.hot_state(spec))
    batch = batches.typed(batches.one(spec), dtype)
    results = {"loss": model.train_step(batch), "logits": model.predict(batch)} | model.draw_masks(spec.batch)
    results |= {name: value for name, value in model.state().items() if name != "step"}
    assert {name: value.dtype for name, value in results.items()} == dict.fromkeys(results, np.dtype(dtype))


@pytest.mark.parametrize("place", [(0, 0, 0), (4, 3, 1), (7, 7, 1)])
@pytest.mark.parametrize("batch_norm", [True, False])
def test_nan_goes_in_and_comes_out(place, batch_norm):
    spec = small_spec(image=(8, 8, 2), channels=(3, 4), batch_norm=batch_norm)
    batch = batches.one(spec)
    batch["x"][(2, *place)] = np.nan
    logits = oracle(spec).predict(batch)
    assert np.all(np.isnan(logits[2]))
    assert np.all(np.isfinite(np.delete(logits, 2, axis=0)))
    assert np.isnan(oracle(spec).repeat_step(batch, strays.masks(spec, spec.batch)))


@pytest.mark.parametrize("shape", SHAPES)
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


def test_it_says_what_its_branches_choose_and_stays_where_it_stood():
    spec = small_spec(**SHAPES["odd"])
    model, repeated, batch = CNN(spec), oracle(spec), batches.one(spec)
    model.load_state(initialisation.hot_state(spec))
    generator = model.random_state()
    choices = model.choices(batch)
    model.set_random_state(generator)
    assert all(np.array_equal(value, model.state()[name]) for name, value in initialisation.hot_state(spec).items())
    repeated.repeat_step(batch, model.draw_masks(spec.batch))
    branches = repeated.branches()
    assert list(choices) == list(branches) == ["relu1", "pool1", "relu2", "pool2", "relu3", "relu4"]
    assert all(np.array_equal(branches[name].choice, choice) for name, choice in choices.items())
    assert set(np.unique(choices["pool1"])) == {0, 1, 2, 3}


def test_with_the_other_choices_it_is_the_step_of_those_choices():
    """A unit of a window that a ReLU stopped at all four places is made to pass, as another code may: it gets the gradient."""
    spec = small_spec(image=(4, 4, 1), channels=(2,), hidden=(), dropout=0.0, batch_norm=False)
    state, batch = initialisation.zeroed_slots(spec, initialisation.hot_state(spec)), batches.one(spec)
    model = oracle(spec, state)
    model.repeat_step(batch, {})
    branches, plain = model.branches(), model.state()
    stopped = np.argwhere(~branches["relu1"].choice.reshape(6, 2, 2, 2, 2, 2).any(axis=(2, 4)))
    b, i, j, k = stopped[0]
    choice = branches["relu1"].choice.copy()
    choice[b, 2 * i + 1, 2 * j, k] = True
    model.load_state(state)
    model.repeat_step(batch, {}, {"relu1": choice, "pool1": branches["pool1"].choice})
    assert not np.array_equal(model.state()["velocity:conv1.weight"], plain["velocity:conv1.weight"])
    assert np.array_equal(model.state()["velocity:output.bias"], plain["velocity:output.bias"])


def test_it_learns_the_digits():
    """To the share of its metric, within a few epochs."""
    best = max(epoch.metric for epoch in train("cnn", "numpy", epochs=5))
    assert best >= CNNSpec().metric.target == 0.98
