"""Proof of the oracle, the NumPy file in float64, before it may judge others.

Three proofs that do not lean on each other: an independent 50-digit reference written in scalars says that the
formulas are the papers', extended precision says that float64 rounding stays small at a real size, and the complex
step, which sees only the forward pass, says that the hand-written gradients belong to the loss.
"""

from typing import Any

import numpy as np
import pytest

from implementations import initialisation
from implementations.equivalence import from_slots, tolerances
from implementations.mlp.spec import MLPSpec
from tests.support import batches
from tests.support.mlp import scalar_reference as reference
from tests.support.mlp.scalar_reference import exact, mp
from tests.support.mlp.small_models import OPTIMIZERS, fixed_masks, middle_spec, oracle, relative_error, tiny_spec

extended_only = pytest.mark.skipif(
    bool(np.finfo(np.longdouble).eps > 1e-18), reason="long double is no wider than double on this platform"
)

BLOCKS: dict[str, dict[str, Any]] = {
    "plain": {"batch_norm": False},
    "norm-unbiased": {"batch_norm": True, "running_variance": "unbiased"},
    "norm-biased": {"batch_norm": True, "running_variance": "biased"},
}


def exact_error(test, truth):
    """`relative_error` in 50 digits against the reference's lists, so that the comparison itself does not round."""
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


def reference_errors(spec, state, steps, dtype=np.float64):
    """Errors of every step's loss, every tensor of the state and the logits, oracle against scalar reference, by a batch per step."""
    model = oracle(spec, state, dtype)
    truth = {name: exact(value.tolist()) for name, value in state.items()}
    errors = {}
    for k, batch in enumerate(steps):
        masks, x, y = fixed_masks(spec, seed=k), exact(batch["x"].tolist()), batch["y"].tolist()
        loss = model.repeat_step(batch, masks)
        exact_masks = {name: exact(mask.tolist()) for name, mask in masks.items()}
        true_loss, truth = reference.train_step(spec, truth, x, y, exact_masks)
        errors[f"loss {k}"] = exact_error(loss, true_loss)
        errors |= {f"{name} {k}": exact_error(value, truth[name]) for name, value in model.state().items()}
        errors[f"logits {k}"] = exact_error(model.predict(batch), flat(reference.predict(spec, truth, x)))
    assert set(model.state()) == set(truth) == set(spec.tensors())
    return errors


# --- against the scalar reference ---


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("block", BLOCKS)
def test_three_steps_are_those_of_the_scalar_reference(block, optimizer):
    spec = tiny_spec(optimizer=OPTIMIZERS[optimizer], **BLOCKS[block])
    errors = reference_errors(spec, initialisation.hot_state(spec), initialisation.batches(spec, 3))
    assert_within(errors, tolerances.ORACLE["reference"])


