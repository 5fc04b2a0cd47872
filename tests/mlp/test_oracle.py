"""Proof of the oracle, the NumPy file in float64, before it may judge others.

Three proofs that do not lean on each other: an independent 50-digit reference written in scalars says that the
formulas are the papers', extended precision says that float64 rounding stays small at a real size, and the complex
step, which sees only the forward pass, says that the hand-written gradients belong to the loss.
"""

import numpy as np
import pytest

from implementations.mlp import parameters
from implementations.mlp.mlp_numpy import MLP, dropout_mask
from implementations.mlp.oracle import Oracle
from implementations.mlp.spec import MLPSpec
from tests.mlp import scalar_reference as reference
from tests.mlp.scalar_reference import exact, mp

REFERENCE_LIMIT = 1e-14  # reached: 2e-15
CANCELLING_LIMIT = 1e-11  # where the terms of a sum cancel before any code gets hold of them; reached: 5e-13
EXTENDED_REFERENCE_LIMIT = 2e-16  # reached: 5e-17, the rounding of constants such as B/(B-1) to double
EXTENDED_LIMIT = 1e-14  # reached: 8e-16
COMPLEX_STEP_LIMIT = 2e-15  # reached: 7e-16

extended_only = pytest.mark.skipif(
    np.finfo(np.longdouble).eps > 1e-18, reason="long double is no wider than double on this platform"
)

# Not the defaults: a setting that is read from nowhere must be seen, and so must an epsilon in the wrong place.
SETTINGS = {"norm_epsilon": 1e-3, "norm_momentum": 0.8, "dropout": 0.3, "precision": "float64"}
OPTIMIZERS = {
    "sgd": {"kind": "sgd", "learning_rate": 0.07, "momentum": 0.7},
    "sgd-plain": {"kind": "sgd", "learning_rate": 0.07, "momentum": 0.0},
    "adam": {"kind": "adam", "learning_rate": 0.02, "beta1": 0.85, "beta2": 0.98, "epsilon": 1e-3},
}
OPTIMIZERS["adam-hat"] = OPTIMIZERS["adam"] | {"epsilon_form": "hat"}
OPTIMIZERS["adamw"] = OPTIMIZERS["adam"] | {"kind": "adamw", "weight_decay": 0.1}
OPTIMIZERS["adamw-hat"] = OPTIMIZERS["adamw"] | {"epsilon_form": "hat"}
BLOCKS = {
    "plain": {"batch_norm": False},
    "norm-unbiased": {"batch_norm": True, "running_variance": "unbiased"},
    "norm-biased": {"batch_norm": True, "running_variance": "biased"},
}


def tiny_spec(**changes):
    """The net 2-3-2 with a batch of 4, small enough for scalar loops."""
    tiny = {"features": 2, "hidden": (3,), "classes": 2, "batch": 4}
    return MLPSpec().changed(**(SETTINGS | tiny | changes))


def middle_spec(**changes):
    """Two blocks of unlike widths: a gradient that skips a layer or takes a kernel the wrong way round shows."""
    return tiny_spec(**({"features": 5, "hidden": (7, 6), "classes": 4, "batch": 12} | changes))


def oracle(spec, state=None, dtype=np.float64):
    """The NumPy file in the middle of training, with dropout masks given to it."""
    return loaded(Oracle(spec, dtype=dtype), state)


def loaded(model, state=None):
    model.load_state(parameters.hot_state(model.spec) if state is None else state)
    return model


def fixed_masks(spec, seed=3):
    """Dropout masks by the definition, from a generator that is not the model's."""
    rng = np.random.default_rng(seed)
    kept = 1 / (1 - spec.dropout)
    return {name: kept * (rng.random(shape) >= spec.dropout) for name, shape in spec.masks(spec.batch).items()}


def relative_error(test, truth):
    """||test - truth|| / ||truth||, and the absolute error where the truth is 0."""
    size = np.linalg.norm(np.ravel(truth))
    error = np.linalg.norm(np.ravel(test) - np.ravel(truth))
    return error / size if size else error


def exact_error(test, truth):
    """The same in 50 digits against the reference's lists, so that the comparison itself does not round."""
    test, truth = flat(exact(np.asarray(test).tolist())), flat(truth)
    assert len(test) == len(truth)
    size = mp.sqrt(sum(r**2 for r in truth))
    error = mp.sqrt(sum((t - r) ** 2 for t, r in zip(test, truth, strict=True)))
    return float(error / size if size else error)


def flat(value):
    return [number for part in value for number in flat(part)] if isinstance(value, list) else [value]


def assert_within(errors, limit):
    """Every named error within the limit. Written so that NaN fails."""
    too_large = {name: float(error) for name, error in errors.items() if not error <= limit}
    assert not too_large, f"above {limit}: {too_large}"


