"""Proof of the oracle, the NumPy file in float64, before it may judge others: more digits, slopes, and its whole by loops."""

import numpy as np
import pytest

from implementations import initialisation
from implementations.equivalence import strays, tolerances
from implementations.layers.batch_norm import batch_norm_numpy as batch_norm
from tests.implementations.layers.test_convolution import by_loops
from tests.support import batches
from tests.support.cnn.small_models import SHAPES, oracle, small_spec

extended_only = pytest.mark.skipif(
    bool(np.finfo(np.longdouble).eps > 1e-18), reason="long double is no wider than double on this platform"
)


def within(errors: dict[str, float], limit: float) -> bool:
    """Every named error within the limit. Written so that NaN fails."""
    return {name: error for name, error in errors.items() if not error <= limit} == {}


@extended_only
@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_float64_rounding_stays_small(shape: str, batch_norm: bool, kind: str) -> None:
    spec = small_spec(**SHAPES[shape], batch_norm=batch_norm, optimizer={"kind": kind}, batch=16)
    batch, masks = batches.one(spec), strays.masks(spec, spec.batch)
    double, extended = oracle(spec), oracle(spec, dtype=np.longdouble)
    found = [
        {"loss": model.repeat_step(batch, masks), "logits": model.predict(batch)} | model.state()
        for model in (double, extended)
    ]
    errors = {name: tolerances.relative_distance(name, found[0], found[1]) for name in found[1]}
    assert within(errors, tolerances.ORACLE["extended"])
    assert errors["logits"] > 0, "the two must not have run in the same precision"


@pytest.mark.parametrize("batch_norm", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_gradients_are_the_slopes_of_the_loss(shape: str, batch_norm: bool) -> None:
    """Im loss(w + ih) / h has no subtraction and so no cancellation."""
    spec = small_spec(**SHAPES[shape], batch_norm=batch_norm)
    state, h = initialisation.zeroed_slots(spec, initialisation.hot_state(spec)), 1e-30
    batch, masks = batches.one(spec), strays.masks(spec, spec.batch)
    model = oracle(spec, state)
    model.repeat_step(batch, masks)
    gradients, terms = model.state(), oracle(spec, state).slot_terms(batch, masks, {})
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


def test_the_maps_of_a_prediction_by_loops() -> None:
    """One block, written from the formulas number by number, and the rows in the order of pixels, channels innermost."""
    spec = small_spec(image=(5, 4, 2), channels=(3,), hidden=(), dropout=0.0)
    state, batch = initialisation.hot_state(spec), batches.one(spec)
    z = by_loops(batch["x"], state["conv1.weight"], np.zeros(3))
    scale = state["norm1.gamma"] / np.sqrt(state["norm1.running_variance"] + spec.norm_epsilon)
    a = np.maximum((z - state["norm1.running_mean"]) * scale + state["norm1.beta"], 0)
    rows = np.empty((spec.batch, 2 * 2 * 3))
    for b, i, j, k in np.ndindex(spec.batch, 2, 2, 3):
        rows[b, (i * 2 + j) * 3 + k] = max(a[b, 2 * i + u, 2 * j + v, k] for u in (0, 1) for v in (0, 1))
    truth = {"logits": rows @ state["output.weight"] + state["output.bias"]}
    found = {"logits": oracle(spec, state).predict(batch)}
    assert tolerances.relative_distance("logits", found, truth) <= tolerances.ORACLE["reference"]


def test_batch_norm_counts_all_places() -> None:
    spec = small_spec(image=(5, 4, 2), channels=(3,), hidden=(), dropout=0.0, norm_momentum=0.0)
    state, batch = initialisation.hot_state(spec), batches.one(spec)
    model = oracle(spec, state)
    model.repeat_step(batch, {})
    z = by_loops(batch["x"], state["conv1.weight"], np.zeros(3)).reshape(-1, 3)
    truth = {"norm1.running_mean": z.mean(axis=0), "norm1.running_variance": z.var(axis=0, ddof=1)}
    assert within(
        {n: tolerances.relative_distance(n, model.state(), truth) for n in truth}, tolerances.ORACLE["reference"]
    )


def test_two_short_sums_err_less_than_one_long_one() -> None:
    """What is added one after the other in float32, an optimised code does not lose."""
    z = np.random.default_rng(0).normal(3, 1, (128, 28, 28, 4)).astype(np.float32)
    truth = z.sum(axis=(0, 1, 2), dtype=np.float64)
    two, one = np.abs(batch_norm.total(z) / truth - 1), np.abs(z.reshape(-1, 4).sum(axis=0) / truth - 1)
    assert 4 * two.max() < one.max()


def test_without_channels_every_bit_is_the_perceptrons() -> None:
    from implementations.cnn.cnn_numpy import CNN
    from implementations.cnn.spec import CNNSpec
    from implementations.mlp.mlp_numpy import MLP
    from implementations.mlp.spec import MLPSpec

    for changes in (
        {},
        {"batch_norm": False},
        {"optimizer": {"kind": "adamw"}},
        {"precision": "float64", "dropout": 0.0},
    ):
        spec = CNNSpec(image=(8, 8, 1), channels=(), hidden=(32, 16)).changed(**changes)
        perceptron = MLPSpec(hidden=(32, 16)).changed(**changes)
        one, other = CNN(spec), MLP(perceptron)
        one.load_state(initialisation.initial_state(spec))
        other.load_state(initialisation.initial_state(perceptron))
        for batch in initialisation.batches(perceptron, 3):
            stored = initialisation.stored(perceptron, batch)
            images = stored | {"x": stored["x"].reshape(-1, 8, 8, 1)}
            assert one.train_step(images) == other.train_step(stored)
            assert np.array_equal(one.predict(images), other.predict(stored))
        states = one.state(), other.state()
        assert all(map(np.array_equal, states[0].values(), states[1].values()))
        assert list(states[0]) == list(states[1])
