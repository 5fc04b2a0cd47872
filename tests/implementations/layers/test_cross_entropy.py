import numpy as np
import pytest

from implementations.equivalence import tolerances
from implementations.layers.loss import cross_entropy_numpy as cross_entropy
from tests.support.gradients import assert_near, by_complex_step, floats
from tests.support.mlp import scalar_reference as reference
from tests.support.mlp.scalar_reference import exact

SIZES = [(6, 4), (2, 3), (1, 2), (4, 300)]
"""Samples and classes, also more of them than a byte holds."""


def arrays(samples, classes):
    rng = np.random.default_rng(6)
    logits, y = 3 * rng.normal(size=(samples, classes)), rng.integers(0, classes, samples)
    y[0] = classes - 1
    return logits, y


@pytest.mark.parametrize("size", SIZES)
def test_loss_and_gradient_are_the_scalar_references(size):
    logits, y = arrays(*size)
    losses, p = cross_entropy.forward(logits, y)
    loss, dlogits = reference.cross_entropy(exact(logits.tolist()), y.tolist())
    assert losses.shape == (len(y),)
    assert_near(losses.mean(), floats(loss), tolerances.ORACLE["reference"])
    assert_near(cross_entropy.backward(p, y), floats(dlogits), tolerances.ORACLE["reference"])


@pytest.mark.parametrize("size", SIZES)
def test_gradient_is_the_slope_of_the_mean_loss(size):
    logits, y = arrays(*size)
    _, p = cross_entropy.forward(logits, y)
    slopes = by_complex_step(lambda moved: cross_entropy.forward(moved, y)[0].mean(), logits)
    assert_near(cross_entropy.backward(p, y), slopes)


def test_probabilities_add_up_to_1_and_gradients_to_0():
    logits, y = arrays(6, 4)
    _, p = cross_entropy.forward(logits, y)
    dlogits = cross_entropy.backward(p, y)
    assert_near(p.sum(axis=1), np.ones(len(y)))
    assert_near(np.where(dlogits > 0, dlogits, 0).sum(axis=1), np.where(dlogits < 0, -dlogits, 0).sum(axis=1))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_logits_neither_overflow_nor_are_clipped(dtype):
    logits = np.array([[2000, 0, -2000], [2000, 0, -2000]], dtype)
    losses, p = cross_entropy.forward(logits, np.array([0, 2]))
    assert losses.tolist() == [0, 4000]
    assert cross_entropy.backward(p, np.array([0, 2])).tolist() == [[0, 0, 0], [0.5, 0, -0.5]]


def test_a_constant_added_to_all_logits_changes_nothing():
    logits, y = arrays(5, 3)
    for shifted, original in zip(cross_entropy.forward(logits + 64, y), cross_entropy.forward(logits, y), strict=True):
        assert_near(shifted, original, tolerances.ORACLE["cancelling"])


def test_without_a_preference_the_loss_is_that_of_guessing():
    losses, p = cross_entropy.forward(np.zeros((3, 10)), np.array([0, 4, 9]))
    assert_near(losses, np.full(3, np.log(10)))
    assert_near(p, np.full((3, 10), 0.1))


def test_one_sample_that_is_not_a_number_spoils_no_other():
    logits, y = arrays(4, 3)
    logits[1, 2] = np.nan
    losses, p = cross_entropy.forward(logits, y)
    assert np.array_equal(np.isnan(losses), [False, True, False, False])
    assert np.array_equal(np.isnan(cross_entropy.backward(p, y)).all(axis=1), [False, True, False, False])


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_labels_may_be_of_any_whole_number_type(dtype):
    logits, y = arrays(6, 4)
    losses, p = cross_entropy.forward(logits, y.astype(dtype))
    assert np.array_equal(losses, cross_entropy.forward(logits, y)[0])
    assert np.array_equal(cross_entropy.backward(p, y.astype(dtype)), cross_entropy.backward(p, y))
