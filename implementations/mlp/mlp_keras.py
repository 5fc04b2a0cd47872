"""The multilayer perceptron in Keras 3, as its documentation teaches it: `Sequential`, `compile`, `train_on_batch`.

Where stock Keras does not compute what the specification says, a small subclass in the layers that are imported here does;
the variant "stock" of the specification is Keras as it comes. Shape letters: B batch, D features, H hidden width, C classes.
"""

from collections.abc import Mapping
from typing import Any

import keras

from implementations.contract import DeviceBatch
from implementations.layers.activation import relu_keras as relu
from implementations.layers.batch_norm import batch_norm_keras as batch_norm
from implementations.layers.dense import dense_keras as dense
from implementations.layers.dropout import dropout_keras as dropout
from implementations.training.training_keras import Model


class MLP(Model):
    """`implementations.contract.Model`."""

    kinds: Mapping[str, Any] = {"dense": dense, "norm": batch_norm, "relu": relu, "output": dense}

    # --- forward ---

    def build_network(self) -> keras.Sequential:
        """All layers in order: x (B, D) -> logits (B, C)."""
        spec = self.spec
        epsilon, momentum = self.number(spec.norm_epsilon), self.number(spec.norm_momentum)
        layers: list[Any] = [keras.Input((spec.features,), dtype=spec.dtype)]
        for i, width in enumerate(spec.hidden, start=1):
            layers.append(dense.layer(width, bias=not spec.batch_norm, name=f"dense{i}"))
            if spec.batch_norm:
                layers.append(batch_norm.layer(epsilon, momentum, spec.running_variance, name=f"norm{i}"))
            layers.append(relu.layer(name=f"relu{i}"))
            if spec.dropout:
                layers.append(dropout.layer(spec.dropout, dropout.seed(spec.seed, i), name=f"dropout{i}"))
        return keras.Sequential([*layers, self.output()])

    # --- output ---

    def output(self) -> keras.layers.Dense:
        """logits = h W + b: h (B, H) -> logits (B, C)."""
        return dense.layer(self.spec.classes, bias=True, name="output")

    # --- backward ---

    # `train_on_batch` differentiates with the backend's own automatic differentiation: TensorFlow's GradientTape,
    # PyTorch's autograd or JAX's value_and_grad.

    # --- predict ---

    def predict(self, batch: DeviceBatch) -> Any:
        """Logits (B, C) with running statistics and without dropout, as a host array: so Keras returns them."""
        return self.network.predict_on_batch(batch["x"])
