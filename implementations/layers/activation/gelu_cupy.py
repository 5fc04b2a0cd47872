"""GELU in CuPy, the form with tanh (Hendrycks & Gimpel 2016, section 2)."""

import math
from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

SCALE = math.sqrt(2 / math.pi)

# --- forward ---


def forward(z: Array) -> Array:
    """a = z/2 (1 + t), t = tanh(sqrt(2/pi) (z + 0.044715 z^3))."""
    return 0.5 * z * (1 + bent(z))


def bent(z: Array) -> Array:
    """t. Not `z**3`, which takes a thousand times as long as two products."""
    return cp.tanh(SCALE * (z + 0.044715 * z * z * z))


def slope(z: Array) -> Array:
    """da/dz = (1 + t)/2 + z/2 (1 - t^2) sqrt(2/pi) (1 + 3 0.044715 z^2), for the way back."""
    t = bent(z)
    return 0.5 * (1 + t) + 0.5 * z * (1 - t * t) * (SCALE * (1 + 3 * 0.044715 * z * z))


# --- backward ---


def backward(da: Array, slope: Array) -> Array:
    """dz = da times the slope."""
    return da * slope
