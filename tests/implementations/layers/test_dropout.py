import numpy as np
import pytest

from implementations.layers.dropout import dropout_numpy as dropout
from tests.support.gradients import assert_near, by_complex_step

FLOAT64 = np.dtype(np.float64)


def draw(seed=5, shape=(40, 50), rate=0.3, dtype=FLOAT64):
    return dropout.mask(np.random.default_rng(seed), shape, rate, np.dtype(dtype))


@pytest.mark.parametrize("rate", [0.001, 0.3, 0.5, 0.9])
def test_units_are_dropped_as_often_as_the_rate_says(rate):
    mask = draw(shape=(1000, 200), rate=rate)
    deviation = np.sqrt(rate * (1 - rate) / mask.size)
    assert abs(np.mean(mask == 0) - rate) < 5 * deviation
    assert abs(mask.mean() - 1) < 5 * deviation / (1 - rate), "the expected sum into the next layer is the same"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("shape", [(2, 1), (5,), (3, 4, 5)])
def test_what_stays_is_scaled_up(shape, dtype):
    values = np.concatenate([draw(seed, shape, 0.3, dtype).ravel() for seed in range(20)])
    assert draw(shape=shape, dtype=dtype).shape == shape
    assert values.dtype == dtype
    assert np.array_equal(np.unique(values), [0, dtype(1) / dtype(1 - 0.3)])


def test_at_rate_0_nothing_is_dropped():
    assert np.array_equal(draw(rate=0.0), np.ones((40, 50)))


def test_a_mask_is_the_seeds_and_the_next_is_another():
    assert np.array_equal(draw(1), draw(1))
    assert not np.array_equal(draw(1), draw(2))
    rng = np.random.default_rng(1)
    first, second = (dropout.mask(rng, (40, 50), 0.3, FLOAT64) for _ in range(2))
    assert not np.array_equal(first, second)


def test_no_sample_repeats_another_or_mirrors_it():
    units = 2**16
    kept = draw(shape=(4, units), rate=0.5) != 0
    correlations = np.corrcoef(kept)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 5 / np.sqrt(units)


def test_number_type_changes_no_mask():
    assert np.array_equal(draw(dtype=np.float32) != 0, draw() != 0)


def test_a_mask_multiplies_on_both_ways():
    a, mask = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[0.0, 2.0], [2.0, 0.0]])
    assert np.array_equal(dropout.forward(a, mask), [[0, 4], [6, 0]])
    dh = np.array([[5.0, 6.0], [7.0, 8.0]])
    assert_near(dropout.backward(dh, mask), by_complex_step(lambda moved: (dropout.forward(moved, mask) * dh).sum(), a))
