"""Inverted dropout in CuPy (Srivastava et al. 2014)."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

# --- forward ---


def mask(rng: cp.random.Generator, shape: tuple[int, ...], rate: float, dtype: cp.dtype) -> Array:
    """0 with probability `rate`, else 1/(1-rate)."""
    # Drawn on the GPU, and in float32: enough digits to compare with a rate, and on most GPUs much faster than float64.
    kept = rng.random(shape, dtype=cp.float32) >= rate
    return kept.astype(dtype) / dtype.type(1 - rate)


def forward(a: Array, mask: Array) -> Array:
    """h = a * m."""
    return a * mask


# --- backward ---


def backward(dh: Array, mask: Array) -> Array:
    """da = dh * m: what was dropped gets no gradient, the rest the same scale as on the way forward."""
    return dh * mask
