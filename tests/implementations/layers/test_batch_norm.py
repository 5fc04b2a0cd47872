import numpy as np
import pytest

from implementations.equivalence import tolerances
from implementations.layers.batch_norm import batch_norm_numpy as batch_norm
from tests.support.gradients import assert_near, by_complex_step, floats
from tests.support.mlp import scalar_reference as reference
from tests.support.mlp.scalar_reference import exact

EPSILON = 1e-3
SIZES = [(7, 3), (2, 3), (5, 1), (2, 1)]
"""Samples and units; of two samples the normalised values are 1 and -1, but for epsilon."""


def arrays(samples, units):
    rng = np.random.default_rng(2)
    z, dn = (rng.normal(size=(samples, units)) for _ in range(2))
    return 1 + 2 * z, rng.uniform(0.5, 1.5, units), rng.normal(size=units), dn


@pytest.mark.parametrize("size", SIZES)
def test_forward_is_the_scalar_references(size):
    z, gamma, beta, _ = arrays(*size)
    n, _, mean, variance = batch_norm.forward(z, gamma, beta, EPSILON)
    exact_z = exact(z.tolist())
    truth = reference.batch_norm(exact_z, exact(gamma.tolist()), exact(beta.tolist()), EPSILON)
    means, variances = zip(*[reference.moments(column) for column in zip(*exact_z, strict=True)], strict=True)
    assert_near(n, floats(truth))
    assert_near(mean, floats(list(means)))
    assert_near(variance, floats(list(variances)))


@pytest.mark.parametrize("size", SIZES)
def test_gradients_are_the_slopes(size):
    z, gamma, beta, dn = arrays(*size)
    _, cache, _, _ = batch_norm.forward(z, gamma, beta, EPSILON)
    dz, dgamma, dbeta = batch_norm.backward(dn, cache)

    def total(z, gamma, beta):
        return (batch_norm.forward(z, gamma, beta, EPSILON)[0] * dn).sum()

    # Of two samples almost nothing is left of dz but what epsilon does.
    cancels = tolerances.ORACLE["cancelling" if len(z) == 2 else "reference"]
    assert_near(dz, by_complex_step(lambda moved: total(moved, gamma, beta), z), cancels)
    assert_near(dgamma, by_complex_step(lambda moved: total(z, moved, beta), gamma))
    assert_near(dbeta, by_complex_step(lambda moved: total(z, gamma, moved), beta))


@pytest.mark.parametrize("size", SIZES)
def test_gradients_are_the_scalar_references(size):
    z, gamma, beta, dn = arrays(*size)
    _, cache, _, _ = batch_norm.forward(z, gamma, beta, EPSILON)
    dz, dgamma, dbeta = batch_norm.backward(dn, cache)
    gradients: dict[str, list] = {}
    state = {"norm1.gamma": exact(gamma.tolist())}
    truth = reference.batch_norm_backward(gradients, 1, state, exact(z.tolist()), exact(dn.tolist()), EPSILON)
    assert_near(dz, floats(truth), tolerances.ORACLE["cancelling" if len(z) == 2 else "reference"])
    assert_near(dgamma, floats(gradients["norm1.gamma"]))
    assert_near(dbeta, floats(gradients["norm1.beta"]))


def test_what_is_normalised_has_mean_0_and_variance_1():
    z, gamma, beta, _ = arrays(1500, 4)
    n, _, _, _ = batch_norm.forward(1000 + z, np.ones_like(gamma), np.zeros_like(beta), 1e-12)
    assert np.abs(n.mean(axis=0)).max() < 1e-12
    assert np.abs(n.var(axis=0) - 1).max() < 1e-11


def test_variance_of_a_unit_far_from_zero_keeps_its_digits():
    """E[z^2] - E[z]^2 would keep none of them: the mean is 1e9 times the deviation."""
    z = np.array([[1e9 + 1], [1e9 + 3]])
    _, _, mean, variance = batch_norm.forward(z, np.ones(1), np.zeros(1), EPSILON)
    assert mean == 1e9 + 2
    assert variance == 1


