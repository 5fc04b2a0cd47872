"""Dense layer in Keras. Weights are (in, out), as in the specification."""

import keras

NAMES = {"weight": "kernel", "bias": "bias"}
"""Keras's name of each tensor."""

# --- forward ---


def layer(outputs: int, bias: bool, name: str) -> keras.layers.Dense:
    """z = x W + b: x (B, D), W (D, outputs), b (outputs,) -> z (B, outputs)."""
    return keras.layers.Dense(outputs, use_bias=bias, name=name)


# --- backward ---

# The backend's automatic differentiation: TensorFlow's GradientTape, PyTorch's autograd or JAX's value_and_grad.
