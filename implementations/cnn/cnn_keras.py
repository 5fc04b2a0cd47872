"""The convolutional network in Keras 3, as its documentation teaches it: `Sequential`, `compile`, `train_on_batch`.

Where stock Keras does not compute what the specification says, a small subclass in the layers that are imported here does;
the variant "stock" of the specification is Keras as it comes. Shape letters: B batch, H and W height and width of an image, C channels,
D width of a dense layer, K classes.
"""

from collections.abc import Mapping
from typing import Any

import keras

from implementations.contract import DeviceBatch
from implementations.layers.activation import relu_keras as relu
from implementations.layers.batch_norm import batch_norm_keras as batch_norm
from implementations.layers.convolution import convolution_keras as convolution
from implementations.layers.dense import dense_keras as dense
from implementations.layers.dropout import dropout_keras as dropout
from implementations.layers.pooling import max_pool_keras as max_pool
from implementations.training.training_keras import Model


class CNN(Model):
    """`implementations.contract.Model`."""

    layout = "NHWC; kernels HWIO, (in, out)"
    kinds: Mapping[str, Any] = {
        "conv": convolution, "pool": max_pool, "dense": dense, "norm": batch_norm, "relu": relu, "output": dense,
    }  # fmt: skip

    # --- forward ---

    def build_network(self) -> keras.Sequential:
        """All layers in order: images x (B, H, W, C) -> logits (B, K)."""
        spec = self.spec
        layers: list[Any] = [keras.Input(spec.sample, dtype=spec.dtype)]
        for i, width in zip(spec.convolutional_blocks, spec.channels, strict=True):
            layers.append(convolution.layer(width, bias=not spec.batch_norm, name=f"conv{i}"))
            layers += [*self.norm_and_relu(i), max_pool.layer(name=f"pool{i}")]
        layers.append(self.flatten())
        for i, width in zip(spec.dense_blocks, spec.hidden, strict=True):
            layers.append(dense.layer(width, bias=not spec.batch_norm, name=f"dense{i}"))
            layers += self.norm_and_relu(i)
            if spec.dropout:
                layers.append(dropout.layer(spec.dropout, dropout.seed(spec.seed, i), name=f"dropout{i}"))
        return keras.Sequential([*layers, self.output()])

    def norm_and_relu(self, i: int) -> list[Any]:
        """What every block has behind its product."""
        spec, layers = self.spec, list[Any]()
        if spec.batch_norm:
            epsilon, momentum = self.number(spec.norm_epsilon), self.number(spec.norm_momentum)
            layers.append(batch_norm.layer(epsilon, momentum, spec.running_variance, name=f"norm{i}"))
        return [*layers, relu.layer(name=f"relu{i}")]

    # --- flatten ---

    def flatten(self) -> keras.layers.Flatten:
        """Maps (B, H, W, C) -> rows (B, H W C): pixel by pixel, row by row, the channels of a pixel side by side."""
        return keras.layers.Flatten(data_format="channels_last", name="flatten")

    # --- output ---

    def output(self) -> keras.layers.Dense:
        """logits = h W + b: h (B, D) -> logits (B, K)."""
        return dense.layer(self.spec.classes, bias=True, name="output")

    # --- backward ---

    # `train_on_batch` differentiates with the backend's own automatic differentiation: TensorFlow's GradientTape,
    # PyTorch's autograd or JAX's value_and_grad.

    # --- predict ---

    def predict(self, batch: DeviceBatch) -> Any:
        """Logits (B, K) with running statistics and without dropout, as a host array: so Keras returns them."""
        return self.network.predict_on_batch(batch["x"])
