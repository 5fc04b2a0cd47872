"""GELU in the form with tanh, against its formula in 50 digits, its slope, and the error function that it stands for."""

import numpy as np
import pytest

from implementations.layers.activation import gelu_numpy as gelu
from tests.support.gradients import assert_near, by_complex_step, floats
from tests.support.mlp.scalar_reference import exact, mp

Z = np.linspace(-6, 6, 241)


def by_formula(z):
    """Hendrycks & Gimpel 2016, section 2, in 50 digits."""
    return z / 2 * (1 + mp.tanh(mp.sqrt(2 / mp.pi) * (z + mp.mpf("0.044715") * z**3)))


def test_it_is_the_formula():
    """Where 1 + tanh cancels, for z far below 0, it keeps the digits of 1, not of what is left."""
    truth = floats([by_formula(z) for z in exact(Z.tolist())])
    assert_near(gelu.forward(Z), truth)
    assert np.abs(gelu.forward(Z) - truth).max() < 4e-16 * 6


@pytest.mark.parametrize("shape", [(4, 3), (1, 1), (2, 3, 4)])
def test_gradient_is_the_slope(shape):
    rng = np.random.default_rng(12)
    z, da = 2 * rng.normal(size=shape), rng.normal(size=shape)
    dz = gelu.backward(da, gelu.slope(z))
    assert_near(dz, by_complex_step(lambda moved: (gelu.forward(moved) * da).sum(), z))


def test_it_is_z_times_the_probability_that_a_normal_number_is_below_z_within_5e_4():
    """And it is not that function itself, which PyTorch and Keras take unless they are told."""
    off = np.abs(gelu.forward(Z) - Z * np.array([float(mp.ncdf(z)) for z in exact(Z.tolist())]))
    assert 4e-4 < off.max() < 5e-4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_far_from_zero_it_is_a_relu_without_a_warning_and_nan_stays(dtype):
    z = np.array([-1e8, -50, 0, 50, 1e8, np.nan], dtype)
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(gelu.forward(z), [0, 0, 0, 50, dtype(1e8), np.nan])
        np.testing.assert_array_equal(gelu.slope(z), [0, 0, 0.5, 1, 1, np.nan])


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_number_type_is_kept(dtype):
    z = Z.astype(dtype)
    assert {gelu.forward(z).dtype, gelu.slope(z).dtype, gelu.backward(z, gelu.slope(z)).dtype} == {np.dtype(dtype)}
