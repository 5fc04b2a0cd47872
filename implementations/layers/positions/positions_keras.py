"""Positions in Keras, which has no layer for them in its core."""

from typing import Any

import keras

NAMES = {"weight": "table"}
"""Keras's name of each tensor."""

# --- forward ---


class Positions(keras.layers.Layer):
    """The table P (T, E), as long and as wide as what it is added to."""

    def build(self, shape: Any) -> None:
        """Makes the table."""
        self.table = self.add_weight(shape=shape[1:], name="table")

    def call(self, e: Any) -> Any:
        """h = e + P: e (B, T, E) -> (B, T, E)."""
        return e + self.table


def layer(name: str) -> Positions:
    """Adds a learned row to each position."""
    return Positions(name=name)


# --- backward ---

# The backend's automatic differentiation: dP = the sum of dh over the samples (T, E).
