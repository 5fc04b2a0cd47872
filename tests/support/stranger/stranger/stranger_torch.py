"""The stranger in PyTorch."""

from collections.abc import Mapping

import torch
from torch import nn

from implementations.contract import Arrays
from implementations.layers.activation import relu_torch as relu
from implementations.layers.dense import dense_torch as dense
from implementations.layers.dropout import dropout_torch as dropout
from implementations.training.training_torch import Model

from . import embedding_torch as embedding
from . import maximum_torch as maximum
from .spec import StrangerSpec

LAYERS = {
    "embedding": embedding, "maximum": maximum, "dropout": dropout, "dense": dense, "relu": relu, "output": dense,
}  # fmt: skip
"""A layer's name without its number -> its file."""


class Network(nn.Module):
    """x (B, T) -> logits (B, P, V)."""

    def __init__(self, spec: StrangerSpec) -> None:
        super().__init__()
        self.window, self.groups = spec.window, spec.groups
        self.embedding = embedding.layer(spec.vocabulary, spec.embedding)
        self.maximum1 = maximum.layer()
        self.dropout1 = dropout.layer(spec.dropout_of_windows)
        self.dense1 = dense.layer(spec.embedding, spec.hidden)
        self.relu1 = relu.layer()
        self.dropout2 = dropout.layer(spec.dropout_of_units)
        self.output = dense.layer(spec.hidden, spec.vocabulary)

    # --- forward ---

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The masks of dropout have the shape of what they meet: (B, P, E)."""
        h = self.maximum1(self.embedding(x).unfold(1, self.window, 1))
        a = self.relu1(self.dense1(self.dropout1(h)))
        return self.output(self.dropout2(a))


class Stranger(Model):
    """`implementations.contract.Model`."""

    kinds = LAYERS

    def make_network(self) -> nn.Module:
        """All layers."""
        return Network(self.spec)

    def choices(self, batch: Mapping[str, torch.Tensor]) -> Arrays:
        """As the oracle has them, with a row for each position."""
        return {name: side.reshape(-1, side.shape[-1]) for name, side in super().choices(batch).items()}

    def kernels(self) -> dict[str, str]:
        """What PyTorch multiplies with, as it says."""
        return {"dense": "MKL" if torch.backends.mkl.is_available() else "without MKL"}

    # --- backward ---

    # Autograd recorded the forward pass and walks it back: `loss.backward()`.

    # --- predict ---

    # The same layers in evaluation mode.
