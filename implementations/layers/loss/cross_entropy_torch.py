"""Softmax and cross-entropy in PyTorch."""

import torch
from torch.nn import functional

# --- forward ---


def forward(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Mean over the batch of -log of the probability of the label, from logits (B, C) and labels (B,)."""
    return functional.cross_entropy(logits, y)


# --- backward ---

# Autograd: dlogits = (P - onehot(y)) / B, the gradient of the mean loss.