@extended_only
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("block", BLOCKS)
def test_more_digits_bring_the_oracle_to_the_reference(block, optimizer):
    """What float64 is off by is rounding and nothing else: a slightly wrong formula would not get any closer."""
    spec = tiny_spec(hidden=(4, 3), optimizer=OPTIMIZERS[optimizer], **BLOCKS[block])
    errors = reference_errors(spec, initialisation.hot_state(spec), initialisation.batches(spec, 2), np.longdouble)
    assert_within(errors, tolerances.ORACLE["extended reference"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_default_settings_are_those_of_the_scalar_reference(optimizer):
    spec = MLPSpec().changed(features=2, hidden=(3,), classes=2, batch=4, optimizer={"kind": optimizer})
    errors = reference_errors(spec, initialisation.hot_state(spec), initialisation.batches(spec, 3))
    assert_within(errors, tolerances.ORACLE["reference"])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_first_steps_from_the_initial_state(optimizer):
    """The step counter begins at 0, where Adam's bias correction is largest and an off-by-one divides by zero."""
    spec = tiny_spec(batch=16, optimizer=OPTIMIZERS[optimizer])
    errors = reference_errors(spec, initialisation.initial_state(spec), initialisation.batches(spec, 2))
    assert_within(errors, tolerances.ORACLE["reference"])


@pytest.mark.parametrize("hidden", [(), (3, 3), (4, 3, 2)], ids=str)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_any_depth(hidden, batch_norm):
    """No hidden layer at all, a square kernel (which a stray transposition would not make fail by itself), three blocks."""
    spec = tiny_spec(hidden=hidden, classes=3, batch_norm=batch_norm)
    errors = reference_errors(spec, initialisation.hot_state(spec), initialisation.batches(spec, 1))
    assert_within(errors, tolerances.ORACLE["cancelling"] if batch_norm else tolerances.ORACLE["reference"])


@pytest.mark.parametrize("batch_norm", [False, True])
def test_without_dropout(batch_norm):
    spec = tiny_spec(dropout=0.0, batch_norm=batch_norm)
    assert spec.masks(spec.batch) == {}
    errors = reference_errors(spec, initialisation.hot_state(spec), initialisation.batches(spec, 1))
    assert_within(errors, tolerances.ORACLE["reference"])


def test_confident_logits_neither_overflow_nor_clip():
    """Sure of itself, and wrong in places. P - 1 cancels where P is near 1, so gradients keep fewer digits than the loss."""
    spec = tiny_spec()
    state = initialisation.hot_state(spec)
    state["output.weight"] = 1000 * state["output.weight"]
    batch = batches.one(spec)
    logits = oracle(spec, state).predict(batch)
    assert np.max(np.abs(logits)) > 710, "exp(710) overflows"
    wrong_in_places = (logits.argmax(axis=1) + np.arange(spec.batch)) % 2
    for labels in (wrong_in_places, 1 - wrong_in_places):
        errors = reference_errors(spec, state, [batch | {"y": labels}])
        assert_within(errors, tolerances.ORACLE["cancelling"])
        assert errors["loss 0"] <= tolerances.ORACLE["reference"]


def test_variance_of_a_feature_far_from_zero():
    """mean/std = 1e4: E[z^2] - E[z]^2 would lose 8 digits, the two-pass variance only the 4 that rounding z costs."""
    spec = tiny_spec(dropout=0.0)
    batch = batches.one(spec)
    errors = reference_errors(spec, initialisation.hot_state(spec), [batch | {"x": batch["x"] + 1e4}])
    forward = [name for name in errors if "running" in name or name.startswith("loss")]
    assert len(forward) == 3
    assert_within({name: errors[name] for name in forward}, tolerances.ORACLE["cancelling"])


# --- against extended precision ---


@extended_only
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_float64_rounding_stays_small_at_a_real_size(batch_norm, optimizer):
    spec = MLPSpec().changed(hidden=(64, 64), batch_norm=batch_norm, optimizer=OPTIMIZERS[optimizer])
    batch, masks = batches.one(spec), fixed_masks(spec)
    double, extended = oracle(spec), oracle(spec, dtype=np.longdouble)
    errors = {"loss": relative_error(double.repeat_step(batch, masks), extended.repeat_step(batch, masks))}
    truth = extended.state()
    errors |= {name: relative_error(value, truth[name]) for name, value in double.state().items()}
    errors["logits"] = relative_error(double.predict(batch), extended.predict(batch))
    assert_within(errors, tolerances.ORACLE["extended"])
    assert errors["logits"] > 0, "the two must not have run in the same precision"


# --- gradients, by the complex step ---


def slope(spec, state, name, entry, batch, masks):
    """dloss/dw of one entry: Im loss(w + ih) / h has no subtraction and so no cancellation, whatever h is."""
    h = 1e-30
    value = state[name].astype(np.complex128)
    value[entry] += 1j * h
    return oracle(spec, state | {name: value}, np.complex128).repeat_step(batch, masks).imag / h


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_gradients_are_the_slopes_of_the_loss(batch_norm, seed):
    spec = middle_spec(batch_norm=batch_norm)
    state = initialisation.zeroed_slots(spec, initialisation.hot_state(spec, seed))
    batch, masks = batches.one(spec, seed), fixed_masks(spec, seed)
    model = oracle(spec, state)
    model.repeat_step(batch, masks)
    rng = np.random.default_rng(seed)
    errors = {}
    for name in [name for name, tensor in spec.tensors().items() if tensor.role == "parameter"]:
        gradient = model.state()[f"velocity:{name}"]  # after one step from zero, the velocity is the gradient
        for index in rng.choice(gradient.size, min(4, gradient.size), replace=False):
            entry = np.unravel_index(index, gradient.shape)
            error = abs(slope(spec, state, name, entry, batch, masks) - gradient[entry])
            errors[f"{name}[{index}]"] = error / np.linalg.norm(gradient)
    assert_within(errors, tolerances.ORACLE["complex step"])


def test_slope_of_relu_at_zero_is_zero():
    spec = tiny_spec(batch_norm=False, dropout=0.0)
    state = initialisation.zeroed_slots(spec, initialisation.hot_state(spec))
    state["dense1.weight"][:, 1] = state["dense1.bias"][1] = 0
    model = oracle(spec, state)
    model.repeat_step(batches.one(spec), masks={})
    assert not np.any(model.state()["velocity:dense1.weight"][:, 1])
    assert model.state()["velocity:dense1.bias"][1] == 0
    assert np.any(model.state()["velocity:dense1.weight"]), "the other units learn"


@pytest.mark.parametrize("side", [-1, 1])
def test_a_unit_at_zero_takes_the_side_that_is_given(side):
    """A unit that is zero but for rounding: the oracle steps as if the rounding had gone the other way."""
    spec = tiny_spec(batch_norm=False, dropout=0.0)
    batch, state = batches.one(spec), initialisation.hot_state(spec)
    state["dense1.weight"][:, 1] = 0
    models = []
    for bias in (side * 1e-20, -side * 1e-20):
        state["dense1.bias"][1] = bias
        models.append(oracle(spec, state))
    loss = models[1].repeat_step(batch, {})
    choices = {name: branch.choice for name, branch in models[1].branches().items()}
    assert models[0].repeat_step(batch, {}, choices) == loss
    moved, other = models[0].state(), models[1].state()
    assert_within({name: relative_error(moved[name], other[name]) for name in other}, tolerances.ORACLE["reference"])
    assert np.array_equal(models[0].branches()["relu1"].lead[:, 1], np.full(spec.batch, -1e-20))


# --- what is judged by it besides ---


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_norm", [False, True])
def test_parameters_follow_from_the_slots(optimizer, batch_norm):
    """The oracle's formula of its own, against the step itself, and against one in which a parameter is off."""
    spec = middle_spec(optimizer=OPTIMIZERS[optimizer], batch_norm=batch_norm)
    before = initialisation.hot_state(spec)
    model = oracle(spec, before)
    model.repeat_step(batches.one(spec), fixed_masks(spec))
    after = model.state()
    follow = from_slots.parameters(spec, before, after)
    assert set(follow) == (
        {n for n, t in spec.tensors().items() if t.role == "parameter"} if spec.optimizer.slots else set()
    )
    assert all(check.passed for check in tolerances.elementwise("", "", after, follow, 2.0**-53))
    if follow:
        after["output.bias"][0] *= 1 + 1e-14
        assert not all(check.passed for check in tolerances.elementwise("", "", after, follow, 2.0**-53))


def test_a_gradient_that_is_zero_in_theory_is_small_beside_its_terms():
    """One feature: batch norm takes its weight's scale out again, so the loss does not depend on it, but for epsilon."""
    spec = middle_spec(features=1, norm_epsilon=1e-12)
    state = initialisation.zeroed_slots(spec, initialisation.hot_state(spec))
    batch, masks = batches.one(spec), fixed_masks(spec)
    model = oracle(spec, state)
    model.repeat_step(batch, masks)
    after = model.state()
    model.load_state(state)
    terms = model.slot_terms(batch, masks, {})
    assert set(terms) == {name for name, tensor in spec.tensors().items() if tensor.role == "slot"}
    for name, size in terms.items():
        assert np.all(np.abs(after[name]) <= size * (1 + 1e-12)), name
    null, full = "velocity:dense1.weight", "velocity:output.weight"
    assert np.max(np.abs(after[null]) / terms[null]) < 1e-9
    assert np.max(np.abs(after[full]) / terms[full]) > 1e-2
