"""What the NumPy file promises besides its formulas: prediction, dropout masks, number types, and whose arrays are whose."""

import numpy as np
import pytest

from implementations.equivalence import tolerances
from implementations.mlp import parameters
from implementations.mlp.mlp_numpy import MLP, dropout_mask
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
    (x, _), *_ = parameters.batches(spec, 1)
    together = model.predict(x)
    alone = np.concatenate([model.predict(x[b : b + 1]) for b in range(len(x))])
    assert together.shape == (spec.batch, spec.classes)
    assert relative_error(together, alone) <= tolerances.ORACLE["reference"]


def test_prediction_moves_nothing():
    spec = middle_spec(optimizer=OPTIMIZERS["adam"])
    model, untouched = loaded(MLP(spec)), loaded(MLP(spec))
    (x, y), *_ = parameters.batches(spec, 1)
    model.predict(x)
    assert_same(model.state(), parameters.hot_state(spec))
    assert model.train_step(x, y) == untouched.train_step(x, y), "nor the generator of the masks"


# --- dropout masks ---


def test_a_step_draws_the_masks_that_draw_masks_shows():
    spec = middle_spec()
    drawing, given = loaded(MLP(spec)), oracle(spec)
    for x, y in parameters.batches(spec, 3):
        before = drawing.random_state()
        loss = drawing.train_step(x, y)
        after = drawing.random_state()
        drawing.set_random_state(before)
        masks = drawing.draw_masks(spec.batch)
        assert {name: mask.shape for name, mask in masks.items()} == spec.masks(spec.batch)
        assert given.repeat_step(x, y, masks) == loss
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


def test_a_rate_between_two_thresholds_of_the_mask_is_met_on_average() -> None:
    rate, units, draws, rng = 0.5 / 2**16, 4096, 2000, np.random.default_rng(3)
    dropped = sum(int((dropout_mask(rng, (units,), rate, np.dtype(np.float32)) == 0).sum()) for _ in range(draws))
    expected = rate * units * draws  # 62.5
    assert abs(dropped - expected) < 3 * expected**0.5


# --- what must never happen ---


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_number_type_is_kept(optimizer, dtype):
    """A constant of another type would silently make the timed float32 slower and the float64 worse."""
    spec = middle_spec(optimizer=OPTIMIZERS[optimizer])
    model = loaded(MLP(spec, dtype=dtype))
    (x, y), *_ = parameters.batches(spec, 1)
    results = {"loss": model.train_step(x.astype(dtype), y), "logits": model.predict(x.astype(dtype))}
    results |= model.draw_masks(spec.batch)
    results |= {name: value for name, value in model.state().items() if name != "step"}
    assert {name: value.dtype for name, value in results.items()} == dict.fromkeys(results, np.dtype(dtype))


@pytest.mark.parametrize("hidden", [(), (7, 6)], ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_nan_goes_in_and_comes_out(hidden, batch_norm, dropout):
    spec = middle_spec(hidden=hidden, batch_norm=batch_norm, dropout=dropout)
    (x, y), *_ = parameters.batches(spec, 1)
    x[2, 1] = np.nan
    logits = oracle(spec).predict(x)
    assert np.all(np.isnan(logits[2]))
    assert np.all(np.isfinite(np.delete(logits, 2, axis=0)))
    assert np.isnan(oracle(spec).repeat_step(x, y, fixed_masks(spec)))


@pytest.mark.parametrize("name", ["dense1.weight", "norm2.gamma", "norm1.beta", "output.bias"])
def test_nan_in_a_parameter_comes_out(name):
    spec = middle_spec()
    state = parameters.hot_state(spec)
    state[name].flat[0] = np.nan
    model = oracle(spec, state)
    x, y = parameters.batches(spec, 1)[0]
    assert np.all(np.any(np.isnan(model.predict(x)), axis=1))
    assert np.isnan(model.repeat_step(x, y, fixed_masks(spec)))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_inputs_are_not_written_to(batch_norm, optimizer):
    spec = middle_spec(batch_norm=batch_norm, optimizer=OPTIMIZERS[optimizer])
    (x, y), *_ = parameters.batches(spec, 1)
    masks, state = fixed_masks(spec), parameters.hot_state(spec)
    given = {"x": x, "y": y} | masks | state
    before = {name: value.copy() for name, value in given.items()}
    model = oracle(spec, state)
    model.repeat_step(x, y, masks)
    model.predict(x)
    model.repeat_step(x, y, masks)
    assert_same(given, before)


def test_state_is_a_copy():
    spec = middle_spec(optimizer=OPTIMIZERS["adamw"])
    model, untouched = oracle(spec), oracle(spec)
    x, y = parameters.batches(spec, 1)[0]
    taken = model.state()
    kept = {name: value.copy() for name, value in taken.items()}
    model.repeat_step(x, y, fixed_masks(spec))
    assert_same(taken, kept)
    for value in model.state().values():
        value[...] = np.nan
    untouched.repeat_step(x, y, fixed_masks(spec))
    assert_same(model.state(), untouched.state())