def test_a_constant_unit_gives_beta_and_gradients_are_finite():
    z, gamma, beta, dn = arrays(5, 3)
    z[:, 1] = 0.3
    n, cache, _, variance = batch_norm.forward(z, gamma, beta, EPSILON)
    assert_near(n[:, 1], np.full(len(z), beta[1]), tolerances.ORACLE["reference"])
    assert variance[1] <= 1e-30
    dz, dgamma, _ = batch_norm.backward(dn, cache)
    assert np.abs(dgamma[1]) < 1e-14
    assert_near(dz[:, 1], gamma[1] / np.sqrt(EPSILON) * (dn[:, 1] - dn[:, 1].mean()), tolerances.ORACLE["cancelling"])


def test_no_gradient_moves_the_mean():
    """Adding the same to all samples changes nothing, so the gradients of a unit's samples sum to zero."""
    z, gamma, beta, dn = arrays(9, 4)
    _, cache, _, _ = batch_norm.forward(z, gamma, beta, EPSILON)
    assert np.abs(batch_norm.backward(dn, cache)[0].sum(axis=0)).max() < 1e-14


def test_running_statistics_that_are_the_batchs_normalise_alike():
    z, gamma, beta, _ = arrays(6, 3)
    n, _, mean, variance = batch_norm.forward(z, gamma, beta, EPSILON)
    assert_near(batch_norm.forward_running(z, gamma, beta, mean, variance, EPSILON), n)


def test_prediction_of_a_sample_is_its_own():
    z, gamma, beta, _ = arrays(6, 3)
    mean, variance = np.array([0.1, -2.0, 3.0]), np.array([0.5, 1.0, 4.0])
    together = batch_norm.forward_running(z, gamma, beta, mean, variance, EPSILON)
    alone = [batch_norm.forward_running(row[None], gamma, beta, mean, variance, EPSILON)[0] for row in z]
    assert np.array_equal(together, np.stack(alone))


def test_running_statistics_move_by_the_momentum():
    old, new = np.array([1.0, 2.0]), np.array([3.0, -2.0])
    assert np.array_equal(batch_norm.running(old, new, 0.75), [1.5, 1.0])
    assert np.array_equal(batch_norm.running(old, new, 1.0), old)
    assert np.array_equal(batch_norm.running(old, new, 0.0), new)


@pytest.mark.parametrize("samples", [2, 7])
def test_unbiased_variance_divides_by_one_sample_less(samples):
    z, gamma, beta, _ = arrays(samples, 3)
    _, _, _, variance = batch_norm.forward(z, gamma, beta, EPSILON)
    assert_near(batch_norm.unbiased(variance, samples), z.var(axis=0, ddof=1))


def test_of_images_all_places_of_a_channel_are_normalised_together():
    rng = np.random.default_rng(5)
    z, dn = rng.normal(1, 2, (4, 3, 5, 2)), rng.normal(size=(4, 3, 5, 2))
    gamma, beta = rng.uniform(0.5, 1.5, 2), rng.normal(size=2)
    n, cache, mean, variance = batch_norm.forward(z, gamma, beta, EPSILON)
    rows, cache_of_rows, *moments = batch_norm.forward(z.reshape(-1, 2), gamma, beta, EPSILON)
    assert batch_norm.count(z) == len(rows) == 60
    limit = tolerances.ORACLE["reference"]
    assert_near(n.reshape(-1, 2), rows, limit)
    assert_near(np.stack([mean, variance]), np.stack(moments), limit)
    for of_images, of_rows in zip(
        batch_norm.backward(dn, cache), batch_norm.backward(dn.reshape(-1, 2), cache_of_rows), strict=True
    ):
        assert_near(of_images.reshape(-1, 2).squeeze(), of_rows.reshape(-1, 2).squeeze(), limit)


def test_shift_is_what_a_folded_layer_subtracts():
    z, gamma, beta, _ = arrays(6, 3)
    n, _, mean, variance = batch_norm.forward(z, gamma, beta, EPSILON)
    scale = gamma / np.sqrt(variance + EPSILON)
    shift = batch_norm.shift(gamma, mean, variance, EPSILON)
    assert_near(z * scale + (beta - shift), n)
