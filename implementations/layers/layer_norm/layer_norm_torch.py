"""Layer normalisation in PyTorch (Ba, Kiros & Hinton 2016)."""

from torch import nn

# --- forward ---


def layer(width: int, epsilon: float) -> nn.LayerNorm:
    """n = gamma (h - mean) / sqrt(variance + epsilon) + beta: h (..., E) -> n (..., E), in training and prediction alike."""
    return nn.LayerNorm(width, eps=epsilon)


# --- backward ---

# Autograd, through the mean and variance of each position too.

# --- layout ---

NAMES = {"gamma": "weight", "beta": "bias"}
"""The specification's name of each tensor -> PyTorch's."""
