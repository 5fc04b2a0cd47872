"""Proof of the oracle, the NumPy file in float64, before it may judge others: more digits, slopes, and its whole by loops."""

from typing import Any

import numpy as np
import pytest

from implementations import initialisation
from implementations.contract import Arrays
from implementations.equivalence import strays, tolerances
from tests.implementations.layers import test_recurrent
from tests.support import batches
from tests.support.gradients import assert_near
from tests.support.rnn.small_models import CELLS, SHAPES, oracle, small_spec

extended_only = pytest.mark.skipif(
    bool(np.finfo(np.longdouble).eps > 1e-18), reason="long double is no wider than double on this platform"
)


def within(errors: dict[str, float], limit: float) -> bool:
    """Every named error within the limit. Written so that NaN fails."""
    return {name: error for name, error in errors.items() if not error <= limit} == {}


@extended_only
@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_float64_rounding_stays_small(shape: str, cell: str, kind: str) -> None:
    spec = small_spec(**SHAPES[shape], cell=cell, optimizer={"kind": kind}, batch=16)
    batch, masks = batches.one(spec), strays.masks(spec, spec.batch)
    double, extended = oracle(spec), oracle(spec, dtype=np.longdouble)
    found = [
        {"loss": model.repeat_step(batch, masks), "logits": model.predict(batch)} | model.state()
        for model in (double, extended)
    ]
    errors = {name: tolerances.relative_distance(name, found[0], found[1]) for name in found[1]}
    assert within(errors, tolerances.ORACLE["extended"])
    assert errors["logits"] > 0, "the two must not have run in the same precision"


def after_a_step(spec: Any, state: Arrays) -> Arrays:
    model = oracle(spec, state)
    model.repeat_step(batches.one(spec), strays.masks(spec, spec.batch))
    after: Arrays = model.state()
    return after


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_the_slopes_of_the_loss(shape: str, cell: str) -> None:
    """Im loss(w + ih) / h has no subtraction and so no cancellation. Through all steps, layers and masks."""
    spec = small_spec(**SHAPES[shape], cell=cell, clip_norm=0.0)
    state, h = initialisation.zeroed_slots(spec, initialisation.hot_state(spec)), 1e-30
    batch, masks = batches.one(spec), strays.masks(spec, spec.batch)
    gradients, terms = after_a_step(spec, state), oracle(spec, state).slot_terms(batch, masks, {})
    rng, errors = np.random.default_rng(1), {}
    for name in [name for name, tensor in spec.tensors().items() if tensor.role == "parameter"]:
        gradient, size = gradients[f"velocity:{name}"], np.linalg.norm(terms[f"velocity:{name}"])
        for index in rng.choice(gradient.size, min(4, gradient.size), replace=False):
            entry = np.unravel_index(index, gradient.shape)
            moved = state[name].astype(np.complex128)
            moved[entry] += 1j * h
            slope = oracle(spec, state | {name: moved}, np.complex128).repeat_step(batch, masks).imag / h
            errors[f"{name}[{index}]"] = float(abs(slope - gradient[entry]) / size)
    assert within(errors, tolerances.ORACLE["complex step"])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_from_zero_the_slots_of_clipped_gradients_have_exactly_the_largest_norm(shape: str, cell: str) -> None:
    """And its direction is that of the gradients themselves; what stands below the norm is left as it is."""
    unclipped = small_spec(**SHAPES[shape], cell=cell, clip_norm=0.0)
    state = initialisation.zeroed_slots(unclipped, initialisation.hot_state(unclipped))
    slots = [name for name, tensor in unclipped.tensors().items() if tensor.role == "slot"]

    def together(clip_norm: float) -> np.ndarray:
        after = after_a_step(unclipped.changed(clip_norm=clip_norm), state)
        return np.concatenate([after[name].ravel() for name in slots])

    gradients = together(0.0)
    norm = float(np.linalg.norm(gradients))
    model = oracle(unclipped, state)
    masks = strays.masks(unclipped, unclipped.batch)
    assert_near(model.gradient_norm(batches.one(unclipped), masks), norm)
    clipped = together(norm / 3)
    assert_near(np.linalg.norm(clipped), norm / 3)
    assert_near(clipped, gradients / 3)
    np.testing.assert_array_equal(together(3 * norm), gradients)
    tight = oracle(unclipped.changed(clip_norm=norm / 3), state).slot_terms(batches.one(unclipped), masks, {})
    whole = oracle(unclipped, state).slot_terms(batches.one(unclipped), masks, {})
    for name in slots:
        assert_near(tight[name], whole[name] / 3)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_prediction_and_the_loss_by_loops(shape: str, cell: str) -> None:
    """Both layers, number by number; in training, dropout is on what a layer hands up alone."""
    spec = small_spec(**SHAPES[shape], cell=cell)
    state, batch, masks = initialisation.hot_state(spec), batches.one(spec), strays.masks(spec, spec.batch)

    def logits(dropped: Arrays) -> np.ndarray:
        h = (
            np.array([[state["embedding.weight"][token] for token in row] for row in batch["x"]])
            if spec.vocabulary
            else batch["x"]
        )
        for i in spec.layers:
            names = [f"rnn{i}.{which}" for which in ("weight", "recurrent_weight", "bias", "recurrent_bias")]
            h = test_recurrent.by_loops(cell, h, *(state[name] for name in names if name in state))
            h = h if i < len(spec.hidden) or spec.outputs == "every" else h[:, spec.length - 1]
            h = h * dropped.get(f"dropout{i}.mask", 1.0)
        return h @ state["output.weight"] + state["output.bias"]

    assert_near(oracle(spec, state).predict(batch), logits({}), tolerances.ORACLE["reference"])
    z = logits(masks)
    of_labels = np.take_along_axis(z, batch["y"][..., None], axis=-1)[..., 0]
    loss = (np.log(np.exp(z).sum(axis=-1)) - of_labels).mean()
    assert_near(oracle(spec, state).repeat_step(batch, masks), loss, tolerances.ORACLE["reference"])
