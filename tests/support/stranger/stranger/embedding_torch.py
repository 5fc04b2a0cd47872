"""Embedding in PyTorch."""

from torch import nn

# --- forward ---


def layer(vocabulary: int, width: int) -> nn.Embedding:
    """e = E[x]: x (B, T) -> (B, T, E)."""
    return nn.Embedding(vocabulary, width)


# --- backward ---

# Autograd adds up the gradients of each token's places.

# --- layout ---

NAMES = {"weight": "weight"}
