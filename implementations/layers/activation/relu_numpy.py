"""ReLU in NumPy."""

import numpy as np

Array = np.ndarray

# --- forward ---


def forward(n: Array) -> Array:
    """a = max(n, 0)."""
    return np.maximum(n, 0)


# --- backward ---


def backward(da: Array, a: Array) -> Array:
    """dn = da where the unit was active, else 0."""
    return da * (a > 0)


# --- branch ---

JUST_ABOVE_ZERO = 1e-30
"""What a unit passes on that is made to be active although its input is not above zero."""


def choice(n: Array) -> Array:
    """Which units are active."""
    return n > 0


def lead(n: Array, choice: Array) -> Array:
    """How far each unit is from the other choice; negative where it should have been made."""
    return np.where(choice, n, -n)


def runner_up(n: Array, choice: Array) -> Array:
    """The other choice."""
    return ~choice


def forward_on(n: Array, choice: Array) -> Array:
    """The same where just these units are active: where n is zero to within rounding, two correct codes may differ."""
    above = np.maximum(n, np.asarray(JUST_ABOVE_ZERO, n.dtype))
    return np.where(choice | np.isnan(n), above, np.zeros_like(n))
