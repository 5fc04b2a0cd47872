"""Gated recurrent unit in Keras (Cho et al. 2014, with the reset gate behind the product, Keras's `reset_after`)."""

import keras
import numpy as np

from implementations.layers.recurrent import recurrent_keras as recurrent

NAMES = recurrent.NAMES | {"recurrent_bias": "cell.bias"}
"""Keras's name of each tensor."""

ROWS = {"bias": 0, "recurrent_bias": 1}
"""Both biases are rows of one variable."""

# --- forward ---


def layer(width: int, every: bool, name: str) -> keras.layers.RNN:
    """r, z = sigmoid(.), n = tanh(x Wn + bn + r (h Un + dn));  h' = (1 - z) n + z h."""
    return recurrent.layer(keras.layers.GRU, width, every, name)


# --- backward ---

# The backend's automatic differentiation.

# --- layout ---


def to_spec(attribute: str, value: np.ndarray) -> np.ndarray:
    """A tensor, or a slot of it, with its blocks of columns in the order r, z, n; Keras's is z, r, n."""
    first, second, third = np.split(value, 3, axis=-1)
    return np.concatenate([second, first, third], axis=-1)


def from_spec(attribute: str, value: np.ndarray) -> np.ndarray:
    """The way back."""
    return to_spec(attribute, value)
