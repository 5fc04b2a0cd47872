"""Clipping by global norm in CuPy."""

from typing import TypeAlias

import cupy as cp

Array: TypeAlias = cp.ndarray
DeviceArrays = dict[str, Array]

# --- clipping ---


def clip(gradients: DeviceArrays, largest: float) -> DeviceArrays:
    """All gradients times min(1, c / ||g||), c the largest norm (Pascanu, Mikolov & Bengio 2013, Algorithm 1)."""
    factor = largest / cp.maximum(norm(gradients), largest)
    return {name: g * factor for name, g in gradients.items()}


def norm(gradients: DeviceArrays) -> Array:
    """||g||, the root of the sum of the squares of all numbers of all gradients."""
    return cp.sqrt(sum((g * g).sum() for g in gradients.values()))
