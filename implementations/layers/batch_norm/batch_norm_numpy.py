"""Batch normalisation in NumPy (Ioffe & Szegedy 2015)."""

import numpy as np

Array = np.ndarray

# --- forward ---


def forward(z: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, tuple[Array, ...], Array, Array]:
    """Normalise over the batch (Algorithm 1): z (B, H) -> n (B, H), or images z (B, height, width, H), over their places too.

    Also returns what the way back needs, and the batch's mean and biased variance (H,).
    """
    mean = total(z) / count(z)
    centred = z - mean
    variance = total(centred * centred) / count(z)
    inv_std = 1 / np.sqrt(variance + epsilon)
    z_hat = centred * inv_std
    return gamma * z_hat + beta, (z_hat, gamma, inv_std), mean, variance


def total(a: Array) -> Array:
    """The sum for each unit (H,): over the samples, and of images then over the places.

    Two short sums lose fewer digits than one over all places of all samples, which NumPy would add one after the other.
    """
    of_samples = a.sum(axis=0)
    return of_samples if a.ndim == 2 else of_samples.reshape(-1, a.shape[-1]).sum(axis=0)


def count(a: Array) -> int:
    """How many numbers that is a sum of: B, or B times the places (section 3.2: "effective mini-batch")."""
    return a.size // a.shape[-1]


def forward_running(z: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """Normalise with the running statistics, for prediction (Algorithm 2)."""
    return gamma * ((z - mean) / np.sqrt(variance + epsilon)) + beta


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


# --- rounding ---


def shift(gamma: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """By how much the layer shifts its inputs, in units of what comes out (H,).

    Many frameworks compute a z + (beta - a mean), with a = gamma / std. Far from zero a z is much larger than what the
    shift leaves of it, and so is its rounding.
    """
    return gamma * mean / np.sqrt(variance + epsilon)


def terms(cache: tuple[Array, ...], mean: Array) -> tuple[Array, ...]:
    """The cache with the size of its terms in the place of z_hat = (z - mean) / std.

    Where all samples are alike, z_hat is nothing but the rounding of that difference.
    """
    z_hat, gamma, inv_std = cache
    return np.abs(z_hat) + 2 * np.abs(mean) * inv_std, gamma, inv_std
