"""ReLU in Keras."""

from typing import Any

import keras

# --- forward ---


def layer(name: str) -> keras.layers.ReLU:
    """a = max(n, 0)."""
    return keras.layers.ReLU(name=name)


# --- backward ---

# The backend's automatic differentiation; all three take the slope at zero as 0.

# --- branch ---


def choice(n: Any, a: Any) -> Any:
    """Which units passed, by what came out of the layer."""
    return a > 0
