import math

import numpy as np
import pytest

from implementations.layers.clipping import clipping_numpy as clipping
from tests.support.gradients import assert_near


def gradients(dtype=np.float64):
    rng = np.random.default_rng(9)
    return {name: rng.normal(size=shape).astype(dtype) for name, shape in (("weight", (3, 4)), ("bias", (4,)))}


def by_loops(arrays):
    """The root of the sum of all squares."""
    return math.sqrt(sum(float(number) ** 2 for array in arrays.values() for number in array.ravel()))


def test_the_norm_is_of_all_numbers_of_all_gradients():
    assert_near(clipping.norm(gradients()), by_loops(gradients()))
    assert clipping.norm({"a": np.array([3.0]), "b": np.array([[4.0]])}) == 5


@pytest.mark.parametrize("share", [0.999, 0.5, 1e-6])
def test_what_is_longer_gets_that_length_and_keeps_its_direction(share):
    given, largest = gradients(), share * by_loops(gradients())
    clipped = clipping.clip(given, largest)
    assert list(clipped) == list(given)
    assert_near(by_loops(clipped), largest)
    for name, array in given.items():
        assert_near(clipped[name], array * share)


@pytest.mark.parametrize("times", [1.001, 2, 1e6])
def test_what_is_shorter_stays_bit_for_bit(times):
    given = gradients()
    clipped = clipping.clip(given, times * by_loops(given))
    assert all(np.array_equal(clipped[name], array) for name, array in given.items())


def test_at_the_largest_norm_itself_nothing_jumps():
    given = {"a": np.array([3.0, 4.0])}
    np.testing.assert_array_equal(clipping.clip(given, 5.0)["a"], given["a"])
    assert_near(clipping.clip(given, 5.0 - 1e-12)["a"], given["a"], 1e-12)


def test_no_gradient_at_all_is_left_as_it_is():
    assert not clipping.clip({"a": np.zeros(3)}, 1.0)["a"].any()


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
@pytest.mark.parametrize("largest", [0.1, 100.0])
def test_number_type_is_kept_and_nothing_written_to(dtype, largest):
    given = gradients(dtype)
    assert {array.dtype for array in clipping.clip(given, largest).values()} == {np.dtype(dtype)}
    assert all(np.array_equal(given[name], array) for name, array in gradients(dtype).items())


def test_one_number_that_is_none_spoils_all():
    given = gradients()
    given["bias"][0] = np.nan
    assert all(np.isnan(array).all() for array in clipping.clip(given, 1.0).values())
