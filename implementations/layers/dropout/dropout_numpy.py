"""Inverted dropout in NumPy (Srivastava et al. 2014)."""

import numpy as np

Array = np.ndarray

# --- forward ---


def mask(rng: np.random.Generator, shape: tuple[int, ...], rate: float, dtype: np.dtype) -> Array:
    """0 with probability `rate`, else 1/(1-rate)."""
    kept = rng.random(shape) >= rate
    return kept.astype(dtype) / dtype.type(1 - rate)


def forward(a: Array, mask: Array) -> Array:
    """h = a * m."""
    return a * mask


# --- backward ---


def backward(dh: Array, mask: Array) -> Array:
    """da = dh * m: what was dropped gets no gradient, the rest the same scale as on the way forward."""
    return dh * mask
