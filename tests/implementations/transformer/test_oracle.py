"""Proof of the oracle, the NumPy file in float64, before it may judge others: more digits, slopes, and its whole by loops."""

from typing import Any

import numpy as np
import pytest

from implementations import initialisation
from implementations.contract import Arrays
from implementations.equivalence import strays, tolerances
from tests.implementations.layers import test_attention, test_gelu, test_layer_norm
from tests.support import batches
from tests.support.gradients import assert_near, floats
from tests.support.mlp.scalar_reference import cross_entropy, dense, exact, mp
from tests.support.transformer.small_models import SHAPES, oracle, small_spec

extended_only = pytest.mark.skipif(
    bool(np.finfo(np.longdouble).eps > 1e-18), reason="long double is no wider than double on this platform"
)
each_shape = pytest.mark.parametrize("shape", SHAPES)
REAL = {"vocabulary": 96, "classes": 96, "length": 64, "width": 64, "heads": 4, "batch": 4}
"""The sizes of the preset "text", but for the batch."""


def within(errors: dict[str, float], limit: float) -> bool:
    """Every named error within the limit. Written so that NaN fails."""
    return {name: error for name, error in errors.items() if not error <= limit} == {}


@extended_only
@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("sizes", [*SHAPES.values(), REAL], ids=[*SHAPES, "of text"])
def test_float64_rounding_stays_small(sizes: dict[str, Any], kind: str) -> None:
    spec = small_spec(**{"batch": 16} | sizes, optimizer={"kind": kind})
    batch, masks = batches.one(spec), strays.masks(spec, spec.batch)
    double, extended = oracle(spec), oracle(spec, dtype=np.longdouble)
    found = [
        {"loss": model.repeat_step(batch, masks), "logits": model.predict(batch)} | model.state()
        for model in (double, extended)
    ]
    errors = {name: tolerances.relative_distance(name, found[0], found[1]) for name in found[1]}
    assert within(errors, tolerances.ORACLE["extended"])
    assert errors["logits"] > 0, "the two must not have run in the same precision"


@each_shape
def test_gradients_are_the_slopes_of_the_loss(shape: str) -> None:
    """Im loss(w + ih) / h has no subtraction and so no cancellation. Through all blocks, norms, softmaxes and masks."""
    spec = small_spec(**SHAPES[shape])
    state, h = initialisation.zeroed_slots(spec, initialisation.hot_state(spec)), 1e-30
    batch, masks, model = batches.one(spec), strays.masks(spec, spec.batch), oracle(spec, state)
    terms = model.slot_terms(batch, masks, {})
    model.repeat_step(batch, masks)
    rng, errors = np.random.default_rng(1), {}
    for name in [name for name, tensor in spec.tensors().items() if tensor.role == "parameter"]:
        gradient, size = model.state()[f"velocity:{name}"], np.linalg.norm(terms[f"velocity:{name}"])
        for index in rng.choice(gradient.size, min(4, gradient.size), replace=False):
            entry = np.unravel_index(index, gradient.shape)
            moved = state[name].astype(np.complex128)
            moved[entry] += 1j * h
            slope = oracle(spec, state | {name: moved}, np.complex128).repeat_step(batch, masks).imag / h
            errors[f"{name}[{index}]"] = float(abs(slope - gradient[entry]) / size)
    assert within(errors, tolerances.ORACLE["complex step"])


@each_shape
def test_no_gradient_is_larger_than_the_sum_of_its_terms(shape: str) -> None:
    """By which a gradient is measured where everything in it cancels."""
    spec = small_spec(**SHAPES[shape])
    state = initialisation.zeroed_slots(spec, initialisation.hot_state(spec))
    batch, masks, model = batches.one(spec), strays.masks(spec, spec.batch), oracle(spec, state)
    terms = model.slot_terms(batch, masks, {})
    model.repeat_step(batch, masks)
    gradients = {name: value for name, value in model.state().items() if ":" in name}
    assert set(terms) == set(gradients)
    assert all((np.abs(gradients[name]) <= (1 + 1e-12) * terms[name]).all() for name in terms)


# Its whole by loops


def by_loops(spec: Any, state: Arrays, x: Any, masks: Arrays, b: int) -> list[list[Any]]:
    """Logits of sample b, position by position, or one row of them, in 50 digits."""
    w = {name: exact(value.tolist()) for name, value in state.items() if ":" not in name}

    def dropped(name: str, rows: list[list[Any]]) -> list[list[Any]]:
        mask = masks.get(f"{name}.mask")
        return rows if mask is None else added(rows, exact(mask[b].tolist()), lambda a, m: a * m)

    def normed(name: str, rows: list[list[Any]]) -> list[list[Any]]:
        scale = w[f"{name}.gamma"], w[f"{name}.beta"]
        return [test_layer_norm.by_loops(row, *scale, spec.norm_epsilon) for row in rows]

    table = w["embedding.weight"]
    h = [table[token] for token in x[b]] if spec.vocabulary else dense(exact(x[b].tolist()), table, None)
    h = dropped("dropout0", added(h, w["positions.weight"]))
    for i in range(1, spec.blocks + 1):
        weights = [w[f"attention{i}.{which}"] for which in ("query", "key", "value", "mixed")]
        of_weights = masks.get(f"attention{i}.mask")
        seen = None if of_weights is None else exact(of_weights[b].tolist())
        o = test_attention.by_loops(normed(f"attention_norm{i}", h), weights, spec.heads, spec.outputs == "every", seen)
        h = added(h, dropped(f"attention_dropout{i}", o))
        z = dense(normed(f"feed_forward_norm{i}", h), w[f"expand{i}.weight"], w[f"expand{i}.bias"])
        a = [[test_gelu.by_formula(number) for number in row] for row in z]
        u = dense(a, w[f"contract{i}.weight"], w[f"contract{i}.bias"])
        h = added(h, dropped(f"feed_forward_dropout{i}", u))
    n = normed("norm", h)
    if spec.outputs == "mean":
        n = [[sum(column) / len(n) for column in zip(*n, strict=True)]]
    return dense(n, w["output.weight"], None)


def added(one: list[list[Any]], two: list[list[Any]], how: Any = lambda a, b: a + b) -> list[list[Any]]:
    return [[how(a, b) for a, b in zip(*rows, strict=True)] for rows in zip(one, two, strict=True)]


@each_shape
def test_a_prediction_and_the_loss_by_loops(shape: str) -> None:
    """Number by number in 50 digits; with dropout in training alone."""
    spec = small_spec(**{"batch": 2} | SHAPES[shape])
    state, batch, masks = initialisation.hot_state(spec), batches.one(spec), strays.masks(spec, spec.batch)

    def rows(given: Arrays) -> list[list[Any]]:
        return [row for b in range(spec.batch) for row in by_loops(spec, state, batch["x"], given, b)]

    limit = tolerances.ORACLE["reference"]
    assert_near(oracle(spec, state).predict(batch).reshape(-1, spec.classes), floats(rows({})), limit)
    loss, _ = cross_entropy(rows(masks), batch["y"].ravel().tolist())
    assert_near(oracle(spec, state).repeat_step(batch, masks), floats(loss), limit)
    assert bool(masks) == (abs(loss - cross_entropy(rows({}), batch["y"].ravel().tolist())[0]) > mp.mpf("1e-6"))
