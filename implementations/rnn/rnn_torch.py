"""The recurrent network in PyTorch, as its documentation teaches it: `nn.Module` layers and `torch.optim`.

PyTorch does much of the network by itself; where it does, the heading stays and says so. There is one `nn.LSTM` (or `nn.GRU`, `nn.RNN`) for
each layer, with a `nn.Dropout` of its own behind it. Shape letters: B batch, T steps, D features, H width of a recurrent layer.
"""

from typing import Any

import torch
from torch import nn

from implementations.layers.cells import gru_torch as gru
from implementations.layers.cells import lstm_torch as lstm
from implementations.layers.cells import tanh_torch as tanh
from implementations.layers.dense import dense_torch as dense
from implementations.layers.dropout import dropout_torch as dropout
from implementations.layers.embedding import embedding_torch as embedding
from implementations.layers.recurrent import recurrent_torch as recurrent
from implementations.rnn.spec import RNNSpec
from implementations.training.training_torch import Model

CELLS = {"lstm": lstm, "gru": gru, "tanh": tanh}


class Network(nn.Module):
    """Rows x (B, T, D) or tokens x (B, T) -> logits (B, K) or (B, T, K)."""

    def __init__(self, spec: RNNSpec) -> None:
        super().__init__()
        self.spec = spec
        width_in = spec.features
        if spec.vocabulary:
            self.embedding = embedding.layer(spec.vocabulary, width_in)
        for i, width in zip(spec.layers, spec.hidden, strict=True):
            self.add_module(f"rnn{i}", CELLS[spec.cell].layer(width_in, width))
            if spec.dropout:
                self.add_module(f"dropout{i}", dropout.layer(spec.dropout))
            width_in = width
        self.output = dense.layer(width_in, spec.classes)

    # --- forward ---

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Every layer's states, or where only the last one is read that, through dropout to the next layer."""
        h = self.embedding(x) if self.spec.vocabulary else x
        for i in self.spec.layers:
            states = recurrent.forward(self.get_submodule(f"rnn{i}"), h)
            h = states if self.spec.reads_every(i) else recurrent.last(states)
            if self.spec.dropout:
                h = self.get_submodule(f"dropout{i}")(h)
        return self.output(h)

    # --- output ---

    # logits = h W^T + b, an `nn.Linear`: of the last state h (B, H), or of every one (B, T, H).


class RNN(Model):
    """`implementations.contract.Model`."""

    def __init__(self, spec: RNNSpec, device: str = "cpu") -> None:
        self.kinds = {"embedding": embedding, "rnn": CELLS[spec.cell], "dropout": dropout, "output": dense}
        super().__init__(spec, device)

    def make_network(self) -> nn.Module:
        """All layers."""
        return Network(self.spec)

    def ones(self, shape: tuple[int, ...]) -> torch.Tensor:
        """What a dropout layer is given to draw a mask from, as its input lies in memory."""
        if len(shape) == 3:
            return recurrent.ones_as_states(shape, self.dtype, self.device)
        return super().ones(shape)

    def kernels(self) -> dict[str, str]:
        """What PyTorch computes its recurrent layers with."""
        return {self.spec.cell: recurrent.kernel(self.network.get_submodule("rnn1"))}

    # --- backward ---

    # Autograd recorded the forward pass and walks it back, from the last step to the first: `loss.backward()`.

    # --- predict ---

    # The same layers in evaluation mode: without dropout.

    def calls_of_steps(self) -> list[tuple[str, Any, str]]:
        """With the steps of this network's own: (step, object, method)."""
        others = [call for call in super().calls_of_steps() if call[0] != "dense"]  # which is the output alone
        return [*others, ("output", self.network.get_submodule("output"), "forward")]
