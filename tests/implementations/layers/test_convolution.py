import itertools

import numpy as np
import pytest

from implementations.layers.convolution import convolution_numpy as convolution
from tests.support.gradients import assert_near, by_complex_step

SIZES = [(2, 5, 4, 3, 2), (1, 1, 1, 1, 1), (3, 2, 6, 1, 4), (2, 3, 3, 2, 2)]
"""Samples, height, width, channels in and out."""


def arrays(samples, height, width, inputs, outputs):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(samples, height, width, inputs))
    dz = rng.normal(size=(samples, height, width, outputs))
    return x, rng.normal(size=(3, 3, inputs, outputs)), rng.normal(size=outputs), dz


def by_loops(x, weight, bias):
    """The formula, number by number: what lies beyond the border is not there to be added."""
    samples, height, width, inputs = x.shape
    z = np.empty((samples, height, width, weight.shape[3]))
    for b, i, j, k in np.ndindex(z.shape):
        z[b, i, j, k] = bias[k]
        for u, v, c in itertools.product(range(3), range(3), range(inputs)):
            row, column = i + u - 1, j + v - 1
            if 0 <= row < height and 0 <= column < width:
                z[b, i, j, k] += x[b, row, column, c] * weight[u, v, c, k]
    return z


@pytest.mark.parametrize("size", SIZES)
def test_forward_is_the_formula(size):
    x, weight, bias, _ = arrays(*size)
    assert_near(convolution.forward(x, weight, bias), by_loops(x, weight, bias))
    assert_near(convolution.forward(x, weight), by_loops(x, weight, 0 * bias))


def test_the_kernel_is_not_turned():
    x = np.zeros((1, 3, 3, 1))
    x[0, 1, 1] = 1
    weight = np.arange(9.0).reshape(3, 3, 1, 1)
    np.testing.assert_array_equal(convolution.forward(x, weight)[0, :, :, 0], np.arange(9.0)[::-1].reshape(3, 3))


@pytest.mark.parametrize("size", SIZES)
def test_gradients_are_the_slopes(size):
    x, weight, bias, dz = arrays(*size)

    def total(x, weight, bias):
        return (convolution.forward(x, weight, bias) * dz).sum()

    of_weight = by_complex_step(lambda moved: total(x, moved, bias), weight)
    assert_near(convolution.backward_to_weight(dz, x), of_weight)
    assert_near(convolution.backward_to_bias(dz), by_complex_step(lambda moved: total(x, weight, moved), bias))
    assert_near(convolution.backward_to_input(dz, weight), by_complex_step(lambda moved: total(moved, weight, bias), x))


def test_a_window_is_a_row_in_the_order_of_the_kernel():
    x = np.arange(2 * 3 * 4 * 2.0).reshape(2, 3, 4, 2)
    rows = convolution.patches(x).reshape(2, 3, 4, 3, 3, 2)
    np.testing.assert_array_equal(rows[1, 1, 2], x[1, 0:3, 1:4])
    np.testing.assert_array_equal(rows[0, 0, 0, 0], 0)
    np.testing.assert_array_equal(rows[0, 0, 0, 1:, 1:], x[0, :2, :2])


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_number_type_is_kept(dtype):
    x, weight, bias, dz = (array.astype(dtype) for array in arrays(*SIZES[0]))
    results = [convolution.forward(x, weight, bias), convolution.backward_to_weight(dz, x)]
    results += [convolution.backward_to_bias(dz), convolution.backward_to_input(dz, weight)]
    assert {result.dtype for result in results} == {np.dtype(dtype)}
