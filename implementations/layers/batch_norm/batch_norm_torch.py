"""Batch normalisation in PyTorch (Ioffe & Szegedy 2015)."""

import torch
from torch import nn
from torch.nn import functional

# --- forward ---


def layer(width: int, epsilon: float, momentum: float, running_variance: str) -> nn.BatchNorm1d:
    """z (B, H) -> n (B, H): with the batch's statistics in training (Algorithm 1), else the running ones (Algorithm 2).

    PyTorch's momentum is the weight of the new value, so 1 - ours; its running variance is the unbiased one.
    """
    kind = nn.BatchNorm1d if running_variance == "unbiased" else BiasedBatchNorm1d
    return kind(width, eps=epsilon, momentum=1 - momentum)


class BiasedBatchNorm1d(nn.BatchNorm1d):
    """The same layer with the biased running variance, for specifications that ask for it."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Normalise with a copy of the running variance, then take the factor B/(B-1) out of what was added to it."""
        if not self.training:
            return super().forward(z)
        batch, new = len(z), self.running_var.clone()
        n = functional.batch_norm(z, self.running_mean, new, self.weight, self.bias, True, self.momentum, self.eps)
        self.running_var.mul_((1 - self.momentum) / batch).add_(new, alpha=(batch - 1) / batch)
        return n


# --- backward ---

# Autograd: dz = gamma/std (dn - mean(dn) - z_hat mean(dn z_hat)) (B, H), dgamma, dbeta (H,) (section 3).

# --- layout ---

NAMES = {"gamma": "weight", "beta": "bias", "running_mean": "running_mean", "running_variance": "running_var"}
"""The specification's name of each tensor -> PyTorch's; the layouts are the same."""
