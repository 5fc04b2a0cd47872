"""Embedding in Keras."""

from typing import Any

import keras

NAMES = {"weight": "embeddings"}
"""Keras's name of each tensor."""

# --- forward ---


def layer(vocabulary: int, width: int, name: str) -> keras.layers.Embedding:
    """e = E[x]: tokens x (B, T), E (V, D) -> (B, T, D)."""
    return keras.layers.Embedding(vocabulary, width, name=name)


# --- backward ---


def summed(gradient: Any) -> Any:
    """A row's gradient is the sum over all places where its token stood.

    TensorFlow hands on the pieces, which it adds up when it comes to them: what stock Keras makes of a gradient, such as squares and
    a norm, it makes of the pieces.
    """
    if not hasattr(gradient, "dense_shape"):  # PyTorch's tensors have `indices` too
        return gradient
    import tensorflow as tf

    return tf.convert_to_tensor(gradient)
