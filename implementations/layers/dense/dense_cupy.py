"""Dense layer in CuPy. Weights are (in, out)."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

# --- forward ---


def forward(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """z = x W + b: x (B, D), W (D, H), b (H,) -> z (B, H)."""
    z = x @ weight
    return z if bias is None else z + bias


# --- backward ---


def backward_to_weight(dz: Array, x: Array) -> Array:
    """dW = x^T dz (D, H)."""
    return x.T @ dz


def backward_to_bias(dz: Array) -> Array:
    """db = the sum of dz over the samples (H,)."""
    return dz.sum(axis=0)


def backward_to_input(dz: Array, weight: Array) -> Array:
    """dx = dz W^T (B, D)."""
    return dz @ weight.T
