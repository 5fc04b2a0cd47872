"""Long short-term memory in Keras (Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000)."""

import keras

from implementations.layers.recurrent import recurrent_keras as recurrent

NAMES = recurrent.NAMES
"""Keras's name of each tensor; the order of its gates, i, f, c, o, is the specification's i, f, g, o."""

# --- forward ---


def layer(width: int, every: bool, name: str) -> keras.layers.RNN:
    """i, f, o = sigmoid(.), g = tanh(.) of x W + h U + b;  c' = f c + i g;  h' = o tanh(c')."""
    return recurrent.layer(keras.layers.LSTM, width, every, name)


# --- backward ---

# The backend's automatic differentiation.
