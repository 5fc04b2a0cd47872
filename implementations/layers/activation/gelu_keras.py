"""GELU in Keras, the form with tanh (Hendrycks & Gimpel 2016, section 2)."""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

# --- forward ---


def layer(precision: str, name: str) -> keras.layers.Activation:
    """a = z/2 (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))). Without being told, Keras's takes the error function.

    In float64 it is written out: TensorFlow's rounds 0.044715 to float32.
    """
    return keras.layers.Activation(written_out if precision == "float64" else forward, name=name)


def forward(z: Any) -> Any:
    """Keras's own."""
    return keras.activations.gelu(z, approximate=True)


def written_out(z: Any) -> Any:
    """The formula in float64; Keras would round Python's floats on their way."""
    half, one, scale, cubic = np.float64(0.5), np.float64(1), np.float64(math.sqrt(2 / math.pi)), np.float64(0.044715)
    return half * z * (one + ops.tanh(scale * (z + cubic * z * z * z)))


# --- backward ---

# The backend's automatic differentiation: dz = da times the slope.
