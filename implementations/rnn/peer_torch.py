"""Peers for the timings: the network and its training loop in PyTorch as introductions write them, eager and compiled.

One `nn.LSTM` (or `nn.GRU`, `nn.RNN`) holds all layers of a width, with both biases trained and no dropout behind its last layer, for which
`nn.Dropout` follows. PyTorch's own initial weights, whatever else it does by itself: not the specification's network, never proved, never ranked.
"""

import itertools
from collections.abc import Mapping
from typing import Any, cast

import torch
from torch import nn

from implementations.rnn.spec import RNNSpec

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


class Eager:
    """`nn.Module`, `nn.CrossEntropyLoss`, `torch.optim`: zero_grad, forward, backward, clip_grad_norm_, step."""

    def __init__(self, spec: RNNSpec, device: str = "cpu") -> None:
        torch.manual_seed(spec.seed)
        network = Network(spec).to(device, getattr(torch, spec.dtype))
        self.parameters, self.largest_norm = list(network.parameters()), spec.clip_norm
        settings = spec.optimizer
        if settings.kind == "sgd":
            self.optimizer: Any = torch.optim.SGD(self.parameters, settings.learning_rate, settings.momentum)
        else:
            kind = torch.optim.AdamW if settings.kind == "adamw" else torch.optim.Adam
            self.optimizer = kind(self.parameters, settings.learning_rate)
        self.network = self.made(network)
        self.loss = nn.CrossEntropyLoss()

    def made(self, network: nn.Module) -> Any:
        """The network as it is called."""
        return network

    def train_step(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One batch, one step; returns the loss, the mean over all predictions."""
        self.optimizer.zero_grad()
        loss = self.loss(self.network(batch["x"]).flatten(0, -2), batch["y"].flatten())
        loss.backward()
        if self.largest_norm:
            nn.utils.clip_grad_norm_(self.parameters, self.largest_norm)
        self.optimizer.step()
        return loss.detach()

    def load_state(self, state: Any) -> None:
        """It keeps its own start: nothing is compared with it."""


class Compiled(Eager):
    """The same with `torch.compile` around the module, which leaves its recurrent layers as they are."""

    def made(self, network: nn.Module) -> Any:
        """Compiled, for one shape."""
        return torch.compile(network, dynamic=False)