def reference_errors(spec, state, batches, dtype=np.float64):
    """Errors of every step's loss, every tensor of the state and the logits, oracle against scalar reference."""
    model = oracle(spec, state, dtype)
    truth = {name: exact(value.tolist()) for name, value in state.items()}
    errors = {}
    for k, (x, y) in enumerate(batches):
        masks = fixed_masks(spec, seed=k)
        loss = model.repeat_step(x, y, masks)
        exact_masks = {name: exact(mask.tolist()) for name, mask in masks.items()}
        true_loss, truth = reference.train_step(spec, truth, exact(x.tolist()), y.tolist(), exact_masks)
        errors[f"loss {k}"] = exact_error(loss, true_loss)
        errors |= {f"{name} {k}": exact_error(value, truth[name]) for name, value in model.state().items()}
        errors[f"logits {k}"] = exact_error(model.predict(x), flat(reference.predict(spec, truth, exact(x.tolist()))))
    assert set(model.state()) == set(truth) == set(spec.tensors())
    return errors


# --- against the scalar reference ---


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("block", BLOCKS)
def test_three_steps_are_those_of_the_scalar_reference(block, optimizer):
    spec = tiny_spec(optimizer=OPTIMIZERS[optimizer], **BLOCKS[block])
    errors = reference_errors(spec, parameters.hot_state(spec), parameters.batches(spec, 3))
    assert_within(errors, REFERENCE_LIMIT)


@extended_only
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("block", BLOCKS)
def test_more_digits_bring_the_oracle_to_the_reference(block, optimizer):
    """What float64 is off by is rounding and nothing else: a slightly wrong formula would not get any closer."""
    spec = tiny_spec(hidden=(4, 3), optimizer=OPTIMIZERS[optimizer], **BLOCKS[block])
    errors = reference_errors(spec, parameters.hot_state(spec), parameters.batches(spec, 2), np.longdouble)
    assert_within(errors, EXTENDED_REFERENCE_LIMIT)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_default_settings_are_those_of_the_scalar_reference(optimizer):
    spec = MLPSpec().changed(features=2, hidden=(3,), classes=2, batch=4, optimizer={"kind": optimizer})
    errors = reference_errors(spec, parameters.hot_state(spec), parameters.batches(spec, 3))
    assert_within(errors, REFERENCE_LIMIT)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_first_steps_from_the_initial_state(optimizer):
    """The step counter begins at 0, where Adam's bias correction is largest and an off-by-one divides by zero."""
    spec = tiny_spec(batch=16, optimizer=OPTIMIZERS[optimizer])
    errors = reference_errors(spec, parameters.initial_state(spec), parameters.batches(spec, 2))
    assert_within(errors, REFERENCE_LIMIT)


