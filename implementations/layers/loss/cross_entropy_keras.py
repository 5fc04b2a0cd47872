"""Softmax and cross-entropy in Keras."""

import keras

# --- forward ---


def loss() -> keras.losses.Loss:
    """Of labels (...,) and logits (..., C), the mean: -log of the probability of the label.

    `from_logits=True`: otherwise Keras clips probabilities at 1e-7.
    """
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# --- backward ---

# The backend's automatic differentiation begins here, with the gradient of the mean loss.
