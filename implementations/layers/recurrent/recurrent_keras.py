"""A recurrent layer in Keras: the loop over time is inside of its layers."""

from typing import Any

import keras

NAMES = {"weight": "cell.kernel", "recurrent_weight": "cell.recurrent_kernel", "bias": "cell.bias"}
"""Keras's name of each tensor. Weights are (in, out), as in the specification."""

# --- forward ---


def layer(kind: type[keras.layers.RNN], width: int, every: bool, name: str) -> keras.layers.RNN:
    """x (B, T, D) -> states h (B, T, H) after `every` step, or the last one (B, H). What is remembered begins with zeros."""
    return kind(width, return_sequences=every, name=name)


# --- backward ---

# The backend's automatic differentiation, through time: the gradients of the weights are sums over all steps.

# --- kernels ---


def kernel(layer: keras.layers.RNN, x: Any) -> str:
    """What TensorFlow computes the layer with, by its graph: Keras tries cuDNN on a GPU, and says nothing where that is refused."""
    import tensorflow as tf

    graph = tf.function(layer).get_concrete_function(x).graph
    bodies = [graph, *(function.graph for function in graph._functions.values() if hasattr(function, "graph"))]
    fused = any(operation.type.startswith("CudnnRNN") for body in bodies for operation in body.get_operations())
    return "cuDNN's whole loop" if fused else "a loop of single operations"
