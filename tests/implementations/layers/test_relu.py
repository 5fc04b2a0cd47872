import numpy as np
import pytest

from implementations.equivalence.array_functions import Computing
from implementations.layers.activation import relu_numpy as relu
from tests.support.gradients import assert_near, by_complex_step

N = np.array([[-1.5, 2.0, 0.0, np.nan], [3.0, -0.0, -np.inf, np.inf]])


def test_what_is_positive_passes():
    expected = [[0.0, 2.0, 0.0, np.nan], [3.0, 0.0, 0.0, np.inf]]
    assert np.array_equal(relu.forward(N), expected, equal_nan=True)


@pytest.mark.parametrize("shape", [(4, 3), (2, 1), (1, 1), (2, 3, 4)])
def test_gradient_is_the_slope(shape):
    rng = np.random.default_rng(3)
    n, da = rng.normal(size=shape), rng.normal(size=shape)
    dn = relu.backward(da, relu.forward(n))
    assert_near(dn, by_complex_step(lambda moved: (relu.forward(moved) * da).sum(), n))


def test_slope_at_zero_is_zero():
    n = np.array([[0.0, -0.0, 5e-324]])
    assert np.array_equal(relu.backward(np.ones_like(n), relu.forward(n)), [[0, 0, 1]])


# --- with given units ---


def test_its_own_units_are_what_forward_passes():
    n = np.random.default_rng(4).normal(size=(5, 3))
    assert np.array_equal(relu.forward_on(n, n > 0), relu.forward(n))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble])
def test_given_units_pass_and_no_others(dtype):
    n = np.array([[-1e-9, 0.0, 1e-9, 1e-9]], dtype)
    active = np.array([[True, True, True, False]])
    a = relu.forward_on(n, active)
    assert a.dtype == dtype
    assert np.array_equal(a > 0, active)
    assert np.all(a[0, :2] == dtype(relu.JUST_ABOVE_ZERO)), "what rounding moved over zero passes next to nothing"
    assert a[0, 2] == n[0, 2]
    assert np.array_equal(relu.backward(np.ones_like(n), a), active), "and its gradient"


def test_nan_passes_where_its_unit_is_not_active():
    n = np.array([[np.nan, np.nan, 1.0]])
    a = relu.forward_on(n, np.array([[True, False, True]]))
    assert np.array_equal(np.isnan(a), [[True, True, False]])


def test_an_array_of_another_arithmetic_stays_one():
    class Other(Computing):
        pass

    n = np.array([[-1.0, 1.0]]).view(Other)
    assert type(relu.forward_on(n, np.asarray(n) > 0)) is Other
