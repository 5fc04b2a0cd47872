import numpy as np
import pytest

from implementations.equivalence.array_functions import Computing
from implementations.layers.embedding import embedding_numpy as embedding
from tests.support.gradients import assert_near, by_complex_step

SIZES = [(3, 5, 4, 2), (1, 1, 2, 1), (2, 30, 3, 4), (2, 3, 50, 2)]
"""Samples, steps, tokens, numbers for each. Few tokens stand in many places, many in none."""


def arrays(samples, length, vocabulary, width):
    rng = np.random.default_rng(8)
    shape = (samples, length)
    return rng.integers(0, vocabulary, shape), rng.normal(size=(vocabulary, width)), rng.normal(size=(*shape, width))


@pytest.mark.parametrize("size", SIZES)
def test_a_token_is_its_row(size):
    x, weight, _ = arrays(*size)
    found = embedding.forward(x, weight)
    assert found.shape == (*x.shape, weight.shape[1])
    for b, t in np.ndindex(x.shape):
        np.testing.assert_array_equal(found[b, t], weight[x[b, t]])


@pytest.mark.parametrize("size", SIZES)
def test_a_rows_gradient_is_the_sum_over_all_places_of_its_token(size):
    x, weight, de = arrays(*size)
    truth = np.zeros(weight.shape)
    for b, t in np.ndindex(x.shape):
        truth[x[b, t]] += de[b, t]
    gradient = embedding.backward(de, x, weight)
    assert_near(gradient, truth)
    assert_near(gradient, by_complex_step(lambda moved: (embedding.forward(x, moved) * de).sum(), weight))
    assert not gradient[np.setdiff1d(np.arange(len(weight)), x)].any()


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_number_type_is_kept(dtype):
    x, weight, de = arrays(*SIZES[0])
    weight, de = weight.astype(dtype), de.astype(dtype)
    assert embedding.forward(x, weight).dtype == embedding.backward(de, x, weight).dtype == dtype


def test_an_array_of_another_arithmetic_stays_one():
    class Other(Computing):
        pass

    x, weight, de = arrays(*SIZES[0])
    assert type(embedding.forward(x, weight.view(Other))) is Other
    assert type(embedding.backward(de.view(Other), x, weight.view(Other))) is Other
