"""The recurrent network in Keras 3, as its documentation teaches it: `Sequential`, `compile`, `train_on_batch`.

Where stock Keras does not compute what the specification says, a small subclass in the layers that are imported here does;
the variant "stock" of the specification is Keras as it comes. Shape letters: B batch, T steps, D features, H width of a recurrent
layer, K classes.
"""

from typing import Any

import keras

from implementations.contract import DeviceBatch
from implementations.layers.cells import gru_keras as gru
from implementations.layers.cells import lstm_keras as lstm
from implementations.layers.cells import tanh_keras as tanh
from implementations.layers.dense import dense_keras as dense
from implementations.layers.dropout import dropout_keras as dropout
from implementations.layers.embedding import embedding_keras as embedding
from implementations.layers.recurrent import recurrent_keras as recurrent
from implementations.rnn.spec import RNNSpec
from implementations.training.training_keras import BACKEND, Model

CELLS = {"lstm": lstm, "gru": gru, "tanh": tanh}


class RNN(Model):
    """`implementations.contract.Model`."""

    def __init__(self, spec: RNNSpec, device: str = "cpu") -> None:
        self.kinds = {"embedding": embedding, "rnn": CELLS[spec.cell], "output": dense}
        super().__init__(spec, device)

    # --- forward ---

    def build_network(self) -> keras.Sequential:
        """All layers in order: rows x (B, T, D) or tokens x (B, T) -> logits (B, K) or (B, T, K)."""
        spec, layers = self.spec, list[Any]()
        if spec.vocabulary:
            layers.append(keras.Input((spec.length,), dtype="int32"))
            layers.append(embedding.layer(spec.vocabulary, spec.features, name="embedding"))
        else:
            layers.append(keras.Input((spec.length, spec.features), dtype=spec.dtype))
        for i, width in zip(spec.layers, spec.hidden, strict=True):
            layers.append(CELLS[spec.cell].layer(width, spec.reads_every(i), name=f"rnn{i}"))
            if spec.dropout:
                layers.append(dropout.layer(spec.dropout, dropout.seed(spec.seed, i), name=f"dropout{i}"))
        return keras.Sequential([*layers, self.output()])

    # --- output ---

    def output(self) -> keras.layers.Dense:
        """logits = h W + b: the last state h (B, H), or every one (B, T, H), -> logits (B, K) or (B, T, K)."""
        return dense.layer(self.spec.classes, bias=True, name="output")

    def kernels(self) -> dict[str, str]:
        """What TensorFlow computes its recurrent layers with; of other backends nothing is told."""
        if BACKEND != "tensorflow":
            return {}
        layer, spec = self.network.get_layer("rnn1"), self.spec
        return {
            spec.cell: recurrent.kernel(layer, keras.ops.zeros((spec.batch, spec.length, spec.features), spec.dtype))
        }

    # --- backward ---

    # `train_on_batch` differentiates with the backend's own automatic differentiation: TensorFlow's GradientTape,
    # PyTorch's autograd or JAX's value_and_grad.

    # --- predict ---

    def predict(self, batch: DeviceBatch) -> Any:
        """Logits (B, K) or (B, T, K), without dropout, as a host array: so Keras returns them."""
        return self.network.predict_on_batch(batch["x"])
