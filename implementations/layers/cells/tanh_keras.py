"""The simple recurrent layer in Keras (Elman 1990)."""

import keras

from implementations.layers.recurrent import recurrent_keras as recurrent

NAMES = recurrent.NAMES
"""Keras's name of each tensor."""

# --- forward ---


def layer(width: int, every: bool, name: str) -> keras.layers.RNN:
    """h' = tanh(x W + h U + b)."""
    return recurrent.layer(keras.layers.SimpleRNN, width, every, name)


# --- backward ---

# The backend's automatic differentiation.