@pytest.mark.parametrize("hidden", [(), (3, 3), (4, 3, 2)], ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_any_depth(hidden, batch_norm):
    """No hidden layer at all, a square kernel (which a stray transposition would not make fail by itself), three blocks."""
    spec = tiny_spec(hidden=hidden, classes=3, batch_norm=batch_norm)
    errors = reference_errors(spec, parameters.hot_state(spec), parameters.batches(spec, 1))
    assert_within(errors, CANCELLING_LIMIT if batch_norm else REFERENCE_LIMIT)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_without_dropout(batch_norm):
    spec = tiny_spec(dropout=0.0, batch_norm=batch_norm)
    assert spec.masks(spec.batch) == {}
    errors = reference_errors(spec, parameters.hot_state(spec), parameters.batches(spec, 1))
    assert_within(errors, REFERENCE_LIMIT)


def test_confident_logits_neither_overflow_nor_clip():
    """Sure of itself, and wrong in places. P - 1 cancels where P is near 1, so gradients keep fewer digits than the loss."""
    spec = tiny_spec()
    state = parameters.hot_state(spec)
    state["output.weight"] = 1000 * state["output.weight"]
    (x, y), *_ = parameters.batches(spec, 1)
    assert np.max(np.abs(oracle(spec, state).predict(x))) > 710, "exp(710) overflows"
    for labels in (y, 1 - y):
        errors = reference_errors(spec, state, [(x, labels)])
        assert_within(errors, CANCELLING_LIMIT)
        assert errors["loss 0"] <= REFERENCE_LIMIT


def test_variance_of_a_feature_far_from_zero():
    """mean/std = 1e4: E[z^2] - E[z]^2 would lose 8 digits, the two-pass variance only the 4 that rounding z costs."""
    spec = tiny_spec(dropout=0.0)
    (x, y), *_ = parameters.batches(spec, 1)
    errors = reference_errors(spec, parameters.hot_state(spec), [(x + 1e4, y)])
    forward = [name for name in errors if "running" in name or name.startswith("loss")]
    assert len(forward) == 3
    assert_within({name: errors[name] for name in forward}, CANCELLING_LIMIT)


# --- against extended precision ---


@extended_only
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_float64_rounding_stays_small_at_a_real_size(batch_norm, optimizer):
    spec = MLPSpec().changed(hidden=(64, 64), batch_norm=batch_norm, optimizer=OPTIMIZERS[optimizer])
    (x, y), *_ = parameters.batches(spec, 1)
    masks = fixed_masks(spec)
    double, extended = oracle(spec), oracle(spec, dtype=np.longdouble)
    errors = {"loss": relative_error(double.repeat_step(x, y, masks), extended.repeat_step(x, y, masks))}
    truth = extended.state()
    errors |= {name: relative_error(value, truth[name]) for name, value in double.state().items()}
    errors["logits"] = relative_error(double.predict(x), extended.predict(x))
    assert_within(errors, EXTENDED_LIMIT)
    assert errors["logits"] > 0, "the two must not have run in the same precision"


# --- gradients, by the complex step ---


def slope(spec, state, name, entry, batch, masks):
    """dloss/dw of one entry: Im loss(w + ih) / h has no subtraction and so no cancellation, whatever h is."""
    h = 1e-30
    value = state[name].astype(np.complex128)
    value[entry] += 1j * h
    return oracle(spec, state | {name: value}, np.complex128).repeat_step(*batch, masks).imag / h


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gradients_are_the_slopes_of_the_loss(batch_norm, seed):
    spec = middle_spec(batch_norm=batch_norm)
    state = parameters.zeroed_slots(spec, parameters.hot_state(spec, seed))
    (batch,) = parameters.batches(spec, 1, seed)
    masks = fixed_masks(spec, seed)
    model = oracle(spec, state)
    model.repeat_step(*batch, masks)
    rng = np.random.default_rng(seed)
    errors = {}
    for name in [name for name, tensor in spec.tensors().items() if tensor.role == "parameter"]:
        gradient = model.state()[f"velocity:{name}"]  # after one step from zero, the velocity is the gradient
        for index in rng.choice(gradient.size, min(4, gradient.size), replace=False):
            entry = np.unravel_index(index, gradient.shape)
            error = abs(slope(spec, state, name, entry, batch, masks) - gradient[entry])
            errors[f"{name}[{index}]"] = error / np.linalg.norm(gradient)
    assert_within(errors, COMPLEX_STEP_LIMIT)


def test_slope_of_relu_at_zero_is_zero():
    spec = tiny_spec(batch_norm=False, dropout=0.0)
    state = parameters.zeroed_slots(spec, parameters.hot_state(spec))
    state["dense1.weight"][:, 1] = state["dense1.bias"][1] = 0
    model = oracle(spec, state)
    model.repeat_step(*parameters.batches(spec, 1)[0], masks={})
    assert not np.any(model.state()["velocity:dense1.weight"][:, 1])
    assert model.state()["velocity:dense1.bias"][1] == 0
    assert np.any(model.state()["velocity:dense1.weight"]), "the other units learn"


@pytest.mark.parametrize("side", [-1, 1])
def test_a_flip_takes_the_other_side_of_the_kink(side):
    """A unit that is zero but for rounding: flipped, the oracle steps as if the rounding had gone the other way."""
    spec = tiny_spec(batch_norm=False, dropout=0.0)
    (x, y), *_ = parameters.batches(spec, 1)
    state = parameters.hot_state(spec)
    state["dense1.weight"][:, 1] = 0
    models = []
    for bias in (side * 1e-20, -side * 1e-20):
        state["dense1.bias"][1] = bias
        models.append(oracle(spec, state))
    flips = {"relu1": np.repeat([[False, True, False]], spec.batch, axis=0)}
    assert models[0].repeat_step(x, y, {}, flips) == models[1].repeat_step(x, y, {})
    flipped, other = models[0].state(), models[1].state()
    assert_within({name: relative_error(flipped[name], other[name]) for name in other}, REFERENCE_LIMIT)
    assert np.array_equal(models[0].kinks()["relu1"][:, 1], np.full(spec.batch, side * 1e-20))


# --- prediction ---


def test_prediction_depends_neither_on_neighbours_nor_on_dropout():
    spec = middle_spec(dropout=0.5)
    model = oracle(spec)
    (x, _), *_ = parameters.batches(spec, 1)
    together = model.predict(x)
    alone = np.concatenate([model.predict(x[b : b + 1]) for b in range(len(x))])
    assert together.shape == (spec.batch, spec.classes)
    assert relative_error(together, alone) <= REFERENCE_LIMIT


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


def assert_same(left, right):
    """Bit for bit."""
    assert left.keys() == right.keys()
    different = [name for name in left if not np.array_equal(left[name], right[name])]
    assert not different


def test_a_rate_between_two_thresholds_of_the_mask_is_met_on_average() -> None:
    rate, units, draws, rng = 0.5 / 2**16, 4096, 2000, np.random.default_rng(3)
    dropped = sum(int((dropout_mask(rng, (units,), rate, np.float32) == 0).sum()) for _ in range(draws))
    assert dropped == pytest.approx(rate * units * draws, rel=0.4)  # 62.5, with a standard deviation of 8
