"""Inverted dropout in PyTorch (Srivastava et al. 2014)."""

import torch
from torch import nn

# --- forward ---


def mask(dropout: nn.Dropout, ones: torch.Tensor) -> torch.Tensor:
    """0 with the layer's rate, else 1/(1-rate): what the layer makes of ones in training."""
    return dropout(ones)


def layer(rate: float) -> nn.Dropout:
    """h = a * m, with a mask from PyTorch's own generator; in evaluation mode h = a."""
    return nn.Dropout(rate)


# --- backward ---

# Autograd: da = dh * m.
