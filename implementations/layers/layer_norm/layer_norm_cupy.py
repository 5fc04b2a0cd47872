"""Layer normalisation in CuPy (Ba, Kiros & Hinton 2016)."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

# --- forward ---


def forward(h: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, tuple[Array, ...], Array, Array]:
    """Normalise each position (equation 3): h (..., E) -> n (..., E).

    Also returns what the way back needs, and the mean and biased variance of each position (..., 1).
    """
    mean = h.mean(axis=-1, keepdims=True)
    centred = h - mean
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    inv_std = 1 / cp.sqrt(variance + epsilon)
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
