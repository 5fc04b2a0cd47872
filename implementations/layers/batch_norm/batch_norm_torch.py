"""Batch normalisation in PyTorch (Ioffe & Szegedy 2015)."""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

# --- forward ---


def layer(width: int, epsilon: float, momentum: float, running_variance: str, images: bool = False) -> nn.Module:
    """z (B, H), or images (B, H, height, width), -> n: with the batch's statistics in training (Algorithm 1), else the running
    ones (Algorithm 2).

    PyTorch's momentum is the weight of the new value, so 1 - ours; its running variance is the unbiased one.
    """
    kind: type[nn.Module] = nn.BatchNorm2d if images else nn.BatchNorm1d
    if running_variance == "biased":
        kind = BiasedBatchNorm2d if images else BiasedBatchNorm1d
    return kind(width, eps=epsilon, momentum=1 - momentum)


class Biased(nn.Module):
    """The same layer with the biased running variance, for specifications that ask for it."""

    def forward(self, z: torch.Tensor) -> Any:
        """Normalise with a copy of the running variance, then take the factor B/(B-1) out of what was added to it.

        B: all that a mean is over, of images the places too.
        """
        if not self.training:
            return super().forward(z)
        count, new = z.numel() // z.shape[1], self.running_var.clone()
        n = functional.batch_norm(z, self.running_mean, new, self.weight, self.bias, True, self.momentum, self.eps)
        self.running_var.mul_((1 - self.momentum) / count).add_(new, alpha=(count - 1) / count)
        return n


class BiasedBatchNorm1d(Biased, nn.BatchNorm1d):
    """Of rows."""


class BiasedBatchNorm2d(Biased, nn.BatchNorm2d):
    """Of images."""


# --- backward ---

# Autograd: dz = gamma/std (dn - mean(dn) - z_hat mean(dn z_hat)) (B, H), dgamma, dbeta (H,) (section 3).

# --- layout ---

NAMES = {"gamma": "weight", "beta": "bias", "running_mean": "running_mean", "running_variance": "running_var"}
"""The specification's name of each tensor -> PyTorch's; the layouts are the same."""
