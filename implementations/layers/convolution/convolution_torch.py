"""Convolution in PyTorch. `nn.Conv2d` takes images as (batch, channels, height, width) and keeps its kernels as (out, in, height, width)."""

import torch
from torch import nn

# --- forward ---


def layer(inputs: int, outputs: int, bias: bool = True) -> nn.Conv2d:
    """3x3 windows, stride 1, one pixel of zeros around the image: x (B, C, H, W) -> z (B, K, H, W)."""
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=bias)


# --- backward ---

# Autograd: dW = the products of dz with all windows, db = the sum of dz, dx = dz convolved with the turned kernel.

# --- layout ---

NAMES = {"weight": "weight", "bias": "bias"}
"""The specification's name of each tensor -> PyTorch's."""


def to_spec(attribute: str, value: torch.Tensor) -> torch.Tensor:
    """A tensor, or a slot of it, as the specification has it: kernels (height, width, in, out)."""
    return value.permute(2, 3, 1, 0) if attribute == "weight" else value


def from_spec(attribute: str, value: torch.Tensor) -> torch.Tensor:
    """The way back."""
    return value.permute(3, 2, 0, 1) if attribute == "weight" else value
