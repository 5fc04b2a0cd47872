"""Peers for the timings: the network and its training loop in PyTorch as introductions write them, eager and compiled.

Biases before batch norm, PyTorch's own initial weights, whatever else it does by itself: not the specification's network,
never proved, never ranked.
"""

from torch import nn

from implementations.mlp.spec import MLPSpec
from implementations.training import peer_torch as training


class Eager(training.Eager):
    """The peer."""

    def made_network(self, spec: MLPSpec) -> nn.Module:
        """`nn.Sequential`: features x (B, D) -> logits (B, C)."""
        layers: list[nn.Module] = []
        width_in = spec.features
        for width in spec.hidden:
            norm = [nn.BatchNorm1d(width)] if spec.batch_norm else []
            layers += [nn.Linear(width_in, width), *norm, nn.ReLU(), nn.Dropout(spec.dropout)]
            width_in = width
        return nn.Sequential(*layers, nn.Linear(width_in, spec.classes))


class Compiled(training.Compiled, Eager):
    """The same, compiled."""
