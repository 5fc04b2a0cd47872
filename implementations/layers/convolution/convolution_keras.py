"""Convolution in Keras. Kernels are (height, width, in, out), as in the specification."""

import keras

NAMES = {"weight": "kernel", "bias": "bias"}
"""Keras's name of each tensor."""

# --- forward ---


def layer(outputs: int, bias: bool, name: str) -> keras.layers.Conv2D:
    """3x3 windows, stride 1, one pixel of zeros around the image: x (B, H, W, C) -> z (B, H, W, outputs).

    The order of an image's axes is said, for otherwise Keras takes it from a file in the user's home.
    """
    return keras.layers.Conv2D(outputs, 3, padding="same", data_format="channels_last", use_bias=bias, name=name)


# --- backward ---

# The backend's automatic differentiation: TensorFlow's GradientTape, PyTorch's autograd or JAX's value_and_grad.
