"""Embedding in CuPy."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray

# --- forward ---


def forward(x: Array, weight: Array) -> Array:
    """e = E[x]: tokens x (B, T), E (V, D) -> (B, T, D)."""
    return weight[x]


# --- backward ---


def backward(de: Array, x: Array, weight: Array) -> Array:
    """dE (V, D): a row's gradient is the sum over all places where its token stood."""
    dweight = cp.zeros_like(weight)
    cp.add.at(dweight, x, de)
    return dweight
