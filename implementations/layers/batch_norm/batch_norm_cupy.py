"""Batch normalisation in CuPy (Ioffe & Szegedy 2015)."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

# --- forward ---


def forward(z: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, tuple[Array, ...], Array, Array]:
    """Normalise over the batch (Algorithm 1): z (B, H) -> n (B, H), or images z (B, height, width, H), over their places too.

    Also returns what the way back needs, and the batch's mean and biased variance (H,).
    """
    mean = z.mean(axis=all_but_last(z))  # one kernel; a sum and a division would be two
    centred = z - mean
    variance = (centred * centred).mean(axis=all_but_last(z))
    inv_std = 1 / cp.sqrt(variance + epsilon)
    z_hat = centred * inv_std
    return gamma * z_hat + beta, (z_hat, gamma, inv_std), mean, variance


def all_but_last(a: Array) -> tuple[int, ...]:
    """The axes of the samples and of the places. CuPy adds up in a tree, so that the order loses few digits."""
    return tuple(range(a.ndim - 1))


def total(a: Array) -> Array:
    """The sum for each unit (H,): over the samples, and of images over the places."""
    return a.sum(axis=all_but_last(a))


def count(a: Array) -> int:
    """How many numbers that is a sum of: B, or B times the places (section 3.2: "effective mini-batch")."""
    return a.size // a.shape[-1]


def forward_running(z: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """Normalise with the running statistics, for prediction (Algorithm 2)."""
    return gamma * ((z - mean) / cp.sqrt(variance + epsilon)) + beta


def running(old: Array, new: Array, momentum: float) -> Array:
    """The running mean or variance after a batch: momentum * running + (1 - momentum) * new."""
    return momentum * old + (1 - momentum) * new


def unbiased(variance: Array, samples: int) -> Array:
    """B/(B-1) times the biased variance, for the running one (Algorithm 2); `samples` are all that a mean is over."""
    return variance * (samples / (samples - 1))


# --- backward ---


def backward(dn: Array, cache: tuple[Array, ...]) -> tuple[Array, Array, Array]:
    """dz = gamma/std (dn - mean(dn) - z_hat mean(dn z_hat)) (B, ..., H), dgamma, dbeta (H,) (section 3).

    The two means are what each sample contributed to the batch's mean and variance.
    """
    z_hat, gamma, inv_std = cache
    dbeta = total(dn)
    dgamma = total(dn * z_hat)
    dz = gamma * inv_std * (dn - dbeta / count(dn) - z_hat * (dgamma / count(dn)))
    return dz, dgamma, dbeta
