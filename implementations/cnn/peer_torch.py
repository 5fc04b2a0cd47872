"""Peers for the timings: the network and its training loop in PyTorch as introductions write them, eager and compiled.

In the memory format that PyTorch recommends for convolutions, channels last. Biases before batch norm, PyTorch's own initial weights,
whatever else it does by itself: not the specification's network, never proved, never ranked.
"""

from collections.abc import Mapping

import torch
from torch import nn

from implementations.cnn.spec import CNNSpec
from implementations.training import peer_torch as training


class Eager(training.Eager):
    """The peer."""

    def made_network(self, spec: CNNSpec) -> nn.Module:
        """`nn.Sequential`: images x (B, C, H, W) -> logits."""
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
        return nn.Sequential(*layers, nn.Linear(width_in, spec.classes)).to(memory_format=torch.channels_last)

    def inputs(self, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Images (B, H, W, C) are channels last already: they change their name only."""
        return batch["x"].permute(0, 3, 1, 2)


class Compiled(training.Compiled, Eager):
    """The same, compiled."""
