import numpy as np
import pytest

from implementations.equivalence.array_functions import Computing
from implementations.layers.pooling import max_pool_numpy as max_pool
from tests.support.gradients import assert_near, by_complex_step

SHAPES = [(2, 4, 6, 3), (1, 2, 2, 1), (2, 5, 7, 2), (3, 3, 2, 2)]


def image(*rows):
    """One image of one channel."""
    return np.array(rows, float)[None, :, :, None]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_largest_of_every_window_goes_on(shape):
    a = np.random.default_rng(0).integers(0, 4, shape).astype(float)  # many are equal
    p, chosen = max_pool.forward(a)
    assert p.shape == chosen.shape == (shape[0], shape[1] // 2, shape[2] // 2, shape[3])
    for b, i, j, k in np.ndindex(p.shape):
        window = a[b, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, k].ravel()
        assert p[b, i, j, k] == window.max()
        assert chosen[b, i, j, k] == np.flatnonzero(window == window.max())[0], "the first of equals"


@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_is_the_slope(shape):
    rng = np.random.default_rng(1)
    a = rng.normal(size=shape)
    p, chosen = max_pool.forward(a)
    dp = rng.normal(size=p.shape)
    assert_near(
        max_pool.backward(dp, chosen, shape), by_complex_step(lambda moved: (max_pool.forward(moved)[0] * dp).sum(), a)
    )


def test_the_first_of_equals_gets_all_of_the_gradient():
    a = image([1, 2, 5, 5], [2, 2, 5, 5])
    _, chosen = max_pool.forward(a)
    np.testing.assert_array_equal(
        max_pool.backward(np.ones((1, 1, 2, 1)), chosen, a.shape), image([0, 1, 1, 0], [0, 0, 0, 0])
    )


def test_an_odd_rest_is_left_out():
    a = image([1, 2, 9], [3, 4, 9], [9, 9, 9])
    p, chosen = max_pool.forward(a)
    assert p.ravel() == [4]
    np.testing.assert_array_equal(max_pool.backward(p, chosen, a.shape), image([0, 0, 0], [0, 4, 0], [0, 0, 0]))


@pytest.mark.parametrize("filled", [[0.0, np.nan, 2.0, 1.0], [np.nan] * 4])
def test_nan_is_the_largest(filled):
    assert np.isnan(max_pool.forward(image(filled[:2], filled[2:]))[0]).all()


def test_infinities_and_what_is_below_zero_are_numbers_like_others():
    assert max_pool.forward(image([-3, -2], [-np.inf, -4]))[0].ravel() == [-2]
    assert max_pool.forward(image([-np.inf, -np.inf], [-np.inf, -np.inf]))[0].ravel() == [-np.inf]


# --- with given choices ---


def test_its_own_choices_are_what_forward_makes():
    a = np.random.default_rng(2).normal(size=(2, 5, 4, 3))
    p, chosen = max_pool.forward(a)
    same, as_given = max_pool.forward_on(a, max_pool.choice(a))
    np.testing.assert_array_equal(same, p)
    np.testing.assert_array_equal(as_given, chosen)


def test_runner_up_and_lead():
    a = image([1, 4, 2, 2], [3, 0, 1, 2])
    choice = max_pool.choice(a)
    np.testing.assert_array_equal(choice.ravel(), [1, 0])
    np.testing.assert_array_equal(max_pool.runner_up(a, choice).ravel(), [2, 1])
    np.testing.assert_array_equal(max_pool.lead(a, choice).ravel(), [1, 0])
    np.testing.assert_array_equal(max_pool.lead(a, max_pool.runner_up(a, choice)).ravel(), [-1, 0])


def test_a_given_choice_goes_on():
    a = image([1, 4, 2, 2], [3, 0, 1, 2])
    p, chosen = max_pool.forward_on(a, np.array([2, 3]).reshape(1, 1, 2, 1))
    np.testing.assert_array_equal(p.ravel(), [3, 2])
    np.testing.assert_array_equal(chosen.ravel(), [2, 3])


def test_where_a_relu_stopped_the_choice_the_largest_goes_on():
    """The oracle chose among four zeros; then its ReLU was made to pass one of them, as that of the candidate did."""
    p, chosen = max_pool.forward_on(image([0, 0], [1e-30, 0]), np.zeros((1, 1, 1, 1), int))
    assert (p.ravel(), chosen.ravel()) == ([1e-30], [2])


def test_an_array_of_another_arithmetic_stays_one():
    class Other(Computing):
        pass

    a = np.random.default_rng(4).normal(size=(1, 4, 4, 1)).view(Other)
    for p, chosen in (max_pool.forward(a), max_pool.forward_on(a, max_pool.choice(a))):
        assert type(p) is Other
        assert type(max_pool.backward(p, chosen, a.shape)) is Other
