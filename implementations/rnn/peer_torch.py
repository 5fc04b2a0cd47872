"""Peers for the timings: the network and its training loop in PyTorch as introductions write them.

One `nn.LSTM` (or `nn.GRU`, `nn.RNN`) holds all layers of a width, with both biases trained and no dropout behind its last layer, for which
`nn.Dropout` follows. PyTorch's own initial weights, whatever else it does by itself: not the specification's network, never proved, never ranked.
"""

import itertools
from typing import cast

import torch
from torch import nn

from implementations.rnn.spec import RNNSpec
from implementations.training import peer_torch as training

KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "tanh": nn.RNN}


class Network(nn.Module):
    """Rows x (B, T, D) or tokens x (B, T) -> logits (B, K) or (B, T, K)."""

    def __init__(self, spec: RNNSpec) -> None:
        super().__init__()
        self.reads_every = spec.outputs == "every"
        width_in = spec.features
        self.embedding = nn.Embedding(spec.vocabulary, width_in) if spec.vocabulary else nn.Identity()
        self.layers = nn.ModuleList()
        for width, group in itertools.groupby(spec.hidden):
            count = len(list(group))
            dropout = spec.dropout if count > 1 else 0.0  # of one layer it would have none to drop for, and says so
            self.layers.append(KINDS[spec.cell](width_in, width, count, batch_first=True, dropout=dropout))
            width_in = width
        self.dropout = nn.Dropout(spec.dropout)
        self.output = nn.Linear(width_in, spec.classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Every layer's states; of the last one's the last, or every one, is read."""
        h = self.embedding(x)
        for number, layer in enumerate(self.layers, 1):
            states, _ = layer(h)
            h = self.dropout(states if number < len(self.layers) or self.reads_every else states[:, -1])
        return cast(torch.Tensor, self.output(h))


class Eager(training.Eager):
    """The peer."""

    def made_network(self, spec: RNNSpec) -> nn.Module:
        """All layers."""
        return Network(spec)
