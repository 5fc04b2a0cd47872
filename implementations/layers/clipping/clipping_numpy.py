"""Clipping by global norm in NumPy."""

import numpy as np

from implementations.contract import Arrays

Array = np.ndarray

# --- clipping ---


def clip(gradients: Arrays, largest: float) -> Arrays:
    """All gradients times min(1, c / ||g||), c the largest norm (Pascanu, Mikolov & Bengio 2013, Algorithm 1)."""
    factor = largest / np.maximum(norm(gradients), largest)
    return {name: g * factor for name, g in gradients.items()}


def norm(gradients: Arrays) -> Array:
    """||g||, the root of the sum of the squares of all numbers of all gradients."""
    return np.sqrt(sum((g * g).sum() for g in gradients.values()))
