"""Batch normalisation in JAX (Ioffe & Szegedy 2015)."""

import jax.numpy as jnp
from jax import Array

# --- forward ---


def forward(z: Array, gamma: Array, beta: Array, epsilon: float) -> tuple[Array, Array, Array]:
    """Normalise over the batch (Algorithm 1): z (B, H) -> n (B, H), or images z (B, height, width, H), over their places too.

    Also returns the batch's mean and biased variance (H,), which is the mean of squared deviations.
    """
    mean = z.mean(axis=all_but_last(z))
    variance = jnp.square(z - mean).mean(axis=all_but_last(z))
    return forward_running(z, gamma, beta, mean, variance, epsilon), mean, variance


def all_but_last(a: Array) -> tuple[int, ...]:
    """The axes of the samples and of the places."""
    return tuple(range(a.ndim - 1))


def count(a: Array) -> int:
    """How many numbers a mean is over: B, or B times the places (section 3.2: "effective mini-batch")."""
    return a.size // a.shape[-1]


def forward_running(z: Array, gamma: Array, beta: Array, mean: Array, variance: Array, epsilon: float) -> Array:
    """Normalise with given statistics (H,); for prediction the running ones (Algorithm 2)."""
    return gamma * ((z - mean) / jnp.sqrt(variance + epsilon)) + beta


def running(old: Array, new: Array, momentum: float) -> Array:
    """The running mean or variance after a batch: momentum * running + (1 - momentum) * new."""
    return momentum * old + (1 - momentum) * new


def unbiased(variance: Array, samples: int) -> Array:
    """B/(B-1) times the biased variance, for the running one (Algorithm 2); `samples` are all that a mean is over."""
    return variance * (samples / (samples - 1))


# --- backward ---

# JAX goes back by itself, through the batch's mean and variance too.
