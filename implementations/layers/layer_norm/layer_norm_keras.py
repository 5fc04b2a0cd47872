"""Layer normalisation in Keras (Ba, Kiros & Hinton 2016)."""

import keras

NAMES = {"gamma": "gamma", "beta": "beta"}
"""Keras's name of each tensor."""

# --- forward ---


def layer(epsilon: float, name: str) -> keras.layers.LayerNormalization:
    """n = gamma (h - mean) / sqrt(variance + epsilon) + beta: h (..., E) -> n (..., E), in training and prediction alike."""
    made = keras.layers.LayerNormalization(epsilon=1e-5, name=name)
    made.epsilon = epsilon  # Keras would make Python's float of it
    return made


# --- backward ---

# The backend's automatic differentiation, also through the mean and variance of each position.
