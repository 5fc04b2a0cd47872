"""Inverted dropout in Keras (Srivastava et al. 2014)."""

from typing import Any

import keras

# --- forward ---


def mask(dropout: keras.layers.Dropout, ones: Any) -> Any:
    """0 with probability `rate`, else 1/(1-rate): what the layer makes of ones (B, H); its generator moves on."""
    return dropout(ones, training=True)


def layer(rate: float, seed: int, name: str) -> keras.layers.Dropout:
    """h = a * m. Does nothing when not training. Each layer has a generator of its own, from `seed`."""
    return keras.layers.Dropout(rate, seed=seed, name=name)


def seed(network: int, number: int) -> int:
    """Of a layer's generator, from the network's seed and the layer's number in it.

    On PyTorch, Keras adds a layer's seed and its number of draws: seeds that are near one another give the same masks some steps
    apart. They must stay below 2^31.
    """
    return (network + 1_000_000 * number) % 2**31


# --- backward ---

# The backend's automatic differentiation: what was dropped gets no gradient, the rest the same scale.
