"""ReLU in PyTorch."""

import torch
from torch import nn

# --- forward ---


def layer() -> nn.ReLU:
    """a = max(n, 0)."""
    return nn.ReLU()


# --- backward ---

# Autograd: dn = da where the unit was active, else 0.

# --- branch ---


def choice(n: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """Which units passed, by what came out of the layer."""
    return a > 0
