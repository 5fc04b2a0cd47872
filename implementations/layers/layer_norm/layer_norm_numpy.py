"""Layer normalisation in NumPy (Ba, Kiros & Hinton 2016)."""

import numpy as np

Array = np.ndarray

# --- forward ---


def forward(h: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, tuple[Array, ...], Array, Array]:
    """Normalise each position (equation 3): h (..., E) -> n (..., E).

    Also returns what the way back needs, and the mean and biased variance of each position (..., 1).
    """
    mean = h.mean(axis=-1, keepdims=True)
    centred = h - mean
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    inv_std = 1 / np.sqrt(variance + epsilon)
    z_hat = centred * inv_std
    return gamma * z_hat + beta, (z_hat, gamma, inv_std), mean, variance


# --- backward ---


def backward(dn: Array, cache: tuple[Array, ...]) -> tuple[Array, Array, Array]:
    """dh = (dz - mean(dz) - z_hat mean(dz z_hat)) / std with dz = gamma dn (..., E), dgamma, dbeta (E,).

    The two means are what each value contributed to its position's mean and variance.
    """
    z_hat, gamma, inv_std = cache
    dz = gamma * dn
    of_mean = dz.mean(axis=-1, keepdims=True)
    of_variance = (dz * z_hat).mean(axis=-1, keepdims=True)
    return inv_std * (dz - of_mean - z_hat * of_variance), total(dn * z_hat), total(dn)


def total(a: Array) -> Array:
    """The sum over all positions of all samples (E,)."""
    return a.reshape(-1, a.shape[-1]).sum(axis=0)


# --- rounding ---


def shift(gamma: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """By how much the layer shifts its inputs, in units of what comes out (..., E).

    Many frameworks compute a h + (beta - a mean), with a = gamma / std. Far from zero a h is much larger than what the
    shift leaves of it, and so is its rounding.
    """
    return gamma * mean / np.sqrt(variance + epsilon)


def terms(cache: tuple[Array, ...], mean: Array) -> tuple[Array, ...]:
    """The cache with the size of its terms in the place of z_hat = (h - mean) / std.

    Where all values of a position are alike, z_hat is nothing but the rounding of that difference.
    """
    z_hat, gamma, inv_std = cache
    return np.abs(z_hat) + 2 * np.abs(mean) * inv_std, gamma, inv_std
