"""What a layer's gradients must be: slopes of its forward pass by the complex step, and numbers in 50 digits as floats."""

from collections.abc import Callable
from typing import Any

import numpy as np

from implementations.equivalence import tolerances

STEP = 1e-30
"""Im f(w + ih) / h has no subtraction and so no cancellation, whatever h is (Squire & Trapp 1998)."""


def by_complex_step(function: Callable[[np.ndarray], Any], at: np.ndarray) -> np.ndarray:
    """The gradient of a real number by every entry of an array."""
    gradient = np.empty(at.shape)
    for entry in np.ndindex(at.shape):
        moved = at.astype(np.complex128)
        moved[entry] += 1j * STEP
        gradient[entry] = np.imag(function(moved)) / STEP
    return gradient


def assert_near(test: Any, truth: Any, limit: float = tolerances.ORACLE["complex step"]) -> None:
    """Of the same shape, and ||test - truth|| <= limit ||truth||. Written so that NaN fails."""
    test, truth = np.asarray(test), np.asarray(truth)
    assert test.shape == truth.shape
    error, size = np.linalg.norm(np.ravel(test - truth)), np.linalg.norm(np.ravel(truth))
    assert error <= limit * size, f"off by {error / size if size else error}"


def floats(value: Any) -> np.ndarray:
    """Numbers of the scalar reference, nested lists or a single one, rounded to float64."""
    return np.array([floats(part) for part in value] if isinstance(value, list) else float(value))
