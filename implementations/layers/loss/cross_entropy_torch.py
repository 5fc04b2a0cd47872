"""Softmax and cross-entropy in PyTorch."""

import torch
from torch.nn import functional

# --- forward ---


def forward(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The mean of -log of the probability of the label, from logits (..., C) and labels (...,)."""
    return functional.cross_entropy(logits.flatten(0, -2), y.flatten())


# --- backward ---

# Autograd: dlogits = (P - onehot(y)) / number of labels, the gradient of the mean loss.
