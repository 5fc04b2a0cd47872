import numpy as np
import pytest

from implementations.equivalence import tolerances
from implementations.layers.dense import dense_numpy as dense
from tests.support.gradients import assert_near, by_complex_step, floats
from tests.support.mlp import scalar_reference as reference
from tests.support.mlp.scalar_reference import exact

SIZES = [(5, 4, 3), (2, 4, 3), (1, 1, 1), (3, 3, 3), (2, 1030, 2)]
"""Samples, features, units. A square kernel: taking it the wrong way round does not fail by itself."""


def arrays(samples, features, units):
    rng = np.random.default_rng(1)
    shapes = (samples, features), (features, units), (units,), (samples, units)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("size", SIZES)
def test_forward_is_the_scalar_references(size):
    x, weight, bias, _ = arrays(*size)
    exact_x, exact_weight = exact(x.tolist()), exact(weight.tolist())
    assert_near(dense.forward(x, weight), floats(reference.dense(exact_x, exact_weight, None)))
    assert_near(dense.forward(x, weight, bias), floats(reference.dense(exact_x, exact_weight, exact(bias.tolist()))))


@pytest.mark.parametrize("size", SIZES)
def test_gradients_are_the_slopes(size):
    x, weight, bias, dz = arrays(*size)
    dbias = dense.backward_to_bias(dz)
    assert_near(
        dense.backward_to_weight(dz, x), by_complex_step(lambda w: (dense.forward(x, w, bias) * dz).sum(), weight)
    )
    assert_near(dbias, by_complex_step(lambda b: (dense.forward(x, weight, b) * dz).sum(), bias))
    dx = dense.backward_to_input(dz, weight)
    assert_near(dx, by_complex_step(lambda inputs: (dense.forward(inputs, weight, bias) * dz).sum(), x))


def test_rounding_stays_small_at_a_real_size():
    x, weight, bias, dz = arrays(300, 300, 300)
    long_x, long_weight, long_bias, long_dz = (array.astype(np.longdouble) for array in (x, weight, bias, dz))
    assert_near(
        dense.forward(x, weight, bias), dense.forward(long_x, long_weight, long_bias), tolerances.ORACLE["extended"]
    )
    limit = tolerances.ORACLE["extended"]
    assert_near(dense.backward_to_weight(dz, x), dense.backward_to_weight(long_dz, long_x), limit)
    assert_near(dense.backward_to_bias(dz), dense.backward_to_bias(long_dz), limit)
    assert_near(dense.backward_to_input(dz, weight), dense.backward_to_input(long_dz, long_weight), limit)


def test_gradients_are_sums_over_the_samples():
    x, _, _, dz = arrays(6, 4, 3)
    first, second = slice(0, 2), slice(2, 6)
    assert_near(
        dense.backward_to_weight(dz, x),
        dense.backward_to_weight(dz[first], x[first]) + dense.backward_to_weight(dz[second], x[second]),
    )
    assert_near(dense.backward_to_bias(dz), dense.backward_to_bias(dz[first]) + dense.backward_to_bias(dz[second]))
