"""A recurrent layer in Keras: the loop over time is inside of its layers."""

import keras

NAMES = {"weight": "cell.kernel", "recurrent_weight": "cell.recurrent_kernel", "bias": "cell.bias"}
"""Keras's name of each tensor. Weights are (in, out), as in the specification."""

# --- forward ---


def layer(kind: type[keras.layers.RNN], width: int, every: bool, name: str) -> keras.layers.RNN:
    """x (B, T, D) -> states h (B, T, H) after `every` step, or the last one (B, H). What is remembered begins with zeros."""
    return kind(width, return_sequences=every, name=name)


# --- backward ---

# The backend's automatic differentiation, through time: the gradients of the weights are sums over all steps.
