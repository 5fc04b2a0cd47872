"""Positions in PyTorch."""

import torch
from torch import nn

# --- forward ---


def layer(length: int, width: int) -> nn.Embedding:
    """The table P (T, E), an embedding of the numbers of the positions."""
    return nn.Embedding(length, width)


def forward(layer: nn.Embedding, e: torch.Tensor) -> torch.Tensor:
    """h = e + P: e (B, T, E) -> (B, T, E)."""
    return e + layer(torch.arange(e.shape[1], device=e.device))


# --- backward ---

# Autograd: dP = the sum of dh over the samples (T, E).

# --- layout ---

NAMES = {"weight": "weight"}
"""The specification's name of each tensor -> PyTorch's, which lies as the specification's."""
