"""What the peers in PyTorch share: a training loop as introductions write it, eager and compiled."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


class Eager:
    """`nn.CrossEntropyLoss`, `torch.optim`: zero_grad, forward, backward, step. A network's own peer adds `made_network`."""

    def __init__(self, spec: Any, device: str = "cpu") -> None:
        torch.manual_seed(spec.seed)
        network = self.made_network(spec).to(device, getattr(torch, spec.dtype))
        self.parameters, self.largest_norm = list(network.parameters()), spec.largest_norm
        settings = spec.optimizer
        if settings.kind == "sgd":
            self.optimizer: Any = torch.optim.SGD(self.parameters, settings.learning_rate, settings.momentum)
        else:
            kind = torch.optim.AdamW if settings.kind == "adamw" else torch.optim.Adam
            self.optimizer = kind(self.parameters, settings.learning_rate)
        self.network = self.as_called(network)
        self.loss = nn.CrossEntropyLoss()

    def made_network(self, spec: Any) -> nn.Module:
        """Inputs -> logits, with PyTorch's own initial weights."""
        raise NotImplementedError

    def as_called(self, network: nn.Module) -> Any:
        """The network as the training step calls it."""
        return network

    def train_step(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One batch, one step; returns the loss, the mean over all predictions."""
        self.optimizer.zero_grad()
        loss = self.loss(self.network(self.inputs(batch)).flatten(0, -2), batch["y"].flatten())
        loss.backward()
        if self.largest_norm:
            nn.utils.clip_grad_norm_(self.parameters, self.largest_norm)
        self.optimizer.step()
        return loss.detach()

    def inputs(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """What the network is given of a batch."""
        return batch["x"]

    def load_state(self, state: Any) -> None:
        """It keeps its own start: nothing is compared with it."""


class Compiled:
    """Before a peer's class: the same with `torch.compile` around the module."""

    def as_called(self, network: nn.Module) -> Any:
        """Compiled, for one shape."""
        return torch.compile(network, dynamic=False)
