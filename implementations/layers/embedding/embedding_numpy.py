"""Embedding in NumPy."""

import numpy as np

Array = np.ndarray

# --- forward ---


def forward(x: Array, weight: Array) -> Array:
    """e = E[x]: tokens x (B, T), E (V, D) -> (B, T, D)."""
    return weight[x]


# --- backward ---


def backward(de: Array, x: Array, weight: Array) -> Array:
    """dE (V, D): a row's gradient is the sum over all places where its token stood."""
    dweight = np.zeros_like(weight)
    np.add.at(dweight, x, de)
    return dweight
