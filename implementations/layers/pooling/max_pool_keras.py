"""Max pooling in Keras: 2x2 windows side by side. An odd last row or column is left out."""

from typing import Any

import keras
from keras import ops

PLACES = ((0, 0), (0, 1), (1, 0), (1, 1))
"""Row and column within a window, in the order in which the first of equals wins."""

# --- forward ---


def layer(name: str) -> keras.layers.MaxPooling2D:
    """p = the largest of every 2x2 places: a (B, H, W, C) -> p (B, H//2, W//2, C)."""
    return keras.layers.MaxPooling2D(2, data_format="channels_last", name=name)


# --- backward ---

# The backend's automatic differentiation: on all three, all of dp goes to the place that won, the first of equals.

# --- branch ---


def choice(a: Any, p: Any) -> Any:
    """The place of each window's largest number, row by row: the first of equals."""
    height, width = a.shape[1] // 2 * 2, a.shape[2] // 2 * 2
    return ops.argmax(ops.stack([a[:, u:height:2, v:width:2] for u, v in PLACES]), axis=0)
