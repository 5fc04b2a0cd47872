"""Dense layer in PyTorch. `nn.Linear` keeps its weights as (out, in); the specification's are (in, out)."""

import torch
from torch import nn

# --- forward ---


def layer(inputs: int, outputs: int, bias: bool = True) -> nn.Linear:
    """z = x W^T + b: x (B, inputs) -> z (B, outputs)."""
    return nn.Linear(inputs, outputs, bias=bias)


# --- backward ---

# Autograd: dW = dz^T x (H, D), db = sum over the samples of dz (H,), dx = dz W (B, D).

# --- layout ---

NAMES = {"weight": "weight", "bias": "bias"}
"""The specification's name of each tensor -> PyTorch's."""


def to_spec(attribute: str, value: torch.Tensor) -> torch.Tensor:
    """A tensor, or a slot of it, as the specification has it."""
    return value.T if attribute == "weight" else value


def from_spec(attribute: str, value: torch.Tensor) -> torch.Tensor:
    """The way back."""
    return value.T if attribute == "weight" else value
