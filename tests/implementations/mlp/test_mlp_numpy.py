"""What the NumPy file promises besides its formulas: prediction, dropout masks, number types, and whose arrays are whose."""

import numpy as np
import pytest

from implementations import initialisation
from implementations.equivalence import tolerances
from implementations.mlp.mlp_numpy import MLP
from tests.support import batches
from tests.support.mlp.small_models import (
    OPTIMIZERS,
    assert_same,
    fixed_masks,
    loaded,
    middle_spec,
    oracle,
    relative_error,
)

# --- prediction ---


def test_prediction_depends_neither_on_neighbours_nor_on_dropout():
    spec = middle_spec(dropout=0.5)
    model = oracle(spec)
    batch = batches.one(spec)
    together = model.predict(batch)
    alone = np.concatenate([model.predict(batches.samples(batch, slice(b, b + 1))) for b in range(spec.batch)])
    assert together.shape == (spec.batch, spec.classes)
    assert relative_error(together, alone) <= tolerances.ORACLE["reference"]


def test_prediction_moves_nothing():
    spec = middle_spec(optimizer=OPTIMIZERS["adam"])
    model, untouched = loaded(MLP(spec)), loaded(MLP(spec))
    batch = batches.one(spec)
    model.predict(batch)
    assert_same(model.state(), initialisation.hot_state(spec))
    assert model.train_step(batch) == untouched.train_step(batch), "nor the generator of the masks"


# --- dropout masks ---


def test_a_step_draws_the_masks_that_draw_masks_shows():
    spec = middle_spec()
    drawing, given = loaded(MLP(spec)), oracle(spec)
    for batch in initialisation.batches(spec, 3):
        before = drawing.random_state()
        loss = drawing.train_step(batch)
        after = drawing.random_state()
        drawing.set_random_state(before)
        masks = drawing.draw_masks(spec.batch)
        assert {name: mask.shape for name, mask in masks.items()} == {
            name: mask.shape for name, mask in spec.masks(spec.batch).items()
        }
        assert given.repeat_step(batch, masks) == loss
        assert_same(drawing.state(), given.state())
        assert repr(drawing.random_state()) == repr(after)


def test_drawn_masks_keep_their_mean():
    spec = middle_spec(dropout=0.3)
    model = loaded(MLP(spec))
    draws = [model.draw_masks(1000) for _ in range(5)]
    for name in spec.masks(1000):
        mask = np.concatenate([draw[name] for draw in draws])
        assert set(np.unique(mask)) == {0.0, 1 / (1 - 0.3)}
        dropped, deviation = np.mean(mask == 0), np.sqrt(0.3 * 0.7 / mask.size)
        assert abs(dropped - 0.3) < 5 * deviation
        assert not np.array_equal(draws[0][name], draws[1][name]), "a mask was used twice"


# --- what must never happen ---


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_number_type_is_kept(optimizer, dtype):
    """A constant of another type would silently make the timed float32 slower and the float64 worse."""
    spec = middle_spec(optimizer=OPTIMIZERS[optimizer])
    model = loaded(MLP(spec, dtype=dtype))
    batch = batches.typed(batches.one(spec), dtype)
    results = {"loss": model.train_step(batch), "logits": model.predict(batch)}
    results |= model.draw_masks(spec.batch)
    results |= {name: value for name, value in model.state().items() if name != "step"}
    assert {name: value.dtype for name, value in results.items()} == dict.fromkeys(results, np.dtype(dtype))


@pytest.mark.parametrize("hidden", [(), (7, 6)], ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_nan_goes_in_and_comes_out(hidden, batch_norm, dropout):
    spec = middle_spec(hidden=hidden, batch_norm=batch_norm, dropout=dropout)
    batch = batches.one(spec)
    batch["x"][2, 1] = np.nan
    logits = oracle(spec).predict(batch)
    assert np.all(np.isnan(logits[2]))
    assert np.all(np.isfinite(np.delete(logits, 2, axis=0)))
    assert np.isnan(oracle(spec).repeat_step(batch, fixed_masks(spec)))


@pytest.mark.parametrize("name", ["dense1.weight", "norm2.gamma", "norm1.beta", "output.bias"])
def test_nan_in_a_parameter_comes_out(name):
    spec = middle_spec()
    state = initialisation.hot_state(spec)
    state[name].flat[0] = np.nan
    model = oracle(spec, state)
    batch = batches.one(spec)
    assert np.all(np.any(np.isnan(model.predict(batch)), axis=1))
    assert np.isnan(model.repeat_step(batch, fixed_masks(spec)))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_inputs_are_not_written_to(batch_norm, optimizer):
    spec = middle_spec(batch_norm=batch_norm, optimizer=OPTIMIZERS[optimizer])
    batch, masks, state = batches.one(spec), fixed_masks(spec), initialisation.hot_state(spec)
    given = batch | masks | state
    before = {name: value.copy() for name, value in given.items()}
    model = oracle(spec, state)
    model.repeat_step(batch, masks)
    model.predict(batch)
    model.repeat_step(batch, masks)
    assert_same(given, before)


def test_state_is_a_copy():
    spec = middle_spec(optimizer=OPTIMIZERS["adamw"])
    model, untouched = oracle(spec), oracle(spec)
    batch = batches.one(spec)
    taken = model.state()
    kept = {name: value.copy() for name, value in taken.items()}
    model.repeat_step(batch, fixed_masks(spec))
    assert_same(taken, kept)
    for value in model.state().values():
        value[...] = np.nan
    untouched.repeat_step(batch, fixed_masks(spec))
    assert_same(model.state(), untouched.state())
