"""Embedding in PyTorch."""

from torch import nn

# --- forward ---


def layer(vocabulary: int, width: int) -> nn.Embedding:
    """e = E[x]: tokens x (B, T), E (V, D) -> (B, T, D)."""
    return nn.Embedding(vocabulary, width)


# --- backward ---

# Autograd: a row's gradient is the sum over all places where its token stood.

# --- layout ---

NAMES = {"weight": "weight"}
"""The specification's name of each tensor -> PyTorch's, which lies as the specification's."""
