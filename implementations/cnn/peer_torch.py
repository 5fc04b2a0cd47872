"""Peers for the timings: the network and its training loop in PyTorch as introductions write them, eager and compiled.

In the memory format that PyTorch recommends for convolutions, channels last. Biases before batch norm, PyTorch's own initial weights,
whatever else it does by itself: not the specification's network, never proved, never ranked.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from implementations.cnn.spec import CNNSpec


class Eager:
    """`nn.Sequential`, `nn.CrossEntropyLoss`, `torch.optim`: zero_grad, forward, backward, step."""

    def __init__(self, spec: CNNSpec, device: str = "cpu") -> None:
        torch.manual_seed(spec.seed)
        layers: list[nn.Module] = []
        width_in = spec.image[2]
        for width in spec.channels:
            norm: list[nn.Module] = [nn.BatchNorm2d(width)] if spec.batch_norm else []
            layers += [nn.Conv2d(width_in, width, 3, padding=1), *norm, nn.ReLU(), nn.MaxPool2d(2)]
            width_in = width
        layers.append(nn.Flatten())
        width_in = spec.dense_inputs
        for width in spec.hidden:
            norm = [nn.BatchNorm1d(width)] if spec.batch_norm else []
            layers += [nn.Linear(width_in, width), *norm, nn.ReLU(), nn.Dropout(spec.dropout)]
            width_in = width
        network = nn.Sequential(*layers, nn.Linear(width_in, spec.classes)).to(device, getattr(torch, spec.dtype))
        network = network.to(memory_format=torch.channels_last)
        settings = spec.optimizer
        if settings.kind == "sgd":
            self.optimizer: Any = torch.optim.SGD(network.parameters(), settings.learning_rate, settings.momentum)
        else:
            kind = torch.optim.AdamW if settings.kind == "adamw" else torch.optim.Adam
            self.optimizer = kind(network.parameters(), settings.learning_rate)
        self.network = self.made(network)
        self.loss = nn.CrossEntropyLoss()

    def made(self, network: nn.Module) -> Any:
        """The network as it is called."""
        return network

    def train_step(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """One batch, one step; returns the loss. Images (B, H, W, C) are channels last already: they change their name only."""
        self.optimizer.zero_grad()
        loss = self.loss(self.network(batch["x"].permute(0, 3, 1, 2)), batch["y"])
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def load_state(self, state: Any) -> None:
        """It keeps its own start: nothing is compared with it."""


class Compiled(Eager):
    """The same with `torch.compile` around the module."""

    def made(self, network: nn.Module) -> Any:
        """Compiled, for one shape."""
        return torch.compile(network, dynamic=False)
