import numpy as np
import pytest

from implementations.layers.positions import positions_numpy as positions
from tests.support.gradients import assert_near, by_complex_step


def arrays():
    """e and dh (samples, positions, numbers) and the table."""
    rng = np.random.default_rng(13)
    return rng.normal(size=(3, 4, 4)), rng.normal(size=(4, 4)), rng.normal(size=(3, 4, 4))


def test_every_sample_gets_the_row_of_each_position():
    e, weight, _ = arrays()
    found = positions.forward(e, weight)
    for b, t, j in np.ndindex(e.shape):
        assert found[b, t, j] == e[b, t, j] + weight[t, j]


def test_a_rows_gradient_is_the_sum_over_the_samples():
    e, weight, dh = arrays()
    gradient = positions.backward(dh)
    assert_near(gradient, dh[0] + dh[1] + dh[2])
    assert_near(gradient, by_complex_step(lambda moved: (positions.forward(e, moved) * dh).sum(), weight))


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_number_type_is_kept(dtype):
    e, weight, dh = (array.astype(dtype) for array in arrays())
    assert positions.forward(e, weight).dtype == positions.backward(dh).dtype == dtype
