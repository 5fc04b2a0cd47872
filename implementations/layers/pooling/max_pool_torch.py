"""Max pooling in PyTorch."""

import torch
from torch import nn
from torch.nn import functional

# --- forward ---


def layer() -> nn.MaxPool2d:
    """p = the largest of every 2x2 places: a (B, C, H, W) -> p (B, C, H//2, W//2). An odd last row or column is left out."""
    return nn.MaxPool2d(2)


# --- backward ---

# Autograd: all of dp goes to the place that won, the first of equals.

# --- branch ---


def choice(a: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
    """The place of each window's largest number, row by row: as PyTorch's own index in the image (H W) has it."""
    _, index = functional.max_pool2d(a, 2, return_indices=True)
    row, column = index // a.shape[3], index % a.shape[3]
    return 2 * (row % 2) + column % 2
