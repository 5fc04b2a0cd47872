"""ReLU in CuPy."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

# --- forward ---


def forward(n: Array) -> Array:
    """a = max(n, 0)."""
    return cp.maximum(n, 0)


# --- backward ---


def backward(da: Array, a: Array) -> Array:
    """dn = da where the unit was active, else 0."""
    return da * (a > 0)


# --- branch ---


def choice(n: Array) -> Array:
    """Which units are active."""
    return n > 0
