"""Layer norm, against the same in 50 digits position by position, and its way back against slopes."""

import numpy as np
import pytest

from implementations.equivalence import tolerances
from implementations.layers.layer_norm import layer_norm_numpy as layer_norm
from tests.support.gradients import assert_near, by_complex_step, floats
from tests.support.mlp.scalar_reference import exact, mp

EPSILON = 1e-3
SIZES = [(2, 3, 5), (1, 1, 3), (4, 4, 4), (3, 2, 2)]
"""Samples, positions, numbers of each; of two numbers the normalised ones are 1 and -1, but for epsilon."""


def arrays(samples, length, width):
    """h, gamma, beta and dn."""
    rng = np.random.default_rng(11)
    h, dn = (rng.normal(size=(samples, length, width)) for _ in range(2))
    return 1 + 2 * h, rng.uniform(0.5, 1.5, width), rng.normal(size=width), dn


def by_loops(row, gamma, beta, epsilon):
    """n of one position (lists, in 50 digits)."""
    mean = sum(row) / len(row)
    variance = sum((number - mean) ** 2 for number in row) / len(row)
    deviation = mp.sqrt(variance + mp.mpf(epsilon))
    return [gamma[j] * (row[j] - mean) / deviation + beta[j] for j in range(len(row))]


@pytest.mark.parametrize("size", SIZES)
def test_it_is_the_loops(size):
    h, gamma, beta, _ = arrays(*size)
    scale = exact(gamma.tolist()), exact(beta.tolist())
    truth = [[by_loops(exact(row.tolist()), *scale, EPSILON) for row in sample] for sample in h]
    n, _, mean, variance = layer_norm.forward(h, gamma, beta, EPSILON)
    assert_near(n, floats(truth))
    assert_near(mean, np.mean(h, axis=-1, keepdims=True))
    assert_near(variance, np.var(h, axis=-1, keepdims=True))


@pytest.mark.parametrize("size", SIZES)
def test_gradients_are_the_slopes(size):
    h, gamma, beta, dn = arrays(*size)
    _, cache, _, _ = layer_norm.forward(h, gamma, beta, EPSILON)
    dh, dgamma, dbeta = layer_norm.backward(dn, cache)

    def total(h, gamma, beta):
        return (layer_norm.forward(h, gamma, beta, EPSILON)[0] * dn).sum()

    # Of two numbers almost nothing is left of dh but what epsilon does.
    cancels = tolerances.ORACLE["cancelling" if h.shape[-1] == 2 else "reference"]
    assert_near(dh, by_complex_step(lambda moved: total(moved, gamma, beta), h), cancels)
    assert_near(dgamma, by_complex_step(lambda moved: total(h, moved, beta), gamma))
    assert_near(dbeta, by_complex_step(lambda moved: total(h, gamma, moved), beta))


def test_what_is_normalised_has_mean_0_and_variance_1():
    h, gamma, beta, _ = arrays(20, 7, 50)
    n, *_ = layer_norm.forward(1000 + h, np.ones_like(gamma), np.zeros_like(beta), 1e-12)
    assert np.abs(n.mean(axis=-1)).max() < 1e-12
    assert np.abs(n.var(axis=-1) - 1).max() < 1e-11


def test_variance_of_a_position_far_from_zero_keeps_its_digits():
    """E[h^2] - E[h]^2 would keep none of them: the mean is 1e9 times the deviation."""
    _, _, mean, variance = layer_norm.forward(np.array([[[1e9 + 1, 1e9 + 3]]]), np.ones(2), np.zeros(2), EPSILON)
    assert (mean.item(), variance.item()) == (1e9 + 2, 1)


def test_no_gradient_moves_the_mean_of_a_position():
    """Adding the same to all its numbers changes nothing, so that their gradients sum to zero."""
    h, gamma, beta, dn = arrays(4, 3, 9)
    _, cache, *_ = layer_norm.forward(h, gamma, beta, EPSILON)
    assert np.abs(layer_norm.backward(dn, cache)[0].sum(axis=-1)).max() < 1e-14


def test_a_position_is_normalised_by_itself():
    h, gamma, beta, _ = arrays(3, 4, 5)
    n, *_ = layer_norm.forward(h, gamma, beta, EPSILON)
    other = h.copy()
    other[1, 2] = np.nan
    found, *_ = layer_norm.forward(other, gamma, beta, EPSILON)
    same = np.ones((3, 4), bool)
    same[1, 2] = False
    np.testing.assert_array_equal((found == n).all(axis=-1), same)
    np.testing.assert_array_equal(np.isnan(found).all(axis=-1), ~same)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_position_of_equal_numbers_gives_beta_and_its_rounding_is_within_its_terms(dtype):
    """What is left of z_hat is the rounding of the mean, which `terms` must cover."""
    _, gamma, beta, dn = (array.astype(dtype) for array in arrays(4, 3, 7))
    h = np.full(dn.shape, dtype(0.1)) * np.arange(1, 13, dtype=dtype).reshape(4, 3, 1)
    n, cache, mean, _ = layer_norm.forward(h, gamma, beta, EPSILON)
    unit = np.finfo(dtype).eps
    assert_near(n, np.broadcast_to(beta, n.shape), 100 * unit)
    (_, dgamma, _), (_, terms, _) = (
        layer_norm.backward(d, c) for d, c in ((dn, cache), (np.abs(dn), layer_norm.terms(cache, mean)))
    )
    assert dgamma.any()
    assert (np.abs(dgamma) <= 4 * unit * terms).all()


def test_shift_is_what_a_folded_layer_subtracts():
    h, gamma, beta, _ = arrays(2, 3, 5)
    n, _, mean, variance = layer_norm.forward(h, gamma, beta, EPSILON)
    scale = gamma / np.sqrt(variance + EPSILON)
    assert_near(h * scale + (beta - layer_norm.shift(gamma, mean, variance, EPSILON)), n)


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_number_type_is_kept_and_nothing_written_to(dtype):
    h, gamma, beta, dn = given = [array.astype(dtype) for array in arrays(*SIZES[0])]
    copies = [array.copy() for array in given]
    n, cache, *moments = layer_norm.forward(h, gamma, beta, EPSILON)
    assert {array.dtype for array in (n, *moments, *layer_norm.backward(dn, cache))} == {np.dtype(dtype)}
    assert all(map(np.array_equal, given, copies))
